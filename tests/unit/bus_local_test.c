/* The bus inside the process: who hears what, from which thread, and what is not heard any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "core/bus/bus.h"
#include "core/runtime/clock.h"

typedef struct listener {
    int count;
    char last[300];
    size_t last_length;
    bus_subscription_t *subscription;
    bool ends_itself;
} listener_t;

static loop_t *loop;
static bus_t *bus;

static int begin(void **state)
{
    str_t error;

    (void)state;
    loop = loop_new();
    loop_attach(loop);
    bus = bus_open(STR("local:"), &error);
    return bus ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    loop_free(loop);
    bus_close(bus);
    return 0;
}

static void heard(void *arg, str_t payload)
{
    listener_t *listener = arg;

    listener->count++;
    listener->last_length = payload.length;
    memcpy(listener->last, payload.at, payload.length + 1);
    if (listener->ends_itself)
        bus_unsubscribe(listener->subscription);
}

static void listen_to(listener_t *listener, const char *subject)
{
    listener->subscription = bus_subscribe(bus, loop, subject, heard, listener);
}

static void another_kind_of_bus_is_refused_with_the_remedy(void **state)
{
    str_t error = STR_NONE;

    (void)state;
    assert_null(bus_open(STR("nats://host"), &error));
    assert_non_null(strstr(error.at, "local:"));
}

static void those_who_listen_to_a_subject_hear_it(void **state)
{
    listener_t first = {0}, second = {0}, other = {0};

    (void)state;
    listen_to(&first, "log/forum");
    listen_to(&second, "log/forum");
    listen_to(&other, "log/identity");
    bus_publish(bus, "log/forum", STR("812"));
    bus_publish(bus, "log/nobody", STR("1"));
    assert_int_equal(first.count, 0);
    loop_turn(loop);
    assert_int_equal(first.count, 1);
    assert_string_equal(first.last, "812");
    assert_int_equal(second.count, 1);
    assert_int_equal(other.count, 0);
    bus_unsubscribe(first.subscription);
    bus_unsubscribe(second.subscription);
    bus_unsubscribe(other.subscription);
}

static void many_publications_of_one_turn_arrive_as_the_last(void **state)
{
    listener_t listener = {0};
    char number[16];

    (void)state;
    listen_to(&listener, "log/forum");
    for (int i = 0; i < 1000; i++) {
        int length = snprintf(number, sizeof number, "%d", i);
        bus_publish(bus, "log/forum", (str_t){number, (size_t)length});
    }
    loop_turn(loop);
    assert_int_equal(listener.count, 1);
    assert_string_equal(listener.last, "999");
    bus_publish(bus, "log/forum", STR_NONE);
    loop_turn(loop);
    assert_int_equal(listener.count, 2);
    assert_string_equal(listener.last, "");
    bus_unsubscribe(listener.subscription);
}

static void a_long_payload_is_cut(void **state)
{
    listener_t listener = {0};
    char payload[400];

    (void)state;
    memset(payload, 'p', sizeof payload);
    listen_to(&listener, "subject");
    bus_publish(bus, "subject", (str_t){payload, sizeof payload});
    loop_turn(loop);
    assert_int_equal(listener.last_length, 256);
    bus_unsubscribe(listener.subscription);
}

static void nothing_is_heard_after_unsubscribing(void **state)
{
    listener_t listener = {0};

    (void)state;
    listen_to(&listener, "subject");
    bus_publish(bus, "subject", STR("1"));
    bus_unsubscribe(listener.subscription);
    bus_publish(bus, "subject", STR("2"));
    loop_turn(loop);
    assert_int_equal(listener.count, 0);
}

static void a_listener_may_unsubscribe_while_it_hears(void **state)
{
    listener_t listener = {.ends_itself = true};

    (void)state;
    listen_to(&listener, "subject");
    bus_publish(bus, "subject", STR("1"));
    loop_turn(loop);
    bus_publish(bus, "subject", STR("2"));
    loop_turn(loop);
    assert_int_equal(listener.count, 1);
}

static void what_is_still_listed_goes_with_the_bus(void **state)
{
    static listener_t listener;

    (void)state;
    listen_to(&listener, "subject");
    listen_to(&listener, "subject");
    bus_publish(bus, "subject", STR("1"));
    bus_unsubscribe(listener.subscription);
}

static void *publisher(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20000; i++)
        bus_publish(bus, "subject", STR("from a thread"));
    return NULL;
}

static void other_threads_may_publish(void **state)
{
    listener_t listener = {0};
    pthread_t threads[3];

    (void)state;
    listen_to(&listener, "subject");
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, publisher, NULL), 0);
    for (int i = 0; i < 100; i++) {
        loop_turn(loop);
        usleep(100);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    loop_turn(loop);
    assert_true(listener.count >= 1 && listener.count <= 60000);
    assert_string_equal(listener.last, "from a thread");
    bus_unsubscribe(listener.subscription);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(another_kind_of_bus_is_refused_with_the_remedy, begin, end),
        cmocka_unit_test_setup_teardown(those_who_listen_to_a_subject_hear_it, begin, end),
        cmocka_unit_test_setup_teardown(many_publications_of_one_turn_arrive_as_the_last, begin, end),
        cmocka_unit_test_setup_teardown(a_long_payload_is_cut, begin, end),
        cmocka_unit_test_setup_teardown(nothing_is_heard_after_unsubscribing, begin, end),
        cmocka_unit_test_setup_teardown(a_listener_may_unsubscribe_while_it_hears, begin, end),
        cmocka_unit_test_setup_teardown(what_is_still_listed_goes_with_the_bus, begin, end),
        cmocka_unit_test_setup_teardown(other_threads_may_publish, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
