/*
 * Fuzzes the decoder of bodies and of queries. The first byte chooses: a body that is accepted is encoded,
 * and what was encoded is accepted and encoded alike; anything else is refused with a reason.
 */
#include <stdlib.h>

#include "core/api.h"
#include "core/http/operation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct part {
    uuid_t id;
    str_t name;
    struct part *inner;
};

struct whole {
    str_t text;
    str_t slug;
    int kind;
    int64_t number;
    int64_t maybe;
    bool has_maybe;
    bool flag;
    int64_t at;
    uuid_t id;
    struct part part;
    struct {
        str_t *items;
        size_t count;
    } tags;
    struct {
        struct part *items;
        size_t count;
    } parts;
    struct {
        int *items;
        size_t count;
    } kinds;
    struct {
        int64_t *items;
        size_t count;
    } numbers;
    str_t raw;
    str_t note;
    bool has_note;
};

static const schema_t part_schema;
static const char *const kinds[] = {"one", "two", "three", NULL};

#define AT(structure, member) .offset = offsetof(struct structure, member), .has_offset = NO_HAS

static const field_t part_fields[] = {
    {.name = "id", .type = FIELD_UUID, AT(part, id), .required = true},
    {.name = "name", .type = FIELD_STRING, AT(part, name), .most = 5},
    {.name = "inner", .type = FIELD_OBJECT, AT(part, inner), .by_pointer = true, .schema = &part_schema},
};

static const schema_t part_schema = {
    .name = "Part", .size = sizeof(struct part), .fields = part_fields, .field_count = COUNT_OF(part_fields)};

static const field_t whole_fields[] = {
    {.name = "text", .type = FIELD_STRING, AT(whole, text), .required = true, .least = 1, .most = 30},
    {.name = "slug", .type = FIELD_STRING, AT(whole, slug), .least = 1, .most = 10, .pattern = "a-z0-9-"},
    {.name = "kind", .type = FIELD_ENUM, AT(whole, kind), .words = kinds, .preset = 2},
    {.name = "number", .type = FIELD_INT, AT(whole, number), .least = -5, .most = 100, .preset = 20},
    {.name = "maybe",
     .type = FIELD_INT,
     .offset = offsetof(struct whole, maybe),
     .has_offset = offsetof(struct whole, has_maybe),
     .least = INT64_MIN,
     .most = INT64_MAX,
     .nullable = true},
    {.name = "flag", .type = FIELD_BOOL, AT(whole, flag)},
    {.name = "at", .type = FIELD_TIME, AT(whole, at)},
    {.name = "id", .type = FIELD_UUID, AT(whole, id), .nullable = true},
    {.name = "part", .type = FIELD_OBJECT, AT(whole, part), .required = true, .schema = &part_schema},
    {.name = "tags",
     .type = FIELD_ARRAY,
     AT(whole, tags),
     .item_type = FIELD_STRING,
     .most = 20,
     .item_least = 1,
     .item_most = 4},
    {.name = "parts",
     .type = FIELD_ARRAY,
     AT(whole, parts),
     .item_type = FIELD_OBJECT,
     .most = 20,
     .schema = &part_schema},
    {.name = "kinds",
     .type = FIELD_ARRAY,
     AT(whole, kinds),
     .item_type = FIELD_ENUM,
     .most = 20,
     .words = kinds},
    {.name = "numbers",
     .type = FIELD_ARRAY,
     AT(whole, numbers),
     .item_type = FIELD_INT,
     .most = 20,
     .item_least = 0,
     .item_most = 9},
    {.name = "raw", .type = FIELD_RAW, AT(whole, raw)},
    {.name = "note",
     .type = FIELD_STRING,
     .offset = offsetof(struct whole, note),
     .has_offset = offsetof(struct whole, has_note),
     .most = 9,
     .nullable = true},
};

static const schema_t whole_schema = {.name = "Whole",
                                      .size = sizeof(struct whole),
                                      .fields = whole_fields,
                                      .field_count = COUNT_OF(whole_fields)};

struct page_request {
    str_t cursor;
    int64_t limit;
    int kind;
};

static const field_t page_fields[] = {
    {.name = "cursor", .type = FIELD_STRING, .place = IN_QUERY, AT(page_request, cursor), .most = 20},
    {.name = "limit", .type = FIELD_INT, .place = IN_QUERY, AT(page_request, limit), .least = 1, .most = 100},
    {.name = "kind", .type = FIELD_ENUM, .place = IN_QUERY, AT(page_request, kind), .words = kinds},
};

static const schema_t page_schema = {.name = "list",
                                     .size = sizeof(struct page_request),
                                     .fields = page_fields,
                                     .field_count = COUNT_OF(page_fields)};
static const operation_t page_operation = {.name = "list", .method = METHOD_GET, .request = &page_schema};

static void read_body(req_t *req, str_t text)
{
    struct whole value, again;
    str_t error = STR_NONE;

    if (!schema_read(&whole_schema, req->arena, text, &value, &error)) {
        if (error.length == 0)
            abort();
        return;
    }
    const str_t written = schema_encode(req->arena, &whole_schema, &value);
    if (!schema_read(&whole_schema, req->arena, written, &again, &error) ||
        !str_equal(written, schema_encode(req->arena, &whole_schema, &again)))
        abort();
}

static void read_query(req_t *req, void *arg)
{
    operation_decode(req, &page_operation, NULL, 0, *(str_t *)arg, STR_NONE);
}

static void read_body_of_request(req_t *req, void *arg)
{
    struct whole value;

    schema_decode(req, &whole_schema, *(str_t *)arg, &value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    req_t *req = req_new(NULL, NULL);
    str_t text = {(const char *)data + 1, size - 1};
    int status;

    if (data[0] == 'b')
        read_body(req, text);
    if (!req_attempt(req, data[0] == 'q' ? read_query : read_body_of_request, &text)) {
        const str_t body = problem_body(req, &status);
        if (status < 400 || status > 422 || !utf8_valid(body, NULL))
            abort();
    }
    req_free(req);
    return 0;
}
