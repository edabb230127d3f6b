/* What a process remembers of tokens: verified ones, and sessions that were revoked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka's; ours has another meaning */

#include <pthread.h>

#include "core/crypto/token.h"
#include "core/host.h"
#include "tests/unit/token_forge.h"

static arena_t *arena;
static char folder[64];
static host_t host;
static token_memory_t *memory;
static int64_t now;

static int begin(void **state)
{
    str_t error;

    (void)state;
    crypto_start();
    arena = arena_new();
    now = clock_now();
    memory = token_memory_new(1000);
    host.keyring = folder_make(folder) ? keyring_open(str_from(folder), arena, &error) : NULL;
    return host.keyring ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    keyring_close(host.keyring);
    token_memory_free(memory);
    folder_remove(folder);
    arena_free(arena);
    return 0;
}

static str_t token_of(const uuid_t *session, int64_t issued_at)
{
    token_claims_t claims = {
        .caller.session = *session, .issued_at = issued_at, .expires_at = issued_at + 15 * MINUTE_US};
    req_t *req = req_new(&host, NULL);

    claims.caller.member = uuid_new();
    str_t token = arena_str(arena, token_issue(req, &claims));
    req_free(req);
    return token;
}

static token_verdict_t check_at(str_t token, int64_t time)
{
    token_claims_t claims;

    return token_check(memory, host.keyring, arena, token, time, &claims);
}

static void a_token_is_verified_once_and_remembered(void **state)
{
    uuid_t session = uuid_new();
    str_t token = token_of(&session, now);
    token_claims_t first, second;

    (void)state;
    assert_int_equal(token_check(memory, host.keyring, arena, token, now, &first), TOKEN_VALID);
    int64_t verifying = INT64_MAX, recalling = INT64_MAX; /* the quickest of many */
    for (int i = 0; i < 100; i++) {
        int64_t start = clock_monotonic();
        assert_int_equal(token_verify(host.keyring, arena, token, now, &second), TOKEN_VALID);
        int64_t middle = clock_monotonic();
        assert_int_equal(token_check(memory, host.keyring, arena, token, now, &second), TOKEN_VALID);
        int64_t end = clock_monotonic();
        verifying = middle - start < verifying ? middle - start : verifying;
        recalling = end - middle < recalling ? end - middle : recalling;
    }
    assert_true(recalling * 4 < verifying);
    assert_memory_equal(&first, &second, sizeof first);
    assert_true(uuid_equal(&second.caller.session, &session));
}

static void a_remembered_token_still_expires(void **state)
{
    uuid_t session = uuid_new();
    str_t token = token_of(&session, now);

    (void)state;
    assert_int_equal(check_at(token, now), TOKEN_VALID);
    assert_int_equal(check_at(token, now + 14 * MINUTE_US), TOKEN_VALID);
    assert_int_equal(check_at(token, now + 15 * MINUTE_US), TOKEN_EXPIRED);
}

static void a_changed_token_is_not_taken_for_a_remembered_one(void **state)
{
    uuid_t session = uuid_new();
    str_t token = token_of(&session, now);

    (void)state;
    assert_int_equal(check_at(token, now), TOKEN_VALID);
    for (size_t i = 0; i < token.length; i += 5) {
        char *changed = (char *)arena_str(arena, token).at;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_int_not_equal(check_at((str_t){changed, token.length}, now), TOKEN_VALID);
    }
    assert_int_equal(check_at((str_t){token.at, 5000}, now), TOKEN_MALFORMED);
    assert_int_equal(check_at(STR_NONE, now), TOKEN_MALFORMED);
}

static void a_revoked_session_is_refused_from_then_on(void **state)
{
    uuid_t session = uuid_new(), other = uuid_new();
    str_t token = token_of(&session, now), later = token_of(&session, now + SECOND_US),
          others = token_of(&other, now);

    (void)state;
    assert_int_equal(check_at(token, now), TOKEN_VALID);
    token_revoke_session(memory, &session, now + 20 * MINUTE_US);
    assert_int_equal(token_memory_revoked(memory), 1);
    assert_int_equal(check_at(token, now), TOKEN_REVOKED);
    assert_int_equal(check_at(later, now), TOKEN_REVOKED); /* one that was not seen before */
    assert_int_equal(check_at(others, now), TOKEN_VALID);
    token_revoke_session(memory, &session, now);
    assert_int_equal(token_memory_revoked(memory), 1);
    assert_int_equal(check_at(token, now), TOKEN_REVOKED);
}

