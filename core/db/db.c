/*
 * The database port: what a module sees of its database, whichever driver is behind it. Opening (driver by
 * scheme, the list of statements, migrations), reading, and transactions. A new driver is one more line in
 * `drivers`.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/api.h"
#include "core/bus/bus.h"
#include "core/db/driver.h"
#include "core/migrations.h"
#include "core/module.h"
#include "core/runtime/logline.h"
#include "core/runtime/panic.h"
#include "core_db/queries.h"
#include "core_log/queries.h"

static const driver_t *const drivers[] = {&sqlite_driver, &postgres_driver};

/* ---- statements ---- */

/* A statement of another module, or a writing one outside of a transaction, is a mistake in the program. */
static void check_statement(tx_t *tx, const statement_t *statement)
{
    const database_t *database = tx->database;
    const char *reason = NULL;

    if (statement->slot >= database->statement_count || database->statements[statement->slot] != statement)
        reason = "it belongs to another module";
    else if (statement->writes && !tx->writing)
        reason = "it writes, and this is no transaction";
    if (!reason)
        return;
    logline(LINE_ERROR, "statement_refused", "database", database->name, "statement", statement->name,
            "reason", reason, NULL);
    fail(tx->req, &INTERNAL, "The statement %s was refused: %s.", statement->name, reason);
}

static void count_read(tx_t *tx)
{
    if (!tx->writing)
        atomic_fetch_add_explicit(&tx->database->reads, 1, memory_order_relaxed);
}

/* A statement that takes many rows, and got none. */
static bool has_no_rows(const statement_t *statement, const void *in)
{
    return statement->each && ((const statement_rows_t *)in)->count == 0;
}

bool statement_fetch(tx_t *tx, const statement_t *statement, const void *in, void *row)
{
    check_statement(tx, statement);
    count_read(tx);
    return tx->database->driver->fetch(tx, statement, in, row);
}

size_t statement_fetch_all(tx_t *tx, const statement_t *statement, const void *in, void **rows)
{
    check_statement(tx, statement);
    count_read(tx);
    *rows = NULL;
    return has_no_rows(statement, in) ? 0 : tx->database->driver->fetch_all(tx, statement, in, rows);
}

int64_t statement_run(tx_t *tx, const statement_t *statement, const void *in)
{
    check_statement(tx, statement);
    return has_no_rows(statement, in) ? 0 : tx->database->driver->run(tx, statement, in);
}

/* ---- reading and transactions ---- */

tx_t *db_read(req_t *req)
{
    database_t *database = host_database(req->host, req->module);

    return database->driver->reading(req, database);
}

void db_apply(req_t *req, void (*body)(tx_t *tx, void *arg), void *arg)
{
    database_t *database = host_database(req->host, req->module);
    bool appended = false;

    database->driver->transact(req, database, body, arg, &appended);
    if (appended && req->host->bus) {
        char subject[64];

        snprintf(subject, sizeof subject, "log/%s", database->name);
        bus_publish(req->host->bus, subject, STR_NONE);
    }
}

typedef struct answering {
    reply_t (*body)(tx_t *tx, void *arg);
    void *arg;
    reply_t reply;
} answering_t;

static void run_answering(tx_t *tx, void *arg)
{
    answering_t *run = arg;

    run->reply = run->body(tx, run->arg);
    if (tx->req->idempotency_key.length > 0)
        idempotency_keep_reply(tx, &run->reply);
}

static void transact_answering(req_t *req, void *arg)
{
    db_apply(req, run_answering, arg);
}

/* A key that has an answer gives it. When it fails although it had none, the same request may have come in
 * twice and the other was quicker: then its answer is the answer of both. */
static reply_t transact_with_key(req_t *req, answering_t *run)
{
    reply_t kept;

    if (idempotency_answers(req, &kept))
        return kept;
    if (req_attempt(req, transact_answering, run))
        return run->reply;
    const problem_t problem = req->problem;
    req->problem = (problem_t){0};
    if (problem.kind != &CLIENT_GONE && idempotency_answers(req, &kept))
        return kept;
    req->problem = problem;
    fail_again(req);
}

