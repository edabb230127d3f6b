/*
 * Posts: what a board holds. On a statement board a post is a statement: a title alone, to vote on.
 */
#include "internal.h"

enum { TITLE_MAX = 300, STATEMENT_MAX = 400 }; /* code points; the schema bounds both by the larger */

static void find_board_for_posting(tx_t *tx, str_t slug, struct board_for_posting *board)
{
    if (!board_for_posting(tx, slug, board))
        fail(tx->req, &NOT_FOUND, "There is no board “%s”.", slug.at);
}

static reply_t reply_post(req_t *req, int status, const struct item_by_id *row)
{
    struct post post = post_shown(req, row);

    return reply_record(req, status, &post_schema, &post, row->version);
}

/* ---- reading ---- */

static reply_t reply_posts(req_t *req, const struct item_by_id *rows, size_t count, str_t next)
{
    struct post_page page = {
        .items.items = arena_array_of(req->arena, struct post, count),
        .items.count = count,
        .next = next,
    };

    for (size_t i = 0; i < count; i++)
        page.items.items[i] = post_shown(req, &rows[i]);
    return reply_with(req, 200, &post_page_schema, &page);
}

/* The posts of a board. */
reply_t list_posts(req_t *req, const struct list_posts_request *in)
{
    tx_t *read = db_read(req);
    struct board_for_posting board;
    struct item_by_id *rows;
    bool agreed = in->sort == LIST_POSTS_SORT_AGREED;
    const char *kind = arena_printf(req->arena, "posts/%s/%s", agreed ? "agreed" : "new", in->board.at).at;
    cursor_t from = {.keys = {INT64_MAX}, .id = uuid_last()};
    size_t count;

    find_board_for_posting(read, in->board, &board);
    (void)cursor_decode(req, kind, in->cursor, &from);
    if (agreed)
        count = posts_agreed(read,
                             &(struct posts_agreed_in){.board = board.id,
                                                       .member = req->caller.member,
                                                       .score = from.keys[0],
                                                       .before = from.id,
                                                       .limit = in->limit + 1},
                             &rows);
    else
        count = posts_new(read, board.id, req->caller.member, from.id, in->limit + 1, &rows);

    if (count <= (size_t)in->limit)
        return reply_posts(req, rows, count, STR_NONE);
    count--;
    cursor_t next = {.keys = {rows[count - 1].score}, .id = rows[count - 1].id};
    return reply_posts(req, rows, count, cursor_encode(req, kind, &next));
}

/* Statements on which the caller has not voted yet. */
reply_t list_unvoted(req_t *req, const struct list_unvoted_request *in)
{
    tx_t *read = db_read(req);
    struct board_for_posting board;
    struct item_by_id *rows;

    find_board_for_posting(read, in->board, &board);
    size_t count = posts_unvoted(read, board.id, req->caller.member, in->limit, &rows);
    return reply_posts(req, rows, count, STR_NONE);
}

/* A post. */
reply_t read_post(req_t *req, const struct read_post_request *in)
{
    struct item_by_id row;

    find_post(db_read(req), in->post, &row);
    return reply_post(req, 200, &row);
}

/* ---- writing ---- */

/* A statement is short and has no body; a title may have 300 characters. */
static void check_post_form(req_t *req, bool statement, str_t title, str_t body)
{
    size_t length = 0;

    (void)utf8_valid(title, &length);
    if (statement && body.length > 0)
        field_wrong(req, STR("/body"),
                    "must be empty on a statement board: answer your statement with a comment instead");
    if (!statement && length > TITLE_MAX)
        field_wrong(req, STR("/title"), "must have 1 to %d characters; it has %zu", TITLE_MAX, length);
    if (req->problem.field_count > 0)
        fail_fields(req);
}

static reply_t create_post_body(tx_t *tx, void *arg)
{
    const struct create_post_request *in = arg;
    req_t *req = tx->req;
    struct board_for_posting board;

    find_board_for_posting(tx, in->board, &board);
    check_board_open(req, board.closed_at, in->board);
    check_post_form(req, board.kind == BOARD_KIND_STATEMENTS, in->body.title, in->body.body);

    uuid_t id = uuid_new();
    struct item_by_id row = {
        .id = id,
        .board_id = board.id,
        .board_slug = in->board,
        .root_id = id,
        .author_id = req->caller.member,
        .title = in->body.title,
        .body = in->body.body.at ? in->body.body : STR(""),
        .created_at = req->now,
        .moderation = POST_MODERATION_ACCEPTED,
        .version = version_next(0),
    };
    name_author(tx, &row);
    insert_item(tx, &row);
    reply_t reply = reply_post(req, 201, &row);
    reply.location = arena_printf(req->arena, "/api/v1/posts/%s", uuid_text(req, &id));
    return reply;
}

/* A new post on a board. */
reply_t create_post(req_t *req, const struct create_post_request *in)
{
    struct create_post_request copy = *in;

    return db_transact(req, create_post_body, &copy);
}

static reply_t change_post_body(tx_t *tx, void *arg)
{
    const struct change_post_request *in = arg;
    struct item_by_id row;

    find_post(tx, in->post, &row);
    check_own_item(tx->req, &row);
    check_board_open(tx->req, row.board_closed_at, row.board_slug);
    if (in->body.has_title)
        row.title = in->body.title;
    if (in->body.has_body)
        row.body = in->body.body;
    check_post_form(tx->req, row.board_kind == BOARD_KIND_STATEMENTS, row.title, row.body);
    row.edited_at = tx->req->now;
    save_item(tx, "changed", &row);
    return reply_post(tx->req, 200, &row);
}

/* Edits one's own post. */
reply_t change_post(req_t *req, const struct change_post_request *in)
{
    struct change_post_request copy = *in;

    return db_transact(req, change_post_body, &copy);
}

static reply_t delete_post_body(tx_t *tx, void *arg)
{
    const struct delete_post_request *in = arg;
    struct item_by_id row;

    find_post(tx, in->post, &row);
    erase_item(tx, &row);
    return reply_nothing();
}

/* Deletes one's own post: its text goes, the thread below stays. */
reply_t delete_post(req_t *req, const struct delete_post_request *in)
{
    struct delete_post_request copy = *in;

    return db_transact(req, delete_post_body, &copy);
}
