/*
 * Opening connections without holding the loop, noticing that they are lost, and opening them again.
 */
#include <sys/epoll.h>

#include "core/db/postgres.h"
#include "core/runtime/logline.h"
#include "core/runtime/panic.h"

enum {
    CONNECT_TIMEOUT_US = 5 * SECOND_US,
    REST_LEAST_US = 100 * MILLISECOND_US,
    REST_MOST_US = 2 * SECOND_US,
};

/* ---- socket and timer: of the loop, or noted for the thread that polls ---- */

static void on_ready(loop_watch_t *watch, uint32_t events)
{
    (void)events;
    postgres_connection_ready(CONTAINER_OF(watch, connection_t, watch));
}

static void on_expire(loop_timer_t *timer)
{
    postgres_connection_expire(CONTAINER_OF(timer, connection_t, timer));
}

static void watch_socket(connection_t *connection, uint32_t events)
{
    connection->watch.fd = PQsocket(connection->link);
    connection->watch.ready = on_ready;
    connection->events = events;
    if (connection->mine->loop && !loop_watch(connection->mine->loop, &connection->watch, events))
        panic("the socket of a database cannot be watched");
}

static void unwatch_socket(connection_t *connection)
{
    if (connection->mine->loop)
        loop_unwatch(connection->mine->loop, &connection->watch);
    connection->events = 0;
}

void postgres_connection_want(connection_t *connection, uint32_t events)
{
    if (connection->events != events)
        watch_socket(connection, events);
}

void postgres_connection_timer(connection_t *connection, int64_t due)
{
    loop_t *loop = connection->mine->loop;
    connection->timer.expire = on_expire;
    if (loop && due == NEVER)
        loop_timer_clear(loop, &connection->timer);
    else if (loop)
        loop_timer_set(loop, &connection->timer, due);
    else
        connection->timer.due = due;
}

/* ---- what is told ---- */

static bool is_kept_open(const connection_t *connection)
{
    return connection->pool == NULL && connection->mine->loop;
}

static void tell_reason(const connection_t *connection, const char *message)
{
    arena_t *arena = arena_new();
    str_t reason = postgres_message(arena, message);
    logline(LINE_WARNING, "database_unreachable", "database", connection->mine->postgres->database->name,
            "reason", reason.length > 0 ? reason.at : "the server does not answer", NULL);
    arena_free(arena);
}

/* Told once per outage, not for each connection. */
static void note_unreachable(connection_t *connection, const char *message)
{
    if (!connection->mine->outage)
        tell_reason(connection, message);
    connection->mine->outage = true;
    if (is_kept_open(connection) && !connection->unreachable) {
        connection->unreachable = true;
        atomic_fetch_add(&connection->mine->postgres->unreachable, 1);
    }
}

static void note_reachable(connection_t *connection)
{
    postgres_thread_t *mine = connection->mine;
    connection->failures = 0;
    if (mine->outage)
        logline(LINE_INFO, "database_reached", "database", mine->postgres->database->name, NULL);
    mine->outage = false;
    if (connection->unreachable)
        atomic_fetch_sub(&mine->postgres->unreachable, 1);
    connection->unreachable = false;
}

/* ---- closing ---- */

void postgres_disconnect(connection_t *connection)
{
    unwatch_socket(connection);
    postgres_connection_timer(connection, NEVER);
    PQfinish(connection->link);
    connection->link = NULL;
    connection->state = CONNECTION_CLOSED;
    connection->draining = false;
    connection->answering = false;
    postgres_calls_lost(connection);
}

/* Twice as long after each failure, and not all at the same time. */
static int64_t rest(unsigned failures)
{
    int64_t most = REST_LEAST_US << (failures < 6 ? failures : 6);
    if (most > REST_MOST_US)
        most = REST_MOST_US;
    return most - clock_monotonic() % (most / 2);
}

static void connect_failed(connection_t *connection, const char *message)
{
    note_unreachable(connection, message);
    postgres_disconnect(connection);
    connection->state = CONNECTION_RESTING;
    postgres_connection_timer(connection, clock_monotonic() + rest(connection->failures++));
}

void postgres_connection_lost(connection_t *connection)
{
    if (connection->state != CONNECTION_OPEN)
        return;
    note_unreachable(connection, PQerrorMessage(connection->link));
    postgres_disconnect(connection);
    if (is_kept_open(connection))
        postgres_connect(connection);
    else if (connection->pool)
        postgres_pool_lost(connection);
}

/* ---- opening ---- */

/* Notices ("no transaction is in progress") would go to standard error. */
void postgres_ignore_notice(void *arg, const PGresult *notice)
{
    (void)arg;
    (void)notice;
}

