/*
 * Access tokens: JWT (RFC 7519), ES256, by libjwt behind this one wrapper, which closes its traps: the
 * algorithm must be the key's own, a key is always given, kid must be known, exp, nbf, iss, aud and the form
 * of every claim are checked here.
 */
#ifndef FOLKMOOT_TOKEN_H
#define FOLKMOOT_TOKEN_H

#include "core/crypto/keyring.h"

typedef struct token_claims {
    caller_t caller;
    int64_t issued_at, expires_at; /* µs UTC, whole seconds */
} token_claims_t;

enum { TOKEN_SIZE_MAX = 2048 };

/* Signs a token (about 0.6 ms). Runs in the caller's thread. Ends in INTERNAL when the key cannot sign. */
str_t token_issue(req_t *req, const token_claims_t *claims);

typedef enum token_verdict {
    TOKEN_VALID,
    TOKEN_MALFORMED,
    TOKEN_FORGED,
    TOKEN_EXPIRED,
    TOKEN_NOT_YET,
    TOKEN_REVOKED
} token_verdict_t;

/* Verifies without any memory (about 0.6 ms). */
token_verdict_t token_verify(keyring_t *keyring, arena_t *arena, str_t token, int64_t now,
                             token_claims_t *claims);

/* The memory of one process: a token is verified once and remembered until it expires; a session that was
 * revoked is refused from then on. Bounded; any thread. */
typedef struct token_memory token_memory_t;
token_memory_t *token_memory_new(size_t tokens_max);
void token_memory_free(token_memory_t *memory);
token_verdict_t token_check(token_memory_t *memory, keyring_t *keyring, arena_t *arena, str_t token,
                            int64_t now, token_claims_t *claims);
void token_revoke_session(token_memory_t *memory, const uuid_t *session,
                          int64_t until);            /* forget it after `until` (µs UTC) */
size_t token_memory_revoked(token_memory_t *memory); /* how many are remembered */

#endif
