/* Decoding into structs and encoding from them: what fits arrives whole, and each thing that does not is
 * named in its place. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#undef fail /* a macro of cmocka: here it is the function of req.h */

#include "core/api.h"
#include "core/http/schema.h"

/* Tables of the form that the generator writes, with a field of every kind. */

struct author {
    uuid_t id;
    str_t name;
};

struct draft {
    str_t slug;
    str_t title;
    str_t body;
    int kind;
    int64_t age;
    int64_t count;
    bool has_count;
    bool closed;
    int64_t at;
    uuid_t parent;
    struct author *author;
    struct author editor;
    struct {
        int *items;
        size_t count;
    } roles;
    struct {
        str_t *items;
        size_t count;
    } tags;
    struct {
        struct author *items;
        size_t count;
    } readers;
    struct {
        int64_t *items;
        size_t count;
    } marks;
    str_t extra;
    str_t note;
};

static const field_t author_fields[] = {
    {.name = "id",
     .type = FIELD_UUID,
     .offset = offsetof(struct author, id),
     .has_offset = NO_HAS,
     .required = true},
    {.name = "name",
     .type = FIELD_STRING,
     .offset = offsetof(struct author, name),
     .has_offset = NO_HAS,
     .required = true,
     .least = 1,
     .most = 5},
};

static const schema_t author_schema = {.name = "Author",
                                       .size = sizeof(struct author),
                                       .fields = author_fields,
                                       .field_count = COUNT_OF(author_fields)};

static const char *const kind_words[] = {"discussion", "statements", NULL};
static const char *const role_words[] = {"moderator", "administrator", NULL};

#define PLAIN(member) .offset = offsetof(struct draft, member), .has_offset = NO_HAS

static const field_t draft_fields[] = {
    {.name = "slug",
     .type = FIELD_STRING,
     PLAIN(slug),
     .required = true,
     .least = 1,
     .most = 10,
     .pattern = "a-z0-9-"},
    {.name = "title", .type = FIELD_STRING, PLAIN(title), .required = true, .least = 1, .most = 300},
    {.name = "body", .type = FIELD_STRING, PLAIN(body), .most = 400, .preset_text = ""},
    {.name = "kind", .type = FIELD_ENUM, PLAIN(kind), .words = kind_words, .preset = 2},
    {.name = "age", .type = FIELD_INT, PLAIN(age), .least = 0, .most = 150, .preset = 20},
    {.name = "count",
     .type = FIELD_INT,
     .offset = offsetof(struct draft, count),
     .has_offset = offsetof(struct draft, has_count),
     .least = INT64_MIN,
     .most = INT64_MAX,
     .nullable = true},
    {.name = "closed", .type = FIELD_BOOL, PLAIN(closed), .preset = 1},
    {.name = "at", .type = FIELD_TIME, PLAIN(at), .nullable = true},
    {.name = "parent", .type = FIELD_UUID, PLAIN(parent)},
    {.name = "author", .type = FIELD_OBJECT, PLAIN(author), .by_pointer = true, .schema = &author_schema},
    {.name = "editor", .type = FIELD_OBJECT, PLAIN(editor), .required = true, .schema = &author_schema},
    {.name = "roles",
     .type = FIELD_ARRAY,
     PLAIN(roles),
     .item_type = FIELD_ENUM,
     .most = 2,
     .words = role_words},
    {.name = "tags",
     .type = FIELD_ARRAY,
     PLAIN(tags),
     .item_type = FIELD_STRING,
     .least = 1,
     .most = 20,
     .item_least = 2,
     .item_most = 4},
    {.name = "readers",
     .type = FIELD_ARRAY,
     PLAIN(readers),
     .item_type = FIELD_OBJECT,
     .most = 100,
     .schema = &author_schema},
    {.name = "marks",
     .type = FIELD_ARRAY,
     PLAIN(marks),
     .item_type = FIELD_INT,
     .most = 100,
     .item_least = 1,
     .item_most = 6},
    {.name = "extra", .type = FIELD_RAW, PLAIN(extra)},
    {.name = "note", .type = FIELD_STRING, PLAIN(note), .most = 50, .nullable = true},
};

static const schema_t draft_schema = {.name = "Draft",
                                      .size = sizeof(struct draft),
                                      .fields = draft_fields,
                                      .field_count = COUNT_OF(draft_fields)};

