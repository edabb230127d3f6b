/* Configuration: values of every type, the file, the environment, and what a wrong line is answered with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "core/runtime/config.h"

static const config_option_t options[] = {
    {"gateway.listen", CONFIG_TEXT, "127.0.0.1:8080", 0, 0, NULL, "Where the server listens."},
    {"gateway.workers", CONFIG_INT, "2", 1, 64, NULL, "Threads for what blocks."},
    {"gateway.offset", CONFIG_INT, "-3", 0, 0, NULL, "Any number."},
    {"gateway.request_timeout", CONFIG_DURATION, "10s", 100 * MILLISECOND_US, 10 * MINUTE_US, NULL,
     "How long a request may take."},
    {"gateway.body_max", CONFIG_SIZE, "1M", 1024, INT64_C(1) << 30, NULL, "How large a body may be."},
    {"gateway.tls", CONFIG_BOOL, "false", 0, 0, NULL, "Whether to speak TLS."},
    {"log.lines", CONFIG_CHOICE, "errors", 0, 0, "errors all none",
     "Which requests are logged: those that went wrong, all of them, or none. This sentence is here to be "
     "wrapped, since it is longer "
     "than a line of the file that is printed."},
    {"payments-ledger.keep", CONFIG_DURATION, "30d", 0, 0, NULL, "How long."},
};

static arena_t *arena;
static config_t *config;
static str_t error;

static int begin(void **state)
{
    (void)state;
    arena = arena_new();
    config = config_new(arena);
    config_add_options(config, options, COUNT_OF(options));
    error = STR_NONE;
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static bool read_text(const char *text)
{
    return config_read_text(config, str_from(text), "folkmoot.conf", &error);
}

static void assert_refused(const char *text, const char *message)
{
    assert_false(read_text(text));
    assert_string_equal(error.at, message);
}

static void options_begin_at_their_presets(void **state)
{
    (void)state;
    assert_string_equal(config_text(config, "gateway.listen").at, "127.0.0.1:8080");
    assert_int_equal(config_int(config, "gateway.workers"), 2);
    assert_int_equal(config_int(config, "gateway.offset"), -3);
    assert_int_equal(config_int(config, "gateway.request_timeout"), 10 * SECOND_US);
    assert_int_equal(config_int(config, "gateway.body_max"), 1 << 20);
    assert_false(config_bool(config, "gateway.tls"));
    assert_string_equal(config_text(config, "log.lines").at, "errors");
    assert_int_equal(config_int(config, "payments-ledger.keep"), 30 * DAY_US);
}

static void a_file_sets_values(void **state)
{
    (void)state;
    assert_true(read_text(
        "# a comment\n\n  gateway.listen =  [::]:443   # the world\r\ngateway.workers=64\ngateway.tls = "
        "true\n"
        "gateway.request_timeout = 250ms\ngateway.body_max = 64k\nlog.lines = all\ngateway.offset = -12"));
    assert_string_equal(config_text(config, "gateway.listen").at, "[::]:443");
    assert_int_equal(config_int(config, "gateway.workers"), 64);
    assert_int_equal(config_int(config, "gateway.offset"), -12);
    assert_int_equal(config_int(config, "gateway.request_timeout"), 250 * MILLISECOND_US);
    assert_int_equal(config_int(config, "gateway.body_max"), 64 * 1024);
    assert_true(config_bool(config, "gateway.tls"));
    assert_string_equal(config_text(config, "log.lines").at, "all");
}

static void a_value_may_be_empty_and_may_contain_marks(void **state)
{
    (void)state;
    assert_true(read_text("gateway.listen =\n"));
    assert_string_equal(config_text(config, "gateway.listen").at, "");
    assert_true(read_text("gateway.listen = postgres://u:p#1=2@h/db?x=y\n"));
    assert_string_equal(config_text(config, "gateway.listen").at, "postgres://u:p#1=2@h/db?x=y");
}

static void a_mistyped_name_is_answered_with_the_nearest(void **state)
{
    (void)state;
    assert_refused("\ngateway.lisen = x\n",
                   "folkmoot.conf:2: there is no option gateway.lisen: did you mean gateway.listen?");
    assert_refused("gatewayworkers = 3",
                   "folkmoot.conf:1: there is no option gatewayworkers: did you mean gateway.workers?");
    assert_refused("zebra = 3", "folkmoot.conf:1: there is no option zebra: `folkmoot config` lists all");
    assert_refused(" = 3", "folkmoot.conf:1: there is no option : `folkmoot config` lists all");
}

static void a_wrong_value_is_answered_with_the_right_form(void **state)
{
    (void)state;
    assert_refused("gateway.workers = many", "folkmoot.conf:1: gateway.workers must be a whole number");
    assert_refused("gateway.workers = 65", "folkmoot.conf:1: gateway.workers must be in the range 1..64");
    assert_refused("gateway.workers = 0", "folkmoot.conf:1: gateway.workers must be in the range 1..64");
    assert_refused("gateway.workers =", "folkmoot.conf:1: gateway.workers must be a whole number");
    assert_refused("gateway.workers = 99999999999999999999",
                   "folkmoot.conf:1: gateway.workers must be a whole number");
    assert_refused("gateway.request_timeout = 1h",
                   "folkmoot.conf:1: gateway.request_timeout must be in the range 100ms..10m");
    assert_refused("gateway.body_max = 512", "folkmoot.conf:1: gateway.body_max must be in the range 1k..1G");
    assert_refused("gateway.tls = yes", "folkmoot.conf:1: gateway.tls must be true or false");
    assert_refused("log.lines = error", "folkmoot.conf:1: log.lines must be one of: errors all none");
    assert_refused("log.lines =", "folkmoot.conf:1: log.lines must be one of: errors all none");
    assert_false(read_text("gateway.request_timeout = 10"));
    assert_false(read_text("gateway.request_timeout = -1s"));
    assert_false(read_text("gateway.request_timeout = 10 s"));
    assert_false(read_text("gateway.request_timeout = 200000000d"));
    assert_false(read_text("gateway.body_max = 9999999999999G"));
    assert_false(read_text("gateway.offset = --3"));
    assert_false(read_text("gateway.listen = a\x01z"));
    assert_false(read_text("gateway.listen = a\xffz"));
    assert_non_null(strstr(error.at, "UTF-8"));
}

static void a_byte_order_mark_before_the_text_is_no_part_of_it(void **state)
{
    (void)state;
    assert_true(read_text("\xef\xbb\xbfgateway.workers = 3\r\n"));
    assert_int_equal(config_int(config, "gateway.workers"), 3);
    assert_false(read_text("gateway.tls = true\n\xef\xbb\xbfgateway.workers = 3\n"));
}

static void a_line_of_another_form_is_refused(void **state)
{
    (void)state;
    assert_refused("gateway.tls true", "folkmoot.conf:1: expected `name = value`, or # and a comment");
    assert_refused("gateway.tls = true\n\ngateway.tls = false\n",
                   "folkmoot.conf:3: gateway.tls was set in line 1 already; remove one of the two");
    assert_false(config_read_text(config, STR("gateway.listen = a\0b\n"), "f", &error));
    assert_string_equal(error.at, "f:1: the line contains a NUL byte; is this a text file?");
    char line[5000];
    memset(line, 'a', sizeof line);
    assert_false(config_read_text(config, (str_t){line, sizeof line}, "f", &error));
    assert_string_equal(error.at, "f:1: the line is longer than 4096 bytes");
}

/* One variable, as the process gets it. */
static bool read_variable(const char *variable)
{
    char entry[200];
    snprintf(entry, sizeof entry, "%s", variable);
    char *environment[] = {entry, NULL};
    return config_read_environment(config, environment, &error);
}

