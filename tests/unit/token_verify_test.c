/* Access tokens: each way in which a false one could get through, tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka's; ours has another meaning */

#include <jwt.h>

#include "core/crypto/token.h"
#include "core/host.h"
#include "tests/unit/token_forge.h"

#define NOW       (INT64_C(1800000000) * SECOND_US)
#define MEMBER    "0190b3a0-0000-7000-8000-000000000001"
#define SESSION   "0190b3a0-0000-7000-8000-000000000002"
#define GOOD_TAIL "\"iat\":1799999990,\"nbf\":1799999990,\"exp\":1800000890,\"jti\":\"x\"}"
#define GOOD_HEAD                                                                                            \
    "{\"iss\":\"folkmoot\",\"aud\":\"folkmoot-api\",\"sub\":\"" MEMBER "\",\"sid\":\"" SESSION               \
    "\",\"tier\":\"phone\",\"roles\":[\"moderator\"],"
#define GOOD GOOD_HEAD GOOD_TAIL

static arena_t *arena;
static char folder[64];
static host_t host;
static signing_key_t key; /* the keyring's */

static int begin(void **state)
{
    str_t error;

    (void)state;
    crypto_start();
    arena = arena_new();
    if (!folder_make(folder))
        return -1;
    host.keyring = keyring_open(str_from(folder), arena, &error);
    key_set_t *set = keys_take(host.keyring);
    key = set->keys[0];
    keys_give(set);
    return 0;
}

static int end(void **state)
{
    (void)state;
    keyring_close(host.keyring);
    folder_remove(folder);
    arena_free(arena);
    return 0;
}

static str_t good_header(void)
{
    return arena_printf(arena, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\"}", key.kid);
}

static token_verdict_t verdict_of(str_t token)
{
    token_claims_t claims;

    return token_verify(host.keyring, arena, token, NOW, &claims);
}

/* Claims of any text with a header and a signature that are good. */
static token_verdict_t verdict_of_claims(const char *claims)
{
    return verdict_of(forge_es256(arena, &key, good_header(), str_from(claims)));
}

static token_verdict_t verdict_of_header(str_t header)
{
    return verdict_of(forge_es256(arena, &key, header, STR(GOOD)));
}

static token_claims_t some_claims(void)
{
    token_claims_t claims = {.caller = {.tier = TIER_VOUCHED, .roles = ROLE_MODERATOR | ROLE_ADMINISTRATOR},
                             .issued_at = NOW,
                             .expires_at = NOW + 15 * MINUTE_US};

    claims.caller.member = uuid_new();
    claims.caller.session = uuid_new();
    return claims;
}

static void an_issued_token_says_what_was_put_in(void **state)
{
    req_t *req = req_new(&host, NULL);
    token_claims_t claims = some_claims(), read;
    str_t token = token_issue(req, &claims);

    (void)state;
    assert_true(token.length < TOKEN_SIZE_MAX);
    assert_int_equal(token_verify(host.keyring, arena, token, NOW + SECOND_US, &read), TOKEN_VALID);
    assert_true(uuid_equal(&read.caller.member, &claims.caller.member));
    assert_true(uuid_equal(&read.caller.session, &claims.caller.session));
    assert_int_equal(read.caller.tier, TIER_VOUCHED);
    assert_int_equal(read.caller.roles, ROLE_MODERATOR | ROLE_ADMINISTRATOR);
    assert_int_equal(read.issued_at, NOW);
    assert_int_equal(read.expires_at, NOW + 15 * MINUTE_US);
    assert_false(str_equal(token, token_issue(req, &claims)));
    req_free(req);
}

static void a_well_made_token_is_valid(void **state)
{
    (void)state;
    assert_int_equal(verdict_of_claims(GOOD), TOKEN_VALID);
    assert_int_equal(verdict_of_claims(GOOD_HEAD "\"new\":{\"of\":[1,2]}," GOOD_TAIL), TOKEN_VALID);
    assert_int_equal(verdict_of_header(arena_printf(arena, "{\"kid\":\"%s\",\"alg\":\"ES256\"}", key.kid)),
                     TOKEN_VALID);
}

