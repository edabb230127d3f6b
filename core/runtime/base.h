/*
 * What every file may use: strings with a length, a few macros, and the C functions that nobody may use.
 */
#ifndef FOLKMOOT_BASE_H
#define FOLKMOOT_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A piece of text: not owned, and valid as long as what it was taken from. What a decoder, an arena or a
 * query made is also terminated by a NUL that `length` does not count, so `.at` may be printed with %s. */
typedef struct str {
    const char *at;
    size_t length;
} str_t;

#define STR(literal) ((str_t){(literal), sizeof(literal) - 1})
#define STR_NONE     ((str_t){NULL, 0})

static inline str_t str_from(const char *text)
{
    return (str_t){text, text ? strlen(text) : 0};
}

static inline bool str_equal(str_t left, str_t right)
{
    if (left.length != right.length || !left.at || !right.at)
        return left.length == right.length && left.length == 0;
    return memcmp(left.at, right.at, left.length) == 0;
}

/* printf("%.*s", STR_ARGS(text)) for text that may lack its NUL. */
#define STR_ARGS(text) (int)(text).length, (text).at

#define COUNT_OF(array)                     (sizeof(array) / sizeof((array)[0]))
#define PRINTF_LIKE(format_at, values_at)   __attribute__((format(printf, format_at, values_at)))
#define MUST_CHECK                          __attribute__((warn_unused_result))
#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#define SECOND_US      INT64_C(1000000)
#define MILLISECOND_US INT64_C(1000)
#define MINUTE_US      (60 * SECOND_US)
#define HOUR_US        (60 * MINUTE_US)
#define DAY_US         (24 * HOUR_US)

/* A deadline that never comes. */
#define NEVER INT64_MAX

#ifndef __cplusplus
#undef alloca /* some headers make macros of these, which cannot be poisoned */
#undef sprintf
#undef vsprintf
#pragma GCC poison sprintf vsprintf strcpy strcat strncpy strncat strtok atoi atol atoll gets alloca
#endif

#endif
