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

static uint32_t code_point(const char *at, size_t size)
{
    static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t value = (unsigned char)*at & first_bits[size];
    for (size_t place = 1; place < size; place++)
        value = value << 6 | ((unsigned char)at[place] & 0x3f);
    return value;
}

/* Unicode 15: White_Space, Default_Ignorable_Code_Point, the controls, and the Braille pattern without dots.
 */
static bool is_visible(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } unseen[] = {{0, 0x20},          {0x7f, 0xa0},      {0xad, 0xad},     {0x34f, 0x34f},
                  {0x61c, 0x61c},     {0x115f, 0x1160},  {0x1680, 0x1680}, {0x17b4, 0x17b5},
                  {0x180b, 0x180f},   {0x2000, 0x200f},  {0x2028, 0x202f}, {0x205f, 0x206f},
                  {0x2800, 0x2800},   {0x3000, 0x3000},  {0x3164, 0x3164}, {0xfe00, 0xfe0f},
                  {0xfeff, 0xfeff},   {0xffa0, 0xffa0},  {0xfff0, 0xfff8}, {0x1bca0, 0x1bca3},
                  {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}};
    for (size_t place = 0; place < COUNT_OF(unseen) && unseen[place].first <= code; place++)
        if (code <= unseen[place].last)
            return false;
    return true;
}

bool utf8_visible(str_t text)
{
    const char *at = text.at ? text.at : "", *const end = at + text.length;
    size_t size;
    for (; at < end && (size = utf8_size(at, end)) > 0; at += size)
        if (is_visible(code_point(at, size)))
            return true;
    return false;
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
