/*
 * Access tokens: issuing and verifying JWTs. libjwt makes and checks the signature and nothing else is left
 * to it: the header and the claims are read here, strictly, before it sees them, since it would take a token
 * of any algorithm, or without a key of none, checks no claim, and its parser recurses deeper than a fiber's
 * stack allows.
 */
#include <jwt.h>
#include <stdlib.h>

#include "core/api.h"
#include "core/crypto/crypto.h"
#include "core/crypto/keys.h"
#include "core/crypto/token.h"
#include "core/crypto/token_claims.h"
#include "core/host.h"

enum { SIGNATURE_SIZE = 64 };

#define CLOCK_SKEW_US (30 * SECOND_US)

/* ---- issuing ---- */

/* With malloc, by libjwt; NULL when it cannot. */
static char *sign(const signing_key_t *key, str_t claims)
{
    jwt_t *jwt = NULL;
    char *token = NULL;

    if (jwt_new(&jwt) == 0 && jwt_add_grants_json(jwt, claims.at) == 0 &&
        jwt_add_header(jwt, "kid", key->kid) == 0 &&
        jwt_set_alg(jwt, JWT_ALG_ES256, (const unsigned char *)key->private_pem, (int)key->private_length) ==
            0)
        token = jwt_encode_str(jwt);
    jwt_free(jwt);
    return token;
}

str_t token_issue(req_t *req, const token_claims_t *claims)
{
    str_t json = claims_write(req->arena, claims);
    key_set_t *set = keys_take(req->host->keyring);
    char *signed_text = sign(key_for_signing(set, clock_now()), json);

    keys_give(set);
    str_t token = signed_text ? arena_str(req->arena, str_from(signed_text)) : STR_NONE;
    free(signed_text);
    if (!token.at)
        fail(req, &INTERNAL, "The access token could not be signed.");
    return token;
}

/* ---- verifying ---- */

typedef struct token_parts {
    str_t header, payload, signature; /* decoded */
} token_parts_t;

/* Three parts in strict base64url. */
static bool token_split(arena_t *arena, str_t token, token_parts_t *parts)
{
    const char *end = token.at + token.length;
    const char *first = memchr(token.at, '.', token.length);
    const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;

    if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
        return false;
    return base64url_decode(arena, (str_t){token.at, (size_t)(first - token.at)}, &parts->header) &&
           base64url_decode(arena, (str_t){first + 1, (size_t)(second - first - 1)}, &parts->payload) &&
           base64url_decode(arena, (str_t){second + 1, (size_t)(end - second - 1)}, &parts->signature);
}

/* `token` is terminated. The key is never NULL: with none, libjwt would not look at the signature. */
static bool is_signed_by(const signing_key_t *key, const char *token)
{
    jwt_t *jwt = NULL;
    bool valid =
        jwt_decode(&jwt, token, (const unsigned char *)key->public_pem, (int)key->public_length) == 0 &&
        jwt && jwt_get_alg(jwt) == JWT_ALG_ES256;

    jwt_free(jwt);
    return valid;
}

static bool is_signed(keyring_t *keyring, str_t kid, const char *token)
{
    key_set_t *set = keys_take(keyring);
    const signing_key_t *key = key_find(set, kid);
    bool valid = key && is_signed_by(key, token);

    keys_give(set);
    return valid;
}

static token_verdict_t judge(const read_claims_t *claims, int64_t now)
{
    if (!claims->ours)
        return TOKEN_FORGED;
    if (claims->expires_at <= now)
        return TOKEN_EXPIRED;
    if (claims->not_before > now + CLOCK_SKEW_US || claims->issued_at > now + CLOCK_SKEW_US)
        return TOKEN_NOT_YET;
    return TOKEN_VALID;
}

token_verdict_t token_verify(keyring_t *keyring, arena_t *arena, str_t token, int64_t now,
                             token_claims_t *claims)
{
    token_parts_t parts;
    read_header_t header;
    read_claims_t read;

    if (token.length == 0 || token.length > TOKEN_SIZE_MAX || !token_split(arena, token, &parts) ||
        !header_read(arena, parts.header, &header) || !claims_read(arena, parts.payload, &read))
        return TOKEN_MALFORMED;
    if (!str_equal(header.algorithm, STR("ES256")) || parts.signature.length != SIGNATURE_SIZE ||
        !is_signed(keyring, header.kid, arena_str(arena, token).at))
        return TOKEN_FORGED;
    token_verdict_t verdict = judge(&read, now);
    if (verdict == TOKEN_VALID)
        *claims = (token_claims_t){
            .caller = read.caller, .issued_at = read.issued_at, .expires_at = read.expires_at};
    return verdict;
}
