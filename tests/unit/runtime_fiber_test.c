/* Fibers: starting, waking, deadlines, cancelling, the bound on their number, floating point modes, the
 * guard, the watchdog. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fenv.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/runtime/clock.h"
#include "core/runtime/fiber.h"
#include "core/runtime/logline.h"

static loop_t *loop;

static int begin(void **state)
{
    (void)state;
    loop = loop_new();
    loop_attach(loop);
    return 0;
}

static int end(void **state)
{
    (void)state;
    assert_int_equal(fiber_count(), 0);
    loop_free(loop);
    return 0;
}

static void turn_until_empty(void)
{
    int64_t deadline = clock_monotonic() + 30 * SECOND_US;
    while (fiber_count() > 0 && clock_monotonic() < deadline)
        loop_turn(loop);
    assert_int_equal(fiber_count(), 0);
}

static char trace[64];

static void note(const char *text)
{
    size_t length = strlen(trace);
    snprintf(trace + length, sizeof trace - length, "%s", text);
}

static int begin_trace(void **state)
{
    memset(trace, 0, sizeof trace);
    return begin(state);
}

static fiber_t *waiting;

static void say_arg(void *arg)
{
    note(arg);
}

static void starters(void *arg)
{
    note("[");
    assert_true(fiber_start("later", say_arg, (void *)"later"));
    assert_true(fiber_start_now("now", say_arg, (void *)"now"));
    note(arg);
}

static void a_fiber_starts_later_or_now(void **state)
{
    (void)state;
    assert_null(fiber_self());
    assert_true(fiber_start("starter", starters, (void *)"]"));
    assert_int_equal(fiber_count(), 1);
    loop_turn(loop);
    assert_string_equal(trace, "[now]later");
    assert_true(fiber_start_now("starter", starters, (void *)"]"));
    assert_string_equal(trace, "[now]later[now]");
    loop_turn(loop);
}

static void wait_inner(void *arg)
{
    note("i");
    waiting = fiber_self();
    assert_int_equal(fiber_wait(NEVER), WAKE_CALLED);
    note(arg);
}

static void start_inner(void *arg)
{
    (void)arg;
    note("o");
    assert_true(fiber_start_now("inner", wait_inner, (void *)"I"));
    note("O");
    assert_int_equal(fiber_wait(clock_monotonic() + 1000), WAKE_DEADLINE);
    fiber_wake(waiting);
    note("W");
}

static void a_fiber_started_now_comes_back_when_it_waits(void **state)
{
    (void)state;
    assert_true(fiber_start_now("outer", start_inner, NULL));
    assert_string_equal(trace, "oiO");
    turn_until_empty();
    assert_string_equal(trace, "oiOWI");
}

static void wake_self_first(void *arg)
{
    (void)arg;
    fiber_wake(fiber_self());
    fiber_wake(fiber_self());
    assert_int_equal(fiber_wait(NEVER), WAKE_CALLED);
    assert_int_equal(fiber_wait(clock_monotonic() + 1000), WAKE_DEADLINE);
    fiber_wake(fiber_self());
    fiber_wait_through();
    note("done");
}

static void a_wake_before_the_wait_is_remembered_once(void **state)
{
    (void)state;
    assert_true(fiber_start_now("early", wake_self_first, NULL));
    turn_until_empty();
    assert_string_equal(trace, "done");
}

static void sleep_well(void *arg)
{
    int64_t before = clock_monotonic();
    assert_int_equal(fiber_sleep(20 * MILLISECOND_US), WAKE_DEADLINE);
    assert_true(clock_monotonic() - before >= 20 * MILLISECOND_US);
    assert_int_equal(fiber_sleep(0), WAKE_DEADLINE);
    assert_int_equal(fiber_sleep(-5), WAKE_DEADLINE);
    *(bool *)arg = true;
}

static void sleep_ends_at_its_time_and_not_by_a_wake(void **state)
{
    (void)state;
    bool done = false;
    assert_true(fiber_start_now("sleeper", sleep_well, &done));
    turn_until_empty();
    assert_true(done);
}

static void be_cancelled(void *arg)
{
    waiting = fiber_self();
    assert_int_equal(fiber_wait(NEVER), WAKE_CANCELLED);
    assert_int_equal(fiber_wait(NEVER), WAKE_CANCELLED);
    assert_int_equal(fiber_wait(0), WAKE_CANCELLED);
    assert_int_equal(fiber_sleep(HOUR_US), WAKE_CANCELLED);
    assert_true(fiber_is_cancelled(fiber_self()));
    note(arg);
    fiber_wait_through();
    note("!");
}

static void a_cancelled_fiber_waits_no_more_but_through(void **state)
{
    (void)state;
    assert_true(fiber_start_now("cancelled", be_cancelled, (void *)"c"));
    fiber_cancel(waiting);
    fiber_cancel(waiting);
    loop_turn(loop);
    assert_string_equal(trace, "c");
    fiber_cancel(waiting);
    loop_turn(loop);
    assert_string_equal(trace, "c");
    fiber_wake(waiting);
    loop_turn(loop);
    assert_string_equal(trace, "c!");
}

static void wait_for_cancel(void *arg)
{
    if (fiber_wait(NEVER) == WAKE_CANCELLED)
        ++*(int *)arg;
}

static void all_fibers_of_a_loop_may_be_cancelled(void **state)
{
    (void)state;
    int cancelled = 0;
    for (int place = 0; place < 100; place++)
        assert_true(fiber_start("waiter", wait_for_cancel, &cancelled));
    for (int place = 0; place < 50; place++)
        assert_true(fiber_start_now("waiter", wait_for_cancel, &cancelled));
    fiber_cancel_all();
    loop_turn(loop);
    assert_int_equal(cancelled, 150);
}

static void the_number_of_fibers_is_bounded(void **state)
{
    (void)state;
    int cancelled = 0;
    for (int round = 0; round < 2; round++) {
        int started = 0;
        while (fiber_start_now("one of many", wait_for_cancel, &cancelled))
            started++;
        assert_int_equal(started, FIBERS_PER_LOOP_MAX);
        assert_int_equal(fiber_count(), FIBERS_PER_LOOP_MAX);
        fiber_cancel_all();
        turn_until_empty();
    }
    assert_int_equal(cancelled, 2 * FIBERS_PER_LOOP_MAX);
}

static long resident_kib(void)
{
    long total, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_int_equal(fscanf(file, "%ld %ld", &total, &resident), 2);
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void use_stack_and_wait(void *arg)
{
    volatile char deep[60000];
    for (size_t place = 0; place < sizeof deep; place += 1000)
        deep[place] = 1;
    wait_for_cancel(arg);
    assert_int_equal(deep[0], 1);
}

static void stacks_that_nobody_needs_go_back(void **state)
{
    (void)state;
    int cancelled = 0;
    for (int place = 0; place < 1000; place++)
        assert_true(fiber_start_now("deep", use_stack_and_wait, &cancelled));
    long before = resident_kib();
    fiber_cancel_all();
    turn_until_empty();
    int64_t deadline = clock_monotonic() + 20 * SECOND_US;
    while (resident_kib() > before - 40000 && clock_monotonic() < deadline) {
        usleep(50000);
        loop_turn(loop);
    }
    assert_true(resident_kib() <= before - 40000);
}

static void count_down(void *arg)
{
    int *left = arg;
    while (--*left > 0) {
        fiber_wake(fiber_self());
        fiber_wait(NEVER);
        assert_int_equal(fiber_sleep(0), WAKE_DEADLINE);
    }
}

static void thousands_of_fibers_take_turns(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    static int left[COUNT];
    for (int place = 0; place < COUNT; place++) {
        left[place] = 20;
        assert_true(fiber_start("counter", count_down, &left[place]));
    }
    turn_until_empty();
    for (int place = 0; place < COUNT; place++)
        assert_int_equal(left[place], 0);
}

typedef struct pair {
    fiber_t *fibers[2];
    int runs;
} pair_t;

static void play(pair_t *pair, int self)
{
    pair->fibers[self] = fiber_self();
    while (!fiber_is_cancelled(fiber_self())) {
        pair->runs++;
        if (pair->fibers[!self])
            fiber_wake(pair->fibers[!self]);
        fiber_wait(NEVER);
    }
}

static void play_first(void *arg)
{
    play(arg, 0);
}

static void play_second(void *arg)
{
    play(arg, 1);
}

static void two_fibers_that_wake_each_other_do_not_hold_the_turn(void **state)
{
    (void)state;
    pair_t pair = {0};
    assert_true(fiber_start("first", play_first, &pair));
    assert_true(fiber_start("second", play_second, &pair));
    loop_turn(loop);
    int runs = pair.runs;
    assert_in_range(runs, 100, 10000);
    assert_int_equal(loop_timeout_ms(loop), 0);
    loop_turn(loop);
    assert_true(pair.runs > runs);
    fiber_cancel_all();
    turn_until_empty();
}

static void round_upward(void *arg)
{
    assert_int_equal(fegetround(), FE_TONEAREST);
    fesetround(FE_UPWARD);
    waiting = fiber_self();
    fiber_wait(NEVER);
    assert_int_equal(fegetround(), FE_UPWARD);
    *(bool *)arg = true;
}

static void each_fiber_has_its_own_floating_point_mode(void **state)
{
    (void)state;
    bool done = false;
    assert_true(fiber_start_now("upward", round_upward, &done));
    assert_int_equal(fegetround(), FE_TONEAREST);
    fiber_wake(waiting);
    loop_turn(loop);
    assert_true(done);
}

/* Runs `body` in a child and reads what it writes on standard error. Its end is not a good one. */
static void run_to_death(void (*body)(void), char *text, size_t size)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        signal(SIGSEGV, SIG_DFL);
        signal(SIGABRT, SIG_DFL);
        body();
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t got; length < size - 1 && (got = read(ends[0], text + length, size - 1 - length)) > 0;)
        length += (size_t)got;
    text[length] = '\0';
    close(ends[0]);
    int status;
    waitpid(child, &status, 0);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static int sink(const volatile char *text)
{
    return text[0];
}

