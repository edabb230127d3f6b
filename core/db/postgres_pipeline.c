/*
 * Calls on a connection in pipeline mode: queued, sent with one Sync, answered in order. All calls between
 * two Syncs are a segment: when one fails the server skips the rest of it.
 */
#include <stdlib.h>
#include <sys/epoll.h>

#include "core/db/postgres.h"
#include "core/runtime/panic.h"

/* ---- calls ---- */

void postgres_call_free(call_t *call)
{
    if (call)
        PQclear(call->result);
    free(call);
}

static call_t *call_new(connection_t *connection, call_kind_t kind, const statement_t *statement, bool kept)
{
    call_t *call = memory_new(sizeof *call);
    call->kind = kind;
    call->statement = statement;
    call->kept = kept;
    if (connection->last)
        connection->last->next = call;
    else
        connection->first = call;
    connection->last = call;
    connection->owed++;
    connection->unsynced++;
    return call;
}

/* A call on a connection that is closed already. */
static call_t *call_lost(bool kept)
{
    if (!kept)
        return NULL;
    call_t *call = memory_new(sizeof *call);
    call->kept = call->done = true;
    call->end = CALL_LOST;
    return call;
}

static void note_prepared(connection_t *connection, call_t *call)
{
    connection->prepared[call->statement->slot] = call->end == CALL_ANSWERED ? PREPARED : PREPARED_NOT;
    /* The statement's first execution stands behind it, and is skipped for this reason. */
    call_t *execution = call->next;
    if (call->end == CALL_REFUSED && execution && execution->kind == CALL_STATEMENT &&
        execution->statement == call->statement) {
        execution->result = call->result;
        call->result = NULL;
    }
}

static void note_failure(connection_t *connection, const call_t *call)
{
    failure_t *failure = &connection->failure;
    if (failure->happened || call->end != CALL_REFUSED)
        return;
    failure->happened = true;
    failure->statement = call->statement;
    memcpy(failure->sqlstate, postgres_sqlstate(call->result), sizeof failure->sqlstate - 1);
}

static void call_done(call_t *call)
{
    call->done = true;
    if (!call->kept)
        postgres_call_free(call);
    else if (call->fiber)
        fiber_wake(call->fiber);
}

static call_t *pop(connection_t *connection)
{
    call_t *call = connection->first;
    connection->first = call->next;
    if (connection->first == NULL)
        connection->last = NULL;
    connection->owed--;
    return call;
}

void postgres_calls_lost(connection_t *connection)
{
    while (connection->first) {
        call_t *call = pop(connection);
        call->end = CALL_LOST;
        call_done(call);
    }
    connection->unsynced = 0;
}

/* ---- sending ---- */

static void prepare(connection_t *connection, const statement_t *statement)
{
    Oid types[POSTGRES_PARAMETERS_MAX];
    for (size_t place = 0; place < statement->in_count; place++)
        types[place] = postgres_parameter_type(statement, place);
    connection->prepared[statement->slot] = PREPARED_SENT;
    call_new(connection, CALL_PREPARE, statement, false);
    if (!PQsendPrepare(connection->link, statement->name, statement->postgres, statement->in_count, types))
        postgres_connection_lost(connection);
}

call_t *postgres_send_statement(connection_t *connection, const statement_t *statement, const void *in,
                                bool kept)
{
    if (connection->state == CONNECTION_OPEN && connection->prepared[statement->slot] == PREPARED_NOT)
        prepare(connection, statement);
    if (connection->state != CONNECTION_OPEN)
        return call_lost(kept);
    parameters_t parameters;
    postgres_encode(statement, in, &parameters);
    call_t *call = call_new(connection, CALL_STATEMENT, statement, kept);
    if (!PQsendQueryPrepared(connection->link, statement->name, statement->in_count, parameters.values,
                             parameters.lengths, parameters.formats, 1))
        postgres_connection_lost(connection);
    postgres_parameters_free(statement, &parameters);
    return kept ? call : NULL;
}

call_t *postgres_send_command(connection_t *connection, const char *sql, bool kept)
{
    if (connection->state != CONNECTION_OPEN)
        return call_lost(kept);
    call_t *call = call_new(connection, CALL_COMMAND, NULL, kept);
    if (!PQsendQueryParams(connection->link, sql, 0, NULL, NULL, NULL, NULL, 1))
        postgres_connection_lost(connection);
    return kept ? call : NULL;
}

