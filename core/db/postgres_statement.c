/* What the port asks of a statement, inside and outside of bodies: one row, all rows, how many were changed.
 */
#include <stdlib.h>

#include "core/api.h"
#include "core/db/postgres.h"
#include "core/runtime/logline.h"

tx_t *postgres_reading(req_t *req, database_t *database)
{
    transaction_t *reading = arena_new_of(req->arena, transaction_t);
    reading->tx = (tx_t){.req = req, .database = database};
    reading->mine = postgres_mine(database);
    return &reading->tx;
}

static PGresult *ask(tx_t *tx, const statement_t *statement, const void *in)
{
    transaction_t *transaction = CONTAINER_OF(tx, transaction_t, tx);
    return tx->writing ? postgres_body_ask(transaction, statement, in)
                       : postgres_read(transaction, statement, in);
}

static void take_row(tx_t *tx, const statement_t *statement, PGresult *result, int row, void *out)
{
    int wrong = postgres_decode(statement, result, row, out, tx->req->arena);
    if (wrong < 0)
        return;
    PQclear(result);
    postgres_fail_column(tx->req, statement, wrong);
}

static _Noreturn void fail_count(tx_t *tx, const statement_t *statement, int count)
{
    logline(LINE_ERROR, "statement_row_count", "statement", statement->name, "rows", line_number(count),
            NULL);
    fail(tx->req, &INTERNAL, "The statement %s gave %d rows instead of one.", statement->name, count);
}

bool postgres_fetch(tx_t *tx, const statement_t *statement, const void *in, void *row)
{
    PGresult *result = ask(tx, statement, in);
    int count = PQntuples(result);
    if (count > 1 || (count == 0 && statement->shape == SHAPE_ONE)) {
        PQclear(result);
        fail_count(tx, statement, count);
    }
    if (count == 1)
        take_row(tx, statement, result, 0, row);
    PQclear(result);
    return count == 1;
}

size_t postgres_fetch_all(tx_t *tx, const statement_t *statement, const void *in, void **rows)
{
    PGresult *result = ask(tx, statement, in);
    int count = PQntuples(result);
    char *all = arena_zalloc(tx->req->arena, arena_array_size(statement->row_size, (size_t)count));
    for (int row = 0; row < count; row++)
        take_row(tx, statement, result, row, all + (size_t)row * statement->row_size);
    PQclear(result);
    *rows = count > 0 ? all : NULL;
    return (size_t)count;
}

int64_t postgres_run(tx_t *tx, const statement_t *statement, const void *in)
{
    if (tx->writing && statement->shape == SHAPE_NONE) {
        postgres_body_queue(CONTAINER_OF(tx, transaction_t, tx), statement, in);
        return 0;
    }
    PGresult *result = ask(tx, statement, in);
    int64_t affected = strtoll(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    return affected;
}
