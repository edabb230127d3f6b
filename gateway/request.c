/*
 * From h2o's request to the handler's: bounds first, then route, limits, who calls, preconditions, and the
 * handler in a fiber. Whatever goes wrong on the way ends in fail().
 */
#include <stddef.h>
#include <sys/epoll.h>

#include "gateway/gateway.h"
#include "gateway/live.h"

#include "core/api.h"
#include "gateway/api.h"

enum { KEY_LEAST = 16, KEY_MOST = 128, REQUEST_ID_LENGTH = 36, IF_MATCH_MOST = 64 };

/* HTTP/1 clients that leave are noticed by h2o only when it writes; those that wait longer than this are
 * watched. */
static const int64_t watch_after_us = 50 * MILLISECOND_US;

static str_t str_of(h2o_iovec_t text)
{
    return (str_t){text.base, text.len};
}

/* ---- headers ---- */

/* A header that may come once. A second one makes the request malformed: two readers could see two requests.
 */
static void take_once(exchange_t *exchange, str_t *place, h2o_iovec_t value)
{
    if (place->at)
        exchange->bad_header = true;
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
        else if (header->name == &H2O_TOKEN_IF_MATCH->buf)
            take_once(exchange, &req->if_match, header->value);
        else if (header->name == &H2O_TOKEN_IF_NONE_MATCH->buf)
            take_once(exchange, &req->if_none_match, header->value);
        else if (!h2o_iovec_is_token(header->name))
            take_unknown_header(exchange, header);
    }
}

/* ---- the target ---- */

/* One copy for both: h2o's memory may go while the handler waits. */
static void take_target(exchange_t *exchange)
{
    const h2o_req_t *h2o = exchange->h2o;
    str_t target = str_of(h2o->input.path);
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
    if (exchange->bad_header)
        return "A header that may come only once came twice.";
    if (h2o->input.path.len == 0 || h2o->input.path.base[0] != '/' ||
        memchr(h2o->input.path.base, '\0', h2o->input.path.len))
        return "The address must begin with a slash and hold no NUL byte.";
    return NULL;
}

/* ---- what an operation wants ---- */

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

static const served_operation_t *served_of(const gateway_t *gateway, const route_t *route)
{
    for (size_t place = 0; place < gateway->served_count; place++)
        if (gateway->served[place] == route->module)
            return &gateway->operations[gateway->served_first[place] +
                                        (size_t)(route->operation - route->module->operations)];
    panic("the operation %s is not served", route->operation->name);
}

static bool is_json(str_t type)
{
    static const char json[] = "application/json";
    size_t length = sizeof json - 1;
    return type.length >= length && strncasecmp(type.at, json, length) == 0 &&
           (type.length == length || type.at[length] == ';' || type.at[length] == ' ');
}

static void take_body(exchange_t *exchange)
{
    const operation_t *operation = exchange->route.operation;
    str_t body = str_of(exchange->h2o->entity);
    req_t *req = exchange->req;
    if (body.length > operation->body_max)
        fail(req, &PAYLOAD_TOO_LARGE, "The body has %zu bytes; here it may have %zu.", body.length,
             operation->body_max);
    if (operation->body == NULL) {
        if (body.length > 0)
            fail(req, &MALFORMED, "This request takes no body.");
        return;
    }
    if (!is_json(exchange->content_type))
        fail(req, &UNSUPPORTED_MEDIA_TYPE, "Send the body as Content-Type: application/json.");
    exchange->body = arena_str(req->arena, body.at ? body : STR(""));
}

static bool visible_ascii(str_t text)
{
    for (size_t place = 0; place < text.length; place++)
        if (text.at[place] < 0x21 || text.at[place] > 0x7e)
            return false;
    return true;
}

