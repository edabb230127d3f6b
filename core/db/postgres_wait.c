/*
 * How somebody waits for the database: a fiber parked on its loop, or a thread without a fiber (a command, a
 * test) in poll() on the connections that are its own. Everything else in the driver is the same for both.
 */
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>

#include "core/api.h"
#include "core/db/postgres.h"
#include "core/runtime/panic.h"

/* ---- queues ---- */

void postgres_queue_join(queue_t *queue, waiter_t *waiter, bool in_front)
{
    *waiter = (waiter_t){.fiber = fiber_self()};
    queue->length++;
    if (queue->first == NULL) {
        queue->first = queue->last = waiter;
    } else if (in_front) {
        waiter->next = queue->first;
        queue->first->previous = waiter;
        queue->first = waiter;
    } else {
        waiter->previous = queue->last;
        queue->last->next = waiter;
        queue->last = waiter;
    }
}

static void unlink_waiter(queue_t *queue, waiter_t *waiter)
{
    queue->length--;
    if (waiter->previous)
        waiter->previous->next = waiter->next;
    else
        queue->first = waiter->next;
    if (waiter->next)
        waiter->next->previous = waiter->previous;
    else
        queue->last = waiter->previous;
}

void postgres_queue_leave(queue_t *queue, waiter_t *waiter)
{
    if (!waiter->called)
        unlink_waiter(queue, waiter);
}

waiter_t *postgres_queue_call(queue_t *queue)
{
    waiter_t *waiter = queue->first;
    if (waiter == NULL)
        return NULL;
    unlink_waiter(queue, waiter);
    waiter->called = true;
    if (waiter->fiber)
        fiber_wake(waiter->fiber);
    return waiter;
}

/* ---- a thread that waits in poll() ---- */

enum { POLLED_MAX = 1 + POSTGRES_LEASES_MAX + POSTGRES_SLOW_MAX };

typedef struct polled {
    connection_t *connections[POLLED_MAX];
    struct pollfd sockets[POLLED_MAX];
    size_t count;
    int64_t due; /* the earliest of the connections' timers */
} polled_t;

static void polled_add(polled_t *polled, connection_t *connection)
{
    if (connection->timer.due < polled->due)
        polled->due = connection->timer.due;
    short events =
        (short)((connection->events & EPOLLIN ? POLLIN : 0) | (connection->events & EPOLLOUT ? POLLOUT : 0));
    polled->connections[polled->count] = connection;
    polled->sockets[polled->count++] =
        (struct pollfd){.fd = events ? connection->watch.fd : -1, .events = events};
}

static void polled_add_pool(polled_t *polled, pool_t *pool)
{
    for (size_t place = 0; place < pool->count; place++)
        polled_add(polled, pool->connections[place]);
}

static void run_flush(connection_t *connection)
{
    if (connection->flush.queued) {
        connection->flush.queued = false;
        connection->flush.run(&connection->flush);
    }
}

static wake_t poll_once(postgres_thread_t *mine, int64_t deadline)
{
    polled_t polled = {.due = deadline};
    run_flush(&mine->reading);
    polled_add(&polled, &mine->reading);
    polled_add_pool(&polled, &mine->writing);
    polled_add_pool(&polled, &mine->slow);

    int64_t now = clock_monotonic();
    if (now >= deadline)
        return WAKE_DEADLINE;
    int64_t left = polled.due <= now ? 0 : polled.due - now;
    int timeout = left > MINUTE_US ? 60000 : (int)((left + MILLISECOND_US - 1) / MILLISECOND_US);
    if (poll(polled.sockets, polled.count, timeout) < 0 && errno != EINTR)
        panic("the database's sockets cannot be polled: %s", strerror(errno));

    now = clock_monotonic();
    for (size_t place = 0; place < polled.count; place++) {
        connection_t *connection = polled.connections[place];
        if (polled.sockets[place].revents)
            postgres_connection_ready(connection);
        else if (connection->timer.due <= now)
            postgres_connection_expire(connection);
    }
    return WAKE_CALLED;
}

/* ---- both ---- */

wake_t postgres_wait(postgres_thread_t *mine, int64_t deadline)
{
    return mine->loop ? fiber_wait(deadline) : poll_once(mine, deadline);
}

wake_t postgres_pause(postgres_thread_t *mine, int64_t duration_us, int64_t deadline)
{
    int64_t until = clock_monotonic() + duration_us;
    wake_t wake = WAKE_CALLED;
    while (wake == WAKE_CALLED)
        wake = postgres_wait(mine, until < deadline ? until : deadline);
    return wake == WAKE_DEADLINE && until < deadline ? WAKE_CALLED : wake;
}

wake_t postgres_wait_called(postgres_thread_t *mine, waiter_t *waiter, int64_t deadline)
{
    while (!waiter->called) {
        wake_t wake = postgres_wait(mine, deadline);
        if (wake != WAKE_CALLED)
            return wake;
    }
    return WAKE_CALLED;
}

void postgres_check_wake(req_t *req, wake_t wake)
{
    if (wake == WAKE_DEADLINE)
        fail(req, &TIMED_OUT, "The request took too long; try again.");
    if (wake == WAKE_CANCELLED)
        fail(req, &CLIENT_GONE, "The client ended the request.");
}
