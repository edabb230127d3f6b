/* From a path, a query and a body to the handler's struct, and from a path to its operation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#undef fail /* a macro of cmocka: here it is the function of req.h */

#include "core/api.h"
#include "core/http/operation.h"

struct new_post {
    str_t title;
};

struct list_request {
    str_t board;
    uuid_t post;
    int sort;
    int64_t limit;
    str_t cursor;
    bool deep;
    bool has_deep;
    str_t last_event_id;
    struct new_post body;
};

static const field_t post_fields[] = {
    {.name = "title",
     .type = FIELD_STRING,
     .offset = offsetof(struct new_post, title),
     .has_offset = NO_HAS,
     .required = true,
     .least = 1,
     .most = 20},
};

static const schema_t post_schema = {
    .name = "NewPost", .size = sizeof(struct new_post), .fields = post_fields, .field_count = 1};

static const char *const sort_words[] = {"new", "agreed", NULL};

#define PLAIN(member) .offset = offsetof(struct list_request, member), .has_offset = NO_HAS

static const field_t list_fields[] = {
    {.name = "board",
     .type = FIELD_STRING,
     .place = IN_PATH,
     PLAIN(board),
     .required = true,
     .least = 1,
     .most = 10,
     .pattern = "a-z"},
    {.name = "post", .type = FIELD_UUID, .place = IN_PATH, PLAIN(post), .required = true},
    {.name = "sort", .type = FIELD_ENUM, .place = IN_QUERY, PLAIN(sort), .words = sort_words, .preset = 1},
    {.name = "limit",
     .type = FIELD_INT,
     .place = IN_QUERY,
     PLAIN(limit),
     .least = 1,
     .most = 100,
     .preset = 20},
    {.name = "cursor", .type = FIELD_STRING, .place = IN_QUERY, PLAIN(cursor), .most = 20},
    {.name = "deep",
     .type = FIELD_BOOL,
     .place = IN_QUERY,
     .offset = offsetof(struct list_request, deep),
     .has_offset = offsetof(struct list_request, has_deep)},
    {.name = "Last-Event-ID", .type = FIELD_STRING, .place = IN_HEADER, PLAIN(last_event_id), .most = 10},
};

static const schema_t list_schema = {.name = "list",
                                     .size = sizeof(struct list_request),
                                     .fields = list_fields,
                                     .field_count = COUNT_OF(list_fields)};

static const operation_t list_operation = {
    .name = "list_posts", .method = METHOD_GET, .request = &list_schema};
static const operation_t post_operation = {.name = "create_post",
                                           .method = METHOD_POST,
                                           .request = &list_schema,
                                           .body = &post_schema,
                                           .body_offset = offsetof(struct list_request, body)};

#define ID "01890a5d-ac96-774b-bcce-b302099a8057"

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
    const operation_t *operation;
    const str_t *values;
    str_t query, body;
    const struct list_request *in;
} work_t;

static void decode(req_t *own, void *arg)
{
    work_t *work = arg;

    work->in = operation_decode(own, work->operation, work->values, 2, work->query, work->body);
}

static const struct list_request *decoded(const operation_t *operation, const char *board, const char *query,
                                          const char *body)
{
    const str_t values[] = {str_from(board), STR(ID)};
    work_t work = {operation, values, str_from(query), str_from(body), NULL};

    req->problem = (problem_t){0};
    req->operation = operation;
    return req_attempt(req, decode, &work) ? work.in : NULL;
}

static void path_query_and_body_fill_the_struct(void **state)
{
    (void)state;
    const struct list_request *in = decoded(
        &post_operation, "town", "limit=7&sort=agreed&cursor=a+b%2Bc%C3%A9&&deep=false", "{\"title\":\"T\"}");

    assert_non_null(in);
    assert_string_equal(in->board.at, "town");
    assert_false(uuid_is_none(&in->post));
    assert_int_equal(in->limit, 7);
    assert_int_equal(in->sort, 2);
    assert_string_equal(in->cursor.at, "a b+cé");
    assert_true(in->has_deep && !in->deep);
    assert_string_equal(in->body.title.at, "T");
}

static void absent_parameters_get_their_defaults(void **state)
{
    (void)state;
    const struct list_request *in = decoded(&list_operation, "town", NULL, NULL);

    assert_int_equal(in->limit, 20);
    assert_int_equal(in->sort, 1);
    assert_null(in->cursor.at);
    assert_false(in->has_deep);
    in = decoded(&list_operation, "town", "cursor=", NULL);
    assert_non_null(in->cursor.at);
    assert_int_equal(in->cursor.length, 0);
}