static void take_idempotency_key(exchange_t *exchange)
{
    req_t *req = exchange->req;
    if (exchange->route.operation->method == METHOD_GET) {
        req->idempotency_key = STR_NONE;
        return;
    }
    if (req->idempotency_key.at == NULL)
        return;
    str_t key = req->idempotency_key;
    if (key.length < KEY_LEAST || key.length > KEY_MOST || !visible_ascii(key)) {
        field_wrong(req, STR("header/Idempotency-Key"), "must be 16 to 128 visible ASCII characters");
        fail_fields(req);
    }
    req->idempotency_key = arena_str(req->arena, key);
}

/* What an idempotency key stands for: each part with its length before it, so that none runs into the next.
 */
static void take_fingerprint(exchange_t *exchange)
{
    req_t *req = exchange->req;
    if (req->idempotency_key.length == 0)
        return;
    const str_t parts[] = {str_from(req->operation->name),
                           {(const char *)req->caller.member.bytes, sizeof req->caller.member.bytes},
                           req->path,
                           exchange->query,
                           exchange->body};
    size_t size = 0;
    for (size_t place = 0; place < COUNT_OF(parts); place++)
        size += sizeof parts[place].length + parts[place].length;
    char *text = arena_alloc(req->arena, size), *at = text;
    for (size_t place = 0; place < COUNT_OF(parts); place++) {
        memcpy(at, &parts[place].length, sizeof parts[place].length);
        at += sizeof parts[place].length;
        if (parts[place].length)
            memcpy(at, parts[place].at, parts[place].length);
        at += parts[place].length;
    }
    hash_t hash = hash_of((str_t){text, size});
    memcpy(req->fingerprint, hash.bytes, sizeof req->fingerprint);
}

static void take_preconditions(exchange_t *exchange)
{
    req_t *req = exchange->req;
    if (req->if_match.length > IF_MATCH_MOST) {
        field_wrong(req, STR("header/If-Match"), "must be one ETag, at most %d characters", IF_MATCH_MOST);
        fail_fields(req);
    }
    if (exchange->route.operation->needs_match && req->if_match.length == 0)
        fail(req, &PRECONDITION_REQUIRED, "Send the ETag of the version that you change as If-Match.");
    req->if_match = req->if_match.at ? arena_str(req->arena, req->if_match) : STR_NONE;
    req->if_none_match = req->if_none_match.at && req->if_none_match.length <= TARGET_MOST
                             ? arena_str(req->arena, req->if_none_match)
                             : STR_NONE;
}

/* ---- the fiber ---- */

typedef struct work {
    exchange_t *exchange;
    method_t method;
    reply_t reply;
} work_t;

static void call_handler(work_t *work)
{
    exchange_t *exchange = work->exchange;
    const route_t *route = &exchange->route;
    req_t *req = exchange->req;
    const void *request = operation_decode(req, route->operation, route->values, route->value_count,
                                           exchange->query, exchange->body);
    exchange->thread->handling = exchange;
    work->reply = route->operation->handle(req, request);
}

/* All up to the handler happens without waiting, so h2o's memory is there. */
static void run_operation(req_t *req, void *arg)
{
    work_t *work = arg;
    exchange_t *exchange = work->exchange;
    const operation_t *operation = exchange->route.operation;
    req->module = exchange->route.module;
    req->operation = operation;
    req->deadline = exchange->began + operation->timeout_us;
    fiber_name(operation->name);
    authenticate(exchange);
    limits_take(exchange);
    authorize(exchange);
    take_preconditions(exchange);
    take_idempotency_key(exchange);
    take_body(exchange);
    take_fingerprint(exchange);
    call_handler(work);
}

static void run_exchange(void *arg)
{
    exchange_t *exchange = arg;
    work_t *work = arena_new_of(exchange->req->arena, work_t);
    work->exchange = exchange;
    exchange->fiber = fiber_self();
    bool good = req_attempt(exchange->req, run_operation, work);
    exchange->fiber = NULL;
    if (exchange->live)
        return; /* it goes on as a stream */
    if (good)
        answer_reply(exchange, &work->reply);
    else
        answer_problem(exchange);
}

/* ---- clients that leave ---- */

