/*
 * The event loop of a thread. A turn takes what epoll has, then messages, then timers, then lets fibers run,
 * then flushes what they queued. Waking a fiber of the own thread costs no system call; a message from
 * another thread costs one when the box was empty.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/runtime/clock.h"
#include "core/runtime/logline.h"
#include "core/runtime/loop_private.h"
#include "core/runtime/panic.h"

enum {
    EVENTS_PER_TURN = 64,
    FIBERS_PER_TURN =
        4096, /* runs, not fibers: two that wake each other must not keep the loop from its descriptors */
    FLUSH_ROUNDS = 8,
    SLEEP_MOST_MS = 1000,
};

static _Thread_local loop_t *current;

static void bell_rang(loop_watch_t *watch, uint32_t events)
{
    (void)events;
    uint64_t count;
    while (read(watch->fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
}

loop_t *loop_new(void)
{
    loop_t *loop = memory_new(sizeof *loop);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->bell_watch = (loop_watch_t){.fd = loop->bell, .ready = bell_rang};
    if (loop->epoll < 0 || loop->bell < 0 || !loop_watch(loop, &loop->bell_watch, EPOLLIN))
        panic("no descriptors for an event loop: %s; raise the limit of open files", strerror(errno));
    watchdog_add(loop);
    return loop;
}

/* Another thread may still answer one of its fibers: it stays as it is until the process ends. */
static void leave(loop_t *loop)
{
    static _Atomic(loop_t *) left; /* reached from here, so that it counts as kept, not as lost */
    loop->next = atomic_exchange(&left, loop);
}

void loop_free(loop_t *loop)
{
    if (loop == NULL)
        return;
    bool of_this_thread = current == loop;
    watchdog_remove(loop);
    bool left = !fibers_dispose(loop);
    signal_stack_dispose(loop->signal_stack, of_this_thread);
    if (of_this_thread)
        current = NULL;
    if (left)
        return leave(loop);
    close(loop->epoll);
    close(loop->bell);
    free(loop->timers);
    free(loop);
}

loop_t *loop_current(void)
{
    return current;
}

void loop_attach(loop_t *loop)
{
    current = loop;
    if (loop && loop->signal_stack == NULL)
        loop->signal_stack = signal_stack_make();
}

int loop_fd(loop_t *loop)
{
    return loop->epoll;
}

int loop_timeout_ms(loop_t *loop)
{
    if (loop->fibers.ready_first || loop->flush_first ||
        atomic_load_explicit(&loop->messages, memory_order_relaxed))
        return 0;
    if (loop->timer_count == 0)
        return SLEEP_MOST_MS;
    int64_t wait = loop_timer_wait(loop, clock_monotonic());
    if (wait >= SLEEP_MOST_MS * MILLISECOND_US)
        return SLEEP_MOST_MS;
    return (int)((wait + MILLISECOND_US - 1) / MILLISECOND_US);
}

bool loop_watch(loop_t *loop, loop_watch_t *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll, watch->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, watch->fd, &event) != 0)
        return false;
    watch->watched = true;
    return true;
}

/* Its events of the batch in hand are struck out too: the watch may be freed now. */
void loop_unwatch(loop_t *loop, loop_watch_t *watch)
{
    if (!watch->watched)
        return;
    watch->watched = false;
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
    for (int place = 0; loop->events && place < loop->event_count; place++)
        if (loop->events[place].data.ptr == watch)
            loop->events[place].data.ptr = NULL;
}

void loop_at_end_of_turn(loop_t *loop, loop_flush_t *flush)
{
    if (flush->queued)
        return;
    flush->queued = true;
    flush->next = NULL;
    if (loop->flush_last)
        loop->flush_last->next = flush;
    else
        loop->flush_first = flush;
    loop->flush_last = flush;
}

static void ring_bell(loop_t *loop)
{
    uint64_t one = 1;
    while (write(loop->bell, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

/* Only who finds the box empty rings: the loop takes all that is in it at once. */
void loop_send(loop_t *loop, loop_message_t *message)
{
    loop_message_t *newest = atomic_load_explicit(&loop->messages, memory_order_relaxed);
    do {
        message->next = newest;
    } while (!atomic_compare_exchange_weak(&loop->messages, &newest, message));
    if (newest == NULL)
        ring_bell(loop);
}

void loop_stop(loop_t *loop)
{
    atomic_store(&loop->stopping, true);
    ring_bell(loop);
}

static void take_events(loop_t *loop, int timeout_ms)
{
    struct epoll_event events[EVENTS_PER_TURN];
    int count = epoll_wait(loop->epoll, events, EVENTS_PER_TURN, timeout_ms);
    if (count < 0 && errno != EINTR)
        panic("the event loop cannot wait: %s", strerror(errno));
    loop->events = events;
    loop->event_count = count;
    for (int place = 0; place < count; place++) {
        loop_watch_t *watch = events[place].data.ptr;
        if (watch)
            watch->ready(watch, events[place].events);
    }
    loop->events = NULL;
}

static void take_messages(loop_t *loop)
{
    if (atomic_load_explicit(&loop->messages, memory_order_relaxed) == NULL)
        return;
    loop_message_t *newest = atomic_exchange(&loop->messages, NULL), *oldest = NULL;
    while (newest) {
        loop_message_t *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        loop_message_t *message = oldest;
        oldest = message->next;
        message->run(message);
    }
}

/* Those queued meanwhile are left for the next round. */
static void run_flushes(loop_t *loop)
{
    loop_flush_t *flush = loop->flush_first;
    loop->flush_first = loop->flush_last = NULL;
    while (flush) {
        loop_flush_t *next = flush->next;
        flush->queued = false;
        flush->run(flush);
        flush = next;
    }
}

static void turn(loop_t *loop, int timeout_ms)
{
    if (loop->turning || current != loop)
        panic("a loop turns only on its own thread, and not inside its own turn");
    loop->turning = true;
    take_events(loop, timeout_ms);
    take_messages(loop);
    if (loop->timer_count > 0)
        loop_timer_expire(loop, clock_monotonic());
    size_t left = FIBERS_PER_TURN;
    for (int round = 0; round < FLUSH_ROUNDS; round++) {
        left -= fibers_run(loop, left);
        run_flushes(loop);
        if (loop->fibers.ready_first == NULL && loop->flush_first == NULL)
            break;
    }
    logline_flush();
    loop->turning = false;
}

void loop_turn(loop_t *loop)
{
    turn(loop, 0);
}

void loop_run(loop_t *loop)
{
    while (!atomic_exchange(&loop->stopping, false))
        turn(loop, loop_timeout_ms(loop));
}
