/*
 * /openapi.json: one document made at the start of the parts of core, the gateway and the modules that are
 * run. And /problems, the page that the type of a problem leads to, made of what that document says of
 * answers.
 */
#include "gateway/gateway.h"

#include "core/api.h"
#include "gateway/api.h"

extern const char core_openapi[];

enum { PARTS_MOST = SERVED_MAX + 1, NAMES_MOST = 4096 };

typedef struct member {
    str_t name, value; /* value: JSON as it stands */
} member_t;

typedef struct members {
    member_t *at;
    size_t count;
} members_t;

typedef struct merge {
    arena_t *arena;
    str_t parts[PARTS_MOST];
    size_t part_count;
    json_writer_t writer;
} merge_t;

/* The members of an object; what our own generator wrote is JSON. */
static members_t members_of(arena_t *arena, str_t object)
{
    members_t members = {.at = arena_array_of(arena, member_t, NAMES_MOST)};
    json_reader_t reader;
    str_t name;
    json_reader_init(&reader, arena, object);
    if (!json_object_begin(&reader))
        panic("a description of the API is broken: %s", reader.error);
    while (members.count < NAMES_MOST && json_object_next(&reader, &name)) {
        (void)json_peek(&reader); /* to the beginning of the value */
        const char *from = reader.at;
        if (!json_skip(&reader))
            break;
        members.at[members.count++] = (member_t){name, {from, (size_t)(reader.at - from)}};
    }
    if (reader.error)
        panic("a description of the API is broken: %s", reader.error);
    return members;
}

static str_t member_of(arena_t *arena, str_t object, str_t name)
{
    members_t members = members_of(arena, object);
    for (size_t place = 0; place < members.count; place++)
        if (str_equal(members.at[place].name, name))
            return members.at[place].value;
    return STR("{}");
}

static bool written(const members_t *written, str_t name)
{
    for (size_t place = 0; place < written->count; place++)
        if (str_equal(written->at[place].name, name))
            return true;
    return false;
}

/* The members of all objects; of those with one name, the first. */
static void write_union(merge_t *merge, const str_t *objects, size_t count)
{
    members_t done = {.at = arena_array_of(merge->arena, member_t, NAMES_MOST)};
    json_object_open(&merge->writer);
    for (size_t object = 0; object < count; object++) {
        members_t members = members_of(merge->arena, objects[object]);
        for (size_t place = 0; place < members.count && done.count < NAMES_MOST; place++) {
            if (written(&done, members.at[place].name))
                continue;
            done.at[done.count++] = members.at[place];
            json_name(&merge->writer, members.at[place].name);
            json_raw(&merge->writer, members.at[place].value);
        }
    }
    json_object_close(&merge->writer);
}

static void write_member_union(merge_t *merge, str_t within, str_t name)
{
    str_t objects[PARTS_MOST];
    for (size_t part = 0; part < merge->part_count; part++) {
        str_t outer =
            within.length ? member_of(merge->arena, merge->parts[part], within) : merge->parts[part];
        objects[part] = member_of(merge->arena, outer, name);
    }
    json_name(&merge->writer, name);
    write_union(merge, objects, merge->part_count);
}

static void write_components(merge_t *merge)
{
    static const str_t kinds[] = {{"schemas", 7},        {"responses", 9}, {"parameters", 10},
                                  {"requestBodies", 13}, {"headers", 7},   {"securitySchemes", 15}};
    json_name(&merge->writer, STR("components"));
    json_object_open(&merge->writer);
    for (size_t place = 0; place < COUNT_OF(kinds); place++)
        write_member_union(merge, STR("components"), kinds[place]);
    json_object_close(&merge->writer);
}

str_t openapi_merge(gateway_t *gateway)
{
    merge_t merge = {.arena = arena_new()};
    merge.parts[merge.part_count++] = str_from(core_openapi);
    for (size_t place = 0; place < gateway->served_count; place++)
        merge.parts[merge.part_count++] = str_from(gateway->served[place]->openapi);
    json_writer_init(&merge.writer, merge.arena, 64 * 1024);
    json_object_open(&merge.writer);
    members_t head = members_of(merge.arena, merge.parts[0]);
    for (size_t place = 0; place < head.count; place++) {
        if (str_equal(head.at[place].name, STR("paths")) || str_equal(head.at[place].name, STR("components")))
            continue;
        json_name(&merge.writer, head.at[place].name);
        json_raw(&merge.writer, head.at[place].value);
    }
    write_member_union(&merge, STR_NONE, STR("paths"));
    write_components(&merge);
    json_object_close(&merge.writer);
    str_t text = arena_str(gateway->arena, json_text(&merge.writer));
    arena_free(merge.arena);
    return text;
}

/* ---- problems ---- */

