/* Identity alone, over SQLite and over PostgreSQL: every statement prepared, the first account, refresh
 * tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#undef fail

#include "core/crypto/token.h"

#include "tests/module/support/community.h"

extern const module_t identity_module;

static community_t *identity;

static answer_t post(const char *target, const char *body)
{
    return community_call(identity, &(call_t){.method = METHOD_POST, .target = target, .body = body});
}

static answer_t refresh(const char *token, const char *key)
{
    char body[300];

    (void)snprintf(body, sizeof body, "{\"refresh_token\":\"%s\"}", token);
    return community_call(identity, &(call_t){.method = METHOD_POST,
                                              .target = "/api/v1/sessions/refresh",
                                              .body = body,
                                              .idempotency_key = key});
}

static answer_t refresh_later(const char *token, int64_t later)
{
    char body[300];

    (void)snprintf(body, sizeof body, "{\"refresh_token\":\"%s\"}", token);
    return community_call(
        identity,
        &(call_t){.method = METHOD_POST, .target = "/api/v1/sessions/refresh", .body = body, .later = later});
}

static void every_statement_is_good_on_this_database(void **state)
{
    arena_t *arena = arena_new();
    str_t error = STR_NONE;

    (void)state;
    bool good = database_check_statements(community_database(identity), arena, &error);
    if (!good)
        print_error("%s\n", error.at);
    assert_true(good);
    arena_free(arena);
}

static void of_many_who_sign_up_at_once_one_is_the_administrator(void **state)
{
    enum { PEOPLE = 12 };
    call_t calls[PEOPLE];
    answer_t answers[PEOPLE];
    char bodies[PEOPLE][100];
    size_t administrators = 0;

    (void)state;
    for (size_t i = 0; i < PEOPLE; i++) {
        (void)snprintf(bodies[i], sizeof bodies[i],
                       "{\"name\":\"person-%zu\",\"password\":\"correct horse\"}", i);
        calls[i] = (call_t){.method = METHOD_POST, .target = "/api/v1/accounts", .body = bodies[i]};
    }
    community_call_all(identity, calls, PEOPLE, answers);
    for (size_t i = 0; i < PEOPLE; i++) {
        assert_int_equal(answers[i].status, 201);
        administrators += strstr(answers[i].body.at, "\"administrator\"") != NULL;
    }
    assert_int_equal(administrators, 1);
    assert_string_equal(post("/api/v1/accounts", bodies[3]).problem, "name_taken");
}

static void a_name_is_as_secret_as_a_password(void **state)
{
    (void)state;
    answer_t unknown = post("/api/v1/sessions", "{\"name\":\"nobody\",\"password\":\"correct horse\"}");
    answer_t wrong = post("/api/v1/sessions", "{\"name\":\"person-1\",\"password\":\"wrong horse\"}");

    assert_string_equal(unknown.problem, "wrong_credentials");
    assert_string_equal(wrong.problem, "wrong_credentials");
    assert_string_equal(unknown.body.at, wrong.body.at);
}

static void a_refresh_token_serves_once(void **state)
{
    answer_t signed_in = post("/api/v1/sessions", "{\"name\":\"person-1\",\"password\":\"correct horse\"}");
    const char *first = json_member(identity, signed_in.body, "refresh_token");

    (void)state;
    assert_int_equal(signed_in.status, 201);
    answer_t second = refresh(first, "a-key-of-this-phone-1");
    assert_int_equal(second.status, 200);
    answer_t repeated = refresh(first, "a-key-of-this-phone-1"); /* the answer was lost on the way */
    assert_int_equal(repeated.status, 200);
    assert_string_equal(repeated.body.at, second.body.at);
    assert_int_equal(refresh(first, "another-key-another-1").status, 401);
    answer_t ended = refresh(json_member(identity, second.body, "refresh_token"), NULL);
    assert_string_equal(ended.problem, "session_ended");
}

