/*
 * Refresh tokens. A session has a generation; each refresh moves it on, and only the token of the present
 * generation is good. A token is base64url of
 *
 *     session id (16 bytes) | generation (8 bytes, big endian) | tag (32 bytes)
 *
 * with tag = BLAKE2b over the first 24 bytes and a label, under the community's secret, which is not in any
 * database. So nothing about tokens is stored, a stolen database opens no session, and an older token that
 * comes back is told for certain from garbage: it was stolen from or by somebody, and its session ends (RFC
 * 9700, section 4.14.2).
 */
#include "internal.h"

enum { TOKEN_BODY = 24, TOKEN_SIZE = TOKEN_BODY + 32 };

static hash_t refresh_tag(req_t *req, const uint8_t body[TOKEN_BODY])
{
    static const char label[] = "folkmoot refresh token";
    char text[TOKEN_BODY + sizeof label];

    memcpy(text, body, TOKEN_BODY);
    memcpy(text + TOKEN_BODY, label, sizeof label);
    return hash_keyed(keyring_secret(req->host->keyring), 32, (str_t){text, sizeof text});
}

str_t refresh_token_make(req_t *req, uuid_t session, int64_t generation)
{
    uint8_t token[TOKEN_SIZE];

    memcpy(token, session.bytes, sizeof session.bytes);
    for (int i = 0; i < 8; i++)
        token[16 + i] = (uint8_t)((uint64_t)generation >> (56 - 8 * i));
    memcpy(token + TOKEN_BODY, refresh_tag(req, token).bytes, 32);
    return base64url_encode(req->arena, token, sizeof token);
}

bool refresh_token_read(req_t *req, str_t token, uuid_t *session, int64_t *generation)
{
    str_t bytes;

    if (!base64url_decode(req->arena, token, &bytes) || bytes.length != TOKEN_SIZE)
        return false;
    const uint8_t *at = (const uint8_t *)bytes.at;
    hash_t tag = refresh_tag(req, at);
    if (!equal_in_constant_time(tag.bytes, at + TOKEN_BODY, sizeof tag.bytes))
        return false;
    memcpy(session->bytes, at, sizeof session->bytes);
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | at[16 + i];
    *generation = (int64_t)number;
    return true;
}

struct refresh_arg {
    uuid_t session;
    int64_t generation;
};

/* An answer, not a fail(): what ended the session must be kept. */
static reply_t answer_session_ended(req_t *req, const char *detail)
{
    reply_t reply = {.type = "application/problem+json"};

    req->problem = (problem_t){.kind = &SESSION_ENDED, .detail = str_from(detail)};
    reply.body = problem_body(req, &reply.status);
    return reply;
}

static reply_t refresh_body(tx_t *tx, void *arg)
{
    const struct refresh_arg *refresh = arg;
    req_t *req = tx->req;
    struct session_by_id row;

    if (!session_by_id(tx, refresh->session, &row) || row.ended_at || row.expires_at <= req->now)
        fail(req, &SESSION_ENDED, "Sign in again.");
    if (refresh->generation != row.generation) {
        (void)session_end(tx, row.id, row.account_id, req->now);
        session_ended(tx, row.id, row.account_id);
        return answer_session_ended(req,
                                    "This refresh token has served before, so somebody else may have it. "
                                    "The session was ended for safety; sign in again.");
    }
    session_refresh(tx, row.id, row.generation + 1, req->now,
                    req->now + config_int(req->host->config, "identity.session_lifetime"));
    identity_account_t account = {.id = row.account_id,
                                  .name = row.name,
                                  .tier = row.tier,
                                  .roles = row.roles,
                                  .created_at = row.account_created_at};
    return session_tokens(req, 200, &account, row.id, row.generation + 1);
}

/* Trades a refresh token for new tokens. */
reply_t refresh_session(req_t *req, const struct refresh_session_request *in)
{
    struct refresh_arg refresh;

    if (!refresh_token_read(req, in->body.refresh_token, &refresh.session, &refresh.generation))
        fail(req, &SESSION_ENDED, "This is not a refresh token of this community. Sign in again.");
    return db_transact(req, refresh_body, &refresh);
}
