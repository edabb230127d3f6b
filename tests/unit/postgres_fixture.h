/*
 * A module with tables of its own in a schema of its own, on the server of FOLKMOOT_TEST_POSTGRES: what the
 * tests of the PostgreSQL driver stand on. Without that variable they are skipped. Each test file includes it
 * once.
 */
#ifndef FOLKMOOT_POSTGRES_FIXTURE_H
#define FOLKMOOT_POSTGRES_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka's; ours has another meaning */

#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/api.h"
#include "core/crypto/crypto.h"
#include "core/db/options.h"
#include "core/host.h"
#include "core/module.h"
#include "core/runtime/logline.h"

#define UNUSED __attribute__((unused))

enum { TEST_SKIPPED = 77 }; /* as the build tells ctest */

/* ---- statements ---- */

typedef struct counter {
    int64_t id, value;
} counter_t;

typedef struct number {
    int64_t value;
} number_t;

typedef struct text {
    str_t value;
} text_t;

/* Every type: never null, and nullable. */
typedef struct values {
    int64_t number, at;
    bool yes;
    str_t name, raw;
    uuid_t id;
    int64_t maybe_number, maybe_at;
    bool has_maybe_number, maybe_yes, has_maybe_yes;
    str_t maybe_name, maybe_raw;
    uuid_t maybe_id;
} values_t;

#define AT(type, name)           offsetof(type, name), NO_HAS
#define AT_WITH_HAS(type, field) offsetof(type, field), offsetof(type, has_##field)
#define IN(slots)                .in = (slots), .in_count = COUNT_OF(slots)
#define OUT(slots, type)         .out = (slots), .out_count = COUNT_OF(slots), .row_size = sizeof(type)

static const value_slot_t number_slots[] = {{VALUE_INT, false, AT(number_t, value)}};
static const value_slot_t text_slots[] = {{VALUE_TEXT, false, AT(text_t, value)}};
static const value_slot_t counter_slots[] = {{VALUE_INT, false, AT(counter_t, id)},
                                             {VALUE_INT, false, AT(counter_t, value)}};
static const value_slot_t values_slots[] = {
    {VALUE_INT, false, AT(values_t, number)},
    {VALUE_TIME, false, AT(values_t, at)},
    {VALUE_BOOL, false, AT(values_t, yes)},
    {VALUE_TEXT, false, AT(values_t, name)},
    {VALUE_BYTES, false, AT(values_t, raw)},
    {VALUE_UUID, false, AT(values_t, id)},
    {VALUE_INT, true, AT_WITH_HAS(values_t, maybe_number)},
    {VALUE_TIME, true, AT(values_t, maybe_at)},
    {VALUE_BOOL, true, AT_WITH_HAS(values_t, maybe_yes)},
    {VALUE_TEXT, true, AT(values_t, maybe_name)},
    {VALUE_BYTES, true, AT(values_t, maybe_raw)},
    {VALUE_UUID, true, AT(values_t, maybe_id)},
};

enum {
    VALUES_INSERT,
    VALUES_INSERT_EACH,
    VALUES_ALL,
    VALUES_NUMBERED,
    COUNTER_READ,
    COUNTER_SET,
    COUNTER_ADD,
    COUNTER_INSERT,
    COUNTER_SUM,
    COUNTERS,
    DIVIDE,
    SLEEP,
    SLEEP_SLOWLY,
    NULL_AS_NUMBER,
    TWO_ROWS,
    KILL_OTHERS,
    OWN_PROCESS,
    SERIES,
    LENGTH_OF,
    FIXTURE_STATEMENTS
};

