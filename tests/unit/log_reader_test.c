/* Readers: each entry is applied once, in order, whoever else appends, fails, reads along or is stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka's; ours has another meaning */

#include "core/log/reader.h"
#include "tests/unit/log_fixture.h"

static log_reader_status_t status_of(log_readers_t *readers)
{
    log_reader_status_t status[4];

    assert_int_equal(log_readers_status(readers, status, COUNT_OF(status)), 1);
    return status[0];
}

static void what_is_there_and_what_comes_is_applied(void **state)
{
    fixture_t *fixture = *state;

    append_entries(fixture, 1, 500);
    log_readers_t *readers = log_readers_start(&fixture->host);
    assert_applied_once(fixture, 500);
    int64_t quickest = INT64_MAX;
    for (int one = 501; one <= 510; one++) {
        int64_t start = clock_monotonic();
        append_entries(fixture, one, 1);
        assert_applied_once(fixture, one);
        if (clock_monotonic() - start < quickest)
            quickest = clock_monotonic() - start;
    }
    assert_true(quickest < 100 * MILLISECOND_US); /* nudged: it did not wait for its next look */
    for (int i = 0; i < 3; i++)
        turn_once(fixture->loop);
    log_reader_status_t status = status_of(readers);
    assert_string_equal(status.name, "target.applied");
    assert_int_equal(status.lag_entries, 0);
    assert_int_equal(status.failing_since, 0);
    assert_int_equal(log_position_compare(status.position, status.head), 0);
    log_readers_stop(readers);
}

static void a_reader_goes_on_where_it_was_stopped(void **state)
{
    fixture_t *fixture = *state;

    for (int round = 0; round < 10; round++) {
        log_readers_t *readers = log_readers_start(&fixture->host);
        append_entries(fixture, 1 + round * 50, 50);
        if (round % 2)
            turn_once(fixture->loop);
        log_readers_stop(readers);
    }
    log_readers_t *readers = log_readers_start(&fixture->host);
    assert_applied_once(fixture, 500);
    log_readers_stop(readers);
}

static void list_work(req_t *req, void *arg)
{
    void *rows;
    size_t count = statement_fetch_all(db_read(req), &applied_statements[APPLIED_LIST], NULL, &rows);
    const applied_t *applied = rows;

    for (size_t i = 0; i < count; i++)
        assert_int_equal(applied[i].number, i + 1);
    *(size_t *)arg = count;
}

static void entries_are_applied_in_the_order_of_the_log(void **state)
{
    fixture_t *fixture = *state;
    size_t count = 0;
    log_readers_t *readers = log_readers_start(&fixture->host);

    for (int i = 0; i < 30; i++)
        append_entries(fixture, 1 + i * 10, 10);
    assert_applied_once(fixture, 300);
    run_in(&fixture->host, &fixture->target, list_work, &count);
    assert_int_equal(count, 300);
    log_readers_stop(readers);
}

/* ---- concurrent appenders ---- */

enum { APPENDING_THREADS = 2, APPENDING_FIBERS = 8, APPENDS_EACH = 25 };

static atomic_int_fast64_t next_number;

typedef struct appending {
    fixture_t *fixture;
    int left; /* fibers of this thread */
} appending_t;

static void append_next_body(tx_t *tx, void *arg)
{
    append_t one = {*(int64_t *)arg, 1};

    append_body(tx, &one);
}

static void append_many_work(req_t *req, void *arg)
{
    (void)arg;
    for (int i = 0; i < APPENDS_EACH; i++) {
        int64_t number = atomic_fetch_add(&next_number, 1);
        db_apply(req, append_next_body, &number);
    }
}

static void appending_fiber(void *arg)
{
    appending_t *appending = arg;
    req_t *req = req_new(&appending->fixture->host, &appending->fixture->source);

    if (!req_attempt(req, append_many_work, NULL))
        print_error("appending ended in %s\n", req->problem.kind->code);
    req_free(req);
    appending->left--;
}

static void *appending_thread(void *arg)
{
    appending_t appending = {.fixture = arg, .left = APPENDING_FIBERS};
    loop_t *loop = loop_new();

    loop_attach(loop);
    for (int i = 0; i < APPENDING_FIBERS; i++)
        assert_true(fiber_start("append", appending_fiber, &appending));
    while (appending.left > 0)
        turn_once(loop);
    loop_free(loop);
    return NULL;
}

static void nothing_is_skipped_or_repeated_while_many_append(void **state)
{
    fixture_t *fixture = *state;
    log_readers_t *readers = log_readers_start(&fixture->host);
    pthread_t threads[APPENDING_THREADS];

    atomic_store(&next_number, 1);
    for (size_t i = 0; i < APPENDING_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, appending_thread, fixture), 0);
    assert_applied_once(fixture, APPENDING_THREADS * APPENDING_FIBERS * APPENDS_EACH);
    for (size_t i = 0; i < APPENDING_THREADS; i++)
        pthread_join(threads[i], NULL);
    log_readers_stop(readers);
}

