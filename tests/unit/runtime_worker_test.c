/* Worker pools: results, the bound of the queue, calls that are given up before they begin and those that
 * must be waited for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

#include "core/runtime/clock.h"
#include "core/runtime/logline.h"
#include "core/runtime/worker.h"

static loop_t *loop;
static worker_pool_t *pool;
static sem_t gate;
static atomic_int begun;

static int begin(void **state)
{
    (void)state;
    loop = loop_new();
    loop_attach(loop);
    sem_init(&gate, 0, 0);
    atomic_store(&begun, 0);
    pool = NULL;
    return 0;
}

static int end(void **state)
{
    (void)state;
    assert_int_equal(fiber_count(), 0);
    worker_pool_free(pool);
    sem_destroy(&gate);
    loop_free(loop);
    return 0;
}

static void run_until_empty(void)
{
    int64_t deadline = clock_monotonic() + 30 * SECOND_US;
    while (fiber_count() > 0 && clock_monotonic() < deadline) {
        loop_turn(loop);
        if (loop_timeout_ms(loop) > 0)
            usleep(500);
    }
    assert_int_equal(fiber_count(), 0);
}

static void turn_until_begun(int count)
{
    int64_t deadline = clock_monotonic() + 30 * SECOND_US;
    while (atomic_load(&begun) < count && clock_monotonic() < deadline)
        loop_turn(loop);
    assert_int_equal(atomic_load(&begun), count);
}

typedef struct job {
    int input, output;
    int64_t deadline;
    worker_result_t result;
    fiber_t *fiber;
} job_t;

static void square(void *arg)
{
    job_t *job = arg;
    atomic_fetch_add(&begun, 1);
    assert_null(loop_current());
    job->output = job->input * job->input;
}

static void wait_at_gate(void *arg)
{
    atomic_fetch_add(&begun, 1);
    sem_wait(&gate);
    ((job_t *)arg)->output = 1;
}

static void run_square(void *arg)
{
    job_t *job = arg;
    job->result = worker_run(pool, square, job, job->deadline);
}

static void run_gate(void *arg)
{
    job_t *job = arg;
    job->fiber = fiber_self();
    job->result = worker_run(pool, wait_at_gate, job, job->deadline);
}

static void many_calls_return_their_results(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    static job_t jobs[COUNT];
    pool = worker_pool_new("squares", 3, COUNT);
    for (int place = 0; place < COUNT; place++) {
        jobs[place] = (job_t){.input = place, .deadline = NEVER, .result = WORKER_FULL};
        assert_true(fiber_start("square", run_square, &jobs[place]));
    }
    run_until_empty();
    for (int place = 0; place < COUNT; place++) {
        assert_int_equal(jobs[place].result, WORKER_DONE);
        assert_int_equal(jobs[place].output, place * place);
    }
    assert_int_equal(worker_queue_length(pool), 0);
}

static void outside_of_a_fiber_the_work_is_done_in_place(void **state)
{
    (void)state;
    job_t job = {.input = 9};
    loop_attach(NULL);
    pool = worker_pool_new("unused", 1, 1);
    assert_int_equal(worker_run(pool, square, &job, NEVER), WORKER_DONE);
    assert_int_equal(job.output, 81);
    loop_attach(loop);
}

static void a_full_queue_refuses(void **state)
{
    (void)state;
    job_t jobs[5];
    pool = worker_pool_new("gate", 2, 2);
    for (int place = 0; place < 5; place++) {
        jobs[place] = (job_t){.deadline = NEVER, .result = WORKER_DONE};
        assert_true(fiber_start_now("gate", run_gate, &jobs[place]));
    }
    assert_int_equal(jobs[4].result, WORKER_FULL);
    turn_until_begun(2);
    assert_int_equal(worker_queue_length(pool), 2);
    for (int place = 0; place < 4; place++)
        sem_post(&gate);
    run_until_empty();
    for (int place = 0; place < 4; place++)
        assert_int_equal(jobs[place].result, WORKER_DONE);
    assert_int_equal(atomic_load(&begun), 4);
}

static void what_has_not_begun_is_given_up(void **state)
{
    (void)state;
    job_t running = {.deadline = NEVER}, late = {.deadline = clock_monotonic() + 10 * MILLISECOND_US},
          unwanted = {.deadline = NEVER};
    pool = worker_pool_new("gate", 1, 8);
    assert_true(fiber_start_now("running", run_gate, &running));
    turn_until_begun(1);
    assert_true(fiber_start_now("late", run_gate, &late));
    assert_true(fiber_start_now("unwanted", run_gate, &unwanted));
    assert_int_equal(worker_queue_length(pool), 2);
    fiber_cancel(unwanted.fiber);
    loop_turn(loop);
    assert_int_equal(unwanted.result, WORKER_CANCELLED);
    int64_t give_up = clock_monotonic() + 10 * SECOND_US;
    while (fiber_count() > 1 && clock_monotonic() < give_up)
        loop_turn(loop);
    assert_int_equal(late.result, WORKER_DEADLINE);
    assert_int_equal(worker_queue_length(pool), 0);
    sem_post(&gate);
    run_until_empty();
    assert_int_equal(running.result, WORKER_DONE);
    assert_int_equal(atomic_load(&begun), 1);
}

static void what_has_begun_is_waited_for(void **state)
{
    (void)state;
    job_t late = {.deadline = clock_monotonic()}, unwanted = {.deadline = NEVER};
    pool = worker_pool_new("gate", 2, 8);
    assert_true(fiber_start_now("unwanted", run_gate, &unwanted));
    assert_true(fiber_start_now("late", run_gate, &late));
    int64_t give_up = clock_monotonic() + 20 * SECOND_US;
    while (atomic_load(&begun) < 2 && clock_monotonic() < give_up)
        usleep(1000);
    fiber_cancel(unwanted.fiber);
    for (int round = 0; round < 20; round++)
        loop_turn(loop);
    assert_int_equal(fiber_count(), 2);
    sem_post(&gate);
    sem_post(&gate);
    run_until_empty();
    assert_int_equal(unwanted.result, WORKER_DONE);
    assert_int_equal(late.result, WORKER_DONE);
    assert_int_equal(unwanted.output + late.output, 2);
}

static void a_cancelled_fiber_gives_its_call_up_at_once(void **state)
{
    (void)state;
    job_t running = {.deadline = NEVER}, job = {.deadline = NEVER};
    pool = worker_pool_new("gate", 1, 8);
    assert_true(fiber_start_now("running", run_gate, &running));
    turn_until_begun(1);
    assert_true(fiber_start("cancelled before", run_gate, &job));
    fiber_cancel_all();
    loop_turn(loop);
    assert_int_equal(job.result, WORKER_CANCELLED);
    sem_post(&gate);
    run_until_empty();
}

/* The only thread is busy: the queue empties because the pool ends, and only then may the running call end.
 */