static void alg_none_is_refused_signed_or_not(void **state)
{
    str_t header = arena_printf(arena, "{\"alg\":\"none\",\"kid\":\"%s\",\"typ\":\"JWT\"}", key.kid);
    str_t input = forge_input(arena, header, STR(GOOD));

    (void)state;
    assert_int_equal(verdict_of(forge_join(arena, input, "", 0)), TOKEN_FORGED);
    assert_int_equal(verdict_of_header(header), TOKEN_FORGED);
    assert_int_equal(verdict_of(input), TOKEN_MALFORMED);
    assert_int_equal(verdict_of_header(arena_printf(arena, "{\"alg\":\"None\",\"kid\":\"%s\"}", key.kid)),
                     TOKEN_FORGED);
    assert_int_equal(verdict_of_header(arena_printf(arena, "{\"alg\":\"\",\"kid\":\"%s\"}", key.kid)),
                     TOKEN_FORGED);
    assert_int_equal(verdict_of_header(arena_printf(arena, "{\"kid\":\"%s\"}", key.kid)), TOKEN_MALFORMED);
}

static void a_token_maced_with_the_public_key_is_refused(void **state)
{
    str_t pem = {key.public_pem, key.public_length};
    str_t header = arena_printf(arena, "{\"alg\":\"HS256\",\"kid\":\"%s\",\"typ\":\"JWT\"}", key.kid);
    str_t token = forge_hs256(arena, pem, header, STR(GOOD));
    jwt_t *jwt = NULL;

    (void)state;
    /* The library itself takes it: this is why the algorithm is looked at first. */
    assert_int_equal(jwt_decode(&jwt, token.at, (const unsigned char *)pem.at, (int)pem.length), 0);
    jwt_free(jwt);
    assert_int_equal(verdict_of(token), TOKEN_FORGED);
    assert_int_equal(verdict_of(forge_hs256(arena, pem, good_header(), STR(GOOD))), TOKEN_FORGED);
}

static void other_algorithms_are_refused(void **state)
{
    static const char *const names[] = {"ES384", "ES512", "RS256",  "PS256", "HS512",
                                        "EdDSA", "es256", "ES256 ", "ES25"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(
            verdict_of_header(arena_printf(arena, "{\"alg\":\"%s\",\"kid\":\"%s\"}", names[i], key.kid)),
            TOKEN_FORGED);
}

static void a_key_that_is_missing_or_unknown_is_refused(void **state)
{
    (void)state;
    assert_int_equal(verdict_of_header(STR("{\"alg\":\"ES256\",\"typ\":\"JWT\"}")), TOKEN_MALFORMED);
    assert_int_equal(verdict_of_header(STR("{\"alg\":\"ES256\",\"kid\":\"\"}")), TOKEN_FORGED);
    assert_int_equal(verdict_of_header(STR("{\"alg\":\"ES256\",\"kid\":\"0123456789ab-0123456789abcdef\"}")),
                     TOKEN_FORGED);
    assert_int_equal(verdict_of_header(STR("{\"alg\":\"ES256\",\"kid\":\"../../secret\"}")), TOKEN_FORGED);
    assert_int_equal(verdict_of_header(STR("{\"alg\":\"ES256\",\"kid\":null}")), TOKEN_MALFORMED);
    assert_int_equal(verdict_of_header(STR("{\"alg\":\"ES256\",\"kid\":7}")), TOKEN_MALFORMED);
}

static void a_header_with_anything_more_is_refused(void **state)
{
    static const char *const more[] = {"\"crit\":[\"exp\"]", "\"jwk\":{}",        "\"jku\":\"http://a\"",
                                       "\"x5c\":[]",         "\"alg\":\"ES256\"", "\"kid\":\"x\"",
                                       "\"typ\":\"JWE\""};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(more); i++) {
        str_t header = arena_printf(arena, "{\"alg\":\"ES256\",\"kid\":\"%s\",%s}", key.kid, more[i]);
        assert_int_equal(verdict_of_header(header), TOKEN_MALFORMED);
    }
}