static statement_t fixture_statements[FIXTURE_STATEMENTS] = {
    [VALUES_INSERT] =
        {.name = "fixture.values_insert",
         .postgres = "INSERT INTO all_values VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
         IN(values_slots),
         .shape = SHAPE_NONE,
         .writes = true},
    [VALUES_INSERT_EACH] = {.name = "fixture.values_insert_each",
                            .postgres = "INSERT INTO all_values SELECT * FROM unnest($1, $2, $3, $4, $5, $6, "
                                        "$7, $8, $9, $10, $11, $12)",
                            IN(values_slots),
                            .in_size = sizeof(values_t),
                            .each = true,
                            .shape = SHAPE_NONE,
                            .writes = true},
    [VALUES_NUMBERED] = {.name = "fixture.values_numbered",
                         .postgres = "SELECT v.* FROM unnest($1) AS wanted (number) JOIN all_values v "
                                     "ON v.number = wanted.number ORDER BY v.number",
                         IN(number_slots),
                         .in_size = sizeof(number_t),
                         .each = true,
                         OUT(values_slots, values_t),
                         .shape = SHAPE_MANY},
    [VALUES_ALL] = {.name = "fixture.values_all",
                    .postgres = "SELECT * FROM all_values ORDER BY number",
                    OUT(values_slots, values_t),
                    .shape = SHAPE_MANY},
    [COUNTER_READ] = {.name = "fixture.counter_read",
                      .postgres = "SELECT value FROM counter WHERE id = $1",
                      IN(number_slots),
                      OUT(number_slots, number_t),
                      .shape = SHAPE_OPTIONAL},
    [COUNTER_SET] = {.name = "fixture.counter_set",
                     .postgres = "UPDATE counter SET value = $2 WHERE id = $1",
                     IN(counter_slots),
                     .shape = SHAPE_NONE,
                     .writes = true},
    [COUNTER_ADD] = {.name = "fixture.counter_add",
                     .postgres = "UPDATE counter SET value = value + $2 WHERE id = $1",
                     IN(counter_slots),
                     .shape = SHAPE_AFFECTED,
                     .writes = true},
    [COUNTER_INSERT] = {.name = "fixture.counter_insert",
                        .postgres = "INSERT INTO counter (id, value) VALUES ($1, $2)",
                        IN(counter_slots),
                        .shape = SHAPE_NONE,
                        .writes = true},
    [COUNTER_SUM] = {.name = "fixture.counter_sum",
                     .postgres = "SELECT CAST(coalesce(sum(value), 0) AS bigint) FROM counter",
                     OUT(number_slots, number_t),
                     .shape = SHAPE_ONE},
    [COUNTERS] = {.name = "fixture.counters",
                  .postgres = "SELECT id, value FROM counter ORDER BY id LIMIT 100",
                  OUT(counter_slots, counter_t),
                  .shape = SHAPE_MANY},
    [DIVIDE] = {.name = "fixture.divide",
                .postgres = "SELECT 100 / $1",
                IN(number_slots),
                OUT(number_slots, number_t),
                .shape = SHAPE_ONE},
    [SLEEP] = {.name = "fixture.sleep",
               .postgres = "SELECT $1 FROM pg_sleep($1 / 1000.0)",
               IN(number_slots),
               OUT(number_slots, number_t),
               .shape = SHAPE_ONE},
    [SLEEP_SLOWLY] = {.name = "fixture.sleep_slowly",
                      .postgres = "SELECT $1 FROM pg_sleep($1 / 1000.0)",
                      IN(number_slots),
                      OUT(number_slots, number_t),
                      .shape = SHAPE_ONE,
                      .slow = true},
    [NULL_AS_NUMBER] = {.name = "fixture.null_as_number",
                        .postgres = "SELECT CAST(NULL AS bigint)",
                        OUT(number_slots, number_t),
                        .shape = SHAPE_ONE},
    [TWO_ROWS] = {.name = "fixture.two_rows",
                  .postgres = "SELECT i FROM generate_series(CAST(1 AS bigint), 2) AS i",
                  OUT(number_slots, number_t),
                  .shape = SHAPE_OPTIONAL},
    [KILL_OTHERS] = {.name = "fixture.kill_others",
                     .postgres =
                         "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                         "WHERE pid <> pg_backend_pid() AND application_name = 'folkmoot' AND datname = "
                         "current_database() AND query LIKE '%' || $1 || '%'",
                     IN(text_slots),
                     OUT(number_slots, number_t),
                     .shape = SHAPE_ONE,
                     .slow = true},
    [OWN_PROCESS] = {.name = "fixture.own_process",
                     .postgres = "SELECT CAST(pg_backend_pid() AS bigint)",
                     OUT(number_slots, number_t),
                     .shape = SHAPE_ONE},
    [SERIES] = {.name = "fixture.series",
                .postgres = "SELECT i FROM generate_series(CAST(1 AS bigint), $1) AS i",
                IN(number_slots),
                OUT(number_slots, number_t),
                .shape = SHAPE_MANY},
    [LENGTH_OF] = {.name = "fixture.length_of",
                   .postgres = "SELECT CAST(length($1) AS bigint)",
                   IN(text_slots),
                   OUT(number_slots, number_t),
                   .shape = SHAPE_ONE},
};

