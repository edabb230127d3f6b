/*
 * Reading the export of a Polis conversation: comments.csv and votes.csv (columns by name, in any order).
 * Several modules read the same conversation, each for its own records; what they share is how a record of it
 * is called: the ids below depend on the board and the conversation's own numbers alone, so each module finds
 * the same ones, and an import that is started again too.
 */
#ifndef FOLKMOOT_POLIS_H
#define FOLKMOOT_POLIS_H

#include "core/import/csv.h"
#include "core/module.h"

enum { POLIS_COLUMNS_MAX = 8 };

typedef struct polis_file {
    csv_reader_t csv;
    req_t *req;
    const command_input_t *input;
    const char *name;                 /* "votes.csv" */
    const char *const *columns;       /* ended by NULL */
    size_t places[POLIS_COLUMNS_MAX]; /* where each column stands in a record */
    bool silent;                      /* another module names the broken lines */
    int64_t lines;                    /* of the whole file, for progress */
    int64_t skipped;                  /* broken records passed over */
} polis_file_t;

/* Opens <source>/<name>, which must have the columns; closed with the request's arena. Ends in INVALID when
 * the file or a column is missing. */
polis_file_t *polis_open(req_t *req, const command_input_t *input, const char *name,
                         const char *const *columns);

/* The next whole record; false at the end. Broken ones are handled as polis_broken does. */
bool polis_next(polis_file_t *file);

/* The record just read is broken: names file and line; ends in INVALID, or, with --broken skip, counts it and
 * returns. */
void polis_broken(polis_file_t *file, const char *format, ...) PRINTF_LIKE(2, 3);

str_t polis_text(const polis_file_t *file, size_t column);

/* A whole number in least..most; false after polis_broken when it is none. */
bool polis_number(polis_file_t *file, size_t column, int64_t least, int64_t most, int64_t *number) MUST_CHECK;

/* Tells the command's user how far it is, in lines of the file: how many records those are is known at the
 * end only. */
void polis_progress(const polis_file_t *file);

enum { POLIS_NUMBER_MAX = INT32_MAX };

/* comments.csv and votes.csv, decoded. Times in µs UTC. False at the end. */
typedef struct polis_comment {
    int64_t time, number, author;
    int64_t moderated; /* 1 accepted, 0 not looked at, -1 rejected */
    str_t body;        /* valid until the next call */
} polis_comment_t;

typedef struct polis_vote {
    int64_t time, comment, voter;
    int64_t value; /* 1 agree, -1 disagree, 0 pass */
} polis_vote_t;

polis_file_t *polis_open_comments(req_t *req, const command_input_t *input);
polis_file_t *polis_open_votes(req_t *req, const command_input_t *input);
bool polis_next_comment(polis_file_t *file, polis_comment_t *comment);
bool polis_next_vote(polis_file_t *file, polis_vote_t *vote);

uuid_t polis_member_id(str_t board, int64_t number);
uuid_t polis_statement_id(str_t board, int64_t number, int64_t time);

#endif
