/*
 * One follower's stream: a queue of frames that h2o takes from, as fast as the client takes from h2o. It lies
 * in the arena of its exchange and leaves its loop when that goes.
 */
#include <sys/epoll.h>

#include "gateway/live.h"

enum { FRAMES_PER_SEND = 64 };

static void release_queue(live_queued_t *queued)
{
    for (live_queued_t *next; queued; queued = next) {
        next = queued->next;
        live_frame_release(queued->frame);
        free(queued);
    }
}

static void connection_dispose(void *arg)
{
    live_connection_t *connection = arg;
    live_loop_leave(connection);
    release_queue(connection->first);
    release_queue(connection->in_flight);
    if (connection->in_room)
        room_give(live_hub_room(connection->exchange->thread->gateway->live),
                  (str_t){connection->who, connection->who_length});
}

live_connection_t *live_connection_new(exchange_t *exchange)
{
    req_t *req = exchange->req;
    live_connection_t *connection = arena_new_of(req->arena, live_connection_t);
    bool member = !uuid_is_none(&req->caller.member);
    connection->exchange = exchange;
    connection->live = exchange->thread->live;
    connection->session = req->caller.session;
    connection->expires_at = exchange->token_expires_at;
    connection->who[0] = member ? 'm' : 'a';
    size_t length = member ? sizeof req->caller.member.bytes : req->address.length;
    memcpy(connection->who + 1, member ? (const char *)req->caller.member.bytes : req->address.at, length);
    connection->who_length = length + 1;
    arena_defer(req->arena, connection_dispose, connection);
    return connection;
}

/* ---- sending ---- */

static void send_queued(live_connection_t *connection)
{
    h2o_iovec_t parts[FRAMES_PER_SEND];
    size_t count = 0;
    live_queued_t *last = NULL;
    for (live_queued_t *queued = connection->first; queued && count < FRAMES_PER_SEND;
         queued = queued->next) {
        parts[count++] = (h2o_iovec_t){(char *)queued->frame->text.at, queued->frame->text.length};
        connection->queued_bytes -= queued->frame->text.length;
        last = queued;
    }
    connection->in_flight = connection->first;
    connection->first = last->next;
    if (connection->first == NULL)
        connection->last = NULL;
    last->next = NULL;
    connection->sending_since = connection->spoke = clock_monotonic();
    h2o_send(connection->exchange->h2o, parts, count, H2O_SEND_STATE_IN_PROGRESS);
}

static void send_end(live_connection_t *connection)
{
    exchange_t *exchange = connection->exchange;
    live_loop_leave(connection);
    exchange_answered(exchange, 0);
    exchange->h2o->http1_is_persistent = 0;
    h2o_send(exchange->h2o, NULL, 0, H2O_SEND_STATE_FINAL);
}

void live_flush(live_connection_t *connection)
{
    if (!connection->started || connection->sending_since)
        return;
    if (connection->first)
        send_queued(connection);
    else if (connection->ending) {
        connection->started = false;
        send_end(connection);
    }
}

static void proceed(h2o_generator_t *generator, h2o_req_t *h2o)
{
    live_connection_t *connection = CONTAINER_OF(generator, live_connection_t, generator);
    (void)h2o;
    release_queue(connection->in_flight);
    connection->in_flight = NULL;
    connection->sending_since = 0;
    live_flush(connection);
}

void live_give(live_connection_t *connection, live_frame_t *frame)
{
    if (connection->ending || connection->cut)
        return;
    if (connection->queued_bytes + frame->text.length > LIVE_QUEUE_BYTES) {
        connection->cut = true;
        connection_cut(connection->exchange->connection, "it does not take its live events");
        return;
    }
    live_queued_t *queued = memory_new(sizeof *queued);
    queued->frame = live_frame_keep(frame);
    if (connection->last)
        connection->last->next = queued;
    else
        connection->first = queued;
    connection->last = queued;
    connection->queued_bytes += frame->text.length;
}

void live_connection_drop_queue(live_connection_t *connection)
{
    release_queue(connection->first);
    connection->first = connection->last = NULL;
    connection->queued_bytes = 0;
}

void live_connection_forget(live_connection_t *connection, const uuid_t *record)
{
    live_queued_t **place = &connection->first;
    connection->last = NULL;
    for (live_queued_t *queued; (queued = *place);) {
        if (uuid_equal(&queued->frame->record, record)) {
            *place = queued->next;
            connection->queued_bytes -= queued->frame->text.length;
            queued->next = NULL;
            release_queue(queued);
        } else {
            connection->last = queued;
            place = &queued->next;
        }
    }
}

void live_end(live_connection_t *connection)
{
    connection->ending = true;
    live_flush(connection);
}

/* ---- the beginning ---- */

static void follower_left(loop_watch_t *watch, uint32_t events)
{
    exchange_t *exchange = CONTAINER_OF(watch, exchange_t, hangup);
    (void)events;
    loop_unwatch(exchange->thread->loop, watch);
    live_end(exchange->live);
}

/* HTTP/1 followers that leave would else be noticed at the next event only. */
static void watch_follower(exchange_t *exchange)
{
    loop_unwatch(exchange->thread->loop, &exchange->hangup);
    if (exchange->h2o->version >= 0x200)
        return;
    exchange->hangup.fd = h2o_socket_get_fd(exchange->connection->socket);
    exchange->hangup.ready = follower_left;
    if (!loop_watch(exchange->thread->loop, &exchange->hangup, EPOLLRDHUP))
        logline(LINE_WARNING, "follower_not_watched", NULL);
}

static void give_head(live_connection_t *connection, const live_vector_t *at)
{
    char text[LIVE_FRAME_HEAD + 32], id[LIVE_FRAME_HEAD];
    live_vector_format(connection->exchange->thread->gateway->host, at, id, sizeof id);
    int length = snprintf(text, sizeof text, "retry: 2000\nid: %s\n\n", id);
    live_frame_t *head = live_frame_of_text((str_t){text, (size_t)length});
    live_queued_t *queued = memory_new(sizeof *queued);
    *queued = (live_queued_t){.next = connection->first, .frame = head};
    connection->first = queued;
    if (connection->last == NULL)
        connection->last = queued;
    connection->queued_bytes += head->text.length;
}

void live_start(live_connection_t *connection, const live_vector_t *at)
{
    exchange_t *exchange = connection->exchange;
    h2o_req_t *h2o = exchange->h2o;
    exchange->working = false;
    exchange->live = connection;
    exchange_list_remove(exchange);
    watch_follower(exchange);
    answer_headers_begin(exchange, 200, SIZE_MAX);
    answer_stream_headers(exchange);
    h2o->compress_hint = H2O_COMPRESS_HINT_DISABLE;
    count_answer(exchange, 200);
    connection->generator.proceed = proceed;
    connection->started = true;
    if (exchange->head) { /* the headers are all of it */
        live_connection_drop_queue(connection);
        connection->ending = true;
    } else
        give_head(connection, at);
    h2o_start_response(h2o, &connection->generator);
    live_flush(connection);
}
