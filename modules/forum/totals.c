/*
 * Totals of boards: a reader of the forum's own log. Were they counted where the vote is written, every vote
 * on a board would wait for every other; here they follow within moments, exactly once, since the reader's
 * position moves in the same transaction. A batch of entries is added up in memory, and written by a handful
 * of statements.
 */
#include <stdlib.h>

#include "core/runtime/logline.h"

#include "internal.h"

/* What a batch of entries changes. */
typedef struct changes {
    tx_t *tx;
    struct vote_entry *votes;
    struct totals_add_in *totals; /* one per entry at first, then one per board */
    struct voters_add_in *voters; /* one per vote at first, then one per member and board */
    struct voted_posts_gone_in *gone;
    size_t vote_count, total_count, voter_count, gone_count;
} changes_t;

/* ---- reading the entries ---- */

static bool readable(const changes_t *changes, const log_entry_t *entry, const schema_t *schema, void *out)
{
    str_t error;

    if (schema_read(schema, changes->tx->req->arena, entry->data, out, &error))
        return true;
    logline(LINE_ERROR, "entry_unreadable", "reader", "forum.totals", "reason", error.at, NULL);
    return false;
}

static void take_item(changes_t *changes, const log_entry_t *entry, int64_t change)
{
    struct item_entry item;

    if (!readable(changes, entry, &item_entry_schema, &item))
        return;
    bool is_post = uuid_is_none(&item.parent);
    bool is_votable = is_post && item.moderation != POST_MODERATION_REJECTED;
    changes->totals[changes->total_count++] = (struct totals_add_in){
        .board = item.board,
        .posts = is_post ? change : 0,
        .comments = is_post ? 0 : change,
        .votable = is_votable ? change : 0,
    };
    if (is_votable && change < 0)
        changes->gone[changes->gone_count++] = (struct voted_posts_gone_in){item.board, item.id};
}

static void take_vote(changes_t *changes, const log_entry_t *entry)
{
    struct vote_entry vote;

    if (!readable(changes, entry, &vote_entry_schema, &vote))
        return;
    tally_counts_t change = tally_after((tally_counts_t){0}, vote.before, vote.value);
    changes->totals[changes->total_count++] = (struct totals_add_in){
        .board = vote.board,
        .agree = change.agree,
        .disagree = change.disagree,
        .pass = change.pass,
    };
    if ((vote.value != VOTE_NONE) != (vote.before != VOTE_NONE))
        changes->votes[changes->vote_count++] = vote;
}

static void take(changes_t *changes, const log_entry_t *entry)
{
    if (str_equal(entry->type, STR("vote.cast")) || str_equal(entry->type, STR("vote.withdrawn")))
        take_vote(changes, entry);
    else if (str_equal(entry->type, STR("post.created")) || str_equal(entry->type, STR("comment.created")))
        take_item(changes, entry, 1);
    else if (str_equal(entry->type, STR("post.deleted")) || str_equal(entry->type, STR("comment.deleted")))
        take_item(changes, entry, -1);
}

/* ---- adding up ---- */

/* Which of the items voted on are posts that take votes; by id. */
static size_t find_votable(const changes_t *changes, struct votable_posts **posts)
{
    struct votable_posts_in *ids =
        arena_array_of(changes->tx->req->arena, struct votable_posts_in, changes->vote_count);

    for (size_t i = 0; i < changes->vote_count; i++)
        ids[i].id = changes->votes[i].item;
    size_t count = votable_posts(changes->tx, ids, changes->vote_count, posts);
    if (count > 0)
        qsort(*posts, count, sizeof **posts, uuid_compare);
    return count;
}

