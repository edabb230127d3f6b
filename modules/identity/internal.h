/* What identity's files share. */
#ifndef FOLKMOOT_IDENTITY_INTERNAL_H
#define FOLKMOOT_IDENTITY_INTERNAL_H

#include "core/cache/cache.h"
#include "core/crypto/crypto.h"
#include "core/crypto/token.h"
#include "core/host.h"
#include "core/module.h"

#include "api.h"
#include "migrations.h"
#include "queries.h"

enum {
    OPEN_SESSIONS_MAX = 50,       /* per account; the one longest unused makes room */
    SESSION_REMEMBERED_DAYS = 30, /* after it ran out, so that its tokens are told from garbage */
};

/* What the tokens of a session say of its account. */
typedef struct identity_account {
    uuid_t id;
    str_t name;
    int64_t tier;  /* ACCOUNT_TIER_UNVERIFIED … ACCOUNT_TIER_VERIFIED */
    int64_t roles; /* ROLE_* bits */
    int64_t created_at;
} identity_account_t;

/* How an account is shown; in the request's arena. */
struct account account_shown(req_t *req, const identity_account_t *account);

/* Opens a session for the account in this transaction and answers 201 with its tokens. */
reply_t session_open(tx_t *tx, const identity_account_t *account, str_t device);

/* Says in the log that a session has ended, so that its access tokens are refused everywhere. */
void session_ended(tx_t *tx, uuid_t session, uuid_t account);

/* The tokens of a session's generation, as an answer. */
reply_t session_tokens(req_t *req, int status, const identity_account_t *account, uuid_t session,
                       int64_t generation);

/* The refresh token of a session's generation; see refresh.c for its form. */
str_t refresh_token_make(req_t *req, uuid_t session, int64_t generation);

/* Reads a refresh token; false when this community never made it. */
bool refresh_token_read(req_t *req, str_t token, uuid_t *session, int64_t *generation) MUST_CHECK;

/* A job: forgets sessions that ran out long ago. */
void sessions_purge(req_t *req);

/* Imports the participants of a Polis conversation as accounts that cannot sign in. */
void polis_import_accounts(req_t *req, const command_input_t *input);

#endif
