/* The rules of counting and ranking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail

#include "internal.h"

static void near(int64_t score, double expected)
{
    double difference = (double)score / 1e9 - expected;

    assert_true(difference < 5e-5 && difference > -5e-5);
}

static void the_lower_bound_is_wilsons(void **state)
{
    (void)state;
    near(agreement_score(3, 0), 0.4385);
    near(agreement_score(2, 0), 0.3424);
    near(agreement_score(1, 1), 0.0945);
    near(agreement_score(90, 10), 0.8256);
    near(agreement_score(0, 5), 0.0);
}

static void nothing_is_zero_and_more_of_the_same_is_surer(void **state)
{
    (void)state;
    assert_int_equal(agreement_score(0, 0), 0);
    for (int64_t n = 1; n < 1000000; n *= 3)
        assert_true(agreement_score(n * 3, n * 3) > agreement_score(n, n));
    assert_true(agreement_score(INT64_C(4000000000), 1) <= 1000000000);
}

static void a_changed_vote_moves_one_count_to_another(void **state)
{
    tally_counts_t counts = {.agree = 3, .disagree = 2, .pass = 1};

    (void)state;
    counts = tally_after(counts, VOTE_AGREE, VOTE_PASS);
    assert_int_equal(counts.agree, 2);
    assert_int_equal(counts.disagree, 2);
    assert_int_equal(counts.pass, 2);
    counts = tally_after(counts, VOTE_NONE, VOTE_DISAGREE);
    counts = tally_after(counts, VOTE_PASS, VOTE_NONE);
    assert_int_equal(counts.disagree, 3);
    assert_int_equal(counts.pass, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lower_bound_is_wilsons),
        cmocka_unit_test(nothing_is_zero_and_more_of_the_same_is_surer),
        cmocka_unit_test(a_changed_vote_moves_one_count_to_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
