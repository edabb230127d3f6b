/*
 * Bodies: BEGIN ISOLATION LEVEL SERIALIZABLE, the body, COMMIT, on a leased connection; again after a
 * conflict, and after a connection that was lost before COMMIT was sent. Statements that give nothing back
 * are queued and travel with the next one that does, as BEGIN travels with the first and COMMIT with the
 * last: a body that selects, inserts and inserts takes two round trips.
 */
#include "core/api.h"
#include "core/db/postgres.h"

enum {
    TRIES_MAX = 20,
    DUPLICATE_TRIES_MAX = 3, /* a unique_violation may come of a conflict, but hardly again and again */
    CONFLICTS_BEFORE_PRIORITY = 3,
    PAUSE_MOST_US = 20 * MILLISECOND_US,
    COMMIT_MOST_US = 10 * SECOND_US,
};

typedef enum again { AGAIN_NOT, AGAIN_CONFLICT, AGAIN_LOST } again_t;

typedef struct body_run {
    transaction_t transaction;
    void (*body)(tx_t *tx, void *arg);
    void *arg;
    again_t again; /* why the last try may be repeated */
    bool repeater; /* it is the one of the crossing */
    unsigned tries, conflicts, duplicates;
} body_run_t;

/* ---- what went wrong ---- */

static _Noreturn void fail_unknown(req_t *req)
{
    fail_retry(
        req, &UNAVAILABLE, SECOND_US,
        "The database went away while it was saving this: it is not known whether it was done. Repeat the "
        "request with the same Idempotency-Key.");
}

static _Noreturn void fail_lost(body_run_t *run)
{
    if (run->transaction.commit_sent)
        fail_unknown(run->transaction.tx.req);
    run->again = AGAIN_LOST;
    postgres_fail_away(run->transaction.tx.req);
}

static _Noreturn void fail_conflict(body_run_t *run)
{
    run->again = AGAIN_CONFLICT;
    fail_retry(run->transaction.tx.req, &BUSY, SECOND_US,
               "Too many are changing the same thing at the moment; try again.");
}

/* A body may have caught its own failure: so this is looked at before COMMIT too. */
static _Noreturn void fail_body(body_run_t *run)
{
    connection_t *connection = run->transaction.connection;
    const failure_t *failure = &connection->failure;
    if (connection->state != CONNECTION_OPEN || !failure->happened)
        fail_lost(run);
    switch (postgres_trouble(failure->sqlstate)) {
    case TROUBLE_CONFLICT:
        fail_conflict(run);
    case TROUBLE_DUPLICATE:
        if (++run->duplicates < DUPLICATE_TRIES_MAX)
            fail_conflict(run);
        break;
    case TROUBLE_STALE:
        postgres_connection_lost(connection);
        fail_lost(run);
    case TROUBLE_AWAY:
        fail_lost(run);
    default:
        break;
    }
    postgres_fail(run->transaction.tx.req, failure->statement, failure->sqlstate);
}

static body_run_t *run_of(transaction_t *transaction)
{
    return CONTAINER_OF(transaction, body_run_t, transaction);
}

static void check_failure(transaction_t *transaction)
{
    const connection_t *connection = transaction->connection;
    if (connection->failure.happened || connection->state != CONNECTION_OPEN)
        fail_body(run_of(transaction));
}

/* ---- statements of a body ---- */

static void begin(transaction_t *transaction)
{
    if (transaction->begun)
        return;
    transaction->begun = true;
    postgres_send_command(transaction->connection, "BEGIN ISOLATION LEVEL SERIALIZABLE", false);
}

static PGresult *answer(transaction_t *transaction, call_t *call)
{
    postgres_sync(transaction->connection);
    req_t *req = transaction->tx.req;
    postgres_check_wake(req, postgres_call_wait(transaction->connection, call, req->deadline));
    PGresult *result = call->end == CALL_ANSWERED ? call->result : NULL;
    if (result)
        call->result = NULL;
    postgres_call_free(call);
    if (result == NULL)
        fail_body(run_of(transaction));
    return result;
}

PGresult *postgres_body_ask(transaction_t *transaction, const statement_t *statement, const void *in)
{
    begin(transaction);
    return answer(transaction, postgres_send_statement(transaction->connection, statement, in, true));
}

/* A body that only queues (an import) waits now and then, so that not all of it lies in memory. */
void postgres_body_queue(transaction_t *transaction, const statement_t *statement, const void *in)
{
    begin(transaction);
    if (transaction->connection->owed < POSTGRES_BODY_CALLS_MAX) {
        postgres_send_statement(transaction->connection, statement, in, false);
        return;
    }
    PQclear(postgres_body_ask(transaction, statement, in));
    check_failure(transaction);
}

/* ---- the end of a transaction ---- */

/* The answer to a COMMIT is awaited even when the request's time is up or its client gone: it says what
 * happened. */
