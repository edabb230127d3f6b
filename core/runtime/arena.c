/*
 * Arenas: memory is cut from chunks of 4 KiB that grow to 64 KiB; what is bigger than a quarter of that gets
 * a chunk of its own. All chunks of an arena form one chain, newest first, so that a mark is a place in the
 * chain. Emptied chunks of the standard sizes wait on a few short shelves of the thread for the next arena.
 * The arena itself lies in its first chunk.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/runtime/arena.h"
#include "core/runtime/panic.h"
#include "core/runtime/sanitizer.h"

enum {
    ALIGNMENT = 16,
    GAP = FOLKMOOT_ASAN ? ALIGNMENT : 0, /* poisoned room between allocations, so that an overrun is seen */
    CHUNK_SMALLEST = 4 * 1024,
    SHELVES = 5, /* 4, 8, 16, 32, 64 KiB */
    OWN_CHUNK = SHELVES,
    OWN_CHUNK_FROM = 16 * 1024,
};

typedef struct chunk {
    struct chunk *older;
    size_t room; /* bytes behind this header */
    size_t used;
    size_t shelf; /* which standard size, or OWN_CHUNK */
} chunk_t;

_Static_assert(sizeof(chunk_t) % ALIGNMENT == 0, "what follows the header must be aligned");

typedef struct release {
    struct release *older;
    void (*run)(void *what);
    void *what;
} release_t;

struct arena {
    chunk_t *newest;
    chunk_t *open; /* the newest of a standard size: small allocations come from it */
    release_t *release;
};

static const unsigned shelf_most[SHELVES] = {32, 16, 8, 4, 2};

static _Thread_local struct {
    chunk_t *first[SHELVES];
    unsigned count[SHELVES];
    bool emptied_at_exit;
} shelves;

static pthread_key_t exit_key;
static pthread_once_t exit_once = PTHREAD_ONCE_INIT;

static char *chunk_memory(chunk_t *chunk)
{
    return (char *)(chunk + 1);
}

static void chunk_free(chunk_t *chunk)
{
    UNPOISON(chunk_memory(chunk), chunk->room);
    free(chunk);
}

static void shelves_empty(void *ignored)
{
    (void)ignored;
    for (size_t shelf = 0; shelf < SHELVES; shelf++) {
        for (chunk_t *chunk = shelves.first[shelf], *older; chunk; chunk = older) {
            older = chunk->older;
            chunk_free(chunk);
        }
        shelves.first[shelf] = NULL;
        shelves.count[shelf] = 0;
    }
    shelves.emptied_at_exit = false;
}

static void exit_key_make(void)
{
    if (pthread_key_create(&exit_key, shelves_empty) != 0)
        panic("no thread key left for the arenas");
}

/* The key's value only has to be something: it makes the end of the thread call shelves_empty. */
static void shelves_empty_at_exit(void)
{
    if (shelves.emptied_at_exit)
        return;
    pthread_once(&exit_once, exit_key_make);
    pthread_setspecific(exit_key, &shelves);
    shelves.emptied_at_exit = true;
}

static chunk_t *chunk_new(size_t size, size_t shelf)
{
    chunk_t *chunk = malloc(size);
    if (chunk == NULL)
        panic("no memory for %zu bytes", size);
    *chunk = (chunk_t){.room = size - sizeof *chunk, .shelf = shelf};
    if (FOLKMOOT_ASAN)
        memset(chunk_memory(chunk), 0xa5,
               chunk->room); /* so that what nobody wrote is seen when it is used */
    POISON(chunk_memory(chunk), chunk->room);
    return chunk;
}

static chunk_t *chunk_take(size_t shelf)
{
    chunk_t *chunk = shelves.first[shelf];
    if (chunk == NULL)
        return chunk_new((size_t)CHUNK_SMALLEST << shelf, shelf);
    shelves.first[shelf] = chunk->older;
    shelves.count[shelf]--;
    chunk->used = 0;
    return chunk;
}

static void chunk_give_back(chunk_t *chunk)
{
    if (chunk->shelf == OWN_CHUNK || shelves.count[chunk->shelf] >= shelf_most[chunk->shelf]) {
        chunk_free(chunk);
        return;
    }
    shelves_empty_at_exit();
    POISON(chunk_memory(chunk), chunk->room);
    chunk->older = shelves.first[chunk->shelf];
    shelves.first[chunk->shelf] = chunk;
    shelves.count[chunk->shelf]++;
}

