/*
 * The writer thread of a SQLite database. It takes all bodies that wait, runs one after another, and makes
 * them durable with one commit; only then is anybody answered. Meanwhile the next batch gathers: the slower
 * the disk, the larger the batches.
 *
 * Most bodies that fail do so before they write, and there is nothing to undo. At the first that fails with
 * something written the whole batch is undone and runs again, each body in a savepoint of its own: so nobody
 * pays for savepoints (each keeps a copy of every page it touches) but a batch that needs them, and no batch
 * runs more than once for that. When SQLite rolls back the whole transaction (a full disk, no memory), the
 * body at which it happened takes the blame and the others run again without it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/api.h"
#include "core/db/sqlite_writer.h"
#include "core/runtime/logline.h"
#include "core/runtime/panic.h"
#include "core/runtime/thread_private.h"

enum {
    CHECKPOINT_FRAMES = 4096,     /* pages of 4 KiB: the log is copied into the file every 16 MiB */
    LARGE_LOG_FRAMES = 16 * 1024, /* from 64 MiB on, readers are waited for so that the log can begin anew */
    LARGE_LOG_WAIT_MS = 200,
    COMMIT_BUSY_MS = 5000,
};

typedef enum command { BEGIN, COMMIT, ROLLBACK, SAVEPOINT, RELEASE, UNDO, COMMAND_COUNT } command_t;

static const char *const command_sql[COMMAND_COUNT] = {
    [BEGIN] = "BEGIN IMMEDIATE",    [COMMIT] = "COMMIT",        [ROLLBACK] = "ROLLBACK",
    [SAVEPOINT] = "SAVEPOINT body", [RELEASE] = "RELEASE body", [UNDO] = "ROLLBACK TO body",
};

struct sqlite_writer {
    database_t *database;
    sqlite_connection_t *connection;
    pthread_t thread;
    job_queue_t queue;
    sqlite3_stmt *commands[COMMAND_COUNT];
    sqlite_job_t *batch[WRITER_BATCH_MAX];
    size_t batch_count;
    bool each_guarded;         /* in this batch every body runs in a savepoint */
    bool waits_for_lock;       /* and said so in the log */
    int frames, checkpoint_at; /* in the write-ahead log */
};

static _Thread_local bool is_writer_thread;

static bool command(sqlite_writer_t *writer, command_t which, sqlite_error_t *error)
{
    int code;

    errno = 0;
    code = sqlite3_step(writer->commands[which]);
    if (code != SQLITE_DONE)
        sqlite_error_take(error, writer->connection->handle, code);
    sqlite3_reset(writer->commands[which]);
    return code == SQLITE_DONE;
}

static bool in_transaction(const sqlite_writer_t *writer)
{
    return !sqlite3_get_autocommit(writer->connection->handle);
}

static void roll_back(sqlite_writer_t *writer)
{
    sqlite_error_t error;

    if (in_transaction(writer) && !command(writer, ROLLBACK, &error))
        sqlite_error_log(writer->database, "ROLLBACK", &error);
}

