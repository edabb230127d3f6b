/*
 * Sessions: signing in, the devices of an account, and signing out. Access tokens are short-lived and carry
 * who, tier and roles; what ends a session goes into the log, and every process that checks tokens reads it
 * there.
 */
#include "internal.h"

reply_t session_tokens(req_t *req, int status, const identity_account_t *account, uuid_t session,
                       int64_t generation)
{
    int64_t lifetime = config_int(req->host->config, "identity.access_lifetime");
    int64_t issued_at = req->now - req->now % SECOND_US;
    token_claims_t claims = {
        .caller = {.member = account->id,
                   .session = session,
                   .tier = (tier_t)(account->tier - ACCOUNT_TIER_UNVERIFIED),
                   .roles = (unsigned)account->roles},
        .issued_at = issued_at,
        .expires_at = issued_at + lifetime,
    };
    struct signed_in signed_in = {
        .account = account_shown(req, account),
        .session = session,
        .access_token = token_issue(req, &claims),
        .token_type = SIGNED_IN_TOKEN_TYPE_BEARER,
        .expires_in = lifetime / SECOND_US,
        .refresh_token = refresh_token_make(req, session, generation),
    };

    return reply_with(req, status, &signed_in_schema, &signed_in);
}

static void log_session(tx_t *tx, str_t type, uuid_t session, uuid_t account)
{
    struct session_entry data = {.id = session, .account = account};

    log_append(tx, &(log_entry_t){
                       .type = type,
                       .record = session,
                       .version = version_next(0),
                       .actor = account,
                       .subject = account,
                       .data = schema_encode(tx->req->arena, &session_entry_schema, &data),
                   });
}

void session_ended(tx_t *tx, uuid_t session, uuid_t account)
{
    log_session(tx, STR("session.ended"), session, account);
}

/* Ends the sessions longest unused when there are as many as an account may have. */
static void make_room(tx_t *tx, uuid_t account)
{
    struct sessions_open *open;
    size_t count = sessions_open(tx, account, &open);

    for (size_t i = 0; i + OPEN_SESSIONS_MAX <= count; i++) {
        (void)session_end(tx, open[i].id, account, tx->req->now);
        session_ended(tx, open[i].id, account);
    }
}

reply_t session_open(tx_t *tx, const identity_account_t *account, str_t device)
{
    req_t *req = tx->req;
    uuid_t id = uuid_new();

    make_room(tx, account->id);
    session_insert(tx,
                   &(struct session_insert_in){
                       .id = id,
                       .account = account->id,
                       .device = device.at ? device : STR("unnamed device"),
                       .created_at = req->now,
                       .expires_at = req->now + config_int(req->host->config, "identity.session_lifetime"),
                   });
    log_session(tx, STR("session.created"), id, account->id);
    return session_tokens(req, 201, account, id, 1);
}

/* ---- signing in ---- */

struct sign_in_arg {
    identity_account_t account;
    str_t device;
    str_t new_hash; /* STR_NONE: the old one is good */
};

static reply_t sign_in_body(tx_t *tx, void *arg)
{
    const struct sign_in_arg *sign_in = arg;

    if (sign_in->new_hash.at)
        account_set_password(tx, sign_in->account.id, sign_in->new_hash);
    return session_open(tx, &sign_in->account, sign_in->device);
}

/* Somebody guesses passwords of one name: few tries per name and address, more per name from everywhere
 * together, so that a stranger cannot lock the owner out alone. */
static void limit_guesses(req_t *req, str_t name)
{
    static const struct {
        const char *what;
        bool by_address;
        int64_t count;
    } limits[] = {{"sign_in_here", true, 10}, {"sign_in_name", false, 100}};

    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        str_t key = arena_printf(req->arena, "%s/%s/%s", limits[i].what,
                                 limits[i].by_address ? req->address.at : "", name.at);
        cache_limit_t limit = cache_take(req->host->cache, key, limits[i].count, 15 * MINUTE_US);
        if (!limit.allowed)
            fail_retry(req, &RATE_LIMITED, limit.reset_us, "Too many tries to sign in as “%s”. Wait a while.",
                       name.at);
    }
}

