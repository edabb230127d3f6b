/*
 * From what the gateway took apart to the struct that a handler gets. A path value of the wrong form names
 * nothing: 404. All that is wrong in query and body is told at once: 422.
 */
#include "core/http/operation.h"
#include "core/api.h"
#include "core/http/schema_private.h"

enum { NAME_SHOWN_MAX = 60 };

/* The fields of the path stand first in the table, in the order of the path. */
static void decode_path(req_t *req, const schema_t *schema, const str_t *values, size_t count, void *out)
{
    for (size_t index = 0; index < count && index < schema->field_count; index++) {
        const field_t *field = &schema->fields[index];
        const size_t wrong = req->problem.kind ? 0 : req->problem.field_count;
        schema_decode_text(req, field, values[index], out);
        if (req->problem.kind == NULL && req->problem.field_count > wrong)
            fail(req, &NOT_FOUND, "There is no %s of that name.", field->name);
    }
}

static size_t find_query_field(const schema_t *schema, str_t name)
{
    size_t index = 0;

    while (index < schema->field_count && (schema->fields[index].place != IN_QUERY ||
                                           !str_equal(str_from(schema->fields[index].name), name)))
        index++;
    return index;
}

static str_t query_pointer(req_t *req, str_t name)
{
    const str_t shown = cut_text(name, NAME_SHOWN_MAX);

    return arena_printf(req->arena, "query/%.*s", STR_ARGS(shown));
}

static void decode_parameter(req_t *req, const operation_t *operation, str_t name, str_t value,
                             uint64_t *seen, void *out)
{
    const schema_t *schema = operation->request;
    const size_t index = find_query_field(schema, name);

    if (index == schema->field_count) {
        field_wrong(req, query_pointer(req, name), "is not a parameter that %s knows; %s", operation->name,
                    known_names(req->arena, schema, IN_QUERY).at);
        return;
    }
    if (*seen >> index & 1) {
        field_wrong(req, query_pointer(req, name), "is there twice");
        return;
    }
    *seen |= UINT64_C(1) << index;
    schema_decode_text(req, &schema->fields[index], value, out);
}

/* The part up to a separator, which is taken off the text. */
static str_t take_until(str_t *text, char separator)
{
    const char *end = text->length > 0 ? memchr(text->at, separator, text->length) : NULL;
    const str_t part = {text->at, end ? (size_t)(end - text->at) : text->length};
    const size_t taken = part.length + (end != NULL);

    *text = (str_t){text->at ? text->at + taken : NULL, text->length - taken};
    return part;
}

static void decode_query(req_t *req, const operation_t *operation, str_t query, uint64_t *seen, void *out)
{
    while (query.length > 0) {
        str_t value = take_until(&query, '&'), name;
        if (value.length == 0)
            continue;
        name = take_until(&value, '=');
        if (!percent_decode(req->arena, name, true, &name) ||
            !percent_decode(req->arena, value, true, &value))
            fail(req, &MALFORMED, "The query is not percent-encoded UTF-8 without NUL.");
        decode_parameter(req, operation, name, value, seen, out);
    }
}

static void finish_query(req_t *req, const schema_t *schema, uint64_t seen, void *out)
{
    for (size_t index = 0; index < schema->field_count; index++) {
        const field_t *field = &schema->fields[index];
        if (field->place == IN_PATH || seen >> index & 1)
            continue;
        if (field->place == IN_QUERY && field->required)
            field_wrong(req, query_pointer(req, str_from(field->name)), "is required");
        else
            set_preset(field, out);
    }
}

static void decode_body(req_t *req, const operation_t *operation, str_t body, void *out)
{
    if (operation->body == NULL) {
        if (body.length > 0)
            fail(req, &MALFORMED, "The operation %s takes no body.", operation->name);
        return;
    }
    if (body.length == 0)
        fail(req, &MALFORMED, "The operation %s needs a body, in JSON.", operation->name);
    schema_decode(req, operation->body, body, field_at(out, operation->body_offset));
}

const void *operation_decode(req_t *req, const operation_t *operation, const str_t *path_values,
                             size_t path_count, str_t query, str_t body)
{
    void *out = arena_zalloc(req->arena, operation->request->size);
    uint64_t seen = 0;

    decode_path(req, operation->request, path_values, path_count, out);
    decode_query(req, operation, query, &seen, out);
    finish_query(req, operation->request, seen, out);
    decode_body(req, operation, body, out);
    if (req->problem.kind == NULL && req->problem.field_count > 0)
        fail_fields(req);
    return out;
}
