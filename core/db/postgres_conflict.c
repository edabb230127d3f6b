/*
 * How bodies that collide get past each other. Under SERIALIZABLE one of two that touch the same thing is
 * undone; when many do, running them all again at once would undo most of them again. So those that were
 * undone run one at a time, beside new ones; and when new ones keep undoing them, or many have gathered, no
 * new one begins until they are through.
 */
#include "core/db/postgres.h"

enum { REPEATERS_BESIDE_NEWCOMERS = 4 };

static void open_door(crossing_t *crossing)
{
    crossing->closed = false;
    while (postgres_queue_call(&crossing->newcomers))
        ;
}

wake_t postgres_crossing_enter(postgres_thread_t *mine, int64_t deadline)
{
    crossing_t *crossing = &mine->crossing;
    if (!crossing->closed)
        return WAKE_CALLED;
    waiter_t waiter;
    postgres_queue_join(&crossing->newcomers, &waiter, false);
    wake_t wake = postgres_wait_called(mine, &waiter, deadline);
    postgres_queue_leave(&crossing->newcomers, &waiter);
    return wake;
}

wake_t postgres_crossing_repeat(postgres_thread_t *mine, int64_t deadline)
{
    crossing_t *crossing = &mine->crossing;
    if (!crossing->taken) {
        crossing->taken = true;
        return WAKE_CALLED;
    }
    waiter_t waiter;
    postgres_queue_join(&crossing->repeaters, &waiter, false);
    if (crossing->repeaters.length > REPEATERS_BESIDE_NEWCOMERS)
        crossing->closed = true;
    wake_t wake = postgres_wait_called(mine, &waiter, deadline);
    postgres_queue_leave(&crossing->repeaters, &waiter);
    if (wake != WAKE_CALLED && waiter.called)
        postgres_crossing_leave(mine);
    return wake;
}

void postgres_crossing_close(postgres_thread_t *mine)
{
    mine->crossing.closed = true;
}

void postgres_crossing_leave(postgres_thread_t *mine)
{
    crossing_t *crossing = &mine->crossing;
    if (postgres_queue_call(&crossing->repeaters)) /* `taken` is the next one's */
        return;
    crossing->taken = false;
    open_door(crossing);
}