struct change {
    str_t title;
    bool has_title;
    bool closed;
    bool has_closed;
    str_t note;
    bool has_note;
};

static const field_t change_fields[] = {
    {.name = "title",
     .type = FIELD_STRING,
     .offset = offsetof(struct change, title),
     .has_offset = offsetof(struct change, has_title),
     .least = 1,
     .most = 10},
    {.name = "closed",
     .type = FIELD_BOOL,
     .offset = offsetof(struct change, closed),
     .has_offset = offsetof(struct change, has_closed)},
    {.name = "note",
     .type = FIELD_STRING,
     .offset = offsetof(struct change, note),
     .has_offset = offsetof(struct change, has_note),
     .most = 10,
     .nullable = true},
};

static const schema_t change_schema = {.name = "Change",
                                       .size = sizeof(struct change),
                                       .fields = change_fields,
                                       .field_count = COUNT_OF(change_fields),
                                       .least_fields = 1};

static const schema_t open_schema = {.name = "Entry",
                                     .size = sizeof(struct author),
                                     .fields = author_fields,
                                     .field_count = COUNT_OF(author_fields),
                                     .open = true};

#define ID     "01890a5d-ac96-774b-bcce-b302099a8057"
#define EDITOR "\"editor\":{\"id\":\"" ID "\",\"name\":\"Ann\"}"
#define LEAST  "\"slug\":\"a-1\",\"title\":\"T\"," EDITOR

static req_t *req;

static int open_request(void **state)
{
    (void)state;
    req = req_new(NULL, NULL);
    return 0;
}

static int close_request(void **state)
{
    (void)state;
    req_free(req);
    return 0;
}

typedef struct work {
    const schema_t *schema;
    str_t json;
    void *out;
} work_t;

static void decode(req_t *own, void *arg)
{
    const work_t *work = arg;

    schema_decode(own, work->schema, work->json, work->out);
}

static bool decodes(const schema_t *schema, str_t json, void *out)
{
    char *copy = arena_alloc(req->arena, json.length);
    work_t work = {schema, {copy, json.length}, out};

    memcpy(copy, json.at, json.length);
    req->problem = (problem_t){0};
    return req_attempt(req, decode, &work);
}

/* The draft is refused as INVALID, with exactly that one wrong field. */
static void assert_wrong(const char *json, const char *pointer, const char *detail)
{
    struct draft draft;

    assert_false(decodes(&draft_schema, str_from(json), &draft));
    assert_ptr_equal(req->problem.kind, &INVALID);
    assert_int_equal(req->problem.field_count, 1);
    assert_string_equal(req->problem.fields[0].pointer.at, pointer);
    assert_string_equal(req->problem.fields[0].detail.at, detail);
}

static void a_whole_body_arrives_in_its_struct(void **state)
{
    (void)state;
    struct draft draft;

    assert_true(decodes(
        &draft_schema,
        STR("{\"title\":\"He said "
            "\\\"né\\\"\",\"slug\":\"a-1\",\"body\":\"\",\"kind\":\"discussion\",\"age\":1.5e2,"
            "\"count\":-9223372036854775808,\"closed\":false,\"at\":\"2026-11-21T12:00:00Z\",\"parent\":\"" ID
            "\","
            "\"author\":{\"name\":\"Bob\",\"id\":\"" ID "\"}," EDITOR
            ",\"roles\":[\"administrator\",\"moderator\"],"
            "\"tags\":[\"ab\",\"abcd\"],\"readers\":[{\"id\":\"" ID "\",\"name\":\"A\"},{\"id\":\"" ID
            "\",\"name\":\"B\"}],"
            "\"marks\":[1,2,3,4,5,6,1,2,3,4],\"extra\":{\"x\": [1,{}]},\"note\":\"n\"}"),
        &draft));
    assert_string_equal(draft.title.at, "He said \"né\"");
    assert_string_equal(draft.slug.at, "a-1");
    assert_int_equal(draft.kind, 1);
    assert_int_equal(draft.age, 150);
    assert_true(draft.has_count && draft.count == INT64_MIN);
    assert_false(draft.closed);
    assert_int_equal(draft.at, INT64_C(1795262400000000));
    assert_false(uuid_is_none(&draft.parent));
    assert_string_equal(draft.author->name.at, "Bob");
    assert_string_equal(draft.editor.name.at, "Ann");
    assert_int_equal(draft.roles.count, 2);
    assert_int_equal(draft.roles.items[0], 2);
    assert_string_equal(draft.tags.items[1].at, "abcd");
    assert_string_equal(draft.readers.items[1].name.at, "B");
    assert_int_equal(draft.marks.count, 10);
    assert_int_equal(draft.marks.items[9], 4);
    assert_string_equal(draft.extra.at, "{\"x\": [1,{}]}");
    assert_string_equal(draft.note.at, "n");
}