/* A statement cannot take longer than the server lets it: when no answer comes for longer, none will. Of
 * connections on lease their holder knows when it is enough. */
static void expect_answer(connection_t *connection)
{
    enum { BEYOND_TIMEOUT_US = 10 * SECOND_US };
    if (connection->pool || connection->state != CONNECTION_OPEN)
        return;
    int64_t patience = connection->mine->postgres->statement_timeout_us + BEYOND_TIMEOUT_US;
    postgres_connection_timer(connection, connection->first ? clock_monotonic() + patience : NEVER);
}

static void flush(connection_t *connection)
{
    int left = PQflush(connection->link);
    if (left < 0)
        postgres_connection_lost(connection);
    else
        postgres_connection_want(connection, EPOLLIN | (left > 0 ? (uint32_t)EPOLLOUT : 0));
}

void postgres_sync(connection_t *connection)
{
    if (connection->state != CONNECTION_OPEN || connection->unsynced == 0)
        return;
    call_new(connection, CALL_SYNC, NULL, false);
    connection->unsynced = 0;
    if (!PQpipelineSync(connection->link))
        return postgres_connection_lost(connection);
    flush(connection);
    expect_answer(connection);
}

static void sync_now(loop_flush_t *at_end)
{
    postgres_sync(CONTAINER_OF(at_end, connection_t, flush));
}

void postgres_sync_later(connection_t *connection)
{
    connection->flush.run = sync_now;
    if (connection->mine->loop)
        loop_at_end_of_turn(connection->mine->loop, &connection->flush);
    else
        connection->flush.queued = true; /* run by the thread that waits */
}

/* ---- receiving ---- */

static call_end_t end_of(const PGresult *result)
{
    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
    case PGRES_PIPELINE_SYNC:
        return CALL_ANSWERED;
    case PGRES_PIPELINE_ABORTED:
        return CALL_SKIPPED;
    default:
        return CALL_REFUSED;
    }
}

static void take_result(connection_t *connection, PGresult *result)
{
    call_t *call = connection->first;
    call->end = end_of(result);
    if (call->end == CALL_SKIPPED && call->result) { /* its PREPARE failed: that is the reason */
        call->end = CALL_REFUSED;
        PQclear(result);
    } else {
        PQclear(call->result);
        call->result = result;
    }
}

static void finish_call(connection_t *connection)
{
    call_t *call = connection->first;
    note_failure(connection, call); /* first: a failed PREPARE hands its result on */
    if (call->kind == CALL_PREPARE)
        note_prepared(connection, call);
    if (call->kind == CALL_STATEMENT)
        call->prepared = connection->prepared[call->statement->slot] == PREPARED;
    call_done(pop(connection));
}

/* Takes what libpq has of results: for each call one and then a NULL, for a Sync one without a NULL. */
static void take_results(connection_t *connection)
{
    enum { STRAY_NULLS_MAX = 8 };
    int strays = 0;
    while (connection->first && !PQisBusy(connection->link)) {
        call_t *call = connection->first;
        bool begun = call->kind != CALL_SYNC && connection->answering;
        PGresult *result = PQgetResult(connection->link);
        if (result)
            take_result(connection, result);
        else if (!begun && ++strays > STRAY_NULLS_MAX) /* libpq and we disagree on what is owed */
            return postgres_connection_lost(connection);
        connection->answering = result != NULL && call->kind != CALL_SYNC;
        if (result ? call->kind == CALL_SYNC : begun)
            finish_call(connection);
    }
}

void postgres_receive(connection_t *connection)
{
    if (!PQconsumeInput(connection->link))
        return postgres_connection_lost(connection);
    take_results(connection);
    if (connection->state != CONNECTION_OPEN)
        return;
    if (PQstatus(connection->link) == CONNECTION_BAD)
        return postgres_connection_lost(connection);
    flush(connection);
    expect_answer(connection);
    if (connection->state == CONNECTION_OPEN && connection->first == NULL && connection->pool)
        postgres_pool_answered(connection);
}

wake_t postgres_call_wait(connection_t *connection, call_t *call, int64_t deadline)
{
    call->fiber = fiber_self();
    while (!call->done) {
        wake_t wake = postgres_wait(connection->mine, deadline);
        if (wake != WAKE_CALLED && !call->done) {
            call->kept = false;
            call->fiber = NULL;
            return wake;
        }
    }
    return WAKE_CALLED;
}