static void client_left(loop_watch_t *watch, uint32_t events)
{
    exchange_t *exchange = CONTAINER_OF(watch, exchange_t, hangup);
    (void)events;
    loop_unwatch(exchange->thread->loop, watch);
    count_one(exchange->thread, COUNT_GONE);
    if (exchange->fiber)
        fiber_cancel(exchange->fiber);
}

static void watch_client(exchange_t *exchange)
{
    exchange->hangup.fd = h2o_socket_get_fd(exchange->connection->socket);
    exchange->hangup.ready = client_left;
    if (!loop_watch(exchange->thread->loop, &exchange->hangup, EPOLLRDHUP))
        exchange->hangup.watched = false;
}

/* Those that have waited long enough are watched from now on. HTTP/2 says by itself when a request is taken
 * back. */
void exchange_watch_waiting(loop_timer_t *timer)
{
    gateway_thread_t *thread = CONTAINER_OF(timer, gateway_thread_t, hangup_timer);
    int64_t now = clock_monotonic();
    while (thread->waiting.first && thread->waiting.first->began + watch_after_us <= now) {
        exchange_t *exchange = thread->waiting.first;
        exchange_list_remove(exchange);
        if (exchange->h2o && exchange->h2o->version < 0x200)
            watch_client(exchange);
    }
    if (thread->waiting.first)
        loop_timer_set(thread->loop, timer, thread->waiting.first->began + watch_after_us);
}

static void note_waiting(exchange_t *exchange)
{
    gateway_thread_t *thread = exchange->thread;
    exchange_list_add(&thread->waiting, exchange);
    if (thread->hangup_timer.place == 0)
        loop_timer_set(thread->loop, &thread->hangup_timer, exchange->began + watch_after_us);
}

/* ---- the way in ---- */

static void run_prologue(req_t *req, void *arg)
{
    work_t *work = arg;
    exchange_t *exchange = work->exchange;
    (void)req;
    if (exchange->route.allowed)
        refuse_method(exchange);
    refuse_path(exchange, work->method);
}

static void refuse_route(exchange_t *exchange, method_t method)
{
    work_t work = {.exchange = exchange, .method = method};
    if (!req_attempt(exchange->req, run_prologue, &work))
        answer_problem(exchange);
}

static bool under(str_t path, str_t prefix)
{
    return path.length >= prefix.length && memcmp(path.at, prefix.at, prefix.length) == 0;
}

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

static void start_operation(exchange_t *exchange)
{
    exchange->served = served_of(exchange->thread->gateway, &exchange->route);
    if (!fiber_start_now("request", run_exchange, exchange)) {
        count_one(exchange->thread, COUNT_BUSY);
        exchange->req->problem =
            (problem_t){.kind = &BUSY,
                        .detail = STR("Too many requests are under way. Try again in a moment."),
                        .retry_after_us = 2 * SECOND_US};
        answer_problem(exchange);
    }
}

static void route(exchange_t *exchange)
{
    gateway_t *gateway = exchange->thread->gateway;
    method_t method = METHOD_GET;
    bool known = take_method(exchange, &method);
    if (!under(exchange->req->path, STR("/api/"))) {
        answer_other(exchange, known, method);
        return;
    }
    exchange->route = router_find(gateway->router, exchange->req->arena, method, exchange->req->path);
    if (exchange->route.operation && known)
        start_operation(exchange);
    else
        refuse_route(exchange, method);
}

int gateway_on_request(h2o_handler_t *handler, h2o_req_t *h2o)
{
    gateway_thread_t *thread = gateway_here;
    const problem_kind_t *kind;
    (void)handler;
    guard_request(connection_of(h2o), h2o);
    exchange_t *exchange = exchange_begin(thread, h2o);
    take_headers(exchange, &h2o->headers);
    take_target(exchange);
    take_request_id(exchange);
    const char *broken = bounds_broken(exchange, &kind);
    if (broken)
        answer_problem_with(exchange, kind, "%s", broken);
    else
        route(exchange);
    if (exchange->working) /* h2o frees nothing before it has the thread again */
        note_waiting(exchange);
    return 0;
}