typedef struct listing {
    arena_t *arena;
    str_t text;
    members_t seen;
} listing_t;

static str_t escape(arena_t *arena, str_t text)
{
    char *out = arena_alloc(arena, 6 * text.length + 1);
    size_t length = 0;
    for (size_t place = 0; place < text.length; place++) {
        const char *entity = text.at[place] == '<'   ? "&lt;"
                             : text.at[place] == '&' ? "&amp;"
                             : text.at[place] == '"' ? "&quot;"
                                                     : NULL;
        if (entity) {
            memcpy(out + length, entity, strlen(entity));
            length += strlen(entity);
        } else
            out[length++] = text.at[place];
    }
    out[length] = '\0';
    return (str_t){out, length};
}

static void list_problem(listing_t *listing, str_t code, str_t status, str_t title)
{
    if (written(&listing->seen, code) || listing->seen.count == NAMES_MOST)
        return;
    listing->seen.at[listing->seen.count++].name = code;
    listing->text = arena_printf(
        listing->arena, "%s<dt id=\"%.*s\">%.*s <small>%.*s</small></dt><dd>%s</dd>\n", listing->text.at,
        STR_ARGS(code), STR_ARGS(code), STR_ARGS(status), escape(listing->arena, title).at);
}

static void list_kind(listing_t *listing, const problem_kind_t *kind)
{
    str_t status = arena_printf(listing->arena, "%d", kind->status);
    list_problem(listing, str_from(kind->code), status, str_from(kind->title));
}

/* "board_closed: This board is closed.", a line for each. */
static void list_description(listing_t *listing, str_t status, str_t text)
{
    for (size_t from = 0; from < text.length;) {
        const char *end = memchr(text.at + from, '\n', text.length - from);
        size_t to = end ? (size_t)(end - text.at) : text.length;
        str_t line = {text.at + from, to - from};
        const char *colon = memmem(line.at, line.length, ": ", 2);
        if (colon) {
            size_t code_length = (size_t)(colon - line.at);
            list_problem(listing, (str_t){line.at, code_length}, status,
                         (str_t){colon + 2, line.length - code_length - 2});
        }
        from = to + 1;
    }
}

static void list_responses(listing_t *listing, str_t operation)
{
    members_t responses = members_of(listing->arena, member_of(listing->arena, operation, STR("responses")));
    for (size_t place = 0; place < responses.count; place++) {
        str_t status = responses.at[place].name, text;
        json_reader_t reader;
        if (status.length != 3 || status.at[0] < '4')
            continue;
        str_t description = member_of(listing->arena, responses.at[place].value, STR("description"));
        json_reader_init(&reader, listing->arena, description);
        if (json_read_string(&reader, &text))
            list_description(listing, status, text);
    }
}

static void list_document(listing_t *listing, str_t document)
{
    members_t paths = members_of(listing->arena, member_of(listing->arena, document, STR("paths")));
    for (size_t path = 0; path < paths.count; path++) {
        members_t operations = members_of(listing->arena, paths.at[path].value);
        for (size_t place = 0; place < operations.count; place++)
            if (operations.at[place].value.at[0] == '{')
                list_responses(listing, operations.at[place].value);
    }
}

str_t problems_page_make(gateway_t *gateway)
{
    static const problem_kind_t *const common[] = {
        &MALFORMED,
        &UNAUTHENTICATED,
        &FORBIDDEN,
        &NOT_FOUND,
        &NO_SUCH_PATH,
        &MODULE_DISABLED,
        &METHOD_NOT_ALLOWED,
        &VERSION_CONFLICT,
        &PAYLOAD_TOO_LARGE,
        &UNSUPPORTED_MEDIA_TYPE,
        &INVALID,
        &IDEMPOTENCY_CONFLICT,
        &PRECONDITION_REQUIRED,
        &RATE_LIMITED,
        &CLIENT_GONE,
        &INTERNAL,
        &BUSY,
        &UNAVAILABLE,
        &TIMED_OUT,
        &STORAGE_FULL,
        &TARGET_TOO_LONG,
        &HEADERS_TOO_LARGE,
    };
    listing_t listing = {.arena = arena_new(), .text = STR("")};
    listing.seen.at = arena_array_of(listing.arena, member_t, NAMES_MOST);
    for (size_t place = 0; place < COUNT_OF(common); place++)
        list_kind(&listing, common[place]);
    list_document(&listing, gateway->openapi);
    str_t page = arena_printf(
        gateway->arena,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Problems</title>"
        "<h1>Problems</h1><p>What the API answers when a request cannot be done. Each answer says "
        "more in <code>detail</code> and <code>errors</code>.</p><dl>\n%s</dl></html>\n",
        listing.text.at);
    arena_free(listing.arena);
    return page;
}
