/* The PostgreSQL driver: bodies, their conflicts, and the leases of connections. */
#include "postgres_fixture.h"

enum { CALLERS = 64, ROUNDS = 20 };

static work_t *work_of(void *arg)
{
    return arg;
}

/* ---- conflicts ---- */

static void increment_body(tx_t *tx, void *arg)
{
    (void)arg;
    number_t id = {1}, now;
    assert_true(statement_fetch(tx, &fixture_statements[COUNTER_READ], &id, &now));
    counter_t next = {1, now.value + 1};
    statement_run(tx, &fixture_statements[COUNTER_SET], &next);
}

static void increment_often(req_t *req, void *arg)
{
    work_of(arg)->value = 0;
    for (int round = 0; round < ROUNDS; round++) {
        db_apply(req, increment_body, NULL);
        work_of(arg)->value++;
    }
}

static void sixty_four_fibers_count_exactly(void **state)
{
    fixture_t *fixture = *state;
    int64_t began = clock_monotonic();
    work_t *works = works_new(fixture, CALLERS, increment_often);
    works_run(works, CALLERS);
    for (int i = 0; i < CALLERS; i++)
        assert_problem(&works[i], NULL);
    assert_int_equal(sum(fixture), CALLERS * ROUNDS);
    database_counts_t counts = database_counts(fixture->database);
    assert_int_equal(counts.transactions, CALLERS * ROUNDS);
    assert_int_equal(counts.commits, CALLERS * ROUNDS);
    assert_int_equal(counts.failures, 0);
    assert_int_equal(counts.waiting, 0);
    assert_true(counts.retries > 0);
    int64_t took = clock_monotonic() - began;
    print_message("%d increments of one row: %lld ms, %llu runs again\n", CALLERS * ROUNDS,
                  (long long)(took / 1000), (unsigned long long)counts.retries);
    assert_true(took < 10 * SECOND_US);
    free(works);
}

typedef struct crew {
    fixture_t *fixture;
    int callers;
    bool in_fibers;
} crew_t;

static void *run_crew(void *arg)
{
    crew_t *crew = arg;
    work_t *works = works_new(crew->fixture, crew->callers, increment_often);
    loop_t *loop = crew->in_fibers ? loop_new() : NULL;
    if (loop) {
        loop_attach(loop);
        works_start(works, crew->callers);
        loop_until_idle(loop);
        loop_free(loop);
    } else {
        work_run(works);
    }
    for (int i = 0; i < crew->callers; i++)
        if (works[i].problem)
            print_error("%s: %s\n", works[i].problem->code, works[i].detail);
    free(works);
    return NULL;
}

static void threads_with_and_without_loops_count_exactly(void **state)
{
    fixture_t *fixture = *state;
    crew_t crews[] = {{fixture, 24, true}, {fixture, 24, true}, {fixture, 1, false}, {fixture, 1, false}};
    pthread_t threads[COUNT_OF(crews)];
    int64_t began = clock_monotonic();
    for (size_t i = 0; i < COUNT_OF(crews); i++)
        pthread_create(&threads[i], NULL, run_crew, &crews[i]);
    for (size_t i = 0; i < COUNT_OF(crews); i++)
        pthread_join(threads[i], NULL);
    database_counts_t counts = database_counts(fixture->database);
    print_message("%d increments by 4 threads: %lld ms, %llu runs again\n", 50 * ROUNDS,
                  (long long)((clock_monotonic() - began) / 1000), (unsigned long long)counts.retries);
    assert_int_equal(counts.failures, 0);
    assert_int_equal(sum(fixture), 50 * ROUNDS);
}

static void insert_own(tx_t *tx, void *arg)
{
    counter_t row = {*(int64_t *)arg, 1};
    number_t id = {row.id}, found;
    if (!statement_fetch(tx, &fixture_statements[COUNTER_READ], &id, &found))
        statement_run(tx, &fixture_statements[COUNTER_INSERT], &row);
}

static void insert_own_rows(req_t *req, void *arg)
{
    for (int round = 0; round < ROUNDS; round++) {
        int64_t id = 100 + work_of(arg)->number * ROUNDS + round;
        db_apply(req, insert_own, &id);
    }
}