static void many_revoked_sessions_are_all_refused(void **state)
{
    static uuid_t sessions[20000];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sessions); i++) {
        sessions[i] = uuid_new();
        token_revoke_session(memory, &sessions[i], now + HOUR_US);
    }
    assert_int_equal(token_memory_revoked(memory), COUNT_OF(sessions));
    for (size_t i = 0; i < COUNT_OF(sessions); i += 1000)
        assert_int_equal(check_at(token_of(&sessions[i], now), now), TOKEN_REVOKED);
}

static void more_revoked_sessions_than_fit_make_all_old_tokens_refused(void **state)
{
    uuid_t first = uuid_new(), innocent = uuid_new();
    str_t token = token_of(&first, now), old = token_of(&innocent, now);

    (void)state;
    token_revoke_session(memory, &first, now + HOUR_US);
    for (int i = 0; i < 100000; i++) {
        uuid_t session = uuid_new();
        token_revoke_session(memory, &session, now + HOUR_US);
    }
    assert_true(token_memory_revoked(memory) < 70000);
    assert_int_equal(check_at(token, now), TOKEN_REVOKED);
    assert_int_equal(check_at(old, now), TOKEN_REVOKED);
    int64_t later = clock_now() + 2 * SECOND_US;
    assert_int_equal(check_at(token_of(&innocent, later), later), TOKEN_VALID);
}

static void lapsed_revocations_make_room(void **state)
{
    uuid_t innocent = uuid_new();
    str_t token = token_of(&innocent, now);

    (void)state;
    for (int i = 0; i < 100000; i++) {
        uuid_t session = uuid_new();
        token_revoke_session(memory, &session, now - SECOND_US);
    }
    assert_int_equal(check_at(token, now), TOKEN_VALID);
}

static void more_tokens_than_fit_are_verified_again(void **state)
{
    token_memory_t *small = token_memory_new(1);
    str_t tokens[300];
    token_claims_t claims;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(tokens); i++) {
        uuid_t session = uuid_new();
        tokens[i] = token_of(&session, now);
        assert_int_equal(token_check(small, host.keyring, arena, tokens[i], now, &claims), TOKEN_VALID);
    }
    for (size_t i = 0; i < COUNT_OF(tokens); i++)
        assert_int_equal(token_check(small, host.keyring, arena, tokens[i], now, &claims), TOKEN_VALID);
    token_memory_free(small);
}

static str_t shared_tokens[8];

static void *checker(void *arg)
{
    arena_t *own = arena_new();
    token_claims_t claims;

    (void)arg;
    for (int i = 0; i < 2000; i++) {
        if (token_check(memory, host.keyring, own, shared_tokens[i % 8], now, &claims) != TOKEN_VALID)
            abort();
    }
    arena_free(own);
    return NULL;
}

static void threads_share_it(void **state)
{
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(shared_tokens); i++) {
        uuid_t session = uuid_new();
        shared_tokens[i] = token_of(&session, now);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, checker, NULL), 0);
    for (int i = 0; i < 1000; i++) {
        uuid_t session = uuid_new();
        token_revoke_session(memory, &session, now + HOUR_US);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_token_is_verified_once_and_remembered, begin, end),
        cmocka_unit_test_setup_teardown(a_remembered_token_still_expires, begin, end),
        cmocka_unit_test_setup_teardown(a_changed_token_is_not_taken_for_a_remembered_one, begin, end),
        cmocka_unit_test_setup_teardown(a_revoked_session_is_refused_from_then_on, begin, end),
        cmocka_unit_test_setup_teardown(many_revoked_sessions_are_all_refused, begin, end),
        cmocka_unit_test_setup_teardown(more_revoked_sessions_than_fit_make_all_old_tokens_refused, begin,
                                        end),
        cmocka_unit_test_setup_teardown(lapsed_revocations_make_room, begin, end),
        cmocka_unit_test_setup_teardown(more_tokens_than_fit_are_verified_again, begin, end),
        cmocka_unit_test_setup_teardown(threads_share_it, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
