/*
 * The participants of a Polis conversation as accounts: one each, marked as imported, without a password.
 * Their names have a “#”, which no name that is signed up with can have. Started again, it finds the accounts
 * that are there.
 */
#include <stdlib.h>

#include "core/import/polis.h"
#include "core/runtime/panic.h"

#include "internal.h"

enum { BATCH = 500, PARTICIPANTS_MAX = 10 * 1000 * 1000 };

/* Numbers of participants, each once when done. */
typedef struct participants {
    int64_t *numbers;
    size_t count, capacity;
} participants_t;

static void free_participants(void *what)
{
    free(((participants_t *)what)->numbers);
}

static int compare_numbers(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

static void drop_doubles(participants_t *participants)
{
    size_t kept = 0;

    if (participants->count == 0)
        return;
    qsort(participants->numbers, participants->count, sizeof *participants->numbers, compare_numbers);
    for (size_t i = 0; i < participants->count; i++)
        if (i == 0 || participants->numbers[i] != participants->numbers[i - 1])
            participants->numbers[kept++] = participants->numbers[i];
    participants->count = kept;
}

/* Votes come in rows of one voter or of one comment; doubles are dropped whenever the list is full. */
static void add_participant(req_t *req, participants_t *participants, int64_t number)
{
    if (participants->count == participants->capacity) {
        drop_doubles(participants);
        if (participants->count > PARTICIPANTS_MAX)
            fail(req, &INVALID, "The conversation has more than %d participants.", PARTICIPANTS_MAX);
        if (participants->count > participants->capacity / 2 || participants->capacity == 0) {
            size_t capacity = participants->capacity ? participants->capacity * 2 : 4096;
            participants->numbers =
                memory_resize(participants->numbers, capacity * sizeof *participants->numbers);
            participants->capacity = capacity;
        }
    }
    participants->numbers[participants->count++] = number;
}

struct accounts_arg {
    str_t board;
    const int64_t *numbers;
    size_t count;
};

static log_entry_t account_entry(req_t *req, const struct import_accounts_insert_in *account)
{
    struct account_entry data = {
        .id = account->id,
        .name = account->name,
        .tier = (int)account->tier,
        .imported = true,
    };

    return (log_entry_t){
        .type = STR("account.imported"),
        .record = account->id,
        .version = account->version,
        .subject = account->id,
        .data = schema_encode(req->arena, &account_entry_schema, &data),
    };
}

static struct import_accounts_insert_in account_of(req_t *req, str_t board, int64_t number)
{
    return (struct import_accounts_insert_in){
        .id = polis_member_id(board, number),
        .name = arena_printf(req->arena, "%s#%lld", board.at, (long long)number),
        .tier = ACCOUNT_TIER_UNVERIFIED,
        .created_at = req->now,
        .version = version_next(0),
    };
}

static void import_accounts_body(tx_t *tx, void *arg)
{
    const struct accounts_arg *accounts = arg;
    req_t *req = tx->req;
    struct import_accounts_insert_in *rows =
        arena_array_of(req->arena, struct import_accounts_insert_in, accounts->count);
    log_entry_t *entries = arena_array_of(req->arena, log_entry_t, accounts->count);
    struct import_accounts_insert *added;
    size_t entry_count = 0;

    for (size_t i = 0; i < accounts->count; i++)
        rows[i] = account_of(req, accounts->board, accounts->numbers[i]);
    size_t count = import_accounts_insert(tx, rows, accounts->count, &added);
    if (count > 0)
        qsort(added, count, sizeof *added, uuid_compare);
    for (size_t i = 0; count > 0 && i < accounts->count; i++)
        if (bsearch(&rows[i].id, added, count, sizeof *added, uuid_compare))
            entries[entry_count++] = account_entry(req, &rows[i]);
    log_append_each(tx, entries, entry_count);
}

static void read_participants(req_t *req, const command_input_t *input, participants_t *participants)
{
    polis_file_t *comments = polis_open_comments(req, input);
    polis_file_t *votes = polis_open_votes(req, input);
    polis_comment_t comment;
    polis_vote_t vote;

    comments->silent = votes->silent = true; /* the forum names what is broken: it reads the same lines */
    while (polis_next_comment(comments, &comment))
        add_participant(req, participants, comment.author);
    while (polis_next_vote(votes, &vote))
        add_participant(req, participants, vote.voter);
    drop_doubles(participants);
}

void polis_import_accounts(req_t *req, const command_input_t *input)
{
    participants_t *participants = arena_new_of(req->arena, participants_t);

    arena_defer(req->arena, free_participants, participants);
    read_participants(req, input, participants);
    for (size_t at = 0; at < participants->count; at += BATCH) {
        size_t count = participants->count - at < BATCH ? participants->count - at : BATCH;
        arena_mark_t mark = arena_mark(req->arena);
        db_apply(req, import_accounts_body,
                 &(struct accounts_arg){
                     .board = input->board, .numbers = participants->numbers + at, .count = count});
        arena_rewind(req->arena, mark);
        if (input->progress)
            input->progress(input->progress_arg, "participants", (int64_t)(at + count),
                            (int64_t)participants->count);
    }
}