static const connect_parameters_t *parameters_of(const connection_t *connection)
{
    const postgres_thread_t *mine = connection->mine;
    if (connection->pool == NULL)
        return &mine->postgres->reading;
    return connection->pool == &mine->slow ? &mine->postgres->slow : &mine->postgres->writing;
}

static void start(connection_t *connection, const names_t *names)
{
    connection->link = postgres_connect_start(parameters_of(connection), names);
    if (PQstatus(connection->link) == CONNECTION_BAD)
        return connect_failed(connection, PQerrorMessage(connection->link));
    connection->state = CONNECTION_CONNECTING;
    postgres_connection_timer(connection, clock_monotonic() + CONNECT_TIMEOUT_US);
    watch_socket(connection, EPOLLOUT);
}

static worker_pool_t *workers_of(const connection_t *connection)
{
    const host_t *host = connection->mine->postgres->database->host;
    return host ? host->workers : NULL;
}

/* Nobody else touches the connection until its names are resolved. A fiber that is cancelled is one of a loop
 * that ends. */
static void resolve_and_start(void *arg)
{
    connection_t *connection = arg;
    names_t names = postgres_names_of(parameters_of(connection));
    worker_result_t result = worker_run(workers_of(connection), postgres_names_resolve, &names,
                                        clock_monotonic() + CONNECT_TIMEOUT_US);
    connection->state = CONNECTION_CLOSED;
    if (result == WORKER_DONE && names.count > 0)
        start(connection, &names);
    else if (result != WORKER_CANCELLED)
        connect_failed(connection, names.error);
    arena_free(names.arena);
}

void postgres_connect(connection_t *connection)
{
    if (connection->state != CONNECTION_CLOSED)
        return;
    if (!connection->mine->loop || !workers_of(connection) ||
        !postgres_names_needed(parameters_of(connection)))
        return start(connection, NULL);
    connection->state = CONNECTION_RESOLVING;
    if (!fiber_start("database_names", resolve_and_start, connection))
        connect_failed(connection, "too much is going on to resolve the name of its host");
}

static void opened(connection_t *connection)
{
    postgres_connection_timer(connection, NEVER);
    if (PQsetnonblocking(connection->link, 1) != 0 || !PQenterPipelineMode(connection->link))
        return connect_failed(connection, PQerrorMessage(connection->link));
    PQsetNoticeReceiver(connection->link, postgres_ignore_notice, NULL);
    memset(connection->prepared, PREPARED_NOT, connection->mine->postgres->database->statement_count);
    connection->failure = (failure_t){0};
    connection->state = CONNECTION_OPEN;
    note_reachable(connection);
    watch_socket(connection, EPOLLIN);
    if (connection->pool)
        return postgres_pool_opened(connection);
    while (postgres_queue_call(&connection->mine->readers))
        ;
}

/* libpq may change its socket from one address of a host to the next: so it is watched anew each time. */
static void connect_on(connection_t *connection)
{
    unwatch_socket(connection);
    switch (PQconnectPoll(connection->link)) {
    case PGRES_POLLING_READING:
        return watch_socket(connection, EPOLLIN);
    case PGRES_POLLING_WRITING:
        return watch_socket(connection, EPOLLOUT);
    case PGRES_POLLING_OK:
        return opened(connection);
    default:
        return connect_failed(connection, PQerrorMessage(connection->link));
    }
}

void postgres_connection_ready(connection_t *connection)
{
    if (connection->state == CONNECTION_CONNECTING)
        connect_on(connection);
    else if (connection->state == CONNECTION_OPEN)
        postgres_receive(connection);
}

static bool is_wanted(const connection_t *connection)
{
    if (connection->pool)
        return connection->pool->queue.first != NULL;
    return connection->mine->loop || connection->mine->readers.first;
}

void postgres_connection_expire(connection_t *connection)
{
    switch (connection->state) {
    case CONNECTION_CONNECTING:
        connect_failed(connection, PQerrorMessage(connection->link));
        break;
    case CONNECTION_RESTING:
        connection->state = CONNECTION_CLOSED;
        postgres_connection_timer(connection, NEVER);
        if (is_wanted(connection))
            postgres_connect(connection);
        break;
    case CONNECTION_OPEN:
        postgres_connection_timer(connection, NEVER);
        if (connection->pool)
            postgres_pool_expire(connection);
        else
            postgres_connection_lost(connection); /* no answer comes */
        break;
    case CONNECTION_CLOSED:
    case CONNECTION_RESOLVING:
        break;
    }
}

void postgres_connection_init(connection_t *connection, postgres_thread_t *mine, pool_t *pool)
{
    connection->mine = mine;
    connection->pool = pool;
    connection->timer.due = NEVER;
    connection->prepared = memory_new(mine->postgres->database->statement_count + 1);
}