static void a_path_value_of_the_wrong_form_names_nothing(void **state)
{
    (void)state;
    assert_null(decoded(&list_operation, "Town", "limit=0", NULL));
    assert_ptr_equal(req->problem.kind, &NOT_FOUND);
    assert_int_equal(req->problem.field_count, 0);
    assert_null(decoded(&list_operation, "", NULL, NULL));
    assert_ptr_equal(req->problem.kind, &NOT_FOUND);
}

static void all_that_is_wrong_in_query_and_body_is_told_at_once(void **state)
{
    (void)state;
    assert_null(decoded(&post_operation, "town", "limit=0&limit=5&sort=old&page=2", "{\"titel\":\"T\"}"));
    assert_ptr_equal(req->problem.kind, &INVALID);
    const char *const expected[][2] = {
        {"query/limit", "must be between 1 and 100"},
        {"query/limit", "is there twice"},
        {"query/sort", "must be one of new, agreed"},
        {"query/page", "is not a parameter that create_post knows; it knows sort, limit, cursor, deep"},
        {"/titel", "is not a field that create_post knows; it knows title"},
        {"/title", "is required"},
    };
    assert_int_equal(req->problem.field_count, COUNT_OF(expected));
    for (size_t index = 0; index < COUNT_OF(expected); index++) {
        assert_string_equal(req->problem.fields[index].pointer.at, expected[index][0]);
        assert_string_equal(req->problem.fields[index].detail.at, expected[index][1]);
    }
}

static void a_parameter_that_is_required_must_be_there(void **state)
{
    static const field_t fields[] = {{.name = "topic",
                                      .type = FIELD_STRING,
                                      .place = IN_QUERY,
                                      PLAIN(cursor),
                                      .required = true,
                                      .most = 20}};
    static const schema_t schema = {
        .name = "follow", .size = sizeof(struct list_request), .fields = fields, .field_count = 1};
    static const operation_t operation = {.name = "follow", .method = METHOD_GET, .request = &schema};
    (void)state;

    assert_non_null(decoded(&operation, NULL, "topic=a", NULL));
    assert_null(decoded(&operation, NULL, NULL, NULL));
    assert_ptr_equal(req->problem.kind, &INVALID);
    assert_string_equal(req->problem.fields[0].pointer.at, "query/topic");
    assert_string_equal(req->problem.fields[0].detail.at, "is required");
}

static void malformed_queries_and_bodies_are_malformed(void **state)
{
    (void)state;
    const char *const queries[] = {"limit=%",    "limit=%1", "limit=%zz",    "cursor=%00",
                                   "cursor=%ff", "%c3=1",    "cursor=%c3%28"};

    for (size_t index = 0; index < COUNT_OF(queries); index++) {
        assert_null(decoded(&list_operation, "town", queries[index], NULL));
        assert_ptr_equal(req->problem.kind, &MALFORMED);
    }
    assert_null(decoded(&list_operation, "town", NULL, "{}"));
    assert_ptr_equal(req->problem.kind, &MALFORMED);
    assert_null(decoded(&post_operation, "town", NULL, NULL));
    assert_ptr_equal(req->problem.kind, &MALFORMED);
    assert_null(decoded(&post_operation, "town", "limit=0", "{"));
    assert_ptr_equal(req->problem.kind, &MALFORMED);
}

static void a_flood_of_parameters_leaves_sixteen_errors(void **state)
{
    (void)state;
    char query[4000];
    size_t length = 0;

    while (length < sizeof query - 8)
        length += (size_t)snprintf(query + length, sizeof query - length, "&x%zu=", length);
    assert_null(decoded(&list_operation, "town", query, NULL));
    assert_int_equal(req->problem.field_count, FIELD_ERRORS_MAX);
}

/* ---- routes ---- */

static const operation_t routes[] = {
    {.name = "list", .method = METHOD_GET, .path = "/api/v1/boards"},
    {.name = "create", .method = METHOD_POST, .path = "/api/v1/boards"},
    {.name = "read", .method = METHOD_GET, .path = "/api/v1/boards/{board}"},
    {.name = "posts", .method = METHOD_GET, .path = "/api/v1/boards/{board}/posts/{post}"},
    {.name = "refresh", .method = METHOD_POST, .path = "/api/v1/sessions/refresh"},
    {.name = "end", .method = METHOD_DELETE, .path = "/api/v1/sessions/{session}"},
    {.name = "own", .method = METHOD_GET, .path = "/api/v1/{kind}/own/all"},
};

