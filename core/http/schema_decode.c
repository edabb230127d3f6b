/*
 * The decoder: walks JSON along a schema's table and fills a C struct. What does not fit is noted with the
 * place where it stands, as a JSON pointer, and decoding goes on, so that the caller hears of all of it at
 * once; text that is no JSON ends it.
 */
#include "core/api.h"
#include "core/http/operation.h"
#include "core/http/schema_private.h"

/* One step of the way from the root to the value at hand: a member's name, or an item's index. */
typedef struct step {
    const struct step *outer;
    str_t name;
    size_t index;
} step_t;

typedef struct decoding {
    json_reader_t reader;
    arena_t *arena;
    req_t *req;          /* where wrong fields are noted; NULL: the first is kept in `error` */
    const char *subject; /* what the root is called in messages */
    str_t error;
    size_t wrong;
} decoding_t;

enum { NAME_SHOWN_MAX = 60, ITEMS_FIRST = 8 };

static void decode_object(decoding_t *decoding, const schema_t *schema, const step_t *step, void *out);

/* ---- what is wrong, and where ---- */

/* The name as a part of a JSON pointer (RFC 6901): ~ is ~0 and / is ~1. */
static str_t pointer_part(arena_t *arena, str_t name)
{
    const str_t shown = cut_text(name, NAME_SHOWN_MAX);
    char *text = arena_alloc(arena, shown.length * 2 + 1);
    size_t length = 0;

    for (size_t at = 0; at < shown.length; at++) {
        const char character = shown.at[at];
        if (character == '~' || character == '/') {
            text[length++] = '~';
            text[length++] = character == '~' ? '0' : '1';
        } else {
            text[length++] = character;
        }
    }
    text[length] = '\0';
    return (str_t){text, length};
}

/* At most JSON_DEPTH_MAX deep. */
static str_t pointer_of(arena_t *arena, const step_t *step)
{
    if (step == NULL)
        return STR("");
    const str_t outer = pointer_of(arena, step->outer);
    if (step->name.at == NULL)
        return arena_printf(arena, "%s/%zu", outer.at, step->index);
    return arena_printf(arena, "%s/%s", outer.at, pointer_part(arena, step->name).at);
}

/* Nothing more would be told: what follows is passed over, so that a body full of mistakes costs no more than
 * its size. */
static bool is_told(const decoding_t *decoding)
{
    return decoding->wrong >= FIELD_ERRORS_MAX;
}

static void note_wrong(decoding_t *decoding, const step_t *step, str_t detail)
{
    if (is_told(decoding))
        return;
    decoding->wrong++;
    const str_t pointer = pointer_of(decoding->arena, step);
    if (decoding->req)
        field_wrong(decoding->req, pointer, "%.*s", STR_ARGS(detail));
    else if (decoding->error.at == NULL)
        decoding->error = arena_printf(decoding->arena, "%s %.*s", pointer.length > 0 ? pointer.at : "it",
                                       STR_ARGS(detail));
}

static const char *type_name(json_type_t type)
{
    static const char *const names[] = {
        [JSON_ERROR] = "nothing",   [JSON_NULL] = "null",   [JSON_BOOL] = "true or false",
        [JSON_NUMBER] = "a number", [JSON_STRING] = "text", [JSON_ARRAY] = "an array",
        [JSON_OBJECT] = "an object"};

    return names[type];
}

/* Whether a value of that type comes next; otherwise that is noted and the value passed over. */
static bool is_type(decoding_t *decoding, const step_t *step, json_type_t type)
{
    const json_type_t next = json_peek(&decoding->reader);

    if (next == type)
        return true;
    if (next == JSON_ERROR || !json_skip(&decoding->reader))
        return false;
    note_wrong(decoding, step,
               arena_printf(decoding->arena, "must be %s, not %s", type_name(type), type_name(next)));
    return false;
}

static void note_unless_fits(decoding_t *decoding, const step_t *step, str_t detail)
{
    if (detail.at)
        note_wrong(decoding, step, detail);
}

/* ---- values ---- */

static void decode_text(decoding_t *decoding, const field_t *field, field_type_t type, bool item,
                        const step_t *step, void *at)
{
    str_t text, detail;

    if (!is_type(decoding, step, JSON_STRING) || !json_read_string(&decoding->reader, &text))
        return;
    switch (type) {
    case FIELD_UUID:
        detail = read_uuid(text, at);
        break;
    case FIELD_TIME:
        detail = read_time(text, at);
        break;
    case FIELD_ENUM:
        detail = read_word(decoding->arena, field, text, at);
        break;
    default:
        *(str_t *)at = text;
        detail = check_string(decoding->arena, field, item ? field->item_least : field->least,
                              item ? field->item_most : field->most, text);
    }
    note_unless_fits(decoding, step, detail);
}

static void decode_int(decoding_t *decoding, int64_t least, int64_t most, const step_t *step, int64_t *at)
{
    str_t digits;

    if (is_type(decoding, step, JSON_NUMBER) && json_read_number(&decoding->reader, &digits))
        note_unless_fits(decoding, step, check_number(decoding->arena, digits, least, most, at));
}