static void the_signature_of_another_key_is_refused(void **state)
{
    signing_key_t other;

    (void)state;
    assert_true(key_make(&other, NOW));
    assert_int_equal(verdict_of(forge_es256(arena, &other, good_header(), STR(GOOD))), TOKEN_FORGED);
}

static void any_changed_character_is_refused(void **state)
{
    str_t token = forge_es256(arena, &key, good_header(), STR(GOOD));

    (void)state;
    for (size_t i = 0; i < token.length; i += 7) {
        char *changed = (char *)arena_str(arena, token).at;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_int_not_equal(verdict_of((str_t){changed, token.length}), TOKEN_VALID);
    }
}

static void a_truncated_token_is_refused(void **state)
{
    str_t token = forge_es256(arena, &key, good_header(), STR(GOOD));

    (void)state;
    for (size_t length = 0; length < token.length; length++)
        assert_int_not_equal(verdict_of((str_t){token.at, length}), TOKEN_VALID);
}

static void garbage_is_malformed(void **state)
{
    static const char *const garbage[] = {"",
                                          ".",
                                          "..",
                                          "...",
                                          "a.b.c",
                                          "e30.e30.",
                                          "e30.e30.e30",
                                          "Bearer x.y.z",
                                          "\xff\xfe.\x80.\x81",
                                          "e30=.e30=.e30="};
    char random_text[TOKEN_SIZE_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(garbage); i++)
        assert_int_equal(verdict_of(str_from(garbage[i])), TOKEN_MALFORMED);
    for (int round = 0; round < 100; round++) {
        random_bytes(random_text, sizeof random_text);
        assert_int_equal(verdict_of((str_t){random_text, sizeof random_text}), TOKEN_MALFORMED);
    }
    assert_int_equal(verdict_of((str_t){"a\0.b.c", 6}), TOKEN_MALFORMED);
}

static void more_parts_or_loose_base64_are_refused(void **state)
{
    str_t token = forge_es256(arena, &key, good_header(), STR(GOOD));

    (void)state;
    assert_int_equal(verdict_of(token), TOKEN_VALID);
    assert_int_equal(verdict_of(arena_printf(arena, "%s.", token.at)), TOKEN_MALFORMED);
    assert_int_equal(verdict_of(arena_printf(arena, "%s=", token.at)), TOKEN_MALFORMED);
    assert_int_equal(verdict_of(arena_printf(arena, "%s\n", token.at)), TOKEN_MALFORMED);
    assert_int_equal(verdict_of(arena_printf(arena, " %s", token.at)), TOKEN_MALFORMED);
}

static void a_huge_token_is_malformed(void **state)
{
    char filler[4096];

    (void)state;
    memset(filler, 'x', sizeof filler);
    str_t claims = arena_printf(arena, "%s\"pad\":\"%.3000s\",%s", GOOD_HEAD, filler, GOOD_TAIL);
    assert_int_equal(verdict_of_claims(claims.at), TOKEN_MALFORMED);
    assert_int_equal(verdict_of((str_t){filler, sizeof filler}), TOKEN_MALFORMED);
}

static void deep_json_does_not_reach_the_library(void **state)
{
    char deep[1400];

    (void)state;
    memset(deep, '[', sizeof deep);
    assert_int_equal(verdict_of(forge_es256(arena, &key, good_header(), (str_t){deep, sizeof deep})),
                     TOKEN_MALFORMED);
    assert_int_equal(verdict_of(forge_es256(arena, &key, (str_t){deep, 1300}, STR("{}"))), TOKEN_MALFORMED);
    str_t nested = arena_printf(arena, "%s\"a\":%.500s,%s", GOOD_HEAD, deep, GOOD_TAIL);
    assert_int_equal(verdict_of_claims(nested.at), TOKEN_MALFORMED);
}

