/* Replies and problems, given to h2o with their headers. Also: what h2o itself answers (a body too large, a
 * broken header) is turned into problem+json here. */
#include "gateway/gateway.h"

#include "core/api.h"

enum { HEADERS_EXPECTED = 16, RETRY_PRESET_S = 2 };

h2o_generator_t answer_generator; /* nothing to proceed with: all is given at once */

#define HEADER(name, text) static const h2o_iovec_t name = {(char *)(text), sizeof(text) - 1}
HEADER(HEADER_REQUEST_ID, "x-request-id");
HEADER(HEADER_TRACE_PARENT, "traceparent");
HEADER(HEADER_RATE_POLICY, "ratelimit-policy");
HEADER(HEADER_RATE_LIMIT, "ratelimit");
#undef HEADER
#define HEADER(name, text) const h2o_iovec_t name = {(char *)(text), sizeof(text) - 1}
HEADER(HEADER_CONTENT_TYPE_OPTIONS, "x-content-type-options");
HEADER(HEADER_SECURITY_POLICY, "content-security-policy");
HEADER(HEADER_REFERRER_POLICY, "referrer-policy");
HEADER(HEADER_OPENER_POLICY, "cross-origin-opener-policy");
HEADER(HEADER_FRAME_OPTIONS, "x-frame-options");
#undef HEADER

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {304, "Not Modified"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {410, "Gone"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {499, "Client Closed Request"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
        {507, "Insufficient Storage"},
    };
    for (size_t place = 0; place < COUNT_OF(reasons); place++)
        if (reasons[place].status == status)
            return reasons[place].reason;
    return status < 400 ? "OK" : "Error";
}

/* ---- pieces ---- */

static void add(h2o_req_t *h2o, const h2o_iovec_t *name, str_t value)
{
    h2o_headers_t *headers = &h2o->res.headers;
    h2o_vector_reserve(&h2o->pool, headers, headers->size + 1);
    headers->entries[headers->size++] =
        (h2o_header_t){.name = (h2o_iovec_t *)name, .value = {(char *)value.at, value.length}};
}

/* `value` lives as long as the exchange. */
void answer_header(exchange_t *exchange, const h2o_iovec_t *name, str_t value)
{
    add(exchange->h2o, name, value);
}

/* What keeps a browser safe, whatever the answer is. */
static void add_safe_headers(h2o_req_t *h2o)
{
    add(h2o, &HEADER_CONTENT_TYPE_OPTIONS, STR("nosniff"));
    add(h2o, &HEADER_REFERRER_POLICY, STR("same-origin"));
    if (connection_of(h2o)->socket->ssl)
        add(h2o, &H2O_TOKEN_STRICT_TRANSPORT_SECURITY->buf, STR("max-age=31536000"));
}

void answer_headers_begin(exchange_t *exchange, int status, size_t length)
{
    h2o_req_t *h2o = exchange->h2o;
    h2o->res.status = status;
    h2o->res.reason = reason_of(status);
    h2o->res.content_length = length;
    h2o_vector_reserve(&h2o->pool, &h2o->res.headers, HEADERS_EXPECTED);
    add(h2o, &HEADER_REQUEST_ID, (str_t){exchange->req->id, UUID_TEXT_SIZE - 1});
    add(h2o, &HEADER_TRACE_PARENT, (str_t){exchange->trace, sizeof exchange->trace - 1});
    add_safe_headers(h2o);
}

/* The last step: afterwards the exchange belongs to the sending side. */
void answer_body(exchange_t *exchange, str_t body)
{
    h2o_req_t *h2o = exchange->h2o;
    h2o_iovec_t part = {(char *)body.at, body.length};
    bool empty = exchange->head || body.length == 0;
    count_answer(exchange, h2o->res.status);
    exchange_answered(exchange, body.length);
    h2o_start_response(h2o, &answer_generator);
    h2o_send(h2o, &part, empty ? 0 : 1, H2O_SEND_STATE_FINAL);
}

static void add_limits(exchange_t *exchange)
{
    str_t limits = limits_header(exchange);
    if (limits.length == 0)
        return;
    answer_header(exchange, &HEADER_RATE_POLICY, str_from(exchange->served->policy));
    answer_header(exchange, &HEADER_RATE_LIMIT, limits);
}

#define DATA_POLICY STR("default-src 'none'; frame-ancestors 'none'")

static void add_api_headers(exchange_t *exchange, const char *type, const char *cache)
{
    static h2o_mime_attributes_t compressible = {.is_compressible = 1};
    exchange->h2o->res.mime_attr = &compressible;
    if (type)
        answer_header(exchange, &H2O_TOKEN_CONTENT_TYPE->buf, str_from(type));
    answer_header(exchange, &H2O_TOKEN_CACHE_CONTROL->buf, str_from(cache));
    answer_header(exchange, &HEADER_SECURITY_POLICY, DATA_POLICY);
    add_limits(exchange);
}

void answer_stream_headers(exchange_t *exchange)
{
    answer_header(exchange, &H2O_TOKEN_CONTENT_TYPE->buf, STR("text/event-stream"));
    answer_header(exchange, &H2O_TOKEN_CACHE_CONTROL->buf, STR("no-store"));
    answer_header(exchange, &HEADER_SECURITY_POLICY, DATA_POLICY);
    add_limits(exchange);
}

/* ---- replies ---- */

static str_t quoted_etag(const exchange_t *exchange, const reply_t *reply)
{
    return arena_printf(exchange->req->arena, "\"%s\"", reply_etag(exchange->req->arena, reply).at);
}

void answer_reply(exchange_t *exchange, const reply_t *reply)
{
    if (exchange->h2o == NULL) {
        exchange_end(exchange);
        return;
    }
    const bool empty =
        reply->status == 204 || reply->status == 304; /* a 304 has the body that its ETag stands for */
    const char *type = empty ? NULL : reply->type ? reply->type : "application/json";
    answer_headers_begin(exchange, reply->status, empty ? SIZE_MAX : reply->body.length);
    if (empty)
        exchange->h2o->res.content_length = reply->body.length; /* of a 304: what a 200 would have had */
    add_api_headers(exchange, type, reply->version ? "private, no-cache" : "no-store");
    if (reply->version)
        answer_header(exchange, &H2O_TOKEN_ETAG->buf, quoted_etag(exchange, reply));
    if (reply->location.length)
        answer_header(exchange, &H2O_TOKEN_LOCATION->buf, reply->location);
    answer_body(exchange, empty ? STR_NONE : reply->body);
}

/* ---- problems ---- */

static str_t allowed_methods(const exchange_t *exchange)
{
    static const char *const names[METHOD_COUNT] = {"GET, HEAD", "POST", "PUT", "PATCH", "DELETE"};
    str_t text = STR("");
    for (unsigned method = 0; method < METHOD_COUNT; method++)
        if (exchange->route.allowed & (1u << method))
            text =
                arena_printf(exchange->req->arena, "%s%s%s", text.at, text.length ? ", " : "", names[method]);
    return text;
}

static void add_problem_headers(exchange_t *exchange, int status)
{
    const problem_t *problem = &exchange->req->problem;
    if (problem->kind == &METHOD_NOT_ALLOWED)
        answer_header(exchange, &H2O_TOKEN_ALLOW->buf, allowed_methods(exchange));
    if (status == 401)
        answer_header(exchange, &H2O_TOKEN_WWW_AUTHENTICATE->buf,
                      exchange->invalid_token ? STR("Bearer error=\"invalid_token\"") : STR("Bearer"));
    if (status != 429 && status != 503)
        return;
    int64_t seconds =
        problem->retry_after_us ? (problem->retry_after_us + SECOND_US - 1) / SECOND_US : RETRY_PRESET_S;
    answer_header(exchange, &H2O_TOKEN_RETRY_AFTER->buf,
                  arena_printf(exchange->req->arena, "%lld", (long long)seconds));
}

void answer_problem(exchange_t *exchange)
{
    int status;
    if (exchange->h2o == NULL) {
        exchange_end(exchange);
        return;
    }
    str_t body = problem_body(exchange->req, &status);
    answer_headers_begin(exchange, status, body.length);
    add_api_headers(exchange, "application/problem+json", "no-store");
    add_problem_headers(exchange, status);
    if (exchange->req->problem.kind == &CLIENT_GONE)
        exchange->h2o->http1_is_persistent = 0;
    answer_body(exchange, body);
}

void answer_problem_with(exchange_t *exchange, const problem_kind_t *kind, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    exchange->req->problem =
        (problem_t){.kind = kind, .detail = arena_vprintf(exchange->req->arena, format, values)};
    va_end(values);
    answer_problem(exchange);
}

/* ---- what h2o answers by itself ---- */

typedef struct replaced {
    h2o_ostream_t super;
    h2o_iovec_t body;
    bool sent;
} replaced_t;

static void send_replaced(h2o_ostream_t *stream, h2o_req_t *h2o, h2o_iovec_t *parts, size_t count,
                          h2o_send_state_t state)
{
    replaced_t *replaced = (replaced_t *)stream;
    (void)parts;
    (void)count;
    size_t now = !replaced->sent && replaced->body.len ? 1 : 0;
    replaced->sent = true;
    h2o_ostream_send_next(stream, h2o, &replaced->body, now, state);
}

static const problem_kind_t *kind_of_status(int status)
{
    switch (status) {
    case 404:
        return &NO_SUCH_PATH;
    case 405:
        return &METHOD_NOT_ALLOWED;
    case 413:
        return &PAYLOAD_TOO_LARGE;
    default:
        return status >= 500 ? &INTERNAL : &MALFORMED;
    }
}

static str_t detail_of_status(const h2o_req_t *h2o, arena_t *arena)
{
    size_t most = h2o->conn->ctx->globalconf->max_request_entity_size - 1;
    if (h2o->res.status == 413)
        return arena_printf(arena, "The body is larger than any request may have here: %zu bytes.", most);
    if (h2o->res.status == 417)
        return STR("Of what the header Expect may ask for, only 100-continue is known.");
    return STR("The request could not be read: its form is not that of HTTP.");
}

/* The problem's text in h2o's memory, and the id of a request that never became one of ours. */
static h2o_iovec_t problem_for(h2o_req_t *h2o)
{
    req_t *req = req_new(gateway_here->gateway->host, NULL);
    int status;
    req->problem =
        (problem_t){.kind = kind_of_status(h2o->res.status), .detail = detail_of_status(h2o, req->arena)};
    str_t body = problem_body(req, &status);
    h2o_iovec_t copy = h2o_strdup(&h2o->pool, body.at, body.length);
    h2o_iovec_t id = h2o_strdup(&h2o->pool, req->id, UUID_TEXT_SIZE - 1);
    h2o->res.status = status;
    h2o->res.reason = reason_of(status);
    h2o->res.headers.size = 0;
    add(h2o, &HEADER_REQUEST_ID, (str_t){id.base, id.len});
    add_safe_headers(h2o);
    req_free(req);
    return copy;
}

static void replace_foreign_error(h2o_filter_t *filter, h2o_req_t *h2o, h2o_ostream_t **slot)
{
    (void)filter;
    bool ours = h2o->_generator == &answer_generator || h2o->res.status < 400;
    if (ours) {
        h2o_setup_next_ostream(h2o, slot);
        return;
    }
    replaced_t *replaced = (replaced_t *)h2o_add_ostream(h2o, sizeof *replaced, slot);
    replaced->super.do_send = send_replaced;
    replaced->body = problem_for(h2o);
    replaced->sent = false;
    add(h2o, &H2O_TOKEN_CONTENT_TYPE->buf, STR("application/problem+json"));
    add(h2o, &H2O_TOKEN_CACHE_CONTROL->buf, STR("no-store"));
    add(h2o, &HEADER_SECURITY_POLICY, DATA_POLICY);
    h2o->res.content_length = replaced->body.len;
    h2o_setup_next_ostream(h2o, &replaced->super.next);
}

void error_filter_register(h2o_pathconf_t *path)
{
    h2o_filter_t *filter = h2o_create_filter(path, sizeof *filter);
    filter->on_setup_ostream = replace_foreign_error;
}
