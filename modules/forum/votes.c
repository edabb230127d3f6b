/*
 * Votes: agree, disagree or pass on a post or a comment. One vote stands per person and item; the item's
 * counts are kept with it in the same transaction, the board's totals by a reader (totals.c).
 */
#include "internal.h"

log_entry_t vote_entry(req_t *req, const vote_change_t *change)
{
    struct vote_entry data = {
        .item = change->item,
        .board = change->board,
        .member = change->member,
        .value = (int)change->after,
        .before = (int)change->before,
        .cast_at = change->cast_at,
    };
    struct live_tally live = {
        .item_id = change->item,
        .agree_count = change->counts.agree,
        .disagree_count = change->counts.disagree,
        .pass_count = change->counts.pass,
    };

    return (log_entry_t){
        .type = change->after ? STR("vote.cast") : STR("vote.withdrawn"),
        .record = change->item,
        .version = version_next(0),
        .actor = change->member,
        .subject = change->member,
        .time = change->cast_at,
        .data = schema_encode(req->arena, &vote_entry_schema, &data),
        .topics = change->topics,
        .live = change->topics.at ? schema_encode(req->arena, &live_tally_schema, &live) : STR_NONE,
    };
}

/* Writes a changed vote: the vote, the item's tally, the log entry. */
static void write_vote(tx_t *tx, const vote_change_t *change)
{
    if (change->after)
        vote_set(tx, change->item, change->member, change->after, change->cast_at);
    else
        vote_delete(tx, change->item, change->member);
    tally_update(tx, &(struct tally_update_in){
                         .id = change->item,
                         .agree_count = change->counts.agree,
                         .disagree_count = change->counts.disagree,
                         .pass_count = change->counts.pass,
                         .score = agreement_score(change->counts.agree, change->counts.disagree),
                     });
    log_entry_t entry = vote_entry(tx->req, change);
    log_append(tx, &entry);
}

struct vote_arg {
    uuid_t item;
    int value; /* VOTE_NONE: take it back */
};

/* The item to vote on; ends in NOT_FOUND, GONE or BOARD_CLOSED. */
static void find_votable(tx_t *tx, uuid_t id, struct item_by_id *row)
{
    if (!item_by_id(tx, id, tx->req->caller.member, row))
        fail(tx->req, &NOT_FOUND, "There is no post or comment with this id.");
    if (row->deleted_at)
        fail(tx->req, &GONE, "It has been deleted; it takes no more votes.");
    check_board_open(tx->req, row->board_closed_at, row->board_slug);
}

static reply_t vote_body(tx_t *tx, void *arg)
{
    const struct vote_arg *vote = arg;
    req_t *req = tx->req;
    struct item_by_id row;

    find_votable(tx, vote->item, &row);
    tally_counts_t counts = {row.agree_count, row.disagree_count, row.pass_count};
    if (row.own != vote->value) {
        counts = tally_after(counts, row.own, vote->value);
        bool is_post = uuid_is_none(&row.parent_id);
        write_vote(tx, &(vote_change_t){
                           .item = row.id,
                           .board = row.board_id,
                           .member = req->caller.member,
                           .before = row.own,
                           .after = vote->value,
                           .cast_at = req->now,
                           .counts = counts,
                           .topics = topics_of(req, is_post ? &row.board_id : NULL, &row.root_id),
                       });
    }
    return reply_with(req, 200, &tally_schema,
                      &(struct tally){.agree_count = counts.agree,
                                      .disagree_count = counts.disagree,
                                      .pass_count = counts.pass,
                                      .own = vote->value});
}

/* Agrees, disagrees or passes; replaces the vote that stood. */
reply_t cast_vote(req_t *req, const struct cast_vote_request *in)
{
    struct vote_arg vote = {.item = in->item, .value = in->body.value};

    return db_transact(req, vote_body, &vote);
}

/* Takes one's vote back. */
reply_t withdraw_vote(req_t *req, const struct withdraw_vote_request *in)
{
    struct vote_arg vote = {.item = in->item, .value = VOTE_NONE};

    return db_transact(req, vote_body, &vote);
}
