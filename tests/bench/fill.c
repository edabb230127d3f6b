/*
 * bench_fill DATABASE COMMENTS
 *
 * Fills the forum's database with one thread of that many comments, in a shape that does not depend on how
 * many there are, so that only the size differs: nine in ten belong to small conversations (a comment, its
 * replies, replies to those), a tenth answers one comment directly (the wide level), a hundredth is one chain
 * of replies (the deep branch). Replies come some time after what they answer, so that neighbours in the tree
 * are not neighbours on the disk. No server may run.
 *
 * Prints the ids: {"post":…,"wide":…,"deep":…}, deep being a comment half-way down the chain.
 */
#include "core/runtime/clock.h"
#include "core/runtime/uuid.h"
#include "tests/bench/slots.h"

enum { MEMBERS = 1000, TALK = 10, POST = UINT32_MAX, STEP_MS = 10 };

typedef struct node {
    uint64_t time; /* when it was written, ms from the beginning */
    uint32_t parent, depth, replies, rank;
} node_t;

typedef struct thread {
    node_t *nodes;
    uint32_t *order; /* by time */
    uint32_t count, capacity, wide, deep, roots;
    uint64_t begin, span; /* ms */
    uuid_t board, post;
} thread_t;

static const char title[] = "What shall we do about the square?";
static const char body[] =
    "I have read what was said above and agree with most of it; what is missing is who looks after it later, "
    "since nothing stays as it was made.";

static uint64_t random_next(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;

    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* ---- the tree ---- */

static uint32_t add(thread_t *thread, uint32_t parent, uint64_t time)
{
    node_t *node = &thread->nodes[thread->count];

    *node = (node_t){
        .time = time, .parent = parent, .depth = parent == POST ? 1 : thread->nodes[parent].depth + 1};
    if (parent != POST)
        thread->nodes[parent].replies++;
    else
        thread->roots++;
    return thread->count++;
}

/* Some time later: at most a twentieth of the whole time, and at least a moment. */
static uint32_t answer(thread_t *thread, uint32_t parent)
{
    return add(thread, parent, thread->nodes[parent].time + 1 + random_next() % (thread->span / 20 + 1));
}

static void add_talk(thread_t *thread, uint64_t time)
{
    const uint32_t root = add(thread, POST, time), first = answer(thread, root),
                   second = answer(thread, first);

    answer(thread, answer(thread, second));
    for (int more = 0; more < 3; more++)
        answer(thread, root);
    for (int more = 0; more < 2; more++)
        answer(thread, first);
}

static void add_chain(thread_t *thread, uint32_t length)
{
    uint32_t last = add(thread, POST, 0);

    for (uint32_t place = 1; place < length; place++) {
        last = add(thread, last, thread->nodes[last].time + 1 + random_next() % STEP_MS);
        if (place == length / 2)
            thread->deep = last;
    }
}

static void grow(thread_t *thread)
{
    const uint32_t wide = thread->capacity / 10, chain = thread->capacity / 100;
    const uint32_t talks = (thread->capacity - wide - chain) / TALK;

    thread->span = (uint64_t)talks * STEP_MS;
    thread->wide = add(thread, POST, 0);
    add_chain(thread, chain);
    for (uint32_t place = 0; place < talks; place++)
        add_talk(thread, (uint64_t)place * STEP_MS);
    while (thread->count < thread->capacity)
        add(thread, thread->wide, 1 + random_next() % thread->span);
}

static int by_time(const void *left, const void *right, void *arg)
{
    const thread_t *thread = arg;
    const uint32_t one = *(const uint32_t *)left, other = *(const uint32_t *)right;
    const node_t *a = &thread->nodes[one], *b = &thread->nodes[other];

    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return one < other ? -1 : 1;
}

static void rank(thread_t *thread)
{
    for (uint32_t place = 0; place < thread->count; place++)
        thread->order[place] = place;
    qsort_r(thread->order, thread->count, sizeof *thread->order, by_time, thread);
    for (uint32_t place = 0; place < thread->count; place++)
        thread->nodes[thread->order[place]].rank = place;
}

/* ---- the rows ---- */

/* Version 7, one per millisecond. */
static uuid_t id_of(const thread_t *thread, uint32_t place)
{
    uint64_t time = thread->begin + place, rest = (place + 1) * UINT64_C(0x9e3779b97f4a7c15);
    uuid_t id;

    for (int byte = 5; byte >= 0; byte--, time >>= 8)
        id.bytes[byte] = (uint8_t)time;
    for (int byte = 6; byte < 16; byte++, rest = rest >> 7 | rest << 57)
        id.bytes[byte] = (uint8_t)rest;
    id.bytes[6] = (uint8_t)(0x70 | (id.bytes[6] & 15));
    id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 63));
    return id;
}

static void insert(sqlite3_stmt *prepared)
{
    if (sqlite3_step(prepared) != SQLITE_DONE)
        give_up("SQLite", sqlite3_errmsg(sqlite3_db_handle(prepared)));
    sqlite3_reset(prepared);
}

