/* W3C trace context: what is taken over from a traceparent, and what is made without one. */
#include "gateway/gateway.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define REQUEST_ID "01a1fe3e-31d7-7072-8253-12b48ccec683"
#define TRACE      "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT     "00f067aa0ba902b7"

static void a_valid_traceparent_is_known(void **state)
{
    (void)state;
    assert_true(trace_parent_valid(STR("00-" TRACE "-" PARENT "-01")));
    assert_true(trace_parent_valid(STR("01-" TRACE "-" PARENT "-01-later")));
}

static void what_is_no_traceparent_is_refused(void **state)
{
    static const str_t wrong[] = {
        {"", 0},
        {"00", 2},
        {"00-" TRACE "-" PARENT "-0", 54},
        {"00-" TRACE "-" PARENT "-01-", 56},
        {"ff-" TRACE "-" PARENT "-01", 55},
        {"00-00000000000000000000000000000000-" PARENT "-01", 55},
        {"00-" TRACE "-0000000000000000-01", 55},
        {"00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01", 55},
        {"00_" TRACE "-" PARENT "-01", 55},
        {"00-" TRACE "-" PARENT "-0g", 55},
    };
    (void)state;
    for (size_t place = 0; place < COUNT_OF(wrong); place++)
        assert_false(trace_parent_valid(wrong[place]));
}

static void a_given_trace_goes_on_under_a_parent_of_ours(void **state)
{
    char out[56];
    (void)state;
    trace_parent_make(out, STR("00-" TRACE "-" PARENT "-01"), REQUEST_ID);
    assert_string_equal(out, "00-" TRACE "-825312b48ccec683-01");
}

static void without_a_trace_the_request_id_is_one(void **state)
{
    char out[56];
    (void)state;
    trace_parent_make(out, STR_NONE, REQUEST_ID);
    assert_string_equal(out, "00-01a1fe3e31d77072825312b48ccec683-825312b48ccec683-00");
    assert_true(trace_parent_valid(str_from(out)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_valid_traceparent_is_known),
        cmocka_unit_test(what_is_no_traceparent_is_refused),
        cmocka_unit_test(a_given_trace_goes_on_under_a_parent_of_ours),
        cmocka_unit_test(without_a_trace_the_request_id_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
