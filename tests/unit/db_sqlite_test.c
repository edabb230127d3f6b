/* The SQLite driver: values of every type, shapes of statements, slow reads, opening and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* ours is a function */

#include <fcntl.h>
#include <sys/stat.h>

#include "core/db/sqlite.h"
#include "tests/unit/db_fixture.h"

/* ---- values ---- */

typedef struct roundtrip {
    const statement_t *insert, *find;
    every_t in, out;
} roundtrip_t;

static void roundtrip_body(tx_t *tx, void *arg)
{
    roundtrip_t *trip = arg;

    statement_run(tx, trip->insert, &trip->in);
    statement_fetch(tx, trip->find, NULL, &trip->out);
}

static void roundtrip_work(req_t *req, void *arg)
{
    db_apply(req, roundtrip_body, arg);
}

static void values_of_every_type_come_back_as_they_were(void **state)
{
    fixture_t *fixture = *state;
    req_t *req = req_new(&fixture->host, &fixture->module);
    roundtrip_t trip = {
        .insert = &fixture_statements[EVERY_INSERT],
        .find = &fixture_statements[EVERY_FIND],
        .in = {.has_i = true,
               .i = INT64_MIN,
               .has_b = true,
               .b = true,
               .t = STR("naïve\0text"),
               .x = STR("\x00\xff"),
               .u = uuid_new(),
               .at = INT64_MAX},
    };

    assert_null(attempt(req, roundtrip_work, &trip));
    assert_true(trip.out.has_i && trip.out.has_b && trip.out.b);
    assert_true(trip.out.i == INT64_MIN && trip.out.at == INT64_MAX);
    assert_true(str_equal(trip.out.t, trip.in.t));
    assert_true(str_equal(trip.out.x, trip.in.x));
    assert_int_equal(trip.out.x.at[trip.out.x.length], 0);
    assert_true(uuid_equal(&trip.out.u, &trip.in.u));
    req_free(req);
}

static void null_of_every_type_comes_back_as_null(void **state)
{
    fixture_t *fixture = *state;
    req_t *req = req_new(&fixture->host, &fixture->module);
    roundtrip_t trip = {.insert = &fixture_statements[EVERY_INSERT], .find = &fixture_statements[EVERY_FIND]};

    memset(&trip.out, 0xaa, sizeof trip.out);
    assert_null(attempt(req, roundtrip_work, &trip));
    assert_true(!trip.out.has_i && !trip.out.has_b && trip.out.at == 0);
    assert_null(trip.out.t.at);
    assert_null(trip.out.x.at);
    assert_true(uuid_is_none(&trip.out.u));
    req_free(req);
}

static void zero_and_empty_are_not_null(void **state)
{
    fixture_t *fixture = *state;
    req_t *req = req_new(&fixture->host, &fixture->module);
    roundtrip_t trip = {
        .insert = &fixture_statements[EVERY_INSERT],
        .find = &fixture_statements[EVERY_FIND],
        .in = {.has_i = true, .has_b = true, .t = STR(""), .x = STR("")},
    };

    assert_null(attempt(req, roundtrip_work, &trip));
    assert_true(trip.out.has_i && trip.out.i == 0 && trip.out.has_b && !trip.out.b);
    assert_true(trip.out.t.at && trip.out.t.length == 0);
    assert_true(trip.out.x.at && trip.out.x.length == 0);
    req_free(req);
}

static void parameters_that_cannot_be_null_never_are(void **state)
{
    fixture_t *fixture = *state;
    req_t *req = req_new(&fixture->host, &fixture->module);
    roundtrip_t trip = {.insert = &fixture_statements[EVERY_INSERT_STRICT],
                        .find = &fixture_statements[EVERY_STRICT]};

    assert_null(attempt(req, roundtrip_work, &trip));
    assert_true(trip.out.t.at && trip.out.x.at);
    req_free(req);
}

static void null_in_a_column_declared_otherwise_is_an_internal_error(void **state)
{
    roundtrip_t trip = {.insert = &fixture_statements[EVERY_INSERT],
                        .find = &fixture_statements[EVERY_STRICT]};

    assert_ptr_equal(request(*state, roundtrip_work, &trip), &INTERNAL);
}

/* ---- shapes ---- */

static void insert_hundred(tx_t *tx, void *arg)
{
    (void)arg;
    for (int i = 0; i < 100; i++) {
        char name[32];

        snprintf(name, sizeof name, "thing %02d", i);
        insert_thing(tx, name, i);
    }
}