static void the_environment_wins(void **state)
{
    (void)state;
    assert_true(read_text("gateway.request_timeout = 20s"));
    assert_true(read_variable("FOLKMOOT_GATEWAY_REQUEST_TIMEOUT=30s"));
    assert_int_equal(config_int(config, "gateway.request_timeout"), 30 * SECOND_US);
    assert_true(read_variable("FOLKMOOT_PAYMENTS_LEDGER_KEEP=24h"));
    assert_int_equal(config_int(config, "payments-ledger.keep"), DAY_US);
    assert_true(read_variable("FOLKMOOT_GATEWAY_LISTEN="));
    assert_string_equal(config_text(config, "gateway.listen").at, "");
}

static void variables_of_others_and_of_tests_are_left_alone(void **state)
{
    (void)state;
    assert_true(read_variable("HOME=/root"));
    assert_true(read_variable("FOLKMOOT_TEST_DATABASE=x"));
    assert_true(read_variable("FOLKMOOTS=x"));
}

static void a_wrong_variable_is_refused(void **state)
{
    (void)state;
    assert_false(read_variable("FOLKMOOT_GATEWAY_LISTENS=1"));
    assert_string_equal(
        error.at,
        "environment: there is no option FOLKMOOT_GATEWAY_LISTENS: did you mean FOLKMOOT_GATEWAY_LISTEN?");
    assert_false(read_variable("FOLKMOOT_GATEWAY_TLS=1"));
    assert_string_equal(error.at, "environment: FOLKMOOT_GATEWAY_TLS: gateway.tls must be true or false");
    assert_false(read_variable("FOLKMOOT_GATEWAY_WORKERS=hunter2"));
    assert_null(strstr(error.at, "hunter2"));
}