/* ---- two processes with the same reader ---- */

static atomic_bool twin_over;

static void *twin_thread(void *arg)
{
    fixture_t *fixture = arg;
    loop_t *loop = loop_new();
    host_t host;

    loop_attach(loop);
    assert_true(host_open(fixture, &host));
    log_readers_t *readers = log_readers_start(&host);
    while (!atomic_load(&twin_over))
        turn_once(loop);
    log_readers_stop(readers);
    loop_free(loop);
    host_close(&host);
    return NULL;
}

static void two_processes_with_the_same_reader_apply_each_entry_once(void **state)
{
    fixture_t *fixture = *state;
    pthread_t twin;

    atomic_store(&twin_over, false);
    append_entries(fixture, 1, 1000);
    assert_int_equal(pthread_create(&twin, NULL, twin_thread, fixture), 0);
    log_readers_t *readers = log_readers_start(&fixture->host);
    for (int i = 0; i < 20; i++)
        append_entries(fixture, 1001 + i * 100, 100);
    assert_applied_once(fixture, 3000);
    atomic_store(&twin_over, true);
    pthread_join(twin, NULL);
    append_entries(fixture, 3001, 10);
    assert_applied_once(fixture, 3010);
    log_readers_stop(readers);
}

typedef struct turns {
    fixture_t *fixture;
    follower_t *followers[2]; /* of two processes */
    size_t whose;
    step_t step;
} turns_t;

static void take_turn_work(req_t *req, void *arg)
{
    turns_t *turns = arg;

    turns->step = follower_step(turns->followers[turns->whose], req->host);
}

static step_t take_turn(turns_t *turns, size_t whose)
{
    turns->whose = whose;
    run_in(&turns->fixture->host, &turns->fixture->target, take_turn_work, turns);
    return turns->step;
}

static void a_process_that_was_overtaken_goes_on_where_the_other_stopped(void **state)
{
    fixture_t *fixture = *state;
    turns_t turns = {.fixture = fixture};
    size_t count;

    for (size_t i = 0; i < 2; i++)
        turns.followers[i] = followers_of(&fixture->host, &count);
    assert_int_equal(count, 1);
    append_entries(fixture, 1, 3);
    assert_int_equal(take_turn(&turns, 0), STEP_APPLIED);
    assert_int_equal(take_turn(&turns, 1), STEP_AT_HEAD);
    append_entries(fixture, 4, 3);
    assert_int_equal(take_turn(&turns, 0), STEP_APPLIED);
    (void)take_turn(&turns, 1); /* finds itself overtaken, and applies nothing */
    assert_int_equal(applied_so_far(fixture).count, 6);
    append_entries(fixture, 7, 3);
    assert_int_equal(take_turn(&turns, 1), STEP_APPLIED);
    assert_int_equal(applied_so_far(fixture).count, 9);
    assert_int_equal(applied_so_far(fixture).distinct, 9);
    for (size_t i = 0; i < 2; i++)
        free(turns.followers[i]);
}

/* ---- failures ---- */

static void an_entry_that_fails_is_tried_again_and_those_before_it_are_applied(void **state)
{
    fixture_t *fixture = *state;

    logline_configure(LINE_ERROR + 1, STDERR_FILENO);
    atomic_store(&refused_number, 30);
    atomic_store(&refusals_left, 1000000);
    append_entries(fixture, 1, 60);
    log_readers_t *readers = log_readers_start(&fixture->host);
    assert_true(wait_until_applied(fixture, 29));
    for (int i = 0; i < 30; i++)
        turn_once(fixture->loop);
    log_reader_status_t status = status_of(readers);
    assert_true(status.failing_since > 0);
    assert_int_equal(status.lag_entries, 31);
    assert_int_equal(applied_so_far(fixture).count, 29);
    atomic_store(&refusals_left, 2);
    assert_applied_once(fixture, 60);
    for (int i = 0; i < 30; i++)
        turn_once(fixture->loop);
    status = status_of(readers);
    assert_int_equal(status.failing_since, 0);
    assert_int_equal(status.lag_entries, 0);
    log_readers_stop(readers);
}

static void a_failing_reader_can_be_stopped_at_once(void **state)
{
    fixture_t *fixture = *state;

    logline_configure(LINE_ERROR + 1, STDERR_FILENO);
    atomic_store(&refused_number, 1);
    atomic_store(&refusals_left, 1000000);
    append_entries(fixture, 1, 3);
    log_readers_t *readers = log_readers_start(&fixture->host);
    int64_t deadline = clock_monotonic() + SECOND_US;
    while (clock_monotonic() < deadline)
        turn_once(fixture->loop);
    int64_t start = clock_monotonic();
    log_readers_stop(readers);
    assert_true(clock_monotonic() - start < 200 * MILLISECOND_US);
    assert_int_equal(applied_so_far(fixture).count, 0);
}