static const char fixture_schema[] =
    "CREATE TABLE counter (id bigint PRIMARY KEY, value bigint NOT NULL);"
    "CREATE TABLE all_values (number bigint NOT NULL, at bigint NOT NULL, yes boolean NOT NULL, name text "
    "NOT NULL,"
    " raw bytea NOT NULL, id uuid NOT NULL, maybe_number bigint, maybe_at bigint, maybe_yes boolean,"
    " maybe_name text, maybe_raw bytea, maybe_id uuid);"
    "INSERT INTO counter VALUES (1, 0);";

static const migration_t fixture_migrations[] = {
    {.name = "0001_create_counter", .sqlite = "", .postgres = fixture_schema, .hash = "a1"},
    {.name = "0002_create_nothing", .sqlite = "", .postgres = "", .hash = "a2"},
};

/* ---- a host with that module ---- */

typedef struct fixture {
    arena_t *arena;
    const char *url;
    char name[32];
    host_t host;
    module_t module;
    database_t *database;
    loop_t *loop;
} fixture_t;

static UNUSED const char *test_server(void)
{
    const char *url = getenv("FOLKMOOT_TEST_POSTGRES");
    if (url && *url)
        return url;
    puts("skipped: FOLKMOOT_TEST_POSTGRES does not name a server (tools/postgres_cluster.sh starts one)");
    return NULL;
}

static UNUSED fixture_t *fixture_new(const char *url)
{
    static int count;
    fixture_t *fixture = calloc(1, sizeof *fixture);
    crypto_start();
    logline_configure(LINE_ERROR, STDERR_FILENO);
    fixture->arena = arena_new();
    fixture->url = url;
    snprintf(fixture->name, sizeof fixture->name, "test-%d-%d", (int)getpid(), count++);
    fixture->module = (module_t){
        .interface = MODULE_INTERFACE,
        .name = fixture->name,
        .statements = fixture_statements,
        .statement_count = FIXTURE_STATEMENTS,
        .migrations = fixture_migrations,
        .migration_count = COUNT_OF(fixture_migrations),
    };
    fixture->host.config = config_new(fixture->arena);
    config_add_options(fixture->host.config, database_options, database_option_count);
    fixture->host.modules[0] = &fixture->module;
    fixture->host.module_count = 1;
    fixture->loop = loop_new();
    loop_attach(fixture->loop);
    return fixture;
}

static UNUSED void fixture_set(fixture_t *fixture, const char *name, const char *value)
{
    str_t error;
    assert_true(config_set(fixture->host.config, str_from(name), str_from(value), "test", &error));
}

static UNUSED bool fixture_open(fixture_t *fixture, str_t *error)
{
    fixture->database =
        database_open(&fixture->host, &fixture->module, str_from(fixture->url), fixture->arena, error);
    fixture->host.databases[0] = fixture->database;
    return fixture->database != NULL;
}

static UNUSED void fixture_close(fixture_t *fixture)
{
    database_close(fixture->database);
    fixture->database = NULL;
}

