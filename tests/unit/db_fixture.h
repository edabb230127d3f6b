/*
 * A small module with its own tables and statements, a data directory of its own, and loops with fibers: what
 * the tests of the database port and of the SQLite driver stand on. Each test file includes it once.
 */
#ifndef FOLKMOOT_DB_FIXTURE_H
#define FOLKMOOT_DB_FIXTURE_H

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/api.h"
#include "core/crypto/crypto.h"
#include "core/db/driver.h"
#include "core/db/sqlite.h"
#include "core/module.h"

#define UNUSED __attribute__((unused))

/* ---- the module ---- */

typedef struct thing {
    str_t name;
    int64_t amount;
} thing_t;

typedef struct number {
    int64_t value;
} number_t;

/* One of each type that can be null, as parameters and as a row. */
typedef struct every {
    bool has_i, has_b;
    bool b;
    int64_t i, at;
    str_t t, x;
    uuid_t u;
} every_t;

static const value_slot_t thing_slots[] = {
    {VALUE_TEXT, false, offsetof(thing_t, name), NO_HAS},
    {VALUE_INT, false, offsetof(thing_t, amount), NO_HAS},
};
static const value_slot_t number_slots[] = {{VALUE_INT, false, offsetof(number_t, value), NO_HAS}};
static const value_slot_t every_slots[] = {
    {VALUE_INT, true, offsetof(every_t, i), offsetof(every_t, has_i)},
    {VALUE_BOOL, true, offsetof(every_t, b), offsetof(every_t, has_b)},
    {VALUE_TEXT, true, offsetof(every_t, t), NO_HAS},
    {VALUE_BYTES, true, offsetof(every_t, x), NO_HAS},
    {VALUE_UUID, true, offsetof(every_t, u), NO_HAS},
    {VALUE_TIME, true, offsetof(every_t, at), NO_HAS},
};
/* The same columns, declared as never null. */
static const value_slot_t strict_slots[] = {
    {VALUE_INT, false, offsetof(every_t, i), NO_HAS},  {VALUE_BOOL, false, offsetof(every_t, b), NO_HAS},
    {VALUE_TEXT, false, offsetof(every_t, t), NO_HAS}, {VALUE_BYTES, false, offsetof(every_t, x), NO_HAS},
    {VALUE_UUID, false, offsetof(every_t, u), NO_HAS}, {VALUE_TIME, false, offsetof(every_t, at), NO_HAS},
};

enum {
    THING_INSERT,
    THINGS_INSERT,
    THINGS_NAMED,
    THING_COUNT,
    THING_LIST,
    THING_RAISE,
    THING_FILL,
    THING_NAMED,
    EVERY_INSERT,
    EVERY_FIND,
    EVERY_STRICT,
    EVERY_INSERT_STRICT,
    COUNT_TO,
    ORPHAN_INSERT,
    COUNT_BY_WRITING,
    FIXTURE_STATEMENTS
};

#define BOTH(text)       .sqlite = (text), .postgres = (text)
#define IN(slots)        .in = (slots), .in_count = COUNT_OF(slots)
#define OUT(slots, type) .out = (slots), .out_count = COUNT_OF(slots), .row_size = sizeof(type)

#define COUNTING "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "

