/* Loops: timers, messages, descriptors, flushes, and a loop inside another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/runtime/clock.h"
#include "core/runtime/fiber.h"

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
    loop_free(loop);
    assert_null(loop_current());
    return 0;
}

static void turn_until(const int *count, int wanted)
{
    int64_t deadline = clock_monotonic() + 20 * SECOND_US;
    while (*count < wanted && clock_monotonic() < deadline)
        loop_turn(loop);
    assert_int_equal(*count, wanted);
}

typedef struct clocked {
    loop_timer_t timer;
    int number;
} clocked_t;

static int expired[2000], expired_count;

static void note_expiry(loop_timer_t *timer)
{
    expired[expired_count++] = CONTAINER_OF(timer, clocked_t, timer)->number;
}

static void timers_expire_in_the_order_of_their_times(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    static clocked_t timers[COUNT];
    int64_t now = clock_monotonic();
    expired_count = 0;
    for (int place = 0; place < COUNT; place++) {
        int number = (int)((place * INT64_C(7919)) % COUNT);
        timers[place] = (clocked_t){.timer.expire = note_expiry, .number = number};
        loop_timer_set(loop, &timers[place].timer, now + number);
    }
    turn_until(&expired_count, COUNT);
    for (int place = 0; place < COUNT; place++)
        assert_int_equal(expired[place], place);
}

static void timers_may_be_moved_and_cleared(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    static clocked_t timers[COUNT];
    int64_t now = clock_monotonic();
    expired_count = 0;
    for (int place = 0; place < COUNT; place++) {
        timers[place] = (clocked_t){.timer.expire = note_expiry, .number = place};
        loop_timer_set(loop, &timers[place].timer, now + HOUR_US + place);
    }
    for (int place = 0; place < COUNT; place += 3)
        loop_timer_clear(loop, &timers[place].timer);
    for (int place = 1; place < COUNT; place += 3)
        loop_timer_set(loop, &timers[place].timer, now - place);
    loop_timer_clear(loop, &timers[0].timer);
    turn_until(&expired_count, COUNT / 3);
    for (int place = 1; place < expired_count; place++)
        assert_true(expired[place] < expired[place - 1]);
    for (int place = 2; place < COUNT; place += 3)
        loop_timer_clear(loop, &timers[place].timer);
    assert_int_equal(loop_timeout_ms(loop), 1000);
}

static void set_again_for_now(loop_timer_t *timer)
{
    expired_count++;
    loop_timer_set(loop, timer, 0);
}

static void a_timer_that_sets_itself_again_cannot_hold_the_turn(void **state)
{
    (void)state;
    loop_timer_t timer = {.expire = set_again_for_now};
    expired_count = 0;
    loop_timer_set(loop, &timer, 0);
    loop_turn(loop);
    assert_int_equal(expired_count, 1);
    loop_turn(loop);
    assert_int_equal(expired_count, 2);
    loop_timer_clear(loop, &timer);
}

static void the_timeout_tells_how_long_to_sleep(void **state)
{
    (void)state;
    loop_timer_t timer = {.expire = note_expiry};
    assert_int_equal(loop_timeout_ms(loop), 1000);
    loop_timer_set(loop, &timer, clock_monotonic() + 300 * MILLISECOND_US);
    assert_in_range(loop_timeout_ms(loop), 1, 300);
    loop_timer_set(loop, &timer, clock_monotonic() - 1);
    assert_int_equal(loop_timeout_ms(loop), 0);
    loop_timer_set(loop, &timer, NEVER);
    assert_int_equal(loop_timeout_ms(loop), 1000);
    loop_timer_clear(loop, &timer);
}

enum { SENDERS = 4, MESSAGES = 20000 };

typedef struct numbered {
    loop_message_t message;
    int sender, number;
} numbered_t;

static numbered_t messages[SENDERS][MESSAGES];
static int received, last_of[SENDERS];

static void receive(loop_message_t *message)
{
    numbered_t *numbered = CONTAINER_OF(message, numbered_t, message);
    assert_int_equal(last_of[numbered->sender], numbered->number);
    last_of[numbered->sender]++;
    if (++received == SENDERS * MESSAGES)
        loop_stop(loop);
}

static void *send_all(void *arg)
{
    int sender = (int)(intptr_t)arg;
    for (int number = 0; number < MESSAGES; number++) {
        messages[sender][number] = (numbered_t){.message.run = receive, .sender = sender, .number = number};
        loop_send(loop, &messages[sender][number].message);
    }
    return NULL;
}

static void messages_of_many_threads_arrive_once_and_in_order(void **state)
{
    (void)state;
    pthread_t threads[SENDERS];
    received = 0;
    for (intptr_t place = 0; place < SENDERS; place++)
        assert_int_equal(pthread_create(&threads[place], NULL, send_all, (void *)place), 0);
    loop_run(loop);
    for (size_t place = 0; place < SENDERS; place++)
        pthread_join(threads[place], NULL);
    assert_int_equal(received, SENDERS * MESSAGES);
}

static int answers;

static void count_answer(loop_message_t *message)
{
    (void)message;
    answers++;
}

static void *send_one(void *arg)
{
    usleep(20000);
    loop_send(loop, arg);
    return NULL;
}

static void the_outer_loop_wakes_for_a_message(void **state)
{
    (void)state;
    pthread_t thread;
    loop_message_t message = {.run = count_answer};
    int outer = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    assert_int_equal(epoll_ctl(outer, EPOLL_CTL_ADD, loop_fd(loop), &event), 0);
    answers = 0;
    for (int round = 0; round < 3; round++) {
        assert_int_equal(pthread_create(&thread, NULL, send_one, &message), 0);
        assert_int_equal(epoll_wait(outer, &event, 1, 10000), 1);
        loop_turn(loop);
        assert_int_equal(answers, round + 1);
        pthread_join(thread, NULL);
        loop_turn(loop);
        assert_int_equal(epoll_wait(outer, &event, 1, 0), 0);
    }
    close(outer);
}

static int read_events, write_events;
static loop_watch_t pipe_watches[2];

static void drain(loop_watch_t *watch, uint32_t events)
{
    char text[16];
    assert_true(events & EPOLLIN);
    assert_true(read(watch->fd, text, sizeof text) > 0);
    read_events++;
}

static void fill(loop_watch_t *watch, uint32_t events)
{
    assert_true(events & EPOLLOUT);
    assert_int_equal(write(watch->fd, "x", 1), 1);
    write_events++;
    loop_unwatch(loop, watch);
}

static void descriptors_are_watched(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    read_events = write_events = 0;
    loop_watch_t reader = {.fd = ends[0], .ready = drain}, writer = {.fd = ends[1], .ready = fill};
    assert_true(loop_watch(loop, &reader, EPOLLIN));
    assert_true(loop_watch(loop, &writer, EPOLLOUT));
    turn_until(&read_events, 1);
    assert_int_equal(write_events, 1);
    assert_true(loop_watch(loop, &writer, EPOLLOUT));
    turn_until(&read_events, 2);
    assert_int_equal(write_events, 2);
    loop_unwatch(loop, &reader);
    loop_unwatch(loop, &reader);
    close(ends[0]);
    close(ends[1]);
}

static void a_descriptor_that_cannot_be_watched_is_refused(void **state)
{
    (void)state;
    loop_watch_t watch = {.fd = -1, .ready = drain};
    assert_false(loop_watch(loop, &watch, EPOLLIN));
}

/* Both are readable in one batch; the one that comes first removes the other. */
static void unwatch_other(loop_watch_t *watch, uint32_t events)
{
    (void)events;
    read_events++;
    loop_unwatch(loop, &pipe_watches[watch == &pipe_watches[0]]);
    loop_unwatch(loop, watch);
}