/* By hand, beside the driver. */
static UNUSED void run_sql(const char *url, const char *sql)
{
    PGconn *link = PQconnectdb(url);
    PGresult *result = PQexec(link, "SET client_min_messages = warning");
    PQclear(result);
    result = PQexec(link, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        print_error("%s", PQerrorMessage(link));
    PQclear(result);
    PQfinish(link);
}

static UNUSED void fixture_free(fixture_t *fixture)
{
    char sql[128];
    fixture_close(fixture);
    snprintf(sql, sizeof sql, "DROP SCHEMA IF EXISTS \"%s\" CASCADE", fixture->name);
    run_sql(fixture->url, sql);
    loop_free(fixture->loop);
    arena_free(fixture->arena);
    free(fixture);
}

static UNUSED int begin(void **state)
{
    fixture_t *fixture = fixture_new(getenv("FOLKMOOT_TEST_POSTGRES"));
    str_t error = STR("");
    *state = fixture;
    if (fixture_open(fixture, &error))
        return 0;
    print_error("%s\n", error.at);
    return -1;
}

static UNUSED int end(void **state)
{
    fixture_free(*state);
    return 0;
}

/* ---- work: in fibers of this thread's loop, or on the thread itself ---- */

typedef struct work {
    fixture_t *fixture;
    void (*run)(req_t *req, void *work);
    int number;
    int64_t patience_us; /* 0: for ever */
    fiber_t *fiber;
    bool cancel_early;
    /* What came of it. */
    const problem_kind_t *problem;
    char detail[200];
    int64_t value, took_us;
} work_t;

static UNUSED void work_run(void *arg)
{
    work_t *work = arg;
    req_t *req = req_new(&work->fixture->host, &work->fixture->module);
    int64_t began = clock_monotonic();
    work->fiber = fiber_self();
    if (work->patience_us)
        req->deadline = began + work->patience_us;
    if (!req_attempt(req, work->run, work)) {
        work->problem = req->problem.kind;
        snprintf(work->detail, sizeof work->detail, "%s",
                 req->problem.detail.at ? req->problem.detail.at : "");
    }
    work->took_us = clock_monotonic() - began;
    work->fiber = NULL;
    req_free(req);
}

static UNUSED void loop_until_idle(loop_t *loop)
{
    while (fiber_count() > 0) {
        loop_turn(loop);
        if (fiber_count() > 0 && loop_timeout_ms(loop) > 0)
            usleep(50);
    }
}

static UNUSED work_t *works_new(fixture_t *fixture, int count, void (*run)(req_t *req, void *work))
{
    work_t *works = calloc((size_t)count, sizeof *works);
    for (int i = 0; i < count; i++)
        works[i] = (work_t){.fixture = fixture, .run = run, .number = i};
    return works;
}

static UNUSED void works_start(work_t *works, int count)
{
    for (int i = 0; i < count; i++)
        assert_true(fiber_start("work", work_run, &works[i]));
}

static UNUSED void works_run(work_t *works, int count)
{
    works_start(works, count);
    loop_until_idle(works[0].fixture->loop);
}

/* One piece of work, in a fiber and then once more on the thread itself: both must go the same way. */
static UNUSED work_t run_one(fixture_t *fixture, bool in_fiber, void (*run)(req_t *req, void *work))
{
    work_t work = {.fixture = fixture, .run = run};
    if (in_fiber)
        works_run(&work, 1);
    else
        work_run(&work);
    return work;
}

static UNUSED int64_t read_number(req_t *req, int statement, int64_t in)
{
    number_t parameter = {in}, row = {0};
    statement_fetch(db_read(req), &fixture_statements[statement], &parameter, &row);
    return row.value;
}

static UNUSED void read_sum(req_t *req, void *arg)
{
    work_t *work = arg;
    number_t row;
    statement_fetch(db_read(req), &fixture_statements[COUNTER_SUM], NULL, &row);
    work->value = row.value;
}

static UNUSED int64_t sum(fixture_t *fixture)
{
    work_t work = run_one(fixture, false, read_sum);
    assert_null(work.problem);
    return work.value;
}

static UNUSED void assert_problem(const work_t *work, const problem_kind_t *kind)
{
    if (work->problem != kind)
        print_error("problem %s: %s\n", work->problem ? work->problem->code : "none", work->detail);
    assert_ptr_equal(work->problem, kind);
}

#endif
