/*
 * The readers of a process: a fiber for each, woken by the bus when its source's log grew. A nudge may be
 * lost and another process may write, so each also looks by itself twice a second.
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/bus/bus.h"
#include "core/log/reader.h"
#include "core/runtime/logline.h"
#include "core/runtime/panic.h"

enum { CATCH_UP_FAILURES_MAX = 8 };

#define LOOK_EVERY_US      (500 * MILLISECOND_US)
#define GATHER_US          (5 * MILLISECOND_US)
#define UNSEEN_PATIENCE_US (10 * SECOND_US)

typedef struct running {
    log_readers_t *readers;
    follower_t *follower;
    fiber_t *fiber; /* NULL: ended, or resting since its source is not enabled */
    bus_subscription_t *subscription;
    bool nudged;
    unsigned looks;             /* at something unseen, in a row */
    log_reader_status_t status; /* under the mutex: any thread asks */
} running_t;

struct log_readers {
    host_t *host;
    loop_t *loop;
    follower_t *followers;
    running_t *running;
    size_t count;
    size_t fibers;    /* that have not ended */
    fiber_t *stopper; /* waits until they have */
    pthread_mutex_t mutex;
};

/* ---- one reader's fiber ---- */

static void note_status(running_t *running)
{
    const follower_t *follower = running->follower;
    log_reader_status_t *status = &running->status;
    int64_t lag = follower->head.sequence - follower->position.sequence;

    pthread_mutex_lock(&running->readers->mutex);
    status->position = follower->position;
    status->head = follower->head;
    status->lag_entries = !follower->head_known ? -1 : lag > 0 ? lag : 0;
    if (follower->failures == 0)
        status->failing_since = 0;
    else if (status->failing_since == 0)
        status->failing_since = clock_now();
    pthread_mutex_unlock(&running->readers->mutex);
}

static void reader_heard(void *arg, str_t payload)
{
    running_t *running = arg;

    (void)payload;
    running->nudged = true;
    fiber_wake(running->fiber);
}

/* After the nudge a moment more: under load many entries come together, and one batch costs little more than
 * one entry does. */
static void rest_until_nudged(running_t *running)
{
    int64_t until = clock_monotonic() + LOOK_EVERY_US;

    while (!running->nudged && fiber_wait(until) == WAKE_CALLED)
        ;
    if (running->nudged)
        (void)fiber_sleep(GATHER_US);
}

static void reader_rest(running_t *running, step_t step)
{
    running->looks = step == STEP_UNSEEN ? running->looks + 1 : 0;
    switch (step) {
    case STEP_APPLIED:
        break;
    case STEP_AT_HEAD:
        rest_until_nudged(running);
        break;
    case STEP_UNSEEN:
        (void)fiber_sleep(unseen_pause(running->looks - 1));
        break;
    case STEP_FAILED:
        (void)fiber_sleep(failure_pause(running->follower->failures));
        break;
    }
}

static void reader_fiber(void *arg)
{
    running_t *running = arg;
    log_readers_t *readers = running->readers;
    char subject[64];

    running->fiber = fiber_self();
    snprintf(subject, sizeof subject, "log/%s", running->follower->reader->source);
    running->subscription = bus_subscribe(readers->host->bus, readers->loop, subject, reader_heard, running);
    while (!fiber_is_cancelled(running->fiber)) {
        running->nudged = false;
        step_t step = follower_step(running->follower, readers->host);
        note_status(running);
        reader_rest(running, step);
    }
    bus_unsubscribe(running->subscription);
    running->fiber = NULL;
    if (--readers->fibers == 0 && readers->stopper)
        fiber_wake(readers->stopper);
}

/* ---- all of them ---- */

log_readers_t *log_readers_start(struct host *host)
{
    log_readers_t *readers = memory_new(sizeof *readers);

    readers->host = host;
    readers->loop = loop_current();
    readers->followers = followers_of(host, &readers->count);
    readers->running = memory_new((readers->count + 1) * sizeof(running_t));
    pthread_mutex_init(&readers->mutex, NULL);
    for (size_t i = 0; i < readers->count; i++) {
        running_t *running = &readers->running[i];
        running->readers = readers;
        running->follower = &readers->followers[i];
        running->status = (log_reader_status_t){.name = running->follower->reader->name, .lag_entries = -1};
        if (!running->follower->source)
            continue;
        readers->fibers++;
        if (!fiber_start_now("log_reader", reader_fiber, running))
            panic("There is no room for the fiber of the reader %s.", running->status.name);
    }
    return readers;
}

static void turn_until_ended(log_readers_t *readers)
{
    while (readers->fibers > 0) {
        struct pollfd waiting = {.fd = loop_fd(readers->loop), .events = POLLIN};
        (void)poll(&waiting, 1, loop_timeout_ms(readers->loop));
        loop_turn(readers->loop);
    }
}

void log_readers_stop(log_readers_t *readers)
{
    if (!readers)
        return;
    for (size_t i = 0; i < readers->count; i++) {
        if (readers->running[i].fiber)
            fiber_cancel(readers->running[i].fiber);
    }
    readers->stopper = fiber_self();
    if (!readers->stopper)
        turn_until_ended(readers);
    while (readers->fibers > 0)
        fiber_wait_through();
    pthread_mutex_destroy(&readers->mutex);
    free(readers->running);
    free(readers->followers);
    free(readers);
}

size_t log_readers_status(log_readers_t *readers, log_reader_status_t *out, size_t most)
{
    size_t count = readers->count < most ? readers->count : most;

    pthread_mutex_lock(&readers->mutex);
    for (size_t i = 0; i < count; i++)
        out[i] = readers->running[i].status;
    pthread_mutex_unlock(&readers->mutex);
    return count;
}

/* ---- catching up, for commands ---- */

/* Until the reader is at the head. True when it applied anything. */
static bool catch_up(follower_t *follower, host_t *host)
{
    int64_t patience = UNSEEN_PATIENCE_US;
    bool moved = false;
    unsigned looks = 0;

    for (;;) {
        switch (follower_step(follower, host)) {
        case STEP_APPLIED:
            moved = true;
            looks = 0;
            break;
        case STEP_AT_HEAD:
            return moved;
        case STEP_UNSEEN: /* by a transaction of another process; what it holds back can be read later */
            if (patience <= 0)
                return moved;
            patience -= unseen_pause(looks);
            (void)fiber_sleep(unseen_pause(looks++));
            break;
        case STEP_FAILED:
            if (follower->failures >= CATCH_UP_FAILURES_MAX || fiber_is_cancelled(fiber_self())) {
                logline(LINE_ERROR, "reader_given_up", "reader", follower->reader->name, NULL);
                return false;
            }
            (void)fiber_sleep(failure_pause(follower->failures));
            break;
        }
    }
}

void log_readers_catch_up(struct host *host)
{
    size_t count;
    follower_t *followers = followers_of(host, &count);
    bool moved = true;

    while (moved) { /* what one reader appends, another may have to read */
        moved = false;
        for (size_t i = 0; i < count; i++) {
            if (followers[i].source && followers[i].failures < CATCH_UP_FAILURES_MAX)
                moved |= catch_up(&followers[i], host);
        }
    }
    free(followers);
}