static void what_is_absent_gets_its_default(void **state)
{
    (void)state;
    struct draft draft;

    assert_true(decodes(&draft_schema, STR("{" LEAST ",\"note\":null,\"count\":null,\"at\":null}"), &draft));
    assert_non_null(draft.body.at);
    assert_int_equal(draft.body.length, 0);
    assert_int_equal(draft.kind, 2);
    assert_int_equal(draft.age, 20);
    assert_false(draft.has_count);
    assert_true(draft.closed);
    assert_null(draft.note.at);
    assert_null(draft.author);
    assert_null(draft.tags.items);
    assert_int_equal(draft.at, 0);
}

static void each_wrong_value_is_named_with_what_would_be_right(void **state)
{
    (void)state;
    char text[800];

    assert_wrong("{\"slug\":\"A b\",\"title\":\"T\"," EDITOR "}", "/slug",
                 "may only have the characters a-z0-9-");
    assert_wrong("{\"slug\":\"\",\"title\":\"T\"," EDITOR "}", "/slug",
                 "must have 1 to 10 characters; it has 0");
    assert_wrong("{\"slug\":\"a\"," EDITOR "}", "/title", "is required");
    assert_wrong("{\"slug\":\"a\",\"title\":null," EDITOR "}", "/title", "must be text, not null");
    assert_wrong("{\"slug\":\"a\",\"title\":7," EDITOR "}", "/title", "must be text, not a number");
    assert_wrong("{" LEAST ",\"kind\":\"poll\"}", "/kind", "must be one of discussion, statements");
    assert_wrong("{" LEAST ",\"age\":151}", "/age", "must be between 0 and 150");
    assert_wrong("{" LEAST ",\"age\":-1}", "/age", "must be between 0 and 150");
    assert_wrong("{" LEAST ",\"age\":1e400}", "/age", "must be between 0 and 150");
    assert_wrong("{" LEAST ",\"age\":99999999999999999999}", "/age", "must be between 0 and 150");
    assert_wrong("{" LEAST ",\"age\":1.5}", "/age", "must be a whole number");
    assert_wrong("{" LEAST ",\"age\":\"1\"}", "/age", "must be a number, not text");
    assert_wrong("{" LEAST ",\"count\":9223372036854775808}", "/count",
                 "must be a whole number of at most 64 bits");
    assert_wrong("{" LEAST ",\"closed\":\"true\"}", "/closed", "must be true or false, not text");
    assert_wrong("{" LEAST ",\"at\":\"yesterday\"}", "/at", "must be a time such as 2026-11-21T12:00:00Z");
    assert_wrong("{" LEAST ",\"at\":\"99999-01-01T00:00:00Z\"}", "/at",
                 "must be a time such as 2026-11-21T12:00:00Z");
    assert_wrong("{" LEAST ",\"at\":\"2026-02-30T00:00:00Z\"}", "/at",
                 "must be a time such as 2026-11-21T12:00:00Z");
    assert_wrong("{" LEAST ",\"parent\":\"x\"}", "/parent",
                 "must be an id such as 01890a5d-ac96-774b-bcce-b302099a8057");
    assert_wrong("{" LEAST ",\"parent\":\"00000000-0000-0000-0000-000000000000\"}", "/parent",
                 "must be an id such as 01890a5d-ac96-774b-bcce-b302099a8057");
    assert_wrong("{" LEAST ",\"author\":[]}", "/author", "must be an object, not an array");
    assert_wrong("{" LEAST ",\"author\":{\"id\":\"" ID "\",\"name\":\"toolong\"}}", "/author/name",
                 "must have 1 to 5 characters; it has 7");
    assert_wrong("{" LEAST ",\"author\":{\"id\":\"" ID "\",\"name\":\"x\",\"age\":1}}", "/author/age",
                 "is not a field that Author knows; it knows id, name");
    assert_wrong("{" LEAST ",\"roles\":[\"moderator\",\"king\"]}", "/roles/1",
                 "must be one of moderator, administrator");
    assert_wrong("{" LEAST ",\"roles\":[\"moderator\",\"moderator\",\"moderator\"]}", "/roles",
                 "must have at most 2 items; it has 3");
    assert_wrong("{" LEAST ",\"roles\":{}}", "/roles", "must be an array, not an object");
    assert_wrong("{" LEAST ",\"tags\":[]}", "/tags", "must have 1 to 20 items; it has 0");
    assert_wrong("{" LEAST ",\"tags\":[\"ab\",\"abcde\"]}", "/tags/1",
                 "must have 2 to 4 characters; it has 5");
    assert_wrong("{" LEAST ",\"tags\":[\"ab\",null]}", "/tags/1", "must be text, not null");
    assert_wrong("{" LEAST ",\"marks\":[7]}", "/marks/0", "must be between 1 and 6");
    assert_wrong("{" LEAST ",\"readers\":[{\"name\":\"x\"}]}", "/readers/0/id", "is required");
    assert_wrong("{" LEAST ",\"a/b~c\":1}", "/a~1b~0c",
                 "is not a field that Draft knows; it knows slug, title, body, kind, age, count, closed, at, "
                 "parent, author, editor, "
                 "roles, tags, readers, marks, extra, note");
    assert_wrong("{" LEAST ",\"title\":\"again\"}", "/title", "is there twice");
    assert_wrong("[]", "", "must be an object, not an array");

    const int length = snprintf(text, sizeof text, "{\"slug\":\"a\"," EDITOR ",\"title\":\"%0*d\"}", 301, 0);
    assert_true(length > 0 && (size_t)length < sizeof text);
    assert_wrong(text, "/title", "must have 1 to 300 characters; it has 301");
}

