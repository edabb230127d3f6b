/* What the files of the schema decoder and encoder share. */
#ifndef FOLKMOOT_SCHEMA_PRIVATE_H
#define FOLKMOOT_SCHEMA_PRIVATE_H

#include "core/http/schema.h"

enum { SCHEMA_FIELDS_MAX = 64 }; /* the generator sees to it: what came is kept as bits */

/* How an array stands in its struct. */
typedef struct array {
    void *items;
    size_t count;
} array_t;

static inline void *field_at(const void *value, size_t offset)
{
    return (char *)value + offset;
}

static inline size_t item_size(const field_t *field)
{
    switch (field->item_type) {
    case FIELD_STRING:
    case FIELD_RAW:
        return sizeof(str_t);
    case FIELD_UUID:
        return sizeof(uuid_t);
    case FIELD_ENUM:
        return sizeof(int);
    case FIELD_BOOL:
        return sizeof(bool);
    case FIELD_OBJECT:
        return field->schema->size;
    default:
        return sizeof(int64_t);
    }
}

static inline void mark_there(const field_t *field, void *out)
{
    if (field->has_offset != NO_HAS)
        *(bool *)field_at(out, field->has_offset) = true;
}

/* ---- schema_check.c: whether a value fits; what is wrong with it, as text in the arena, or STR_NONE ---- */

str_t check_string(arena_t *arena, const field_t *field, int64_t least, int64_t most, str_t value);
str_t check_number(arena_t *arena, str_t digits, int64_t least, int64_t most, int64_t *value);
str_t check_count(arena_t *arena, const field_t *field, size_t count);
str_t read_uuid(str_t text, uuid_t *value);
str_t read_time(str_t text, int64_t *value);
str_t read_word(arena_t *arena, const field_t *field, str_t text, int *value);

/* Sets what was not given to its default. */
void set_preset(const field_t *field, void *out);

/* "; it knows title, body": the names of a schema's fields at one place, for the message about one it does
 * not know. */
str_t known_names(arena_t *arena, const schema_t *schema, field_place_t place);

/* At most `most` bytes of the text, whole code points; for showing a stranger's text back. */
str_t cut_text(str_t text, size_t most);

#endif
