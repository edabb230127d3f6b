/*
 * What posts and comments have in common: they are items, with an author, votes, a place in a thread, and a
 * life (written, edited, deleted). What is special to one stands in posts.c or comments.c.
 */
#include "internal.h"

static struct tally tally_shown(const struct item_by_id *row)
{
    return (struct tally){
        .agree_count = row->agree_count,
        .disagree_count = row->disagree_count,
        .pass_count = row->pass_count,
        .own = (int)row->own,
    };
}

/* NULL for what was deleted. The name is empty until identity's log has told it. */
static struct author *author_shown(req_t *req, const struct item_by_id *row)
{
    if (row->deleted_at)
        return NULL;
    struct author *author = arena_new_of(req->arena, struct author);
    author->id = row->author_id;
    author->name = row->author_name.at ? row->author_name : STR("");
    return author;
}

struct post post_shown(req_t *req, const struct item_by_id *row)
{
    return (struct post){
        .id = row->id,
        .board_id = row->board_id,
        .board_slug = row->board_slug,
        .author = author_shown(req, row),
        .title = row->title,
        .body = row->body,
        .created_at = row->created_at,
        .edited_at = row->edited_at,
        .deleted_at = row->deleted_at,
        .moderation = (int)row->moderation,
        .comment_count = row->comment_count,
        .tally = tally_shown(row),
    };
}

struct comment comment_shown(req_t *req, const struct item_by_id *row)
{
    return (struct comment){
        .id = row->id,
        .post_id = row->root_id,
        .parent_id = row->parent_id,
        .depth = row->depth,
        .author = author_shown(req, row),
        .body = row->body,
        .created_at = row->created_at,
        .edited_at = row->edited_at,
        .deleted_at = row->deleted_at,
        .reply_count = row->reply_count,
        .tally = tally_shown(row),
    };
}

void find_post(tx_t *tx, uuid_t id, struct item_by_id *row)
{
    if (!item_by_id(tx, id, tx->req->caller.member, row) || !uuid_is_none(&row->parent_id))
        fail(tx->req, &NOT_FOUND, "There is no post with this id.");
}

void find_comment(tx_t *tx, uuid_t id, struct item_by_id *row)
{
    if (!item_by_id(tx, id, tx->req->caller.member, row) || uuid_is_none(&row->parent_id))
        fail(tx->req, &NOT_FOUND, "There is no comment with this id.");
}

void check_board_open(req_t *req, int64_t closed_at, str_t slug)
{
    char since[TIME_TEXT_SIZE];

    if (!closed_at)
        return;
    (void)time_format(closed_at, since);
    fail(req, &BOARD_CLOSED, "The board “%s” was closed on %.10s. You can still read it.", slug.at, since);
}

void check_own_item(req_t *req, const struct item_by_id *row)
{
    if (row->deleted_at)
        fail(req, &GONE, "It was deleted and cannot be changed any more.");
    if (!uuid_equal(&row->author_id, &req->caller.member))
        fail(req, &NOT_YOURS, "Somebody else wrote it. You can answer it instead.");
    check_match(req, row->version);
}

const char *uuid_text(req_t *req, const uuid_t *id)
{
    char *text = arena_alloc(req->arena, UUID_TEXT_SIZE);

    uuid_format(id, text);
    return text;
}

str_t topics_of(req_t *req, const uuid_t *board, const uuid_t *post)
{
    if (!board)
        return arena_printf(req->arena, "post/%s", uuid_text(req, post));
    if (!post)
        return arena_printf(req->arena, "board/%s", uuid_text(req, board));
    return arena_printf(req->arena, "board/%s post/%s", uuid_text(req, board), uuid_text(req, post));
}

uuid_t uuid_last(void)
{
    uuid_t id;

    memset(&id, 0xff, sizeof id);
    return id;
}

/* What everybody is told of an item: without the vote of the one who acts. */
static str_t live_item(req_t *req, const struct item_by_id *row)
{
    struct item_by_id neutral = *row;

    neutral.own = VOTE_NONE;
    if (uuid_is_none(&row->parent_id)) {
        struct post post = post_shown(req, &neutral);
        return schema_encode(req->arena, &post_schema, &post);
    }
    struct comment comment = comment_shown(req, &neutral);
    return schema_encode(req->arena, &comment_schema, &comment);
}

void log_item(tx_t *tx, const char *what, const struct item_by_id *row)
{
    req_t *req = tx->req;
    bool is_post = uuid_is_none(&row->parent_id);
    struct item_entry data = {
        .id = row->id,
        .board = row->board_id,
        .root = row->root_id,
        .parent = row->parent_id,
        .depth = row->depth,
        .author = row->author_id,
        .title = row->title,
        .body = row->body,
        .created_at = row->created_at,
        .edited_at = row->edited_at,
        .deleted_at = row->deleted_at,
        .moderation = (int)row->moderation,
    };

    log_append(tx, &(log_entry_t){
                       .type = arena_printf(req->arena, "%s.%s", is_post ? "post" : "comment", what),
                       .record = row->id,
                       .version = row->version,
                       .actor = req->caller.member,
                       .subject = row->author_id,
                       .data = schema_encode(req->arena, &item_entry_schema, &data),
                       .topics = topics_of(req, is_post ? &row->board_id : NULL, &row->root_id),
                       .live = live_item(req, row),
                   });
}

void name_author(tx_t *tx, struct item_by_id *row)
{
    struct member_by_id member;

    if (member_by_id(tx, row->author_id, &member))
        row->author_name = member.name;
}

void insert_item(tx_t *tx, const struct item_by_id *row)
{
    item_insert(tx, &(struct item_insert_in){
                        .id = row->id,
                        .board_id = row->board_id,
                        .root_id = row->root_id,
                        .parent_id = row->parent_id,
                        .depth = row->depth,
                        .author_id = row->author_id,
                        .title = row->title,
                        .body = row->body,
                        .created_at = row->created_at,
                        .moderation = row->moderation,
                        .version = row->version,
                    });
    log_item(tx, "created", row);
}

void save_item(tx_t *tx, const char *what, struct item_by_id *row)
{
    row->version = version_next(row->version);
    item_update(tx, &(struct item_update_in){
                        .id = row->id,
                        .title = row->title,
                        .body = row->body,
                        .edited_at = row->edited_at,
                        .deleted_at = row->deleted_at,
                        .version = row->version,
                    });
    log_item(tx, what, row);
}

void erase_item(tx_t *tx, struct item_by_id *row)
{
    check_own_item(tx->req, row);
    row->title = STR("");
    row->body = STR("");
    row->deleted_at = tx->req->now;
    save_item(tx, "deleted", row);
}
