/* The PostgreSQL driver: values there and back, shapes of results, and the check of all statements. */
#include "postgres_fixture.h"

static const uint8_t bytes_with_zero[] = {0, 1, 0xff, 0, 7};

static values_t full_values(void)
{
    uuid_t id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
    return (values_t){
        .number = INT64_MIN,
        .at = INT64_C(1790000000000001),
        .yes = true,
        .name = STR("grüße, नमस्ते"),
        .raw = {(const char *)bytes_with_zero, sizeof bytes_with_zero},
        .id = id,
        .maybe_number = -1,
        .has_maybe_number = true,
        .maybe_at = 5,
        .maybe_yes = false,
        .has_maybe_yes = true,
        .maybe_name = STR(""),
        .maybe_raw = {"", 0},
        .maybe_id = id,
    };
}

/* Nothing given: the nullable ones are null, the others empty. */
static values_t empty_values(void)
{
    return (values_t){.number = 7};
}

static void insert_values(tx_t *tx, void *arg)
{
    (void)arg;
    values_t full = full_values(), empty = empty_values();
    statement_run(tx, &fixture_statements[VALUES_INSERT], &full);
    statement_run(tx, &fixture_statements[VALUES_INSERT], &empty);
}

static void insert_values_at_once(tx_t *tx, void *arg)
{
    (void)arg;
    values_t both[] = {full_values(), empty_values()};
    statement_run(tx, &fixture_statements[VALUES_INSERT_EACH], &(statement_rows_t){both, COUNT_OF(both)});
    statement_run(tx, &fixture_statements[VALUES_INSERT_EACH], &(statement_rows_t){both, 0});
}

static void assert_both(const values_t *rows)
{
    values_t full = full_values();
    assert_true(rows[0].number == full.number && rows[0].at == full.at && rows[0].yes);
    assert_true(str_equal(rows[0].name, full.name) && str_equal(rows[0].raw, full.raw));
    assert_int_equal(rows[0].name.at[rows[0].name.length], 0);
    assert_true(uuid_equal(&rows[0].id, &full.id) && uuid_equal(&rows[0].maybe_id, &full.id));
    assert_true(rows[0].has_maybe_number && rows[0].maybe_number == -1 && rows[0].maybe_at == 5);
    assert_true(rows[0].has_maybe_yes && !rows[0].maybe_yes);
    assert_true(rows[0].maybe_name.at && rows[0].maybe_name.length == 0);
    assert_true(rows[0].maybe_raw.at && rows[0].maybe_raw.length == 0);

    assert_true(rows[1].number == 7 && rows[1].at == 0 && !rows[1].yes);
    assert_true(rows[1].name.at && rows[1].name.length == 0 && rows[1].raw.length == 0);
    assert_true(uuid_is_none(&rows[1].id) && uuid_is_none(&rows[1].maybe_id));
    assert_true(!rows[1].has_maybe_number && !rows[1].has_maybe_yes && rows[1].maybe_at == 0);
    assert_true(rows[1].maybe_name.at == NULL && rows[1].maybe_raw.at == NULL);
}

static void there_and_back(req_t *req, void *arg)
{
    work_t *work = arg;
    values_t *rows = NULL;
    db_apply(req, insert_values, NULL);
    assert_int_equal(statement_fetch_all(db_read(req), &fixture_statements[VALUES_ALL], NULL, (void **)&rows),
                     2);
    assert_both(rows);
    work->value = 1;
}

static void there_and_back_at_once(req_t *req, void *arg)
{
    work_t *work = arg;
    values_t *rows = NULL;
    number_t numbers[] = {{7}, {INT64_MIN}, {8}};
    const statement_t *numbered = &fixture_statements[VALUES_NUMBERED];
    db_apply(req, insert_values_at_once, NULL);
    assert_int_equal(
        statement_fetch_all(db_read(req), numbered, &(statement_rows_t){numbers, 3}, (void **)&rows), 2);
    assert_both(rows);
    assert_int_equal(
        statement_fetch_all(db_read(req), numbered, &(statement_rows_t){numbers, 0}, (void **)&rows), 0);
    work->value = 1;
}

