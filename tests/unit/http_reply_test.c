/* Replies, their conditions, cursors, and what a client sees of a problem. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#undef fail /* a macro of cmocka: here it is the function of req.h */

#include "core/api.h"
#include "core/crypto/crypto.h"
#include "core/crypto/keyring.h"
#include "core/host.h"
#include "core/http/operation.h"

static char folder[] = "/tmp/folkmoot-reply-XXXXXX";
static host_t host;
static req_t *req;

static int open_request(void **state)
{
    (void)state;
    req = req_new(&host, NULL);
    return 0;
}

static int close_request(void **state)
{
    (void)state;
    req_free(req);
    return 0;
}

static int open_keyring(void **state)
{
    (void)state;
    arena_t *arena = arena_new();
    str_t error = STR_NONE;

    crypto_start();
    if (mkdtemp(folder) == NULL)
        return -1;
    host.keyring = keyring_open(str_from(folder), arena, &error);
    arena_free(arena);
    return host.keyring ? 0 : -1;
}

static int close_keyring(void **state)
{
    (void)state;
    char command[64];

    keyring_close(host.keyring);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static const struct field_error_json record = {.pointer = STR("p"), .detail = STR("d")};

static reply_t record_reply(const char *if_none_match)
{
    req->if_none_match = str_from(if_none_match);
    return reply_record(req, 200, &field_error_json_schema, &record, 12);
}

static void a_record_is_shown_with_its_version(void **state)
{
    (void)state;
    const reply_t reply = record_reply(NULL);

    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.version, 12);
    assert_string_equal(reply.body.at, "{\"pointer\":\"p\",\"detail\":\"d\"}");
    assert_int_equal(reply_nothing().status, 204);
    assert_null(reply_nothing().body.at);
}

/* The list with the tag of the record in place of each T. */
static const char *tags(const char *list)
{
    req->if_none_match = STR_NONE;
    const reply_t reply = reply_record(req, 200, &field_error_json_schema, &record, 12);
    const str_t tag = reply_etag(req->arena, &reply);
    str_t text = STR("");

    for (; *list; list++)
        text = *list == 'T' ? arena_printf(req->arena, "%s%s", text.at, tag.at)
                            : arena_printf(req->arena, "%s%c", text.at, *list);
    return text.at;
}

static void what_the_client_has_already_is_not_sent(void **state)
{
    (void)state;
    const char *const same[] = {"\"T\"",  "W/\"T\"", "*", "\"11\", \"T\"", "\"\",W/\"x\" , W/\"T\"",
                                ",,\"T\""};
    const char *const other[] = {"\"11\"", "T",  "",       "\"T",    "\"T \"", "W/",
                                 "W/\"",   "\"", "x\"T\"", "\"0T\"", ", ,",    "\"12\""};

    for (size_t index = 0; index < COUNT_OF(same); index++)
        assert_int_equal(record_reply(tags(same[index])).status, 304);
    for (size_t index = 0; index < COUNT_OF(other); index++)
        assert_int_equal(record_reply(tags(other[index])).status, 200);
    const operation_t change = {.name = "change", .method = METHOD_PATCH};
    const char *tag = tags("\"T\"");
    req->operation = &change;
    assert_int_equal(record_reply(tag).status, 200);
}

static void what_is_shown_differs_also_within_a_version(void **state)
{
    (void)state;
    const struct field_error_json changed = {.pointer = STR("p"), .detail = STR("e")};

    req->if_none_match = str_from(tags("\"T\""));
    assert_int_equal(reply_record(req, 200, &field_error_json_schema, &changed, 12).status, 200);
    assert_int_equal(reply_record(req, 200, &field_error_json_schema, &record, 13).status, 200);
    const reply_t without = reply_with(req, 200, &field_error_json_schema, &record);
    assert_null(reply_etag(req->arena, &without).at);
}

static void match(req_t *own, void *arg)
{
    own->if_match = str_from(arg);
    check_match(own, 12);
}

static const problem_kind_t *match_problem(const char *if_match)
{
    req->problem = (problem_t){0};
    return req_attempt(req, match, (char *)if_match) ? NULL : req->problem.kind;
}

static void a_change_must_be_of_the_version_that_was_read(void **state)
{
    (void)state;
    assert_null(match_problem(NULL));
    assert_null(match_problem("\"12\""));
    assert_null(match_problem("W/\"12\""));
    assert_null(match_problem("\"12.0123456789abcdef\""));
    assert_null(match_problem("*"));
    assert_null(match_problem("\"1\", \"12\""));
    assert_ptr_equal(match_problem("\"13\""), &VERSION_CONFLICT);
    assert_ptr_equal(match_problem("\"123.12\""), &VERSION_CONFLICT);
    assert_ptr_equal(match_problem("\".12\""), &VERSION_CONFLICT);
    assert_ptr_equal(match_problem(""), &VERSION_CONFLICT);
    assert_ptr_equal(match_problem("12"), &INVALID);
    assert_string_equal(req->problem.fields[0].pointer.at, "header/If-Match");
}

typedef struct page {
    const char *kind;
    str_t text;
    cursor_t cursor;
    bool there;
} page_t;

