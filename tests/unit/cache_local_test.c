/* The cache inside the process: values, their end, the bound on bytes, and limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka's; ours has another meaning */

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "core/cache/cache.h"
#include "core/crypto/crypto.h"
#include "core/runtime/clock.h"

static arena_t *arena;
static cache_t *cache;

enum { BYTES_MAX = 1 << 20 };

static int begin(void **state)
{
    str_t error;

    (void)state;
    crypto_start();
    arena = arena_new();
    cache = cache_open(STR("local:"), BYTES_MAX, &error);
    return cache ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    cache_close(cache);
    arena_free(arena);
    return 0;
}

static void another_kind_of_cache_is_refused_with_the_remedy(void **state)
{
    str_t error = STR_NONE;

    (void)state;
    assert_null(cache_open(STR("redis://host"), 1000, &error));
    assert_non_null(strstr(error.at, "local:"));
}

static void a_value_is_there_until_it_is_removed(void **state)
{
    str_t value;

    (void)state;
    assert_false(cache_get(cache, arena, STR("key"), &value));
    cache_set(cache, STR("key"), STR("value"), MINUTE_US);
    assert_true(cache_get(cache, arena, STR("key"), &value));
    assert_string_equal(value.at, "value");
    cache_set(cache, STR("key"), STR("a longer value"), NEVER);
    assert_true(cache_get(cache, arena, STR("key"), &value));
    assert_string_equal(value.at, "a longer value");
    cache_set(cache, STR("key"), STR(""), MINUTE_US);
    assert_true(cache_get(cache, arena, STR("key"), &value));
    assert_int_equal(value.length, 0);
    cache_remove(cache, STR("key"));
    assert_false(cache_get(cache, arena, STR("key"), &value));
}

static void a_value_ends_with_its_lifetime(void **state)
{
    str_t value;

    (void)state;
    cache_set(cache, STR("brief"), STR("value"), 2 * MILLISECOND_US);
    usleep(5000);
    assert_false(cache_get(cache, arena, STR("brief"), &value));
}

static void what_is_too_long_is_not_kept_and_leaves_nothing_old(void **state)
{
    char long_text[5000];
    str_t value;

    (void)state;
    memset(long_text, 'x', sizeof long_text);
    cache_set(cache, (str_t){long_text, 129}, STR("value"), MINUTE_US);
    assert_false(cache_get(cache, arena, (str_t){long_text, 129}, &value));
    cache_set(cache, (str_t){long_text, 128}, STR("value"), MINUTE_US);
    assert_true(cache_get(cache, arena, (str_t){long_text, 128}, &value));
    cache_set(cache, STR("key"), STR("old"), MINUTE_US);
    cache_set(cache, STR("key"), (str_t){long_text, 4097}, MINUTE_US);
    assert_false(cache_get(cache, arena, STR("key"), &value));
    cache_set(cache, STR("key"), (str_t){long_text, 4096}, MINUTE_US);
    assert_true(cache_get(cache, arena, STR("key"), &value));
    assert_int_equal(value.length, 4096);
}

static void the_ones_not_used_for_longest_go_first(void **state)
{
    char key[32];
    str_t value;

    (void)state;
    cache_set(cache, STR("used"), STR("value"), MINUTE_US);
    for (int i = 0; i < 50000; i++) {
        int length = snprintf(key, sizeof key, "value/%d", i);
        cache_set(cache, (str_t){key, (size_t)length}, STR("0123456789"), MINUTE_US);
        assert_true(cache_get(cache, arena, STR("used"), &value));
    }
    assert_true(cache_get(cache, arena, STR("value/49999"), &value));
    assert_false(cache_get(cache, arena, STR("value/0"), &value));
}

static void a_million_keys_stay_within_the_bound(void **state)
{
    char key[48];
    size_t before = mallinfo2().uordblks;

    (void)state;
    for (int i = 0; i < 1000000; i++) {
        int length = snprintf(key, sizeof key, "limit/address/%d", i);
        (void)cache_take(cache, (str_t){key, (size_t)length}, 10, MINUTE_US);
    }
    assert_true(mallinfo2().uordblks < before + BYTES_MAX);
}

static void a_limit_gives_its_tokens_and_then_refuses(void **state)
{
    cache_limit_t limit;

    (void)state;
    for (int64_t left = 4; left >= 0; left--) {
        limit = cache_take(cache, STR("five"), 5, HOUR_US);
        assert_true(limit.allowed);
        assert_int_equal(limit.left, left);
        assert_true(limit.reset_us > (4 - left) * HOUR_US / 5 && limit.reset_us <= (5 - left) * HOUR_US / 5);
    }
    limit = cache_take(cache, STR("five"), 5, HOUR_US);
    assert_false(limit.allowed);
    assert_int_equal(limit.left, 0);
    assert_true(limit.reset_us > 0 && limit.reset_us <= HOUR_US / 5);
}

static void a_refused_take_costs_nothing(void **state)
{
    (void)state;
    assert_true(cache_take(cache, STR("one"), 1, HOUR_US).allowed);
    int64_t reset = HOUR_US;
    for (int i = 0; i < 10; i++) {
        cache_limit_t limit = cache_take(cache, STR("one"), 1, HOUR_US);
        assert_false(limit.allowed);
        assert_true(limit.reset_us <= reset);
        reset = limit.reset_us;
    }
}

