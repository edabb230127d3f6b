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

static bool wrong(json_reader_t *reader, const char *error)
{
    if (reader->error == NULL)
        reader->error = error;
    return false;
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
        wrong(reader, "it ends where a value should be");
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
        wrong(reader, "there is no value where one should be");
        return JSON_ERROR;
    }
}

static bool expect(json_reader_t *reader, json_type_t type, const char *error)
{
    const json_type_t next = json_peek(reader);

    return next == type || wrong(reader, error);
}

static bool take_word(json_reader_t *reader, str_t word)
{
    if ((size_t)(reader->end - reader->at) < word.length || memcmp(reader->at, word.at, word.length) != 0)
        return wrong(reader, "a word that is not true, false or null stands without quotes");
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

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* At least one digit; returns the end of them, or NULL. */
static const char *digits_end(const char *at, const char *end)
{
    const char *const start = at;

    while (at < end && is_digit(*at))
        at++;
    return at > start ? at : NULL;
}

bool json_read_number(json_reader_t *reader, str_t *digits)
{
    if (!expect(reader, JSON_NUMBER, "there should be a number"))
        return false;
    const char *at = reader->at, *const end = reader->end;
    at += *at == '-';
    const char *const whole = at;
    at = digits_end(at, end);
    if (at == NULL || (*whole == '0' && at > whole + 1))
        return wrong(reader, "a number is malformed");
    if (at < end && *at == '.')
        at = digits_end(at + 1, end);
    if (at && at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        at = digits_end(at, end);
    }
    if (at == NULL)
        return wrong(reader, "a number is malformed");
    *digits = (str_t){reader->at, (size_t)(at - reader->at)};
    reader->at = at;
    return true;
}

/* The exponent behind the e, held within what can matter. */
static int64_t exponent_of(const char *at, const char *end)
{
    const bool negative = at < end && *at == '-';
    int64_t exponent = 0;

    at += at < end && (*at == '-' || *at == '+');
    for (; at < end; at++)
        exponent = exponent < 1000000000 ? exponent * 10 + (*at - '0') : exponent;
    return negative ? -exponent : exponent;
}

static json_int_form_t signed_value(bool negative, uint64_t size, int64_t *value)
{
    if (size > (uint64_t)INT64_MAX + negative)
        return JSON_INT_TOO_LARGE;
    *value = negative ? (int64_t)(0 - size) : (int64_t)size;
    return JSON_INT_EXACT;
}

/* The significant digits of a number, as one integer, and the power of ten that it is multiplied by. */
typedef struct decimal {
    uint64_t size;
    int64_t power;
    unsigned used; /* digits in `size` */
    bool fraction; /* whether there was a point */
    bool too_long; /* more digits than any int64 has */
} decimal_t;

/* Zeros at the end are counted in `power` and multiplied in only when a digit follows them. */
static decimal_t decimal_of(const char *at, const char *end)
{
    decimal_t decimal = {0};

    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            decimal.fraction = true;
            continue;
        }
        decimal.power -= decimal.fraction;
        if (*at == '0' && decimal.used == 0)
            continue;
        decimal.used++;
        if (decimal.used <= 19)
            decimal.size = decimal.size * 10 + (uint64_t)(*at - '0');
        else if (*at == '0')
            decimal.power++;
        else
            decimal.too_long = true;
    }
    for (; decimal.size > 0 && decimal.size % 10 == 0; decimal.size /= 10)
        decimal.power++;
    decimal.power += at < end ? exponent_of(at + 1, end) : 0;
    return decimal;
}

/* A number with a point or an exponent. */
static json_int_form_t scaled_value(bool negative, const char *at, const char *end, int64_t *value)
{
    decimal_t decimal = decimal_of(at, end);

    if (decimal.too_long)
        return decimal.fraction ? JSON_INT_FRACTION : JSON_INT_TOO_LARGE;
    if (decimal.size == 0)
        return signed_value(false, 0, value);
    if (decimal.power < 0)
        return JSON_INT_FRACTION;
    for (; decimal.power > 0; decimal.power--)
        if (__builtin_mul_overflow(decimal.size, 10, &decimal.size))
            return JSON_INT_TOO_LARGE;
    return signed_value(negative, decimal.size, value);
}

json_int_form_t json_int_of(str_t digits, int64_t *value)
{
    const char *at = digits.at, *const end = digits.at + digits.length;
    const bool negative = at < end && *at == '-';
    uint64_t size = 0;

    at += negative;
    if (digits_end(at, end) != end)
        return scaled_value(negative, at, end, value);
    for (; at < end; at++)
        if (__builtin_mul_overflow(size, 10, &size) ||
            __builtin_add_overflow(size, (uint64_t)(*at - '0'), &size))
            return JSON_INT_TOO_LARGE;
    return signed_value(negative, size, value);
}