static void a_watch_that_was_removed_in_the_same_batch_is_not_called(void **state)
{
    (void)state;
    int ends[2][2];
    read_events = 0;
    for (int place = 0; place < 2; place++) {
        assert_int_equal(pipe(ends[place]), 0);
        assert_int_equal(write(ends[place][1], "x", 1), 1);
        pipe_watches[place] = (loop_watch_t){.fd = ends[place][0], .ready = unwatch_other};
        assert_true(loop_watch(loop, &pipe_watches[place], EPOLLIN));
    }
    loop_turn(loop);
    loop_turn(loop);
    assert_int_equal(read_events, 1);
    for (int place = 0; place < 4; place++)
        close(ends[place / 2][place % 2]);
}

static char flush_order[16];
static loop_flush_t flushes[3];
static fiber_t *flusher;

static void note_flush(loop_flush_t *flush)
{
    size_t length = strlen(flush_order);
    flush_order[length] = (char)('a' + (flush - flushes));
    if (flush == &flushes[2] && flusher)
        fiber_wake(flusher);
}

static void queue_flushes(void *arg)
{
    (void)arg;
    loop_at_end_of_turn(loop, &flushes[2]);
    loop_at_end_of_turn(loop, &flushes[0]);
    loop_at_end_of_turn(loop, &flushes[2]);
    flusher = fiber_self();
    assert_int_equal(fiber_wait(NEVER), WAKE_CALLED);
    flusher = NULL;
    loop_at_end_of_turn(loop, &flushes[1]);
}

static void flushes_run_once_after_the_fibers_and_may_wake_them(void **state)
{
    (void)state;
    memset(flush_order, 0, sizeof flush_order);
    for (size_t place = 0; place < COUNT_OF(flushes); place++)
        flushes[place] = (loop_flush_t){.run = note_flush};
    assert_true(fiber_start("flusher", queue_flushes, NULL));
    assert_int_equal(loop_timeout_ms(loop), 0);
    loop_turn(loop);
    assert_string_equal(flush_order, "cab");
    assert_int_equal(fiber_count(), 0);
    loop_at_end_of_turn(loop, &flushes[1]);
    assert_int_equal(loop_timeout_ms(loop), 0);
    loop_turn(loop);
    assert_string_equal(flush_order, "cabb");
}

static void *stop_soon(void *arg)
{
    usleep(30000);
    loop_stop(arg);
    return NULL;
}

static void another_thread_may_stop_the_loop(void **state)
{
    (void)state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, loop), 0);
    loop_run(loop);
    pthread_join(thread, NULL);
}

#define LOOP_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOP_TEST(timers_expire_in_the_order_of_their_times),
        LOOP_TEST(timers_may_be_moved_and_cleared),
        LOOP_TEST(a_timer_that_sets_itself_again_cannot_hold_the_turn),
        LOOP_TEST(the_timeout_tells_how_long_to_sleep),
        LOOP_TEST(messages_of_many_threads_arrive_once_and_in_order),
        LOOP_TEST(the_outer_loop_wakes_for_a_message),
        LOOP_TEST(descriptors_are_watched),
        LOOP_TEST(a_descriptor_that_cannot_be_watched_is_refused),
        LOOP_TEST(a_watch_that_was_removed_in_the_same_batch_is_not_called),
        LOOP_TEST(flushes_run_once_after_the_fibers_and_may_wake_them),
        LOOP_TEST(another_thread_may_stop_the_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
