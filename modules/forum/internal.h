/* What the forum's files share. */
#ifndef FOLKMOOT_FORUM_INTERNAL_H
#define FOLKMOOT_FORUM_INTERNAL_H

#include "core/host.h"
#include "core/module.h"

#include "api.h"
#include "migrations.h"
#include "queries.h"

/* A vote as it is stored; the words of the API in their order. */
enum {
    VOTE_NONE = 0,
    VOTE_AGREE = BALLOT_VALUE_AGREE,
    VOTE_DISAGREE = BALLOT_VALUE_DISAGREE,
    VOTE_PASS = BALLOT_VALUE_PASS
};

typedef struct tally_counts {
    int64_t agree, disagree, pass;
} tally_counts_t;

/* ---- ranking.c: pure ---- */

/* The lower bound of the 95 % Wilson score interval of agree / (agree + disagree), in billionths; 0 without
 * votes. Passes do not count. E. B. Wilson, "Probable inference, the law of succession, and statistical
 * inference", 1927. */
int64_t agreement_score(int64_t agree, int64_t disagree);

/* The counts after one person's vote changed from `before` to `after` (VOTE_NONE: none). */
tally_counts_t tally_after(tally_counts_t counts, int64_t before, int64_t after);

/* ---- items.c ---- */

/* A row of item_by_id and its kin, as the API shows it; in the request's arena. */
struct post post_shown(req_t *req, const struct item_by_id *row);
struct comment comment_shown(req_t *req, const struct item_by_id *row);

/* The post or the comment of that id as the caller sees it; ends in NOT_FOUND when there is none of that
 * kind. */
void find_post(tx_t *tx, uuid_t id, struct item_by_id *row);
void find_comment(tx_t *tx, uuid_t id, struct item_by_id *row);

/* Ends in BOARD_CLOSED when the board takes nothing new. */
void check_board_open(req_t *req, int64_t closed_at, str_t slug);

/* Ends in GONE or NOT_YOURS unless the caller may change the item; compares If-Match. */
void check_own_item(req_t *req, const struct item_by_id *row);

/* Appends an item's entry ("post.created"…) and tells those who follow its post (and, for a post, its board).
 */
void log_item(tx_t *tx, const char *what, const struct item_by_id *row);

/* Looks up the author's name, for a new item that is shown and told at once. */
void name_author(tx_t *tx, struct item_by_id *row);

/* Writes a new item and its log entry. */
void insert_item(tx_t *tx, const struct item_by_id *row);

/* Writes a change of title, body, edited_at, deleted_at and version of `row`, and logs it as `what`
 * ("changed", "deleted"). */
void save_item(tx_t *tx, const char *what, struct item_by_id *row);

/* Empties an item; for the operations that delete one's own. */
void erase_item(tx_t *tx, struct item_by_id *row);

/* "board/<id>", "post/<id>", or both. */
str_t topics_of(req_t *req, const uuid_t *board, const uuid_t *post);

/* An id as text, in the request's arena. */
const char *uuid_text(req_t *req, const uuid_t *id);

/* The greatest id: the place before the first of a list that runs backwards. */
uuid_t uuid_last(void);

/* ---- boards.c ---- */

/* Opens a board in this transaction: its row and its log entry; fails with SLUG_TAKEN. `form`'s text must
 * outlive it. */
void board_open(tx_t *tx, const struct new_board *form, uuid_t creator, struct board_by_slug *board);

/* ---- votes.c ---- */

typedef struct vote_change {
    uuid_t item, board, member;
    int64_t before, after; /* VOTE_NONE: none */
    int64_t cast_at;
    tally_counts_t counts; /* after it */
    str_t topics;
} vote_change_t;

/* The log entry of a changed vote; in the request's arena. */
log_entry_t vote_entry(req_t *req, const vote_change_t *change);

/* ---- readers ---- */

void apply_members(tx_t *tx, const log_entry_t *entries, size_t count); /* members.c, of identity's log */
void apply_totals(tx_t *tx, const log_entry_t *entries, size_t count);  /* totals.c, of the forum's own log */

/* ---- polis_import.c (with polis_conversation.c and polis_votes.c), polis_export.c ---- */

void polis_import_check(req_t *req, const command_input_t *input);
void polis_import_conversation(req_t *req, const command_input_t *input);
void polis_export_conversation(req_t *req, const command_input_t *input);

#endif
