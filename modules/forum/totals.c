/*
 * Totals of boards: a reader of the forum's own log. Were they counted where the vote is written, every vote
 * on a board would wait for every other; here they follow within moments, exactly once, since the reader's
 * position moves in the same transaction.
 */
#include "core/runtime/logline.h"

#include "internal.h"

static void apply_item(tx_t *tx, const log_entry_t *entry, int64_t change)
{
    struct item_entry item;
    str_t error;

    if (!schema_read(&item_entry_schema, tx->req->arena, entry->data, &item, &error)) {
        logline(LINE_ERROR, "entry_unreadable", "reader", "forum.totals", "reason", error.at, NULL);
        return;
    }
    bool is_post = uuid_is_none(&item.parent);
    total_add(tx, &(struct total_add_in){
                      .board = item.board,
                      .posts = is_post ? change : 0,
                      .comments = is_post ? 0 : change,
                  });
}

/* A first vote on a board makes a voter, taking back the last one unmakes it. */
static int64_t voters_changed(tx_t *tx, const struct vote_entry *vote)
{
    struct voter_add voter;
    int64_t change = (vote->value != VOTE_NONE) - (vote->before != VOTE_NONE);

    if (change == 0)
        return 0;
    voter_add(tx, vote->board, vote->member, change, &voter);
    if (change > 0)
        return voter.vote_count == 1 ? 1 : 0;
    return voter.vote_count == 0 ? -1 : 0;
}

static void apply_vote(tx_t *tx, const log_entry_t *entry)
{
    struct vote_entry vote;
    str_t error;

    if (!schema_read(&vote_entry_schema, tx->req->arena, entry->data, &vote, &error)) {
        logline(LINE_ERROR, "entry_unreadable", "reader", "forum.totals", "reason", error.at, NULL);
        return;
    }
    tally_counts_t change = tally_after((tally_counts_t){0}, vote.before, vote.value);
    total_add(tx, &(struct total_add_in){
                      .board = vote.board,
                      .voters = voters_changed(tx, &vote),
                      .agree = change.agree,
                      .disagree = change.disagree,
                      .pass = change.pass,
                  });
}

void apply_totals(tx_t *tx, const log_entry_t *entry)
{
    if (str_equal(entry->type, STR("vote.cast")) || str_equal(entry->type, STR("vote.withdrawn")))
        apply_vote(tx, entry);
    else if (str_equal(entry->type, STR("post.created")) || str_equal(entry->type, STR("comment.created")))
        apply_item(tx, entry, 1);
    else if (str_equal(entry->type, STR("post.deleted")) || str_equal(entry->type, STR("comment.deleted")))
        apply_item(tx, entry, -1);
}
