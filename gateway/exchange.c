/*
 * An exchange: one request of h2o and our request for it. The two end in any order: h2o's goes when the
 * answer is sent or the client is gone, ours when its fiber has ended and nothing of its answer is needed any
 * more.
 */
#include "gateway/gateway.h"

/* Only the own thread writes: no locked instruction is needed. */
static void count_exchanges(gateway_thread_t *thread, int more)
{
    size_t count = atomic_load_explicit(&thread->exchange_count, memory_order_relaxed);
    atomic_store_explicit(&thread->exchange_count, count + (size_t)more, memory_order_relaxed);
}

void exchange_list_add(exchange_list_t *list, exchange_t *exchange)
{
    exchange->list = list;
    exchange->next = NULL;
    exchange->previous = list->last;
    if (list->last)
        list->last->next = exchange;
    else
        list->first = exchange;
    list->last = exchange;
}

void exchange_list_remove(exchange_t *exchange)
{
    exchange_list_t *list = exchange->list;
    if (list == NULL)
        return;
    *(exchange->previous ? &exchange->previous->next : &list->first) = exchange->next;
    *(exchange->next ? &exchange->next->previous : &list->last) = exchange->previous;
    exchange->list = NULL;
}

exchange_t *exchange_handling(void)
{
    return gateway_here->handling;
}

static void unwatch(exchange_t *exchange)
{
    loop_unwatch(exchange->thread->loop, &exchange->hangup);
}

/* What is no operation's stays in memory anyway: the web client's files, the document of the API. */
size_t exchange_unsent(const exchange_t *exchange)
{
    return exchange->served ? exchange->size : 0;
}

void exchange_end(exchange_t *exchange)
{
    unwatch(exchange);
    exchange->thread->unsent -= exchange_unsent(exchange);
    exchange_list_remove(exchange);
    count_exchanges(exchange->thread, -1);
    if (exchange->token)
        *exchange->token = NULL;
    req_free(exchange->req); /* the exchange lies in its arena */
}

/* Answered, and taken back before anything of the answer was written. */
static bool is_unwritten(const exchange_t *exchange)
{
    return exchange->live == NULL && exchange->h2o->version >= 0x200 &&
           exchange->connection->socket->bytes_written == exchange->written_before;
}

/* h2o is done with its request: the answer was sent, or the client is gone. */
static void on_disposed(void *memory)
{
    exchange_t *exchange = *(exchange_t **)memory;
    if (exchange == NULL)
        return;
    unwatch(exchange);
    exchange->token = NULL;
    if (exchange->working || is_unwritten(exchange))
        guard_gone(exchange->connection, exchange->h2o);
    exchange->h2o = NULL;
    if (!exchange->working)
        exchange_end(exchange);
    else if (exchange->fiber)
        fiber_cancel(exchange->fiber);
}

/* Copied: the connection may go while the fiber runs. */
static str_t place_of_client(const exchange_t *exchange)
{
    const connection_t *connection = exchange->connection;
    char place[INET6_ADDRSTRLEN];
    if (!connection->by_proxy)
        return arena_str(exchange->req->arena, str_from(connection->place));
    struct in6_addr client = connection->peer;
    proxies_find_client(&exchange->thread->gateway->proxies, &exchange->h2o->headers, &client);
    limits_name_place(&client, place);
    return arena_str(exchange->req->arena, str_from(place));
}

exchange_t *exchange_begin(gateway_thread_t *thread, h2o_req_t *h2o)
{
    req_t *req = req_new(thread->gateway->host, NULL);
    exchange_t *exchange = arena_new_of(req->arena, exchange_t);
    exchange->thread = thread;
    exchange->connection = connection_of(h2o);
    exchange->h2o = h2o;
    exchange->req = req;
    exchange->working = true;
    exchange->hangup.fd = -1;
    exchange->token = h2o_mem_alloc_shared(&h2o->pool, sizeof *exchange->token, on_disposed);
    *exchange->token = exchange;
    exchange->began = clock_monotonic();
    req->address = place_of_client(exchange);
    count_exchanges(thread, 1);
    return exchange;
}

void exchange_answered(exchange_t *exchange, size_t size)
{
    unwatch(exchange);
    exchange_list_remove(exchange);
    exchange->working = false;
    exchange->answered_at = exchange->progress_at = clock_monotonic();
    exchange->size = size;
    exchange->written_before = exchange->connection->socket->bytes_written;
    exchange_list_add(&exchange->thread->sending, exchange);
    exchange->thread->unsent += exchange_unsent(exchange);
    guard_bound_unsent(exchange->thread);
}
