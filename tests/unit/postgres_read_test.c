/* The PostgreSQL driver: reads that share one pipelined connection. */
#include "postgres_fixture.h"

enum { MANY = 200, DIVISOR_ZERO = 97 };

static void divide(req_t *req, void *arg)
{
    work_t *work = arg;
    work->value = read_number(req, DIVIDE, work->number == DIVISOR_ZERO ? 0 : work->number + 1);
}

static void one_failing_read_of_many_fails_alone(void **state)
{
    work_t *works = works_new(*state, MANY, divide);
    works_run(works, MANY);
    for (int i = 0; i < MANY; i++) {
        assert_problem(&works[i], i == DIVISOR_ZERO ? &INTERNAL : NULL);
        if (i != DIVISOR_ZERO)
            assert_int_equal(works[i].value, 100 / (i + 1));
    }
    assert_int_equal(database_counts(works->fixture->database).reads, MANY);
    free(works);
}

static void read_own_process(req_t *req, void *arg)
{
    work_t *work = arg;
    work->value = read_number(req, OWN_PROCESS, 0);
}

static void all_reads_of_a_thread_share_a_connection(void **state)
{
    work_t *works = works_new(*state, MANY, read_own_process);
    works_run(works, MANY);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(works[i].value, works[0].value);
    free(works);
}

static void a_thread_without_fibers_reads_too(void **state)
{
    work_t in_fiber = run_one(*state, true, read_own_process);
    work_t on_thread = run_one(*state, false, read_own_process);
    work_t again = run_one(*state, false, read_own_process);
    assert_problem(&on_thread, NULL);
    assert_int_not_equal(in_fiber.value, on_thread.value);
    assert_int_equal(on_thread.value, again.value);
}

static void sleep_on_server(req_t *req, void *arg)
{
    work_t *work = arg;
    work->value = read_number(req, SLEEP, work->number);
}

static void a_read_that_is_left_early_leaves_the_others_alone(void **state)
{
    fixture_t *fixture = *state;
    work_t *works = works_new(fixture, 3, sleep_on_server);
    works[0].number = 1000;
    works[0].patience_us = 30 * MILLISECOND_US;
    works[1].number = 1;
    works[2].number = 2;
    works_run(works, 3);
    assert_problem(&works[0], &TIMED_OUT);
    assert_true(works[0].took_us < works[1].took_us);
    assert_problem(&works[1], NULL);
    assert_int_equal(works[1].value, 1);
    assert_int_equal(works[2].value, 2);
    free(works);
}

static void a_cancelled_read_ends_at_once(void **state)
{
    fixture_t *fixture = *state;
    work_t *works = works_new(fixture, 2, sleep_on_server);
    works[0].number = 1000; /* long enough that it is not done before it is cancelled */
    works[1].number = 1;
    works_start(works, 2);
    while (works[0].fiber == NULL)
        loop_turn(fixture->loop);
    for (int turn = 0; turn < 20; turn++, usleep(1000))
        loop_turn(fixture->loop);
    fiber_cancel(works[0].fiber);
    loop_turn(fixture->loop);
    assert_problem(&works[0], &CLIENT_GONE);
    loop_until_idle(fixture->loop);
    assert_problem(&works[1], NULL);
    free(works);
}

static void sleep_slowly(req_t *req, void *arg)
{
    work_t *work = arg;
    work->value =
        read_number(req, work->number == 0 ? DIVIDE : SLEEP_SLOWLY, work->number == 0 ? 1 : work->number);
}

static void slow_statements_hold_up_no_others(void **state)
{
    work_t *works = works_new(*state, 4, sleep_slowly);
    works[1].number = works[2].number = works[3].number = 400;
    works_run(works, 4);
    for (int i = 0; i < 4; i++)
        assert_problem(&works[i], NULL);
    int64_t longest = 0;
    for (int i = 1; i < 4; i++) {
        assert_true(works[0].took_us < works[i].took_us);
        longest = works[i].took_us > longest ? works[i].took_us : longest;
    }
    assert_true(longest >= 790 * MILLISECOND_US); /* two at a time: the third waited */
    free(works);
}

static void a_slow_statement_that_is_left_early_gives_its_connection_back(void **state)
{
    work_t *works = works_new(*state, 4, sleep_slowly);
    for (int i = 0; i < 3; i++) {
        works[i].number = 3000;
        works[i].patience_us = 50 * MILLISECOND_US;
    }
    works[3].number = 1;
    works[3].patience_us = 5 * SECOND_US;
    works_run(works, 4);
    assert_problem(&works[0], &TIMED_OUT);
    assert_problem(&works[1], &TIMED_OUT);
    assert_problem(&works[3], NULL);
    assert_true(works[3].took_us < 2 * SECOND_US);
    free(works);
}

static void a_statement_ends_at_the_statement_timeout(void **state)
{
    fixture_t *fixture = *state;
    fixture_close(fixture);
    fixture_set(fixture, "database.statement_timeout", "100ms");
    str_t error;
    assert_true(fixture_open(fixture, &error));
    work_t *works = works_new(fixture, 2, sleep_on_server);
    works[0].number = 2000;
    works[1].number = 1;
    works_run(works, 2);
    assert_problem(&works[0], &TIMED_OUT);
    assert_problem(&works[1], NULL);
    free(works);
}

static void read_length(req_t *req, void *arg)
{
    work_t *work = arg;
    text_t text = {STR("four")};
    number_t row;
    statement_fetch(db_read(req), &fixture_statements[LENGTH_OF], &text, &row);
    work->value = row.value;
}

