/* Positions as text, there and back, and how they compare. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka's; ours has another meaning */

#include "core/log/log.h"

static void positions_round_trip(void **state)
{
    static const struct {
        log_position_t position;
        const char *text;
    } pairs[] = {{{0, 0}, "0"},
                 {{0, 812}, "812"},
                 {{7401, 812}, "7401.812"},
                 {{7401, 0}, "7401.0"},
                 {{INT64_MAX, INT64_MAX}, "9223372036854775807.9223372036854775807"}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        char text[LOG_POSITION_TEXT_SIZE];
        log_position_t back;
        log_position_format(pairs[i].position, text);
        assert_string_equal(text, pairs[i].text);
        assert_true(log_position_parse(str_from(text), &back));
        assert_int_equal(log_position_compare(back, pairs[i].position), 0);
    }
}

static void what_is_no_position_is_refused(void **state)
{
    static const char *const wrong[] = {"",    "-1",   "+1",   " 1",
                                        "1 ",  "1.",   ".1",   "1.2.3",
                                        "01",  "1.02", "0.1",  "0x1",
                                        "1e3", "a",    "1.-2", "9223372036854775808",
                                        "1,2", "..",   ".",    "99999999999999999999.1"};
    log_position_t position;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(log_position_parse(str_from(wrong[i]), &position));
    assert_false(log_position_parse(STR_NONE, &position));
    assert_false(log_position_parse((str_t){"1\0", 2}, &position));
}

static void the_transaction_orders_before_the_sequence(void **state)
{
    (void)state;
    assert_int_equal(log_position_compare((log_position_t){1, 9}, (log_position_t){2, 1}), -1);
    assert_int_equal(log_position_compare((log_position_t){2, 1}, (log_position_t){1, 9}), 1);
    assert_int_equal(log_position_compare((log_position_t){2, 1}, (log_position_t){2, 2}), -1);
    assert_int_equal(log_position_compare(LOG_START, (log_position_t){0, 1}), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_round_trip),
        cmocka_unit_test(what_is_no_position_is_refused),
        cmocka_unit_test(the_transaction_orders_before_the_sequence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