static void decode_bool(decoding_t *decoding, const step_t *step, bool *at)
{
    if (is_type(decoding, step, JSON_BOOL) && !json_read_bool(&decoding->reader, at))
        return; /* the reader keeps the error */
}

/* A value that stays JSON: checked, and copied as it stands. */
static void decode_raw(decoding_t *decoding, str_t *at)
{
    json_reader_t *reader = &decoding->reader;

    if (json_peek(reader) == JSON_ERROR)
        return;
    const char *start = reader->at;
    if (json_skip(reader))
        *at = arena_str(decoding->arena, (str_t){start, (size_t)(reader->at - start)});
}

static void decode_one(decoding_t *decoding, const field_t *field, field_type_t type, bool item,
                       const step_t *step, void *at)
{
    switch (type) {
    case FIELD_INT:
        decode_int(decoding, item ? field->item_least : field->least, item ? field->item_most : field->most,
                   step, at);
        break;
    case FIELD_BOOL:
        decode_bool(decoding, step, at);
        break;
    case FIELD_OBJECT:
        decode_object(decoding, field->schema, step, at);
        break;
    case FIELD_RAW:
        decode_raw(decoding, at);
        break;
    default:
        decode_text(decoding, field, type, item, step, at);
    }
}

/* Room for one more item: the items move to a place of twice the size when theirs is full. */
static void *next_item(decoding_t *decoding, size_t size, array_t *array, size_t *room)
{
    if (array->count == *room) {
        const size_t larger = *room ? *room * 2 : ITEMS_FIRST;
        void *items = arena_zalloc(decoding->arena, arena_array_size(size, larger));
        if (array->count > 0)
            memcpy(items, array->items, array->count * size);
        array->items = items;
        *room = larger;
    }
    return (char *)array->items + array->count++ * size;
}

/* Items beyond the most that there may be are counted, but not kept. */
static void decode_array(decoding_t *decoding, const field_t *field, const step_t *step, array_t *array)
{
    const size_t size = item_size(field);
    step_t item = {.outer = step};
    size_t room = 0;

    if (!is_type(decoding, step, JSON_ARRAY) || !json_array_begin(&decoding->reader))
        return;
    for (; json_array_next(&decoding->reader); item.index++) {
        if ((int64_t)item.index >= field->most || is_told(decoding)) {
            if (!json_skip(&decoding->reader))
                return;
            continue;
        }
        decode_one(decoding, field, field->item_type, true, &item, next_item(decoding, size, array, &room));
        if (decoding->reader.error)
            return;
    }
    note_unless_fits(decoding, step, check_count(decoding->arena, field, item.index));
}

static void decode_by_pointer(decoding_t *decoding, const field_t *field, const step_t *step, void **at)
{
    if (!is_type(decoding, step, JSON_OBJECT))
        return;
    *at = arena_alloc(decoding->arena, field->schema->size);
    decode_object(decoding, field->schema, step, *at);
}

static void decode_field(decoding_t *decoding, const field_t *field, bool null_is_absent, const step_t *step,
                         void *out)
{
    void *at = field_at(out, field->offset);
    const bool null = (field->nullable || null_is_absent) && field->type != FIELD_RAW;

    if (null && json_peek(&decoding->reader) == JSON_NULL) {
        if (json_read_null(&decoding->reader) && field->type != FIELD_INT && field->type != FIELD_BOOL)
            mark_there(field, out);
        return;
    }
    mark_there(field, out);
    if (field->type == FIELD_ARRAY)
        decode_array(decoding, field, step, at);
    else if (field->by_pointer)
        decode_by_pointer(decoding, field, step, at);
    else
        decode_one(decoding, field, field->type, false, step, at);
}

/* ---- objects ---- */

/* The field of that name, or field_count. Members mostly come in the order of the table: the search begins at
 * `expected`. */
static size_t find_field(const schema_t *schema, str_t name, size_t expected)
{
    for (size_t tried = 0; tried < schema->field_count; tried++) {
        size_t index = expected + tried;
        if (index >= schema->field_count)
            index -= schema->field_count;
        const char *known = schema->fields[index].name;
        if (strncmp(known, name.at, name.length) == 0 && known[name.length] == '\0')
            return index;
    }
    return schema->field_count;
}

static void pass_over_unknown(decoding_t *decoding, const schema_t *schema, const step_t *step)
{
    if (!json_skip(&decoding->reader) || schema->open)
        return;
    const char *subject = step->outer == NULL && decoding->subject ? decoding->subject : schema->name;
    note_wrong(decoding, step,
               arena_printf(decoding->arena, "is not a field that %s knows; %s", subject,
                            known_names(decoding->arena, schema, IN_BODY).at));
}

static void pass_over_repeated(decoding_t *decoding, const step_t *step)
{
    if (json_skip(&decoding->reader))
        note_wrong(decoding, step, STR("is there twice"));
}

