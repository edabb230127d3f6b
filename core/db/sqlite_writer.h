/* What the writer thread (sqlite_writer.c) and those who wait for it (sqlite_queue.c) share. */
#ifndef FOLKMOOT_SQLITE_WRITER_H
#define FOLKMOOT_SQLITE_WRITER_H

#include <pthread.h>

#include "core/db/sqlite.h"

enum { WRITER_QUEUE_MAX = 10000, WRITER_BATCH_MAX = 256 };

typedef enum job_outcome {
    JOB_COMMITTED, /* durable */
    JOB_FAILED,    /* the body ended in fail(): the request's problem says how */
    JOB_EXPIRED,   /* its deadline passed before it began */
    JOB_ERROR,     /* the database failed it: see `error` */
} job_outcome_t;

/* A body that waits for the writer. It lies on the stack of who waits, who leaves only when it is answered or
 * withdrawn. */
typedef struct sqlite_job {
    loop_message_t message;             /* brings the answers of a batch to one loop; in the first of them */
    struct sqlite_job *next_answer;     /* of the same loop and batch */
    struct sqlite_job *next, *previous; /* in the queue */
    req_t *req;
    problem_t problem; /* of the request before the body ran: each run begins with it */
    void (*body)(tx_t *tx, void *arg);
    void *arg;
    loop_t *loop; /* whose fiber waits; NULL: a thread does, on `answered` of the queue */
    fiber_t *fiber;
    bool waiting;  /* in the queue; under its lock */
    bool answered; /* set on the loop's thread, or under the queue's lock when a thread waits */
    bool settled;  /* its outcome stands whatever becomes of the rest of the batch */
    bool appended;
    job_outcome_t outcome;
    sqlite_error_t error;
} sqlite_job_t;

typedef struct job_queue {
    database_t *database;
    pthread_mutex_t lock;
    pthread_cond_t came, answered;
    sqlite_job_t *first, *last;
    size_t length;
    bool closing;
} job_queue_t;

void job_queue_init(job_queue_t *queue, database_t *database);
void job_queue_destroy(job_queue_t *queue);
void job_queue_close(job_queue_t *queue); /* takes no more */

bool job_queue_wait(job_queue_t *queue); /* until there is a job; false when it is closed and empty */
bool job_queue_is_closing(job_queue_t *queue);
size_t job_queue_take(job_queue_t *queue, sqlite_job_t **jobs, size_t most);  /* what it takes has begun */
void job_queue_answer(job_queue_t *queue, sqlite_job_t **jobs, size_t count); /* after it the jobs are gone */

/* Puts the job into the queue and waits until it is answered. Ends in BUSY, UNAVAILABLE, TIMED_OUT and
 * CLIENT_GONE when it never began. */
void job_queue_run(job_queue_t *queue, sqlite_job_t *job);

#endif