static void *chunk_cut(chunk_t *chunk, size_t room, size_t size)
{
    void *memory = chunk_memory(chunk) + chunk->used;
    chunk->used += room;
    UNPOISON(memory, size);
    return memory;
}

arena_t *arena_new(void)
{
    chunk_t *chunk = chunk_take(0);
    arena_t *arena =
        chunk_cut(chunk, (sizeof *arena + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1), sizeof *arena);
    chunk->older = NULL;
    *arena = (arena_t){.newest = chunk, .open = chunk};
    return arena;
}

static void run_releases(arena_t *arena, const release_t *until)
{
    while (arena->release != until) {
        release_t *release = arena->release;
        if (release == NULL)
            panic("an arena was unwound to a mark that is not on its way");
        arena->release = release->older;
        release->run(release->what);
    }
}

void arena_free(arena_t *arena)
{
    if (arena == NULL)
        return;
    run_releases(arena, NULL);
    for (chunk_t *chunk = arena->newest, *older; chunk; chunk = older) {
        older = chunk->older;
        chunk_give_back(chunk);
    }
}

static chunk_t *add_chunk(arena_t *arena, size_t room)
{
    chunk_t *chunk;
    if (room > OWN_CHUNK_FROM) {
        chunk = chunk_new(sizeof *chunk + room, OWN_CHUNK);
    } else {
        size_t shelf = arena->open->shelf + 1 < SHELVES ? arena->open->shelf + 1 : SHELVES - 1;
        while (((size_t)CHUNK_SMALLEST << shelf) - sizeof *chunk < room)
            shelf++;
        chunk = arena->open = chunk_take(shelf);
    }
    chunk->older = arena->newest;
    arena->newest = chunk;
    return chunk;
}

void *arena_alloc(arena_t *arena, size_t size)
{
    if (size > PTRDIFF_MAX / 2)
        panic("no memory for %zu bytes", size);
    size_t room = ((size ? size : 1) + GAP + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    chunk_t *chunk = arena->open;
    if (room > chunk->room - chunk->used)
        chunk = add_chunk(arena, room);
    return chunk_cut(chunk, room, size);
}

void *arena_zalloc(arena_t *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

size_t arena_array_size(size_t size, size_t count)
{
    size_t product;
    if (__builtin_mul_overflow(size, count, &product))
        panic("an array of %zu times %zu bytes is too large", count, size);
    return product;
}

str_t arena_str(arena_t *arena, str_t text)
{
    if (text.at == NULL)
        return STR_NONE;
    char *copy = arena_alloc(arena, text.length + 1);
    memcpy(copy, text.at, text.length);
    copy[text.length] = '\0';
    return (str_t){copy, text.length};
}

str_t arena_printf(arena_t *arena, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    str_t text = arena_vprintf(arena, format, values);
    va_end(values);
    return text;
}

/* Most texts are short: they are printed once, on the stack, and copied. */
str_t arena_vprintf(arena_t *arena, const char *format, va_list values)
{
    char first[256];
    va_list again;
    va_copy(again, values);
    int length = vsnprintf(first, sizeof first, format, values);
    if (length < 0)
        panic("the format \"%s\" cannot be printed", format);
    char *text = arena_alloc(arena, (size_t)length + 1);
    if ((size_t)length < sizeof first)
        memcpy(text, first, (size_t)length + 1);
    else
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return (str_t){text, (size_t)length};
}

void arena_defer(arena_t *arena, void (*release)(void *what), void *what)
{
    release_t *entry = arena_alloc(arena, sizeof *entry);
    *entry = (release_t){.older = arena->release, .run = release, .what = what};
    arena->release = entry;
}

arena_mark_t arena_mark(arena_t *arena)
{
    return (arena_mark_t){.chunk = arena->newest, .used = arena->open->used, .release = arena->release};
}

void arena_release_to(arena_t *arena, arena_mark_t mark)
{
    run_releases(arena, mark.release);
}

void arena_rewind(arena_t *arena, arena_mark_t mark)
{
    run_releases(arena, mark.release);
    while (arena->newest != mark.chunk) {
        chunk_t *chunk = arena->newest;
        arena->newest = chunk->older;
        chunk_give_back(chunk);
    }
    chunk_t *open = arena->newest;
    while (open->shelf == OWN_CHUNK)
        open = open->older;
    POISON(chunk_memory(open) + mark.used, open->room - mark.used);
    open->used = mark.used;
    arena->open = open;
}