static void a_forged_refresh_token_ends_nothing(void **state)
{
    answer_t signed_in = post("/api/v1/sessions", "{\"name\":\"person-2\",\"password\":\"correct horse\"}");
    const char *good = json_member(identity, signed_in.body, "refresh_token");
    char forged[200];

    (void)state;
    (void)snprintf(forged, sizeof forged, "%s", good);
    for (size_t i = 0; i < strlen(good); i += 7) {
        forged[i] = good[i] == 'A' ? 'B' : 'A';
        assert_int_equal(refresh(forged, NULL).status, 401);
        forged[i] = good[i];
    }
    assert_int_equal(refresh(good, NULL).status, 200);
}

static void a_session_lasts_for_two_weeks_after_its_last_use(void **state)
{
    answer_t signed_in = post("/api/v1/sessions", "{\"name\":\"person-3\",\"password\":\"correct horse\"}");
    const char *first = json_member(identity, signed_in.body, "refresh_token");

    (void)state;
    answer_t second = refresh_later(first, 13 * DAY_US);
    assert_int_equal(second.status, 200);
    answer_t third = refresh_later(json_member(identity, second.body, "refresh_token"), 26 * DAY_US);
    assert_int_equal(third.status, 200);
    const char *last = json_member(identity, third.body, "refresh_token");
    assert_string_equal(refresh_later(last, 41 * DAY_US).problem, "session_ended");
    assert_int_equal(refresh_later(last, 39 * DAY_US).status, 200); /* that it came too late did not end it */
}

static size_t devices_later(const caller_t *caller, int64_t later)
{
    answer_t page = community_call(
        identity,
        &(call_t){.method = METHOD_GET, .target = "/api/v1/sessions", .caller = *caller, .later = later});
    size_t count = 0;

    assert_int_equal(page.status, 200);
    for (const char *at = page.body.at; (at = strstr(at, "\"device\":")); at++)
        count++;
    return count;
}

static void a_session_that_ran_out_is_not_in_the_list(void **state)
{
    answer_t signed_in = post("/api/v1/sessions", "{\"name\":\"person-4\",\"password\":\"correct horse\"}");
    caller_t caller = {.session = uuid_new()};

    (void)state;
    assert_true(uuid_parse(str_from(json_member(identity, signed_in.body, "id")), &caller.member));
    assert_int_equal(devices_later(&caller, 0), 2); /* with that of signing up */
    assert_int_equal(devices_later(&caller, 13 * DAY_US), 2);
    assert_int_equal(devices_later(&caller, 15 * DAY_US), 0);
}

static void purge_later(req_t *req, void *arg)
{
    req->now += *(int64_t *)arg;
    identity_module.jobs[0].run(req);
}

static void a_session_is_remembered_for_a_month_after_it_ran_out(void **state)
{
    answer_t signed_in = post("/api/v1/sessions", "{\"name\":\"person-5\",\"password\":\"correct horse\"}");
    const char *first = json_member(identity, signed_in.body, "refresh_token");
    int64_t remembered = (14 + 29) * DAY_US, forgotten = (14 + 31) * DAY_US;

    (void)state;
    assert_string_equal(identity_module.jobs[0].name, "identity.sessions_purge");
    assert_true(community_run(identity, purge_later, &remembered));
    answer_t second = refresh(first, NULL);
    assert_int_equal(second.status, 200);
    assert_true(community_run(identity, purge_later, &forgotten));
    assert_int_equal(refresh(json_member(identity, second.body, "refresh_token"), NULL).status, 401);
}

static int run_on(bool postgres)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_is_good_on_this_database),
        cmocka_unit_test(of_many_who_sign_up_at_once_one_is_the_administrator),
        cmocka_unit_test(a_name_is_as_secret_as_a_password),
        cmocka_unit_test(a_refresh_token_serves_once),
        cmocka_unit_test(a_forged_refresh_token_ends_nothing),
        cmocka_unit_test(a_session_lasts_for_two_weeks_after_its_last_use),
        cmocka_unit_test(a_session_that_ran_out_is_not_in_the_list),
        cmocka_unit_test(a_session_is_remembered_for_a_month_after_it_ran_out),
    };

    identity = community_open(&identity_module, postgres);
    if (!identity)
        return 0;
    int failed = cmocka_run_group_tests_name(postgres ? "identity on PostgreSQL" : "identity on SQLite",
                                             tests, NULL, NULL);
    community_close(identity);
    return failed;
}

int main(void)
{
    return run_on(false) + run_on(true);
}
