/*
 * The database port. Each module has one database of its own (SQLite file or PostgreSQL schema); it runs only
 * the named statements of its queries.sql, through the typed functions that tools/generate_queries.py makes
 * of them.
 *
 * Reading: `tx_t *read = db_read(req);` and call the functions. Each statement sees what was committed when
 * it began. Writing: a transaction body, run by db_transact; see there.
 */
#ifndef FOLKMOOT_DB_H
#define FOLKMOOT_DB_H

#include "core/http/reply.h"
#include "core/runtime/req.h"

typedef struct database database_t;
typedef struct tx tx_t;

/* ---- statements: tables made by the generator ---- */

typedef enum value_type {
    VALUE_INT,
    VALUE_BOOL,
    VALUE_TEXT,
    VALUE_BYTES,
    VALUE_UUID,
    VALUE_TIME
} value_type_t;

/* Where one parameter or one column stands in its C struct: INT and TIME int64_t, BOOL bool, TEXT and BYTES
 * str_t, UUID uuid_t. A nullable one is null when it is 0 (TIME), all zero (UUID), STR_NONE (TEXT, BYTES);
 * INT and BOOL have bool has_<name>. */
typedef struct value_slot {
    value_type_t type;
    bool nullable;
    uint16_t offset;
    uint16_t has_offset; /* NO_HAS: none */
} value_slot_t;

typedef enum statement_shape {
    SHAPE_ONE,
    SHAPE_OPTIONAL,
    SHAPE_MANY,
    SHAPE_NONE,
    SHAPE_AFFECTED
} statement_shape_t;

typedef struct statement {
    const char *name;     /* "forum.board_for_posting" */
    const char *sqlite;   /* parameters as ?1 ?2 */
    const char *postgres; /* parameters as $1 $2 */
    const value_slot_t *in, *out;
    uint16_t in_count, out_count;
    uint16_t row_size;
    uint16_t in_size; /* of `each` */
    statement_shape_t shape;
    bool each;     /* takes many rows of parameters at once: `in` is a statement_rows_t */
    bool slow;     /* runs on the worker pool (SQLite) or a connection of its own (PostgreSQL) */
    bool writes;   /* anything but SELECT: needs a transaction */
    uint16_t slot; /* its place in every connection's list of prepared statements; set by database_open */
} statement_t;

/* The input of a statement that takes many rows at once. SQLite runs it for one after another; PostgreSQL
 * once, with an array for each parameter: a thousand rows are one round trip and one plan. The rows lie in
 * memory twice meanwhile, so callers work by batches. */
typedef struct statement_rows {
    const void *first; /* input structs, one behind the other */
    size_t count;
} statement_rows_t;

/* Called by the generated functions only. `in` is the statement's input struct, `row` its row struct. */
bool statement_fetch(tx_t *tx, const statement_t *statement, const void *in, void *row); /* ONE, OPTIONAL */
/* MANY: in the arena */
size_t statement_fetch_all(tx_t *tx, const statement_t *statement, const void *in, void **rows);
int64_t statement_run(tx_t *tx, const statement_t *statement, const void *in); /* NONE: 0; AFFECTED: rows */

/* ---- transactions ---- */

struct tx {
    req_t *req;
    database_t *database;
    bool writing;
    bool appended; /* set by log_append: after the commit the log's readers are nudged */
    /* The driver's part follows in a struct that begins with this one. */
};

/* A reading handle on the module's own database (req->module). Costs nothing; lives as long as the request.
 */
tx_t *db_read(req_t *req);

/* Runs body(tx, arg) in one transaction of the module's database and returns its reply, once it is durable.
 * The body waits for nothing but its own statements and may run more than once: it starts from `arg` alone
 * and changes nothing outside the transaction but memory it can write again. On SQLite it runs on the
 * database's writer thread, with others in one commit; on PostgreSQL in this fiber, serializable, again after
 * a conflict. A fail() in it undoes it and ends the request. When the request carries an Idempotency-Key, the
 * key and the reply (encrypted under the key) are kept in the same transaction, and a repeated request gets
 * the kept reply without running the body; another request with the same key ends in IDEMPOTENCY_CONFLICT.
 * May wait. Ends in UNAVAILABLE, TIMED_OUT, STORAGE_FULL, besides what the body fails with. */
reply_t db_transact(req_t *req, reply_t (*body)(tx_t *tx, void *arg), void *arg);

/* The same for work that answers nobody: readers, jobs, imports. */
void db_apply(req_t *req, void (*body)(tx_t *tx, void *arg), void *arg);

/* Deletes the replies of the module's database whose idempotency keys have expired, a bounded batch per
 * transaction. For a job. May wait. */
void db_purge_idempotency(req_t *req);

/* ---- opening, migrating ---- */

typedef struct migration {
    const char *name;   /* "0001_create_board" */
    const char *sqlite; /* the statements, per dialect */
    const char *postgres;
    const char *hash; /* hex of BLAKE2b-128 of the file: an edited one is refused */
} migration_t;

typedef struct database_counts { /* for the metrics */
    uint64_t reads, transactions, commits, retries, failures;
    size_t waiting; /* bodies in the queue */
} database_counts_t;

/* Opens the database of a module: `url` is "sqlite:" (a file <module>.sqlite in the data directory),
 * "sqlite:/path/file" or "postgres://user@host:port/name" (schema: the module's name). Opens, checks and
 * migrates it: core's migrations and the module's, each in a transaction. NULL with *error a sentence with
 * the remedy: cannot be opened, read-only, an old migration was edited, the database is newer than the
 * program. */
database_t *database_open(struct host *host, const struct module *module, str_t url, arena_t *arena,
                          str_t *error);

/* Stops taking work, finishes what runs, closes. After the loops have stopped. */
void database_close(database_t *database);

bool database_is_ready(database_t *database); /* answers now; for /readyz; may be called on any thread */
database_counts_t database_counts(database_t *database);

/* Prepares every statement on a fresh connection and checks it (PostgreSQL: parameter and column types too).
 * False with *error naming the statement. For tests and for `folkmoot check`. */
bool database_check_statements(database_t *database, arena_t *arena, str_t *error) MUST_CHECK;

#endif
