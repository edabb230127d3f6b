/*
 * Accounts: signing up, and what a member sees of the own account. The first account that can sign in is the
 * administrator. A new field of an account: the migration, queries.sql, openapi/identity.yaml, then here.
 */
#include "internal.h"

struct account account_shown(req_t *req, const identity_account_t *account)
{
    static const struct {
        unsigned bit;
        int word;
    } roles[] = {{ROLE_MODERATOR, ACCOUNT_ROLES_MODERATOR},
                 {ROLE_ADMINISTRATOR, ACCOUNT_ROLES_ADMINISTRATOR}};
    struct account shown = {
        .id = account->id,
        .name = account->name,
        .tier = (int)account->tier,
        .created_at = account->created_at,
    };

    shown.roles.items = arena_array_of(req->arena, int, COUNT_OF(roles));
    for (size_t i = 0; i < COUNT_OF(roles); i++)
        if (account->roles & roles[i].bit)
            shown.roles.items[shown.roles.count++] = roles[i].word;
    return shown;
}

static bool sign_up_is_open(req_t *req)
{
    return str_equal(config_text(req->host->config, "identity.sign_up"), STR("open"));
}

/* Whether one can sign up, and whether one would be the first. */
reply_t read_sign_up(req_t *req, const struct read_sign_up_request *in)
{
    struct anybody_can_sign_in anybody;

    (void)in;
    anybody_can_sign_in(db_read(req), &anybody);
    return reply_with(
        req, 200, &sign_up_schema,
        &(struct sign_up){.open = !anybody.found || sign_up_is_open(req), .first = !anybody.found});
}

struct new_account_arg {
    const struct new_account *form;
    str_t password_hash;
};

static void log_account_created(tx_t *tx, const identity_account_t *account, int64_t version)
{
    struct account_entry data = {.id = account->id, .name = account->name, .tier = (int)account->tier};

    log_append(tx, &(log_entry_t){
                       .type = STR("account.created"),
                       .record = account->id,
                       .version = version,
                       .actor = account->id,
                       .subject = account->id,
                       .data = schema_encode(tx->req->arena, &account_entry_schema, &data),
                   });
}

static reply_t sign_up_body(tx_t *tx, void *arg)
{
    const struct new_account_arg *new = arg;
    struct account_by_name taken;
    struct anybody_can_sign_in anybody;
    int64_t version = version_next(0);

    anybody_can_sign_in(tx, &anybody);
    if (anybody.found && !sign_up_is_open(tx->req))
        fail(tx->req, &SIGN_UP_CLOSED, "Ask an administrator of this community to open sign-up.");
    if (account_by_name(tx, new->form->name, &taken))
        fail(tx->req, &NAME_TAKEN, "The name “%s” is taken. Choose another.", new->form->name.at);

    identity_account_t account = {
        .id = uuid_new(),
        .name = new->form->name,
        .tier = ACCOUNT_TIER_UNVERIFIED,
        .roles = anybody.found ? 0 : ROLE_ADMINISTRATOR,
        .created_at = tx->req->now,
    };
    account_insert(tx, &(struct account_insert_in){
                           .id = account.id,
                           .name = account.name,
                           .password_hash = new->password_hash,
                           .tier = account.tier,
                           .roles = account.roles,
                           .imported = false,
                           .created_at = account.created_at,
                           .version = version,
                       });
    log_account_created(tx, &account, version);
    return session_open(tx, &account, new->form->device);
}

/* Makes an account and signs in with it. */
reply_t sign_up(req_t *req, const struct sign_up_request *in)
{
    struct new_account_arg new = {
        .form = &in->body,
        .password_hash = password_hash(req, in->body.password),
    };

    return db_transact(req, sign_up_body, &new);
}

/* The account that is signed in. */
reply_t read_account(req_t *req, const struct read_account_request *in)
{
    struct account_by_id row;

    (void)in;
    if (!account_by_id(db_read(req), req->caller.member, &row))
        fail(req, &NOT_FOUND, "Your account is no longer here. Sign in again.");

    identity_account_t account = {
        .id = row.id, .name = row.name, .tier = row.tier, .roles = row.roles, .created_at = row.created_at};
    struct account shown = account_shown(req, &account);
    return reply_record(req, 200, &account_schema, &shown, row.version);
}
