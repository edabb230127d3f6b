/* Log lines: valid JSON whatever the values, cut when long, buffered where a loop runs, with the request's
 * id. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "core/runtime/clock.h"
#include "core/runtime/fiber.h"
#include "core/runtime/logline.h"

static int ends[2];
static char text[256 * 1024];

static int begin(void **state)
{
    (void)state;
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    fcntl(ends[1], F_SETPIPE_SZ, (int)sizeof text);
    logline_configure(LINE_INFO, ends[1]);
    return 0;
}

static int end(void **state)
{
    (void)state;
    logline_configure(LINE_INFO, STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    return 0;
}

/* What was written since, as text; the time at the beginning of a single line is cut off. */
static const char *written(void)
{
    ssize_t length = read(ends[0], text, sizeof text - 1);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

static const char *behind_time(const char *line)
{
    int64_t time;
    assert_int_equal(strncmp(line, "{\"time\":\"", 9), 0);
    assert_true(time_parse((str_t){line + 9, strcspn(line + 9, "\"")}, &time));
    return line + 9 + strcspn(line + 9, "\"") + 2;
}

static void a_line_has_time_level_event_and_pairs(void **state)
{
    (void)state;
    logline(LINE_INFO, "started", "port", line_number(8080), "board", NULL, "name", "garden", NULL);
    assert_string_equal(
        behind_time(written()),
        "\"level\":\"info\",\"event\":\"started\",\"port\":\"8080\",\"board\":null,\"name\":\"garden\"}\n");
}

static void lines_below_the_level_are_not_written(void **state)
{
    (void)state;
    assert_false(logline_enabled(LINE_DEBUG));
    logline(LINE_DEBUG, "detail", NULL);
    assert_string_equal(written(), "");
    logline_configure(LINE_DEBUG, ends[1]);
    assert_true(logline_enabled(LINE_DEBUG));
    logline(LINE_DEBUG, "detail", NULL);
    assert_string_equal(behind_time(written()), "\"level\":\"debug\",\"event\":\"detail\"}\n");
}

static void special_characters_are_escaped(void **state)
{
    (void)state;
    logline(LINE_INFO, "e", "v", "a\"b\\c\n\t\x01\x7f/\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", NULL);
    assert_string_equal(behind_time(written()),
                        "\"level\":\"info\",\"event\":\"e\",\"v\":\"a\\\"b\\\\c\\u000a\\u0009\\u0001\\u007f/"
                        "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"}\n");
}

static void assert_value(const char *value, const char *expected)
{
    char wanted[256];
    logline(LINE_INFO, "e", "v", value, NULL);
    snprintf(wanted, sizeof wanted, "\"level\":\"info\",\"event\":\"e\",\"v\":\"%s\"}\n", expected);
    assert_string_equal(behind_time(written()), wanted);
}

static void what_is_not_utf_8_is_replaced(void **state)
{
    (void)state;
#define R "\xef\xbf\xbd"
    assert_value("\x80z", R "z");
    assert_value("\xffz", R "z");
    assert_value("\xc3z", R "z");
    assert_value("\xc3", R);
    assert_value("\xc0\xaf", R R);
    assert_value("\xe0\x80\xaf", R R R);
    assert_value("\xed\xa0\x80", R R R);
    assert_value("\xe2\x82z", R R "z");
    assert_value("\xf4\x90\x80\x80", R R R R);
    assert_value("\xf0\x8f\xbf\xbf", R R R R);
    assert_value("\xf0\x9f\x98z", R R R "z");
    assert_value("\xf4\x8f\xbf\xbf\xed\x9f\xbf\xc2\x80", "\xf4\x8f\xbf\xbf\xed\x9f\xbf\xc2\x80");
}

static void long_values_are_cut_between_characters(void **state)
{
    (void)state;
    char value[3000], wanted[1200];
    memset(value, 'a', sizeof value);
    memcpy(value + 1022, "\xe2\x82\xac", 3);
    value[sizeof value - 1] = '\0';
    memset(wanted, 'a', 1022);
    memcpy(wanted + 1022, "\xe2\x80\xa6\"}\n", 7);
    logline(LINE_INFO, "e", "v", value, NULL);
    const char *line = behind_time(written());
    assert_string_equal(line + strlen("\"level\":\"info\",\"event\":\"e\",\"v\":\""), wanted);
    value[1024] = '\0';
    memset(value, 'b', 1024);
    logline(LINE_INFO, "e", "v", value, NULL);
    assert_null(strstr(written(), "\xe2\x80\xa6"));
}

static void a_line_with_too_many_pairs_says_that_it_is_cut(void **state)
{
    (void)state;
    char value[1025];
    memset(value, 1, 1024);
    value[1024] = '\0';
    logline(LINE_INFO, "e", "a", value, "b", value, "c", value, "d", value, NULL);
    const char *line = written();
    assert_true(strlen(line) < 16384);
    assert_non_null(strstr(line, ",\"cut\":true}\n"));
    assert_null(strstr(line, "\"d\":"));
}

static void a_thread_with_a_loop_writes_at_the_end_of_the_turn(void **state)
{
    (void)state;
    loop_t *loop = loop_new();
    loop_attach(loop);
    logline(LINE_INFO, "first", NULL);
    assert_string_equal(written(), "");
    loop_turn(loop);
    assert_string_equal(behind_time(written()), "\"level\":\"info\",\"event\":\"first\"}\n");
    logline(LINE_INFO, "second", NULL);
    logline(LINE_WARNING, "third", NULL);
    const char *both = written();
    assert_true(strstr(both, "second") < strstr(both, "third") && strstr(both, "second"));
    for (int line = 0; line < 100; line++)
        logline(LINE_INFO, "many", "number", line_number(line), NULL);
    assert_true(strlen(written()) >= 8192);
    loop_turn(loop);
    assert_non_null(strstr(written(), "\"number\":\"99\"}\n"));
    loop_free(loop);
}

static fiber_t *sleeper;

static void log_before_and_after(void *arg)
{
    logline_set_request(arg);
    sleeper = fiber_self();
    fiber_wait(NEVER);
    logline(LINE_WARNING, "woken", NULL);
}

static void log_without_request(void *arg)
{
    (void)arg;
    logline(LINE_WARNING, "bare", NULL);
}

static void the_request_belongs_to_the_fiber(void **state)
{
    (void)state;
    char id[64] = "0190a6b0-7c2f-7def-8123-456789abcdef";
    loop_t *loop = loop_new();
    loop_attach(loop);
    assert_true(fiber_start_now("request", log_before_and_after, id));
    memset(id, 'x', 36);
    assert_true(fiber_start_now("other", log_without_request, NULL));
    assert_non_null(strstr(written(), "\"event\":\"bare\"}"));
    logline_set_request("thread's own");
    logline(LINE_WARNING, "outside", NULL);
    assert_non_null(strstr(written(), "\"event\":\"outside\",\"request\":\"thread's own\"}"));
    logline_set_request(NULL);
    fiber_wake(sleeper);
    loop_turn(loop);
    assert_non_null(strstr(written(), "\"request\":\"0190a6b0-7c2f-7def-8123-456789abcdef\"}"));
    assert_true(fiber_start_now("next of the same stack", log_without_request, NULL));
    assert_non_null(strstr(written(), "\"event\":\"bare\"}"));
    loop_free(loop);
}

static void *log_many(void *arg)
{
    for (int line = 0; line < 200; line++)
        logline(LINE_INFO, arg, "number", line_number(line), NULL);
    return NULL;
}

static void lines_of_many_threads_stay_whole(void **state)
{
    (void)state;
    pthread_t threads[4];
    char name[] = "threaded";
    for (size_t place = 0; place < COUNT_OF(threads); place++)
        assert_int_equal(pthread_create(&threads[place], NULL, log_many, name), 0);
    for (size_t place = 0; place < COUNT_OF(threads); place++)
        pthread_join(threads[place], NULL);
    size_t lines = 0;
    for (const char *line = written(), *next; *line; line = next, lines++) {
        next = strchr(line, '\n') + 1;
        assert_int_equal(strncmp(behind_time(line), "\"level\":\"info\",\"event\":\"threaded\",", 33), 0);
        assert_int_equal(next[-2], '}');
    }
    assert_int_equal(lines, 800);
}

static void numbers_are_written_in_full(void **state)
{
    (void)state;
    assert_string_equal(line_number(INT64_MIN), "-9223372036854775808");
    const char *first = line_number(1), *second = line_number(2);
    assert_string_equal(first, "1");
    assert_string_equal(second, "2");
}

#define LINE_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINE_TEST(a_line_has_time_level_event_and_pairs),
        LINE_TEST(lines_below_the_level_are_not_written),
        LINE_TEST(special_characters_are_escaped),
        LINE_TEST(what_is_not_utf_8_is_replaced),
        LINE_TEST(long_values_are_cut_between_characters),
        LINE_TEST(a_line_with_too_many_pairs_says_that_it_is_cut),
        LINE_TEST(a_thread_with_a_loop_writes_at_the_end_of_the_turn),
        LINE_TEST(the_request_belongs_to_the_fiber),
        LINE_TEST(lines_of_many_threads_stay_whole),
        LINE_TEST(numbers_are_written_in_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
