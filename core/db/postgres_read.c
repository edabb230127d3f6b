/*
 * Statements outside of transactions. All fibers of a thread share one connection: their statements of one
 * turn of the loop go to the server together, with one Sync. That makes them one segment, so a statement that
 * fails takes the ones behind it along; those are sent again, each in a segment of its own. What was lost
 * with the connection is sent again too.
 */
#include "core/api.h"
#include "core/db/postgres.h"

enum { TRIES_MAX = 4 };

static connection_t *reading_connection(postgres_thread_t *mine, req_t *req)
{
    connection_t *connection = &mine->reading;
    while (connection->state != CONNECTION_OPEN) {
        waiter_t waiter;
        postgres_queue_join(&mine->readers, &waiter, false);
        postgres_connect(connection);
        wake_t wake = postgres_wait_called(mine, &waiter, req->deadline);
        postgres_queue_leave(&mine->readers, &waiter);
        if (wake == WAKE_DEADLINE)
            postgres_fail_away(req);
        postgres_check_wake(req, wake);
    }
    if (connection->owed >= POSTGRES_CALLS_MAX)
        fail_retry(req, &BUSY, SECOND_US, "Too many reads wait for the database; try again.");
    return connection;
}

static call_t *ask_shared(transaction_t *reading, const statement_t *statement, const void *in, bool alone)
{
    req_t *req = reading->tx.req;
    connection_t *connection = reading_connection(reading->mine, req);
    if (alone)
        postgres_sync(connection);
    call_t *call = postgres_send_statement(connection, statement, in, true);
    if (alone)
        postgres_sync(connection);
    else
        postgres_sync_later(connection);
    postgres_check_wake(req, postgres_call_wait(connection, call, req->deadline));
    return call;
}

static call_t *ask_slow(transaction_t *reading, const statement_t *statement, const void *in)
{
    req_t *req = reading->tx.req;
    connection_t *connection = postgres_lease(&reading->mine->slow, req, false);
    call_t *call = postgres_send_statement(connection, statement, in, true);
    postgres_sync(connection);
    wake_t wake = postgres_call_wait(connection, call, req->deadline);
    postgres_lease_end(connection);
    postgres_check_wake(req, wake);
    return call;
}

/* What the server has forgotten is prepared again on a new connection; other readers' statements are sent
 * again there. A statement whose preparation was skipped behind one that failed only has to be sent again. */
static bool may_try_again(transaction_t *reading, const call_t *call, bool slow)
{
    if (call->end != CALL_REFUSED)
        return true;
    switch (postgres_trouble(postgres_sqlstate(call->result))) {
    case TROUBLE_CONFLICT:
    case TROUBLE_AWAY:
        return true;
    case TROUBLE_STALE:
        if (!slow && call->prepared)
            postgres_connection_lost(&reading->mine->reading);
        return true;
    default:
        return false;
    }
}

static _Noreturn void fail_call(req_t *req, const statement_t *statement, call_t *call)
{
    char sqlstate[6] = "08006";
    if (call->end == CALL_REFUSED)
        memcpy(sqlstate, postgres_sqlstate(call->result), sizeof sqlstate - 1);
    postgres_call_free(call);
    postgres_fail(req, statement, sqlstate);
}

PGresult *postgres_read(transaction_t *reading, const statement_t *statement, const void *in)
{
    for (int try = 0;; try++) {
        call_t *call =
            statement->slow ? ask_slow(reading, statement, in) : ask_shared(reading, statement, in, try > 0);
        if (call->end == CALL_ANSWERED) {
            PGresult *result = call->result;
            call->result = NULL;
            postgres_call_free(call);
            return result;
        }
        if (try + 1 >= TRIES_MAX || !may_try_again(reading, call, statement->slow))
            fail_call(reading->tx.req, statement, call);
        postgres_call_free(call);
    }
}
