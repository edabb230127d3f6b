/*
 * The votes of a conversation; the newest of a person's votes on a statement stands. A batch takes a handful
 * of statements whatever its size: what stands so far is read at once, the batch is worked through in memory
 * in the order of the file, and what came of it is written at once, together with how far the file is in. So
 * an import that is cut off anywhere goes on behind its last batch. One that came to its end begins anew: the
 * file may be another by then, and what stands already is passed over.
 */
#include <stdlib.h>

#include "polis_conversation.h"

enum { BATCH = 1000 };

typedef struct vote_batch {
    const conversation_t *conversation;
    str_t file;
    int64_t line; /* of its last row; 0 when that was the last of the file */
    size_t count;
    polis_vote_t votes[BATCH];
} vote_batch_t;

/* A batch that is being worked through. */
typedef struct counting {
    const vote_batch_t *batch;
    struct conversation_members_set_in *voters; /* by number */
    struct vote_set_in *ballots;                /* what stands, by item and member; VOTE_NONE: nothing yet */
    struct tally_update_in *tallies;            /* by item */
    log_entry_t *entries;
    size_t voter_count, ballot_count, tally_count, entry_count;
} counting_t;

/* ---- the voters ---- */

static int compare_voters(const void *left, const void *right)
{
    int64_t a = ((const struct conversation_members_set_in *)left)->number;
    int64_t b = ((const struct conversation_members_set_in *)right)->number;

    return (a > b) - (a < b);
}

static struct conversation_members_set_in *find_voter(const counting_t *counting, int64_t number)
{
    return bsearch(&(struct conversation_members_set_in){.number = number}, counting->voters,
                   counting->voter_count, sizeof *counting->voters, compare_voters);
}

static void gather_voters(req_t *req, counting_t *counting)
{
    const vote_batch_t *batch = counting->batch;
    struct conversation_members_set_in *voters =
        arena_array_of(req->arena, struct conversation_members_set_in, batch->count);

    for (size_t i = 0; i < batch->count; i++)
        voters[i].number = batch->votes[i].voter;
    qsort(voters, batch->count, sizeof *voters, compare_voters);
    for (size_t i = 0; i < batch->count; i++)
        if (i == 0 || voters[i].number != voters[i - 1].number)
            voters[counting->voter_count++].number = voters[i].number;
    for (size_t i = 0; i < counting->voter_count; i++) {
        voters[i].board = batch->conversation->board.id;
        voters[i].member = polis_member_id(batch->conversation->input->board, voters[i].number);
    }
    counting->voters = voters;
}

/* Gives the voters their numbers. One that the board has given to somebody already goes on to mean that
 * member.
 */
static void number_voters(tx_t *tx, counting_t *counting)
{
    struct conversation_members_of_in *wanted =
        arena_array_of(tx->req->arena, struct conversation_members_of_in, counting->voter_count);
    struct conversation_members_of *known;

    for (size_t i = 0; i < counting->voter_count; i++)
        wanted[i] =
            (struct conversation_members_of_in){counting->voters[i].board, counting->voters[i].number};
    conversation_members_set(tx, counting->voters, counting->voter_count);
    size_t count = conversation_members_of(tx, wanted, counting->voter_count, &known);
    for (size_t i = 0; i < count; i++)
        find_voter(counting, known[i].number)->member = known[i].member_id;
}

/* ---- what stands so far ---- */

static int compare_ballots(const void *left, const void *right)
{
    const struct vote_set_in *a = left, *b = right;
    int items = uuid_compare(&a->item, &b->item);

    return items ? items : uuid_compare(&a->member, &b->member);
}

static struct vote_set_in *find_ballot(const counting_t *counting, uuid_t item, uuid_t member)
{
    return bsearch(&(struct vote_set_in){.item = item, .member = member}, counting->ballots,
                   counting->ballot_count, sizeof *counting->ballots, compare_ballots);
}

static int compare_tallies(const void *left, const void *right)
{
    return uuid_compare(&((const struct tally_update_in *)left)->id,
                        &((const struct tally_update_in *)right)->id);
}

static struct tally_update_in *find_tally(const counting_t *counting, uuid_t item)
{
    return bsearch(&(struct tally_update_in){.id = item}, counting->tallies, counting->tally_count,
                   sizeof *counting->tallies, compare_tallies);
}

static uuid_t item_of(const vote_batch_t *batch, const polis_vote_t *vote)
{
    return conversation_statement(batch->conversation, vote->comment)->item;
}

static void gather_ballots(req_t *req, counting_t *counting)
{
    const vote_batch_t *batch = counting->batch;
    struct vote_set_in *ballots = arena_array_of(req->arena, struct vote_set_in, batch->count);

    for (size_t i = 0; i < batch->count; i++)
        ballots[i] = (struct vote_set_in){.item = item_of(batch, &batch->votes[i]),
                                          .member = find_voter(counting, batch->votes[i].voter)->member};
    qsort(ballots, batch->count, sizeof *ballots, compare_ballots);
    for (size_t i = 0; i < batch->count; i++)
        if (i == 0 || compare_ballots(&ballots[i], &ballots[i - 1]) != 0)
            ballots[counting->ballot_count++] = ballots[i];
    counting->ballots = ballots;
}

static void read_ballots(tx_t *tx, counting_t *counting)
{
    struct votes_standing_in *keys =
        arena_array_of(tx->req->arena, struct votes_standing_in, counting->ballot_count);
    struct votes_standing *standing;

    for (size_t i = 0; i < counting->ballot_count; i++)
        keys[i] = (struct votes_standing_in){counting->ballots[i].item, counting->ballots[i].member};
    size_t count = votes_standing(tx, keys, counting->ballot_count, &standing);
    for (size_t i = 0; i < count; i++) {
        struct vote_set_in *ballot = find_ballot(counting, standing[i].item_id, standing[i].member_id);
        ballot->value = standing[i].value;
        ballot->cast_at = standing[i].cast_at;
    }
}

