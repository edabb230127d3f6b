/* The writer thread of SQLite: one commit for many bodies, each of which fails alone; waiting and
 * giving up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* ours is a function */

#include "core/db/sqlite_writer.h"
#include "core/runtime/logline.h"
#include "tests/unit/db_fixture.h"

/* ---- bodies ---- */

static void insert_ten(req_t *req, hand_t *hand)
{
    for (int i = 0; i < 10; i++) {
        int number = 10 * hand->number + i;

        db_apply(req, insert_numbered, &number);
    }
}

static void insert_or_fail_work(req_t *req, hand_t *hand)
{
    db_apply(req, insert_or_fail, &hand->number);
}

static void fail_or_insert(tx_t *tx, void *arg)
{
    int *number = arg;

    if (*number % 5 == 3)
        fail(tx->req, &FORBIDDEN, "Number %d may not.", *number);
    insert_numbered(tx, arg);
}

static void fail_or_insert_work(req_t *req, hand_t *hand)
{
    db_apply(req, fail_or_insert, &hand->number);
}

static void insert_twice(tx_t *tx, void *arg)
{
    insert_numbered(tx, arg);
    insert_numbered(tx, arg);
}

static void insert_orphan(tx_t *tx, void *arg)
{
    insert_numbered(tx, arg);
    statement_run(tx, &fixture_statements[ORPHAN_INSERT], NULL);
}

static void broken_work(req_t *req, hand_t *hand)
{
    if (hand->number % 4 == 1)
        db_apply(req, insert_twice, &hand->number);
    else if (hand->number % 4 == 2)
        db_apply(req, insert_orphan, &hand->number);
    else
        db_apply(req, insert_numbered, &hand->number);
}

/* ---- sharing commits ---- */

static void many_fibers_share_commits(void **state)
{
    fixture_t *fixture = *state;
    crew_t *crew = crew_new(fixture, 2, 32, insert_ten, NULL);
    database_counts_t counts;

    crew_run(crew);
    counts = database_counts(fixture->database);
    assert_int_equal(crew_count(crew, NULL), 64);
    assert_int_equal(count_things(fixture), 640);
    assert_int_equal(counts.transactions, 640);
    assert_true(counts.commits < counts.transactions / 2);
    assert_int_equal(counts.waiting, 0);
    free(crew);
}

static void a_failing_body_undoes_itself_alone(void **state)
{
    fixture_t *fixture = *state;
    crew_t *crew = crew_new(fixture, 2, 25, insert_or_fail_work, NULL);

    run_as_one_batch(crew);
    for (int i = 0; i < 50; i++)
        assert_ptr_equal(crew->hands[i].problem, i % 5 == 3 ? &FORBIDDEN : NULL);
    assert_int_equal(count_things(fixture), 40);
    assert_int_equal(database_counts(fixture->database).commits, 1);
    assert_int_equal(database_counts(fixture->database).transactions, 40);
    assert_int_equal(database_counts(fixture->database).retries, 1); /* whoever fails, and however many */
    free(crew);
}

static void a_body_that_fails_before_it_writes_makes_nobody_run_again(void **state)
{
    fixture_t *fixture = *state;
    crew_t *crew = crew_new(fixture, 2, 25, fail_or_insert_work, NULL);

    run_as_one_batch(crew);
    for (int i = 0; i < 50; i++)
        assert_ptr_equal(crew->hands[i].problem, i % 5 == 3 ? &FORBIDDEN : NULL);
    assert_int_equal(count_things(fixture), 40);
    assert_int_equal(database_counts(fixture->database).retries, 0);
    free(crew);
}

typedef struct noted {
    int runs, left;
} noted_t;

/* As a body does that answers with a problem instead of failing, because what it wrote is to stay. */
static void insert_and_note_once(tx_t *tx, void *arg)
{
    hand_t *hand = arg;
    noted_t *noted = hand->arg;

    if (noted->runs++ == 0)
        tx->req->problem.kind = &FORBIDDEN;
    insert_numbered(tx, &hand->number);
}

static void note_or_fail_work(req_t *req, hand_t *hand)
{
    noted_t *noted = hand->arg;

    if (hand->number % 5 == 3)
        db_apply(req, insert_or_fail, &hand->number);
    db_apply(req, insert_and_note_once, hand);
    noted->left += req->problem.kind != NULL;
}

static void a_body_that_runs_again_begins_with_the_request_as_it_was(void **state)
{
    noted_t noted = {0};
    crew_t *crew = crew_new(*state, 1, 4, note_or_fail_work, &noted);

    run_as_one_batch(crew);
    assert_int_equal(crew_count(crew, NULL), 3);
    assert_int_equal(noted.runs, 6);
    assert_int_equal(noted.left, 0);
    assert_int_equal(count_things(*state), 3);
    free(crew);
}

