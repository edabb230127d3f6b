/* The PostgreSQL driver: addresses that cannot be used, and that no error repeats a password. Needs no
 * server. */
#include "postgres_fixture.h"

static const char *const unusable[] = {
    "postgres://user:sec@ret@127.0.0.1:1/db",       "postgres://user:sec/ret@127.0.0.1:1/db",
    "postgres://user:sec?ret@127.0.0.1:1/db",       "postgres://user:sec#ret@127.0.0.1:1/db",
    "postgres://user:9/secret@127.0.0.1/db",        "postgres://user:secret@127.0.0.1:sec/db",
    "postgres://user:secret@127.0.0.1:1/db?secret", "postgres://user:secret%zz@127.0.0.1:1/db",
    "postgres://user:secret@[127.0.0.1:1/db",       "postgres:secret",
};

static str_t refusal(fixture_t *fixture, const char *url)
{
    str_t error = STR("");
    fixture->url = url;
    assert_false(fixture_open(fixture, &error));
    return error;
}

static void no_unusable_address_is_repeated(void **state)
{
    (void)state;
    fixture_t *fixture = fixture_new("");
    for (size_t i = 0; i < COUNT_OF(unusable); i++) {
        str_t error = refusal(fixture, unusable[i]);
        if (strstr(error.at, "sec") || strstr(error.at, "ret@") || !strstr(error.at, "database.url"))
            print_error("%s\n", error.at);
        assert_null(strstr(error.at, "sec"));
        assert_null(strstr(error.at, "ret@"));
        assert_non_null(strstr(error.at, "database.url"));
    }
    loop_free(fixture->loop);
    arena_free(fixture->arena);
    free(fixture);
}

static void a_server_that_is_not_there_is_named_without_the_password(void **state)
{
    (void)state;
    fixture_t *fixture = fixture_new("");
    str_t error = refusal(fixture, "postgresql://user:se%40cret@127.0.0.1:1/db");
    assert_non_null(strstr(error.at, "127.0.0.1"));
    assert_non_null(strstr(error.at, ". Start PostgreSQL"));
    assert_null(strstr(error.at, "?."));
    assert_null(strstr(error.at, "cret"));
    loop_free(fixture->loop);
    arena_free(fixture->arena);
    free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_unusable_address_is_repeated),
        cmocka_unit_test(a_server_that_is_not_there_is_named_without_the_password),
    };
    return cmocka_run_group_tests_name("postgres: addresses", tests, NULL, NULL);
}
