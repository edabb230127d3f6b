/*
 * A board as a Polis conversation: comments.csv and votes.csv with the columns of Polis and the votes that
 * stand. What was imported has the numbers it came with; posts and members of this community get the next
 * ones, and keep them.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/import/csv.h"
#include "core/runtime/panic.h"

#include "internal.h"

enum { PAGE = 1000 };

typedef struct export_file {
    req_t *req;
    FILE *stream;
    str_t path, temporary;
} export_file_t;

/* What was not finished leaves nothing behind. */
static void drop_file(void *what)
{
    export_file_t *file = what;

    if (!file->stream)
        return;
    (void)fclose(file->stream);
    (void)unlink(file->temporary.at);
}

static void check_written(export_file_t *file, bool good)
{
    if (!good)
        fail(file->req, &INVALID, "%s cannot be written: %s.", file->path.at, strerror(errno));
}

static export_file_t *create_file(req_t *req, const command_input_t *input, const char *name)
{
    export_file_t *file = arena_new_of(req->arena, export_file_t);

    file->req = req;
    file->path = arena_printf(req->arena, "%s/%s", input->source.at, name);
    file->temporary = arena_printf(req->arena, "%s.part", file->path.at);
    check_written(file, mkdir(input->source.at, 0777) == 0 || errno == EEXIST);
    file->stream = fopen(file->temporary.at, "we");
    check_written(file, file->stream != NULL);
    arena_defer(req->arena, drop_file, file);
    return file;
}

static void finish_file(export_file_t *file)
{
    check_written(file,
                  !ferror(file->stream) && fflush(file->stream) == 0 && fsync(fileno(file->stream)) == 0);
    FILE *stream = file->stream;
    file->stream = NULL;
    check_written(file, fclose(stream) == 0 && rename(file->temporary.at, file->path.at) == 0);
}

static void write_number(export_file_t *file, int64_t number, bool last)
{
    char text[24];
    int length = snprintf(text, sizeof text, "%lld", (long long)number);

    csv_write(file->stream, (str_t){text, (size_t)length}, last);
}

/* timestamp in ms, datetime as Polis writes it, in UTC. */
static void write_time(export_file_t *file, int64_t time)
{
    char text[64];
    time_t seconds = (time_t)(time / SECOND_US);
    struct tm parts;

    (void)gmtime_r(&seconds, &parts);
    size_t length = strftime(text, sizeof text, "%a %b %d %H:%M:%S UTC %Y", &parts);
    write_number(file, time / MILLISECOND_US, false);
    csv_write(file->stream, (str_t){text, length}, false);
}

static int64_t polis_moderated(int64_t moderation)
{
    return moderation == POST_MODERATION_ACCEPTED ? 1 : moderation == POST_MODERATION_WAITING ? 0 : -1;
}

static int64_t polis_value(int64_t value)
{
    return value == VOTE_AGREE ? 1 : value == VOTE_DISAGREE ? -1 : 0;
}

static void write_comment(export_file_t *file, const struct export_items *item)
{
    write_time(file, item->created_at);
    write_number(file, item->number, false);
    write_number(file, item->author, false);
    write_number(file, item->agree_count, false);
    write_number(file, item->disagree_count, false);
    write_number(file, polis_moderated(item->moderation), false);
    csv_write(file->stream, item->title, true);
}

static void write_votes_of(export_file_t *file, tx_t *read, uuid_t board, const struct export_items *item)
{
    struct export_votes *votes;
    uuid_t after = UUID_NONE;
    size_t count;

    do {
        arena_mark_t mark = arena_mark(file->req->arena);
        count = export_votes(read, board, item->id, after, PAGE, &votes);
        for (size_t i = 0; i < count; i++) {
            write_time(file, votes[i].cast_at);
            write_number(file, item->number, false);
            write_number(file, votes[i].number, false);
            write_number(file, polis_value(votes[i].value), true);
        }
        if (count > 0)
            after = votes[count - 1].member_id;
        arena_rewind(file->req->arena, mark);
    } while (count == PAGE);
}

static void number_body(tx_t *tx, void *arg)
{
    const struct board_by_slug *board = arg;

    conversation_number_items(tx, board->id);
    conversation_number_members(tx, board->id);
}

static void write_all(req_t *req, const command_input_t *input, const struct board_by_slug *board,
                      export_file_t *comments, export_file_t *votes)
{
    tx_t *read = db_read(req);
    struct export_items *items;
    int64_t after = -1, done = 0;
    size_t count;

    do {
        arena_mark_t mark = arena_mark(req->arena);
        count = export_items(read, board->id, after, PAGE, &items);
        for (size_t i = 0; i < count; i++) {
            write_comment(comments, &items[i]);
            write_votes_of(votes, read, board->id, &items[i]);
            after = items[i].number;
            if (input->progress)
                input->progress(input->progress_arg, "statements", ++done, board->post_count);
        }
        arena_rewind(req->arena, mark);
    } while (count == PAGE);
}

void polis_export_conversation(req_t *req, const command_input_t *input)
{
    struct board_by_slug board;

    if (!board_by_slug(db_read(req), input->board, UUID_NONE, &board))
        fail(req, &NOT_FOUND, "There is no board “%s”.", input->board.at);
    db_apply(req, number_body, &board);
    export_file_t *comments = create_file(req, input, "comments.csv");
    export_file_t *votes = create_file(req, input, "votes.csv");
    (void)fputs("timestamp,datetime,comment-id,author-id,agrees,disagrees,moderated,comment-body\n",
                comments->stream);
    (void)fputs("timestamp,datetime,comment-id,voter-id,vote\n", votes->stream);
    write_all(req, input, &board, comments, votes);
    finish_file(comments);
    finish_file(votes);
}
