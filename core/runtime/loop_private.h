/* What a loop is made of: shared by the files of the loop and of the fibers, private to the runtime. */
#ifndef FOLKMOOT_LOOP_PRIVATE_H
#define FOLKMOOT_LOOP_PRIVATE_H

#include <stdatomic.h>

#include "core/runtime/fiber.h"
#include "core/runtime/loop.h"

/* The fibers of one loop. */
typedef struct fiber_set {
    fiber_t *running;                  /* NULL: the loop itself runs */
    fiber_t *ready_first, *ready_last; /* in the order in which they became ready */
    fiber_t *all;                      /* every fiber that has not ended */
    size_t count;
    fiber_t *spare; /* ended ones, whose stacks wait for the next */
    size_t spare_count;
    loop_timer_t trim;
    _Atomic(const char *) held_by; /* for the watchdog: the running fiber's name, NULL for none, */
    _Atomic int64_t held_since;    /* and when it began */
} fiber_set_t;

struct loop {
    int epoll;
    int bell; /* an eventfd: rung when a message comes to an empty box */
    loop_watch_t bell_watch;
    _Atomic(loop_message_t *) messages; /* newest first */
    atomic_bool stopping;
    bool turning;
    loop_timer_t **timers; /* a binary heap, the next one to expire at 0 */
    size_t timer_count, timer_room;
    loop_flush_t *flush_first, *flush_last;
    struct epoll_event *events; /* the batch in hand; NULL between batches */
    int event_count;
    fiber_set_t fibers;
    void *signal_stack;
    loop_t *next;      /* of the watchdog's list, */
    int64_t held_told; /* and the episode that it has already told of */
};

/* loop_timer.c: how many µs until the next timer (0: due), NEVER without one; and calling what is due. */
int64_t loop_timer_wait(const loop_t *loop, int64_t now);
void loop_timer_expire(loop_t *loop, int64_t now);

/* fiber.c: lets ready fibers run, at most `most` of them; says how many ran. */
size_t fibers_run(loop_t *loop, size_t most);
bool fibers_dispose(loop_t *loop); /* false: some are left, and keep their stacks */

/* fiber_guard.c: a signal stack for this thread, unless it has one; NULL then. */
void *signal_stack_make(void);
void signal_stack_dispose(void *stack, bool of_this_thread);

/* fiber_watchdog.c */
void watchdog_add(loop_t *loop);
void watchdog_remove(loop_t *loop);

#endif