static void rows_that_go_at_once_come_back_as_they_went(void **state)
{
    work_t work = run_one(*state, true, there_and_back_at_once);
    assert_problem(&work, NULL);
    assert_int_equal(work.value, 1);
}

static void every_type_comes_back_as_it_went_in_a_fiber(void **state)
{
    work_t work = run_one(*state, true, there_and_back);
    assert_problem(&work, NULL);
    assert_int_equal(work.value, 1);
}

static void every_type_comes_back_as_it_went_on_a_thread(void **state)
{
    work_t work = run_one(*state, false, there_and_back);
    assert_problem(&work, NULL);
    assert_int_equal(work.value, 1);
}

static void read_null(req_t *req, void *arg)
{
    (void)arg;
    read_number(req, NULL_AS_NUMBER, 0);
}

static void a_null_where_none_may_be_is_an_internal_problem(void **state)
{
    work_t work = run_one(*state, true, read_null);
    assert_problem(&work, &INTERNAL);
}

static void read_two(req_t *req, void *arg)
{
    (void)arg;
    read_number(req, TWO_ROWS, 0);
}

static void a_second_row_is_an_internal_problem(void **state)
{
    work_t work = run_one(*state, true, read_two);
    assert_problem(&work, &INTERNAL);
}

static void read_missing(req_t *req, void *arg)
{
    work_t *work = arg;
    number_t id = {404}, row;
    void *rows = req;
    work->value = statement_fetch(db_read(req), &fixture_statements[COUNTER_READ], &id, &row);
    number_t none = {0};
    assert_int_equal(statement_fetch_all(db_read(req), &fixture_statements[SERIES], &none, &rows), 0);
    assert_null(rows);
}

static void no_row_is_no_problem_where_none_is_needed(void **state)
{
    work_t work = run_one(*state, true, read_missing);
    assert_problem(&work, NULL);
    assert_int_equal(work.value, 0);
}

static void send_zero_character(req_t *req, void *arg)
{
    (void)arg;
    text_t text = {STR("a\0b")};
    number_t row;
    statement_fetch(db_read(req), &fixture_statements[LENGTH_OF], &text, &row);
}

static void a_text_with_code_zero_is_refused_as_invalid(void **state)
{
    work_t work = run_one(*state, true, send_zero_character);
    assert_problem(&work, &INVALID);
}

/* ---- checking ---- */

static void all_good_statements_pass_the_check(void **state)
{
    fixture_t *fixture = *state;
    str_t error = STR("");
    bool good = database_check_statements(fixture->database, fixture->arena, &error);
    if (!good)
        print_error("%s\n", error.at);
    assert_true(good);
}

static str_t error_with(fixture_t *fixture, int place, statement_t wrong)
{
    str_t error = STR("");
    statement_t right = fixture_statements[place];
    wrong.slot = right.slot;
    fixture_statements[place] = wrong;
    assert_false(database_check_statements(fixture->database, fixture->arena, &error));
    fixture_statements[place] = right;
    return error;
}

static void assert_says(str_t error, const char *what)
{
    if (strstr(error.at, what) == NULL)
        print_error("\"%s\" is not in: %s\n", what, error.at);
    assert_non_null(strstr(error.at, what));
}

static void the_check_names_statement_column_and_types(void **state)
{
    fixture_t *fixture = *state;
    statement_t wrong = fixture_statements[COUNTER_SUM];
    wrong.postgres = "SELECT sum(value) AS total FROM counter";
    str_t error = error_with(fixture, COUNTER_SUM, wrong);
    assert_says(error, "fixture.counter_sum");
    assert_says(error, "total");
    assert_says(error, "numeric");
    assert_says(error, "bigint");

    wrong.postgres = "SELECT value, id FROM counter";
    assert_says(error_with(fixture, COUNTER_SUM, wrong), "gives 2 columns");
    wrong.postgres = "SELECT valeu FROM counter";
    assert_says(error_with(fixture, COUNTER_SUM, wrong), "valeu");
    wrong.postgres = "SELECT value FROM counter WHERE id = $1";
    assert_says(error_with(fixture, COUNTER_SUM, wrong), "takes 1 parameters");
    wrong = fixture_statements[LENGTH_OF];
    wrong.postgres = "SELECT value FROM counter WHERE id = $1";
    assert_says(error_with(fixture, LENGTH_OF, wrong), "fixture.length_of");
}