static void what_was_used_up_comes_back_when_it_was_promised(void **state)
{
    cache_limit_t limit;

    (void)state;
    do /* once it was just used up: on a busy machine it may be back before one looks again */
        limit = cache_take(cache, STR("soon"), 1, 20 * MILLISECOND_US);
    while (limit.allowed);
    usleep((useconds_t)limit.reset_us);
    assert_true(cache_take(cache, STR("soon"), 1, 20 * MILLISECOND_US).allowed);
}

static void a_limit_refills_at_its_rate_exactly(void **state)
{
    enum {
        COUNT = 7000
    }; /* in ten seconds: so long a pause of this thread loses nothing of what comes back */
    const int64_t window = 10 * SECOND_US;
    int64_t before = clock_monotonic();
    int64_t taken = cache_take(cache, STR("rate"), COUNT, window).allowed;
    int64_t start = clock_monotonic();

    (void)state;
    while (clock_monotonic() < start + 200 * MILLISECOND_US)
        taken += cache_take(cache, STR("rate"), COUNT, window).allowed;
    int64_t last = clock_monotonic();
    while (cache_take(cache, STR("rate"), COUNT, window).allowed)
        taken++;
    assert_true(taken <= COUNT + (clock_monotonic() - before) * COUNT / window);
    assert_true(taken >= COUNT + (last - start) * COUNT / window);
}

static void a_limit_never_holds_more_than_its_count(void **state)
{
    (void)state;
    assert_int_equal(cache_take(cache, STR("full"), 1000, 10 * SECOND_US).left, 999);
    usleep(50 * 1000); /* brings five, of which one has room */
    assert_int_equal(cache_take(cache, STR("full"), 1000, 10 * SECOND_US).left, 999);
}

static void limits_hold_for_odd_numbers_and_long_keys(void **state)
{
    char key[300];

    (void)state;
    memset(key, 'k', sizeof key);
    str_t long_key = {key, sizeof key};
    assert_true(cache_take(cache, long_key, 1, HOUR_US).allowed);
    assert_false(cache_take(cache, long_key, 1, HOUR_US).allowed);
    assert_false(cache_take(cache, STR("none"), 0, HOUR_US).allowed);
    assert_true(cache_take(cache, STR("huge"), INT64_MAX, INT64_MAX).allowed);
    assert_true(cache_take(cache, STR("no window"), 3, 0).allowed);
    assert_true(cache_take(cache, STR("changed"), 1, HOUR_US).allowed);
    assert_true(cache_take(cache, STR("changed"), 2, HOUR_US).allowed);
}

static void a_value_and_a_limit_of_one_name_are_two_things(void **state)
{
    str_t value;

    (void)state;
    cache_set(cache, STR("both"), STR("value"), MINUTE_US);
    assert_true(cache_take(cache, STR("both"), 1, HOUR_US).allowed);
    assert_false(cache_take(cache, STR("both"), 1, HOUR_US).allowed);
    assert_true(cache_get(cache, arena, STR("both"), &value));
}

static atomic_int allowed_together;

static void *taker(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20000; i++)
        atomic_fetch_add(&allowed_together, cache_take(cache, STR("shared"), 1000, HOUR_US).allowed);
    return NULL;
}

static void threads_together_get_no_more_than_the_limit(void **state)
{
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, taker, NULL), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    assert_true(atomic_load(&allowed_together) >= 1000 && atomic_load(&allowed_together) <= 1002);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(another_kind_of_cache_is_refused_with_the_remedy, begin, end),
        cmocka_unit_test_setup_teardown(a_value_is_there_until_it_is_removed, begin, end),
        cmocka_unit_test_setup_teardown(a_value_ends_with_its_lifetime, begin, end),
        cmocka_unit_test_setup_teardown(what_is_too_long_is_not_kept_and_leaves_nothing_old, begin, end),
        cmocka_unit_test_setup_teardown(the_ones_not_used_for_longest_go_first, begin, end),
        cmocka_unit_test_setup_teardown(a_million_keys_stay_within_the_bound, begin, end),
        cmocka_unit_test_setup_teardown(a_limit_gives_its_tokens_and_then_refuses, begin, end),
        cmocka_unit_test_setup_teardown(a_refused_take_costs_nothing, begin, end),
        cmocka_unit_test_setup_teardown(what_was_used_up_comes_back_when_it_was_promised, begin, end),
        cmocka_unit_test_setup_teardown(a_limit_refills_at_its_rate_exactly, begin, end),
        cmocka_unit_test_setup_teardown(a_limit_never_holds_more_than_its_count, begin, end),
        cmocka_unit_test_setup_teardown(limits_hold_for_odd_numbers_and_long_keys, begin, end),
        cmocka_unit_test_setup_teardown(a_value_and_a_limit_of_one_name_are_two_things, begin, end),
        cmocka_unit_test_setup_teardown(threads_together_get_no_more_than_the_limit, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
