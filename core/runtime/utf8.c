/* UTF-8 as Unicode's table 3-7 has it: no surrogates, no overlong forms, nothing beyond U+10FFFF. */
#include "core/runtime/utf8.h"

static bool continues(const char *at)
{
    return ((unsigned char)*at & 0xc0) == 0x80;
}

/* The range of the second byte, which alone tells overlong forms, surrogates and what is too large. */
static bool second_fits(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0:
        return second >= 0xa0 && second <= 0xbf;
    case 0xed:
        return second >= 0x80 && second <= 0x9f;
    case 0xf0:
        return second >= 0x90 && second <= 0xbf;
    case 0xf4:
        return second >= 0x80 && second <= 0x8f;
    default:
        return second >= 0x80 && second <= 0xbf;
    }
}

size_t utf8_size(const char *at, const char *end)
{
    const unsigned char first = (unsigned char)at[0];
    const size_t room = (size_t)(end - at);

    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    const size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (room < size || !second_fits(first, (unsigned char)at[1]))
        return 0;
    if (size > 2 && !continues(at + 2))
        return 0;
    return size < 4 || continues(at + 3) ? size : 0;
}

bool utf8_valid(str_t text, size_t *code_points)
{
    const char *at = text.at ? text.at : "", *const end = at + text.length;
    size_t count = 0;

    while (at < end) {
        uint64_t bytes;
        while (end - at >= 8 && (memcpy(&bytes, at, 8), (bytes & UINT64_C(0x8080808080808080)) == 0)) {
            at += 8;
            count += 8;
        }
        if (at == end)
            break;
        const size_t size = utf8_size(at, end);
        if (size == 0)
            return false;
        at += size;
        count++;
    }
    if (code_points)
        *code_points = count;
    return true;
}
