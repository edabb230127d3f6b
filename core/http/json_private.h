/* What the files of the JSON reader and writer share. */
#ifndef FOLKMOOT_JSON_PRIVATE_H
#define FOLKMOOT_JSON_PRIVATE_H

#include "core/http/json.h"

/* Whether any of eight bytes is a quote, a backslash, a control character or beyond ASCII. */
static inline bool json_any_special(uint64_t bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    const uint64_t quote = bytes ^ (ones * '"'), backslash = bytes ^ (ones * '\\');
    const uint64_t below_space = bytes - ones * 0x20;

    return (((quote - ones) | (backslash - ones) | below_space | bytes) & tops) != 0;
}

static inline bool json_is_special(char character)
{
    const unsigned char byte = (unsigned char)character;

    return byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\';
}

/* The first byte from `at` that may not stand in a JSON string as it is, or `end`. */
static inline const char *json_plain_end(const char *at, const char *end)
{
    while (end - at >= 8) {
        uint64_t bytes;
        memcpy(&bytes, at, sizeof bytes);
        if (json_any_special(bytes))
            break;
        at += sizeof bytes;
    }
    while (at < end && !json_is_special(*at))
        at++;
    return at;
}

static inline bool json_wrong(json_reader_t *reader, const char *error)
{
    if (reader->error == NULL)
        reader->error = error;
    return false;
}

static inline bool json_is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* At least one digit; returns the end of them, or NULL. */
static inline const char *json_digits_end(const char *at, const char *end)
{
    const char *const start = at;

    while (at < end && json_is_digit(*at))
        at++;
    return at > start ? at : NULL;
}

/* ---- json_string.c ---- */

/* Checks the string that begins behind the quote at `at`. Returns where its closing quote stands, or NULL. */
const char *json_string_end(json_reader_t *reader, const char *at, bool *escaped);

/* Copies a string that was checked; what is escaped only gets shorter. Returns its length. */
size_t json_unescape(json_reader_t *reader, char *out, const char *at, const char *end);

#endif