static void bodies_that_look_and_insert_all_succeed(void **state)
{
    fixture_t *fixture = *state;
    int64_t began = clock_monotonic();
    work_t *works = works_new(fixture, CALLERS, insert_own_rows);
    works_run(works, CALLERS);
    for (int i = 0; i < CALLERS; i++)
        assert_problem(&works[i], NULL);
    assert_int_equal(sum(fixture), CALLERS * ROUNDS);
    print_message("%d looks and inserts into a small table: %lld ms, %llu runs again\n", CALLERS * ROUNDS,
                  (long long)((clock_monotonic() - began) / 1000),
                  (unsigned long long)database_counts(fixture->database).retries);
    free(works);
}

static void insert_same_row(req_t *req, void *arg)
{
    (void)arg;
    int64_t id = 77;
    db_apply(req, insert_own, &id);
}

static void many_that_insert_the_same_row_insert_it_once(void **state)
{
    fixture_t *fixture = *state;
    work_t *works = works_new(fixture, CALLERS, insert_same_row);
    works_run(works, CALLERS);
    for (int i = 0; i < CALLERS; i++)
        assert_problem(&works[i], NULL);
    assert_int_equal(sum(fixture), 1);
    free(works);
}

/* ---- failing ---- */

static void add_and_fail(tx_t *tx, void *arg)
{
    counter_t add = {1, 5};
    (void)arg;
    statement_run(tx, &fixture_statements[COUNTER_ADD], &add);
    statement_run(tx, &fixture_statements[COUNTER_SET], &add);
    fail(tx->req, &FORBIDDEN, "Not %s.", "you");
}

static void apply_add_and_fail(req_t *req, void *arg)
{
    (void)arg;
    db_apply(req, add_and_fail, NULL);
}

static void a_body_that_fails_undoes_what_it_did(void **state)
{
    for (int in_fiber = 0; in_fiber < 2; in_fiber++) {
        work_t work = run_one(*state, in_fiber, apply_add_and_fail);
        assert_problem(&work, &FORBIDDEN);
        assert_string_equal(work.detail, "Not you.");
        assert_int_equal(sum(*state), 0);
    }
    assert_int_equal(database_counts(((fixture_t *)*state)->database).failures, 2);
}

static void insert_duplicate(tx_t *tx, void *arg)
{
    counter_t row = {1, 1};
    (void)arg;
    statement_run(tx, &fixture_statements[COUNTER_INSERT], &row);
    statement_run(tx, &fixture_statements[COUNTER_SET], &row);
}

static void apply_duplicate(req_t *req, void *arg)
{
    (void)arg;
    db_apply(req, insert_duplicate, NULL);
}

static void a_queued_statement_that_fails_ends_the_body_at_commit(void **state)
{
    for (int in_fiber = 0; in_fiber < 2; in_fiber++) {
        work_t work = run_one(*state, in_fiber, apply_duplicate);
        assert_problem(&work, &INTERNAL);
        assert_non_null(strstr(work.detail, "fixture.counter_insert"));
        assert_non_null(strstr(work.detail, "23505"));
        assert_int_equal(sum(*state), 0);
    }
}

static void divide_by_zero(req_t *req, void *arg)
{
    number_t zero = {0}, row;
    (void)req;
    statement_fetch(arg, &fixture_statements[DIVIDE], &zero, &row);
}

static void swallow_failure(tx_t *tx, void *arg)
{
    counter_t add = {1, 5};
    (void)arg;
    statement_run(tx, &fixture_statements[COUNTER_ADD], &add);
    assert_false(req_attempt(tx->req, divide_by_zero, tx));
}

static void apply_swallow(req_t *req, void *arg)
{
    (void)arg;
    db_apply(req, swallow_failure, NULL);
}

static void a_failed_statement_cannot_be_hidden_from_commit(void **state)
{
    work_t work = run_one(*state, true, apply_swallow);
    assert_problem(&work, &INTERNAL);
    assert_int_equal(sum(*state), 0);
}

static void read_counter(tx_t *tx, void *arg)
{
    number_t id = {1}, row;
    (void)arg;
    statement_fetch(tx, &fixture_statements[COUNTER_READ], &id, &row);
}

static void apply_read_counter(req_t *req, void *arg)
{
    (void)arg;
    db_apply(req, read_counter, NULL);
}

