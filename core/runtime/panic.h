/*
 * The end of the process: for a programmer's error and for a process without memory, where going on would
 * only spread the damage. Never for anything that a request can cause.
 */
#ifndef FOLKMOOT_PANIC_H
#define FOLKMOOT_PANIC_H

#include "core/runtime/base.h"

_Noreturn void panic(const char *format, ...) PRINTF_LIKE(1, 2);

/* Zeroed memory from malloc, for what outlives every arena; never NULL. Free with free(). */
void *memory_new(size_t size);

/* realloc that never fails; what is more is not zeroed. */
void *memory_resize(void *memory, size_t size);

#endif