static void characters_are_counted_not_bytes(void **state)
{
    (void)state;
    struct draft draft;

    assert_true(decodes(
        &draft_schema,
        STR("{\"slug\":\"a\",\"title\":\"T\",\"editor\":{\"id\":\"" ID "\",\"name\":\"नमस्😀\"}}"), &draft));
    assert_false(decodes(
        &draft_schema,
        STR("{\"slug\":\"a\",\"title\":\"T\",\"editor\":{\"id\":\"" ID "\",\"name\":\"नमस्ते\"}}"), &draft));
    assert_string_equal(req->problem.fields[0].detail.at, "must have 1 to 5 characters; it has 6");
    assert_false(decodes(&draft_schema, STR("{" LEAST ",\"tags\":[\"😀\"]}"), &draft));
    assert_string_equal(req->problem.fields[0].detail.at, "must have 2 to 4 characters; it has 1");
}

static void all_that_is_wrong_is_told_at_once_but_no_more_than_sixteen(void **state)
{
    (void)state;
    struct draft draft;
    char text[4000];
    size_t length = (size_t)snprintf(text, sizeof text, "{\"age\":-1,\"kind\":\"x\"");

    assert_false(decodes(&draft_schema, STR("{\"age\":-1,\"kind\":\"x\",\"b\":[[{}]]}"), &draft));
    assert_int_equal(req->problem.field_count, 6);
    for (int index = 0; index < 200; index++)
        length += (size_t)snprintf(text + length, sizeof text - length, ",\"x%d\":1", index);
    text[length++] = '}';
    assert_false(decodes(&draft_schema, (str_t){text, length}, &draft));
    assert_int_equal(req->problem.field_count, FIELD_ERRORS_MAX);
}

static void a_body_full_of_mistakes_costs_no_more_than_a_few_times_its_size(void **state)
{
    enum { SIZE = 64 * 1024 };
    static const char *const beginnings[] = {"{", "{\"tags\":[", "{\"readers\":["};
    static const char *const mistakes[] = {"\"x\":1,", "1,", "{\"x\":0},"};
    static const char *const ends[] = {"\"x\":1}", "1]}", "1]}"};
    (void)state;
    struct draft draft;
    char *text = malloc(SIZE + 64);

    for (size_t i = 0; i < COUNT_OF(beginnings); i++) {
        size_t length = (size_t)snprintf(text, SIZE, "%s", beginnings[i]);
        while (length < SIZE)
            length += (size_t)snprintf(text + length, 64, "%s", mistakes[i]);
        length += (size_t)snprintf(text + length, 64, "%s", ends[i]);
        const size_t before = mallinfo2().uordblks;
        assert_false(decodes(&draft_schema, (str_t){text, length}, &draft));
        assert_ptr_equal(req->problem.kind, &INVALID);
        assert_int_equal(req->problem.field_count, FIELD_ERRORS_MAX);
        assert_true(mallinfo2().uordblks - before < 16 * SIZE);
    }
    free(text);
}

