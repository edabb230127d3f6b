/* Reading the files of a Polis conversation for the forum: which statements there are, their votes, the
 * title. */
#include <stdlib.h>

#include "core/runtime/panic.h"

#include "polis_conversation.h"

enum { STATEMENTS_MAX = 1000 * 1000, SUMMARY_TITLE_MAX = 100, SUMMARY_TEXT_MAX = 2000, PAGE = 1000 };

/* ---- the statements by number ---- */

static void free_statements(void *what)
{
    free(((conversation_t *)what)->statements);
}

static int compare_numbers(const void *left, const void *right)
{
    int64_t a = ((const statement_key_t *)left)->number, b = ((const statement_key_t *)right)->number;

    return (a > b) - (a < b);
}

static int compare_numbers_and_lines(const void *left, const void *right)
{
    size_t a = ((const statement_key_t *)left)->line, b = ((const statement_key_t *)right)->line;
    int numbers = compare_numbers(left, right);

    return numbers ? numbers : (a > b) - (a < b);
}

static statement_key_t *find_statement(const conversation_t *conversation, int64_t number)
{
    return bsearch(&(statement_key_t){.number = number}, conversation->statements,
                   conversation->statement_count, sizeof *conversation->statements, compare_numbers);
}

const statement_key_t *conversation_statement(const conversation_t *conversation, int64_t number)
{
    return find_statement(conversation, number);
}

static void add_statement(req_t *req, conversation_t *conversation, const polis_comment_t *comment,
                          size_t line)
{
    if (conversation->statement_count == STATEMENTS_MAX)
        fail(req, &INVALID, "comments.csv has more than %d statements.", STATEMENTS_MAX);
    if (conversation->statement_count == conversation->statement_capacity) {
        size_t capacity = conversation->statement_capacity ? conversation->statement_capacity * 2 : 256;
        conversation->statements =
            memory_resize(conversation->statements, capacity * sizeof *conversation->statements);
        conversation->statement_capacity = capacity;
    }
    conversation->statements[conversation->statement_count++] = (statement_key_t){
        .number = comment->number,
        .time = comment->time,
        .line = line,
        .item = polis_statement_id(conversation->input->board, comment->number, comment->time),
    };
}

static bool next_with_words(polis_file_t *file, polis_comment_t *comment)
{
    while (polis_next_comment(file, comment)) {
        if (utf8_visible(comment->body))
            return true;
        polis_broken(file, "the statement has no words");
    }
    return false;
}

/* Of a number that comes twice the first line counts. */
static void drop_doubles(conversation_t *conversation)
{
    statement_key_t *statements = conversation->statements;
    size_t kept = 0;

    qsort(statements, conversation->statement_count, sizeof *statements, compare_numbers_and_lines);
    for (size_t i = 0; i < conversation->statement_count; i++)
        if (i == 0 || statements[i].number != statements[i - 1].number)
            statements[kept++] = statements[i];
    conversation->statement_count = kept;
}

static void read_statements(req_t *req, conversation_t *conversation)
{
    polis_file_t *file = polis_open_comments(req, conversation->input);
    polis_comment_t comment;

    file->silent = true; /* they are named when they are imported */
    while (next_with_words(file, &comment))
        add_statement(req, conversation, &comment, file->csv.line);
    if (conversation->statement_count == 0)
        fail(req, &INVALID, "comments.csv has no statement that can be read.");
    drop_doubles(conversation);
}

bool conversation_next_statement(polis_file_t *file, const conversation_t *conversation,
                                 polis_comment_t *comment)
{
    while (next_with_words(file, comment)) {
        const statement_key_t *first = conversation_statement(conversation, comment->number);
        if (first && first->line == file->csv.line)
            return true;
        polis_broken(file, "the statement %lld is there already", (long long)comment->number);
    }
    return false;
}

bool conversation_next_vote(polis_file_t *file, const conversation_t *conversation, polis_vote_t *vote)
{
    while (polis_next_vote(file, vote)) {
        if (conversation_statement(conversation, vote->comment))
            return true;
        polis_broken(file, "the vote is on the statement %lld, which comments.csv does not have",
                     (long long)vote->comment);
    }
    return false;
}

/* ---- the statements of the board ---- */

/* A time in the files is in whole milliseconds. */
static void match_statement(req_t *req, conversation_t *conversation, const struct conversation_items *row)
{
    statement_key_t *key = find_statement(conversation, row->number);

    if (!key)
        return;
    if (key->time / MILLISECOND_US != row->created_at / MILLISECOND_US)
        fail(req, &INVALID,
             "comments.csv:%zu: the board “%s” has another statement %lld, so it is the board of another "
             "conversation. Choose another name.",
             key->line, conversation->input->board.at, (long long)row->number);
    key->item = row->item_id;
}

void conversation_match_board(req_t *req, conversation_t *conversation, uuid_t board)
{
    struct conversation_items *rows;
    int64_t after = -1;
    size_t count;

    do {
        arena_mark_t mark = arena_mark(req->arena);
        count = conversation_items(db_read(req), board, after, PAGE, &rows);
        for (size_t i = 0; i < count; i++)
            match_statement(req, conversation, &rows[i]);
        if (count > 0)
            after = rows[count - 1].number;
        arena_rewind(req->arena, mark);
    } while (count == PAGE);
}

/* ---- the summary ---- */

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

conversation_t *conversation_open(req_t *req, const command_input_t *input)
{
    conversation_t *conversation = arena_new_of(req->arena, conversation_t);

    conversation->input = input;
    arena_defer(req->arena, free_statements, conversation);
    read_statements(req, conversation);
    read_summary(req, conversation);
    return conversation;
}
