/*
 * A Polis conversation as a statement board: one post per comment with its time and moderation, and every
 * vote; the newest of a person's votes on a statement stands. Rows go in by batches. A statement that is
 * there is passed over, and how far the votes have come is written in the transaction of their batch: an
 * import that is cut off anywhere and started again goes on where it stopped.
 */
#include <stdlib.h>

#include "core/import/polis.h"
#include "core/runtime/panic.h"

#include "internal.h"

enum { BATCH = 1000, STATEMENTS_MAX = 1000 * 1000, SUMMARY_TITLE_MAX = 100, SUMMARY_TEXT_MAX = 2000 };

/* A statement of the conversation, by its number there. */
typedef struct statement_key {
    int64_t number;
    uuid_t item;
} statement_key_t;

typedef struct conversation {
    const command_input_t *input;
    struct board_by_slug board;
    str_t title, description;    /* of summary.csv */
    statement_key_t *statements; /* by number */
    size_t statement_count, statement_capacity;
} conversation_t;

static void free_statements(void *what)
{
    free(((conversation_t *)what)->statements);
}

static int compare_statements(const void *left, const void *right)
{
    int64_t a = ((const statement_key_t *)left)->number, b = ((const statement_key_t *)right)->number;

    return (a > b) - (a < b);
}

static const statement_key_t *find_statement(const conversation_t *conversation, int64_t number)
{
    return bsearch(&(statement_key_t){.number = number}, conversation->statements,
                   conversation->statement_count, sizeof *conversation->statements, compare_statements);
}

static void add_statement(req_t *req, conversation_t *conversation, const polis_comment_t *comment)
{
    if (conversation->statement_count == STATEMENTS_MAX)
        fail(req, &INVALID, "comments.csv has more than %d statements.", STATEMENTS_MAX);
    if (conversation->statement_count == conversation->statement_capacity) {
        size_t capacity = conversation->statement_capacity ? conversation->statement_capacity * 2 : 256;
        statement_key_t *statements = realloc(conversation->statements, capacity * sizeof *statements);
        if (!statements)
            panic("out of memory");
        conversation->statements = statements;
        conversation->statement_capacity = capacity;
    }
    conversation->statements[conversation->statement_count++] = (statement_key_t){
        .number = comment->number,
        .item = polis_statement_id(conversation->input->board, comment->number, comment->time),
    };
}

/* The next statement that is whole and has words. */
static bool next_statement(polis_file_t *file, polis_comment_t *comment)
{
    while (polis_next_comment(file, comment)) {
        if (comment->body.length > 0)
            return true;
        polis_broken(file, "the statement has no words");
    }
    return false;
}

/* All statements of comments.csv by number. A number that comes twice is broken at its second line. */
static void read_statements(req_t *req, conversation_t *conversation)
{
    polis_file_t *file = polis_open_comments(req, conversation->input);
    polis_comment_t comment;

    file->silent = true; /* they are named when they are imported */
    while (next_statement(file, &comment))
        add_statement(req, conversation, &comment);
    if (conversation->statement_count == 0)
        fail(req, &INVALID, "comments.csv has no statement that can be read.");
    qsort(conversation->statements, conversation->statement_count, sizeof *conversation->statements,
          compare_statements);
    for (size_t i = 1; i < conversation->statement_count; i++)
        if (conversation->statements[i].number == conversation->statements[i - 1].number)
            fail(req, &INVALID, "comments.csv has the statement %lld twice.",
                 (long long)conversation->statements[i].number);
}

/* Cuts text at `most` code points. */
static str_t cut(req_t *req, str_t text, size_t most)
{
    size_t bytes = 0;

    for (size_t points = 0; bytes < text.length; bytes++)
        if (((unsigned char)text.at[bytes] & 0xc0) != 0x80 && points++ == most)
            break;
    return arena_str(req->arena, (str_t){text.at, bytes});
}

/* summary.csv is optional: rows of a name and a value, of which the topic becomes the title. */
static void read_summary(req_t *req, conversation_t *conversation)
{
    str_t path = arena_printf(req->arena, "%s/summary.csv", conversation->input->source.at);
    FILE *stream = fopen(path.at, "re");
    csv_reader_t csv;
    csv_result_t result;

    conversation->title = conversation->input->board;
    conversation->description = STR("");
    if (!stream)
        return;
    csv_open(&csv, stream);
    while ((result = csv_next(&csv)) == CSV_RECORD || result == CSV_BROKEN) {
        if (result == CSV_BROKEN || csv.count < 2 || csv.fields[1].length == 0)
            continue;
        if (str_equal(csv.fields[0], STR("topic")))
            conversation->title = cut(req, csv.fields[1], SUMMARY_TITLE_MAX);
        else if (str_equal(csv.fields[0], STR("conversation-description")))
            conversation->description = cut(req, csv.fields[1], SUMMARY_TEXT_MAX);
    }
    csv_close(&csv);
}

