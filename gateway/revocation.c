/*
 * Sessions that have ended: identity says so in its log. Every process follows it and refuses what tokens of
 * such a session are still about, and ends its live streams.
 */
#include "gateway/follower.h"
#include "gateway/live.h"

/* Access tokens live an hour at most: what ended before that is no danger. */
static const int64_t token_life_most_us = HOUR_US;

static follower_t sessions;

static log_position_t begin_an_hour_ago(follower_t *follower, req_t *req)
{
    return log_position_before(req, follower->module, req->now - token_life_most_us);
}

static void end_sessions(follower_t *follower, const log_entry_t *entries, size_t count,
                         log_position_t read_to)
{
    (void)read_to;
    for (size_t place = 0; place < count; place++) {
        if (!str_equal(entries[place].type, STR("session.ended")))
            continue;
        token_revoke_session(follower->gateway->tokens, &entries[place].record,
                             clock_now() + token_life_most_us);
        live_end_session(follower->gateway, &entries[place].record);
    }
}

void revocations_start(gateway_t *gateway)
{
    sessions = (follower_t){.name = "revocations",
                            .gateway = gateway,
                            .module = host_module(gateway->host, "identity"),
                            .begin = begin_an_hour_ago,
                            .apply = end_sessions};
    if (sessions.module)
        follower_start(&sessions);
}

bool revocations_are_known(void)
{
    return sessions.module == NULL || follower_is_well(&sessions);
}