static void take_voters(changes_t *changes)
{
    struct votable_posts *posts;
    size_t count = find_votable(changes, &posts);

    for (size_t i = 0; i < changes->vote_count; i++) {
        const struct vote_entry *vote = &changes->votes[i];
        int64_t change = vote->value != VOTE_NONE ? 1 : -1;
        bool is_votable = count > 0 && bsearch(&vote->item, posts, count, sizeof *posts, uuid_compare);
        changes->voters[changes->voter_count++] = (struct voters_add_in){
            .board = vote->board,
            .member = vote->member,
            .votes = change,
            .voted = is_votable ? change : 0,
        };
    }
}

static int compare_voters(const void *left, const void *right)
{
    const struct voters_add_in *a = left, *b = right;
    int boards = uuid_compare(&a->board, &b->board);

    return boards ? boards : uuid_compare(&a->member, &b->member);
}

static void merge_voters(changes_t *changes)
{
    struct voters_add_in *voters = changes->voters;
    size_t kept = 0;

    qsort(voters, changes->voter_count, sizeof *voters, compare_voters);
    for (size_t i = 0; i < changes->voter_count; i++) {
        if (kept == 0 || compare_voters(&voters[i], &voters[kept - 1]) != 0) {
            voters[kept++] = voters[i];
        } else {
            voters[kept - 1].votes += voters[i].votes;
            voters[kept - 1].voted += voters[i].voted;
        }
    }
    changes->voter_count = kept;
}

static int compare_totals(const void *left, const void *right)
{
    return uuid_compare(&((const struct totals_add_in *)left)->board,
                        &((const struct totals_add_in *)right)->board);
}

static void add_total(struct totals_add_in *sum, const struct totals_add_in *more)
{
    sum->posts += more->posts;
    sum->comments += more->comments;
    sum->votable += more->votable;
    sum->voters += more->voters;
    sum->agree += more->agree;
    sum->disagree += more->disagree;
    sum->pass += more->pass;
}

static void merge_totals(changes_t *changes)
{
    struct totals_add_in *totals = changes->totals;
    size_t kept = 0;

    qsort(totals, changes->total_count, sizeof *totals, compare_totals);
    for (size_t i = 0; i < changes->total_count; i++) {
        if (kept == 0 || compare_totals(&totals[i], &totals[kept - 1]) != 0)
            totals[kept++] = totals[i];
        else
            add_total(&totals[kept - 1], &totals[i]);
    }
    changes->total_count = kept;
}

/* ---- writing ---- */

static int64_t votes_added(const changes_t *changes, const struct voters_add *row)
{
    struct voters_add_in key = {.board = row->board_id, .member = row->member_id};
    const struct voters_add_in *voter =
        bsearch(&key, changes->voters, changes->voter_count, sizeof key, compare_voters);

    return voter ? voter->votes : 0;
}

/* A first vote on a board makes a voter, taking back the last one unmakes it. */
static void write_voters(changes_t *changes)
{
    struct voters_add *rows;

    merge_voters(changes);
    size_t count = voters_add(changes->tx, changes->voters, changes->voter_count, &rows);
    for (size_t i = 0; i < count; i++) {
        int64_t before = rows[i].vote_count - votes_added(changes, &rows[i]);
        changes->totals[changes->total_count++] = (struct totals_add_in){
            .board = rows[i].board_id, .voters = (rows[i].vote_count > 0) - (before > 0)};
    }
}

void apply_totals(tx_t *tx, const log_entry_t *entries, size_t count)
{
    arena_t *arena = tx->req->arena;
    changes_t changes = {
        .tx = tx,
        .votes = arena_array_of(arena, struct vote_entry, count),
        .totals = arena_array_of(arena, struct totals_add_in, 2 * count),
        .voters = arena_array_of(arena, struct voters_add_in, count),
        .gone = arena_array_of(arena, struct voted_posts_gone_in, count),
    };

    for (size_t i = 0; i < count; i++)
        take(&changes, &entries[i]);
    take_voters(&changes);
    write_voters(&changes);
    voted_posts_gone(tx, changes.gone, changes.gone_count);
    merge_totals(&changes);
    totals_add(tx, changes.totals, changes.total_count);
}
