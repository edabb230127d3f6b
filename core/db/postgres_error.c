/*
 * What an SQLSTATE means for us. Values never reach a log line: PostgreSQL puts them into its messages, so
 * only the statement's name and the state are told.
 */
#include "core/api.h"
#include "core/db/postgres.h"
#include "core/runtime/logline.h"

static const struct {
    const char *sqlstate; /* or how it begins */
    trouble_t trouble;
} troubles[] = {
    {"40001", TROUBLE_CONFLICT},  /* serialization_failure */
    {"40P01", TROUBLE_CONFLICT},  /* deadlock_detected */
    {"23505", TROUBLE_DUPLICATE}, /* unique_violation */
    {"53100", TROUBLE_FULL},      /* disk_full */
    {"57014", TROUBLE_SLOW},      /* query_canceled: statement_timeout */
    {"55P03", TROUBLE_SLOW},      /* lock_not_available */
    {"25P03", TROUBLE_AWAY},      /* idle_in_transaction_session_timeout */
    {"26000", TROUBLE_STALE},     /* invalid_sql_statement_name: forgotten by the server */
    {"0A000", TROUBLE_STALE},     /* cached plan must not change result type: a table was altered */
    {"25006", TROUBLE_AWAY},      /* read_only_sql_transaction: became a standby */
    {"22021", TROUBLE_TEXT},      /* character_not_in_repertoire: NUL */
    {"57P", TROUBLE_AWAY},        /* shutting down, crashed, starting up */
    {"53", TROUBLE_AWAY},         /* no memory, no connections */
    {"08", TROUBLE_AWAY},         /* connection exceptions */
};

trouble_t postgres_trouble(const char *sqlstate)
{
    for (size_t i = 0; i < COUNT_OF(troubles); i++)
        if (strncmp(sqlstate, troubles[i].sqlstate, strlen(troubles[i].sqlstate)) == 0)
            return troubles[i].trouble;
    return TROUBLE_BROKEN;
}

/* libpq's own errors (the connection went) have none. */
const char *postgres_sqlstate(const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return sqlstate ? sqlstate : "08006";
}

static void tell(const statement_t *statement, const char *sqlstate)
{
    logline(LINE_ERROR, "statement_failed", "statement", statement ? statement->name : "transaction",
            "sqlstate", sqlstate, NULL);
}

void postgres_fail_away(req_t *req)
{
    fail_retry(req, &UNAVAILABLE, SECOND_US, "The database cannot be reached; try again in a moment.");
}

void postgres_fail(req_t *req, const statement_t *statement, const char *sqlstate)
{
    switch (postgres_trouble(sqlstate)) {
    case TROUBLE_SLOW:
        tell(statement, sqlstate);
        fail(req, &TIMED_OUT, "The database took too long; try again.");
    case TROUBLE_FULL:
        tell(statement, sqlstate);
        fail(req, &STORAGE_FULL, "The database has no room left.");
    case TROUBLE_TEXT:
        fail(req, &INVALID, "A text contains a character that cannot be kept (code 0).");
    case TROUBLE_AWAY:
    case TROUBLE_STALE:
        postgres_fail_away(req);
    case TROUBLE_CONFLICT:
    case TROUBLE_DUPLICATE:
    case TROUBLE_BROKEN:
        break;
    }
    tell(statement, sqlstate);
    fail(req, &INTERNAL, "The statement %s failed (SQLSTATE %s).",
         statement ? statement->name : "of a transaction", sqlstate);
}

void postgres_fail_column(req_t *req, const statement_t *statement, int column)
{
    logline(LINE_ERROR, "statement_column_wrong", "statement", statement->name, "column",
            line_number(column + 1), NULL);
    fail(req, &INTERNAL, "Column %d of the statement %s is null or has another type than it should.",
         column + 1, statement->name);
}