static statement_t fixture_statements[FIXTURE_STATEMENTS] = {
    [THING_INSERT] = {.name = "fixture.thing_insert",
                      BOTH("INSERT INTO thing (name, amount) VALUES (?1, ?2)"),
                      IN(thing_slots),
                      .shape = SHAPE_NONE,
                      .writes = true},
    [THINGS_INSERT] = {.name = "fixture.things_insert",
                       BOTH("INSERT INTO thing (name, amount) VALUES (?1, ?2)"),
                       IN(thing_slots),
                       .in_size = sizeof(thing_t),
                       .each = true,
                       .shape = SHAPE_NONE,
                       .writes = true},
    [THINGS_NAMED] = {.name = "fixture.things_named",
                      BOTH("SELECT name, amount FROM thing WHERE amount = ?1"),
                      IN(number_slots),
                      .in_size = sizeof(number_t),
                      .each = true,
                      OUT(thing_slots, thing_t),
                      .shape = SHAPE_MANY},
    [THING_COUNT] = {.name = "fixture.thing_count",
                     BOTH("SELECT count(*) FROM thing"),
                     OUT(number_slots, number_t),
                     .shape = SHAPE_ONE},
    [THING_LIST] = {.name = "fixture.thing_list",
                    BOTH("SELECT name, amount FROM thing ORDER BY amount LIMIT 1000"),
                    OUT(thing_slots, thing_t),
                    .shape = SHAPE_MANY},
    [THING_RAISE] = {.name = "fixture.thing_raise",
                     BOTH("UPDATE thing SET amount = amount + ?1"),
                     IN(number_slots),
                     .shape = SHAPE_AFFECTED,
                     .writes = true},
    [THING_FILL] = {.name = "fixture.thing_fill",
                    BOTH("INSERT INTO thing (name, amount) VALUES (hex(zeroblob(?1)), 0)"),
                    IN(number_slots),
                    .shape = SHAPE_NONE,
                    .writes = true},
    [THING_NAMED] = {.name = "fixture.thing_named",
                     BOTH("SELECT name, amount FROM thing WHERE amount = ?1"),
                     IN(number_slots),
                     OUT(thing_slots, thing_t),
                     .shape = SHAPE_OPTIONAL},
    [EVERY_INSERT] = {.name = "fixture.every_insert",
                      BOTH("INSERT INTO every (i, b, t, x, u, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"),
                      IN(every_slots),
                      .shape = SHAPE_NONE,
                      .writes = true},
    [EVERY_FIND] = {.name = "fixture.every_find",
                    BOTH("SELECT i, b, t, x, u, at FROM every"),
                    OUT(every_slots, every_t),
                    .shape = SHAPE_ONE},
    [EVERY_STRICT] = {.name = "fixture.every_strict",
                      BOTH("SELECT i, b, t, x, u, at FROM every"),
                      OUT(strict_slots, every_t),
                      .shape = SHAPE_ONE},
    [EVERY_INSERT_STRICT] = {.name = "fixture.every_insert_strict",
                             BOTH("INSERT INTO every (i, b, t, x, u, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"),
                             IN(strict_slots),
                             .shape = SHAPE_NONE,
                             .writes = true},
    [COUNT_TO] = {.name = "fixture.count_to",
                  BOTH(COUNTING "SELECT count(*) FROM n"),
                  IN(number_slots),
                  OUT(number_slots, number_t),
                  .shape = SHAPE_ONE,
                  .slow = true},
    [ORPHAN_INSERT] = {.name = "fixture.orphan_insert",
                       BOTH("INSERT INTO child (parent) VALUES (12345)"),
                       .shape = SHAPE_NONE,
                       .writes = true},
    [COUNT_BY_WRITING] = {.name = "fixture.count_by_writing",
                          BOTH("INSERT INTO thing (name, amount) " COUNTING "SELECT 'n' || i, i FROM n"),
                          IN(number_slots),
                          .shape = SHAPE_NONE,
                          .writes = true},
};

static const char fixture_schema[] =
    "CREATE TABLE thing (name text NOT NULL UNIQUE, amount bigint NOT NULL);"
    "CREATE TABLE every (i bigint, b boolean, t text, x bytea, u uuid, at bigint);"
    "CREATE TABLE parent (id bigint PRIMARY KEY);"
    "CREATE TABLE child (parent bigint REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);";

static const migration_t fixture_migrations[] = {
    {.name = "0001_create_things", .sqlite = fixture_schema, .postgres = fixture_schema, .hash = "a1"},
    {.name = "0002_create_nothing", .sqlite = "", .postgres = "", .hash = "a2"},
};

/* ---- a host with that module ---- */

typedef struct fixture {
    arena_t *arena;
    char folder[64];
    host_t host;
    module_t module;
    database_t *database;
} fixture_t;

