/*
 * The watchdog: a thread that looks at every loop a few times in each 100 ms and names the fiber that has
 * held its thread for more than 50 ms, once each time that happens. Such a fiber keeps everybody else on its
 * thread waiting.
 */
#include <pthread.h>
#include <unistd.h>

#include "core/runtime/clock.h"
#include "core/runtime/fiber_private.h"
#include "core/runtime/panic.h"
#include "core/runtime/thread_private.h"

#define HELD_MOST  (50 * MILLISECOND_US)
#define LOOK_EVERY (25 * MILLISECOND_US)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static loop_t *loops;
static pthread_once_t start_once = PTHREAD_ONCE_INIT;

void watchdog_add(loop_t *loop)
{
    pthread_mutex_lock(&lock);
    loop->next = loops;
    loops = loop;
    pthread_mutex_unlock(&lock);
}

void watchdog_remove(loop_t *loop)
{
    pthread_mutex_lock(&lock);
    loop_t **place = &loops;
    while (*place != loop)
        place = &(*place)->next;
    *place = loop->next;
    pthread_mutex_unlock(&lock);
}

/* The name and the time are stored one after the other: they belong together when neither changed between two
 * looks. */
static void look(loop_t *loop, int64_t now)
{
    fiber_set_t *set = &loop->fibers;
    int64_t since = atomic_load(&set->held_since);
    const char *name = atomic_load(&set->held_by);
    if (name == NULL || now - since <= HELD_MOST || loop->held_told == since)
        return;
    if (atomic_load(&set->held_since) != since)
        return;
    loop->held_told = since;
    logline(LINE_WARNING, "fiber_held_thread", "fiber", name, "ms",
            line_number((now - since) / MILLISECOND_US), NULL);
}

static void *watch(void *ignored)
{
    (void)ignored;
    for (;;) {
        usleep(LOOK_EVERY);
        int64_t now = clock_monotonic();
        pthread_mutex_lock(&lock);
        for (loop_t *loop = loops; loop; loop = loop->next)
            look(loop, now);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void start(void)
{
    pthread_t thread;
    if (!thread_start(&thread, "watchdog", watch, NULL))
        panic("the watchdog's thread cannot start: raise the limit of threads");
    pthread_detach(thread);
}

void fiber_watchdog_start(void)
{
    pthread_once(&start_once, start);
}
