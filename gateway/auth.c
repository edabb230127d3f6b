/* Who calls, by the bearer token, and whether they may. */
#include "gateway/gateway.h"

#include "core/api.h"

enum { TOKEN_LEAST = 16 };

static const char *const verdicts[] = {
    [TOKEN_VALID] = "",
    [TOKEN_MALFORMED] = "The access token is not one. Sign in again.",
    [TOKEN_FORGED] = "The access token was not signed by this community. Sign in again.",
    [TOKEN_EXPIRED] = "The access token has expired. Refresh the session.",
    [TOKEN_NOT_YET] = "The access token is not valid yet: the clocks differ. Try again in a moment.",
    [TOKEN_REVOKED] = "This session has ended. Sign in again.",
};

static _Noreturn void refuse_token(exchange_t *exchange, const char *detail)
{
    exchange->invalid_token = true;
    fail(exchange->req, &UNAUTHENTICATED, "%s", detail);
}

/* "Bearer <token>"; the scheme in any case. */
static str_t bearer_of(str_t header)
{
    static const char scheme[] = "bearer ";
    size_t length = sizeof scheme - 1;
    if (header.length <= length || strncasecmp(header.at, scheme, length) != 0)
        return STR_NONE;
    while (length < header.length && header.at[length] == ' ')
        length++;
    return (str_t){header.at + length, header.length - length};
}

static void check_token(exchange_t *exchange)
{
    gateway_t *gateway = exchange->thread->gateway;
    req_t *req = exchange->req;
    token_claims_t claims;
    str_t token = bearer_of(exchange->authorization);
    limits_guard_tokens(exchange);
    token_verdict_t verdict =
        token.length < TOKEN_LEAST || token.length > TOKEN_SIZE_MAX
            ? TOKEN_MALFORMED
            : token_check(gateway->tokens, gateway->host->keyring, req->arena, token, req->now, &claims);
    if (verdict == TOKEN_MALFORMED || verdict == TOKEN_FORGED)
        limits_bad_token(exchange);
    if (verdict != TOKEN_VALID)
        refuse_token(exchange, verdicts[verdict]);
    req->caller = claims.caller;
    exchange->token_expires_at = claims.expires_at;
}

void authenticate(exchange_t *exchange)
{
    if (exchange->route.operation->access != ACCESS_ANYONE && exchange->authorization.at)
        check_token(exchange);
}

/* After the limits: who is turned away here must not be able to try for ever. */
void authorize(exchange_t *exchange)
{
    const operation_t *operation = exchange->route.operation;
    const settings_t *settings = &exchange->thread->gateway->settings;
    req_t *req = exchange->req;
    bool stranger = uuid_is_none(&req->caller.member);
    bool strangers_may = operation->access == ACCESS_ANYONE ||
                         (operation->access == ACCESS_READER && settings->public_reading);
    if (stranger && !strangers_may)
        fail(req, &UNAUTHENTICATED, "Send the access token of a signed-in member as Authorization: Bearer.");
    if (operation->access == ACCESS_ANYONE)
        return;
    if (req->caller.tier < operation->tier)
        fail(req, &FORBIDDEN, "Your account has not been verified far enough for this.");
    if (operation->roles && (req->caller.roles & operation->roles) == 0)
        fail(req, &FORBIDDEN, "This is for %s.",
             operation->roles & ROLE_MODERATOR ? "moderators and administrators" : "administrators");
}