static void read_tallies(tx_t *tx, counting_t *counting)
{
    arena_t *arena = tx->req->arena;
    struct tallies_of_in *ids = arena_array_of(arena, struct tallies_of_in, counting->ballot_count);
    struct tallies_of *rows;

    counting->tallies = arena_array_of(arena, struct tally_update_in, counting->ballot_count);
    for (size_t i = 0; i < counting->ballot_count; i++) {
        uuid_t item = counting->ballots[i].item;
        if (i > 0 && uuid_equal(&item, &counting->ballots[i - 1].item))
            continue;
        ids[counting->tally_count].id = item;
        counting->tallies[counting->tally_count++].id = item;
    }
    size_t count = tallies_of(tx, ids, counting->tally_count, &rows);
    for (size_t i = 0; i < count; i++) {
        struct tally_update_in *tally = find_tally(counting, rows[i].id);
        tally->agree_count = rows[i].agree_count;
        tally->disagree_count = rows[i].disagree_count;
        tally->pass_count = rows[i].pass_count;
    }
}

/* ---- a batch ---- */

/* 1 agree, -1 disagree, 0 pass there. */
static int64_t vote_value(int64_t value)
{
    return value == 1 ? VOTE_AGREE : value == -1 ? VOTE_DISAGREE : VOTE_PASS;
}

/* The newest vote stands; of two of one time, the one that comes later in the file. */
static void count_vote(req_t *req, counting_t *counting, const polis_vote_t *vote)
{
    uuid_t member = find_voter(counting, vote->voter)->member;
    struct vote_set_in *ballot = find_ballot(counting, item_of(counting->batch, vote), member);
    struct tally_update_in *tally = find_tally(counting, ballot->item);
    int64_t value = vote_value(vote->value);

    if (ballot->value != VOTE_NONE && ballot->cast_at > vote->time)
        return;
    if (ballot->value == value && ballot->cast_at == vote->time)
        return;
    tally_counts_t counts = tally_after(
        (tally_counts_t){tally->agree_count, tally->disagree_count, tally->pass_count}, ballot->value, value);
    counting->entries[counting->entry_count++] =
        vote_entry(req, &(vote_change_t){.item = ballot->item,
                                         .board = counting->batch->conversation->board.id,
                                         .member = member,
                                         .before = ballot->value,
                                         .after = value,
                                         .cast_at = vote->time,
                                         .counts = counts});
    ballot->value = value;
    ballot->cast_at = vote->time;
    tally->agree_count = counts.agree;
    tally->disagree_count = counts.disagree;
    tally->pass_count = counts.pass;
}

static void write_counted(tx_t *tx, const counting_t *counting)
{
    for (size_t i = 0; i < counting->tally_count; i++) {
        struct tally_update_in *tally = &counting->tallies[i];
        tally->score = agreement_score(tally->agree_count, tally->disagree_count);
    }
    votes_set(tx, counting->ballots, counting->ballot_count);
    tallies_update(tx, counting->tallies, counting->tally_count);
    log_append_each(tx, counting->entries, counting->entry_count);
}

static void import_votes_body(tx_t *tx, void *arg)
{
    const vote_batch_t *batch = arg;
    counting_t counting = {.batch = batch,
                           .entries = arena_array_of(tx->req->arena, log_entry_t, batch->count)};

    gather_voters(tx->req, &counting);
    number_voters(tx, &counting);
    gather_ballots(tx->req, &counting);
    read_ballots(tx, &counting);
    read_tallies(tx, &counting);
    for (size_t i = 0; i < batch->count; i++)
        count_vote(tx->req, &counting, &batch->votes[i]);
    write_counted(tx, &counting);
    conversation_progress_set(tx, batch->conversation->board.id, batch->file, batch->line);
}

/* ---- the file ---- */

/* The line up to which the file is in; 0 for a new one. */
static int64_t progress_of(req_t *req, const conversation_t *conversation, const char *file)
{
    struct conversation_progress_of row;
    bool begun = conversation_progress_of(db_read(req), conversation->board.id, str_from(file), &row);

    return begun ? row.line : 0;
}

/* Fills the batch with what stands behind the line `begin`; false when that was the end of the file. */
static bool read_batch(polis_file_t *file, vote_batch_t *batch, int64_t begin)
{
    polis_vote_t vote;

    batch->count = 0;
    while (batch->count < BATCH) {
        if (!conversation_next_vote(file, batch->conversation, &vote))
            return false;
        if ((int64_t)file->csv.line <= begin)
            continue;
        batch->votes[batch->count++] = vote;
        batch->line = (int64_t)file->csv.line;
    }
    return true;
}

void conversation_import_votes(req_t *req, conversation_t *conversation)
{
    polis_file_t *file = polis_open_votes(req, conversation->input);
    int64_t begin = progress_of(req, conversation, file->name);
    vote_batch_t *batch = arena_new_of(req->arena, vote_batch_t);
    bool more = true;

    batch->conversation = conversation;
    batch->file = str_from(file->name);
    while (more) {
        arena_mark_t mark = arena_mark(req->arena);
        more = read_batch(file, batch, begin);
        if (!more)
            batch->line = 0;
        db_apply(req, import_votes_body, batch);
        polis_progress(file);
        arena_rewind(req->arena, mark);
    }
}