static void list_work(req_t *req, void *arg)
{
    thing_t *things = NULL;
    size_t before =
        statement_fetch_all(db_read(req), &fixture_statements[THING_LIST], NULL, (void **)&things);

    (void)arg;
    assert_int_equal(before, 0);
    db_apply(req, insert_hundred, NULL);
    assert_int_equal(
        statement_fetch_all(db_read(req), &fixture_statements[THING_LIST], NULL, (void **)&things), 100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(things[i].amount, i);
    assert_string_equal(things[99].name.at, "thing 99");
}

static void many_rows_come_in_order(void **state)
{
    assert_null(request(*state, list_work, NULL));
}

static void insert_three_at_once(tx_t *tx, void *arg)
{
    thing_t things[] = {{STR("one"), 1}, {STR("two"), 2}, {STR("three"), 3}};

    (void)arg;
    statement_run(tx, &fixture_statements[THINGS_INSERT], &(statement_rows_t){things, COUNT_OF(things)});
    statement_run(tx, &fixture_statements[THINGS_INSERT], &(statement_rows_t){things, 0});
}

static void insert_one_twice_at_once(tx_t *tx, void *arg)
{
    thing_t things[] = {{STR("new"), 4}, {STR("one"), 1}, {STR("newer"), 5}};

    (void)arg;
    statement_run(tx, &fixture_statements[THINGS_INSERT], &(statement_rows_t){things, COUNT_OF(things)});
}

static void insert_twice_work(req_t *req, void *arg)
{
    db_apply(req, insert_one_twice_at_once, arg);
}

static void at_once_work(req_t *req, void *arg)
{
    number_t amounts[] = {{3}, {1}, {9}};
    const statement_t *named = &fixture_statements[THINGS_NAMED];
    thing_t *things = NULL;

    (void)arg;
    db_apply(req, insert_three_at_once, NULL);
    assert_int_equal(
        statement_fetch_all(db_read(req), named, &(statement_rows_t){amounts, 3}, (void **)&things), 2);
    assert_string_equal(things[0].name.at, "three");
    assert_string_equal(things[1].name.at, "one");
    assert_false(req_attempt(req, insert_twice_work, NULL));
    assert_int_equal(
        statement_fetch_all(db_read(req), &fixture_statements[THING_LIST], NULL, (void **)&things), 3);
}

static void a_statement_takes_many_rows_at_once(void **state)
{
    assert_null(request(*state, at_once_work, NULL));
}

static void raise_all(tx_t *tx, void *arg)
{
    number_t by = {1000};

    insert_hundred(tx, NULL);
    *(int64_t *)arg = statement_run(tx, &fixture_statements[THING_RAISE], &by);
}

static void raise_work(req_t *req, void *arg)
{
    db_apply(req, raise_all, arg);
}

static void affected_rows_are_counted(void **state)
{
    int64_t affected = 0;

    assert_null(request(*state, raise_work, &affected));
    assert_int_equal(affected, 100);
}

static void find_named(req_t *req, void *arg)
{
    number_t amount = {*(int64_t *)arg};
    thing_t thing;

    *(int64_t *)arg = statement_fetch(db_read(req), &fixture_statements[THING_NAMED], &amount, &thing);
}

static void insert_two_of_seven(tx_t *tx, void *arg)
{
    (void)arg;
    insert_thing(tx, "first", 7);
    insert_thing(tx, "second", 7);
    insert_thing(tx, "only", 8);
}

static void insert_two_work(req_t *req, void *arg)
{
    db_apply(req, insert_two_of_seven, arg);
}

static void find_every(req_t *req, void *arg)
{
    statement_fetch(db_read(req), &fixture_statements[EVERY_FIND], NULL, arg);
}

static void shapes_that_do_not_hold_are_internal_errors(void **state)
{
    int64_t eight = 8, nine = 9, seven = 7;
    every_t row;

    assert_null(request(*state, insert_two_work, NULL));
    assert_null(request(*state, find_named, &eight));
    assert_int_equal(eight, 1);
    assert_null(request(*state, find_named, &nine));
    assert_int_equal(nine, 0);
    assert_ptr_equal(request(*state, find_named, &seven), &INTERNAL);
    assert_ptr_equal(request(*state, find_every, &row), &INTERNAL);
}

static void write_while_reading(req_t *req, void *arg)
{
    thing_t thing = {STR("x"), 1};

    (void)arg;
    statement_run(db_read(req), &fixture_statements[THING_INSERT], &thing);
}

static void fetch_foreign(req_t *req, void *arg)
{
    statement_t foreign = fixture_statements[THING_COUNT];
    number_t count;

    (void)arg;
    statement_fetch(db_read(req), &foreign, NULL, &count);
}

static void writing_outside_of_a_transaction_and_foreign_statements_are_refused(void **state)
{
    assert_ptr_equal(request(*state, write_while_reading, NULL), &INTERNAL);
    assert_ptr_equal(request(*state, fetch_foreign, NULL), &INTERNAL);
    assert_int_equal(count_things(*state), 0);
}

/* ---- slow reads ---- */

static void count_slowly(req_t *req, hand_t *hand)
{
    number_t most = {hand->number == 0 ? INT64_C(1) << 40 : 1000}, found;

    if (hand->number == 0)
        req->deadline = clock_monotonic() + 100 * MILLISECOND_US;
    statement_fetch(db_read(req), &fixture_statements[COUNT_TO], &most, &found);
    assert_int_equal(found.value, 1000);
}

static void a_slow_read_holds_up_nobody_and_ends_at_its_deadline(void **state)
{
    fixture_t *fixture = *state;
    crew_t *crew = crew_new(fixture, 1, 4, count_slowly, NULL);

    fixture->host.workers = worker_pool_new("test", 2, 16);
    crew_run(crew);
    worker_pool_free(fixture->host.workers);
    fixture->host.workers = NULL;
    assert_ptr_equal(crew->hands[0].problem, &TIMED_OUT);
    assert_int_equal(crew_count(crew, NULL), 3);
    free(crew);
}

static void read_often(req_t *req, hand_t *hand)
{
    number_t count;

    (void)hand;
    for (int i = 0; i < 100; i++)
        statement_fetch(db_read(req), &fixture_statements[THING_COUNT], NULL, &count);
}

static void threads_that_end_leave_their_connections_to_later_ones(void **state)
{
    fixture_t *fixture = *state;
    size_t connections = 0;

    for (int i = 0; i < 10; i++) {
        crew_t *crew = crew_new(fixture, 2, 4, read_often, NULL);

        crew_run(crew);
        assert_int_equal(crew_count(crew, NULL), 8);
        free(crew);
    }
    for (sqlite_connection_t *each = sqlite_state_of(fixture->database)->reading; each; each = each->next)
        connections++;
    assert_in_range(connections, 1, 20);
    assert_int_equal(database_counts(fixture->database).reads, 8000);
}

/* ---- opening ---- */

static void assert_refused(fixture_t *fixture, str_t url, const char *word)
{
    str_t error = STR("");

    assert_null(database_open(&fixture->host, &fixture->module, url, fixture->arena, &error));
    if (!strstr(error.at, word))
        print_error("“%s” does not say “%s”\n", error.at, word);
    assert_non_null(strstr(error.at, word));
}

static void an_address_must_be_one_that_can_be_used(void **state)
{
    fixture_t *fixture = *state;

    assert_refused(fixture, STR("mysql://secret@host"), "must begin with \"sqlite:\" or \"postgres:\"");
    assert_refused(fixture, STR("sqlite:things.sqlite"), "no absolute path");
    assert_refused(fixture, STR("sqlite:/nowhere/at/all.sqlite"), "its folder does not exist");
}

static void write_file(fixture_t *fixture, const char *name, const char *text, char path[128])
{
    snprintf(path, 128, "%s/%s", fixture->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 500; i++)
        fputs(text, file);
    fclose(file);
}

static void a_file_of_something_else_is_refused_and_left_alone(void **state)
{
    fixture_t *fixture = *state;
    char path[128], url[140];
    struct stat before, after;
    sqlite3 *handle;

    write_file(fixture, "letter", "Dear all, ", path);
    snprintf(url, sizeof url, "sqlite:%s", path);
    stat(path, &before);
    assert_refused(fixture, str_from(url), "not a Folkmoot database");
    stat(path, &after);
    assert_int_equal(before.st_size, after.st_size);

    snprintf(path, sizeof path, "%s/other.sqlite", fixture->folder);
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, "CREATE TABLE recipe (name)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(handle);
    snprintf(url, sizeof url, "sqlite:%s", path);
    stat(path, &before);
    assert_refused(fixture, str_from(url), "not a Folkmoot database");
    stat(path, &after);
    assert_true(before.st_size == after.st_size && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
}

static void a_damaged_file_is_refused(void **state)
{
    fixture_t *fixture = *state;
    char path[128], noise[4096];

    snprintf(path, sizeof path, "%s", sqlite_state_of(fixture->database)->path);
    fixture_close(fixture);
    memset(noise, 0x5a, sizeof noise);
    int file = open(path, O_WRONLY);
    assert_int_equal(pwrite(file, noise, sizeof noise - 100, 100), sizeof noise - 100);
    close(file);
    assert_refused(fixture, STR("sqlite:"), "damaged");
}

static void a_folder_that_cannot_be_written_is_named_with_the_remedy(void **state)
{
    fixture_t *fixture = *state;

    fixture_close(fixture);
    assert_int_equal(chmod(fixture->folder, 0555), 0);
    if (geteuid() == 0)
        assert_int_equal(seteuid(65534), 0);
    assert_refused(fixture, STR("sqlite:"), "this user may not write there");
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(fixture->folder, 0755), 0);
}

static void two_modules_cannot_share_a_file(void **state)
{
    fixture_t *fixture = *state;
    module_t other = fixture->module;
    str_t error;
    char url[140];

    snprintf(url, sizeof url, "sqlite:%s", sqlite_state_of(fixture->database)->path);
    other.name = "another";
    assert_null(database_open(&fixture->host, &other, str_from(url), fixture->arena, &error));
    assert_non_null(strstr(error.at, "is the database of the module fixture"));
}

static void the_file_is_readable_by_its_owner_alone(void **state)
{
    fixture_t *fixture = *state;
    struct stat file;

    assert_int_equal(stat(sqlite_state_of(fixture->database)->path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
}

static void every_commit_waits_for_the_disk(void **state)
{
    fixture_t *fixture = *state;
    sqlite3 *writing = sqlite_state_of(fixture->database)->writing->handle;
    sqlite_error_t error;
    int64_t full, references, wal, reads_alone;
    sqlite_connection_t *reading = sqlite_connection_of_thread(fixture->database, &error);

    assert_non_null(reading);
    assert_true(
        sqlite_number(reading->handle, "SELECT query_only FROM pragma_query_only", &reads_alone, &error));
    assert_int_equal(reads_alone, 1);
    assert_true(sqlite_number(writing, "SELECT synchronous FROM pragma_synchronous", &full, &error));
    assert_true(sqlite_number(writing, "SELECT foreign_keys FROM pragma_foreign_keys", &references, &error));
    assert_true(sqlite_number(writing, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", &wal, &error));
    assert_int_equal(full, 2);
    assert_int_equal(references, 1);
    assert_int_equal(wal, 1);
}

static void all_statements_fit_and_one_that_does_not_is_named(void **state)
{
    fixture_t *fixture = *state;
    statement_t *broken = &fixture_statements[THING_COUNT];
    const char *sql = broken->sqlite;
    str_t error = STR("");

    assert_true(database_check_statements(fixture->database, fixture->arena, &error));
    broken->sqlite = "SELECT count(*) FROM nowhere";
    assert_false(database_check_statements(fixture->database, fixture->arena, &error));
    assert_non_null(strstr(error.at, "fixture.thing_count"));
    assert_non_null(strstr(error.at, "nowhere"));
    broken->sqlite = "SELECT 1, 2";
    assert_false(database_check_statements(fixture->database, fixture->arena, &error));
    assert_non_null(strstr(error.at, "number of columns"));
    broken->sqlite = sql;
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, begin_fixture, end_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(values_of_every_type_come_back_as_they_were),
        WITH_FIXTURE(null_of_every_type_comes_back_as_null),
        WITH_FIXTURE(zero_and_empty_are_not_null),
        WITH_FIXTURE(parameters_that_cannot_be_null_never_are),
        WITH_FIXTURE(null_in_a_column_declared_otherwise_is_an_internal_error),
        WITH_FIXTURE(many_rows_come_in_order),
        WITH_FIXTURE(a_statement_takes_many_rows_at_once),
        WITH_FIXTURE(affected_rows_are_counted),
        WITH_FIXTURE(shapes_that_do_not_hold_are_internal_errors),
        WITH_FIXTURE(writing_outside_of_a_transaction_and_foreign_statements_are_refused),
        WITH_FIXTURE(a_slow_read_holds_up_nobody_and_ends_at_its_deadline),
        WITH_FIXTURE(threads_that_end_leave_their_connections_to_later_ones),
        WITH_FIXTURE(an_address_must_be_one_that_can_be_used),
        WITH_FIXTURE(a_file_of_something_else_is_refused_and_left_alone),
        WITH_FIXTURE(a_damaged_file_is_refused),
        WITH_FIXTURE(a_folder_that_cannot_be_written_is_named_with_the_remedy),
        WITH_FIXTURE(two_modules_cannot_share_a_file),
        WITH_FIXTURE(the_file_is_readable_by_its_owner_alone),
        WITH_FIXTURE(every_commit_waits_for_the_disk),
        WITH_FIXTURE(all_statements_fit_and_one_that_does_not_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