typedef struct second_thoughts {
    int runs;
    bool clean; /* nothing of the first run was left in the request */
} second_thoughts_t;

static void complain_once(tx_t *tx, void *arg)
{
    second_thoughts_t *thoughts = arg;
    const problem_t *problem = &tx->req->problem;
    int number = 1;

    insert_numbered(tx, &number);
    if (thoughts->runs++ == 0) {
        field_wrong(tx->req, STR("/title"), "is of the world that was undone");
        fail_fields(tx->req);
    }
    thoughts->clean = problem->kind == NULL && problem->field_count == 0 && problem->detail.at == NULL;
}

static void apply_complaint(req_t *req, void *arg)
{
    db_apply(req, complain_once, arg);
}

static void what_a_body_failed_with_is_forgotten_when_it_runs_again(void **state)
{
    second_thoughts_t thoughts = {0};

    assert_null(request(*state, apply_complaint, &thoughts));
    assert_int_equal(thoughts.runs, 2);
    assert_true(thoughts.clean);
    assert_int_equal(count_things(*state), 1);
}

static void a_violated_constraint_is_an_internal_error_of_its_body_alone(void **state)
{
    fixture_t *fixture = *state;
    crew_t *crew = crew_new(fixture, 2, 10, broken_work, NULL);

    run_as_one_batch(crew);
    for (int i = 0; i < 20; i++)
        assert_ptr_equal(crew->hands[i].problem, i % 4 == 1 || i % 4 == 2 ? &INTERNAL : NULL);
    assert_int_equal(count_things(fixture), 10);
    assert_int_equal(database_counts(fixture->database).commits, 1);
    free(crew);
}

static void more_bodies_than_a_batch_takes_are_all_done(void **state)
{
    fixture_t *fixture = *state;
    crew_t *crew = crew_new(fixture, 3, 300, insert_plain_work, NULL);

    run_as_one_batch(crew);
    assert_int_equal(crew_count(crew, NULL), 900);
    assert_int_equal(count_things(fixture), 900);
    assert_in_range(database_counts(fixture->database).commits, 4, 20);
    free(crew);
}

static void nothing_work(tx_t *tx, void *arg)
{
    (void)tx;
    ++*(int *)arg;
}

static void thousand_nothings(req_t *req, void *arg)
{
    for (int i = 0; i < 1000; i++)
        db_apply(req, nothing_work, arg);
}

static void a_body_without_effects_costs_no_write_to_the_disk(void **state)
{
    fixture_t *fixture = *state;
    int runs = 0, before = 0, after = 0, highest = 0;
    sqlite3 *writing = sqlite_state_of(fixture->database)->writing->handle;

    sqlite3_db_status(writing, SQLITE_DBSTATUS_CACHE_WRITE, &before, &highest, 0);
    assert_null(request(fixture, thousand_nothings, &runs));
    sqlite3_db_status(writing, SQLITE_DBSTATUS_CACHE_WRITE, &after, &highest, 0);
    assert_int_equal(runs, 1000);
    assert_int_equal(before, after);
}

/* ---- giving up ---- */

static void set_short_deadline(hand_t *hand)
{
    hand->req->deadline = clock_monotonic() + 100 * MILLISECOND_US;
}

static void a_body_that_waits_past_its_deadline_never_runs(void **state)
{
    fixture_t *fixture = *state;
    crew_t *crew = crew_new(fixture, 2, 20, insert_plain_work, NULL);
    sqlite3 *lock = lock_file(fixture);

    crew->prepare = set_short_deadline;
    crew_run(crew);
    assert_int_equal(crew_count(crew, &TIMED_OUT), 40);
    assert_int_equal(database_counts(fixture->database).waiting, 0);
    unlock_file(lock);
    assert_int_equal(count_things(fixture), 0);
    free(crew);
}

typedef struct victim {
    fiber_t *fiber;
    atomic_bool began, cancelled; /* the body, on the writer's thread; the fiber, on its own */
} victim_t;

static void insert_as_victim(req_t *req, hand_t *hand)
{
    victim_t *victim = hand->arg;

    if (hand->number == 0) {
        victim->fiber = fiber_self();
        db_apply(req, insert_numbered, &hand->number);
    } else {
        fiber_sleep(20 * MILLISECOND_US);
        fiber_cancel(victim->fiber);
    }
}

static void a_cancelled_body_that_waits_never_runs(void **state)
{
    fixture_t *fixture = *state;
    victim_t victim = {0};
    crew_t *crew = crew_new(fixture, 1, 2, insert_as_victim, &victim);
    sqlite3 *lock = lock_file(fixture);

    crew_run(crew);
    unlock_file(lock);
    assert_ptr_equal(crew->hands[0].problem, &CLIENT_GONE);
    assert_int_equal(count_things(fixture), 0);
    free(crew);
}

