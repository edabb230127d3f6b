/*
 * Prepares every statement on a fresh connection and compares what PostgreSQL makes of it with what the
 * program expects: the tests run this against each module's schema, so that no statement fails for the first
 * time before a member.
 */
#include "core/db/postgres.h"

static str_t type_name(PGconn *admin, Oid type, arena_t *arena)
{
    str_t text = arena_printf(arena, "%u", type);
    const char *value = text.at;
    PGresult *result =
        PQexecParams(admin, "SELECT format_type($1::oid, NULL)", 1, NULL, &value, NULL, NULL, 0);
    if (PQntuples(result) == 1)
        text = arena_str(arena, str_from(PQgetvalue(result, 0, 0)));
    PQclear(result);
    return text;
}

static bool check_columns(PGconn *admin, const statement_t *statement, const PGresult *described,
                          arena_t *arena, str_t *error)
{
    int count = PQnfields(described);
    if (count != statement->out_count) {
        *error = arena_printf(arena, "The statement %s gives %d columns; its `out:` line names %u.",
                              statement->name, count, statement->out_count);
        return false;
    }
    for (int column = 0; column < count; column++) {
        value_type_t expected = statement->out[column].type;
        Oid type = PQftype(described, column);
        if (postgres_type_fits(expected, type))
            continue;
        *error = arena_printf(
            arena,
            "The statement %s gives column %d (%s) as %s; its `out:` line says %s. Correct the line, "
            "or CAST the column.",
            statement->name, column + 1, PQfname(described, column), type_name(admin, type, arena).at,
            postgres_type_name(expected));
        return false;
    }
    return true;
}

static bool check_parameters(PGconn *admin, const statement_t *statement, const PGresult *described,
                             arena_t *arena, str_t *error)
{
    int count = PQnparams(described);
    if (count != statement->in_count) {
        *error = arena_printf(arena, "The statement %s takes %d parameters; its `in:` line names %u.",
                              statement->name, count, statement->in_count);
        return false;
    }
    for (int place = 0; place < count; place++) {
        Oid type = PQparamtype(described, place), expected = postgres_parameter_type(statement, place);
        if (type == expected)
            continue;
        *error = arena_printf(arena, "The statement %s takes parameter %d as %s; its `in:` line says %s.",
                              statement->name, place + 1, type_name(admin, type, arena).at,
                              postgres_type_name(statement->in[place].type));
        return false;
    }
    return true;
}

static bool check_prepared(PGconn *admin, const statement_t *statement, arena_t *arena, str_t *error)
{
    PGresult *described = PQdescribePrepared(admin, statement->name);
    bool fits = PQresultStatus(described) == PGRES_COMMAND_OK &&
                check_parameters(admin, statement, described, arena, error) &&
                check_columns(admin, statement, described, arena, error);
    PQclear(described);
    return fits;
}

static bool check_statement(PGconn *admin, const statement_t *statement, arena_t *arena, str_t *error)
{
    Oid types[POSTGRES_PARAMETERS_MAX];
    for (size_t place = 0; place < statement->in_count; place++)
        types[place] = postgres_parameter_type(statement, place);
    PGresult *result = PQprepare(admin, statement->name, statement->postgres, statement->in_count, types);
    bool prepared = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    if (prepared)
        return check_prepared(admin, statement, arena, error);
    *error = arena_printf(arena, "The statement %s cannot be prepared: %s.", statement->name,
                          postgres_message(arena, PQerrorMessage(admin)).at);
    return false;
}

bool postgres_check(database_t *database, arena_t *arena, str_t *error)
{
    PGconn *admin = postgres_admin_connect(database->state, arena, error);
    bool fits = admin != NULL;
    for (size_t place = 0; fits && place < database->statement_count; place++)
        fits = check_statement(admin, database->statements[place], arena, error);
    PQfinish(admin);
    return fits;
}