bool json_read_int(json_reader_t *reader, int64_t *value)
{
    str_t digits;

    if (!json_read_number(reader, &digits))
        return false;
    switch (json_int_of(digits, value)) {
    case JSON_INT_FRACTION:
        return wrong(reader, "a number should be whole");
    case JSON_INT_TOO_LARGE:
        return wrong(reader, "a number does not fit in 64 bits");
    default:
        return true;
    }
}

/* ---- strings ---- */

/* Four hexadecimal digits; -1 when they are not. */
static int hex4(const char *at, const char *end)
{
    int value = 0;

    if (end - at < 4)
        return -1;
    for (int place = 0; place < 4; place++) {
        const char digit = at[place];
        const char lower = (char)(digit | 0x20);
        if (is_digit(digit))
            value = value * 16 + (digit - '0');
        else if (lower >= 'a' && lower <= 'f')
            value = value * 16 + (lower - 'a' + 10);
        else
            return -1;
    }
    return value;
}

/* The code point of a \u escape whose digits begin at *at, which moves behind it; 0 when it is refused. */
static unsigned escaped_code_point(json_reader_t *reader, const char **at)
{
    const int first = hex4(*at, reader->end);

    if (first < 0) {
        wrong(reader, "\\u needs four hexadecimal digits");
        return 0;
    }
    *at += 4;
    if (first == 0)
        wrong(reader, "a string has a NUL");
    if (first < 0xd800 || first > 0xdfff)
        return (unsigned)first;
    const bool pair = reader->end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u';
    const int second = pair ? hex4(*at + 2, reader->end) : -1;
    if (first > 0xdbff || second < 0xdc00 || second > 0xdfff) {
        wrong(reader, "a string has half of a surrogate pair");
        return 0;
    }
    *at += 6;
    return 0x10000 + (((unsigned)first - 0xd800) << 10) + ((unsigned)second - 0xdc00);
}

/* Checks the string that begins behind the quote at `at`. Returns where its closing quote stands, or NULL. */
static const char *string_end(json_reader_t *reader, const char *at, bool *escaped)
{
    const char *const end = reader->end;

    for (;;) {
        at = json_plain_end(at, end);
        if (at == end) {
            wrong(reader, "a string is never closed");
            return NULL;
        }
        if (*at == '"')
            return at;
        if ((unsigned char)*at >= 0x80) {
            const size_t size = utf8_size(at, end);
            if (size == 0)
                break;
            at += size;
        } else if (*at == '\\' && end - at >= 2) {
            *escaped = true;
            if (at[1] == '\0' || strchr("\"\\/bfnrtu", at[1]) == NULL) {
                wrong(reader, "a string has an escape that JSON does not know");
                return NULL;
            }
            const bool by_number = at[1] == 'u';
            at += 2;
            if (by_number && escaped_code_point(reader, &at) == 0)
                return NULL;
        } else {
            wrong(reader, *at == '\\' ? "a string is never closed"
                                      : "a string has a control character that is not escaped");
            return NULL;
        }
    }
    wrong(reader, "a string is not valid UTF-8");
    return NULL;
}

static char *put_utf8(char *out, unsigned code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
        *out++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *out++ = (char)(0xe0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    } else {
        *out++ = (char)(0xf0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3f));
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    }
    return out;
}

static char unescaped(char character)
{
    switch (character) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return character;
    }
}

/* Copies a string that string_end has checked; what is escaped only gets shorter. Returns its length. */
static size_t unescape(json_reader_t *reader, char *out, const char *at, const char *end)
{
    char *const start = out;

    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        const size_t plain = (size_t)((escape ? escape : end) - at);
        memcpy(out, at, plain);
        out += plain;
        at += plain;
        if (at == end)
            break;
        const char kind = at[1];
        at += 2;
        if (kind == 'u')
            out = put_utf8(out, escaped_code_point(reader, &at));
        else
            *out++ = unescaped(kind);
    }
    return (size_t)(out - start);
}

bool json_read_string(json_reader_t *reader, str_t *value)
{
    bool escaped = false;

    if (!expect(reader, JSON_STRING, "there should be a string"))
        return false;
    const char *const start = reader->at + 1, *const end = string_end(reader, start, &escaped);
    if (end == NULL)
        return false;
    reader->at = end + 1;
    *value = (str_t){start, (size_t)(end - start)};
    if (!escaped) {
        *value = arena_str(reader->arena, *value);
        return true;
    }
    char *copy = arena_alloc(reader->arena, value->length + 1);
    value->length = unescape(reader, copy, start, end);
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
        return wrong(reader, "it is nested more than 32 levels deep");
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
        return wrong(reader, "an object or array is never closed");
    if (*reader->at == closing) {
        reader->at++;
        reader->depth--;
        return false;
    }
    if (first)
        return true;
    if (*reader->at != ',')
        return wrong(reader, "a comma or a closing bracket is missing");
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
        return wrong(reader, "a colon is missing behind a name");
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
    const char *end = string_end(reader, reader->at + 1, &escaped);

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
    return reader->at == reader->end || wrong(reader, "there is something behind the value");
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
