/*
 * The blocking connection of the start: makes the schema, keeps the journal of migrations, runs them. Each
 * step holds an advisory lock of the schema, so that processes which start together take turns; who comes
 * second finds the work done.
 */
#include <stdio.h>

#include "core/db/postgres.h"

enum { CONNECT_TIMEOUT_SECONDS = 10 };

/* libpq's messages end in newlines, and may have several lines. */
str_t postgres_message(arena_t *arena, const char *message)
{
    str_t line = arena_str(arena, str_from(message));
    char *text = (char *)line.at;
    for (size_t i = 0; i < line.length; i++)
        if (text[i] == '\n' || text[i] == '\t')
            text[i] = ' ';
    while (line.length > 0 && strchr(" ?.", text[line.length - 1])) /* it is put into a sentence */
        text[--line.length] = '\0';
    return line;
}

PGconn *postgres_admin_connect(postgres_t *postgres, arena_t *arena, str_t *error)
{
    const connect_parameters_t *parameters = &postgres->writing;
    PGconn *admin = PQconnectdbParams((const char *const *)parameters->keywords,
                                      (const char *const *)parameters->values, 0);
    if (admin && PQstatus(admin) == CONNECTION_OK) {
        PQsetNoticeReceiver(admin, postgres_ignore_notice, NULL);
        return admin;
    }
    const char *name = postgres->database->name;
    *error =
        arena_printf(arena,
                     "The database of %s cannot be reached: %s. Start PostgreSQL, or correct database.%s or "
                     "database.url in the configuration.",
                     name, admin ? postgres_message(arena, PQerrorMessage(admin)).at : "no memory", name);
    PQfinish(admin);
    return NULL;
}

/* ---- commands ---- */

static void finish_with(str_t *error, arena_t *arena, const char *what, const char *name, PGconn *admin)
{
    *error = arena_printf(arena, "%s in the database of %s: %s.", what, name,
                          postgres_message(arena, PQerrorMessage(admin)).at);
}

static bool run(PGconn *admin, const char *sql)
{
    PGresult *result = PQexec(admin, sql);
    ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

static bool begin_locked(PGconn *admin, const char *schema)
{
    if (!run(admin, "BEGIN"))
        return false;
    /* Others may be migrating for long: waiting for them is no slow statement. */
    PGresult *result = NULL;
    if (run(admin, "SET LOCAL statement_timeout = 0"))
        result = PQexecParams(admin, "SELECT pg_advisory_xact_lock(hashtextextended('folkmoot.' || $1, 0))",
                              1, NULL, &schema, NULL, NULL, 0);
    bool locked = PQresultStatus(result) == PGRES_TUPLES_OK;
    PQclear(result);
    return locked;
}

static void roll_back(PGconn *admin)
{
    (void)run(admin, "ROLLBACK");
}

/* ---- the schema ---- */

static bool schema_exists(PGconn *admin, const char *schema)
{
    PGresult *result =
        PQexecParams(admin, "SELECT 1 FROM pg_namespace WHERE nspname = $1", 1, NULL, &schema, NULL, NULL, 0);
    bool exists = PQntuples(result) == 1;
    PQclear(result);
    return exists;
}

static bool make_schema(PGconn *admin, const char *schema, arena_t *arena)
{
    char *quoted = PQescapeIdentifier(admin, schema, strlen(schema));
    if (quoted == NULL)
        return false;
    bool made = run(admin, arena_printf(arena, "CREATE SCHEMA %s", quoted).at);
    PQfreemem(quoted);
    return made;
}

static bool make_journal(PGconn *admin)
{
    return run(admin, "CREATE TABLE IF NOT EXISTS migration_journal ("
                      "part text NOT NULL, name text NOT NULL, hash text NOT NULL, "
                      "applied_at bigint NOT NULL DEFAULT (extract(epoch FROM now()) * 1000000), "
                      "PRIMARY KEY (part, name))");
}

static bool ensure_schema(database_t *database, PGconn *admin, arena_t *arena, str_t *error)
{
    const char *schema = database->name;
    bool made = begin_locked(admin, schema) &&
                (schema_exists(admin, schema) || make_schema(admin, schema, arena)) && make_journal(admin) &&
                run(admin, "COMMIT");
    if (made)
        return true;
    *error = arena_printf(
        arena,
        "The schema \"%s\" cannot be made in the database \"%s\": %s. Run there, as its owner: CREATE "
        "SCHEMA \"%s\" AUTHORIZATION \"%s\";",
        schema, PQdb(admin), postgres_message(arena, PQerrorMessage(admin)).at, schema, PQuser(admin));
    roll_back(admin);
    return false;
}

static bool check_server(const database_t *database, PGconn *admin, arena_t *arena, str_t *error)
{
    enum { VERSION_LEAST = 140000 }; /* client_connection_check_interval */
    const char *encoding = PQparameterStatus(admin, "server_encoding");
    if (PQserverVersion(admin) < VERSION_LEAST)
        *error = arena_printf(arena, "The database of %s is on PostgreSQL %d; at least 14 is needed.",
                              database->name, PQserverVersion(admin) / 10000);
    else if (encoding == NULL || strcmp(encoding, "UTF8") != 0)
        *error = arena_printf(
            arena,
            "The database \"%s\" has the encoding %s. Make one with: CREATE DATABASE name ENCODING "
            "'UTF8' TEMPLATE template0;",
            PQdb(admin), encoding ? encoding : "unknown");
    else
        return true;
    return false;
}

bool postgres_admin_open(database_t *database, arena_t *arena, str_t *error)
{
    postgres_t *postgres = database->state;
    postgres->admin = postgres_admin_connect(postgres, arena, error);
    return postgres->admin && check_server(database, postgres->admin, arena, error) &&
           ensure_schema(database, postgres->admin, arena, error);
}

/* ---- migrations ---- */

static void copy_text(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from);
}

