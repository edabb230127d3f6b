/* The files of a Polis conversation: opening, columns by name, numbers, and what to do with broken lines. */
#include <errno.h>
#include <stdlib.h>

#include "core/api.h"
#include "core/import/polis.h"
#include "core/runtime/logline.h"

enum { COMMENT_TIME, COMMENT_NUMBER, COMMENT_AUTHOR, COMMENT_MODERATED, COMMENT_BODY };
enum { VOTE_TIME, VOTE_COMMENT, VOTE_VOTER, VOTE_VALUE };

static const char *const comment_columns[] = {"timestamp", "comment-id",   "author-id",
                                              "moderated", "comment-body", NULL};
static const char *const vote_columns[] = {"timestamp", "comment-id", "voter-id", "vote", NULL};

static void close_file(void *what)
{
    csv_close(what);
}

static int64_t count_lines(FILE *file)
{
    char block[16 * 1024];
    int64_t lines = 0;
    size_t size;

    while ((size = fread(block, 1, sizeof block, file)) > 0)
        for (const char *at = block; (at = memchr(at, '\n', size - (size_t)(at - block))); at++)
            lines++;
    rewind(file);
    return lines;
}

static void find_columns(polis_file_t *file)
{
    if (csv_next(&file->csv) != CSV_RECORD)
        fail(file->req, &INVALID, "%s has no line that names its columns.", file->name);
    for (size_t i = 0; file->columns[i]; i++) {
        size_t place = 0;
        while (place < file->csv.count && !str_equal(file->csv.fields[place], str_from(file->columns[i])))
            place++;
        if (place == file->csv.count)
            fail(file->req, &INVALID,
                 "%s:1: there is no column “%s”. Is this the export of a Polis conversation?", file->name,
                 file->columns[i]);
        file->places[i] = place;
    }
}

/* The board's short name, before anything is made of it. */
static void check_board_name(req_t *req, str_t board)
{
    size_t good = board.at ? strspn(board.at, "abcdefghijklmnopqrstuvwxyz0123456789-") : 0;

    if (board.length < 1 || board.length > 60 || good != board.length)
        fail(req, &INVALID,
             "--board must name a board by 1 to 60 of the characters a-z, 0-9 and -, such as “uberx”.");
}

polis_file_t *polis_open(req_t *req, const command_input_t *input, const char *name,
                         const char *const *columns)
{
    polis_file_t *file = arena_new_of(req->arena, polis_file_t);
    str_t path = arena_printf(req->arena, "%s/%s", input->source.at, name);
    FILE *stream;

    check_board_name(req, input->board);
    stream = fopen(path.at, "re");
    if (!stream)
        fail(req, &INVALID,
             "%s cannot be read: %s. The folder of a conversation has comments.csv and votes.csv.", path.at,
             strerror(errno));
    *file = (polis_file_t){
        .req = req, .input = input, .name = name, .columns = columns, .lines = count_lines(stream)};
    csv_open(&file->csv, stream);
    arena_defer(req->arena, close_file, &file->csv);
    find_columns(file);
    return file;
}

void polis_broken(polis_file_t *file, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    str_t what = arena_vprintf(file->req->arena, format, values);
    va_end(values);
    if (!file->input->skip_broken)
        fail(file->req, &INVALID, "%s:%zu: %s. Mend that line, or pass over broken lines with --broken skip.",
             file->name, file->csv.line, what.at);
    file->skipped++;
    if (!file->silent)
        logline(LINE_WARNING, "import_line_skipped", "file", file->name, "line",
                line_number((int64_t)file->csv.line), "reason", what.at, NULL);
}

/* Whether the record has every column. */
static bool is_whole(polis_file_t *file)
{
    for (size_t i = 0; file->columns[i]; i++) {
        if (file->places[i] < file->csv.count)
            continue;
        polis_broken(file, "the column “%s” is missing", file->columns[i]);
        return false;
    }
    return true;
}

