/* The encoder: walks a schema's table along a C struct and writes JSON. */
#include "core/http/schema_private.h"

static bool is_absent(const field_t *field, const void *at, const void *value)
{
    if (field->has_offset != NO_HAS)
        return !*(const bool *)field_at(value, field->has_offset);
    switch (field->type) {
    case FIELD_STRING:
    case FIELD_RAW:
        return ((const str_t *)at)->at == NULL;
    case FIELD_UUID:
        return uuid_is_none(at);
    case FIELD_TIME:
        return *(const int64_t *)at == 0;
    case FIELD_ENUM:
        return *(const int *)at == 0;
    case FIELD_OBJECT:
        return field->by_pointer && *(void *const *)at == NULL;
    case FIELD_ARRAY:
        return ((const array_t *)at)->items == NULL;
    default:
        return false;
    }
}

static void write_string(json_writer_t *writer, str_t value)
{
    json_string(writer, value.at ? value : STR(""));
}

static void write_word(json_writer_t *writer, const char *const *words, int value)
{
    if (value < 1)
        json_null(writer);
    else
        json_string(writer, str_from(words[value - 1]));
}

static void write_one(json_writer_t *writer, const field_t *field, field_type_t type, const void *at)
{
    switch (type) {
    case FIELD_STRING:
        write_string(writer, *(const str_t *)at);
        break;
    case FIELD_UUID:
        json_uuid(writer, at);
        break;
    case FIELD_TIME:
        json_time(writer, *(const int64_t *)at);
        break;
    case FIELD_ENUM:
        write_word(writer, field->words, *(const int *)at);
        break;
    case FIELD_INT:
        json_int(writer, *(const int64_t *)at);
        break;
    case FIELD_BOOL:
        json_bool(writer, *(const bool *)at);
        break;
    case FIELD_OBJECT:
        schema_write(writer, field->schema, at);
        break;
    case FIELD_RAW:
        json_raw(writer, *(const str_t *)at);
        break;
    case FIELD_ARRAY:
        break; /* an array has no arrays in it */
    }
}

static void write_array(json_writer_t *writer, const field_t *field, const array_t *array)
{
    const size_t size = item_size(field);

    json_array_open(writer);
    for (size_t index = 0; index < array->count; index++)
        write_one(writer, field, field->item_type, (const char *)array->items + index * size);
    json_array_close(writer);
}

/* What is absent is left out, or null where it may be null but not left out; a raw value, which has no empty
 * form, too. */
static void write_field(json_writer_t *writer, const field_t *field, const void *value)
{
    const void *at = field_at(value, field->offset);
    const bool absent = is_absent(field, at, value);

    if (absent && !field->required)
        return;
    json_name(writer, str_from(field->name));
    if (absent && (field->nullable || field->type == FIELD_RAW))
        json_null(writer);
    else if (field->type == FIELD_ARRAY)
        write_array(writer, field, at);
    else
        write_one(writer, field, field->type, field->by_pointer ? *(void *const *)at : at);
}

void schema_write(json_writer_t *writer, const schema_t *schema, const void *value)
{
    json_object_open(writer);
    for (size_t index = 0; index < schema->field_count; index++)
        write_field(writer, &schema->fields[index], value);
    json_object_close(writer);
}

enum { EXPECTED_PER_FIELD = 40 };

str_t schema_encode(arena_t *arena, const schema_t *schema, const void *value)
{
    json_writer_t writer;

    json_writer_init(&writer, arena, schema->field_count * EXPECTED_PER_FIELD);
    schema_write(&writer, schema, value);
    return json_text(&writer);
}
