/*
 * From h2o's request to an operation, a page or a file: the headers and the target are taken apart, bounded
 * and routed.
 */
#include <stddef.h>

#include "gateway/gateway.h"

#include "core/api.h"
#include "gateway/api.h"

enum { REQUEST_ID_LENGTH = 36 };

static str_t str_of(h2o_iovec_t text)
{
    return (str_t){text.base, text.len};
}

/* ---- headers ---- */

/* A header that may come once. A second one makes the request malformed: two readers could see two requests.
 * The blanks behind a value are no part of it; h2o takes off only those before it. */
static void take_once(exchange_t *exchange, str_t *place, h2o_iovec_t value)
{
    if (place->at)
        exchange->bad_header = true;
    while (value.len > 0 && (value.base[value.len - 1] == ' ' || value.base[value.len - 1] == '\t'))
        value.len--;
    *place = (str_t){value.base ? value.base : "", value.len};
}

static void take_unknown_header(exchange_t *exchange, const h2o_header_t *header)
{
    static const struct {
        str_t name;
        bool of_request; /* else of the exchange */
        size_t offset;
    } known[] = {
        {{"traceparent", 11}, false, offsetof(exchange_t, trace_parent)},
        {{"x-request-id", 12}, false, offsetof(exchange_t, request_id)},
        {{"last-event-id", 13}, false, offsetof(exchange_t, last_event_id)},
        {{"idempotency-key", 15}, true, offsetof(req_t, idempotency_key)},
    };
    for (size_t place = 0; place < COUNT_OF(known); place++) {
        if (header->name->len != known[place].name.length ||
            memcmp(header->name->base, known[place].name.at, known[place].name.length) != 0)
            continue;
        char *base = known[place].of_request ? (char *)exchange->req : (char *)exchange;
        take_once(exchange, (str_t *)(void *)(base + known[place].offset), header->value);
        return;
    }
}

static void take_headers(exchange_t *exchange, const h2o_headers_t *headers)
{
    req_t *req = exchange->req;
    for (size_t place = 0; place < headers->size; place++) {
        const h2o_header_t *header = &headers->entries[place];
        exchange->header_bytes += header->name->len + header->value.len + 4;
        if (header->name == &H2O_TOKEN_AUTHORIZATION->buf)
            take_once(exchange, &exchange->authorization, header->value);
        else if (header->name == &H2O_TOKEN_CONTENT_TYPE->buf)
            take_once(exchange, &exchange->content_type, header->value);
        else if (header->name == &H2O_TOKEN_CONTENT_ENCODING->buf)
            take_once(exchange, &exchange->content_encoding, header->value);
        else if (header->name == &H2O_TOKEN_IF_MATCH->buf)
            take_once(exchange, &req->if_match, header->value);
        else if (header->name == &H2O_TOKEN_IF_NONE_MATCH->buf)
            take_once(exchange, &req->if_none_match, header->value);
        else if (!h2o_iovec_is_token(header->name))
            take_unknown_header(exchange, header);
    }
}

/* ---- the target ---- */

/* "http://host/path" says the same as "/path" (RFC 9112, section 3.2.2), and "http://host" as "/". */
static str_t without_origin(str_t target)
{
    static const str_t schemes[] = {{"http://", 7}, {"https://", 8}};
    for (size_t place = 0; place < COUNT_OF(schemes); place++) {
        size_t length = schemes[place].length;
        if (target.length < length || strncasecmp(target.at, schemes[place].at, length) != 0)
            continue;
        while (length < target.length && target.at[length] != '/' && target.at[length] != '?')
            length++;
        return length < target.length ? (str_t){target.at + length, target.length - length} : STR("/");
    }
    return target;
}

/* One copy for both: h2o's memory may go while the handler waits. */
static void take_target(exchange_t *exchange)
{
    str_t target = without_origin(str_of(exchange->h2o->input.path));
    const char *hash = memchr(target.at, '#', target.length);
    if (hash)
        target.length = (size_t)(hash - target.at);
    if (target.length > TARGET_MOST)
        target.length = 1; /* it is refused; until then "/" stands for it */
    char *copy = arena_alloc(exchange->req->arena, target.length + 1);
    memcpy(copy, target.at, target.length);
    copy[target.length] = '\0';
    char *mark = memchr(copy, '?', target.length);
    size_t path_length = mark ? (size_t)(mark - copy) : target.length;
    exchange->req->path = (str_t){copy, path_length};
    if (mark) {
        *mark = '\0';
        exchange->query = (str_t){mark + 1, target.length - path_length - 1};
    }
}

static bool take_method(exchange_t *exchange, method_t *method)
{
    static const struct {
        str_t name;
        method_t method;
    } methods[] = {{{"GET", 3}, METHOD_GET},     {{"POST", 4}, METHOD_POST},     {{"PUT", 3}, METHOD_PUT},
                   {{"PATCH", 5}, METHOD_PATCH}, {{"DELETE", 6}, METHOD_DELETE}, {{"HEAD", 4}, METHOD_GET}};
    str_t name = str_of(exchange->h2o->input.method);
    for (size_t place = 0; place < COUNT_OF(methods); place++)
        if (str_equal(name, methods[place].name)) {
            exchange->head = place == COUNT_OF(methods) - 1;
            *method = methods[place].method;
            exchange->req->method = methods[place].name;
            return true;
        }
    exchange->req->method = STR("");
    return false;
}