static call_t *commit_answered(transaction_t *transaction)
{
    connection_t *connection = transaction->connection;
    transaction->commit_sent = true;
    call_t *call = postgres_send_command(connection, "COMMIT", true);
    call->fiber = fiber_self();
    if (connection->state == CONNECTION_OPEN)
        postgres_connection_timer(connection, clock_monotonic() + COMMIT_MOST_US);
    postgres_sync(connection);
    while (!call->done) {
        if (transaction->mine->loop)
            fiber_wait_through();
        else
            (void)postgres_wait(transaction->mine, NEVER);
    }
    postgres_connection_timer(connection, NEVER);
    return call;
}

static void commit(transaction_t *transaction)
{
    check_failure(transaction);
    if (!transaction->begun)
        return;
    call_t *call = commit_answered(transaction);
    call_end_t end = call->end;
    bool committed = end == CALL_ANSWERED && strcmp(PQcmdStatus(call->result), "COMMIT") == 0;
    /* Ended by the server in the middle: what it was doing then is not known. */
    bool unknown = end == CALL_LOST ||
                   (end == CALL_REFUSED && postgres_trouble(postgres_sqlstate(call->result)) == TROUBLE_AWAY);
    postgres_call_free(call);
    transaction->commit_sent = unknown;
    transaction->begun = end == CALL_SKIPPED;
    if (!committed)
        fail_body(run_of(transaction));
}

/* ROLLBACK is not waited for: nobody gets the connection before it has been answered. */
static void let_go(transaction_t *transaction)
{
    connection_t *connection = transaction->connection;
    if (connection == NULL)
        return;
    if (transaction->begun && connection->state == CONNECTION_OPEN) {
        postgres_sync(connection);
        postgres_send_command(connection, "ROLLBACK", false);
        postgres_sync(connection);
    }
    transaction->begun = transaction->commit_sent = false;
    transaction->connection = NULL;
    postgres_lease_end(connection);
}

/* ---- tries ---- */

static void try_once(req_t *req, void *arg)
{
    body_run_t *run = arg;
    transaction_t *transaction = &run->transaction;
    run->again = AGAIN_NOT;
    transaction->tx.appended = false;
    transaction->connection = postgres_lease(&transaction->mine->writing, req, run->repeater);
    run->body(&transaction->tx, run->arg);
    commit(transaction);
}

/* A while that grows, and differs from one to the next. */
static void pause_before(body_run_t *run)
{
    req_t *req = run->transaction.tx.req;
    int64_t most = MILLISECOND_US << (run->tries < 6 ? run->tries : 6);
    if (most > PAUSE_MOST_US)
        most = PAUSE_MOST_US;
    int64_t duration = clock_monotonic() * 31 % most;
    postgres_check_wake(req, postgres_pause(run->transaction.mine, duration, req->deadline));
}

/* Gets the body out of the way of those that it collided with. */
static void after_conflict(body_run_t *run)
{
    postgres_thread_t *mine = run->transaction.mine;
    req_t *req = run->transaction.tx.req;
    atomic_fetch_add_explicit(&mine->postgres->database->retries, 1, memory_order_relaxed);
    run->conflicts++;
    if (!run->repeater) {
        postgres_check_wake(req, postgres_crossing_repeat(mine, req->deadline));
        run->repeater = true;
    } else {
        pause_before(run);
    }
    bool often = run->conflicts >= CONFLICTS_BEFORE_PRIORITY;
    postgres_check_wake(req, postgres_crossing_again(mine, often, req->deadline));
}

static void run_until_done(req_t *req, void *arg)
{
    body_run_t *run = arg;
    arena_mark_t mark = arena_mark(req->arena);
    postgres_check_wake(req, postgres_crossing_enter(run->transaction.mine, req->deadline));
    while (!req_attempt(req, try_once, run)) {
        let_go(&run->transaction);
        if (run->again == AGAIN_NOT || ++run->tries >= TRIES_MAX)
            fail_again(req);
        req->problem = (problem_t){0};
        arena_rewind(req->arena, mark);
        if (run->again == AGAIN_CONFLICT)
            after_conflict(run);
        else
            pause_before(run);
    }
}

void postgres_transact(req_t *req, database_t *database, void (*body)(tx_t *tx, void *arg), void *arg,
                       bool *appended)
{
    body_run_t *run = arena_new_of(req->arena, body_run_t);
    *run = (body_run_t){.transaction = {.tx = {.req = req, .database = database, .writing = true},
                                        .mine = postgres_mine(database)},
                        .body = body,
                        .arg = arg};
    atomic_fetch_add_explicit(&database->transactions, 1, memory_order_relaxed);
    bool done = req_attempt(req, run_until_done, run);
    let_go(&run->transaction);
    if (run->repeater)
        postgres_crossing_leave(run->transaction.mine);
    atomic_fetch_add_explicit(done ? &database->commits : &database->failures, 1, memory_order_relaxed);
    if (!done)
        fail_again(req);
    *appended = run->transaction.tx.appended;
}
