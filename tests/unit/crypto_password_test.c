/* Passwords: made, checked, too many at once, and how long one takes that is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka's; ours has another meaning */

#include <unistd.h>

#include "core/api.h"
#include "core/crypto/crypto.h"
#include "core/host.h"

static host_t host;
static arena_t *arena;
static loop_t *loop;

static int begin(void **state)
{
    str_t error;

    (void)state;
    crypto_start();
    arena = arena_new();
    loop = loop_new();
    loop_attach(loop);
    host.config = config_new(arena);
    config_add_options(host.config, crypto_options, crypto_option_count);
    if (!config_set(host.config, STR("identity.password_memory"), STR("1M"), "test", &error))
        return -1;
    host.passwords = worker_pool_new("passwords", 1, 2);
    return 0;
}

static int end(void **state)
{
    (void)state;
    worker_pool_free(host.passwords);
    loop_free(loop);
    arena_free(arena);
    return 0;
}

static void turn_until_done(const int *done, int count)
{
    int64_t deadline = clock_monotonic() + 20 * SECOND_US;

    while (*done < count && clock_monotonic() < deadline) {
        loop_turn(loop);
        usleep(200);
    }
    assert_int_equal(*done, count);
}

static void a_password_matches_its_own_hash_alone(void **state)
{
    req_t *req = req_new(&host, NULL);
    str_t hash = password_hash(req, STR("correct horse"));

    (void)state;
    assert_memory_equal(hash.at, "$argon2id$", 10);
    assert_true(password_matches(req, hash, STR("correct horse")));
    assert_false(password_matches(req, hash, STR("correct horse ")));
    assert_false(password_matches(req, hash, STR("")));
    assert_false(str_equal(password_hash(req, STR("correct horse")), hash));
    req_free(req);
}

static void broken_hashes_match_nothing(void **state)
{
    static const char *const broken[] = {"", "x", "$argon2id$", "$argon2id$v=19$m=1024,t=2,p=1$AAAA$AAAA"};
    req_t *req = req_new(&host, NULL);
    char *long_text = arena_alloc(req->arena, 5000);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(broken); i++)
        assert_false(password_matches(req, str_from(broken[i]), STR("")));
    memset(long_text, 'a', 5000);
    assert_false(password_matches(req, (str_t){long_text, 5000}, STR("a")));
    assert_true(password_needs_rehash(req, (str_t){long_text, 5000}));
    req_free(req);
}

static void a_missing_hash_takes_as_long_and_never_matches(void **state)
{
    req_t *req = req_new(&host, NULL);
    str_t hash = password_hash(req, STR("password"));
    int64_t with = INT64_MAX,
            without = INT64_MAX; /* the quickest of many: what another process takes does not count */

    (void)state;
    for (int i = 0; i < 20; i++) {
        int64_t start = clock_monotonic();
        assert_false(password_matches(req, hash, STR("wrong")));
        int64_t middle = clock_monotonic();
        assert_false(password_matches(req, STR_NONE, STR("wrong")));
        int64_t end = clock_monotonic();
        with = middle - start < with ? middle - start : with;
        without = end - middle < without ? end - middle : without;
    }
    assert_true(without > with / 2);
    assert_true(with > without / 2);
    req_free(req);
}

static void a_hash_of_other_cost_is_to_be_made_anew(void **state)
{
    req_t *req = req_new(&host, NULL);
    str_t hash = password_hash(req, STR("password")), error;

    (void)state;
    assert_false(password_needs_rehash(req, hash));
    assert_true(config_set(host.config, STR("identity.password_passes"), STR("3"), "test", &error));
    assert_true(password_needs_rehash(req, hash));
    assert_true(password_matches(req, hash, STR("password")));
    assert_true(config_set(host.config, STR("identity.password_passes"), STR("2"), "test", &error));
    req_free(req);
}

static int done, hashed, refused;

static void hash_body(req_t *req, void *arg)
{
    (void)arg;
    (void)password_hash(req, STR("password"));
}

static void hashing_fiber(void *arg)
{
    req_t *req = req_new(&host, NULL);

    (void)arg;
    if (req_attempt(req, hash_body, NULL)) {
        hashed++;
    } else {
        assert_ptr_equal(req->problem.kind, &BUSY);
        assert_true(req->problem.retry_after_us > 0);
        refused++;
    }
    req_free(req);
    done++;
}

static void more_than_the_queue_holds_are_sent_away_busy(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        assert_true(fiber_start_now("hash", hashing_fiber, NULL));
    turn_until_done(&done, 20);
    assert_true(hashed >= 2);
    assert_true(refused >= 8); /* some may be done before the last has come */
    assert_int_equal(hashed + refused, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_matches_its_own_hash_alone),
        cmocka_unit_test(broken_hashes_match_nothing),
        cmocka_unit_test(a_missing_hash_takes_as_long_and_never_matches),
        cmocka_unit_test(a_hash_of_other_cost_is_to_be_made_anew),
        cmocka_unit_test(more_than_the_queue_holds_are_sent_away_busy),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
