/* Requests: fail() from any depth, nested attempts, releases, and thousands of failures in interleaved
 * fibers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka's; ours has another meaning */

#include <pthread.h>
#include <unistd.h>

#include "core/api.h"
#include "core/runtime/logline.h"
#include "core/runtime/req.h"

static const problem_kind_t BOARD_CLOSED = {"board_closed", 409, "The board is closed"};
static const problem_kind_t TOO_MANY = {"too_many", 429, "Too many requests"};

static req_t *req;
static loop_t *loop;
static int released;

static int begin(void **state)
{
    (void)state;
    loop = loop_new();
    loop_attach(loop);
    req = req_new(NULL, NULL);
    released = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    req_free(req);
    loop_free(loop);
    return 0;
}

static void release(void *what)
{
    (void)what;
    released++;
}

static void a_new_request_has_an_id_and_a_time(void **state)
{
    (void)state;
    uuid_t id;
    assert_true(uuid_parse(str_from(req->id), &id));
    assert_int_equal(req->deadline, NEVER);
    assert_true(req->now > 0 && req->now <= clock_now());
    assert_null(req->problem.kind);
    req_free(NULL);
}

static void go_well(req_t *of, void *arg)
{
    arena_defer(of->arena, release, NULL);
    *(int *)arg = 7;
}

static void what_goes_well_keeps_what_it_holds(void **state)
{
    (void)state;
    int value = 0;
    assert_true(req_attempt(req, go_well, &value));
    assert_int_equal(value, 7);
    assert_int_equal(released, 0);
    assert_null(req->unwind);
}

/* Says how deep it went, which it never does: at depth 0 it fails. */
static int go_deeper(req_t *of, int depth)
{
    volatile char frame[100];
    frame[0] = (char)depth;
    arena_defer(of->arena, release, NULL);
    if (depth == 0)
        fail(of, &BOARD_CLOSED, "The board %s closed on %s.", "garden", "Monday");
    int deeper = depth > 1000 ? 0 : go_deeper(of, depth - 1);
    return deeper + frame[0];
}

static void fail_deep(req_t *of, void *arg)
{
    go_deeper(of, *(int *)arg);
}

static void a_failure_unwinds_and_releases(void **state)
{
    (void)state;
    int depth = 20;
    arena_defer(req->arena, release, NULL);
    assert_false(req_attempt(req, fail_deep, &depth));
    assert_int_equal(released, 21);
    assert_ptr_equal(req->problem.kind, &BOARD_CLOSED);
    assert_string_equal(req->problem.detail.at, "The board garden closed on Monday.");
    assert_int_equal(req->problem.retry_after_us, 0);
    assert_null(req->unwind);
}

static void try_inside(req_t *of, void *arg)
{
    int depth = 3;
    arena_defer(of->arena, release, NULL);
    assert_false(req_attempt(of, fail_deep, &depth));
    assert_int_equal(released, 4);
    if (*(bool *)arg)
        fail_again(of);
    fail_retry(of, &TOO_MANY, 5 * SECOND_US, "Wait a little.");
}

static void attempts_nest(void **state)
{
    (void)state;
    bool again = true;
    assert_false(req_attempt(req, try_inside, &again));
    assert_int_equal(released, 5);
    assert_ptr_equal(req->problem.kind, &BOARD_CLOSED);
    released = 0;
    again = false;
    assert_false(req_attempt(req, try_inside, &again));
    assert_ptr_equal(req->problem.kind, &TOO_MANY);
    assert_int_equal(req->problem.retry_after_us, 5 * SECOND_US);
    assert_string_equal(req->problem.detail.at, "Wait a little.");
}

static void check_fields(req_t *of, void *arg)
{
    for (int place = 0; place < *(int *)arg; place++)
        field_wrong(of, STR("/title"), "must have %d characters or fewer", 80 + place);
    fail_fields(of);
}

static void wrong_fields_are_collected_and_bounded(void **state)
{
    (void)state;
    int count = 2;
    assert_false(req_attempt(req, check_fields, &count));
    assert_ptr_equal(req->problem.kind, &INVALID);
    assert_int_equal(req->problem.field_count, 2);
    assert_string_equal(req->problem.fields[0].pointer.at, "/title");
    assert_string_equal(req->problem.fields[1].detail.at, "must have 81 characters or fewer");
    count = 100;
    assert_false(req_attempt(req, check_fields, &count));
    assert_int_equal(req->problem.field_count, FIELD_ERRORS_MAX);
}

static void wait_once(req_t *of, void *arg)
{
    (void)arg;
    for (;;)
        req_wait(of);
}

typedef struct waiter {
    req_t *req;
    fiber_t *fiber;
    bool good;
} waiter_t;

static void wait_in_fiber(void *arg)
{
    waiter_t *waiter = arg;
    waiter->fiber = fiber_self();
    waiter->good = req_attempt(waiter->req, wait_once, NULL);
}