static void count(atomic_uint_fast64_t *counter, uint64_t by)
{
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

/* ---- one body ---- */

typedef struct body_run {
    sqlite_tx_t tx;
    sqlite_job_t *job;
} body_run_t;

static void call_body(req_t *req, void *arg)
{
    body_run_t *run = arg;

    (void)req;
    run->job->body(&run->tx.tx, run->job->arg);
}

/* Foreign keys that are checked at the commit would fail the whole batch; so each body answers for its own.
 */
static bool foreign_keys_hold(sqlite_writer_t *writer, sqlite_job_t *job)
{
    int open = 0, highest = 0;

    sqlite3_db_status(writer->connection->handle, SQLITE_DBSTATUS_DEFERRED_FKS, &open, &highest, 0);
    if (open == 0)
        return true;
    job->outcome = JOB_ERROR;
    sqlite_error_set(&job->error, SQLITE_CONSTRAINT_FOREIGNKEY,
                     "FOREIGN KEY constraint failed at the end of a transaction");
    sqlite_error_log(writer->database, "COMMIT", &job->error);
    return false;
}

/* Runs the body and sets its outcome; true when its effects are to stay. */
static bool body_succeeds(sqlite_writer_t *writer, sqlite_job_t *job)
{
    body_run_t run = {
        .tx.tx = {.req = job->req, .database = writer->database, .writing = true},
        .tx.connection = writer->connection,
        .job = job,
    };

    job->req->problem = job->problem; /* not of a run before, whose world was undone */
    job->outcome = JOB_COMMITTED;
    job->appended = false;
    if (!req_attempt(job->req, call_body, &run)) {
        job->outcome = JOB_FAILED;
        return false;
    }
    job->appended = run.tx.tx.appended;
    return foreign_keys_hold(writer, job);
}

/* The transaction is gone, or no longer to be trusted, because of this job. */
static bool blame(sqlite_writer_t *writer, sqlite_job_t *job)
{
    roll_back(writer);
    job->settled = true;
    if (job->outcome == JOB_COMMITTED) {
        job->outcome = JOB_ERROR;
        if (job->error.code == SQLITE_OK)
            sqlite_error_set(&job->error, SQLITE_ABORT_ROLLBACK, "the transaction was rolled back");
        sqlite_error_log(writer->database, "SAVEPOINT", &job->error);
    }
    return false;
}

static bool run_guarded(sqlite_writer_t *writer, sqlite_job_t *job)
{
    bool kept;

    if (!command(writer, SAVEPOINT, &job->error)) {
        job->outcome = JOB_COMMITTED;
        return blame(writer, job);
    }
    kept = body_succeeds(writer, job);
    if (!in_transaction(writer) || (!kept && !command(writer, UNDO, &job->error)) ||
        !command(writer, RELEASE, &job->error))
        return blame(writer, job);
    return true;
}

static bool run_unguarded(sqlite_writer_t *writer, sqlite_job_t *job)
{
    sqlite3 *handle = writer->connection->handle;
    sqlite3_int64 changes = sqlite3_total_changes64(handle);
    bool kept = body_succeeds(writer, job);

    if (!in_transaction(writer))
        return blame(writer, job);
    if (kept || sqlite3_total_changes64(handle) == changes)
        return true;
    roll_back(writer);
    writer->each_guarded = true;
    return false;
}

/* False when the transaction was lost: whoever is not settled has to run again. */
static bool run_job(sqlite_writer_t *writer, sqlite_job_t *job)
{
    int64_t deadline = job->req->deadline;

    if (deadline != NEVER && clock_monotonic() > deadline) {
        job->outcome = JOB_EXPIRED;
        job->settled = true;
        return true;
    }
    job->error = (sqlite_error_t){0};
    return writer->each_guarded ? run_guarded(writer, job) : run_unguarded(writer, job);
}

/* ---- a batch ---- */

static bool run_jobs(sqlite_writer_t *writer)
{
    bool intact = true;

    for (size_t i = 0; i < writer->batch_count && intact; i++) {
        sqlite_job_t *job = writer->batch[i];

        if (job->settled)
            continue;
        logline_set_request(job->req->id);
        intact = run_job(writer, job);
    }
    logline_set_request(NULL);
    return intact;
}

/* Nothing of the batch was kept. */
static void batch_failed(sqlite_writer_t *writer, const char *step, const sqlite_error_t *error)
{
    roll_back(writer);
    sqlite_error_log(writer->database, step, error);
    for (size_t i = 0; i < writer->batch_count; i++) {
        sqlite_job_t *job = writer->batch[i];

        if (job->settled)
            continue;
        job->outcome = JOB_ERROR;
        job->error = *error;
    }
}

/* In WAL mode another process can hold up a commit for a moment only; it is asked again before it counts as
 * failed. */
static bool commit(sqlite_writer_t *writer, sqlite_error_t *error)
{
    int64_t until = clock_monotonic() + COMMIT_BUSY_MS * MILLISECOND_US;

    while (!command(writer, COMMIT, error)) {
        struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};

        if ((error->code & 0xff) != SQLITE_BUSY || clock_monotonic() > until)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

static void count_batch(sqlite_writer_t *writer)
{
    database_t *database = writer->database;
    uint64_t committed = 0, errors = 0;

    for (size_t i = 0; i < writer->batch_count; i++) {
        committed += writer->batch[i]->outcome == JOB_COMMITTED;
        errors += writer->batch[i]->outcome == JOB_ERROR;
    }
    count(&database->transactions, committed);
    count(&database->commits, committed > 0);
    count(&database->failures, errors);
}

static void run_batch(sqlite_writer_t *writer)
{
    sqlite_error_t error;

    writer->each_guarded = false;
    while (!run_jobs(writer)) {
        count(&writer->database->retries, 1);
        if (!command(writer, BEGIN, &error)) {
            batch_failed(writer, "BEGIN", &error);
            return;
        }
    }
    if (!commit(writer, &error))
        batch_failed(writer, "COMMIT", &error);
}

/* ---- the write-ahead log ---- */

static int note_frames(void *arg, sqlite3 *handle, const char *name, int frames)
{
    sqlite_writer_t *writer = arg;

    (void)handle;
    (void)name;
    if (frames < writer->frames)
        writer->checkpoint_at = CHECKPOINT_FRAMES; /* it began anew */
    writer->frames = frames;
    return SQLITE_OK;
}

/* Off the path of the answers: those of the batch have been sent. */
static void checkpoint_when_due(sqlite_writer_t *writer)
{
    sqlite3 *handle = writer->connection->handle;
    bool large = writer->frames >= LARGE_LOG_FRAMES;
    int code;

    if (writer->frames < writer->checkpoint_at)
        return;
    sqlite3_busy_timeout(handle, LARGE_LOG_WAIT_MS);
    code = sqlite3_wal_checkpoint_v2(
        handle, NULL, large ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    sqlite3_busy_timeout(handle, COMMIT_BUSY_MS);
    writer->checkpoint_at = writer->frames + CHECKPOINT_FRAMES;
    if (code != SQLITE_OK && code != SQLITE_BUSY) {
        sqlite_error_t error;

        sqlite_error_take(&error, handle, code);
        sqlite_error_log(writer->database, "checkpoint", &error);
    }
}

/* ---- the thread ---- */

/* Another process (an import) holds the lock: what waits goes on waiting, each within its own deadline. */
static bool waits_for_lock(sqlite_writer_t *writer, const sqlite_error_t *error)
{
    struct timespec pause = {.tv_nsec = 1000 * 1000};

    if ((error->code & 0xff) != SQLITE_BUSY || job_queue_is_closing(&writer->queue))
        return false;
    if (!writer->waits_for_lock)
        logline(LINE_WARNING, "database_locked", "database", writer->database->name, "reason",
                "another process has been writing for seconds", NULL);
    writer->waits_for_lock = true;
    nanosleep(&pause, NULL);
    return true;
}

/* The lock first, then the batch: who waits for the lock can still withdraw. */
static void write_once(sqlite_writer_t *writer)
{
    sqlite_error_t error;
    bool begun = command(writer, BEGIN, &error);

    if (!begun && waits_for_lock(writer, &error))
        return;
    writer->waits_for_lock = false;
    writer->batch_count = job_queue_take(&writer->queue, writer->batch, WRITER_BATCH_MAX);
    if (begun)
        run_batch(writer);
    else
        batch_failed(writer, "BEGIN", &error);
    count_batch(writer);
    job_queue_answer(&writer->queue, writer->batch, writer->batch_count);
    checkpoint_when_due(writer);
    logline_flush();
}

static void *writer_main(void *arg)
{
    sqlite_writer_t *writer = arg;

    is_writer_thread = true;
    while (job_queue_wait(&writer->queue))
        write_once(writer);
    return NULL;
}

static bool prepare_commands(sqlite_writer_t *writer, sqlite_error_t *error)
{
    sqlite3 *handle = writer->connection->handle;

    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        int code = sqlite3_prepare_v3(handle, command_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                                      &writer->commands[i], NULL);

        if (code == SQLITE_OK)
            continue;
        sqlite_error_take(error, handle, code);
        return false;
    }
    return true;
}

static void writer_free(sqlite_writer_t *writer)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        sqlite3_finalize(writer->commands[i]);
    job_queue_destroy(&writer->queue);
    free(writer);
}

sqlite_writer_t *sqlite_writer_start(database_t *database, sqlite_error_t *error)
{
    sqlite_writer_t *writer = memory_new(sizeof *writer);
    bool started = false;
    char name[16];

    snprintf(name, sizeof name, "db-%s", database->name);
    writer->database = database;
    writer->connection = sqlite_state_of(database)->writing;
    writer->checkpoint_at = CHECKPOINT_FRAMES;
    job_queue_init(&writer->queue, database);
    if (prepare_commands(writer, error)) {
        sqlite3_wal_hook(writer->connection->handle, note_frames, writer);
        started = thread_start(&writer->thread, name, writer_main, writer);
        if (!started)
            sqlite_error_set(error, SQLITE_NOMEM, "this process may not start another thread");
    }
    if (started)
        return writer;
    writer_free(writer);
    return NULL;
}

void sqlite_writer_stop(sqlite_writer_t *writer)
{
    if (!writer)
        return;
    job_queue_close(&writer->queue);
    pthread_join(writer->thread, NULL);
    writer_free(writer);
}

void sqlite_transact(req_t *req, database_t *database, void (*body)(tx_t *tx, void *arg), void *arg,
                     bool *appended)
{
    sqlite_writer_t *writer = sqlite_state_of(database)->writer;
    sqlite_job_t job = {.req = req, .problem = req->problem, .body = body, .arg = arg};

    if (is_writer_thread)
        fail(req, &INTERNAL, "A transaction was begun inside of a transaction.");
    job_queue_run(&writer->queue, &job);
    if (job.outcome == JOB_FAILED)
        fail_again(req);
    if (job.outcome == JOB_ERROR)
        sqlite_error_raise(req, &job.error);
    *appended = job.appended;
}
