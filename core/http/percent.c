/* Percent-encoding of paths and queries (RFC 3986, and the form encoding's + for a space). */
#include "core/http/operation.h"

static int hex_digit(char digit)
{
    const char lower = (char)(digit | 0x20);

    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool percent_decode(arena_t *arena, str_t text, bool form, str_t *decoded)
{
    char *out = arena_alloc(arena, text.length + 1);
    size_t length = 0;

    for (size_t at = 0; at < text.length; at++) {
        char character = text.at[at];
        if (character == '%') {
            const int high = at + 2 < text.length ? hex_digit(text.at[at + 1]) : -1;
            const int low = high >= 0 ? hex_digit(text.at[at + 2]) : -1;
            if (low < 0)
                return false;
            character = (char)(high * 16 + low);
            at += 2;
        } else if (form && character == '+') {
            character = ' ';
        }
        if (character == '\0')
            return false;
        out[length++] = character;
    }
    out[length] = '\0';
    *decoded = (str_t){out, length};
    return utf8_valid(*decoded, NULL);
}