static void *open_gate_when_the_queue_is_empty(void *arg)
{
    while (worker_queue_length(arg) > 0)
        usleep(1000);
    sem_post(&gate);
    return NULL;
}

static void the_end_of_a_pool_ends_what_waits(void **state)
{
    (void)state;
    job_t running = {.deadline = NEVER}, queued = {.deadline = NEVER};
    worker_pool_t *short_lived = pool = worker_pool_new("gate", 1, 8);
    assert_true(fiber_start_now("running", run_gate, &running));
    turn_until_begun(1);
    assert_true(fiber_start_now("queued", run_gate, &queued));
    pthread_t opener;
    assert_int_equal(pthread_create(&opener, NULL, open_gate_when_the_queue_is_empty, short_lived), 0);
    worker_pool_free(short_lived);
    pthread_join(opener, NULL);
    pool = NULL;
    run_until_empty();
    assert_int_equal(running.result, WORKER_DONE);
    assert_int_equal(queued.result, WORKER_CANCELLED);
    assert_int_equal(atomic_load(&begun), 1);
}

/* A server that stops does not wait for ever: work that takes longer than that must find its memory. */
static void work_may_outlive_its_loop(void **state)
{
    (void)state;
    job_t slow = {.deadline = NEVER};
    logline_configure(LINE_ERROR, STDERR_FILENO);
    pool = worker_pool_new("gate", 1, 8);
    assert_true(fiber_start_now("slow", run_gate, &slow));
    turn_until_begun(1);
    fiber_cancel_all();
    loop_turn(loop);
    assert_int_equal(fiber_count(), 1);
    loop_free(loop);
    loop = NULL;
    sem_post(&gate);
    worker_pool_free(pool);
    pool = NULL;
    assert_int_equal(slow.output, 1);
    logline_configure(LINE_INFO, STDERR_FILENO);
}

#define WORKER_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKER_TEST(many_calls_return_their_results),
        WORKER_TEST(outside_of_a_fiber_the_work_is_done_in_place),
        WORKER_TEST(a_full_queue_refuses),
        WORKER_TEST(what_has_not_begun_is_given_up),
        WORKER_TEST(what_has_begun_is_waited_for),
        WORKER_TEST(a_cancelled_fiber_gives_its_call_up_at_once),
        WORKER_TEST(the_end_of_a_pool_ends_what_waits),
        WORKER_TEST(work_may_outlive_its_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
