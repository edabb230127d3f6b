/*
 * How bodies that collide get past each other. Under SERIALIZABLE one of two that touch the same thing is
 * undone; when many do, running them all again at once would undo most of them again. So those that were
 * undone run one at a time, beside new ones; when many have gathered no new one begins until they are
 * through; and one that was undone several times is given priority over the bodies of all threads. (Other
 * processes are not asked: they are few, and chance decides between them.)
 */
#include "core/db/postgres.h"

enum { REPEATERS_BESIDE_NEWCOMERS = 4, LOOK_AGAIN_US = 2 * MILLISECOND_US };

/* Other threads' bodies are not woken, they look again: that is simple, and rare. */
static wake_t wait_for_priority_of_others(postgres_thread_t *mine, int64_t deadline)
{
    postgres_t *postgres = mine->postgres;
    wake_t wake = WAKE_CALLED;
    for (;;) {
        const postgres_thread_t *prior = atomic_load_explicit(&postgres->prior, memory_order_relaxed);
        if (prior == NULL || prior == mine || wake != WAKE_CALLED)
            return wake;
        wake = postgres_pause(mine, LOOK_AGAIN_US, deadline);
    }
}

static void open_door(crossing_t *crossing)
{
    crossing->closed = false;
    while (postgres_queue_call(&crossing->newcomers))
        ;
}

wake_t postgres_crossing_enter(postgres_thread_t *mine, int64_t deadline)
{
    crossing_t *crossing = &mine->crossing;
    if (crossing->closed) {
        waiter_t waiter;
        postgres_queue_join(&crossing->newcomers, &waiter, false);
        wake_t wake = postgres_wait_called(mine, &waiter, deadline);
        postgres_queue_leave(&crossing->newcomers, &waiter);
        if (wake != WAKE_CALLED)
            return wake;
    }
    return wait_for_priority_of_others(mine, deadline);
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

wake_t postgres_crossing_again(postgres_thread_t *mine, bool often, int64_t deadline)
{
    postgres_thread_t *nobody = NULL;
    if (often) {
        mine->crossing.closed = true;
        atomic_compare_exchange_strong(&mine->postgres->prior, &nobody, mine);
    }
    return wait_for_priority_of_others(mine, deadline);
}

void postgres_crossing_leave(postgres_thread_t *mine)
{
    crossing_t *crossing = &mine->crossing;
    postgres_thread_t *prior = mine;
    atomic_compare_exchange_strong(&mine->postgres->prior, &prior, NULL);
    if (postgres_queue_call(&crossing->repeaters)) /* `taken` is the next one's */
        return;
    crossing->taken = false;
    open_door(crossing);
}