static void what_is_no_json_is_malformed_and_not_invalid(void **state)
{
    (void)state;
    struct draft draft;

    assert_false(decodes(&draft_schema, STR("{\"slug\":\"A B\",\n \"title\":\"\\ud800\"}"), &draft));
    assert_ptr_equal(req->problem.kind, &MALFORMED);
    assert_string_equal(req->problem.detail.at,
                        "The body is not JSON: in line 2, column 10 a string has half of a surrogate pair.");
    assert_int_equal(req->problem.field_count, 0);
    assert_false(decodes(&draft_schema, STR("{" LEAST "} x"), &draft));
    assert_ptr_equal(req->problem.kind, &MALFORMED);
    assert_false(decodes(&draft_schema, STR("{" LEAST ",\"title2\":\"\\u0000\"}"), &draft));
    assert_ptr_equal(req->problem.kind, &MALFORMED);
}

static void a_body_cut_at_any_byte_is_malformed(void **state)
{
    (void)state;
    struct draft draft;
    const str_t whole = STR("{" LEAST ",\"readers\":[{\"id\":\"" ID
                            "\",\"name\":\"A\"}],\"tags\":[\"ab\"],\"extra\":{\"x\":[1]},\"age\":1}");

    assert_true(decodes(&draft_schema, whole, &draft));
    for (size_t length = 0; length < whole.length; length++) {
        assert_false(decodes(&draft_schema, (str_t){whole.at, length}, &draft));
        assert_ptr_equal(req->problem.kind, &MALFORMED);
    }
}

static void deep_nesting_is_malformed(void **state)
{
    (void)state;
    struct draft draft;
    char text[300] = "{" LEAST ",\"extra\":";
    const size_t start = strlen(text);

    memset(text + start, '[', 40);
    assert_false(decodes(&draft_schema, (str_t){text, start + 40}, &draft));
    assert_ptr_equal(req->problem.kind, &MALFORMED);
}

static void a_change_knows_what_was_sent(void **state)
{
    (void)state;
    struct change change;

    assert_true(decodes(&change_schema, STR("{\"title\":\"x\"}"), &change));
    assert_true(change.has_title);
    assert_false(change.has_closed);
    assert_false(change.has_note);
    assert_true(decodes(&change_schema, STR("{\"note\":null,\"closed\":false}"), &change));
    assert_true(change.has_note && change.note.at == NULL);
    assert_true(change.has_closed && !change.closed);
    assert_false(decodes(&change_schema, STR("{}"), &change));
    assert_string_equal(req->problem.fields[0].pointer.at, "");
    assert_string_equal(req->problem.fields[0].detail.at,
                        "must have at least 1 field; it knows title, closed, note");
}

static void entries_of_others_may_have_more_and_nulls(void **state)
{
    (void)state;
    struct author author;
    str_t error;

    assert_true(schema_read(&open_schema, req->arena, STR("{\"new\":[1,{}],\"id\":null,\"name\":\"Ann\"}"),
                            &author, &error));
    assert_true(uuid_is_none(&author.id));
    assert_string_equal(author.name.at, "Ann");
    assert_false(
        schema_read(&open_schema, req->arena, STR("{\"id\":\"" ID "\",\"name\":7}"), &author, &error));
    assert_string_equal(error.at, "/name must be text, not a number");
    assert_false(schema_read(&open_schema, req->arena, STR("{\"id\""), &author, &error));
    assert_string_equal(error.at, "in line 1, column 6 a colon is missing behind a name");
    assert_false(schema_read(&open_schema, req->arena, STR_NONE, &author, &error));
}

static void encoding_leaves_out_what_is_absent(void **state)
{
    (void)state;
    const struct draft draft = {.slug = STR("a"), .kind = 1};

    assert_string_equal(schema_encode(req->arena, &draft_schema, &draft).at,
                        "{\"slug\":\"a\",\"title\":\"\",\"kind\":\"discussion\",\"age\":0,\"closed\":false,"
                        "\"editor\":{\"id\":null,\"name\":\"\"}}");
}

