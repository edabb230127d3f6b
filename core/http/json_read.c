/*
 * The JSON reader. Every function leaves `at` behind what it read; the first error stays and makes all later
 * calls fail, so that callers may check once at the end. White space is skipped before a token, never behind
 * it: so the byte before `at` tells whether an object or array has just begun.
 */
#include "core/http/json_private.h"

void json_reader_init(json_reader_t *reader, arena_t *arena, str_t text)
{
    const char *start = text.at ? text.at : "";

    *reader = (json_reader_t){.at = start, .end = start + text.length, .start = start, .arena = arena};
}

static void skip_space(json_reader_t *reader)
{
    while (reader->at < reader->end) {
        const char next = *reader->at;
        if (next != ' ' && next != '\n' && next != '\r' && next != '\t')
            return;
        reader->at++;
    }
}

json_type_t json_peek(json_reader_t *reader)
{
    skip_space(reader);
    if (reader->error)
        return JSON_ERROR;
    if (reader->at == reader->end) {
        json_wrong(reader, "it ends where a value should be");
        return JSON_ERROR;
    }
    switch (*reader->at) {
    case 'n':
        return JSON_NULL;
    case 't':
    case 'f':
        return JSON_BOOL;
    case '"':
        return JSON_STRING;
    case '[':
        return JSON_ARRAY;
    case '{':
        return JSON_OBJECT;
    case '-':
    case '0' ... '9':
        return JSON_NUMBER;
    default:
        json_wrong(reader, "there is no value where one should be");
        return JSON_ERROR;
    }
}

static bool expect(json_reader_t *reader, json_type_t type, const char *error)
{
    const json_type_t next = json_peek(reader);

    return next == type || json_wrong(reader, error);
}

static bool take_word(json_reader_t *reader, str_t word)
{
    if ((size_t)(reader->end - reader->at) < word.length || memcmp(reader->at, word.at, word.length) != 0)
        return json_wrong(reader, "a word that is not true, false or null stands without quotes");
    reader->at += word.length;
    return true;
}

bool json_read_null(json_reader_t *reader)
{
    return expect(reader, JSON_NULL, "there should be null") && take_word(reader, STR("null"));
}

bool json_read_bool(json_reader_t *reader, bool *value)
{
    if (!expect(reader, JSON_BOOL, "there should be true or false"))
        return false;
    *value = *reader->at == 't';
    return take_word(reader, *value ? STR("true") : STR("false"));
}

/* ---- numbers ---- */

bool json_read_number(json_reader_t *reader, str_t *digits)
{
    if (!expect(reader, JSON_NUMBER, "there should be a number"))
        return false;
    const char *at = reader->at, *const end = reader->end;
    at += *at == '-';
    const char *const whole = at;
    at = json_digits_end(at, end);
    if (at == NULL || (*whole == '0' && at > whole + 1))
        return json_wrong(reader, "a number is malformed");
    if (at < end && *at == '.')
        at = json_digits_end(at + 1, end);
    if (at && at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        at = json_digits_end(at, end);
    }
    if (at == NULL)
        return json_wrong(reader, "a number is malformed");
    *digits = (str_t){reader->at, (size_t)(at - reader->at)};
    reader->at = at;
    return true;
}

bool json_read_int(json_reader_t *reader, int64_t *value)
{
    str_t digits;

    if (!json_read_number(reader, &digits))
        return false;
    switch (json_int_of(digits, value)) {
    case JSON_INT_FRACTION:
        return json_wrong(reader, "a number should be whole");
    case JSON_INT_TOO_LARGE:
        return json_wrong(reader, "a number does not fit in 64 bits");
    default:
        return true;
    }
}

/* ---- strings ---- */

