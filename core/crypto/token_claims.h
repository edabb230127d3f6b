/* The JSON in a token: its header and its claims. Private to core/crypto/. */
#ifndef FOLKMOOT_TOKEN_CLAIMS_H
#define FOLKMOOT_TOKEN_CLAIMS_H

#include "core/crypto/token.h"

typedef struct read_header {
    str_t algorithm, kid;
} read_header_t;

typedef struct read_claims {
    caller_t caller;
    int64_t issued_at, not_before, expires_at; /* µs UTC */
    bool ours;                                 /* issuer and audience are this program's */
} read_claims_t;

str_t claims_write(arena_t *arena, const token_claims_t *claims);

/* False when anything is missing, there twice, of another type or out of its range. */
bool header_read(arena_t *arena, str_t json, read_header_t *header) MUST_CHECK;
bool claims_read(arena_t *arena, str_t json, read_claims_t *claims) MUST_CHECK;

#endif