static void times_are_kept_to(void **state)
{
    (void)state;
    assert_int_equal(verdict_of_claims(
                         GOOD_HEAD "\"iat\":1799999000,\"nbf\":1799999000,\"exp\":1800000000,\"jti\":\"x\"}"),
                     TOKEN_EXPIRED);
    assert_int_equal(verdict_of_claims(
                         GOOD_HEAD "\"iat\":1799999000,\"nbf\":1799999000,\"exp\":1800000001,\"jti\":\"x\"}"),
                     TOKEN_VALID);
    assert_int_equal(verdict_of_claims(
                         GOOD_HEAD "\"iat\":1799999000,\"nbf\":1800000031,\"exp\":1800000900,\"jti\":\"x\"}"),
                     TOKEN_NOT_YET);
    assert_int_equal(verdict_of_claims(
                         GOOD_HEAD "\"iat\":1800000030,\"nbf\":1800000030,\"exp\":1800000900,\"jti\":\"x\"}"),
                     TOKEN_VALID);
    assert_int_equal(verdict_of_claims(
                         GOOD_HEAD "\"iat\":1800000031,\"nbf\":1800000000,\"exp\":1800000900,\"jti\":\"x\"}"),
                     TOKEN_NOT_YET);
    assert_int_equal(verdict_of_claims(GOOD_HEAD "\"iat\":0,\"nbf\":0,\"exp\":0,\"jti\":\"x\"}"),
                     TOKEN_EXPIRED);
}