/* ---- the three steps: the board, its statements, their votes ---- */

static void open_board_body(tx_t *tx, void *arg)
{
    conversation_t *conversation = arg;
    struct new_board form = {
        .slug = conversation->input->board,
        .title = conversation->title,
        .description = conversation->description,
        .kind = BOARD_KIND_STATEMENTS,
    };

    if (!board_by_slug(tx, form.slug, &conversation->board))
        board_open(tx, &form, UUID_NONE, &conversation->board);
}

typedef struct batch {
    const conversation_t *conversation;
    const char *file;
    int64_t line; /* of its last row, of votes */
    size_t count;
    struct {
        polis_comment_t comments[BATCH];
        polis_vote_t votes[BATCH];
        bool new_voter[BATCH];
    } rows;
} batch_t;

static void import_statement(tx_t *tx, const conversation_t *conversation, const polis_comment_t *comment)
{
    struct conversation_item_by_number known;
    const statement_key_t *key = find_statement(conversation, comment->number);

    if (conversation_item_by_number(tx, conversation->board.id, comment->number, &known))
        return;
    struct item_by_id row = {
        .id = key->item,
        .board_id = conversation->board.id,
        .board_slug = conversation->board.slug,
        .root_id = key->item,
        .author_id = polis_member_id(conversation->input->board, comment->author),
        .title = comment->body,
        .body = STR(""),
        .created_at = comment->time,
        .moderation = comment->moderated == 1   ? POST_MODERATION_ACCEPTED
                      : comment->moderated == 0 ? POST_MODERATION_WAITING
                                                : POST_MODERATION_REJECTED,
        .version = version_next(0),
    };
    insert_item(tx, &row);
    conversation_item_insert(tx, conversation->board.id, comment->number, row.id);
    conversation_member_set(tx, conversation->board.id, comment->author, row.author_id);
}

static void import_statements_body(tx_t *tx, void *arg)
{
    const batch_t *batch = arg;

    for (size_t i = 0; i < batch->count; i++)
        import_statement(tx, batch->conversation, &batch->rows.comments[i]);
}

/* 1 agree, -1 disagree, 0 pass there. */
static int64_t vote_value(int64_t value)
{
    return value == 1 ? VOTE_AGREE : value == -1 ? VOTE_DISAGREE : VOTE_PASS;
}

/* The newest vote stands; of two of one time, the one that comes later in the file. */
static void import_vote(tx_t *tx, const batch_t *batch, size_t place)
{
    const polis_vote_t *vote = &batch->rows.votes[place];
    const conversation_t *conversation = batch->conversation;
    uuid_t item = find_statement(conversation, vote->comment)->item;
    uuid_t member = polis_member_id(conversation->input->board, vote->voter);
    struct item_for_import now;

    if (batch->rows.new_voter[place])
        conversation_member_set(tx, conversation->board.id, vote->voter, member);
    item_for_import(tx, item, member, &now);
    if (now.own != VOTE_NONE && now.cast_at > vote->time)
        return;
    vote_write(
        tx, &(vote_change_t){
                .item = item,
                .board = conversation->board.id,
                .member = member,
                .before = now.own,
                .after = vote_value(vote->value),
                .cast_at = vote->time,
                .counts = tally_after((tally_counts_t){now.agree_count, now.disagree_count, now.pass_count},
                                      now.own, vote_value(vote->value)),
            });
}

static void import_votes_body(tx_t *tx, void *arg)
{
    const batch_t *batch = arg;
    arena_t *arena = tx->req->arena;

    for (size_t i = 0; i < batch->count; i++) {
        arena_mark_t mark = arena_mark(arena);
        import_vote(tx, batch, i);
        arena_rewind(arena, mark);
    }
    conversation_progress_set(tx, batch->conversation->board.id, str_from(batch->file), batch->line);
}

/* The line up to which the file is in; 0 for a new one. */
static int64_t progress_of(req_t *req, const conversation_t *conversation, const char *file)
{
    struct conversation_progress_of row;
    bool begun = conversation_progress_of(db_read(req), conversation->board.id, str_from(file), &row);

    return begun ? row.line : 0;
}

