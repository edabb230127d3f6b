/*
 * bench_commit DATABASE BOARD SECONDS
 *
 * What the disk does with one commit per write: the statements of creating a post, each time in a transaction
 * of its own, one after another, durable. Prints posts per second.
 */
#include "core/log/log.h"
#include "core/runtime/clock.h"
#include "core/runtime/uuid.h"
#include "core_log/queries.h"
#include "queries.h"
#include "tests/bench/slots.h"

typedef struct prepared {
    const statement_t *statement;
    sqlite3_stmt *handle;
} prepared_t;

typedef struct run {
    prepared_t board, item, log;
    sqlite3_stmt *begin, *commit;
    str_t slug;
} run_t;

#define BODY                                                                                                 \
    "A post of the usual length: somebody has seen something, says what it was and what to do about it, "    \
    "and asks the "                                                                                          \
    "others what they think. It has two or three sentences, no more, since it was written on a telephone "   \
    "on the way "                                                                                            \
    "home, and the answers below it are what most people come for."
#define ID   "0193c0de-0000-7000-8000-000000000000"
#define TIME "2026-11-21T12:00:00.000000Z"
#define DATA                                                                                                 \
    "{\"id\":\"" ID "\",\"board\":\"" ID "\",\"root\":\"" ID "\",\"depth\":0,\"author\":\"" ID               \
    "\",\"title\":\"A title that tells what it is about 00000001\",\"body\":\"" BODY                         \
    "\",\"created_at\":\"" TIME "\",\"moderation\":\"accepted\"}"
#define LIVE                                                                                                 \
    "{\"id\":\"" ID "\",\"board_id\":\"" ID "\",\"board_slug\":\"bench\",\"author\":{\"id\":\"" ID           \
    "\",\"name\":\"administrator\"},\"title\":\"A title that tells what it is about "                        \
    "00000001\",\"body\":\"" BODY "\",\"created_at\":\"" TIME                                                \
    "\",\"moderation\":\"accepted\",\"comment_count\":0,\"tally\":{\"agree_count\":0,"                       \
    "\"disagree_count\":0,\"pass_count\":0}}"

static prepared_t prepare(sqlite3 *database, const statement_t *table, size_t count, const char *name)
{
    const statement_t *statement = statement_named(table, count, name);

    return (prepared_t){statement, slots_prepare(database, statement->sqlite)};
}

static void step(sqlite3_stmt *handle, int wanted)
{
    if (sqlite3_step(handle) != wanted)
        give_up("SQLite", sqlite3_errmsg(sqlite3_db_handle(handle)));
}

static void run_statement(const prepared_t *prepared, const void *in)
{
    slots_bind(prepared->handle, prepared->statement, in);
    step(prepared->handle, SQLITE_DONE);
    sqlite3_reset(prepared->handle);
}

static uuid_t find_board(const run_t *run)
{
    const struct board_for_posting_in in = {.slug = run->slug};
    struct board_for_posting board;

    slots_bind(run->board.handle, run->board.statement, &in);
    step(run->board.handle, SQLITE_ROW);
    slots_read(run->board.handle, run->board.statement, &board);
    sqlite3_reset(run->board.handle);
    return board.id;
}

static void insert_post(const run_t *run, const uuid_t *board)
{
    const uuid_t id = uuid_new();
    const int64_t now = clock_now(), version = version_next(0);

    run_statement(&run->item,
                  &(struct item_insert_in){.id = id,
                                           .board_id = *board,
                                           .root_id = id,
                                           .author_id = *board,
                                           .title = STR("A title that tells what it is about 00000001"),
                                           .body = STR(BODY),
                                           .created_at = now,
                                           .moderation = 1,
                                           .version = version});
    run_statement(&run->log, &(struct log_insert_in){.id = uuid_new(),
                                                     .type = STR("post.created"),
                                                     .record = id,
                                                     .version = version,
                                                     .node = STR("0123456789abcdef"),
                                                     .scope = 1,
                                                     .actor = *board,
                                                     .subject = *board,
                                                     .time = now,
                                                     .schema = 1,
                                                     .data = STR(DATA),
                                                     .topics = STR("board/" ID " post/" ID),
                                                     .live = STR(LIVE)});
}

static void write_post(const run_t *run)
{
    step(run->begin, SQLITE_DONE);
    sqlite3_reset(run->begin);
    const uuid_t board = find_board(run);
    insert_post(run, &board);
    step(run->commit, SQLITE_DONE);
    sqlite3_reset(run->commit);
}

int main(int count, char **words)
{
    if (count != 4)
        give_up("usage", "bench_commit DATABASE BOARD SECONDS");
    sqlite3 *database = slots_open(words[1]);
    slots_execute(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                            "PRAGMA cache_size = -4000");
    const run_t run = {
        .board = prepare(database, forum_statements, forum_statement_count, "forum.board_for_posting"),
        .item = prepare(database, forum_statements, forum_statement_count, "forum.item_insert"),
        .log = prepare(database, core_log_statements, core_log_statement_count, "core_log.log_insert"),
        .begin = slots_prepare(database, "BEGIN IMMEDIATE"),
        .commit = slots_prepare(database, "COMMIT"),
        .slug = str_from(words[2]),
    };
    const int64_t begun = clock_monotonic(),
                  until = begun + (int64_t)(strtod(words[3], NULL) * (double)SECOND_US);
    long written = 0;
    for (; clock_monotonic() < until; written++)
        write_post(&run);
    printf("%.1f\n", (double)written * (double)SECOND_US / (double)(clock_monotonic() - begun));
    return 0;
}
