/* Whether a value fits its field, and the sentence that says why not: the same for JSON, path and query. */
#include <inttypes.h>

#include "core/http/schema_private.h"

static str_t wrong_range(arena_t *arena, int64_t least, int64_t most)
{
    if (least == INT64_MIN && most == INT64_MAX)
        return STR("must be a whole number of at most 64 bits");
    if (least == INT64_MIN)
        return arena_printf(arena, "must be at most %" PRId64, most);
    if (most == INT64_MAX)
        return arena_printf(arena, "must be at least %" PRId64, least);
    return arena_printf(arena, "must be between %" PRId64 " and %" PRId64, least, most);
}

str_t check_number(arena_t *arena, str_t digits, int64_t least, int64_t most, int64_t *value)
{
    switch (json_int_of(digits, value)) {
    case JSON_INT_FRACTION:
        return STR("must be a whole number");
    case JSON_INT_TOO_LARGE:
        return wrong_range(arena, least, most);
    default:
        return *value >= least && *value <= most ? STR_NONE : wrong_range(arena, least, most);
    }
}

/* "must have 1 to 300 characters; it has 301" */
static str_t wrong_size(arena_t *arena, const char *what, int64_t least, int64_t most, size_t size)
{
    const char *plural = (most == INT64_MAX ? least : most) == 1 ? "" : "s";

    if (most == INT64_MAX)
        return arena_printf(arena, "must have at least %" PRId64 " %s%s; it has %zu", least, what, plural,
                            size);
    if (least == most)
        return arena_printf(arena, "must have exactly %" PRId64 " %s%s; it has %zu", most, what, plural,
                            size);
    if (least == 0)
        return arena_printf(arena, "must have at most %" PRId64 " %s%s; it has %zu", most, what, plural,
                            size);
    return arena_printf(arena, "must have %" PRId64 " to %" PRId64 " %s%s; it has %zu", least, most, what,
                        plural, size);
}

str_t check_count(arena_t *arena, const field_t *field, size_t count)
{
    if ((int64_t)count >= field->least && (int64_t)count <= field->most)
        return STR_NONE;
    return wrong_size(arena, "item", field->least, field->most, count);
}

/* Whether a character is of a class such as "a-z0-9_-". */
static bool in_class(const char *pattern, char character)
{
    for (const char *at = pattern; *at; at++) {
        if (at[1] == '-' && at[2] != '\0') {
            if (character >= at[0] && character <= at[2])
                return true;
            at += 2;
        } else if (character == *at) {
            return true;
        }
    }
    return false;
}

static bool fits_pattern(const char *pattern, str_t value)
{
    for (size_t at = 0; at < value.length; at++)
        if (!in_class(pattern, value.at[at]))
            return false;
    return true;
}

/* The code points are counted only where the number of bytes, one to four each, leaves it open. */
str_t check_string(arena_t *arena, const field_t *field, int64_t least, int64_t most, str_t value)
{
    const int64_t bytes = (int64_t)value.length;
    size_t code_points = value.length;

    if (bytes > most || (bytes + 3) / 4 < least) {
        if (!utf8_valid(value, &code_points))
            return STR("must be valid UTF-8");
        if ((int64_t)code_points < least || (int64_t)code_points > most)
            return wrong_size(arena, "character", least, most, code_points);
    }
    if (field->pattern && !fits_pattern(field->pattern, value))
        return arena_printf(arena, "may only have the characters %s", field->pattern);
    if (field->visible && !utf8_visible(value))
        return STR("must have more than blanks");
    return STR_NONE;
}

/* The id that is all zero means none inside, so nothing outside can have it. */
str_t read_uuid(str_t text, uuid_t *value)
{
    if (uuid_parse(text, value) && !uuid_is_none(value))
        return STR_NONE;
    *value = UUID_NONE;
    return STR("must be an id such as 01890a5d-ac96-774b-bcce-b302099a8057");
}

str_t read_time(str_t text, int64_t *value)
{
    return time_parse(text, value) ? STR_NONE : STR("must be a time such as 2026-11-21T12:00:00Z");
}

/* A text in the making that stops growing before it gets long. */
typedef struct list {
    char text[240];
    size_t length;
    bool full;
} list_t;

static void list_add(list_t *list, const char *word)
{
    const char *separator = list->length > 0 ? ", " : "";
    const size_t size = strlen(separator) + strlen(word);

    if (list->full || list->length + size + sizeof ", …" > sizeof list->text) {
        list->full = true;
        return;
    }
    memcpy(list->text + list->length, separator, strlen(separator));
    memcpy(list->text + list->length + strlen(separator), word, strlen(word) + 1);
    list->length += size;
}

static str_t list_text(arena_t *arena, const char *before, const list_t *list)
{
    return arena_printf(arena, "%s%.*s%s", before, (int)list->length, list->text, list->full ? ", …" : "");
}

str_t read_word(arena_t *arena, const field_t *field, str_t text, int *value)
{
    list_t list = {.length = 0};

    for (int index = 0; field->words[index]; index++) {
        if (str_equal(text, str_from(field->words[index]))) {
            *value = index + 1;
            return STR_NONE;
        }
        list_add(&list, field->words[index]);
    }
    return list_text(arena, field->words[1] ? "must be one of " : "must be ", &list);
}

void set_preset(const field_t *field, void *out)
{
    void *at = field_at(out, field->offset);

    switch (field->type) {
    case FIELD_INT:
        *(int64_t *)at = field->preset;
        break;
    case FIELD_BOOL:
        *(bool *)at = field->preset != 0;
        break;
    case FIELD_ENUM:
        *(int *)at = (int)field->preset;
        break;
    case FIELD_STRING:
        *(str_t *)at = str_from(field->preset_text);
        break;
    default:
        break; /* the others have no default: the struct was zeroed */
    }
}

str_t known_names(arena_t *arena, const schema_t *schema, field_place_t place)
{
    list_t list = {.length = 0};

    for (size_t index = 0; index < schema->field_count; index++)
        if (schema->fields[index].place == place)
            list_add(&list, schema->fields[index].name);
    return list.length > 0 ? list_text(arena, "it knows ", &list) : STR("it knows none");
}

str_t cut_text(str_t text, size_t most)
{
    if (text.length <= most)
        return text;
    while (most > 0 && ((unsigned char)text.at[most] & 0xc0) == 0x80)
        most--;
    return (str_t){text.at, most};
}
