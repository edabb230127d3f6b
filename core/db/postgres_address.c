/*
 * From the URL in the configuration to libpq's parameters. libpq repeats parts of a URL that it cannot read,
 * and a password with an unescaped '@' or '/' becomes part of what it takes for the host: so such URLs are
 * refused here, unrepeated.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/db/postgres.h"
#include "core/runtime/panic.h"

enum { SLOW_TIMEOUT_US = 60 * SECOND_US };

static bool has_stray_at(const char *url)
{
    const char *at = strstr(url, "://");
    at = at ? at + 3 : url;
    size_t user = strcspn(at, "@/?#");
    const char *rest = at[user] == '@' ? at + user + 1 : at + user;
    return strchr(rest, '@') != NULL;
}

static const char *parsed_value(const PQconninfoOption *parsed, const char *keyword)
{
    for (; parsed->keyword; parsed++)
        if (strcmp(parsed->keyword, keyword) == 0)
            return parsed->val;
    return NULL;
}

static bool ports_are_numbers(const char *ports)
{
    return ports == NULL || ports[strspn(ports, "0123456789,")] == '\0';
}

static PQconninfoOption *parse(const char *url)
{
    char *message = NULL;
    PQconninfoOption *parsed = PQconninfoParse(url, &message);
    PQfreemem(message);
    return parsed;
}

/* ---- the session's settings ---- */

/* A name for the `options` parameter: in double quotes for SQL, with backslashes for libpq's words. */
static char *copy_quoted(char *to, const char *name)
{
    *to++ = '"';
    for (; *name; name++) {
        if (*name == '"')
            *to++ = '"';
        if (*name == ' ' || *name == '\\')
            *to++ = '\\';
        *to++ = *name;
    }
    *to++ = '"';
    *to = '\0';
    return to;
}

/*
 * The server ends a statement that takes too long, one whose client is gone, and a transaction that was left
 * open: each would hold locks that others wait for. A serializable transaction that scans a table collides
 * with all that write to it, so bodies go by an index wherever one fits, be the table ever so small. Plans
 * are never compiled (jit): that costs more than our statements take.
 */
static char *session_options(const char *given, const char *schema, int64_t timeout_us, bool reads_only)
{
    enum { SETTINGS_LENGTH = 512 };
    size_t size = (given ? strlen(given) : 0) + 2 * strlen(schema) + SETTINGS_LENGTH;
    char *options = memory_new(size);
    char *end =
        options + snprintf(options, size, "%s%s-c search_path=", given ? given : "", given ? " " : "");
    end = copy_quoted(end, schema);
    snprintf(end, size - (size_t)(end - options),
             " -c statement_timeout=%lld -c idle_in_transaction_session_timeout=60000"
             " -c client_connection_check_interval=1000 -c TimeZone=UTC -c jit=off"
             " -c %s",
             (long long)(timeout_us / MILLISECOND_US),
             reads_only ? "default_transaction_read_only=on" : "enable_seqscan=off");
    return options;
}

static char *copy(const char *text)
{
    char *made = strdup(text);
    if (made == NULL)
        panic("no memory for the address of a database");
    return made;
}

static void add(connect_parameters_t *parameters, size_t *count, const char *keyword, char *value)
{
    parameters->keywords[*count] = copy(keyword);
    parameters->values[(*count)++] = value;
}

static bool is_ours(const char *keyword)
{
    return strcmp(keyword, "options") == 0 || strcmp(keyword, "client_encoding") == 0 ||
           strcmp(keyword, "application_name") == 0;
}

/* A server whose host is gone is noticed within half a minute, unless the URL says otherwise. */
static void add_network_limits(connect_parameters_t *parameters, size_t *count,
                               const PQconninfoOption *parsed)
{
    static const char *const limits[][2] = {{"keepalives_idle", "15"},
                                            {"keepalives_interval", "5"},
                                            {"keepalives_count", "3"},
                                            {"tcp_user_timeout", "30000"}};
    for (size_t i = 0; i < COUNT_OF(limits); i++)
        if (parsed_value(parsed, limits[i][0]) == NULL)
            add(parameters, count, limits[i][0], copy(limits[i][1]));
}

static connect_parameters_t make_parameters(const PQconninfoOption *parsed, char *options)
{
    connect_parameters_t parameters = {memory_new((POSTGRES_KEYWORDS_MAX + 1) * sizeof(char *)),
                                       memory_new((POSTGRES_KEYWORDS_MAX + 1) * sizeof(char *))};
    size_t count = 0;
    add_network_limits(&parameters, &count, parsed);
    add(&parameters, &count, "options", options);
    add(&parameters, &count, "client_encoding", copy("UTF8"));
    add(&parameters, &count, "application_name", copy("folkmoot"));
    for (; parsed->keyword && count < POSTGRES_KEYWORDS_MAX; parsed++)
        if (parsed->val && !is_ours(parsed->keyword))
            add(&parameters, &count, parsed->keyword, copy(parsed->val));
    return parameters;
}

static void make_all(postgres_t *postgres, const PQconninfoOption *parsed)
{
    const char *given = parsed_value(parsed, "options"), *schema = postgres->database->name;
    int64_t timeout = postgres->statement_timeout_us;
    int64_t slow = timeout > SLOW_TIMEOUT_US ? timeout : SLOW_TIMEOUT_US;
    postgres->reading = make_parameters(parsed, session_options(given, schema, timeout, true));
    postgres->writing = make_parameters(parsed, session_options(given, schema, timeout, false));
    postgres->slow = make_parameters(parsed, session_options(given, schema, slow, true));
}

bool postgres_address_read(postgres_t *postgres, arena_t *arena, str_t *error)
{
    database_t *database = postgres->database;
    const char *wrong = NULL;
    PQconninfoOption *parsed = NULL;
    if (has_stray_at(database->url))
        wrong = "a '@', ':', '/', '?' or '#' in the user or the password must be written as %40, %3A, %2F, "
                "%3F or %23";
    else if ((parsed = parse(database->url)) == NULL)
        wrong = "it is not of the form postgres://user:password@host:port/database";
    else if (!ports_are_numbers(parsed_value(parsed, "port")))
        wrong = "its port is not a number";
    else
        make_all(postgres, parsed);
    PQconninfoFree(parsed);
    if (wrong)
        *error = arena_printf(arena,
                              "The address of the database of %s cannot be used: %s. Correct database.%s or "
                              "database.url in the configuration.",
                              database->name, wrong, database->name);
    return wrong == NULL;
}

static void free_list(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

void postgres_address_free(postgres_t *postgres)
{
    connect_parameters_t *all[] = {&postgres->reading, &postgres->writing, &postgres->slow};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        free_list(all[i]->keywords);
        free_list(all[i]->values);
    }
}