static void import_statements(req_t *req, conversation_t *conversation, batch_t *batch)
{
    polis_file_t *file = polis_open_comments(req, conversation->input);
    polis_comment_t *comments = batch->rows.comments;
    bool more = true;

    while (more) {
        arena_mark_t mark = arena_mark(req->arena);
        for (batch->count = 0; batch->count < BATCH && (more = next_statement(file, &comments[batch->count]));
             batch->count++)
            comments[batch->count].body = arena_str(req->arena, comments[batch->count].body);
        if (batch->count > 0)
            db_apply(req, import_statements_body, batch);
        polis_progress(file, "statements");
        arena_rewind(req->arena, mark);
    }
}

/* Which voters have their number already: one bit each, so that only a voter's first row asks. */
typedef struct voters_seen {
    uint8_t *bits;
    size_t size;
} voters_seen_t;

static void free_voters(void *what)
{
    free(((voters_seen_t *)what)->bits);
}

static bool voter_seen(const voters_seen_t *seen, int64_t voter)
{
    return (size_t)voter / 8 < seen->size && seen->bits[voter / 8] >> voter % 8 & 1;
}

static void see_voters(voters_seen_t *seen, const batch_t *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        size_t place = (size_t)batch->rows.votes[i].voter / 8;
        if (place >= seen->size) {
            size_t size = place * 2 + 64;
            uint8_t *bits = realloc(seen->bits, size);
            if (!bits)
                panic("out of memory");
            memset(bits + seen->size, 0, size - seen->size);
            seen->bits = bits;
            seen->size = size;
        }
        seen->bits[place] |= (uint8_t)(1u << batch->rows.votes[i].voter % 8);
    }
}

/* The next vote on a statement that is there. */
static bool next_vote(polis_file_t *file, const conversation_t *conversation, polis_vote_t *vote)
{
    while (polis_next_vote(file, vote)) {
        if (find_statement(conversation, vote->comment))
            return true;
        polis_broken(file, "the vote is on the statement %lld, which comments.csv does not have",
                     (long long)vote->comment);
    }
    return false;
}

static void import_votes(req_t *req, conversation_t *conversation, batch_t *batch)
{
    polis_file_t *file = polis_open_votes(req, conversation->input);
    int64_t begin = progress_of(req, conversation, file->name);
    voters_seen_t *seen = arena_new_of(req->arena, voters_seen_t);
    polis_vote_t vote;
    bool more = true;

    arena_defer(req->arena, free_voters, seen);
    batch->file = file->name;
    while (more) {
        arena_mark_t mark = arena_mark(req->arena);
        for (batch->count = 0; batch->count < BATCH && (more = next_vote(file, conversation, &vote));) {
            if ((int64_t)file->csv.line <= begin)
                continue;
            batch->rows.votes[batch->count] = vote;
            batch->rows.new_voter[batch->count++] = !voter_seen(seen, vote.voter);
            batch->line = (int64_t)file->csv.line;
        }
        if (batch->count > 0)
            db_apply(req, import_votes_body, batch);
        see_voters(seen, batch);
        polis_progress(file, "votes");
        arena_rewind(req->arena, mark);
    }
}

static conversation_t *open_conversation(req_t *req, const command_input_t *input)
{
    conversation_t *conversation = arena_new_of(req->arena, conversation_t);

    conversation->input = input;
    arena_defer(req->arena, free_statements, conversation);
    read_statements(req, conversation);
    read_summary(req, conversation);
    return conversation;
}

/* Nothing is begun that is known not to end well: the board can take it, and every line can be read (or may
 * be passed over). */
void polis_import_check(req_t *req, const command_input_t *input)
{
    struct board_for_posting board;
    conversation_t *conversation = open_conversation(req, input);
    polis_file_t *votes = polis_open_votes(req, input);
    polis_vote_t vote;

    votes->silent = true;
    if (board_for_posting(db_read(req), input->board, &board) && board.kind != BOARD_KIND_STATEMENTS)
        fail(req, &INVALID,
             "The board “%s” is for discussion; a conversation needs a board of statements. Choose another "
             "name.",
             input->board.at);
    while (next_vote(votes, conversation, &vote))
        ;
}

void polis_import_conversation(req_t *req, const command_input_t *input)
{
    conversation_t *conversation = open_conversation(req, input);
    batch_t *batch = arena_new_of(req->arena, batch_t);

    batch->conversation = conversation;
    db_apply(req, open_board_body, conversation);
    import_statements(req, conversation, batch);
    import_votes(req, conversation, batch);
}