bool json_read_string(json_reader_t *reader, str_t *value)
{
    bool escaped = false;

    if (!expect(reader, JSON_STRING, "there should be a string"))
        return false;
    const char *const start = reader->at + 1, *const end = json_string_end(reader, start, &escaped);
    if (end == NULL)
        return false;
    reader->at = end + 1;
    *value = (str_t){start, (size_t)(end - start)};
    if (!escaped) {
        *value = arena_str(reader->arena, *value);
        return true;
    }
    char *copy = arena_alloc(reader->arena, value->length + 1);
    value->length = json_unescape(reader, copy, start, end);
    value->at = copy;
    copy[value->length] = '\0';
    return true;
}

/* ---- objects and arrays ---- */

static bool begin(json_reader_t *reader, json_type_t type, const char *error)
{
    if (!expect(reader, type, error))
        return false;
    if (reader->depth == JSON_DEPTH_MAX)
        return json_wrong(reader, "it is nested more than 32 levels deep");
    reader->depth++;
    reader->at++;
    return true;
}

bool json_object_begin(json_reader_t *reader)
{
    return begin(reader, JSON_OBJECT, "there should be an object");
}

bool json_array_begin(json_reader_t *reader)
{
    return begin(reader, JSON_ARRAY, "there should be an array");
}

/* Moves to the next member or item: over the comma, unless it is the first; false at the closing bracket. */
static bool next(json_reader_t *reader, char opening, char closing)
{
    if (reader->error)
        return false;
    const bool first = reader->at[-1] == opening;
    skip_space(reader);
    if (reader->at == reader->end)
        return json_wrong(reader, "an object or array is never closed");
    if (*reader->at == closing) {
        reader->at++;
        reader->depth--;
        return false;
    }
    if (first)
        return true;
    if (*reader->at != ',')
        return json_wrong(reader, "a comma or a closing bracket is missing");
    reader->at++;
    return true;
}

bool json_object_next(json_reader_t *reader, str_t *name)
{
    if (!next(reader, '{', '}'))
        return false;
    if (!expect(reader, JSON_STRING, "there should be the name of a member, in quotes") ||
        !json_read_string(reader, name))
        return false;
    skip_space(reader);
    if (reader->at == reader->end || *reader->at != ':')
        return json_wrong(reader, "a colon is missing behind a name");
    reader->at++;
    return true;
}

bool json_array_next(json_reader_t *reader)
{
    return next(reader, '[', ']') && json_peek(reader) != JSON_ERROR;
}

static bool skip_string(json_reader_t *reader)
{
    bool escaped;
    const char *end = json_string_end(reader, reader->at + 1, &escaped);

    reader->at = end ? end + 1 : reader->at;
    return end != NULL;
}

static bool skip_object(json_reader_t *reader)
{
    str_t name;

    if (!json_object_begin(reader))
        return false;
    while (json_object_next(reader, &name))
        if (!json_skip(reader))
            return false;
    return reader->error == NULL;
}

static bool skip_array(json_reader_t *reader)
{
    if (!json_array_begin(reader))
        return false;
    while (json_array_next(reader))
        if (!json_skip(reader))
            return false;
    return reader->error == NULL;
}

/* Calls itself at most JSON_DEPTH_MAX deep. */
bool json_skip(json_reader_t *reader)
{
    str_t digits;
    bool value;

    switch (json_peek(reader)) {
    case JSON_NULL:
        return json_read_null(reader);
    case JSON_BOOL:
        return json_read_bool(reader, &value);
    case JSON_NUMBER:
        return json_read_number(reader, &digits);
    case JSON_STRING:
        return skip_string(reader);
    case JSON_ARRAY:
        return skip_array(reader);
    case JSON_OBJECT:
        return skip_object(reader);
    default:
        return false;
    }
}

bool json_end(json_reader_t *reader)
{
    skip_space(reader);
    if (reader->error)
        return false;
    return reader->at == reader->end || json_wrong(reader, "there is something behind the value");
}

size_t json_line(const json_reader_t *reader)
{
    size_t line = 1;

    for (const char *at = reader->start; at < reader->at; at++)
        line += *at == '\n';
    return line;
}

size_t json_column(const json_reader_t *reader)
{
    const char *at = reader->at;

    while (at > reader->start && at[-1] != '\n')
        at--;
    return (size_t)(reader->at - at) + 1;
}
