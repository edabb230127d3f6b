/*
 * Log lines: each thread formats into a buffer of its own. Where a loop runs, its turn writes the buffer with
 * one write(); a warning, and any line of a thread without a loop, is written at once. What leaves is always
 * valid JSON in valid UTF-8.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/runtime/clock.h"
#include "core/runtime/fiber_private.h"
#include "core/runtime/logline_private.h"
#include "core/runtime/panic.h"
#include "core/runtime/utf8.h"

enum {
    BUFFER_SIZE = 16 * 1024,
    WRITE_FROM = 8 * 1024,
    VALUE_MOST = 1024, /* bytes of one value; an escaped byte takes six */
    LINE_TAIL = 32,    /* room that is kept for the end of the line */
    WRITE_WAIT_MS = 1000,
    NUMBERS = 8,
};

typedef struct buffer {
    size_t used;
    size_t line; /* where the line in work begins; all before it is ready to be written */
    char text[BUFFER_SIZE];
} buffer_t;

static _Atomic int least_level = LINE_INFO;
static _Atomic int descriptor = STDERR_FILENO;
static pthread_mutex_t write_lock =
    PTHREAD_MUTEX_INITIALIZER; /* a long write to a pipe may be split: not by other lines */
static pthread_key_t exit_key;
static pthread_once_t exit_once = PTHREAD_ONCE_INIT;
static _Thread_local buffer_t *buffer;
static _Thread_local char thread_request[LOGLINE_REQUEST_SIZE];

void logline_configure(line_level_t least, int fd)
{
    atomic_store(&least_level, (int)least);
    atomic_store(&descriptor, fd);
}

bool logline_enabled(line_level_t level)
{
    return (int)level >= atomic_load_explicit(&least_level, memory_order_relaxed);
}

/* A reader that does not read for a second loses lines; the server goes on. */
static void write_out(const char *text, size_t length)
{
    int fd = atomic_load(&descriptor);
    pthread_mutex_lock(&write_lock);
    while (length > 0) {
        ssize_t written = write(fd, text, length);
        if (written >= 0) {
            text += written;
            length -= (size_t)written;
        } else if (errno == EAGAIN) {
            struct pollfd writable = {.fd = fd, .events = POLLOUT};
            if (poll(&writable, 1, WRITE_WAIT_MS) <= 0)
                break;
        } else if (errno != EINTR) {
            break;
        }
    }
    pthread_mutex_unlock(&write_lock);
}

void logline_flush(void)
{
    if (buffer == NULL || buffer->line == 0)
        return;
    int error = errno;
    write_out(buffer->text, buffer->line);
    buffer->used -= buffer->line;
    memmove(buffer->text, buffer->text + buffer->line, buffer->used);
    buffer->line = 0;
    errno = error;
}

static void thread_ends(void *ignored)
{
    (void)ignored;
    logline_flush();
    free(buffer);
    buffer = NULL;
}

static void prepare_exits(void)
{
    if (pthread_key_create(&exit_key, thread_ends) != 0)
        panic("no thread key left for the log lines");
    atexit(logline_flush);
}

static void buffer_make(void)
{
    pthread_once(&exit_once, prepare_exits);
    buffer = memory_new(sizeof *buffer);
    pthread_setspecific(exit_key, buffer);
}

/* Whether `size` more bytes fit into the line in work; finished lines make room for it. */
static bool room_for(size_t size)
{
    if (buffer->used + size + LINE_TAIL > BUFFER_SIZE)
        logline_flush();
    return buffer->used + size + LINE_TAIL <= BUFFER_SIZE;
}

static void put(const char *text, size_t length)
{
    memcpy(buffer->text + buffer->used, text, length);
    buffer->used += length;
}

static void put_text(const char *text)
{
    put(text, strlen(text));
}

static void put_control(uint8_t character)
{
    char escaped[8];
    int length = snprintf(escaped, sizeof escaped, "\\u%04x", character);
    put(escaped, (size_t)length);
}

static void put_quoted(const char *text)
{
    size_t length = strnlen(text, VALUE_MOST + 1), most = length > VALUE_MOST ? VALUE_MOST : length, sequence;
    const uint8_t *at = (const uint8_t *)text;
    put_text("\"");
    for (size_t place = 0; place < most; place += sequence) {
        sequence = utf8_size(text + place, text + length);
        if (sequence > 1 && place + sequence > most)
            break;
        if (sequence == 0) {
            put_text("\xef\xbf\xbd");
            sequence = 1;
        } else if (at[place] < 0x20 || at[place] == 0x7f) {
            put_control(at[place]);
        } else {
            if (at[place] == '"' || at[place] == '\\')
                put_text("\\");
            put(text + place, sequence);
        }
    }
    put_text(length > most ? "\xe2\x80\xa6\"" : "\"");
}

/* False when the line has become too long for it. */
static bool put_pair(const char *name, const char *value)
{
    size_t length = strnlen(name, VALUE_MOST) + (value ? strnlen(value, VALUE_MOST) : 0);
    if (!room_for(6 * length + LINE_TAIL))
        return false;
    put_text(",");
    put_quoted(name);
    put_text(":");
    if (value)
        put_quoted(value);
    else
        put_text("null");
    return true;
}

static void begin_line(line_level_t level, const char *event)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    char time[TIME_TEXT_SIZE];
    room_for(6 * VALUE_MOST + 256);
    put_text("{\"time\":\"");
    put(time, time_format(clock_now(), time));
    put_text("\",\"level\":\"");
    put_text(names[level]);
    put_text("\",\"event\":");
    put_quoted(event);
    if (*logline_request())
        put_pair("request", logline_request());
}

void logline(line_level_t level, const char *event, ...)
{
    if (!logline_enabled(level))
        return;
    int error = errno;
    if (buffer == NULL)
        buffer_make();
    begin_line(level, event);
    va_list pairs;
    va_start(pairs, event);
    for (const char *name; (name = va_arg(pairs, const char *)) != NULL;) {
        if (!put_pair(name, va_arg(pairs, const char *))) {
            put_text(",\"cut\":true");
            break;
        }
    }
    va_end(pairs);
    put_text("}\n");
    buffer->line = buffer->used;
    if (level >= LINE_WARNING || buffer->used > WRITE_FROM || loop_current() == NULL)
        logline_flush();
    errno = error;
}

const char *line_number(int64_t number)
{
    static _Thread_local char texts[NUMBERS][24];
    static _Thread_local unsigned next;
    char *text = texts[next++ % NUMBERS];
    snprintf(text, sizeof texts[0], "%lld", (long long)number);
    return text;
}

char *logline_request(void)
{
    fiber_t *fiber = fiber_self();
    return fiber ? fiber->request : thread_request;
}

void logline_set_request(const char *request_id)
{
    char *request = logline_request();
    size_t length = request_id ? strnlen(request_id, LOGLINE_REQUEST_SIZE - 1) : 0;
    if (length)
        memmove(request, request_id, length);
    request[length] = '\0';
}
