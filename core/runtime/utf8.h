/* UTF-8 (Unicode 15, table 3-7): one judge of what is valid, for input, JSON, CSV and log lines. */
#ifndef FOLKMOOT_UTF8_H
#define FOLKMOOT_UTF8_H

#include "core/runtime/base.h"

/* Whether text is valid UTF-8 (no surrogates, no overlong forms), and how many code points it has. */
bool utf8_valid(str_t text, size_t *code_points);

/* Whether something of a valid text can be seen: not blanks alone, nor signs without width. */
bool utf8_visible(str_t text);

/* The bytes of the code point at `at`, 1 to 4; 0 when it is not valid. at < end. */
size_t utf8_size(const char *at, const char *end);

#endif