static void bind_id(sqlite3_stmt *prepared, int place, const uuid_t *id)
{
    sqlite3_bind_blob(prepared, place, id, sizeof *id, SQLITE_TRANSIENT);
}

static uuid_t member_of(uint32_t number)
{
    const thread_t members = {.begin = 1};

    return id_of(&members, number % MEMBERS);
}

static void insert_board(sqlite3 *database, const thread_t *thread)
{
    sqlite3_stmt *board =
        slots_prepare(database, "INSERT INTO board (id, slug, title, description, kind, created_at, version) "
                                "VALUES (?1, 'thread', 'A board', '', 1, ?2, 1)");
    bind_id(board, 1, &thread->board);
    sqlite3_bind_int64(board, 2, (int64_t)thread->begin * MILLISECOND_US);
    insert(board);
    sqlite3_finalize(board);
}

static void insert_members(sqlite3 *database)
{
    sqlite3_stmt *member =
        slots_prepare(database, "INSERT INTO member (id, name) VALUES (?1, 'member-' || ?2)");

    for (uint32_t number = 0; number < MEMBERS; number++) {
        const uuid_t id = member_of(number);
        bind_id(member, 1, &id);
        sqlite3_bind_int64(member, 2, number);
        insert(member);
    }
    sqlite3_finalize(member);
}

static void insert_item(sqlite3_stmt *item, const thread_t *thread, const uuid_t *id, const node_t *node)
{
    const uuid_t author = member_of((uint32_t)random_next());

    bind_id(item, 1, id);
    bind_id(item, 2, &thread->board);
    bind_id(item, 3, &thread->post);
    sqlite3_bind_null(item, 4);
    if (node) {
        const uuid_t parent =
            node->parent == POST ? thread->post : id_of(thread, thread->nodes[node->parent].rank);
        bind_id(item, 4, &parent);
    }
    sqlite3_bind_int64(item, 5, node ? node->depth : 0);
    bind_id(item, 6, &author);
    sqlite3_bind_text(item, 7, node ? "" : title, -1, SQLITE_STATIC);
    sqlite3_bind_text(item, 8, body, sizeof body - 1, SQLITE_STATIC);
    sqlite3_bind_int64(item, 9, (int64_t)(thread->begin + (node ? node->rank : 0)) * MILLISECOND_US);
    sqlite3_bind_int64(item, 10, node ? node->replies : thread->roots);
    sqlite3_bind_int64(item, 11, node ? 0 : thread->count);
    insert(item);
}

static void insert_items(sqlite3 *database, const thread_t *thread)
{
    sqlite3_stmt *item = slots_prepare(
        database,
        "INSERT INTO item (id, board_id, root_id, parent_id, depth, author_id, title, body, created_at, "
        "moderation, version, reply_count, comment_count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?9, "
        "?10, ?11)");

    insert_item(item, thread, &thread->post, NULL);
    for (uint32_t place = 0; place < thread->count; place++) {
        const uuid_t id = id_of(thread, place);
        insert_item(item, thread, &id, &thread->nodes[thread->order[place]]);
    }
    sqlite3_finalize(item);
}

static void write_rows(const char *path, const thread_t *thread)
{
    sqlite3 *database = slots_open(path);

    slots_execute(database,
                  "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; BEGIN");
    insert_board(database, thread);
    insert_members(database);
    insert_items(database, thread);
    slots_execute(database, "COMMIT; PRAGMA journal_mode = WAL");
    sqlite3_close(database);
}

static void print_ids(const thread_t *thread)
{
    const uuid_t wide = id_of(thread, thread->nodes[thread->wide].rank),
                 deep = id_of(thread, thread->nodes[thread->deep].rank);
    char texts[3][UUID_TEXT_SIZE];

    uuid_format(&thread->post, texts[0]);
    uuid_format(&wide, texts[1]);
    uuid_format(&deep, texts[2]);
    printf("{\"post\":\"%s\",\"wide\":\"%s\",\"deep\":\"%s\"}\n", texts[0], texts[1], texts[2]);
}

int main(int count, char **words)
{
    const unsigned long wanted = count == 3 ? strtoul(words[2], NULL, 10) : 0;

    if (wanted < 1000 || wanted > 10 * 1000 * 1000)
        give_up("usage", "bench_fill DATABASE COMMENTS (1,000 to 10,000,000)");
    thread_t thread = {
        .nodes = malloc(wanted * sizeof(node_t)),
        .order = malloc(wanted * sizeof(uint32_t)),
        .capacity = (uint32_t)wanted,
        .begin = (uint64_t)(clock_now() / MILLISECOND_US) - 2 * wanted,
        .board = uuid_of_name(SECOND_US, STR("board")),
        .post = uuid_of_name(SECOND_US, STR("post")),
    };
    if (!thread.nodes || !thread.order)
        give_up("bench_fill", "not enough memory");
    grow(&thread);
    rank(&thread);
    write_rows(words[1], &thread);
    print_ids(&thread);
    free(thread.nodes);
    free(thread.order);
    return 0;
}
