/* Time: the calendar against the C library's, RFC 3339 both ways, and versions that only grow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <time.h>

#include "core/runtime/clock.h"

#define FIRST INT64_C(-62135596800000000)
#define LAST  INT64_C(253402300799999999)

static void assert_time(const char *text, int64_t expected)
{
    int64_t time;
    assert_true(time_parse(str_from(text), &time));
    assert_int_equal(time, expected);
}

static void assert_text(int64_t time, const char *expected)
{
    char text[TIME_TEXT_SIZE];
    assert_int_equal(time_format(time, text), strlen(expected));
    assert_string_equal(text, expected);
}

static void known_times_are_written(void **state)
{
    (void)state;
    assert_text(0, "1970-01-01T00:00:00.000000Z");
    assert_text(-1, "1969-12-31T23:59:59.999999Z");
    assert_text(INT64_C(951782400000001), "2000-02-29T00:00:00.000001Z");
    assert_text(FIRST, "0001-01-01T00:00:00.000000Z");
    assert_text(LAST, "9999-12-31T23:59:59.999999Z");
}

static void times_beyond_the_calendar_stop_at_its_ends(void **state)
{
    (void)state;
    assert_text(INT64_MIN, "0001-01-01T00:00:00.000000Z");
    assert_text(INT64_MAX, "9999-12-31T23:59:59.999999Z");
}

static void every_day_agrees_with_the_c_library(void **state)
{
    (void)state;
    for (int64_t day = FIRST / DAY_US; day <= LAST / DAY_US; day += 1) {
        if (day % 7 && (day < -1000 || day > 40000))
            continue;
        time_t seconds = (time_t)(day * 86400 + 3661);
        struct tm parts;
        gmtime_r(&seconds, &parts);
        char expected[64], text[TIME_TEXT_SIZE];
        snprintf(expected, sizeof expected, "%04d-%02d-%02dT01:01:01.000000Z", parts.tm_year + 1900,
                 parts.tm_mon + 1, parts.tm_mday);
        time_format(seconds * SECOND_US, text);
        assert_string_equal(text, expected);
        assert_time(text, seconds * SECOND_US);
    }
}

static void offsets_and_fractions_are_read(void **state)
{
    (void)state;
    assert_time("1970-01-01T00:00:00Z", 0);
    assert_time("1970-01-01t00:00:00z", 0);
    assert_time("1970-01-01T01:30:00+01:30", 0);
    assert_time("1969-12-31T19:00:00-05:00", 0);
    assert_time("1970-01-01T00:00:00-00:00", 0);
    assert_time("1970-01-01T00:00:00.5Z", 500000);
    assert_time("1970-01-01T00:00:00.000001Z", 1);
    assert_time("1970-01-01T00:00:00.123456789Z", 123456);
    assert_time("1969-12-31T23:59:59.9999999Z", -1);
    assert_time("2024-02-29T12:00:00Z", INT64_C(1709208000000000));
    assert_time("2000-02-29T00:00:00Z", INT64_C(951782400000000));
}

static void everything_else_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "1970-01-01",
        "1970-01-01T00:00:00",
        "1970-01-01 00:00:00Z",
        "1970-01-01T00:00Z",
        "1970-1-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "1970-00-01T00:00:00Z",
        "1970-13-01T00:00:00Z",
        "1970-01-00T00:00:00Z",
        "1970-01-32T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2024-04-31T00:00:00Z",
        "1970-01-01T24:00:00Z",
        "1970-01-01T00:60:00Z",
        "2016-12-31T23:59:60Z",
        "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00.1234567890Z",
        "1970-01-01T00:00:00+24:00",
        "1970-01-01T00:00:00+00:60",
        "1970-01-01T00:00:00+0100",
        "1970-01-01T00:00:00+01",
        "1970-01-01T00:00:00Zx",
        " 1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z ",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "-970-01-01T00:00:00Z",
        "1970-01-01T+1:00:00Z",
        "1970-01-01T00:00:00,5Z",
    };
    for (size_t place = 0; place < COUNT_OF(wrong); place++) {
        int64_t time = 42;
        if (time_parse(str_from(wrong[place]), &time))
            fail_msg("accepted \"%s\"", wrong[place]);
        assert_int_equal(time, 42);
    }
    int64_t time;
    assert_false(time_parse((str_t){"1970-01-01T00:00:00Z\0", 21}, &time));
}

static void the_clocks_go_forward(void **state)
{
    (void)state;
    int64_t before = clock_monotonic();
    assert_true(clock_monotonic() >= before);
    assert_true(clock_now() > INT64_C(1700000000) * SECOND_US);
}

static void a_version_is_later_than_the_one_before_and_than_now(void **state)
{
    (void)state;
    int64_t now = (clock_now() / 1000) << 16;
    int64_t first = version_next(0);
    assert_true(first >= now);
    assert_true(version_next(0) > first);
    int64_t ahead = first + (INT64_C(1) << 40);
    assert_int_equal(version_next(ahead), ahead + 1);
    assert_int_equal(version_next(0), ahead + 2);
    assert_int_equal(version_next(ahead), ahead + 3);
}

enum { VERSIONS = 20000, THREADS = 4 };
static int64_t versions[THREADS][VERSIONS];

static void *take_versions(void *arg)
{
    int64_t *mine = arg;
    for (size_t place = 0; place < VERSIONS; place++)
        mine[place] = version_next(0);
    return NULL;
}

static int compare(const void *left, const void *right)
{
    int64_t one = *(const int64_t *)left, other = *(const int64_t *)right;
    return one < other ? -1 : one > other;
}

static void no_two_threads_get_the_same_version(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (size_t place = 0; place < THREADS; place++)
        assert_int_equal(pthread_create(&threads[place], NULL, take_versions, versions[place]), 0);
    for (size_t place = 0; place < THREADS; place++)
        pthread_join(threads[place], NULL);
    for (size_t place = 0; place < THREADS; place++)
        for (size_t next = 1; next < VERSIONS; next++)
            assert_true(versions[place][next] > versions[place][next - 1]);
    int64_t *all = &versions[0][0];
    qsort(all, (size_t)THREADS * VERSIONS, sizeof *all, compare);
    for (size_t place = 1; place < (size_t)THREADS * VERSIONS; place++)
        assert_true(all[place] != all[place - 1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_times_are_written),
        cmocka_unit_test(times_beyond_the_calendar_stop_at_its_ends),
        cmocka_unit_test(every_day_agrees_with_the_c_library),
        cmocka_unit_test(offsets_and_fractions_are_read),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(the_clocks_go_forward),
        cmocka_unit_test(a_version_is_later_than_the_one_before_and_than_now),
        cmocka_unit_test(no_two_threads_get_the_same_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
