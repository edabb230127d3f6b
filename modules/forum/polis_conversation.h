/* A Polis conversation as its files tell it: what the parts of its import share. */
#ifndef FOLKMOOT_FORUM_POLIS_CONVERSATION_H
#define FOLKMOOT_FORUM_POLIS_CONVERSATION_H

#include "core/import/polis.h"

#include "internal.h"

/* A statement of the conversation, by its number there. */
typedef struct statement_key {
    int64_t number;
    int64_t time;
    size_t line; /* of comments.csv */
    uuid_t item; /* the post that it is, or is to be */
} statement_key_t;

typedef struct conversation {
    const command_input_t *input;
    struct board_by_slug board;
    str_t title, description;    /* of summary.csv */
    statement_key_t *statements; /* by number, each once */
    size_t statement_count, statement_capacity;
} conversation_t;

/* Reads comments.csv for the statements that there are, and summary.csv. Ends in INVALID. */
conversation_t *conversation_open(req_t *req, const command_input_t *input);

/* NULL when comments.csv does not have the statement. */
const statement_key_t *conversation_statement(const conversation_t *conversation, int64_t number);

/* Finds the statements that the board has already. Ends in INVALID when it has another one by the same
 * number: then it is the board of another conversation. */
void conversation_match_board(req_t *req, conversation_t *conversation, uuid_t board);

/* The next statement that is whole and has words, and is the first of its number; false at the end. */
bool conversation_next_statement(polis_file_t *file, const conversation_t *conversation,
                                 polis_comment_t *comment);

/* The next vote that is whole and on a statement that there is; false at the end. */
bool conversation_next_vote(polis_file_t *file, const conversation_t *conversation, polis_vote_t *vote);

/* polis_votes.c: imports the votes, once the statements are in. */
void conversation_import_votes(req_t *req, conversation_t *conversation);

#endif