reply_t db_transact(req_t *req, reply_t (*body)(tx_t *tx, void *arg), void *arg)
{
    answering_t run = {.body = body, .arg = arg};

    if (req->idempotency_key.length > 0)
        return transact_with_key(req, &run);
    db_apply(req, run_answering, &run);
    return run.reply;
}

/* ---- opening ---- */

static bool has_scheme(str_t url, const char *scheme)
{
    size_t length = scheme ? strlen(scheme) : 0;

    return scheme && url.length > length && url.at[length] == ':' && memcmp(url.at, scheme, length) == 0;
}

static const driver_t *driver_of(str_t url)
{
    for (size_t i = 0; i < COUNT_OF(drivers); i++)
        for (size_t j = 0; j < COUNT_OF(drivers[i]->schemes); j++)
            if (has_scheme(url, drivers[i]->schemes[j]))
                return drivers[i];
    return NULL;
}

static void add_statements(database_t *database, statement_t *statements, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t slot = (uint16_t)database->statement_count++;

        /* Core's have the same place in every database, which other threads may be using already. */
        if (statements[i].slot != slot)
            statements[i].slot = slot;
        database->statements[slot] = &statements[i];
    }
}

static void collect_statements(database_t *database, const module_t *module)
{
    size_t count = core_db_statement_count + core_log_statement_count + module->statement_count;

    if (count > UINT16_MAX)
        panic("the module %s has too many statements", module->name);
    database->statements = memory_new((count + 1) * sizeof(statement_t *));
    add_statements(database, core_db_statements, core_db_statement_count);
    add_statements(database, core_log_statements, core_log_statement_count);
    add_statements(database, module->statements, module->statement_count);
}

static char *copy_of(str_t text)
{
    char *copy = memory_new(text.length + 1);

    memcpy(copy, text.at, text.length);
    return copy;
}

static database_t *database_new(host_t *host, const module_t *module, str_t url, const driver_t *driver)
{
    database_t *database = memory_new(sizeof *database);

    database->driver = driver;
    database->host = host;
    database->module = module;
    database->name = copy_of(str_from(module->name));
    database->url = copy_of(url);
    collect_statements(database, module);
    return database;
}

static bool open_and_migrate(database_t *database, arena_t *arena, str_t *error)
{
    const module_t *module = database->module;

    return database->driver->open(database, arena, error) &&
           migrate_set(database, "core", core_migrations, core_migration_count, arena, error) &&
           migrate_set(database, module->name, module->migrations, module->migration_count, arena, error) &&
           database->driver->ready(database, arena, error);
}

database_t *database_open(struct host *host, const struct module *module, str_t url, arena_t *arena,
                          str_t *error)
{
    const driver_t *driver = driver_of(url);
    database_t *database;

    if (!driver) {
        /* The text is not repeated: it may hold a password. */
        *error =
            arena_printf(arena,
                         "The database of %s cannot be opened: its address must begin with \"sqlite:\" or "
                         "\"postgres:\". Correct database.%s or database.url in the configuration.",
                         module->name, module->name);
        return NULL;
    }
    database = database_new(host, module, url, driver);
    if (!open_and_migrate(database, arena, error)) {
        database_close(database);
        return NULL;
    }
    return database;
}

void database_close(database_t *database)
{
    if (!database)
        return;
    database->driver->close(database);
    free(database->statements);
    free(database->name);
    free(database->url);
    free(database);
}

bool database_is_ready(database_t *database)
{
    return database->driver->alive(database);
}

database_counts_t database_counts(database_t *database)
{
    return (database_counts_t){
        .reads = atomic_load_explicit(&database->reads, memory_order_relaxed),
        .transactions = atomic_load_explicit(&database->transactions, memory_order_relaxed),
        .commits = atomic_load_explicit(&database->commits, memory_order_relaxed),
        .retries = atomic_load_explicit(&database->retries, memory_order_relaxed),
        .failures = atomic_load_explicit(&database->failures, memory_order_relaxed),
        .waiting = atomic_load_explicit(&database->waiting, memory_order_relaxed),
    };
}

bool database_check_statements(database_t *database, arena_t *arena, str_t *error)
{
    return database->driver->check(database, arena, error);
}