static void leap_body(tx_t *tx, void *arg)
{
    (void)arg;
    statement_run(tx, &applied_statements[APPLIED_LEAP], NULL);
}

static void leap_work(req_t *req, void *arg)
{
    db_apply(req, leap_body, arg);
}

/* As when the source was restored from an older backup than the target. */
static void a_reader_ahead_of_its_log_skips_nothing_that_is_appended_then(void **state)
{
    fixture_t *fixture = *state;

    logline_configure(LINE_ERROR + 1, STDERR_FILENO);
    append_entries(fixture, 1, 3);
    log_readers_t *readers = log_readers_start(&fixture->host);
    assert_applied_once(fixture, 3);
    log_readers_stop(readers);
    run_in(&fixture->host, &fixture->target, leap_work, NULL);
    readers = log_readers_start(&fixture->host);
    int64_t patience = clock_monotonic() + 20 * SECOND_US;
    while (status_of(readers).failing_since == 0 && clock_monotonic() < patience)
        turn_once(fixture->loop);
    append_entries(fixture, 4, 20); /* past where it believes to be */
    int64_t deadline = clock_monotonic() + SECOND_US;
    while (clock_monotonic() < deadline)
        turn_once(fixture->loop);
    assert_int_equal(applied_so_far(fixture).count, 3);
    assert_true(status_of(readers).failing_since > 0);
    log_readers_stop(readers);
}

static void a_reader_rests_when_its_source_is_not_enabled(void **state)
{
    fixture_t *fixture = *state;

    fixture->readers[0].source = "elsewhere";
    log_readers_t *readers = log_readers_start(&fixture->host);
    log_reader_status_t status = status_of(readers);
    assert_int_equal(status.lag_entries, -1);
    assert_int_equal(status.failing_since, 0);
    log_readers_stop(readers);
}

/* ---- catching up ---- */

static void pass_on(tx_t *tx, const log_entry_t *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        log_entry_t copy = entries[i];
        copy.id = UUID_NONE;
        log_append(tx, &copy);
    }
}

static void catch_up_work(req_t *req, void *arg)
{
    (void)arg;
    log_readers_catch_up(req->host);
}

static void catching_up_ends_when_all_that_follows_is_applied(void **state)
{
    fixture_t *fixture = *state;

    /* The first reader, which runs first, follows what the second one writes to the target's own log. */
    fixture->readers[0].source = fixture->target_name;
    fixture->readers[1] =
        (log_reader_t){.name = "target.passed", .source = fixture->source_name, .apply = pass_on};
    fixture->target.reader_count = 2;
    append_entries(fixture, 1, 450);
    run_in(&fixture->host, &fixture->target, catch_up_work, NULL);
    applied_sum_t sum = applied_so_far(fixture);
    assert_int_equal(sum.count, 450);
    assert_int_equal(sum.distinct, 450);
    run_in(&fixture->host, &fixture->target, catch_up_work, NULL);
    assert_int_equal(applied_so_far(fixture).count, 450);
}

static void catching_up_gets_over_failures(void **state)
{
    fixture_t *fixture = *state;

    logline_configure(LINE_ERROR + 1, STDERR_FILENO);
    atomic_store(&refused_number, 5);
    atomic_store(&refusals_left, 2);
    append_entries(fixture, 1, 10);
    run_in(&fixture->host, &fixture->target, catch_up_work, NULL);
    assert_int_equal(applied_so_far(fixture).count, 10);
}

/* ---- PostgreSQL: transactions that commit out of their order ---- */

static void by_hand(PGconn *link, const char *sql)
{
    PGresult *result = PQexec(link, sql);

    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        print_error("%s", PQerrorMessage(link));
    assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
    PQclear(result);
}

static PGconn *append_and_hold_open(const fixture_t *fixture, int64_t number)
{
    PGconn *link = PQconnectdb(fixture->server);
    char sql[600];

    by_hand(link, "BEGIN");
    snprintf(sql, sizeof sql,
             "INSERT INTO %s.log (id, type, record, version, node, scope, time, schema, data) VALUES "
             "(gen_random_uuid(), 'held', gen_random_uuid(), %lld, 'hand', 0, 1, 1, '{}')",
             fixture->source_name, (long long)number);
    by_hand(link, sql);
    return link;
}

static void head_work(req_t *req, void *arg)
{
    *(log_position_t *)arg = log_head(req, req->module);
}