/* A server that is well must not be taken for one that is away, nor the body run again and again. */
static void a_statement_that_cannot_be_prepared_is_an_internal_problem(void **state)
{
    fixture_t *fixture = *state;
    char sql[128];
    snprintf(sql, sizeof sql, "DROP TABLE \"%s\".counter", fixture->name);
    run_sql(fixture->url, sql);
    for (int in_fiber = 0; in_fiber < 2; in_fiber++) {
        work_t asked = run_one(fixture, in_fiber, apply_read_counter);
        assert_problem(&asked, &INTERNAL);
        assert_non_null(strstr(asked.detail, "42P01"));
        work_t queued = run_one(fixture, in_fiber, apply_duplicate);
        assert_problem(&queued, &INTERNAL);
    }
}

static void nothing(tx_t *tx, void *arg)
{
    (void)tx;
    (void)arg;
}

static void apply_nothing(req_t *req, void *arg)
{
    (void)arg;
    db_apply(req, nothing, NULL);
}

static void a_body_without_statements_succeeds(void **state)
{
    work_t work = run_one(*state, true, apply_nothing);
    assert_problem(&work, NULL);
}

static void add_many(tx_t *tx, void *arg)
{
    (void)arg;
    for (int64_t id = 1000; id < 11000; id++) {
        counter_t row = {id, 1};
        statement_run(tx, &fixture_statements[COUNTER_INSERT], &row);
    }
    counter_t add = {1000, 1};
    assert_int_equal(statement_run(tx, &fixture_statements[COUNTER_ADD], &add), 1);
    counter_t *rows = NULL;
    assert_int_equal(statement_fetch_all(tx, &fixture_statements[COUNTERS], NULL, (void **)&rows), 100);
    assert_true(rows[1].id == 1000 && rows[1].value == 2);
}

static void apply_add_many(req_t *req, void *arg)
{
    (void)arg;
    db_apply(req, add_many, NULL);
}

static void a_body_may_queue_ten_thousand_statements(void **state)
{
    work_t work = run_one(*state, true, apply_add_many);
    assert_problem(&work, NULL);
    assert_int_equal(sum(*state), 10001);
}

/* ---- leases ---- */

static void note_process(tx_t *tx, void *arg)
{
    number_t row, nap = {5};
    statement_fetch(tx, &fixture_statements[OWN_PROCESS], NULL, &row);
    statement_fetch(tx, &fixture_statements[SLEEP], &nap, &nap);
    work_of(arg)->value = row.value;
}

static void apply_note_process(req_t *req, void *arg)
{
    db_apply(req, note_process, arg);
}

static int count_distinct(const work_t *works, int count)
{
    int distinct = 0;
    for (int i = 0; i < count; i++) {
        int before = 0;
        while (before < i && works[before].value != works[i].value)
            before++;
        distinct += before == i;
    }
    return distinct;
}

static void no_more_connections_are_opened_than_configured(void **state)
{
    fixture_t *fixture = *state;
    fixture_close(fixture);
    fixture_set(fixture, "database.connections", "3");
    str_t error;
    assert_true(fixture_open(fixture, &error));
    work_t *works = works_new(fixture, CALLERS, apply_note_process);
    works_run(works, CALLERS);
    for (int i = 0; i < CALLERS; i++)
        assert_problem(&works[i], NULL);
    assert_int_equal(count_distinct(works, CALLERS), 3);
    free(works);
}

static void bodies_one_after_another_use_the_same_connection(void **state)
{
    fixture_t *fixture = *state;
    work_t works[6];
    for (int i = 0; i < 6; i++)
        works[i] = run_one(fixture, i % 2, apply_note_process);
    assert_true(works[1].value == works[3].value && works[3].value == works[5].value);
    assert_true(works[0].value == works[2].value && works[2].value == works[4].value);
}

static void sleep_long(tx_t *tx, void *arg)
{
    number_t nap = {work_of(arg)->number};
    counter_t add = {1, 1};
    statement_run(tx, &fixture_statements[COUNTER_ADD], &add);
    statement_fetch(tx, &fixture_statements[SLEEP], &nap, &nap);
}

static void apply_sleep(req_t *req, void *arg)
{
    db_apply(req, sleep_long, arg);
}

