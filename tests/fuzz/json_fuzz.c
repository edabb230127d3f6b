/* Fuzzes the JSON reader and writer: any bytes are read or refused; what is read can be written, and is then
 * read and written alike. */
#include <stdlib.h>

#include "core/http/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool copy_value(json_reader_t *reader, json_writer_t *writer);

static bool copy_object(json_reader_t *reader, json_writer_t *writer)
{
    str_t name;

    if (!json_object_begin(reader))
        return false;
    json_object_open(writer);
    while (json_object_next(reader, &name)) {
        json_name(writer, name);
        if (!copy_value(reader, writer))
            return false;
    }
    json_object_close(writer);
    return reader->error == NULL;
}

static bool copy_array(json_reader_t *reader, json_writer_t *writer)
{
    if (!json_array_begin(reader))
        return false;
    json_array_open(writer);
    while (json_array_next(reader))
        if (!copy_value(reader, writer))
            return false;
    json_array_close(writer);
    return reader->error == NULL;
}

/* An integer is written as one; any other number as it stands. */
static bool copy_number(json_reader_t *reader, json_writer_t *writer)
{
    str_t digits;
    int64_t value;

    if (!json_read_number(reader, &digits))
        return false;
    if (json_int_of(digits, &value) == JSON_INT_EXACT)
        json_int(writer, value);
    else
        json_raw(writer, digits);
    return true;
}

static bool copy_string(json_reader_t *reader, json_writer_t *writer)
{
    str_t value;

    if (!json_read_string(reader, &value))
        return false;
    if (!utf8_valid(value, NULL) || memchr(value.at, '\0', value.length) || value.at[value.length] != '\0')
        abort();
    json_string(writer, value);
    return true;
}

static bool copy_value(json_reader_t *reader, json_writer_t *writer)
{
    bool value;

    switch (json_peek(reader)) {
    case JSON_NULL:
        json_null(writer);
        return json_read_null(reader);
    case JSON_BOOL:
        if (!json_read_bool(reader, &value))
            return false;
        json_bool(writer, value);
        return true;
    case JSON_NUMBER:
        return copy_number(reader, writer);
    case JSON_STRING:
        return copy_string(reader, writer);
    case JSON_ARRAY:
        return copy_array(reader, writer);
    case JSON_OBJECT:
        return copy_object(reader, writer);
    default:
        return false;
    }
}

static bool copy(arena_t *arena, str_t text, str_t *written)
{
    json_reader_t reader;
    json_writer_t writer;

    json_reader_init(&reader, arena, text);
    json_writer_init(&writer, arena, 0);
    const bool whole = copy_value(&reader, &writer) && json_end(&reader);
    if (whole == (reader.error != NULL) || json_line(&reader) == 0 || json_column(&reader) == 0)
        abort();
    *written = json_text(&writer);
    return whole;
}

static bool passes(arena_t *arena, str_t text)
{
    json_reader_t reader;

    json_reader_init(&reader, arena, text);
    return json_skip(&reader) && json_end(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *arena = arena_new();
    const str_t text = {(const char *)data, size};
    str_t written, again;
    const bool read = copy(arena, text, &written);

    if (read != passes(arena, text))
        abort();
    if (read && (!copy(arena, written, &again) || !str_equal(written, again)))
        abort();
    json_writer_t writer;
    json_writer_init(&writer, arena, 0);
    json_string(&writer, text);
    str_t quoted = json_text(&writer);
    if (!utf8_valid(quoted, NULL) || (!memchr(data, '\0', size) && !passes(arena, quoted)))
        abort();
    arena_free(arena);
    return 0;
}
