/*
 * Problems: every way in which a request can end other than well. A kind is a code, an HTTP status and a
 * title; it is declared once, under x-problems of an API description in openapi/, and generated from there
 * (core's own: openapi/core.yaml, generated into core/api.h). The gateway answers with it as
 * application/problem+json (RFC 9457).
 */
#ifndef FOLKMOOT_PROBLEM_H
#define FOLKMOOT_PROBLEM_H

#include "core/runtime/base.h"

typedef struct problem_kind {
    const char *code; /* "board_closed"; the type is "/problems#board_closed" */
    int status;       /* 400..599 */
    const char *title;
} problem_kind_t;

/* One thing wrong with one field of the input. */
typedef struct field_error {
    str_t pointer; /* JSON pointer into the body ("/title"), or "query/limit", "path/board", "header/If-Match"
                    */
    str_t detail;  /* what is wrong and what would be right */
} field_error_t;

enum { FIELD_ERRORS_MAX = 16 };

typedef struct problem {
    const problem_kind_t *kind; /* NULL: none */
    str_t detail;
    field_error_t fields[FIELD_ERRORS_MAX];
    size_t field_count;
    int64_t retry_after_us; /* 0: not said */
} problem_t;

#endif