/* Signs in with name and password. An unknown name costs and answers the same as a wrong password. */
reply_t sign_in(req_t *req, const struct sign_in_request *in)
{
    struct account_by_name row = {0};

    if (config_int(req->host->config, "gateway.limit_scale") > 0)
        limit_guesses(req, in->body.name);
    bool known = account_by_name(db_read(req), in->body.name, &row);
    if (!password_matches(req, known ? row.password_hash : STR_NONE, in->body.password))
        fail(req, &WRONG_CREDENTIALS, "Check both and try again.");

    struct sign_in_arg sign_in = {
        .account = {.id = row.id,
                    .name = row.name,
                    .tier = row.tier,
                    .roles = row.roles,
                    .created_at = row.created_at},
        .device = in->body.device,
        .new_hash =
            password_needs_rehash(req, row.password_hash) ? password_hash(req, in->body.password) : STR_NONE,
    };
    return db_transact(req, sign_in_body, &sign_in);
}

/* ---- devices ---- */

/* The devices that are signed in to the account, latest used first. */
reply_t list_sessions(req_t *req, const struct list_sessions_request *in)
{
    cursor_t from = {.keys = {INT64_MAX}};
    struct sessions_page *rows;

    (void)cursor_decode(req, "sessions", in->cursor, &from);
    size_t count = sessions_page(db_read(req),
                                 &(struct sessions_page_in){.account = req->caller.member,
                                                            .used_at = from.keys[0],
                                                            .before = from.id,
                                                            .now = req->now,
                                                            .limit = in->limit + 1},
                                 &rows);
    bool more = count > (size_t)in->limit;
    if (more)
        count--;

    struct session_page page = {.items.items = arena_array_of(req->arena, struct session, count),
                                .items.count = count};
    for (size_t i = 0; i < count; i++)
        page.items.items[i] = (struct session){
            .id = rows[i].id,
            .device = rows[i].device,
            .created_at = rows[i].created_at,
            .used_at = rows[i].used_at,
            .current = uuid_equal(&rows[i].id, &req->caller.session),
        };
    if (more)
        page.next = cursor_encode(req, "sessions",
                                  &(cursor_t){.keys = {rows[count - 1].used_at}, .id = rows[count - 1].id});
    return reply_with(req, 200, &session_page_schema, &page);
}

static reply_t end_session_body(tx_t *tx, void *arg)
{
    const struct end_session_request *in = arg;
    uuid_t account = tx->req->caller.member;

    if (!session_end(tx, in->session, account, tx->req->now))
        fail(tx->req, &NOT_FOUND, "None of your open sessions has this id. It may have ended already.");
    session_ended(tx, in->session, account);
    return reply_nothing();
}

/* Signs out one device of one's own. */
reply_t end_session(req_t *req, const struct end_session_request *in)
{
    struct end_session_request copy = *in;

    return db_transact(req, end_session_body, &copy);
}

static reply_t end_all_sessions_body(tx_t *tx, void *arg)
{
    struct sessions_end_all *ended;
    uuid_t account = tx->req->caller.member;
    size_t count = sessions_end_all(tx, account, tx->req->now, &ended);

    (void)arg;
    for (size_t i = 0; i < count; i++)
        session_ended(tx, ended[i].id, account);
    return reply_nothing();
}

/* Signs out everywhere. */
reply_t end_all_sessions(req_t *req, const struct end_all_sessions_request *in)
{
    (void)in;
    return db_transact(req, end_all_sessions_body, NULL);
}

struct purge_arg {
    int64_t then;
    int64_t forgotten;
};

static void purge_body(tx_t *tx, void *arg)
{
    struct purge_arg *purge = arg;

    purge->forgotten = sessions_forget(tx, purge->then, 500);
}

void sessions_purge(req_t *req)
{
    struct purge_arg purge = {.then = req->now - SESSION_REMEMBERED_DAYS * DAY_US};

    do
        db_apply(req, purge_body, &purge);
    while (purge.forgotten > 0);
}