static int dig(int depth)
{
    volatile char frame[1024];
    frame[0] = (char)depth;
    int deeper = depth > 1000000 ? 0 : dig(depth + 1);
    return deeper + sink(frame);
}

static void overflow(void *arg)
{
    *(int *)arg = dig(0);
}

static void overflow_in_fiber(void)
{
    static int result;
    fiber_install_guard_handler();
    loop_t *own = loop_new();
    loop_attach(own);
    if (fiber_start_now("digger", overflow, &result))
        _exit(0);
}

static void an_overflow_names_the_fiber(void **state)
{
    (void)state;
    char text[16384];
    run_to_death(overflow_in_fiber, text, sizeof text);
    assert_non_null(strstr(text, "\"event\":\"fiber_stack_overflow\",\"fiber\":\"digger\""));
}

static void wait_outside(void)
{
    fiber_wait(NEVER);
}

static void waiting_outside_of_a_fiber_ends_the_process(void **state)
{
    (void)state;
    char text[1024];
    run_to_death(wait_outside, text, sizeof text);
    assert_non_null(strstr(text, "fiber_wait was called outside of a fiber"));
}

typedef struct hog {
    const char *name;
    int pipe; /* of the log lines */
} hog_t;

/* Holds the thread until it is told of, and a little longer: it must not be told of twice. */
static void spin(void *arg)
{
    const hog_t *hog = arg;
    int64_t give_up = clock_monotonic() + 20 * SECOND_US;
    int before = 0, now = 0;
    fiber_name(hog->name);
    ioctl(hog->pipe, FIONREAD, &before);
    while (ioctl(hog->pipe, FIONREAD, &now) == 0 && now == before && clock_monotonic() < give_up)
        ;
    int64_t until = clock_monotonic() + 100 * MILLISECOND_US;
    while (clock_monotonic() < until)
        ;
}

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

