/* Replies: what a handler gives back. The body lives in the request's arena. */
#ifndef FOLKMOOT_REPLY_H
#define FOLKMOOT_REPLY_H

#include "core/http/schema.h"

typedef struct reply {
    int status;
    str_t body;       /* STR_NONE: none */
    const char *type; /* content type, a literal; NULL: application/json */
    str_t location;   /* of what was created */
    int64_t version;  /* of the record shown: part of the ETag; 0: none */
} reply_t;

reply_t reply_with(req_t *req, int status, const schema_t *schema, const void *value);
reply_t reply_nothing(void); /* 204 */

/*
 * A reply that shows one record of that version: 304 when If-None-Match already names it. A 304 keeps its
 * body, which its ETag stands for; the gateway sends none.
 */
reply_t reply_record(req_t *req, int status, const schema_t *schema, const void *value, int64_t version);

/*
 * The entity tag of a reply without its quotes, "<version>.<hash of the body>"; STR_NONE without a version.
 * What is shown of a record changes also without it (counts, the caller's own vote): so If-None-Match
 * compares all of it, If-Match the version.
 */
str_t reply_etag(arena_t *arena, const reply_t *reply);

/* Ends in VERSION_CONFLICT (412) when If-Match is there and names another version than `version`. */
void check_match(req_t *req, int64_t version);

/* Opaque cursors: the sort key of the last row of a page, in base64url with a keyed hash, so that a forged or
 * foreign one is refused (INVALID). `kind` binds it to one listing and its filters. At most CURSOR_PARTS_MAX
 * parts. */
enum { CURSOR_PARTS_MAX = 3 };

typedef struct cursor {
    int64_t keys[CURSOR_PARTS_MAX]; /* numbers to sort by */
    uuid_t id;                      /* and the id that breaks ties */
} cursor_t;

str_t cursor_encode(req_t *req, const char *kind, const cursor_t *cursor);
/* False for STR_NONE (the first page); a bad one ends in INVALID naming query/cursor. */
bool cursor_decode(req_t *req, const char *kind, str_t text, cursor_t *cursor);

/* The application/problem+json body of req->problem; *status is set. 5xx bodies carry no detail from inside.
 */
str_t problem_body(req_t *req, int *status);

#endif