static log_position_t head_of(fixture_t *fixture)
{
    log_position_t head;

    run_in(&fixture->host, &fixture->source, head_work, &head);
    return head;
}

/* Whoever begins at the head would else miss what comes to stand before it. */
static void the_head_is_the_last_entry_that_nothing_can_come_before(void **state)
{
    fixture_t *fixture = *state;

    append_entries(fixture, 1, 5);
    log_position_t before = head_of(fixture);
    PGconn *held = append_and_hold_open(fixture, 6);
    append_entries(fixture, 7, 3);
    assert_int_equal(log_position_compare(head_of(fixture), before), 0);
    by_hand(held, "COMMIT");
    PQfinish(held);
    assert_int_equal(log_position_compare(head_of(fixture), before), 1);
}

static void an_entry_that_is_committed_late_is_not_skipped(void **state)
{
    fixture_t *fixture = *state;

    append_entries(fixture, 1, 5);
    log_readers_t *readers = log_readers_start(&fixture->host);
    assert_applied_once(fixture, 5);
    PGconn *held = append_and_hold_open(fixture, 6);
    append_entries(fixture, 7, 10);
    int64_t deadline = clock_monotonic() + 300 * MILLISECOND_US;
    while (clock_monotonic() < deadline)
        turn_once(fixture->loop);
    assert_int_equal(applied_so_far(fixture).count, 5); /* those behind the held one wait for it */
    by_hand(held, "COMMIT");
    PQfinish(held);
    int64_t start = clock_monotonic();
    assert_applied_once(fixture, 16);
    assert_true(clock_monotonic() - start < 300 * MILLISECOND_US);
    log_readers_stop(readers);
}

static void an_entry_that_is_undone_holds_nobody_up(void **state)
{
    fixture_t *fixture = *state;
    log_readers_t *readers = log_readers_start(&fixture->host);
    PGconn *held = append_and_hold_open(fixture, 999);

    append_entries(fixture, 1, 3);
    by_hand(held, "ROLLBACK");
    PQfinish(held);
    assert_applied_once(fixture, 3);
    log_readers_stop(readers);
}

static void many_that_commit_out_of_order_are_all_applied_once(void **state)
{
    fixture_t *fixture = *state;
    log_readers_t *readers = log_readers_start(&fixture->host);
    PGconn *held[8];
    int64_t number = 1;

    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < COUNT_OF(held); i++) {
            held[i] = append_and_hold_open(fixture, number++);
            append_entries(fixture, number++, 1);
        }
        for (size_t i = 0; i < COUNT_OF(held); i++) {
            size_t other = (i * 5 + 3) % COUNT_OF(held);
            by_hand(held[other], "COMMIT");
            PQfinish(held[other]);
            turn_once(fixture->loop);
        }
    }
    assert_applied_once(fixture, number - 1);
    log_readers_stop(readers);
}

/* ---- all of it ---- */

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_there_and_what_comes_is_applied, begin, end),
        cmocka_unit_test_setup_teardown(a_reader_goes_on_where_it_was_stopped, begin, end),
        cmocka_unit_test_setup_teardown(entries_are_applied_in_the_order_of_the_log, begin, end),
        cmocka_unit_test_setup_teardown(nothing_is_skipped_or_repeated_while_many_append, begin, end),
        cmocka_unit_test_setup_teardown(two_processes_with_the_same_reader_apply_each_entry_once, begin, end),
        cmocka_unit_test_setup_teardown(a_process_that_was_overtaken_goes_on_where_the_other_stopped, begin,
                                        end),
        cmocka_unit_test_setup_teardown(an_entry_that_fails_is_tried_again_and_those_before_it_are_applied,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_failing_reader_can_be_stopped_at_once, begin, end),
        cmocka_unit_test_setup_teardown(a_reader_ahead_of_its_log_skips_nothing_that_is_appended_then, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_reader_rests_when_its_source_is_not_enabled, begin, end),
        cmocka_unit_test_setup_teardown(catching_up_ends_when_all_that_follows_is_applied, begin, end),
        cmocka_unit_test_setup_teardown(catching_up_gets_over_failures, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

static int run_out_of_order(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_head_is_the_last_entry_that_nothing_can_come_before, begin, end),
        cmocka_unit_test_setup_teardown(an_entry_that_is_committed_late_is_not_skipped, begin, end),
        cmocka_unit_test_setup_teardown(an_entry_that_is_undone_holds_nobody_up, begin, end),
        cmocka_unit_test_setup_teardown(many_that_commit_out_of_order_are_all_applied_once, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    int failed = run_all();

    server_to_test = getenv("FOLKMOOT_TEST_POSTGRES");
    return server_to_test && *server_to_test ? failed + run_all() + run_out_of_order() : failed;
}
