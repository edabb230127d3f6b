/*
 * Fuzzes what comes in the small places of a request: cursors, conditions, paths. Only the cursors that we
 * gave out are taken, in the one form that we gave them.
 */
#include <stdlib.h>

#include "core/api.h"
#include "core/crypto/crypto.h"
#include "core/crypto/keyring.h"
#include "core/host.h"
#include "core/http/operation.h"

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static host_t host;
static router_t *router;

static const operation_t routes[] = {
    {.name = "list", .method = METHOD_GET, .path = "/boards"},
    {.name = "posts", .method = METHOD_GET, .path = "/boards/{board}/posts/{post}"},
    {.name = "end", .method = METHOD_DELETE, .path = "/sessions/{session}"},
    {.name = "refresh", .method = METHOD_POST, .path = "/sessions/refresh"},
};

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    char folder[] = "/tmp/folkmoot-fuzz-XXXXXX";
    arena_t *arena = arena_new();
    str_t error = STR_NONE, command;

    (void)count;
    (void)arguments;
    crypto_start();
    host.keyring = mkdtemp(folder) ? keyring_open(str_from(folder), arena, &error) : NULL;
    command = arena_printf(arena, "rm -r %s", folder);
    if (host.keyring == NULL || system(command.at) != 0)
        abort();
    router = router_new();
    router_add(router, NULL, routes, COUNT_OF(routes));
    arena_free(arena);
    return 0;
}

static void take_cursor(req_t *req, void *arg)
{
    const str_t text = *(str_t *)arg;
    cursor_t cursor;

    if (cursor_decode(req, "fuzz", text, &cursor) && !str_equal(text, cursor_encode(req, "fuzz", &cursor)))
        abort();
}

static void take_conditions(req_t *req, void *arg)
{
    req->if_match = req->if_none_match = *(str_t *)arg;
    const struct field_error_json value = {.pointer = STR("p"), .detail = STR("d")};
    const reply_t reply = reply_record(req, 200, &field_error_json_schema, &value, 12);
    if (reply.status != 200 && reply.status != 304)
        abort();
    check_match(req, 12);
}

/* The input as a cursor, and as the bytes of one. */
static void try_cursors(req_t *req, str_t text)
{
    str_t encoded = base64url_encode(req->arena, text.at, text.length);

    if (!req_attempt(req, take_cursor, &text) && req->problem.kind != &INVALID)
        abort();
    if (!req_attempt(req, take_cursor, &encoded) && req->problem.kind != &INVALID)
        abort();
}

static void try_path(req_t *req, str_t text)
{
    for (method_t method = METHOD_GET; method < METHOD_COUNT; method++) {
        const route_t route = router_find(router, req->arena, method, text);
        if (route.operation && (route.operation->method != method || !(route.allowed >> method & 1)))
            abort();
        for (size_t index = 0; index < route.value_count; index++)
            if (!utf8_valid(route.values[index], NULL) ||
                strlen(route.values[index].at) != route.values[index].length)
                abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    req_t *req = req_new(&host, NULL);
    str_t text = arena_str(req->arena, (str_t){(const char *)data, size});

    if (size > 0) {
        try_cursors(req, text);
        try_path(req, text);
        if (!req_attempt(req, take_conditions, &text) && req->problem.kind != &INVALID &&
            req->problem.kind != &VERSION_CONFLICT)
            abort();
    }
    req_free(req);
    return 0;
}