static void a_deadline_in_a_body_leaves_the_pool_usable(void **state)
{
    fixture_t *fixture = *state;
    for (int in_fiber = 0; in_fiber < 2; in_fiber++) {
        work_t works[9] = {0};
        for (int i = 0; i < 9; i++)
            works[i] = (work_t){
                .fixture = fixture, .run = apply_sleep, .number = 4000, .patience_us = 60 * MILLISECOND_US};
        if (in_fiber)
            works_run(works, 9);
        else
            work_run(works);
        for (int i = 0; i < (in_fiber ? 9 : 1); i++) {
            assert_problem(&works[i], &TIMED_OUT);
            assert_true(works[i].took_us < 3 * SECOND_US);
        }
        work_t after = {.fixture = fixture, .run = apply_sleep, .number = 1, .patience_us = 5 * SECOND_US};
        if (in_fiber)
            works_run(&after, 1);
        else
            work_run(&after);
        assert_problem(&after, NULL);
        assert_true(after.took_us < 3 * SECOND_US);
    }
    assert_int_equal(sum(fixture), 2);
}

static void a_cancelled_body_is_undone(void **state)
{
    fixture_t *fixture = *state;
    work_t works[2] = {{.fixture = fixture, .run = apply_sleep, .number = 3000},
                       {.fixture = fixture, .run = apply_sleep, .number = 5}};
    works_start(works, 1);
    for (int turn = 0; turn < 30; turn++, usleep(1000))
        loop_turn(fixture->loop);
    assert_non_null(works[0].fiber);
    fiber_cancel(works[0].fiber);
    loop_until_idle(fixture->loop);
    assert_problem(&works[0], &CLIENT_GONE);
    works_run(&works[1], 1);
    assert_problem(&works[1], NULL);
    assert_int_equal(sum(fixture), 1);
}

static void a_wait_for_a_connection_ends_at_the_deadline(void **state)
{
    fixture_t *fixture = *state;
    fixture_close(fixture);
    fixture_set(fixture, "database.connections", "1");
    str_t error;
    assert_true(fixture_open(fixture, &error));
    work_t works[3] = {{.fixture = fixture, .run = apply_sleep, .number = 1000},
                       {.fixture = fixture, .run = apply_sleep, .patience_us = 100 * MILLISECOND_US},
                       {.fixture = fixture, .run = apply_sleep}};
    works_run(works, 3);
    assert_problem(&works[0], NULL);
    assert_problem(&works[1], &TIMED_OUT);
    assert_problem(&works[2], NULL);
    assert_int_equal(sum(fixture), 2);
    assert_int_equal(database_counts(fixture->database).waiting, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sixty_four_fibers_count_exactly, begin, end),
        cmocka_unit_test_setup_teardown(threads_with_and_without_loops_count_exactly, begin, end),
        cmocka_unit_test_setup_teardown(bodies_that_look_and_insert_all_succeed, begin, end),
        cmocka_unit_test_setup_teardown(many_that_insert_the_same_row_insert_it_once, begin, end),
        cmocka_unit_test_setup_teardown(a_body_that_fails_undoes_what_it_did, begin, end),
        cmocka_unit_test_setup_teardown(a_queued_statement_that_fails_ends_the_body_at_commit, begin, end),
        cmocka_unit_test_setup_teardown(a_failed_statement_cannot_be_hidden_from_commit, begin, end),
        cmocka_unit_test_setup_teardown(a_statement_that_cannot_be_prepared_is_an_internal_problem, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_body_without_statements_succeeds, begin, end),
        cmocka_unit_test_setup_teardown(a_body_may_queue_ten_thousand_statements, begin, end),
        cmocka_unit_test_setup_teardown(no_more_connections_are_opened_than_configured, begin, end),
        cmocka_unit_test_setup_teardown(bodies_one_after_another_use_the_same_connection, begin, end),
        cmocka_unit_test_setup_teardown(a_deadline_in_a_body_leaves_the_pool_usable, begin, end),
        cmocka_unit_test_setup_teardown(a_cancelled_body_is_undone, begin, end),
        cmocka_unit_test_setup_teardown(a_wait_for_a_connection_ends_at_the_deadline, begin, end),
    };
    if (test_server() == NULL)
        return TEST_SKIPPED;
    return cmocka_run_group_tests_name("postgres: transactions", tests, NULL, NULL);
}
