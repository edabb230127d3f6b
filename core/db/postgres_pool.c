/*
 * Connections on lease: to one body or one slow statement at a time, in the order in which they asked. A
 * connection that is given back in the middle of something is drained before anybody else gets it, and closed
 * when that takes too long: the server then ends by itself what still runs there
 * (client_connection_check_interval).
 */
#include "core/db/postgres.h"
#include "core/runtime/panic.h"

enum { DRAIN_MOST_US = 500 * MILLISECOND_US, IDLE_MOST_US = MINUTE_US };

static bool is_free(const connection_t *connection)
{
    return !connection->leased && !connection->draining;
}

static connection_t *find_free(const pool_t *pool, connection_state_t state)
{
    for (size_t place = 0; place < pool->count; place++)
        if (pool->connections[place]->state == state && is_free(pool->connections[place]))
            return pool->connections[place];
    return NULL;
}

static connection_t *add_connection(pool_t *pool)
{
    if (pool->connections == NULL)
        pool->connections = memory_new(pool->most * sizeof *pool->connections);
    if (pool->count == pool->most)
        return NULL;
    connection_t *connection = memory_new(sizeof *connection);
    postgres_connection_init(connection, pool->mine, pool);
    pool->connections[pool->count++] = connection;
    return connection;
}

static size_t count_opening(const pool_t *pool)
{
    size_t count = 0;
    for (size_t place = 0; place < pool->count; place++) {
        connection_state_t state = pool->connections[place]->state;
        count += state != CONNECTION_CLOSED && state != CONNECTION_OPEN;
    }
    return count;
}

/* One is opened for each who waits, as far as the pool may grow; whichever connection is free first serves
 * the first of them. */
static void open_more(pool_t *pool)
{
    for (size_t opening = count_opening(pool); opening < pool->queue.length; opening++) {
        connection_t *connection = find_free(pool, CONNECTION_CLOSED);
        if (connection == NULL)
            connection = add_connection(pool);
        if (connection == NULL)
            return;
        postgres_connect(connection);
    }
}

static void lease_to(connection_t *connection)
{
    connection->leased = true;
    connection->failure = (failure_t){0};
    postgres_connection_timer(connection, NEVER);
}

/* It owes nothing: to the next who waits, or to rest. */
static void settle(connection_t *connection)
{
    pool_t *pool = connection->pool;
    connection->draining = false;
    if (PQtransactionStatus(connection->link) != PQTRANS_IDLE) {
        postgres_disconnect(connection);
        return open_more(pool);
    }
    waiter_t *waiter = postgres_queue_call(&pool->queue);
    if (waiter == NULL)
        return postgres_connection_timer(connection, clock_monotonic() + IDLE_MOST_US);
    waiter->given = connection;
    lease_to(connection);
}

static _Noreturn void fail_wait(pool_t *pool, req_t *req, wake_t wake)
{
    bool any_open = false;
    for (size_t place = 0; place < pool->count; place++)
        any_open = any_open || pool->connections[place]->state == CONNECTION_OPEN;
    if (wake == WAKE_DEADLINE && !any_open)
        postgres_fail_away(req);
    postgres_check_wake(req, wake);
    panic("a wait for a connection ended in nothing");
}

connection_t *postgres_lease(pool_t *pool, req_t *req, bool in_front)
{
    connection_t *connection = pool->queue.first && !in_front ? NULL : find_free(pool, CONNECTION_OPEN);
    if (connection) {
        lease_to(connection);
        return connection;
    }
    waiter_t waiter;
    atomic_size_t *waiting = &pool->mine->postgres->database->waiting;
    postgres_queue_join(&pool->queue, &waiter, in_front);
    open_more(pool);
    atomic_fetch_add_explicit(waiting, 1, memory_order_relaxed);
    wake_t wake = postgres_wait_called(pool->mine, &waiter, req->deadline);
    atomic_fetch_sub_explicit(waiting, 1, memory_order_relaxed);
    postgres_queue_leave(&pool->queue, &waiter);
    if (wake == WAKE_CALLED)
        return waiter.given;
    if (waiter.called)
        postgres_lease_end(waiter.given);
    fail_wait(pool, req, wake);
}

void postgres_lease_end(connection_t *connection)
{
    connection->leased = false;
    if (connection->state != CONNECTION_OPEN)
        return open_more(connection->pool);
    if (connection->owed == 0)
        return settle(connection);
    connection->draining = true;
    postgres_connection_timer(connection, clock_monotonic() + DRAIN_MOST_US);
    while (connection->mine->loop == NULL && connection->draining)
        (void)postgres_wait(connection->mine, NEVER);
}

void postgres_pool_opened(connection_t *connection)
{
    settle(connection);
}

void postgres_pool_lost(connection_t *connection)
{
    open_more(connection->pool);
}

void postgres_pool_answered(connection_t *connection)
{
    if (connection->draining)
        settle(connection);
}

void postgres_pool_expire(connection_t *connection)
{
    if (connection->leased) /* a COMMIT that was not answered */
        return postgres_connection_lost(connection);
    postgres_disconnect(connection);
    open_more(connection->pool);
}
