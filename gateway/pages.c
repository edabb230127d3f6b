/* The addresses of the process itself: health, metrics, the public keys, and the description of the API. */
#include "gateway/gateway.h"

#include "core/api.h"

typedef struct page {
    const char *path;
    void (*answer)(exchange_t *exchange);
} page_t;

static void answer_text(exchange_t *exchange, int status, const char *type, const char *cache, str_t text)
{
    static h2o_mime_attributes_t compressible = {.is_compressible = 1};
    answer_headers_begin(exchange, status, text.length);
    exchange->h2o->res.mime_attr = &compressible;
    answer_header(exchange, &H2O_TOKEN_CONTENT_TYPE->buf, str_from(type));
    answer_header(exchange, &H2O_TOKEN_CACHE_CONTROL->buf, str_from(cache));
    answer_header(exchange, &HEADER_SECURITY_POLICY,
                  STR("default-src 'none'; style-src 'self'; frame-ancestors 'none'"));
    answer_body(exchange, text);
}

static void answer_healthz(exchange_t *exchange)
{
    answer_text(exchange, 200, "application/json", "no-store", STR("{\"alive\":true}"));
}

static void answer_readyz(exchange_t *exchange)
{
    bool ready;
    str_t text = health_text(exchange->thread->gateway, exchange->req->arena, &ready);
    if (ready) {
        answer_text(exchange, 200, "application/json", "no-store", text);
        return;
    }
    str_t detail = arena_printf(exchange->req->arena, "Not ready: %s", text.at);
    exchange->req->problem = (problem_t){.kind = &UNAVAILABLE, .detail = detail};
    answer_problem(exchange);
}

static void answer_metrics(exchange_t *exchange)
{
    str_t text = metrics_text(exchange->thread->gateway, exchange->req->arena);
    answer_text(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", "no-store", text);
}

static void answer_jwks(exchange_t *exchange)
{
    str_t text = keyring_jwks(exchange->thread->gateway->host->keyring, exchange->req->arena);
    answer_text(exchange, 200, "application/jwk-set+json", "public, max-age=60", text);
}

static void answer_openapi(exchange_t *exchange)
{
    answer_text(exchange, 200, "application/json", "no-cache", exchange->thread->gateway->openapi);
}

static void answer_problems(exchange_t *exchange)
{
    answer_text(exchange, 200, "text/html; charset=utf-8", "no-cache",
                exchange->thread->gateway->problems_page);
}

bool pages_answer(exchange_t *exchange, str_t path)
{
    static const page_t pages[] = {
        {"/healthz", answer_healthz},      {"/readyz", answer_readyz},
        {"/metrics", answer_metrics},      {"/.well-known/jwks.json", answer_jwks},
        {"/openapi.json", answer_openapi}, {"/problems", answer_problems},
    };
    for (size_t place = 0; place < COUNT_OF(pages); place++)
        if (str_equal(path, str_from(pages[place].path))) {
            pages[place].answer(exchange);
            return true;
        }
    return false;
}