/* A client's id is taken over when it is one: others would be text of strangers in our log. */
static void take_request_id(exchange_t *exchange)
{
    uuid_t id;
    if (exchange->request_id.length == REQUEST_ID_LENGTH && uuid_parse(exchange->request_id, &id) &&
        !uuid_is_none(&id))
        uuid_format(&id, exchange->req->id);
    trace_parent_make(exchange->trace, exchange->trace_parent, exchange->req->id);
    exchange->req->trace_parent = (str_t){exchange->trace, sizeof exchange->trace - 1};
}

/* Only HTTP/1 leaves its head in the socket's buffer until the answer is sent. */
static const char *head_broken(const exchange_t *exchange)
{
    const h2o_buffer_t *input = exchange->connection->socket->input;
    if (exchange->h2o->version >= 0x200)
        return NULL;
    return framing_broken((str_t){input->bytes, input->size}, exchange->h2o->version);
}

/* What is wrong with the request whatever it asks for; NULL: nothing. */
static const char *bounds_broken(const exchange_t *exchange, const problem_kind_t **kind)
{
    const h2o_req_t *h2o = exchange->h2o;
    *kind = &MALFORMED;
    if (h2o->input.path.len > TARGET_MOST) {
        *kind = &TARGET_TOO_LONG;
        return "The address is longer than 4096 bytes.";
    }
    if (exchange->header_bytes > HEADERS_MOST) {
        *kind = &HEADERS_TOO_LARGE;
        return "The headers are larger than 16 KiB.";
    }
    if (h2o->headers.size > HEADER_COUNT_MOST) {
        *kind = &HEADERS_TOO_LARGE;
        return "There are more than 100 headers.";
    }
    if (exchange->bad_header)
        return "A header that may come only once came twice.";
    if (exchange->req->path.length == 0 || exchange->req->path.at[0] != '/' ||
        memchr(exchange->req->path.at, '\0', exchange->req->path.length))
        return "The address must begin with a slash and hold no NUL byte.";
    return head_broken(exchange);
}

/* ---- nothing there ---- */

static void refuse_method(exchange_t *exchange)
{
    fail(exchange->req, &METHOD_NOT_ALLOWED, "Use one of the methods that the header Allow names.");
}

static void refuse_path(exchange_t *exchange, method_t method)
{
    const gateway_t *gateway = exchange->thread->gateway;
    req_t *req = exchange->req;
    route_t disabled = router_find(gateway->disabled, req->arena, method, req->path);
    if (disabled.operation)
        fail(req, &MODULE_DISABLED, "The module “%s” is switched off here.", disabled.module->name);
    fail(req, &NO_SUCH_PATH, "See /openapi.json for what there is.");
}

typedef struct refusal {
    exchange_t *exchange;
    method_t method;
} refusal_t;

static void refuse(req_t *req, void *arg)
{
    const refusal_t *refusal = arg;
    exchange_t *exchange = refusal->exchange;
    (void)req;
    if (exchange->route.allowed)
        refuse_method(exchange);
    refuse_path(exchange, refusal->method);
}

static void refuse_route(exchange_t *exchange, method_t method)
{
    refusal_t refusal = {.exchange = exchange, .method = method};
    if (!req_attempt(exchange->req, refuse, &refusal))
        answer_problem(exchange);
}

/* Whatever looks like the API is it, or nothing: never the web client. */
static bool is_api(str_t path)
{
    return path.length >= 4 && strncasecmp(path.at, "/api", 4) == 0 &&
           (path.length == 4 || path.at[4] == '/');
}

/* ---- the way in ---- */

/* Pages, files, and the addresses of the process itself: no fiber. */
static void answer_other(exchange_t *exchange, bool method_known, method_t method)
{
    bool reads = method_known && method == METHOD_GET;
    exchange->route.allowed = 1u << METHOD_GET;
    if (!reads)
        refuse_route(exchange, method);
    else if (!pages_answer(exchange, exchange->req->path))
        files_answer(exchange, exchange->req->path);
}

static void route(exchange_t *exchange, bool known, method_t method)
{
    gateway_t *gateway = exchange->thread->gateway;
    if (!is_api(exchange->req->path)) {
        answer_other(exchange, known, method);
        return;
    }
    exchange->route = router_find(gateway->router, exchange->req->arena, method, exchange->req->path);
    if (exchange->route.operation && known)
        operation_start(exchange);
    else
        refuse_route(exchange, method);
}

/* Nothing more is read from a connection whose request could be read in two ways. */
static void refuse_broken(exchange_t *exchange, const problem_kind_t *kind, const char *broken)
{
    if (kind == &HEADERS_TOO_LARGE)
        guard_oversized(exchange->connection, exchange->h2o);
    exchange->h2o->http1_is_persistent = 0;
    answer_problem_with(exchange, kind, "%s", broken);
}

int gateway_on_request(h2o_handler_t *handler, h2o_req_t *h2o)
{
    gateway_thread_t *thread = gateway_here;
    const problem_kind_t *kind;
    method_t method = METHOD_GET;
    (void)handler;
    exchange_t *exchange = exchange_begin(thread, h2o);
    bool known = take_method(exchange, &method);
    take_headers(exchange, &h2o->headers);
    take_target(exchange);
    take_request_id(exchange);
    const char *broken = bounds_broken(exchange, &kind);
    if (broken)
        refuse_broken(exchange, kind, broken);
    else
        route(exchange, known, method);
    if (exchange->working) /* h2o frees nothing before it has the thread again */
        exchange_note_waiting(exchange);
    return 0;
}