static void another_issuer_or_audience_is_refused(void **state)
{
    static const struct {
        const char *from, *to;
        token_verdict_t verdict;
    } changes[] = {
        {"\"iss\":\"folkmoot\"", "\"iss\":\"folkmoot2\"", TOKEN_FORGED},
        {"\"iss\":\"folkmoot\"", "\"iss\":\"\"", TOKEN_FORGED},
        {"\"iss\":\"folkmoot\"", "\"iss\":[\"folkmoot\"]", TOKEN_MALFORMED},
        {"\"iss\":\"folkmoot\",", "", TOKEN_MALFORMED},
        {"\"aud\":\"folkmoot-api\"", "\"aud\":\"folkmoot\"", TOKEN_FORGED},
        {"\"aud\":\"folkmoot-api\"", "\"aud\":[\"folkmoot-api\",\"b\"]", TOKEN_MALFORMED},
        {"\"aud\":\"folkmoot-api\",", "", TOKEN_MALFORMED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        const char *at = strstr(GOOD, changes[i].from);
        str_t claims = arena_printf(arena, "%.*s%s%s", (int)(at - GOOD), GOOD, changes[i].to,
                                    at + strlen(changes[i].from));
        assert_int_equal(verdict_of_claims(claims.at), changes[i].verdict);
    }
}

static void claims_missing_doubled_or_of_another_type_are_refused(void **state)
{
    static const struct {
        const char *from, *to;
    } changes[] = {
        {"\"sub\":\"" MEMBER "\",", ""},
        {"\"sub\":\"" MEMBER "\"", "\"sub\":7"},
        {"\"sub\":\"" MEMBER "\"", "\"sub\":\"me\""},
        {"\"sub\":\"" MEMBER "\"", "\"sub\":\"00000000-0000-0000-0000-000000000000\""},
        {"\"sub\":\"" MEMBER "\"", "\"sub\":\"" MEMBER "\",\"sub\":\"" SESSION "\""},
        {"\"sid\":\"" SESSION "\",", ""},
        {"\"sid\":\"" SESSION "\"", "\"sid\":{}"},
        {"\"tier\":\"phone\",", ""},
        {"\"tier\":\"phone\"", "\"tier\":\"emperor\""},
        {"\"tier\":\"phone\"", "\"tier\":3"},
        {"\"tier\":\"phone\"", "\"tier\":\"phone\",\"tier\":\"verified\""},
        {"\"roles\":[\"moderator\"],", ""},
        {"\"roles\":[\"moderator\"]", "\"roles\":\"moderator\""},
        {"\"roles\":[\"moderator\"]", "\"roles\":[3]"},
        {"\"roles\":[\"moderator\"]", "\"roles\":3"},
        {"\"iat\":1799999990,", ""},
        {"\"iat\":1799999990", "\"iat\":\"1799999990\""},
        {"\"nbf\":1799999990,", ""},
        {"\"nbf\":1799999990", "\"nbf\":null"},
        {"\"exp\":1800000890,", ""},
        {"\"exp\":1800000890", "\"exp\":\"never\""},
        {"\"exp\":1800000890", "\"exp\":1800000890.5"},
        {"\"exp\":1800000890", "\"exp\":-1"},
        {"\"exp\":1800000890", "\"exp\":9223372036854775807"},
        {"\"exp\":1800000890", "\"exp\":1e300"},
        {"\"exp\":1800000890", "\"exp\":true"},
        {"\"exp\":1800000890", "\"exp\":1800000890,\"exp\":1900000000"},
        {"\"exp\":1800000890", "\"exp\":1800000890,\"\\u0065xp\":1900000000"},
        {",\"jti\":\"x\"", ""},
        {"\"jti\":\"x\"", "\"jti\":1"},
        {"\"jti\":\"x\"}", "\"jti\":\"x\"} {}"},
        {"\"jti\":\"x\"}", "\"jti\":\"x\""},
        {"\"jti\":\"x\"}", "\"jti\":\"\\u0000\"}"},
        {"\"jti\":\"x\"}", "\"jti\":\"\xff\"}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        const char *at = strstr(GOOD, changes[i].from);
        str_t claims = arena_printf(arena, "%.*s%s%s", (int)(at - GOOD), GOOD, changes[i].to,
                                    at + strlen(changes[i].from));
        if (verdict_of_claims(claims.at) != TOKEN_MALFORMED)
            print_error("%s\n", claims.at);
        assert_int_equal(verdict_of_claims(claims.at), TOKEN_MALFORMED);
    }
    assert_int_equal(verdict_of_claims("[]"), TOKEN_MALFORMED);
    assert_int_equal(verdict_of_claims("null"), TOKEN_MALFORMED);
    assert_int_equal(verdict_of_claims(""), TOKEN_MALFORMED);
}

static void unknown_roles_allow_nothing(void **state)
{
    str_t token =
        forge_es256(arena, &key, good_header(),
                    STR("{\"iss\":\"folkmoot\",\"aud\":\"folkmoot-api\",\"sub\":\"" MEMBER
                        "\",\"sid\":\"" SESSION "\",\"tier\":\"phone\",\"roles\":[\"emperor\"]," GOOD_TAIL));
    token_claims_t claims;

    (void)state;
    assert_int_equal(token_verify(host.keyring, arena, token, NOW, &claims), TOKEN_VALID);
    assert_int_equal(claims.caller.roles, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_issued_token_says_what_was_put_in),
        cmocka_unit_test(a_well_made_token_is_valid),
        cmocka_unit_test(alg_none_is_refused_signed_or_not),
        cmocka_unit_test(a_token_maced_with_the_public_key_is_refused),
        cmocka_unit_test(other_algorithms_are_refused),
        cmocka_unit_test(a_key_that_is_missing_or_unknown_is_refused),
        cmocka_unit_test(a_header_with_anything_more_is_refused),
        cmocka_unit_test(the_signature_of_another_key_is_refused),
        cmocka_unit_test(any_changed_character_is_refused),
        cmocka_unit_test(a_truncated_token_is_refused),
        cmocka_unit_test(garbage_is_malformed),
        cmocka_unit_test(more_parts_or_loose_base64_are_refused),
        cmocka_unit_test(a_huge_token_is_malformed),
        cmocka_unit_test(deep_json_does_not_reach_the_library),
        cmocka_unit_test(times_are_kept_to),
        cmocka_unit_test(another_issuer_or_audience_is_refused),
        cmocka_unit_test(claims_missing_doubled_or_of_another_type_are_refused),
        cmocka_unit_test(unknown_roles_allow_nothing),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