bool polis_next(polis_file_t *file)
{
    for (;;) {
        switch (csv_next(&file->csv)) {
        case CSV_RECORD:
            if (is_whole(file))
                return true;
            break;
        case CSV_BROKEN:
            polis_broken(file, "%s", file->csv.error);
            break;
        case CSV_END:
            return false;
        case CSV_FAILED:
            fail(file->req, &INVALID, "%s cannot be read further: %s.", file->name, strerror(errno));
        }
    }
}

str_t polis_text(const polis_file_t *file, size_t column)
{
    return file->csv.fields[file->places[column]];
}

bool polis_number(polis_file_t *file, size_t column, int64_t least, int64_t most, int64_t *number)
{
    str_t text = polis_text(file, column);
    char *end;

    errno = 0;
    long long value = strtoll(text.at, &end, 10);
    bool digits = text.length > 0 && (text.at[0] == '-' || (text.at[0] >= '0' && text.at[0] <= '9'));
    if (!digits || end != text.at + text.length || errno || value < least || value > most) {
        polis_broken(file, "“%.40s” in the column “%s” is no whole number from %lld to %lld", text.at,
                     file->columns[column], (long long)least, (long long)most);
        return false;
    }
    *number = value;
    return true;
}

void polis_progress(const polis_file_t *file)
{
    int64_t line = (int64_t)file->csv.line;
    const char *what = arena_printf(file->req->arena, "lines of %s", file->name).at;

    if (file->input->progress)
        file->input->progress(file->input->progress_arg, what, line < file->lines ? line : file->lines,
                              file->lines);
}

/* Polis counts milliseconds; this program's times end with the year 9999. */
static bool polis_time(polis_file_t *file, size_t column, int64_t *time)
{
    if (!polis_number(file, column, 1, INT64_C(253402300799999), time))
        return false;
    *time *= MILLISECOND_US;
    return true;
}

polis_file_t *polis_open_comments(req_t *req, const command_input_t *input)
{
    return polis_open(req, input, "comments.csv", comment_columns);
}

polis_file_t *polis_open_votes(req_t *req, const command_input_t *input)
{
    return polis_open(req, input, "votes.csv", vote_columns);
}

bool polis_next_comment(polis_file_t *file, polis_comment_t *comment)
{
    while (polis_next(file)) {
        if (!polis_time(file, COMMENT_TIME, &comment->time) ||
            !polis_number(file, COMMENT_NUMBER, 0, POLIS_NUMBER_MAX, &comment->number) ||
            !polis_number(file, COMMENT_AUTHOR, 0, POLIS_NUMBER_MAX, &comment->author) ||
            !polis_number(file, COMMENT_MODERATED, -1, 1, &comment->moderated))
            continue;
        comment->body = polis_text(file, COMMENT_BODY);
        return true;
    }
    return false;
}

bool polis_next_vote(polis_file_t *file, polis_vote_t *vote)
{
    while (polis_next(file))
        if (polis_time(file, VOTE_TIME, &vote->time) &&
            polis_number(file, VOTE_COMMENT, 0, POLIS_NUMBER_MAX, &vote->comment) &&
            polis_number(file, VOTE_VOTER, 0, POLIS_NUMBER_MAX, &vote->voter) &&
            polis_number(file, VOTE_VALUE, -1, 1, &vote->value))
            return true;
    return false;
}

static uuid_t record_id(int64_t time, str_t board, const char *what, int64_t number)
{
    char name[128];
    int length = snprintf(name, sizeof name, "polis/%.60s/%s/%lld", board.at, what, (long long)number);

    return uuid_of_name(time, (str_t){name, (size_t)length});
}

uuid_t polis_member_id(str_t board, int64_t number)
{
    return record_id(0, board, "member", number);
}

uuid_t polis_statement_id(str_t board, int64_t number, int64_t time)
{
    return record_id(time, board, "statement", number);
}