static router_t *router;

static int open_router(void **state)
{
    open_request(state);
    router = router_new();
    router_add(router, NULL, routes, COUNT_OF(routes));
    return 0;
}

static int close_router(void **state)
{
    router_free(router);
    return close_request(state);
}

static route_t find(method_t method, const char *path)
{
    return router_find(router, req->arena, method, str_from(path));
}

static void assert_route(method_t method, const char *path, const char *name)
{
    const route_t route = find(method, path);

    assert_non_null(route.operation);
    assert_string_equal(route.operation->name, name);
}

static void a_path_leads_to_its_operation(void **state)
{
    (void)state;
    assert_route(METHOD_GET, "/api/v1/boards", "list");
    assert_route(METHOD_POST, "/api/v1/boards", "create");
    assert_route(METHOD_POST, "/api/v1/sessions/refresh", "refresh");
    assert_route(METHOD_DELETE, "/api/v1/sessions/018f", "end");
    assert_route(METHOD_GET, "/api/v1/boards/own/all", "own");
    const route_t route = find(METHOD_GET, "/api/v1/boards/a%20b/posts/%E0%A4%A8");
    assert_string_equal(route.operation->name, "posts");
    assert_int_equal(route.value_count, 2);
    assert_string_equal(route.values[0].at, "a b");
    assert_string_equal(route.values[1].at, "न");
}

static void other_paths_lead_nowhere(void **state)
{
    (void)state;
    const char *const paths[] = {"",
                                 "/",
                                 "/api",
                                 "/api/v1",
                                 "/api/v1/boards/",
                                 "/api/v1/boards//posts/x",
                                 "/api/v1//boards",
                                 "api/v1/boards",
                                 "/api/v1/boards/x/",
                                 "/api/v1/boards/x/posts",
                                 "/api/v1/board",
                                 "/api/v1/boardsx",
                                 "//",
                                 "/api/v1/boards/%",
                                 "/api/v1/boards/%0",
                                 "/api/v1/boards/%00",
                                 "/api/v1/boards/%ff",
                                 "/{kind}"};

    for (size_t index = 0; index < COUNT_OF(paths); index++) {
        const route_t route = find(METHOD_GET, paths[index]);
        if (route.operation || route.allowed)
            print_error("%s leads somewhere\n", paths[index]);
        assert_null(route.operation);
        assert_int_equal(route.allowed, 0);
    }
}

static void the_methods_of_a_path_are_told(void **state)
{
    (void)state;
    route_t route = find(METHOD_DELETE, "/api/v1/boards");
    assert_null(route.operation);
    assert_int_equal(route.allowed, 1 << METHOD_GET | 1 << METHOD_POST);
    route = find(METHOD_GET, "/api/v1/sessions/018f");
    assert_null(route.operation);
    assert_int_equal(route.allowed, 1 << METHOD_DELETE);
}

static void a_named_path_is_no_value_of_another(void **state)
{
    (void)state;
    const route_t route = find(METHOD_DELETE, "/api/v1/sessions/refresh");
    assert_null(route.operation);
    assert_int_equal(route.allowed, 1 << METHOD_POST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(path_query_and_body_fill_the_struct, open_request, close_request),
        cmocka_unit_test_setup_teardown(absent_parameters_get_their_defaults, open_request, close_request),
        cmocka_unit_test_setup_teardown(a_path_value_of_the_wrong_form_names_nothing, open_request,
                                        close_request),
        cmocka_unit_test_setup_teardown(all_that_is_wrong_in_query_and_body_is_told_at_once, open_request,
                                        close_request),
        cmocka_unit_test_setup_teardown(a_parameter_that_is_required_must_be_there, open_request,
                                        close_request),
        cmocka_unit_test_setup_teardown(malformed_queries_and_bodies_are_malformed, open_request,
                                        close_request),
        cmocka_unit_test_setup_teardown(a_flood_of_parameters_leaves_sixteen_errors, open_request,
                                        close_request),
        cmocka_unit_test_setup_teardown(a_path_leads_to_its_operation, open_router, close_router),
        cmocka_unit_test_setup_teardown(other_paths_lead_nowhere, open_router, close_router),
        cmocka_unit_test_setup_teardown(the_methods_of_a_path_are_told, open_router, close_router),
        cmocka_unit_test_setup_teardown(a_named_path_is_no_value_of_another, open_router, close_router),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