static void a_wait_ends_at_the_deadline(void **state)
{
    (void)state;
    waiter_t waiter = {.req = req, .good = true};
    req->deadline = clock_monotonic() + 10 * MILLISECOND_US;
    assert_true(fiber_start_now("waiter", wait_in_fiber, &waiter));
    fiber_wake(waiter.fiber);
    while (fiber_count() > 0)
        loop_turn(loop);
    assert_false(waiter.good);
    assert_ptr_equal(req->problem.kind, &TIMED_OUT);
}

static void a_wait_ends_when_the_client_is_gone(void **state)
{
    (void)state;
    waiter_t waiter = {.req = req, .good = true};
    assert_true(fiber_start_now("waiter", wait_in_fiber, &waiter));
    fiber_cancel(waiter.fiber);
    while (fiber_count() > 0)
        loop_turn(loop);
    assert_false(waiter.good);
    assert_ptr_equal(req->problem.kind, &CLIENT_GONE);
}

typedef struct storm {
    int number, failures, releases;
} storm_t;

static void count_release(void *what)
{
    ((storm_t *)what)->releases++;
}

static void yield_then_fail(req_t *of, void *arg)
{
    storm_t *storm = arg;
    arena_defer(of->arena, count_release, storm);
    fiber_sleep(0);
    char text[200];
    snprintf(text, sizeof text, "fiber %d, failure %d", storm->number, storm->failures);
    if (storm->failures % 2)
        go_deeper(of, storm->number % 20);
    fail(of, &BOARD_CLOSED, "%s", text);
}

static void nested_failure(req_t *of, void *arg)
{
    storm_t *storm = arg;
    assert_false(req_attempt(of, yield_then_fail, storm));
    fiber_sleep(0);
    storm->failures++;
    fail_again(of);
}

static void rage(void *arg)
{
    storm_t *storm = arg;
    req_t *own = req_new(NULL, NULL);
    for (int round = 0; round < 20; round++) {
        assert_false(req_attempt(own, nested_failure, storm));
        assert_ptr_equal(own->problem.kind, &BOARD_CLOSED);
        if (round % 2 == 0) {
            char text[100];
            snprintf(text, sizeof text, "fiber %d, failure %d", storm->number, round);
            assert_string_equal(own->problem.detail.at, text);
        }
    }
    req_free(own);
}

static void thousands_of_interleaved_fibers_fail_each_on_its_own(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    static storm_t storms[COUNT];
    for (int place = 0; place < COUNT; place++) {
        storms[place] = (storm_t){.number = place};
        assert_true(fiber_start("storm", rage, &storms[place]));
    }
    while (fiber_count() > 0)
        loop_turn(loop);
    for (int place = 0; place < COUNT; place++) {
        assert_int_equal(storms[place].failures, 20);
        assert_int_equal(storms[place].releases, 20);
    }
}

static void *fail_in_thread(void *arg)
{
    int depth = 5;
    *(bool *)arg = req_attempt(req, fail_deep, &depth);
    return NULL;
}

static void hand_over(req_t *of, void *arg)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, fail_in_thread, arg), 0);
    pthread_join(thread, NULL);
    assert_false(*(bool *)arg);
    fail_again(of);
}

static void a_body_may_fail_on_another_thread_and_again_here(void **state)
{
    (void)state;
    bool good = true;
    assert_false(req_attempt(req, hand_over, &good));
    assert_ptr_equal(req->problem.kind, &BOARD_CLOSED);
}

static void log_inside(req_t *of, void *arg)
{
    (void)of;
    (void)arg;
    logline(LINE_WARNING, "inside", NULL);
}

static void lines_written_in_an_attempt_carry_the_request(void **state)
{
    (void)state;
    int ends[2];
    char text[4096], wanted[100];
    assert_int_equal(pipe(ends), 0);
    logline_configure(LINE_INFO, ends[1]);
    assert_true(req_attempt(req, log_inside, NULL));
    logline(LINE_WARNING, "outside", NULL);
    logline_configure(LINE_INFO, STDERR_FILENO);
    close(ends[1]);
    ssize_t length = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    assert_true(length > 0);
    text[length] = '\0';
    snprintf(wanted, sizeof wanted, "\"event\":\"inside\",\"request\":\"%s\"}\n", req->id);
    assert_non_null(strstr(text, wanted));
    assert_non_null(strstr(text, "\"event\":\"outside\"}\n"));
}

#define REQ_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REQ_TEST(a_new_request_has_an_id_and_a_time),
        REQ_TEST(what_goes_well_keeps_what_it_holds),
        REQ_TEST(a_failure_unwinds_and_releases),
        REQ_TEST(attempts_nest),
        REQ_TEST(wrong_fields_are_collected_and_bounded),
        REQ_TEST(a_wait_ends_at_the_deadline),
        REQ_TEST(a_wait_ends_when_the_client_is_gone),
        REQ_TEST(thousands_of_interleaved_fibers_fail_each_on_its_own),
        REQ_TEST(a_body_may_fail_on_another_thread_and_again_here),
        REQ_TEST(lines_written_in_an_attempt_carry_the_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
