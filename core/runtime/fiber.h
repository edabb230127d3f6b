/*
 * Fibers: code that reads from top to bottom while thousands wait. A fiber is a stackful coroutine pinned to
 * the loop of its thread; its stack is pooled and guarded. It runs until it waits; nothing else on its thread
 * runs meanwhile, so a mutex must not be held across a wait. A watchdog names a fiber that holds its thread
 * for more than 50 ms.
 */
#ifndef FOLKMOOT_FIBER_H
#define FOLKMOOT_FIBER_H

#include "core/runtime/loop.h"

typedef struct fiber fiber_t;

enum { FIBER_STACK_SIZE = 128 * 1024, FIBERS_PER_LOOP_MAX = 8192 };

/* Starts run(arg) in a new fiber of this thread's loop; it first runs at the loop's next chance, or, with
 * fiber_start_now, before the call returns. False when the loop has FIBERS_PER_LOOP_MAX already. `name` is a
 * literal. */
bool fiber_start(const char *name, void (*run)(void *arg), void *arg) MUST_CHECK;
bool fiber_start_now(const char *name, void (*run)(void *arg), void *arg) MUST_CHECK;

fiber_t *fiber_self(void);         /* NULL outside of fibers */
void fiber_name(const char *name); /* renames the running fiber (a literal): what the watchdog prints */

typedef enum wake { WAKE_CALLED, WAKE_DEADLINE, WAKE_CANCELLED } wake_t;

/* Waits for fiber_wake, the deadline (monotonic µs) or fiber_cancel. May also return WAKE_CALLED early:
 * callers test their condition in a loop. Once a fiber is cancelled every later fiber_wait returns
 * WAKE_CANCELLED at once. */
wake_t fiber_wait(int64_t deadline);

/* Waits for fiber_wake alone: for the few places that must see their answer before memory may go. */
void fiber_wait_through(void);

void fiber_wake(fiber_t *fiber);   /* from its own thread; a wake before the wait is remembered */
void fiber_cancel(fiber_t *fiber); /* from its own thread; it unwinds itself */
void fiber_cancel_all(void);       /* every fiber of this thread's loop: the first step of its end */
bool fiber_is_cancelled(const fiber_t *fiber);

wake_t fiber_sleep(int64_t duration_us); /* WAKE_DEADLINE after the time, WAKE_CANCELLED when cancelled */

/* How many fibers this thread's loop has now, for the metrics. */
size_t fiber_count(void);

/* Once per process, at its start: the thread that logs a fiber_held_thread warning, and the handler that
 * names the fiber whose stack overflowed before the process dies of it. */
void fiber_watchdog_start(void);
void fiber_install_guard_handler(void);

#endif
