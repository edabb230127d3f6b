/*
 * The queue before a SQLite writer. Whoever waits can withdraw a job as long as it has not begun; from then
 * on it waits through, since the body uses the request's memory. Answers go to the loops of the waiting
 * fibers, one message for each loop and batch.
 */
#include <errno.h>
#include <time.h>

#include "core/api.h"
#include "core/db/sqlite_writer.h"

void job_queue_init(job_queue_t *queue, database_t *database)
{
    pthread_condattr_t monotonic;

    *queue = (job_queue_t){.database = database};
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->came, NULL);
    pthread_cond_init(&queue->answered, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void job_queue_destroy(job_queue_t *queue)
{
    pthread_cond_destroy(&queue->answered);
    pthread_cond_destroy(&queue->came);
    pthread_mutex_destroy(&queue->lock);
}

void job_queue_close(job_queue_t *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closing = true;
    pthread_cond_signal(&queue->came);
    pthread_mutex_unlock(&queue->lock);
}

bool job_queue_is_closing(job_queue_t *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool closing = queue->closing;
    pthread_mutex_unlock(&queue->lock);
    return closing;
}

/* ---- in and out; under the lock ---- */

static void set_length(job_queue_t *queue, size_t length)
{
    queue->length = length;
    atomic_store_explicit(&queue->database->waiting, length, memory_order_relaxed);
}

static void append(job_queue_t *queue, sqlite_job_t *job)
{
    job->waiting = true;
    job->next = NULL;
    job->previous = queue->last;
    if (queue->last)
        queue->last->next = job;
    else
        queue->first = job;
    queue->last = job;
    set_length(queue, queue->length + 1);
}

static void take_out(job_queue_t *queue, sqlite_job_t *job)
{
    job->waiting = false;
    if (job->previous)
        job->previous->next = job->next;
    else
        queue->first = job->next;
    if (job->next)
        job->next->previous = job->previous;
    else
        queue->last = job->previous;
    set_length(queue, queue->length - 1);
}

/* ---- the writer's side ---- */

bool job_queue_wait(job_queue_t *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (!queue->first && !queue->closing)
        pthread_cond_wait(&queue->came, &queue->lock);
    bool any = queue->first != NULL;
    pthread_mutex_unlock(&queue->lock);
    return any;
}

size_t job_queue_take(job_queue_t *queue, sqlite_job_t **jobs, size_t most)
{
    size_t count = 0;

    pthread_mutex_lock(&queue->lock);
    while (queue->first && count < most) {
        jobs[count] = queue->first;
        take_out(queue, jobs[count++]);
    }
    pthread_mutex_unlock(&queue->lock);
    return count;
}

/* A woken fiber's job may be gone, and with it the message, so the next one is read before. */
static void deliver(loop_message_t *message)
{
    for (sqlite_job_t *job = CONTAINER_OF(message, sqlite_job_t, message); job;) {
        sqlite_job_t *next = job->next_answer;

        job->answered = true;
        fiber_wake(job->fiber);
        job = next;
    }
}

static void answer_threads(job_queue_t *queue, sqlite_job_t **jobs, size_t count)
{
    bool any = false;

    pthread_mutex_lock(&queue->lock);
    for (size_t i = 0; i < count; i++) {
        if (jobs[i]->loop)
            continue;
        jobs[i]->answered = true;
        jobs[i] = NULL; /* its thread may be off once the lock is open */
        any = true;
    }
    if (any)
        pthread_cond_broadcast(&queue->answered);
    pthread_mutex_unlock(&queue->lock);
}

void job_queue_answer(job_queue_t *queue, sqlite_job_t **jobs, size_t count)
{
    sqlite_job_t *firsts[LOOPS_MAX];
    size_t loops = 0;

    answer_threads(queue, jobs, count);
    /* Backwards, so that each loop gets its list in the order of the queue. */
    for (size_t i = count; i-- > 0;) {
        size_t place = 0;

        if (!jobs[i])
            continue;
        while (place < loops && firsts[place]->loop != jobs[i]->loop)
            place++;
        if (place == LOOPS_MAX) { /* more loops than a host has: send what there is and begin again */
            place = --loops;
            loop_send(firsts[place]->loop, &firsts[place]->message);
        }
        jobs[i]->next_answer = place < loops ? firsts[place] : NULL;
        firsts[place] = jobs[i];
        if (place == loops)
            loops++;
    }
    for (size_t place = 0; place < loops; place++)
        loop_send(firsts[place]->loop, &firsts[place]->message);
}

/* ---- the side of those who wait ---- */

static void enter(job_queue_t *queue, sqlite_job_t *job)
{
    pthread_mutex_lock(&queue->lock);
    bool closing = queue->closing;
    bool full = queue->length >= WRITER_QUEUE_MAX;

    if (!closing && !full) {
        append(queue, job);
        if (queue->length == 1)
            pthread_cond_signal(&queue->came);
    }
    pthread_mutex_unlock(&queue->lock);
    if (closing)
        fail(job->req, &UNAVAILABLE, "The server is stopping: nothing was saved. Try again.");
    if (full)
        fail_retry(job->req, &BUSY, SECOND_US, "Too much waits to be saved: nothing was done. Try again.");
}

/* True when the job had not begun; then it never will. */
static bool withdraw(job_queue_t *queue, sqlite_job_t *job)
{
    pthread_mutex_lock(&queue->lock);
    bool waiting = job->waiting;
    if (waiting)
        take_out(queue, job);
    pthread_mutex_unlock(&queue->lock);
    return waiting;
}

static _Noreturn void fail_expired(req_t *req)
{
    fail_retry(req, &TIMED_OUT, SECOND_US, "It did not get its turn in time: nothing was saved. Try again.");
}

static void wait_in_fiber(job_queue_t *queue, sqlite_job_t *job)
{
    while (!job->answered) {
        wake_t wake = fiber_wait(job->req->deadline);

        if (wake == WAKE_CALLED || job->answered)
            continue;
        if (!withdraw(queue, job)) {
            while (!job->answered)
                fiber_wait_through();
        } else if (wake == WAKE_DEADLINE) {
            fail_expired(job->req);
        } else {
            fail(job->req, &CLIENT_GONE, "The client went away.");
        }
    }
}

static void wait_in_thread(job_queue_t *queue, sqlite_job_t *job)
{
    int64_t deadline = job->req->deadline;
    struct timespec until = {deadline / SECOND_US, deadline % SECOND_US * 1000};
    bool expired = false;

    pthread_mutex_lock(&queue->lock);
    while (!job->answered && !expired) {
        if (!job->waiting || deadline == NEVER)
            pthread_cond_wait(&queue->answered, &queue->lock);
        else if (pthread_cond_timedwait(&queue->answered, &queue->lock, &until) == ETIMEDOUT && job->waiting)
            expired = true;
    }
    if (expired)
        take_out(queue, job);
    pthread_mutex_unlock(&queue->lock);
    if (expired)
        fail_expired(job->req);
}

void job_queue_run(job_queue_t *queue, sqlite_job_t *job)
{
    job->fiber = fiber_self();
    job->loop = job->fiber ? loop_current() : NULL;
    job->message.run = deliver;
    if (job->fiber && fiber_is_cancelled(job->fiber)) /* while something else was waited through */
        fail(job->req, &CLIENT_GONE, "The client went away.");
    enter(queue, job);
    if (job->fiber)
        wait_in_fiber(queue, job);
    else
        wait_in_thread(queue, job);
    if (job->outcome == JOB_EXPIRED)
        fail_expired(job->req);
}