static UNUSED bool fixture_open(fixture_t *fixture, str_t *error)
{
    fixture->database =
        database_open(&fixture->host, &fixture->module, STR("sqlite:"), fixture->arena, error);
    fixture->host.databases[0] = fixture->database;
    return fixture->database != NULL;
}

static UNUSED void fixture_close(fixture_t *fixture)
{
    database_close(fixture->database);
    fixture->database = NULL;
}

static UNUSED fixture_t *fixture_new(void)
{
    fixture_t *fixture = calloc(1, sizeof *fixture);

    crypto_start();
    fixture->arena = arena_new();
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/folkmoot-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    fixture->module = (module_t){
        .interface = MODULE_INTERFACE,
        .name = "fixture",
        .statements = fixture_statements,
        .statement_count = FIXTURE_STATEMENTS,
        .migrations = fixture_migrations,
        .migration_count = COUNT_OF(fixture_migrations),
    };
    fixture->host.data = str_from(fixture->folder);
    fixture->host.modules[0] = &fixture->module;
    fixture->host.module_count = 1;
    return fixture;
}

static UNUSED void fixture_free(fixture_t *fixture)
{
    DIR *folder = opendir(fixture->folder);

    fixture_close(fixture);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder)
        closedir(folder);
    rmdir(fixture->folder);
    arena_free(fixture->arena);
    free(fixture);
}

static UNUSED int begin_fixture(void **state)
{
    fixture_t *fixture = fixture_new();
    str_t error = STR("");

    if (!fixture_open(fixture, &error))
        print_error("%s\n", error.at);
    *state = fixture;
    return fixture->database ? 0 : -1;
}

static UNUSED int end_fixture(void **state)
{
    fixture_free(*state);
    return 0;
}

/* ---- requests ---- */

/* Runs work(req, arg) as a request of the module; gives the problem it ended in, NULL when it ended well. */
static UNUSED const problem_kind_t *attempt(req_t *req, void (*work)(req_t *req, void *arg), void *arg)
{
    return req_attempt(req, work, arg) ? NULL : req->problem.kind;
}

static UNUSED const problem_kind_t *request(fixture_t *fixture, void (*work)(req_t *req, void *arg),
                                            void *arg)
{
    req_t *req = req_new(&fixture->host, &fixture->module);
    const problem_kind_t *kind = attempt(req, work, arg);

    req_free(req);
    return kind;
}

static UNUSED void insert_thing(tx_t *tx, const char *name, int64_t amount)
{
    thing_t thing = {str_from(name), amount};

    statement_run(tx, &fixture_statements[THING_INSERT], &thing);
}

static UNUSED void insert_numbered(tx_t *tx, void *arg)
{
    char name[32];
    int *number = arg;

    snprintf(name, sizeof name, "thing %d", *number);
    insert_thing(tx, name, *number);
}

static UNUSED void insert_or_fail(tx_t *tx, void *arg)
{
    int *number = arg;

    insert_numbered(tx, arg);
    if (*number % 5 == 3)
        fail(tx->req, &FORBIDDEN, "Number %d may not.", *number);
}

static UNUSED void apply_numbered(req_t *req, void *arg)
{
    db_apply(req, insert_numbered, arg);
}

static UNUSED void count_things_work(req_t *req, void *arg)
{
    statement_fetch(db_read(req), &fixture_statements[THING_COUNT], NULL, arg);
}

static UNUSED int64_t count_things(fixture_t *fixture)
{
    number_t count = {-1};

    assert_null(request(fixture, count_things_work, &count));
    return count.value;
}

/* ---- loops with fibers ---- */

typedef struct crew crew_t;

typedef struct hand {
    crew_t *crew;
    int number; /* 0, 1, 2 … over all loops */
    req_t *req;
    const problem_kind_t *problem;
    void *arg;
} hand_t;

enum { HANDS_MAX = 1024, CREW_LOOPS_MAX = 8 };

typedef struct crew_loop {
    crew_t *crew;
    int number;
    pthread_t thread;
} crew_loop_t;

