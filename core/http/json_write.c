/*
 * The JSON writer: appends to one buffer in an arena, which doubles when it is full. Commas come by
 * themselves: every value, name and opening bracket writes the one that is due before it.
 */
#include "core/http/json_private.h"

enum { ROOM_LEAST = 64 };

void json_writer_init(json_writer_t *writer, arena_t *arena, size_t expected)
{
    const size_t capacity = expected < ROOM_LEAST ? ROOM_LEAST : expected;

    *writer = (json_writer_t){.arena = arena, .at = arena_alloc(arena, capacity), .capacity = capacity};
}

static void grow(json_writer_t *writer, size_t needed)
{
    size_t capacity = writer->capacity * 2;

    if (capacity - writer->length < needed)
        capacity = writer->length + needed;
    char *larger = arena_alloc(writer->arena, capacity);
    memcpy(larger, writer->at, writer->length);
    writer->at = larger;
    writer->capacity = capacity;
}

/* Where the next `size` bytes go. */
static inline char *room(json_writer_t *writer, size_t size)
{
    if (writer->capacity - writer->length < size)
        grow(writer, size);
    return writer->at + writer->length;
}

static inline void put(json_writer_t *writer, const char *text, size_t length)
{
    memcpy(room(writer, length), text, length);
    writer->length += length;
}

static inline void put_character(json_writer_t *writer, char character)
{
    *room(writer, 1) = character;
    writer->length++;
}

static inline void comma_before(json_writer_t *writer)
{
    if (writer->comma)
        put_character(writer, ',');
    writer->comma = true;
}

static void open_bracket(json_writer_t *writer, char bracket)
{
    comma_before(writer);
    put_character(writer, bracket);
    writer->comma = false;
}

static void close_bracket(json_writer_t *writer, char bracket)
{
    put_character(writer, bracket);
    writer->comma = true;
}

void json_object_open(json_writer_t *writer)
{
    open_bracket(writer, '{');
}

void json_object_close(json_writer_t *writer)
{
    close_bracket(writer, '}');
}

void json_array_open(json_writer_t *writer)
{
    open_bracket(writer, '[');
}

void json_array_close(json_writer_t *writer)
{
    close_bracket(writer, ']');
}

/* The escape of a quote, a backslash or a control character; at most six bytes. */
static size_t put_escape(char *out, char character)
{
    static const char digits[] = "0123456789abcdef";
    static const char letters[32] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    const unsigned char byte = (unsigned char)character;

    out[0] = '\\';
    out[1] = byte < 0x20 ? letters[byte] : character;
    if (out[1] != '\0')
        return 2;
    memcpy(out + 1, "u00", 3);
    out[4] = digits[byte >> 4];
    out[5] = digits[byte & 0x0f];
    return 6;
}

/* What cannot stand as it is: an escape, a code point beyond ASCII, or U+FFFD for a byte that is none. */
static const char *put_special(json_writer_t *writer, const char *at, const char *end)
{
    char *out = room(writer, 6);

    if ((unsigned char)*at < 0x80) {
        writer->length += put_escape(out, *at);
        return at + 1;
    }
    const size_t size = utf8_size(at, end);
    memcpy(out, size ? at : "\xef\xbf\xbd", size ? size : 3);
    writer->length += size ? size : 3;
    return at + (size ? size : 1);
}

static void put_string(json_writer_t *writer, str_t value)
{
    const char *at = value.at, *const end = value.at + value.length;

    room(writer, value.length + 2);
    put_character(writer, '"');
    while (at < end) {
        const char *plain = json_plain_end(at, end);
        put(writer, at, (size_t)(plain - at));
        at = plain < end ? put_special(writer, plain, end) : plain;
    }
    put_character(writer, '"');
}

void json_name(json_writer_t *writer, str_t name)
{
    comma_before(writer);
    put_string(writer, name);
    put_character(writer, ':');
    writer->comma = false;
}

void json_null(json_writer_t *writer)
{
    comma_before(writer);
    put(writer, "null", 4);
}

void json_bool(json_writer_t *writer, bool value)
{
    comma_before(writer);
    put(writer, value ? "true" : "false", value ? 4 : 5);
}

void json_int(json_writer_t *writer, int64_t value)
{
    char digits[20];
    char *at = digits + sizeof digits;
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do
        *--at = (char)('0' + size % 10);
    while ((size /= 10) > 0);
    if (value < 0)
        *--at = '-';
    comma_before(writer);
    put(writer, at, (size_t)(digits + sizeof digits - at));
}

void json_string(json_writer_t *writer, str_t value)
{
    if (value.at == NULL) {
        json_null(writer);
        return;
    }
    comma_before(writer);
    put_string(writer, value);
}

void json_uuid(json_writer_t *writer, const uuid_t *value)
{
    char text[UUID_TEXT_SIZE];

    if (uuid_is_none(value)) {
        json_null(writer);
        return;
    }
    uuid_format(value, text);
    comma_before(writer);
    put_character(writer, '"');
    put(writer, text, UUID_TEXT_SIZE - 1);
    put_character(writer, '"');
}

void json_time(json_writer_t *writer, int64_t value)
{
    char text[TIME_TEXT_SIZE];
    const size_t length = time_format(value, text);

    comma_before(writer);
    put_character(writer, '"');
    put(writer, text, length);
    put_character(writer, '"');
}

void json_raw(json_writer_t *writer, str_t value)
{
    comma_before(writer);
    put(writer, value.at, value.length);
}

str_t json_text(json_writer_t *writer)
{
    *room(writer, 1) = '\0';
    return (str_t){writer->at, writer->length};
}