/* ---- migrating ---- */

static void a_second_start_finds_the_schema_as_it_is(void **state)
{
    fixture_t *fixture = *state;
    str_t error = STR("");
    fixture_close(fixture);
    assert_true(fixture_open(fixture, &error));
    assert_int_equal(sum(fixture), 0);
}

static void *open_at_once(void *arg)
{
    fixture_t *fixture = arg;
    arena_t *arena = arena_new();
    str_t error = STR("");
    database_t *database =
        database_open(&fixture->host, &fixture->module, str_from(fixture->url), arena, &error);
    if (database == NULL)
        print_error("%s\n", error.at);
    database_close(database);
    arena_free(arena);
    return database;
}

static void processes_that_start_together_migrate_once(void **state)
{
    fixture_t *fixture = *state;
    fixture_t *fresh = fixture_new(fixture->url);
    pthread_t threads[6];
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_create(&threads[i], NULL, open_at_once, fresh);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        void *opened = NULL;
        pthread_join(threads[i], &opened);
        assert_non_null(opened);
    }
    fixture_free(fresh);
    loop_attach(fixture->loop);
}

static void a_role_that_may_not_make_the_schema_is_told_what_to_run(void **state)
{
    fixture_t *fixture = *state;
    run_sql(fixture->url, "DROP ROLE IF EXISTS folkmoot_test_guest");
    run_sql(fixture->url, "CREATE ROLE folkmoot_test_guest");
    fixture_t *guest = fixture_new(fixture->url);
    char url[512];
    snprintf(url, sizeof url, "%s%soptions=-crole%%3Dfolkmoot_test_guest", fixture->url,
             strchr(fixture->url, '?') ? "&" : "?");
    guest->url = url;
    str_t error = STR("");
    assert_false(fixture_open(guest, &error));
    assert_says(error, "CREATE SCHEMA \"test-");
    guest->url = fixture->url;
    fixture_free(guest);
    loop_attach(fixture->loop);
    run_sql(fixture->url, "DROP ROLE folkmoot_test_guest");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_type_comes_back_as_it_went_in_a_fiber, begin, end),
        cmocka_unit_test_setup_teardown(every_type_comes_back_as_it_went_on_a_thread, begin, end),
        cmocka_unit_test_setup_teardown(rows_that_go_at_once_come_back_as_they_went, begin, end),
        cmocka_unit_test_setup_teardown(a_null_where_none_may_be_is_an_internal_problem, begin, end),
        cmocka_unit_test_setup_teardown(a_second_row_is_an_internal_problem, begin, end),
        cmocka_unit_test_setup_teardown(no_row_is_no_problem_where_none_is_needed, begin, end),
        cmocka_unit_test_setup_teardown(a_text_with_code_zero_is_refused_as_invalid, begin, end),
        cmocka_unit_test_setup_teardown(all_good_statements_pass_the_check, begin, end),
        cmocka_unit_test_setup_teardown(the_check_names_statement_column_and_types, begin, end),
        cmocka_unit_test_setup_teardown(a_second_start_finds_the_schema_as_it_is, begin, end),
        cmocka_unit_test_setup_teardown(processes_that_start_together_migrate_once, begin, end),
        cmocka_unit_test_setup_teardown(a_role_that_may_not_make_the_schema_is_told_what_to_run, begin, end),
    };
    if (test_server() == NULL)
        return TEST_SKIPPED;
    return cmocka_run_group_tests_name("postgres: values", tests, NULL, NULL);
}