static void a_value_may_be_set_by_name(void **state)
{
    (void)state;
    assert_true(config_set(config, STR("gateway.tls"), STR("true"), "--set", &error));
    assert_true(config_bool(config, "gateway.tls"));
    assert_false(config_set(config, STR("gateway.tsl"), STR("true"), "--set", &error));
    assert_string_equal(error.at, "--set: there is no option gateway.tsl: did you mean gateway.tls?");
}

static void what_is_printed_can_be_read_again(void **state)
{
    (void)state;
    assert_true(read_text("gateway.listen = a#b\tc\nlog.lines = none\ngateway.request_timeout = 0250ms\n"));
    str_t printed = config_print(config, arena);
    assert_non_null(
        strstr(printed.at,
               "# How long a request may take.\n# Range: 100ms..10m.\ngateway.request_timeout = 0250ms\n"));
    assert_non_null(strstr(printed.at, "# One of: errors all none.\nlog.lines = none\n"));
    for (const char *line = printed.at; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        assert_true(strcspn(line, "\n") <= 110);
    config_t *again = config_new(arena);
    config_add_options(again, options, COUNT_OF(options));
    assert_true(config_read_text(again, printed, "printed", &error));
    assert_string_equal(config_text(again, "gateway.listen").at, "a#b\tc");
    assert_true(str_equal(config_print(again, arena), printed));
}

static void a_file_is_read_from_its_path(void **state)
{
    (void)state;
    char path[] = "/tmp/folkmoot-config-test-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, "gateway.tls = true\n", 19), 19);
    assert_true(config_read_file(config, path, false, &error));
    assert_true(config_bool(config, "gateway.tls"));
    assert_int_equal(ftruncate(file, 2 * 1024 * 1024), 0);
    assert_false(config_read_file(config, path, false, &error));
    assert_non_null(strstr(error.at, "larger than 1 MiB"));
    close(file);
    unlink(path);
    assert_true(config_read_file(config, path, true, &error));
    assert_false(config_read_file(config, path, false, &error));
    assert_non_null(strstr(error.at, "cannot be read: No such file"));
    assert_false(config_read_file(config, "/", true, &error));
}

#define CONFIG_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIG_TEST(options_begin_at_their_presets),
        CONFIG_TEST(a_file_sets_values),
        CONFIG_TEST(a_value_may_be_empty_and_may_contain_marks),
        CONFIG_TEST(a_mistyped_name_is_answered_with_the_nearest),
        CONFIG_TEST(a_wrong_value_is_answered_with_the_right_form),
        CONFIG_TEST(a_byte_order_mark_before_the_text_is_no_part_of_it),
        CONFIG_TEST(a_line_of_another_form_is_refused),
        CONFIG_TEST(the_environment_wins),
        CONFIG_TEST(variables_of_others_and_of_tests_are_left_alone),
        CONFIG_TEST(a_wrong_variable_is_refused),
        CONFIG_TEST(a_value_may_be_set_by_name),
        CONFIG_TEST(what_is_printed_can_be_read_again),
        CONFIG_TEST(a_file_is_read_from_its_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