static void what_was_decoded_is_encoded_alike(void **state)
{
    (void)state;
    struct draft draft;
    const str_t text =
        STR("{\"slug\":\"a-1\",\"title\":\"é "
            "\\\"\",\"body\":\"\",\"kind\":\"statements\",\"age\":3,\"count\":-1,\"closed\":true,"
            "\"at\":\"2026-11-21T12:00:00.000001Z\",\"parent\":\"" ID "\",\"author\":{\"id\":\"" ID
            "\",\"name\":\"Bob\"}," EDITOR
            ",\"roles\":[\"moderator\"],\"tags\":[\"ab\"],\"readers\":[{\"id\":\"" ID "\",\"name\":\"A\"}],"
            "\"marks\":[1,6],\"extra\":[1,null],\"note\":\"n\"}");

    assert_true(decodes(&draft_schema, text, &draft));
    assert_string_equal(schema_encode(req->arena, &draft_schema, &draft).at, text.at);
}

static void texts_of_paths_and_queries_are_checked_alike(void **state)
{
    (void)state;
    static const field_t fields[] = {
        {.name = "limit", .type = FIELD_INT, .place = IN_QUERY, PLAIN(age), .least = 1, .most = 100},
        {.name = "closed", .type = FIELD_BOOL, .place = IN_QUERY, PLAIN(closed)},
        {.name = "slug",
         .type = FIELD_STRING,
         .place = IN_PATH,
         PLAIN(slug),
         .least = 1,
         .most = 5,
         .pattern = "a-z"},
        {.name = "Last-Event-ID", .type = FIELD_STRING, .place = IN_HEADER, PLAIN(title), .most = 2},
    };
    const struct {
        size_t field;
        const char *text, *detail;
    } cases[] = {
        {0, "20", NULL},
        {0, "0", "must be between 1 and 100"},
        {0, "1e1", "must be a whole number"},
        {0, "", "must be a whole number"},
        {0, "-", "must be a whole number"},
        {0, " 1", "must be a whole number"},
        {0, "99999999999999999999", "must be between 1 and 100"},
        {1, "true", NULL},
        {1, "1", "must be true or false"},
        {2, "abc", NULL},
        {2, "aBc", "may only have the characters a-z"},
        {2, "abcdef", "must have 1 to 5 characters; it has 6"},
        {2, "\xff", "must be valid UTF-8 without NUL"},
        {3, "abc", "must have at most 2 characters; it has 3"},
    };
    struct draft draft;

    for (size_t index = 0; index < COUNT_OF(cases); index++) {
        req->problem = (problem_t){0};
        schema_decode_text(req, &fields[cases[index].field], str_from(cases[index].text), &draft);
        assert_int_equal(req->problem.field_count, cases[index].detail != NULL);
        if (cases[index].detail)
            assert_string_equal(req->problem.fields[0].detail.at, cases[index].detail);
    }
    assert_string_equal(req->problem.fields[0].pointer.at, "header/Last-Event-ID");
    req->problem = (problem_t){0};
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_body_arrives_in_its_struct),
        cmocka_unit_test(what_is_absent_gets_its_default),
        cmocka_unit_test(each_wrong_value_is_named_with_what_would_be_right),
        cmocka_unit_test(characters_are_counted_not_bytes),
        cmocka_unit_test(all_that_is_wrong_is_told_at_once_but_no_more_than_sixteen),
        cmocka_unit_test(a_body_full_of_mistakes_costs_no_more_than_a_few_times_its_size),
        cmocka_unit_test(what_is_no_json_is_malformed_and_not_invalid),
        cmocka_unit_test(a_body_cut_at_any_byte_is_malformed),
        cmocka_unit_test(deep_nesting_is_malformed),
        cmocka_unit_test(a_change_knows_what_was_sent),
        cmocka_unit_test(entries_of_others_may_have_more_and_nulls),
        cmocka_unit_test(encoding_leaves_out_what_is_absent),
        cmocka_unit_test(what_was_decoded_is_encoded_alike),
        cmocka_unit_test(texts_of_paths_and_queries_are_checked_alike),
    };

    return cmocka_run_group_tests(tests, open_request, close_request);
}
