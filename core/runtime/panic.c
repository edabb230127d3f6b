/* Ends the process with a reason on standard error; and memory that never fails, because it ends the process
 * instead. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/runtime/panic.h"

void panic(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fputs("folkmoot stops: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    abort();
}

void *memory_new(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (memory == NULL)
        panic("no memory for %zu bytes", size);
    return memory;
}

void *memory_resize(void *memory, size_t size)
{
    void *resized = realloc(memory, size);
    if (resized == NULL)
        panic("no memory for %zu bytes", size);
    return resized;
}