static void finish_object(decoding_t *decoding, const schema_t *schema, uint64_t seen, const step_t *step,
                          void *out)
{
    for (size_t index = 0; index < schema->field_count; index++) {
        const field_t *field = &schema->fields[index];
        if (seen >> index & 1)
            continue;
        if (field->required)
            note_wrong(decoding, &(step_t){.outer = step, .name = str_from(field->name)}, STR("is required"));
        else
            set_preset(field, out);
    }
    if ((size_t)__builtin_popcountll(seen) < schema->least_fields)
        note_wrong(decoding, step,
                   arena_printf(decoding->arena, "must have at least %zu field%s; %s", schema->least_fields,
                                schema->least_fields == 1 ? "" : "s",
                                known_names(decoding->arena, schema, IN_BODY).at));
}

static void decode_object(decoding_t *decoding, const schema_t *schema, const step_t *step, void *out)
{
    json_reader_t *reader = &decoding->reader;
    step_t member = {.outer = step};
    uint64_t seen = 0;
    size_t expected = 0;

    memset(out, 0, schema->size);
    if (!is_type(decoding, step, JSON_OBJECT) || !json_object_begin(reader))
        return;
    while (json_object_next(reader, &member.name)) {
        const size_t index = find_field(schema, member.name, expected);
        if (is_told(decoding)) {
            if (!json_skip(reader))
                return;
        } else if (index == schema->field_count) {
            pass_over_unknown(decoding, schema, &member);
        } else if (seen >> index & 1) {
            pass_over_repeated(decoding, &member);
        } else {
            seen |= UINT64_C(1) << index;
            expected = index + 1 < schema->field_count ? index + 1 : 0;
            decode_field(decoding, &schema->fields[index], schema->open, &member, out);
        }
        if (reader->error)
            return;
    }
    if (reader->error == NULL)
        finish_object(decoding, schema, seen, step, out);
}

static bool decode_all(decoding_t *decoding, const schema_t *schema, str_t json, void *out)
{
    json_reader_init(&decoding->reader, decoding->arena, json);
    decode_object(decoding, schema, NULL, out);
    return json_end(&decoding->reader);
}

void schema_decode(req_t *req, const schema_t *schema, str_t json, void *out)
{
    decoding_t decoding = {
        .arena = req->arena, .req = req, .subject = req->operation ? req->operation->name : NULL};

    if (!decode_all(&decoding, schema, json, out))
        fail(req, &MALFORMED, "The body is not JSON: in line %zu, column %zu %s.",
             json_line(&decoding.reader), json_column(&decoding.reader), decoding.reader.error);
    if (req->problem.kind == NULL && req->problem.field_count > 0)
        fail_fields(req);
}

bool schema_read(const schema_t *schema, arena_t *arena, str_t json, void *out, str_t *error)
{
    decoding_t decoding = {.arena = arena};

    if (!decode_all(&decoding, schema, json, out)) {
        *error = arena_printf(arena, "in line %zu, column %zu %s", json_line(&decoding.reader),
                              json_column(&decoding.reader), decoding.reader.error);
        return false;
    }
    *error = decoding.error;
    return decoding.wrong == 0;
}

/* ---- path, query and header values ---- */

static str_t read_text_number(arena_t *arena, const field_t *field, str_t text, int64_t *value)
{
    const size_t sign = text.length > 0 && text.at[0] == '-';

    for (size_t at = sign; at < text.length; at++)
        if (text.at[at] < '0' || text.at[at] > '9')
            return STR("must be a whole number");
    if (text.length == sign)
        return STR("must be a whole number");
    return check_number(arena, text, field->least, field->most, value);
}

static str_t read_text_bool(str_t text, bool *value)
{
    *value = str_equal(text, STR("true"));
    return *value || str_equal(text, STR("false")) ? STR_NONE : STR("must be true or false");
}

static str_t read_text(arena_t *arena, const field_t *field, str_t text, void *at)
{
    switch (field->type) {
    case FIELD_UUID:
        return read_uuid(text, at);
    case FIELD_TIME:
        return read_time(text, at);
    case FIELD_ENUM:
        return read_word(arena, field, text, at);
    case FIELD_INT:
        return read_text_number(arena, field, text, at);
    case FIELD_BOOL:
        return read_text_bool(text, at);
    default:
        *(str_t *)at = text;
        if (!utf8_valid(text, NULL) || memchr(text.at, '\0', text.length))
            return STR("must be valid UTF-8 without NUL");
        return check_string(arena, field, field->least, field->most, text);
    }
}

void schema_decode_text(req_t *req, const field_t *field, str_t value, void *out)
{
    static const char *const places[] = {
        [IN_BODY] = "", [IN_PATH] = "path", [IN_QUERY] = "query", [IN_HEADER] = "header"};
    const str_t text = value.at ? value : STR("");
    const str_t detail = read_text(req->arena, field, text, field_at(out, field->offset));

    mark_there(field, out);
    if (detail.at)
        field_wrong(req, arena_printf(req->arena, "%s/%s", places[field->place], field->name), "%.*s",
                    STR_ARGS(detail));
}
