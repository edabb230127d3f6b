/*
 * What a database driver gives to the port (db.c). Private to core/db/. Two drivers: sqlite*.c and
 * postgres*.c.
 */
#ifndef FOLKMOOT_DB_DRIVER_H
#define FOLKMOOT_DB_DRIVER_H

#include <stdatomic.h>

#include "core/db/db.h"
#include "core/host.h"

typedef struct driver driver_t;

struct database {
    const driver_t *driver;
    host_t *host;
    const struct module *module;
    char *name; /* the module's: the schema on PostgreSQL, the file on SQLite */
    char *url;
    statement_t **statements; /* core's and the module's; statement->slot is the place here */
    size_t statement_count;
    void *state; /* the driver's own */
    atomic_uint_fast64_t reads, transactions, commits, retries, failures;
    atomic_size_t waiting;
};

/* What a journal row says: an applied migration. */
typedef struct applied_migration {
    char name[96];
    char hash[65];
} applied_migration_t;

struct driver {
    const char *schemes[2]; /* what an address may begin with */

    /* Opens what migrating needs (a blocking connection that this thread uses alone, kept until ready() is
     * called or the database is closed). False with *error. */
    bool (*open)(database_t *database, arena_t *arena, str_t *error);
    void (*close)(database_t *database); /* also after an open() or ready() that failed */

    /* On that blocking connection. `set` is "core" or the module's name. The journal table is made when
     * missing. */
    bool (*journal)(database_t *database, const char *set, arena_t *arena, applied_migration_t **rows,
                    size_t *count, str_t *error);
    /* Runs a migration's script and notes it in the journal, in one transaction; while other processes that
     * try the same wait. */
    bool (*migrate)(database_t *database, const char *set, const migration_t *migration, arena_t *arena,
                    str_t *error);
    bool (*check)(database_t *database, arena_t *arena, str_t *error); /* database_check_statements */
    bool (*ready)(database_t *database, arena_t *arena, str_t *error); /* migrated: get ready to serve */
    bool (*alive)(database_t *database);

    /* A reading tx for this request (in its arena). */
    tx_t *(*reading)(req_t *req, database_t *database);
    /* The port has checked that the statement is one of this database and, when it writes, that tx is
     * writing. A parameter that is not nullable is never null: STR_NONE is then an empty text. ONE and
     * OPTIONAL with a second row, ONE without a row, and a null or ill-typed value in a column end in
     * INTERNAL. */
    bool (*fetch)(tx_t *tx, const statement_t *statement, const void *in, void *row);
    size_t (*fetch_all)(tx_t *tx, const statement_t *statement, const void *in, void **rows);
    int64_t (*run)(tx_t *tx, const statement_t *statement, const void *in);

    /* Runs the body in a transaction until it is durable, or ends in fail(). *appended: whether it wrote to
     * the log. */
    void (*transact)(req_t *req, database_t *database, void (*body)(tx_t *tx, void *arg), void *arg,
                     bool *appended);
};

extern const driver_t sqlite_driver;
extern const driver_t postgres_driver;

/* Applies what the database lacks of a set (migrate.c). False with *error when the journal does not fit, or a
 * migration fails. */
bool migrate_set(database_t *database, const char *set, const migration_t *known, size_t known_count,
                 arena_t *arena, str_t *error) MUST_CHECK;

/*
 * The reply that is kept for the request's Idempotency-Key; false when there is none. Ends in
 * IDEMPOTENCY_CONFLICT when the key was used for another request. Reads outside of any transaction: on
 * PostgreSQL, looking for a missing key inside of one would lock the place where others put theirs.
 */
bool idempotency_answers(req_t *req, reply_t *reply) MUST_CHECK;

/* Keeps the reply in the transaction of its effect; ends in UNAVAILABLE when another request was quicker with
 * the key. */
void idempotency_keep_reply(tx_t *tx, const reply_t *reply);

#endif
