/* Boards: the places where posts are made. Opened, changed and closed by moderators and administrators. */
#include "internal.h"

static struct board board_shown(const struct board_by_slug *row)
{
    return (struct board){
        .id = row->id,
        .slug = row->slug,
        .title = row->title,
        .description = row->description,
        .kind = (int)row->kind,
        .created_at = row->created_at,
        .closed_at = row->closed_at,
        .post_count = row->post_count,
        .comment_count = row->comment_count,
        .votable_count = row->votable_count,
        .voter_count = row->voter_count,
        .agree_count = row->agree_count,
        .disagree_count = row->disagree_count,
        .pass_count = row->pass_count,
    };
}

/* As the caller sees it: with how much of it the caller has voted on. */
static struct board board_for_caller(const req_t *req, const struct board_by_slug *row)
{
    struct board board = board_shown(row);

    board.voted_count = row->voted_count;
    board.has_voted_count = !uuid_is_none(&req->caller.member);
    return board;
}

static reply_t reply_board(req_t *req, int status, const struct board_by_slug *row)
{
    struct board board = board_for_caller(req, row);

    return reply_record(req, status, &board_schema, &board, row->version);
}

static void find_board(tx_t *tx, str_t slug, struct board_by_slug *row)
{
    if (!board_by_slug(tx, slug, tx->req->caller.member, row))
        fail(tx->req, &NOT_FOUND, "There is no board “%s”.", slug.at);
}

/* The boards, latest first. */
reply_t list_boards(req_t *req, const struct list_boards_request *in)
{
    cursor_t from = {.id = uuid_last()};
    struct board_by_slug *rows;

    (void)cursor_decode(req, "boards", in->cursor, &from);
    size_t count = boards_page(db_read(req), from.id, req->caller.member, in->limit + 1, &rows);
    bool more = count > (size_t)in->limit;
    if (more)
        count--;

    struct board_page page = {.items.items = arena_array_of(req->arena, struct board, count),
                              .items.count = count};
    for (size_t i = 0; i < count; i++)
        page.items.items[i] = board_for_caller(req, &rows[i]);
    if (more)
        page.next = cursor_encode(req, "boards", &(cursor_t){.id = rows[count - 1].id});
    return reply_with(req, 200, &board_page_schema, &page);
}

static void log_board(tx_t *tx, const char *type, const struct board_by_slug *row)
{
    req_t *req = tx->req;
    struct board shown = board_shown(row);
    struct board_entry data = {
        .id = row->id,
        .slug = row->slug,
        .title = row->title,
        .description = row->description,
        .kind = (int)row->kind,
        .created_at = row->created_at,
        .closed_at = row->closed_at,
    };

    log_append(tx, &(log_entry_t){
                       .type = str_from(type),
                       .record = row->id,
                       .version = row->version,
                       .actor = req->caller.member,
                       .data = schema_encode(req->arena, &board_entry_schema, &data),
                       .topics = topics_of(req, &row->id, NULL),
                       .live = schema_encode(req->arena, &board_schema, &shown),
                   });
}

void board_open(tx_t *tx, const struct new_board *form, uuid_t creator, struct board_by_slug *board)
{
    struct board_for_posting taken;

    if (board_for_posting(tx, form->slug, &taken))
        fail(tx->req, &SLUG_TAKEN, "There is a board “%s” already. Choose another short name.",
             form->slug.at);
    *board = (struct board_by_slug){
        .id = uuid_new(),
        .slug = form->slug,
        .title = form->title,
        .description = form->description.at ? form->description : STR(""),
        .kind = form->kind,
        .created_at = tx->req->now,
        .version = version_next(0),
    };
    board_insert(tx, &(struct board_insert_in){
                         .id = board->id,
                         .slug = board->slug,
                         .title = board->title,
                         .description = board->description,
                         .kind = board->kind,
                         .created_by = creator,
                         .created_at = board->created_at,
                         .version = board->version,
                     });
    log_board(tx, "board.created", board);
}

static reply_t create_board_body(tx_t *tx, void *arg)
{
    const struct new_board *form = arg;
    struct board_by_slug board;

    board_open(tx, form, tx->req->caller.member, &board);
    reply_t reply = reply_board(tx->req, 201, &board);
    reply.location = arena_printf(tx->req->arena, "/api/v1/boards/%s", board.slug.at);
    return reply;
}

/* Opens a board. */
reply_t create_board(req_t *req, const struct create_board_request *in)
{
    struct new_board form = in->body;

    return db_transact(req, create_board_body, &form);
}

/* A board, by its short name. */
reply_t read_board(req_t *req, const struct read_board_request *in)
{
    struct board_by_slug row;

    find_board(db_read(req), in->board, &row);
    return reply_board(req, 200, &row);
}

static reply_t change_board_body(tx_t *tx, void *arg)
{
    const struct change_board_request *in = arg;
    struct board_by_slug row;

    find_board(tx, in->board, &row);
    check_match(tx->req, row.version);
    if (in->body.has_title)
        row.title = in->body.title;
    if (in->body.has_description)
        row.description = in->body.description;
    if (in->body.has_closed && in->body.closed != (row.closed_at != 0))
        row.closed_at = in->body.closed ? tx->req->now : 0;
    row.version = version_next(row.version);
    board_update(tx, &(struct board_update_in){
                         .id = row.id,
                         .title = row.title,
                         .description = row.description,
                         .closed_at = row.closed_at,
                         .version = row.version,
                     });
    log_board(tx, "board.changed", &row);
    return reply_board(tx->req, 200, &row);
}

/* Changes a board's title or description, closes it or opens it again. */
reply_t change_board(req_t *req, const struct change_board_request *in)
{
    struct change_board_request copy = *in;

    return db_transact(req, change_board_body, &copy);
}
