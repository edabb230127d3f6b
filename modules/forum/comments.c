/*
 * Comments: the tree below a post, of any depth. It is read one level at a time, each comment with the first
 * few of the levels below it, by one statement whatever the size of the thread.
 */
#include "internal.h"

static reply_t reply_comment(req_t *req, int status, const struct item_by_id *row)
{
    struct comment comment = comment_shown(req, row);

    return reply_record(req, status, &comment_schema, &comment, row->version);
}

/* ---- reading ---- */

enum { NO_ROW = -1 };

/* Comments on a page with all its levels: a hundred could have four thousand below them. */
enum { PAGE_MOST = 500 };

/* The place of the row of that id among rows ordered by id; `count` when it is none of them. */
static size_t row_of(const struct item_by_id *rows, size_t count, const uuid_t *id)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (uuid_compare(&rows[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && uuid_equal(&rows[low].id, id) ? low : count;
}

static size_t place_below(const struct item_by_id *rows, const int *first, const int *next, size_t parent,
                          struct item_by_id *placed, size_t at)
{
    for (int i = first[parent]; i != NO_ROW; i = next[i]) {
        placed[at++] = rows[i];
        at = place_below(rows, first, next, (size_t)i, placed, at);
    }
    return at;
}

/* Puts rows that are ordered by id into the order of reading: each comment after its parent, those of one
 * parent by id. What hangs below nothing in `rows` is the page's own level. Recurses as deep as the page is:
 * at most four levels. */
static struct item_by_id *in_order_of_reading(req_t *req, const struct item_by_id *rows, size_t count)
{
    struct item_by_id *placed = arena_array_of(req->arena, struct item_by_id, count);
    int *first = arena_array_of(req->arena, int, count + 1);
    int *next = arena_array_of(req->arena, int, count);

    for (size_t i = 0; i <= count; i++)
        first[i] = NO_ROW;
    for (size_t i = count; i-- > 0;) {
        size_t parent = row_of(rows, count, &rows[i].parent_id);
        next[i] = first[parent];
        first[parent] = (int)i;
    }
    (void)place_below(rows, first, next, count, placed, 0);
    return placed;
}

/* The page's own level may have one row more than was asked for: it says that there is a next page. Finds the
 * last comment of the page, and how many rows are not part of it: the extra one and what hangs below it. */
static bool cut_page(struct item_by_id *rows, size_t *count, const uuid_t *parent, int64_t limit,
                     uuid_t *last)
{
    int64_t level = 0;

    for (size_t i = 0; i < *count; i++) {
        if (!uuid_equal(&rows[i].parent_id, parent))
            continue;
        if (level++ == limit) {
            *count = i;
            return true;
        }
        *last = rows[i].id;
    }
    return false;
}

static uuid_t parent_of_page(tx_t *tx, const struct list_comments_request *in)
{
    struct item_by_id row;

    find_post(tx, in->post, &row);
    if (uuid_is_none(&in->parent))
        return in->post;
    find_comment(tx, in->parent, &row);
    if (!uuid_equal(&row.root_id, &in->post))
        fail(tx->req, &NOT_FOUND, "The comment that parent names is not in this thread.");
    return in->parent;
}

/* A page of one level of a thread. */
reply_t list_comments(req_t *req, const struct list_comments_request *in)
{
    tx_t *read = db_read(req);
    struct item_by_id *rows;
    cursor_t from = {.id = UUID_NONE};
    uuid_t last = UUID_NONE;
    uuid_t parent = parent_of_page(read, in);

    const char *kind = arena_printf(req->arena, "comments/%s", uuid_text(req, &parent)).at;
    (void)cursor_decode(req, kind, in->cursor, &from);
    size_t count = comments_page(read,
                                 &(struct comments_page_in){.parent = parent,
                                                            .after = from.id,
                                                            .limit = in->limit + 1,
                                                            .depth = in->depth,
                                                            .most = PAGE_MOST,
                                                            .member = req->caller.member},
                                 &rows);
    struct item_by_id *placed = in_order_of_reading(req, rows, count);
    bool more = cut_page(placed, &count, &parent, in->limit, &last);

    struct comment_page page = {.items.items = arena_array_of(req->arena, struct comment, count),
                                .items.count = count};
    for (size_t i = 0; i < count; i++)
        page.items.items[i] = comment_shown(req, &placed[i]);
    if (more)
        page.next = cursor_encode(req, kind, &(cursor_t){.id = last});
    return reply_with(req, 200, &comment_page_schema, &page);
}

/* A comment. */
reply_t read_comment(req_t *req, const struct read_comment_request *in)
{
    struct item_by_id row;

    find_comment(db_read(req), in->comment, &row);
    return reply_comment(req, 200, &row);
}

/* ---- writing ---- */

/* What the new comment hangs below: the post itself, or a comment of its thread. */
static struct item_by_id parent_of_comment(tx_t *tx, const struct create_comment_request *in)
{
    struct item_by_id parent;

    if (uuid_is_none(&in->body.parent)) {
        find_post(tx, in->post, &parent);
    } else {
        find_comment(tx, in->body.parent, &parent);
        if (!uuid_equal(&parent.root_id, &in->post))
            fail(tx->req, &NOT_FOUND, "The comment that you answer is not in this thread.");
    }
    if (parent.deleted_at)
        fail(tx->req, &GONE, "What you answer has been deleted.");
    check_board_open(tx->req, parent.board_closed_at, parent.board_slug);
    return parent;
}

static reply_t create_comment_body(tx_t *tx, void *arg)
{
    const struct create_comment_request *in = arg;
    req_t *req = tx->req;
    struct item_by_id parent = parent_of_comment(tx, in);
    struct item_by_id row = {
        .id = uuid_new(),
        .board_id = parent.board_id,
        .board_slug = parent.board_slug,
        .root_id = in->post,
        .parent_id = parent.id,
        .depth = parent.depth + 1,
        .author_id = req->caller.member,
        .title = STR(""),
        .body = in->body.body,
        .created_at = req->now,
        .moderation = POST_MODERATION_ACCEPTED,
        .version = version_next(0),
    };

    name_author(tx, &row);
    insert_item(tx, &row);
    count_reply(tx, parent.id);
    count_comment(tx, in->post);
    reply_t reply = reply_comment(req, 201, &row);
    reply.location = arena_printf(req->arena, "/api/v1/comments/%s", uuid_text(req, &row.id));
    return reply;
}

/* A comment on a post, or a reply to a comment. */
reply_t create_comment(req_t *req, const struct create_comment_request *in)
{
    struct create_comment_request copy = *in;

    return db_transact(req, create_comment_body, &copy);
}

static reply_t change_comment_body(tx_t *tx, void *arg)
{
    const struct change_comment_request *in = arg;
    struct item_by_id row;

    find_comment(tx, in->comment, &row);
    check_own_item(tx->req, &row);
    check_board_open(tx->req, row.board_closed_at, row.board_slug);
    row.body = in->body.body;
    row.edited_at = tx->req->now;
    save_item(tx, "changed", &row);
    return reply_comment(tx->req, 200, &row);
}

/* Edits one's own comment. */
reply_t change_comment(req_t *req, const struct change_comment_request *in)
{
    struct change_comment_request copy = *in;

    return db_transact(req, change_comment_body, &copy);
}

static reply_t delete_comment_body(tx_t *tx, void *arg)
{
    const struct delete_comment_request *in = arg;
    struct item_by_id row;

    find_comment(tx, in->comment, &row);
    erase_item(tx, &row);
    return reply_nothing();
}

/* Deletes one's own comment: its text goes, the replies stay. */
reply_t delete_comment(req_t *req, const struct delete_comment_request *in)
{
    struct delete_comment_request copy = *in;

    return db_transact(req, delete_comment_body, &copy);
}
