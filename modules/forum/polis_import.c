/*
 * A Polis conversation as a statement board: one post per comment with its time and moderation, and every
 * vote (polis_votes.c). Rows go in by batches; a statement that is there is passed over: so an import that is
 * cut off anywhere and started again goes on where it stopped.
 */
#include "polis_conversation.h"

enum { BATCH = 1000 };

static void open_board_body(tx_t *tx, void *arg)
{
    conversation_t *conversation = arg;
    struct new_board form = {
        .slug = conversation->input->board,
        .title = conversation->title,
        .description = conversation->description,
        .kind = BOARD_KIND_STATEMENTS,
    };

    if (!board_by_slug(tx, form.slug, UUID_NONE, &conversation->board))
        board_open(tx, &form, UUID_NONE, &conversation->board);
}

typedef struct statement_batch {
    const conversation_t *conversation;
    size_t count;
    polis_comment_t comments[BATCH];
} statement_batch_t;

static void import_statement(tx_t *tx, const conversation_t *conversation, const polis_comment_t *comment)
{
    struct conversation_item_by_number known;
    uuid_t id = conversation_statement(conversation, comment->number)->item;

    if (conversation_item_by_number(tx, conversation->board.id, comment->number, &known))
        return;
    struct item_by_id row = {
        .id = id,
        .board_id = conversation->board.id,
        .board_slug = conversation->board.slug,
        .root_id = id,
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
    conversation_members_set(tx,
                             &(struct conversation_members_set_in){.board = conversation->board.id,
                                                                   .number = comment->author,
                                                                   .member = row.author_id},
                             1);
}

static void import_statements_body(tx_t *tx, void *arg)
{
    const statement_batch_t *batch = arg;

    for (size_t i = 0; i < batch->count; i++)
        import_statement(tx, batch->conversation, &batch->comments[i]);
}

static void import_statements(req_t *req, const conversation_t *conversation)
{
    polis_file_t *file = polis_open_comments(req, conversation->input);
    statement_batch_t *batch = arena_new_of(req->arena, statement_batch_t);
    polis_comment_t *comments = batch->comments;
    bool more = true;

    batch->conversation = conversation;
    while (more) {
        arena_mark_t mark = arena_mark(req->arena);
        for (batch->count = 0;
             batch->count < BATCH &&
             (more = conversation_next_statement(file, conversation, &comments[batch->count]));
             batch->count++)
            comments[batch->count].body = arena_str(req->arena, comments[batch->count].body);
        if (batch->count > 0)
            db_apply(req, import_statements_body, batch);
        polis_progress(file);
        arena_rewind(req->arena, mark);
    }
}

/* Every line can be read, or may be passed over. */
static void check_lines(req_t *req, const conversation_t *conversation)
{
    polis_file_t *comments = polis_open_comments(req, conversation->input);
    polis_file_t *votes = polis_open_votes(req, conversation->input);
    polis_comment_t comment;
    polis_vote_t vote;

    comments->silent = votes->silent = true;
    while (conversation_next_statement(comments, conversation, &comment))
        ;
    while (conversation_next_vote(votes, conversation, &vote))
        ;
}

/* Nothing is begun that is known not to end well: the board can take it, and so can every line be taken. */
void polis_import_check(req_t *req, const command_input_t *input)
{
    struct board_for_posting board;
    conversation_t *conversation = conversation_open(req, input);

    if (board_for_posting(db_read(req), input->board, &board)) {
        if (board.kind != BOARD_KIND_STATEMENTS)
            fail(req, &INVALID,
                 "The board “%s” is for discussion; a conversation needs a board of statements. Choose "
                 "another name.",
                 input->board.at);
        conversation_match_board(req, conversation, board.id);
    }
    check_lines(req, conversation);
}

void polis_import_conversation(req_t *req, const command_input_t *input)
{
    conversation_t *conversation = conversation_open(req, input);

    db_apply(req, open_board_body, conversation);
    import_statements(req, conversation);
    conversation_match_board(req, conversation, conversation->board.id);
    conversation_import_votes(req, conversation);
}
