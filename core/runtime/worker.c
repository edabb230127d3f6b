/*
 * Worker pools: a bounded queue of calls, each lying on the stack of the fiber that waits for it, and threads
 * that take from it. The end of a call comes back to the fiber's loop as a message. All state of a pool is
 * under its lock.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/runtime/logline.h"
#include "core/runtime/panic.h"
#include "core/runtime/thread_private.h"
#include "core/runtime/worker.h"

enum { THREADS_MAX = 64 };

typedef struct call {
    loop_message_t finish; /* to the fiber's loop */
    void (*work)(void *arg);
    void *arg;
    loop_t *loop;
    fiber_t *fiber;
    struct call *next, *previous;
    atomic_bool queued; /* it has not begun, and may still be withdrawn */
    bool abandoned;     /* it never will: the pool went */
    bool finished;      /* the fiber's thread knows */
} call_t;

struct worker_pool {
    pthread_mutex_t lock;
    pthread_cond_t work_came;
    const char *name;
    unsigned threads, started, busy;
    size_t queue_max, length;
    call_t *first, *last;
    bool stopping;
    pthread_t ids[THREADS_MAX];
};

worker_pool_t *worker_pool_new(const char *name, unsigned threads, size_t queue_max)
{
    if (threads < 1 || threads > THREADS_MAX)
        panic("the worker pool \"%s\" cannot have %u threads: 1 to %d", name, threads, THREADS_MAX);
    worker_pool_t *pool = memory_new(sizeof *pool);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work_came, NULL);
    pool->name = name;
    pool->threads = threads;
    pool->queue_max = queue_max;
    return pool;
}

static void queue_add(worker_pool_t *pool, call_t *call)
{
    call->previous = pool->last;
    if (pool->last)
        pool->last->next = call;
    else
        pool->first = call;
    pool->last = call;
    pool->length++;
}

static void queue_remove(worker_pool_t *pool, call_t *call)
{
    if (call->previous)
        call->previous->next = call->next;
    else
        pool->first = call->next;
    if (call->next)
        call->next->previous = call->previous;
    else
        pool->last = call->previous;
    pool->length--;
    atomic_store(&call->queued, false);
}

void worker_pool_free(worker_pool_t *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    while (pool->first) {
        call_t *call = pool->first;
        queue_remove(pool, call);
        call->abandoned = true;
        loop_send(call->loop, &call->finish);
    }
    pthread_cond_broadcast(&pool->work_came);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned index = 0; index < pool->started; index++)
        pthread_join(pool->ids[index], NULL);
    pthread_cond_destroy(&pool->work_came);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* The next call, taken out of the queue; NULL when the pool ends. */
static call_t *wait_for_call(worker_pool_t *pool)
{
    while (pool->first == NULL && !pool->stopping)
        pthread_cond_wait(&pool->work_came, &pool->lock);
    call_t *call = pool->first;
    if (call)
        queue_remove(pool, call);
    return call;
}

/* After the message is sent the call is gone: its fiber may have returned. */
static void *worker_main(void *arg)
{
    worker_pool_t *pool = arg;
    pthread_mutex_lock(&pool->lock);
    for (call_t *call; (call = wait_for_call(pool)) != NULL;) {
        pool->busy++;
        pthread_mutex_unlock(&pool->lock);
        call->work(call->arg);
        pthread_mutex_lock(&pool->lock);
        pool->busy--;
        loop_send(call->loop, &call->finish);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void start_thread(worker_pool_t *pool)
{
    if (thread_start(&pool->ids[pool->started], pool->name, worker_main, pool)) {
        pool->started++;
        return;
    }
    logline(LINE_ERROR, "worker_not_started", "pool", pool->name, "running", line_number(pool->started),
            NULL);
}

/* What idle threads are about to take does not count as waiting. */
static bool enqueue(worker_pool_t *pool, call_t *call)
{
    pthread_mutex_lock(&pool->lock);
    bool accepted = !pool->stopping && pool->length < pool->queue_max + (pool->threads - pool->busy);
    if (accepted && pool->started < pool->threads && pool->started <= pool->busy + pool->length)
        start_thread(pool);
    accepted = accepted && pool->started > 0;
    if (accepted) {
        queue_add(pool, call);
        pthread_cond_signal(&pool->work_came);
    }
    pthread_mutex_unlock(&pool->lock);
    return accepted;
}

/* True when the call had not begun; then it never will. */
static bool withdraw(worker_pool_t *pool, call_t *call)
{
    if (!atomic_load(&call->queued))
        return false;
    pthread_mutex_lock(&pool->lock);
    bool queued = atomic_load(&call->queued);
    if (queued)
        queue_remove(pool, call);
    pthread_mutex_unlock(&pool->lock);
    return queued;
}

static void call_finished(loop_message_t *message)
{
    call_t *call = CONTAINER_OF(message, call_t, finish);
    call->finished = true;
    fiber_wake(call->fiber);
}

worker_result_t worker_run(worker_pool_t *pool, void (*work)(void *arg), void *arg, int64_t deadline)
{
    if (fiber_self() == NULL) {
        work(arg);
        return WORKER_DONE;
    }
    call_t call = {
        .finish.run = call_finished, .work = work, .arg = arg, .loop = loop_current(), .fiber = fiber_self()};
    atomic_store(&call.queued, true);
    if (!enqueue(pool, &call))
        return WORKER_FULL;
    while (!call.finished) {
        wake_t wake = fiber_wait(deadline);
        if (wake == WAKE_CALLED || call.finished)
            continue;
        if (withdraw(pool, &call))
            return wake == WAKE_DEADLINE ? WORKER_DEADLINE : WORKER_CANCELLED;
        while (!call.finished)
            fiber_wait_through();
    }
    return call.abandoned ? WORKER_CANCELLED : WORKER_DONE;
}

size_t worker_queue_length(worker_pool_t *pool)
{
    pthread_mutex_lock(&pool->lock);
    size_t length = pool->length;
    pthread_mutex_unlock(&pool->lock);
    return length;
}