/* A statement is prepared behind one that fails; others use it before the server's answer says so. */
static void a_statement_whose_preparation_was_skipped_is_prepared_again(void **state)
{
    fixture_t *fixture = *state;
    work_t before = run_one(fixture, true, read_own_process);
    work_t *works = works_new(fixture, 4, read_length);
    works[0].run = sleep_on_server;
    works[0].number = 200;
    works[1].run = divide;
    works[1].number = DIVISOR_ZERO;
    works_start(works, 3);
    loop_turn(fixture->loop);
    works_start(&works[3], 1);
    loop_until_idle(fixture->loop);
    assert_problem(&works[0], NULL);
    assert_problem(&works[1], &INTERNAL);
    assert_int_equal(works[2].value, 4);
    assert_int_equal(works[3].value, 4);
    work_t after = run_one(fixture, true, read_own_process);
    assert_int_equal(after.value, before.value); /* nobody lost the connection over it */
    free(works);
}

static void kill_readers(req_t *req, void *arg)
{
    work_t *work = arg;
    text_t pattern = {STR("100 / $1")};
    number_t row;
    statement_fetch(db_read(req), &fixture_statements[KILL_OTHERS], &pattern, &row);
    work->value = row.value;
}

static void reads_survive_the_loss_of_their_connection(void **state)
{
    fixture_t *fixture = *state;
    work_t before = {.fixture = fixture, .run = divide};
    works_run(&before, 1);
    assert_problem(&before, NULL);
    work_t *works = works_new(fixture, MANY, divide);
    work_t killer = {.fixture = fixture, .run = kill_readers};
    works_run(&killer, 1);
    assert_problem(&killer, NULL);
    assert_int_equal(killer.value, 1);
    works_run(works, 10);
    for (int i = 0; i < 10; i++)
        assert_problem(&works[i], NULL);
    assert_true(database_is_ready(fixture->database));
    free(works);
}

static void read_far_too_much(req_t *req, void *arg)
{
    work_t *work = arg;
    void *rows = NULL;
    number_t most = {200000};
    work->value = (int64_t)statement_fetch_all(db_read(req), &fixture_statements[SERIES], &most, &rows);
    assert_int_equal(((number_t *)rows)[199999].value, 200000);
}

static void long_results_arrive_whole(void **state)
{
    for (int in_fiber = 0; in_fiber < 2; in_fiber++) {
        work_t work = run_one(*state, in_fiber, read_far_too_much);
        assert_problem(&work, NULL);
        assert_int_equal(work.value, 200000);
    }
}

static void send_long_text(req_t *req, void *arg)
{
    work_t *work = arg;
    enum { LENGTH = 4000000 };
    char *text = arena_alloc(req->arena, LENGTH);
    memset(text, 'x', LENGTH);
    text_t in = {{text, LENGTH}};
    number_t row;
    statement_fetch(db_read(req), &fixture_statements[LENGTH_OF], &in, &row);
    work->value = row.value;
}

static void long_parameters_arrive_whole(void **state)
{
    for (int in_fiber = 0; in_fiber < 2; in_fiber++) {
        work_t work = run_one(*state, in_fiber, send_long_text);
        assert_problem(&work, NULL);
        assert_int_equal(work.value, 4000000);
    }
}

static void sleep_for_nothing(req_t *req, void *arg)
{
    work_t *work = arg;
    work->value = read_number(req, SLEEP, 0);
}

static void more_reads_than_may_wait_are_refused_as_busy(void **state)
{
    enum { FIBERS = 5000 };
    fixture_t *fixture = *state;
    work_t *works = works_new(fixture, FIBERS, sleep_for_nothing);
    works[0].run = sleep_on_server; /* holds up all the others */
    works[0].number = 300;
    works_run(works, FIBERS);
    int busy = 0;
    for (int i = 0; i < FIBERS; i++)
        busy += works[i].problem == &BUSY;
    assert_true(busy > FIBERS - 4200 && busy < FIBERS - 4000);
    free(works);
}

static void all_is_well_after_being_busy(void **state)
{
    enum { FIBERS = 1000 };
    work_t *works = works_new(*state, FIBERS, sleep_for_nothing);
    works_run(works, FIBERS);
    for (int i = 0; i < FIBERS; i++)
        assert_problem(&works[i], NULL);
    free(works);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_failing_read_of_many_fails_alone, begin, end),
        cmocka_unit_test_setup_teardown(all_reads_of_a_thread_share_a_connection, begin, end),
        cmocka_unit_test_setup_teardown(a_thread_without_fibers_reads_too, begin, end),
        cmocka_unit_test_setup_teardown(a_read_that_is_left_early_leaves_the_others_alone, begin, end),
        cmocka_unit_test_setup_teardown(a_cancelled_read_ends_at_once, begin, end),
        cmocka_unit_test_setup_teardown(slow_statements_hold_up_no_others, begin, end),
        cmocka_unit_test_setup_teardown(a_slow_statement_that_is_left_early_gives_its_connection_back, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_statement_ends_at_the_statement_timeout, begin, end),
        cmocka_unit_test_setup_teardown(a_statement_whose_preparation_was_skipped_is_prepared_again, begin,
                                        end),
        cmocka_unit_test_setup_teardown(reads_survive_the_loss_of_their_connection, begin, end),
        cmocka_unit_test_setup_teardown(long_results_arrive_whole, begin, end),
        cmocka_unit_test_setup_teardown(long_parameters_arrive_whole, begin, end),
        cmocka_unit_test_setup_teardown(more_reads_than_may_wait_are_refused_as_busy, begin, end),
        cmocka_unit_test_setup_teardown(all_is_well_after_being_busy, begin, end),
    };
    if (test_server() == NULL)
        return TEST_SKIPPED;
    return cmocka_run_group_tests_name("postgres: reads", tests, NULL, NULL);
}
