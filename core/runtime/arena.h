/*
 * Memory that goes all at once. An arena belongs to one request (or one batch of work): everything allocated
 * from it is freed with it, and everything else that the request holds registers its release with it. One
 * thread at a time.
 */
#ifndef FOLKMOOT_ARENA_H
#define FOLKMOOT_ARENA_H

#include <stdarg.h>

#include "core/runtime/base.h"

typedef struct arena arena_t;

arena_t *arena_new(void);
void arena_free(arena_t *arena); /* NULL is fine; runs the releases that are left, newest first */

/* Never NULL: a process without memory ends. Aligned for any type. */
void *arena_alloc(arena_t *arena, size_t size);
void *arena_zalloc(arena_t *arena, size_t size);
#define arena_new_of(arena, type) ((type *)arena_zalloc((arena), sizeof(type)))
#define arena_array_of(arena, type, count)                                                                   \
    ((type *)arena_zalloc((arena), arena_array_size(sizeof(type), (count))))
size_t arena_array_size(size_t size, size_t count); /* the product; ends the process when it overflows */

/* Copies, each with a NUL behind it. */
str_t arena_str(arena_t *arena, str_t text);
str_t arena_printf(arena_t *arena, const char *format, ...) PRINTF_LIKE(2, 3);
str_t arena_vprintf(arena_t *arena, const char *format, va_list values);

/* Calls release(what) when the arena is freed or rewound past this point, newest first. */
void arena_defer(arena_t *arena, void (*release)(void *what), void *what);

/* A point to return to: rewinding runs the releases registered since and gives back the memory allocated
 * since. */
typedef struct arena_mark {
    void *chunk;
    size_t used;
    void *release;
} arena_mark_t;

arena_mark_t arena_mark(arena_t *arena);
void arena_rewind(arena_t *arena, arena_mark_t mark);

/* As arena_rewind, but what was allocated since stays valid until the arena goes: for unwinding a failed
 * piece of work whose error message was made after the mark. */
void arena_release_to(arena_t *arena, arena_mark_t mark);

#endif