bool postgres_journal(database_t *database, const char *set, arena_t *arena, applied_migration_t **rows,
                      size_t *count, str_t *error)
{
    PGconn *admin = ((postgres_t *)database->state)->admin;
    PGresult *result = PQexecParams(
        admin, "SELECT name, hash FROM migration_journal WHERE part = $1 ORDER BY name COLLATE \"C\"", 1,
        NULL, &set, NULL, NULL, 0);
    bool read = PQresultStatus(result) == PGRES_TUPLES_OK;
    if (read) {
        *count = (size_t)PQntuples(result);
        *rows = arena_array_of(arena, applied_migration_t, *count);
        for (size_t row = 0; row < *count; row++) {
            copy_text((*rows)[row].name, sizeof(*rows)[row].name, PQgetvalue(result, (int)row, 0));
            copy_text((*rows)[row].hash, sizeof(*rows)[row].hash, PQgetvalue(result, (int)row, 1));
        }
    } else {
        finish_with(error, arena, "The journal of migrations cannot be read", database->name, admin);
    }
    PQclear(result);
    return read;
}

/* Empty when it is not in the journal. */
static str_t applied_hash(PGconn *admin, const char *set, const char *name, arena_t *arena)
{
    const char *values[] = {set, name};
    PGresult *result = PQexecParams(admin, "SELECT hash FROM migration_journal WHERE part = $1 AND name = $2",
                                    2, NULL, values, NULL, NULL, 0);
    str_t hash = PQntuples(result) == 1 ? arena_str(arena, str_from(PQgetvalue(result, 0, 0))) : STR_NONE;
    PQclear(result);
    return hash;
}

static bool note_applied(PGconn *admin, const char *set, const migration_t *migration)
{
    const char *values[] = {set, migration->name, migration->hash};
    PGresult *result =
        PQexecParams(admin, "INSERT INTO migration_journal (part, name, hash) VALUES ($1, $2, $3)", 3, NULL,
                     values, NULL, NULL, 0);
    bool noted = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return noted;
}

bool postgres_migrate(database_t *database, const char *set, const migration_t *migration, arena_t *arena,
                      str_t *error)
{
    PGconn *admin = ((postgres_t *)database->state)->admin;
    if (begin_locked(admin, database->name)) {
        str_t hash = applied_hash(admin, set, migration->name, arena);
        bool by_another = hash.length > 0 && strcmp(hash.at, migration->hash) == 0;
        if (by_another ||
            (hash.length == 0 && run(admin, migration->postgres) && note_applied(admin, set, migration)))
            if (run(admin, "COMMIT"))
                return true;
    }
    finish_with(error, arena, arena_printf(arena, "The migration %s/%s failed", set, migration->name).at,
                database->name, admin);
    roll_back(admin);
    return false;
}
