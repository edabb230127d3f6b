/*
 * One event loop per thread: descriptors, timers, messages from other threads, fibers that are ready. It owns
 * an epoll descriptor and can either run by itself (loop_run) or sit inside another loop (the gateway's h2o
 * loop watches loop_fd(), sleeps no longer than loop_timeout_ms() and calls loop_turn()).
 */
#ifndef FOLKMOOT_LOOP_H
#define FOLKMOOT_LOOP_H

#include "core/runtime/base.h"

typedef struct loop loop_t;

loop_t *loop_new(void);
void loop_free(loop_t *loop);   /* with fibers left it stays in memory, for those who answer them later */
loop_t *loop_current(void);     /* the loop of this thread, NULL where there is none; set by loop_attach */
void loop_attach(loop_t *loop); /* makes this thread the loop's own; NULL: no loop's */

int loop_fd(loop_t *loop); /* readable when loop_turn() has something to do */
int loop_timeout_ms(
    loop_t *loop);            /* how long the outer loop may sleep: 0 when something is ready, at most 1000 */
void loop_turn(loop_t *loop); /* does all that is due now; never waits */
void loop_run(loop_t *loop);  /* turns, waiting in between, until loop_stop() */
void loop_stop(loop_t *loop); /* any thread */

/* A message to a loop: embed it, set `run`, send. `run` is called once, on the loop's thread. Any thread may
 * send. */
typedef struct loop_message {
    struct loop_message *next;
    void (*run)(struct loop_message *message);
} loop_message_t;

void loop_send(loop_t *loop, loop_message_t *message);

/* A one-shot timer: embed it, zeroed, with `expire` set. Setting a set timer moves it. The loop's own thread
 * only. */
typedef struct loop_timer {
    int64_t due;  /* monotonic µs */
    size_t place; /* private: 1 + its place in the heap, 0 when not set */
    void (*expire)(struct loop_timer *timer);
} loop_timer_t;

void loop_timer_set(loop_t *loop, loop_timer_t *timer, int64_t due);
void loop_timer_clear(loop_t *loop, loop_timer_t *timer);

/* A watched descriptor (level-triggered). `events` as of epoll (EPOLLIN, EPOLLOUT). The loop's own thread
 * only. */
typedef struct loop_watch {
    int fd;
    void (*ready)(struct loop_watch *watch, uint32_t events);
    bool watched; /* private */
} loop_watch_t;

bool loop_watch(loop_t *loop, loop_watch_t *watch,
                uint32_t events) MUST_CHECK; /* begins, or changes the events */
void loop_unwatch(loop_t *loop, loop_watch_t *watch);

/* Calls run once at the end of the present turn, after all ready fibers ran: the place to flush what they
 * queued. */
typedef struct loop_flush {
    struct loop_flush *next;
    void (*run)(struct loop_flush *flush);
    bool queued; /* private */
} loop_flush_t;

void loop_at_end_of_turn(loop_t *loop, loop_flush_t *flush);

#endif
