/*
 * How bodies that collide get past each other. Under SERIALIZABLE one of two that touch the same thing is
 * undone; when many do, running them all again at once would undo most of them again. So those that were
 * undone run one at a time, beside new ones; and one that was undone several times is given priority: no new
 * body of any thread begins until it is through, and with it those of its thread that wait as it did. (Other
 * processes are not asked: they are few, and chance decides between them.)
 */
#include "core/db/postgres.h"

enum { LOOK_AGAIN_US = 2 * MILLISECOND_US };

static postgres_thread_t *prior_thread(postgres_thread_t *mine)
{
    return atomic_load_explicit(&mine->postgres->prior, memory_order_relaxed);
}

/* Other threads do not wake this one, it looks again: that is simple, and rare. */
static wake_t wait_for_priority_of_others(postgres_thread_t *mine, int64_t deadline)
{
    wake_t wake = WAKE_CALLED;
    while (wake == WAKE_CALLED && prior_thread(mine) && prior_thread(mine) != mine)
        wake = postgres_pause(mine, LOOK_AGAIN_US, deadline);
    return wake;
}

static void open_door(crossing_t *crossing)
{
    crossing->closed = false;
    while (postgres_queue_call(&crossing->newcomers))
        ;
}

static wake_t wait_at_door(postgres_thread_t *mine, int64_t deadline)
{
    waiter_t waiter;
    postgres_queue_join(&mine->crossing.newcomers, &waiter, false);
    wake_t wake = postgres_wait_called(mine, &waiter, deadline);
    postgres_queue_leave(&mine->crossing.newcomers, &waiter);
    return wake;
}

/* The first to find that another thread has priority looks after it, the next ones wait at the door for the
 * first. */
wake_t postgres_crossing_enter(postgres_thread_t *mine, int64_t deadline)
{
    crossing_t *crossing = &mine->crossing;
    wake_t wake = WAKE_CALLED;
    while (wake == WAKE_CALLED && (crossing->closed || prior_thread(mine))) {
        if (crossing->closed || prior_thread(mine) == mine) {
            wake = wait_at_door(mine, deadline);
        } else {
            crossing->closed = true;
            wake = wait_for_priority_of_others(mine, deadline);
            open_door(crossing);
        }
    }
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