static void insert_until_cancelled(tx_t *tx, void *arg)
{
    hand_t *hand = arg;
    victim_t *victim = hand->arg;

    insert_numbered(tx, &hand->number);
    atomic_store(&victim->began, true);
    while (!atomic_load(&victim->cancelled))
        usleep(1000);
}

static void insert_for_long_as_victim(req_t *req, hand_t *hand)
{
    victim_t *victim = hand->arg;

    if (hand->number == 0) {
        victim->fiber = fiber_self();
        db_apply(req, insert_until_cancelled, hand);
    } else {
        while (!atomic_load(&victim->began))
            fiber_sleep(MILLISECOND_US);
        fiber_cancel(victim->fiber);
        fiber_sleep(0); /* the fiber hears of it before its body goes on */
        atomic_store(&victim->cancelled, true);
    }
}

static void leave_and_insert(req_t *req, hand_t *hand)
{
    fiber_cancel(fiber_self());
    db_apply(req, insert_numbered, &hand->number);
}

static void who_has_left_begins_no_body(void **state)
{
    fixture_t *fixture = *state;
    crew_t *crew = crew_new(fixture, 2, 32, leave_and_insert, NULL);

    crew_run(crew);
    assert_int_equal(crew_count(crew, &CLIENT_GONE), 64);
    assert_int_equal(count_things(fixture), 0);
    free(crew);
}

static void a_cancelled_body_that_has_begun_is_waited_for(void **state)
{
    fixture_t *fixture = *state;
    victim_t victim = {0};
    crew_t *crew = crew_new(fixture, 1, 2, insert_for_long_as_victim, &victim);

    crew_run(crew);
    assert_null(crew->hands[0].problem);
    assert_int_equal(count_things(fixture), 1);
    free(crew);
}

static void without_a_fiber_the_thread_waits_itself(void **state)
{
    fixture_t *fixture = *state;
    req_t *req = req_new(&fixture->host, &fixture->module);
    int number = 7;
    sqlite3 *lock = lock_file(fixture);

    req->deadline = clock_monotonic() + 50 * MILLISECOND_US;
    assert_ptr_equal(attempt(req, apply_numbered, &number), &TIMED_OUT);
    unlock_file(lock);
    req->deadline = NEVER;
    assert_null(attempt(req, apply_numbered, &number));
    assert_int_equal(count_things(fixture), 1);
    req_free(req);
}

static void run_queue(req_t *req, void *arg)
{
    sqlite_job_t job = {.req = req};

    job_queue_run(arg, &job);
}

static void a_full_queue_answers_busy_and_a_closed_one_unavailable(void **state)
{
    fixture_t *fixture = *state;
    job_queue_t queue;

    job_queue_init(&queue, fixture->database);
    queue.length = WRITER_QUEUE_MAX;
    assert_ptr_equal(request(fixture, run_queue, &queue), &BUSY);
    queue.length = 0;
    job_queue_close(&queue);
    assert_ptr_equal(request(fixture, run_queue, &queue), &UNAVAILABLE);
    job_queue_destroy(&queue);
}

static void nested_body(tx_t *tx, void *arg)
{
    db_apply(tx->req, insert_numbered, arg);
}

static void apply_nested(req_t *req, void *arg)
{
    db_apply(req, nested_body, arg);
}

static void a_transaction_inside_of_a_transaction_is_refused(void **state)
{
    int number = 1;

    assert_ptr_equal(request(*state, apply_nested, &number), &INTERNAL);
    assert_int_equal(count_things(*state), 0);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, begin_fixture, end_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(many_fibers_share_commits),
        WITH_FIXTURE(a_failing_body_undoes_itself_alone),
        WITH_FIXTURE(a_body_that_fails_before_it_writes_makes_nobody_run_again),
        WITH_FIXTURE(a_body_that_runs_again_begins_with_the_request_as_it_was),
        WITH_FIXTURE(what_a_body_failed_with_is_forgotten_when_it_runs_again),
        WITH_FIXTURE(a_violated_constraint_is_an_internal_error_of_its_body_alone),
        WITH_FIXTURE(more_bodies_than_a_batch_takes_are_all_done),
        WITH_FIXTURE(a_body_without_effects_costs_no_write_to_the_disk),
        WITH_FIXTURE(a_body_that_waits_past_its_deadline_never_runs),
        WITH_FIXTURE(a_cancelled_body_that_waits_never_runs),
        WITH_FIXTURE(who_has_left_begins_no_body),
        WITH_FIXTURE(a_cancelled_body_that_has_begun_is_waited_for),
        WITH_FIXTURE(without_a_fiber_the_thread_waits_itself),
        WITH_FIXTURE(a_full_queue_answers_busy_and_a_closed_one_unavailable),
        WITH_FIXTURE(a_transaction_inside_of_a_transaction_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
