/*
 * JSON text in and out (RFC 8259). The reader is a strict pull parser over a buffer: UTF-8 is checked, depth
 * is bounded, a NUL in a string, a lone surrogate, a number beyond what a double or int64 holds exactly as
 * asked, and text behind the value are errors. The writer appends to a buffer that grows in an arena.
 * Decoding into structs is schema.h's work.
 */
#ifndef FOLKMOOT_JSON_H
#define FOLKMOOT_JSON_H

#include "core/runtime/arena.h"
#include "core/runtime/clock.h"
#include "core/runtime/utf8.h"
#include "core/runtime/uuid.h"

enum { JSON_DEPTH_MAX = 32 };

typedef enum json_type {
    JSON_ERROR,
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
} json_type_t;

typedef struct json_reader {
    const char *at, *end, *start;
    arena_t *arena; /* where strings are put */
    int depth;
    const char *error; /* NULL, or what is wrong, as a sentence; sticky */
} json_reader_t;

void json_reader_init(json_reader_t *reader, arena_t *arena, str_t text);
json_type_t json_peek(json_reader_t *reader); /* the type of the value that comes next */

/* Each reads one value of that type and returns false (with error set) when there is another. */
bool json_read_null(json_reader_t *reader) MUST_CHECK;
bool json_read_bool(json_reader_t *reader, bool *value) MUST_CHECK;
bool json_read_int(json_reader_t *reader,
                   int64_t *value) MUST_CHECK; /* 1, 1.0 and 1e3 are integers; 1.5 is not */
bool json_read_number(json_reader_t *reader,
                      str_t *digits) MUST_CHECK; /* as it stands in the source, without a NUL */
bool json_read_string(json_reader_t *reader,
                      str_t *value) MUST_CHECK;   /* in the arena, with a NUL behind it */
bool json_skip(json_reader_t *reader) MUST_CHECK; /* any value, still checked */

/* What the text of a JSON number is as an integer. */
typedef enum json_int_form { JSON_INT_EXACT, JSON_INT_FRACTION, JSON_INT_TOO_LARGE } json_int_form_t;
json_int_form_t json_int_of(str_t digits, int64_t *value);

/* Objects: begin, then next for each member (false at the end or on an error), then the member's value. */
bool json_object_begin(json_reader_t *reader) MUST_CHECK;
bool json_object_next(json_reader_t *reader, str_t *name) MUST_CHECK;
bool json_array_begin(json_reader_t *reader) MUST_CHECK;
bool json_array_next(json_reader_t *reader) MUST_CHECK;
bool json_end(json_reader_t *reader)
    MUST_CHECK; /* true when nothing but white space is left and there was no error */
size_t json_line(const json_reader_t *reader); /* 1-based line and column of the error, for messages */
size_t json_column(const json_reader_t *reader);

typedef struct json_writer {
    arena_t *arena;
    char *at;
    size_t length, capacity;
    bool comma; /* private: whether the next value needs a comma before it */
} json_writer_t;

void json_writer_init(json_writer_t *writer, arena_t *arena, size_t expected);
void json_object_open(json_writer_t *writer);
void json_object_close(json_writer_t *writer);
void json_array_open(json_writer_t *writer);
void json_array_close(json_writer_t *writer);
void json_name(json_writer_t *writer, str_t name);
void json_null(json_writer_t *writer);
void json_bool(json_writer_t *writer, bool value);
void json_int(json_writer_t *writer, int64_t value);
void json_string(json_writer_t *writer, str_t value); /* STR_NONE writes null; invalid UTF-8 becomes U+FFFD */
void json_uuid(json_writer_t *writer, const uuid_t *value); /* none writes null */
void json_time(json_writer_t *writer, int64_t value);       /* RFC 3339 */
void json_raw(json_writer_t *writer, str_t value);          /* a JSON value that is valid already */
str_t json_text(json_writer_t *writer);                     /* with a NUL behind it */

#endif