static void the_watchdog_names_who_holds_the_thread_once(void **state)
{
    (void)state;
    int ends[2];
    char text[4096];
    assert_int_equal(pipe(ends), 0);
    logline_configure(LINE_INFO, ends[1]);
    fiber_watchdog_start();
    fiber_watchdog_start();
    assert_true(fiber_start_now("starting", spin, &(hog_t){"hog", ends[0]}));
    assert_true(fiber_start_now("starting", spin, &(hog_t){"boar", ends[0]}));
    logline_configure(LINE_INFO, STDERR_FILENO);
    close(ends[1]);
    ssize_t length = read(ends[0], text, sizeof text - 1);
    assert_true(length > 0);
    text[length] = '\0';
    close(ends[0]);
    assert_int_equal(occurrences(text, "\"event\":\"fiber_held_thread\",\"fiber\":\"hog\",\"ms\":\""), 1);
    assert_int_equal(occurrences(text, "\"event\":\"fiber_held_thread\",\"fiber\":\"boar\",\"ms\":\""), 1);
}

#define FIBER_TEST(test) cmocka_unit_test_setup_teardown(test, begin_trace, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIBER_TEST(a_fiber_starts_later_or_now),
        FIBER_TEST(a_fiber_started_now_comes_back_when_it_waits),
        FIBER_TEST(a_wake_before_the_wait_is_remembered_once),
        FIBER_TEST(sleep_ends_at_its_time_and_not_by_a_wake),
        FIBER_TEST(a_cancelled_fiber_waits_no_more_but_through),
        FIBER_TEST(all_fibers_of_a_loop_may_be_cancelled),
        FIBER_TEST(the_number_of_fibers_is_bounded),
        FIBER_TEST(stacks_that_nobody_needs_go_back),
        FIBER_TEST(thousands_of_fibers_take_turns),
        FIBER_TEST(two_fibers_that_wake_each_other_do_not_hold_the_turn),
        FIBER_TEST(each_fiber_has_its_own_floating_point_mode),
        FIBER_TEST(an_overflow_names_the_fiber),
        FIBER_TEST(waiting_outside_of_a_fiber_ends_the_process),
        FIBER_TEST(the_watchdog_names_who_holds_the_thread_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
