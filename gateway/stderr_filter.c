/*
 * h2o prints a line on standard error for each HTTP/2 frame that it does not know, which browsers send all
 * the time, and for some paths: lines that any stranger can make, as many as they like. They are taken out on
 * their way; all else passes.
 */
#include <errno.h>
#include <unistd.h>

#include "gateway/gateway.h"

static bool is_noise(const char *text, size_t length)
{
    static const str_t beginnings[] = {{"skipping frame", 14}, {"failed to normalize path", 24}};
    for (size_t place = 0; place < COUNT_OF(beginnings); place++)
        if (length >= beginnings[place].length &&
            memcmp(text, beginnings[place].at, beginnings[place].length) == 0)
            return true;
    return false;
}

static ssize_t write_filtered(void *cookie, const char *text, size_t length)
{
    size_t written = 0;
    (void)cookie;
    while (written < length && !is_noise(text, length)) {
        ssize_t count = write(STDERR_FILENO, text + written, length - written);
        if (count < 0 && errno != EINTR)
            return 0; /* an error, to stdio */
        written += count > 0 ? (size_t)count : 0;
    }
    return (ssize_t)length;
}

void stderr_filter_install(void)
{
    FILE *filtered = fopencookie(NULL, "w", (cookie_io_functions_t){.write = write_filtered});
    if (filtered == NULL)
        return;
    setvbuf(filtered, NULL, _IOLBF, BUFSIZ);
    stderr = filtered; /* a variable like any other in glibc */
}

void stderr_filter_remove(FILE *original)
{
    FILE *filtered = stderr;
    if (filtered == original)
        return;
    stderr = original;
    fclose(filtered);
}
