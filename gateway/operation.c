/*
 * Running an operation: what it wants of the request (who calls, preconditions, an idempotency key, a body),
 * and its handler, in a fiber. Whatever goes wrong on the way ends in fail(). Clients that leave while their
 * fiber waits end it.
 */
#include <sys/epoll.h>

#include "gateway/gateway.h"

#include "core/api.h"

enum { KEY_LEAST = 16, KEY_MOST = 128, IF_MATCH_MOST = 64 };

/* HTTP/1 clients that leave are noticed by h2o only when it writes; those that wait longer than this are
 * watched. */
static const int64_t watch_after_us = 50 * MILLISECOND_US;

typedef struct work {
    exchange_t *exchange;
    reply_t reply;
} work_t;

/* ---- what an operation wants ---- */

static bool is_json(str_t type)
{
    static const char json[] = "application/json";
    size_t length = sizeof json - 1;
    return type.length >= length && strncasecmp(type.at, json, length) == 0 &&
           (type.length == length || type.at[length] == ';' || type.at[length] == ' ');
}

static void take_body(exchange_t *exchange)
{
    const operation_t *operation = exchange->route.operation;
    str_t body = {exchange->h2o->entity.base, exchange->h2o->entity.len};
    req_t *req = exchange->req;
    if (body.length > operation->body_max)
        fail(req, &PAYLOAD_TOO_LARGE, "The body has %zu bytes; here it may have %zu.", body.length,
             operation->body_max);
    if (operation->body == NULL) {
        if (body.length > 0)
            fail(req, &MALFORMED, "This request takes no body.");
        return;
    }
    if (!is_json(exchange->content_type))
        fail(req, &UNSUPPORTED_MEDIA_TYPE, "Send the body as Content-Type: application/json.");
    if (exchange->content_encoding.length)
        fail(req, &UNSUPPORTED_MEDIA_TYPE, "Send the body as it is, without Content-Encoding.");
    exchange->body = arena_str(req->arena, body.at ? body : STR(""));
}

static bool visible_ascii(str_t text)
{
    for (size_t place = 0; place < text.length; place++)
        if (text.at[place] < 0x21 || text.at[place] > 0x7e)
            return false;
    return true;
}

static void take_idempotency_key(exchange_t *exchange)
{
    req_t *req = exchange->req;
    if (exchange->route.operation->method == METHOD_GET) {
        req->idempotency_key = STR_NONE;
        return;
    }
    if (req->idempotency_key.at == NULL)
        return;
    str_t key = req->idempotency_key;
    if (key.length < KEY_LEAST || key.length > KEY_MOST || !visible_ascii(key)) {
        field_wrong(req, STR("header/Idempotency-Key"), "must be 16 to 128 visible ASCII characters");
        fail_fields(req);
    }
    req->idempotency_key = arena_str(req->arena, key);
}

/* What an idempotency key stands for: each part with its length before it, so that none runs into the next.
 */
static void take_fingerprint(exchange_t *exchange)
{
    req_t *req = exchange->req;
    if (req->idempotency_key.length == 0)
        return;
    const str_t parts[] = {str_from(req->operation->name),
                           {(const char *)req->caller.member.bytes, sizeof req->caller.member.bytes},
                           req->path,
                           exchange->query,
                           exchange->body};
    size_t size = 0;
    for (size_t place = 0; place < COUNT_OF(parts); place++)
        size += sizeof parts[place].length + parts[place].length;
    char *text = arena_alloc(req->arena, size), *at = text;
    for (size_t place = 0; place < COUNT_OF(parts); place++) {
        memcpy(at, &parts[place].length, sizeof parts[place].length);
        at += sizeof parts[place].length;
        if (parts[place].length)
            memcpy(at, parts[place].at, parts[place].length);
        at += parts[place].length;
    }
    hash_t hash = hash_of((str_t){text, size});
    memcpy(req->fingerprint, hash.bytes, sizeof req->fingerprint);
}

static void take_preconditions(exchange_t *exchange)
{
    req_t *req = exchange->req;
    if (req->if_match.length > IF_MATCH_MOST) {
        field_wrong(req, STR("header/If-Match"), "must be one ETag, at most %d characters", IF_MATCH_MOST);
        fail_fields(req);
    }
    if (exchange->route.operation->needs_match && req->if_match.length == 0)
        fail(req, &PRECONDITION_REQUIRED, "Send the ETag of the version that you change as If-Match.");
    req->if_match = req->if_match.at ? arena_str(req->arena, req->if_match) : STR_NONE;
    req->if_none_match = req->if_none_match.at && req->if_none_match.length <= TARGET_MOST
                             ? arena_str(req->arena, req->if_none_match)
                             : STR_NONE;
}

