/*
 * What stands between the quotes of a JSON string: checked in one pass, and, where something is escaped,
 * copied in a second.
 */
#include "core/http/json_private.h"

/* Four hexadecimal digits; -1 when they are not. */
static int hex4(const char *at, const char *end)
{
    int value = 0;

    if (end - at < 4)
        return -1;
    for (int place = 0; place < 4; place++) {
        const char digit = at[place];
        const char lower = (char)(digit | 0x20);
        if (json_is_digit(digit))
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
        json_wrong(reader, "\\u needs four hexadecimal digits");
        return 0;
    }
    *at += 4;
    if (first == 0)
        json_wrong(reader, "a string has a NUL");
    if (first < 0xd800 || first > 0xdfff)
        return (unsigned)first;
    const bool pair = reader->end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u';
    const int second = pair ? hex4(*at + 2, reader->end) : -1;
    if (first > 0xdbff || second < 0xdc00 || second > 0xdfff) {
        json_wrong(reader, "a string has half of a surrogate pair");
        return 0;
    }
    *at += 6;
    return 0x10000 + (((unsigned)first - 0xd800) << 10) + ((unsigned)second - 0xdc00);
}

const char *json_string_end(json_reader_t *reader, const char *at, bool *escaped)
{
    const char *const end = reader->end;

    for (;;) {
        at = json_plain_end(at, end);
        if (at == end) {
            json_wrong(reader, "a string is never closed");
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
                json_wrong(reader, "a string has an escape that JSON does not know");
                return NULL;
            }
            const bool by_number = at[1] == 'u';
            at += 2;
            if (by_number && escaped_code_point(reader, &at) == 0)
                return NULL;
        } else {
            json_wrong(reader, *at == '\\' ? "a string is never closed"
                                           : "a string has a control character that is not escaped");
            return NULL;
        }
    }
    json_wrong(reader, "a string is not valid UTF-8");
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

size_t json_unescape(json_reader_t *reader, char *out, const char *at, const char *end)
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