static void take_cursor(req_t *own, void *arg)
{
    page_t *page = arg;

    page->there = cursor_decode(own, page->kind, page->text, &page->cursor);
}

static bool takes(const char *kind, str_t text, page_t *page)
{
    *page = (page_t){.kind = kind, .text = text};
    req->problem = (problem_t){0};
    return req_attempt(req, take_cursor, page);
}

static void a_cursor_comes_back_as_it_went(void **state)
{
    (void)state;
    const cursor_t cursor = {.keys = {INT64_MIN, -1, INT64_MAX}, .id = {{1, 2, 3, 255}}};
    page_t page;

    assert_true(takes("posts", cursor_encode(req, "posts", &cursor), &page));
    assert_true(page.there);
    assert_memory_equal(&page.cursor, &cursor, sizeof cursor);
    assert_true(takes("posts", STR_NONE, &page));
    assert_false(page.there);
}

static void a_forged_or_foreign_cursor_is_refused(void **state)
{
    (void)state;
    const cursor_t cursor = {.keys = {1, 2, 3}};
    const str_t text = cursor_encode(req, "posts", &cursor);
    page_t page;

    assert_false(takes("comments", text, &page));
    assert_ptr_equal(req->problem.kind, &INVALID);
    assert_string_equal(req->problem.fields[0].pointer.at, "query/cursor");
    for (size_t length = 0; length < text.length; length++)
        assert_false(takes("posts", (str_t){text.at, length}, &page));
    for (size_t at = 0; at < text.length; at++) {
        char *forged = (char *)arena_str(req->arena, text).at;
        forged[at] = forged[at] == 'B' ? 'C' : 'B';
        assert_false(takes("posts", (str_t){forged, text.length}, &page));
    }
    assert_false(takes("posts", STR("not base64url!"), &page));
    assert_false(takes("posts", arena_printf(req->arena, "%sAAAA", text.at), &page));
}

static void raise_problem(req_t *own, void *arg)
{
    fail(own, arg, "Because of \"x\".");
}

static str_t body_of(const problem_kind_t *kind, int *status)
{
    req->problem = (problem_t){0};
    assert_false(req_attempt(req, raise_problem, (void *)kind));
    return problem_body(req, status);
}

static void a_problem_is_told_in_the_standard_form(void **state)
{
    (void)state;
    int status;
    const str_t expected = arena_printf(req->arena,
                                        "{\"type\":\"/problems#not_found\",\"title\":\"There is no such "
                                        "thing.\",\"status\":404,\"code\":\"not_found\","
                                        "\"detail\":\"Because of \\\"x\\\".\",\"instance\":\"urn:uuid:%s\"}",
                                        req->id);

    assert_string_equal(body_of(&NOT_FOUND, &status).at, expected.at);
    assert_int_equal(status, 404);
}

static void only_an_internal_problem_keeps_its_detail_inside(void **state)
{
    (void)state;
    int status;

    assert_null(strstr(body_of(&INTERNAL, &status).at, "Because"));
    assert_int_equal(status, 500);
    assert_non_null(strstr(body_of(&BUSY, &status).at, "Because"));
    assert_non_null(strstr(body_of(&STORAGE_FULL, &status).at, "Because"));
    req->problem = (problem_t){0};
    assert_non_null(strstr(problem_body(req, &status).at, "\"internal\""));
}

static void wrong_fields(req_t *own, void *arg)
{
    (void)arg;
    field_wrong(own, STR("/title"), "is required");
    field_wrong(own, STR("query/limit"), "must be between 1 and 100");
    fail_fields(own);
}

static void wrong_fields_are_listed(void **state)
{
    (void)state;
    int status;

    req->problem = (problem_t){0};
    assert_false(req_attempt(req, wrong_fields, NULL));
    assert_non_null(strstr(problem_body(req, &status).at,
                           ",\"errors\":[{\"pointer\":\"/title\",\"detail\":\"is required\"},"
                           "{\"pointer\":\"query/limit\",\"detail\":\"must be between 1 and 100\"}]}"));
    assert_int_equal(status, 422);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_record_is_shown_with_its_version, open_request, close_request),
        cmocka_unit_test_setup_teardown(what_the_client_has_already_is_not_sent, open_request, close_request),
        cmocka_unit_test_setup_teardown(what_is_shown_differs_also_within_a_version, open_request,
                                        close_request),
        cmocka_unit_test_setup_teardown(a_change_must_be_of_the_version_that_was_read, open_request,
                                        close_request),
        cmocka_unit_test_setup_teardown(a_cursor_comes_back_as_it_went, open_request, close_request),
        cmocka_unit_test_setup_teardown(a_forged_or_foreign_cursor_is_refused, open_request, close_request),
        cmocka_unit_test_setup_teardown(a_problem_is_told_in_the_standard_form, open_request, close_request),
        cmocka_unit_test_setup_teardown(only_an_internal_problem_keeps_its_detail_inside, open_request,
                                        close_request),
        cmocka_unit_test_setup_teardown(wrong_fields_are_listed, open_request, close_request),
    };

    return cmocka_run_group_tests(tests, open_keyring, close_keyring);
}
