/*
 * Rows from PostgreSQL: one connection per thread in pipeline mode, the prepared statement in binary form,
 * and one Sync for all that was asked in a turn of the loop.
 */
#include "tests/bench/bare.h"

#include <endian.h>
#include <fcntl.h>
#include <libpq-fe.h>

#include "tests/bench/slots.h"

/* A request whose row is on its way. It may go before: then h2o clears `request` through the token. */
typedef struct reading {
    h2o_req_t *request;
    struct reading **token;
    struct reading *next;
} reading_t;

typedef struct pipeline {
    bare_thread_t *thread;
    PGconn *link;
    h2o_socket_t *socket;
    h2o_timeout_entry_t turn; /* linked: something was asked in this turn */
    reading_t *first, **last;
    size_t syncs;
} pipeline_t;

static void check(const pipeline_t *pipeline, bool good)
{
    if (!good)
        give_up("PostgreSQL", PQerrorMessage(pipeline->link));
}

/* ---- asking ---- */

static void on_writable(h2o_socket_t *socket, const char *error);

static void flush(pipeline_t *pipeline)
{
    const int left = PQflush(pipeline->link);

    check(pipeline, left >= 0);
    if (left > 0 && !h2o_socket_is_writing(pipeline->socket))
        h2o_socket_notify_write(pipeline->socket, on_writable);
}

static void on_writable(h2o_socket_t *socket, const char *error)
{
    pipeline_t *pipeline = socket->data;

    check(pipeline, error == NULL);
    flush(pipeline);
}

static void on_turn_end(h2o_timeout_entry_t *turn)
{
    pipeline_t *pipeline = CONTAINER_OF(turn, pipeline_t, turn);

    check(pipeline, PQpipelineSync(pipeline->link) == 1);
    pipeline->syncs++;
    flush(pipeline);
}

static void on_dispose(void *arg)
{
    reading_t **token = arg;

    if (*token)
        (*token)->request = NULL;
}

static void note_reading(pipeline_t *pipeline, h2o_req_t *request)
{
    reading_t *reading = h2o_mem_alloc(sizeof *reading);

    *reading = (reading_t){.request = request};
    reading->token = h2o_mem_alloc_shared(&request->pool, sizeof(reading_t *), on_dispose);
    *reading->token = reading;
    *pipeline->last = reading;
    pipeline->last = &reading->next;
}

static void read_row(void *source, h2o_req_t *request, const uuid_t *id)
{
    static const int lengths[] = {sizeof(uuid_t), sizeof(uuid_t)}, formats[] = {1, 1};
    pipeline_t *pipeline = source;
    const char *values[] = {(const char *)id->bytes, (const char *)bare_member.bytes};

    note_reading(pipeline, request);
    check(pipeline, PQsendQueryPrepared(pipeline->link, "read", 2, values, lengths, formats, 1) == 1);
    if (!h2o_timeout_is_linked(&pipeline->turn))
        h2o_timeout_link(pipeline->thread->loop, &pipeline->thread->context.zero_timeout, &pipeline->turn);
}

/* ---- answers ---- */

static void take(const PGresult *result, int place, const value_slot_t *slot, char *row)
{
    void *value = row + slot->offset;
    uint64_t number;

    if (PQgetisnull(result, 0, place))
        return;
    if (slot->type == VALUE_UUID) {
        memcpy(value, PQgetvalue(result, 0, place), sizeof(uuid_t));
    } else if (slot->type == VALUE_TEXT) {
        *(str_t *)value = (str_t){PQgetvalue(result, 0, place), (size_t)PQgetlength(result, 0, place)};
    } else {
        memcpy(&number, PQgetvalue(result, 0, place), sizeof number);
        *(int64_t *)value = (int64_t)be64toh(number);
    }
}

static void answer_next(pipeline_t *pipeline, const PGresult *result)
{
    reading_t *reading = pipeline->first;
    struct item_by_id row = {0};
    const bool found = PQntuples(result) == 1;

    pipeline->first = reading->next;
    if (!pipeline->first)
        pipeline->last = &pipeline->first;
    for (int place = 0; found && place < bare_statement->out_count; place++)
        take(result, place, &bare_statement->out[place], (char *)&row);
    if (reading->request) {
        *reading->token = NULL;
        bare_answer(reading->request, found ? &row : NULL);
    }
    free(reading);
}

static void on_readable(h2o_socket_t *socket, const char *error)
{
    pipeline_t *pipeline = socket->data;

    check(pipeline, error == NULL && PQconsumeInput(pipeline->link) == 1);
    while ((pipeline->first || pipeline->syncs > 0) && !PQisBusy(pipeline->link)) {
        PGresult *result = PQgetResult(pipeline->link);
        if (!result)
            continue; /* the end of one query's results */
        const ExecStatusType status = PQresultStatus(result);
        check(pipeline, status == PGRES_TUPLES_OK || status == PGRES_PIPELINE_SYNC);
        if (status == PGRES_PIPELINE_SYNC)
            pipeline->syncs--;
        else
            answer_next(pipeline, result);
        PQclear(result);
    }
}

/* ---- opening ---- */

static void execute(const pipeline_t *pipeline, PGresult *result)
{
    check(pipeline, PQresultStatus(result) == PGRES_COMMAND_OK);
    PQclear(result);
}

static void *connect_here(bare_thread_t *thread, const char *address)
{
    static const Oid types[] = {2950, 2950}; /* uuid */
    pipeline_t *pipeline = h2o_mem_alloc(sizeof *pipeline);

    *pipeline = (pipeline_t){.thread = thread, .turn.cb = on_turn_end, .link = PQconnectdb(address)};
    pipeline->last = &pipeline->first;
    check(pipeline, PQstatus(pipeline->link) == CONNECTION_OK);
    execute(pipeline, PQexec(pipeline->link, "SET search_path = forum; SET jit = off"));
    execute(pipeline, PQprepare(pipeline->link, "read", bare_statement->postgres, 2, types));
    check(pipeline, PQsetnonblocking(pipeline->link, 1) == 0 && PQenterPipelineMode(pipeline->link) == 1);
    const int file = fcntl(PQsocket(pipeline->link), F_DUPFD_CLOEXEC, 0);
    pipeline->socket = h2o_evloop_socket_create(thread->loop, file, H2O_SOCKET_FLAG_DONT_READ);
    pipeline->socket->data = pipeline;
    h2o_socket_read_start(pipeline->socket, on_readable);
    return pipeline;
}

const bare_source_t bare_postgres = {.open = connect_here, .read = read_row};