struct crew {
    fixture_t *fixture;
    void (*work)(req_t *req, hand_t *hand);
    void (*prepare)(hand_t *hand); /* NULL: nothing; on the loop's thread, before the fiber starts */
    void *arg;
    int loops, fibers; /* fibers on each loop */
    crew_loop_t threads[CREW_LOOPS_MAX];
    hand_t hands[HANDS_MAX];
};

static void hand_attempt(req_t *req, void *arg)
{
    hand_t *hand = arg;

    hand->crew->work(req, hand);
}

static void hand_run(void *arg)
{
    hand_t *hand = arg;

    hand->problem = req_attempt(hand->req, hand_attempt, hand) ? NULL : hand->req->problem.kind;
    req_free(hand->req);
}

static void *crew_loop_run(void *arg)
{
    crew_loop_t *own = arg;
    crew_t *crew = own->crew;
    loop_t *loop = loop_new();

    loop_attach(loop);
    for (int i = 0; i < crew->fibers; i++) {
        hand_t *hand = &crew->hands[own->number * crew->fibers + i];

        *hand = (hand_t){.crew = crew, .number = own->number * crew->fibers + i, .arg = crew->arg};
        hand->req = req_new(&crew->fixture->host, &crew->fixture->module);
        if (crew->prepare)
            crew->prepare(hand);
        assert_true(fiber_start("hand", hand_run, hand));
    }
    while (fiber_count() > 0) {
        loop_turn(loop);
        if (fiber_count() > 0 && loop_timeout_ms(loop) > 0)
            usleep(100);
    }
    loop_free(loop);
    return NULL;
}

static UNUSED crew_t *crew_new(fixture_t *fixture, int loops, int fibers,
                               void (*work)(req_t *req, hand_t *hand), void *arg)
{
    crew_t *crew = calloc(1, sizeof *crew);

    assert_true(loops <= CREW_LOOPS_MAX && loops * fibers <= HANDS_MAX);
    crew->fixture = fixture;
    crew->loops = loops;
    crew->fibers = fibers;
    crew->work = work;
    crew->arg = arg;
    return crew;
}

/* Each loop on a thread of its own. */
static UNUSED void crew_start(crew_t *crew)
{
    for (int i = 0; i < crew->loops; i++) {
        crew->threads[i] = (crew_loop_t){.crew = crew, .number = i};
        assert_int_equal(pthread_create(&crew->threads[i].thread, NULL, crew_loop_run, &crew->threads[i]), 0);
    }
}

static UNUSED void crew_join(crew_t *crew)
{
    for (int i = 0; i < crew->loops; i++)
        pthread_join(crew->threads[i].thread, NULL);
}

static UNUSED void crew_run(crew_t *crew)
{
    crew_start(crew);
    crew_join(crew);
}

static UNUSED int crew_count(const crew_t *crew, const problem_kind_t *problem)
{
    int count = 0;

    for (int i = 0; i < crew->loops * crew->fibers; i++)
        count += crew->hands[i].problem == problem;
    return count;
}

/* ---- holding the write lock, so that bodies gather into one batch ---- */

static UNUSED sqlite3 *lock_file(fixture_t *fixture)
{
    sqlite3 *handle = NULL;

    assert_int_equal(sqlite3_open(sqlite_state_of(fixture->database)->path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return handle;
}

static UNUSED void unlock_file(sqlite3 *handle)
{
    assert_int_equal(sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(handle);
}

static UNUSED void wait_for_queue(fixture_t *fixture, size_t length)
{
    int64_t deadline = clock_monotonic() + 20 * SECOND_US;

    while (database_counts(fixture->database).waiting != length && clock_monotonic() < deadline)
        usleep(1000);
    assert_int_equal(database_counts(fixture->database).waiting, length);
}

static UNUSED void insert_plain_work(req_t *req, hand_t *hand)
{
    db_apply(req, insert_numbered, &hand->number);
}

/* Runs the crew with all of its bodies in one batch. */
static UNUSED void run_as_one_batch(crew_t *crew)
{
    sqlite3 *lock = lock_file(crew->fixture);

    crew_start(crew);
    wait_for_queue(crew->fixture, (size_t)(crew->loops * crew->fibers));
    unlock_file(lock);
    crew_join(crew);
}

#endif