/* ---- the fiber ---- */

static void call_handler(work_t *work)
{
    exchange_t *exchange = work->exchange;
    const route_t *route = &exchange->route;
    req_t *req = exchange->req;
    const void *request = operation_decode(req, route->operation, route->values, route->value_count,
                                           exchange->query, exchange->body);
    exchange->thread->handling = exchange;
    work->reply = route->operation->handle(req, request);
}

/* All up to the handler happens without waiting, so h2o's memory is there. */
static void run_operation(req_t *req, void *arg)
{
    work_t *work = arg;
    exchange_t *exchange = work->exchange;
    const operation_t *operation = exchange->route.operation;
    req->module = exchange->route.module;
    req->operation = operation;
    req->deadline = exchange->began + operation->timeout_us;
    fiber_name(operation->name);
    authenticate(exchange);
    limits_take(exchange);
    authorize(exchange);
    take_preconditions(exchange);
    take_idempotency_key(exchange);
    take_body(exchange);
    take_fingerprint(exchange);
    call_handler(work);
}

static void run_exchange(void *arg)
{
    exchange_t *exchange = arg;
    work_t *work = arena_new_of(exchange->req->arena, work_t);
    work->exchange = exchange;
    exchange->fiber = fiber_self();
    bool good = req_attempt(exchange->req, run_operation, work);
    exchange->fiber = NULL;
    if (exchange->live)
        return; /* it goes on as a stream */
    if (good)
        answer_reply(exchange, &work->reply);
    else
        answer_problem(exchange);
}

/* ---- clients that leave ---- */

static void client_left(loop_watch_t *watch, uint32_t events)
{
    exchange_t *exchange = CONTAINER_OF(watch, exchange_t, hangup);
    (void)events;
    loop_unwatch(exchange->thread->loop, watch);
    count_one(exchange->thread, COUNT_GONE);
    if (exchange->fiber)
        fiber_cancel(exchange->fiber);
}

static void watch_client(exchange_t *exchange)
{
    exchange->hangup.fd = h2o_socket_get_fd(exchange->connection->socket);
    exchange->hangup.ready = client_left;
    if (!loop_watch(exchange->thread->loop, &exchange->hangup, EPOLLRDHUP))
        exchange->hangup.watched = false;
}

/* Those that have waited long enough are watched from now on. HTTP/2 says by itself when a request is taken
 * back. */
void exchange_watch_waiting(loop_timer_t *timer)
{
    gateway_thread_t *thread = CONTAINER_OF(timer, gateway_thread_t, hangup_timer);
    int64_t now = clock_monotonic();
    while (thread->waiting.first && thread->waiting.first->began + watch_after_us <= now) {
        exchange_t *exchange = thread->waiting.first;
        exchange_list_remove(exchange);
        if (exchange->h2o && exchange->h2o->version < 0x200)
            watch_client(exchange);
    }
    if (thread->waiting.first)
        loop_timer_set(thread->loop, timer, thread->waiting.first->began + watch_after_us);
}

void exchange_note_waiting(exchange_t *exchange)
{
    gateway_thread_t *thread = exchange->thread;
    exchange_list_add(&thread->waiting, exchange);
    if (thread->hangup_timer.place == 0)
        loop_timer_set(thread->loop, &thread->hangup_timer, exchange->began + watch_after_us);
}

static const served_operation_t *served_of(const gateway_t *gateway, const route_t *route)
{
    for (size_t place = 0; place < gateway->served_count; place++)
        if (gateway->served[place] == route->module)
            return &gateway->operations[gateway->served_first[place] +
                                        (size_t)(route->operation - route->module->operations)];
    panic("the operation %s is not served", route->operation->name);
}

void operation_start(exchange_t *exchange)
{
    exchange->served = served_of(exchange->thread->gateway, &exchange->route);
    if (!fiber_start_now("request", run_exchange, exchange)) {
        count_one(exchange->thread, COUNT_BUSY);
        exchange->req->problem =
            (problem_t){.kind = &BUSY,
                        .detail = STR("Too many requests are under way. Try again in a moment."),
                        .retry_after_us = 2 * SECOND_US};
        answer_problem(exchange);
    }
}
