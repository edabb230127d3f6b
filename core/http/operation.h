/*
 * Operations: what a caller can do. The table of a module's operations is generated from its
 * openapi/<module>.yaml; the handler is the C function of the operation's name, `reply_t create_post(req_t
 * *req, const struct create_post_request *in)`.
 */
#ifndef FOLKMOOT_OPERATION_H
#define FOLKMOOT_OPERATION_H

#include "core/http/reply.h"
#include "core/http/schema.h"

typedef enum method {
    METHOD_GET,
    METHOD_POST,
    METHOD_PUT,
    METHOD_PATCH,
    METHOD_DELETE,
    METHOD_COUNT
} method_t;

typedef enum access {
    ACCESS_ANYONE, /* security: [] — no token is looked at */
    ACCESS_READER, /* security: [{}, {member: []}] — a stranger too, unless the community reads in private */
    ACCESS_MEMBER, /* security: [{member: []}] */
} access_t;

typedef struct operation {
    const char *name; /* operationId, "create_post" */
    method_t method;
    const char *path; /* "/api/v1/boards/{board}/posts" */
    access_t access;
    tier_t tier;             /* x-tier: the least tier that may; default unverified */
    unsigned roles;          /* member: [administrator, moderator]: one of these roles is needed; 0: none */
    const schema_t *request; /* the struct the handler gets: path and query fields, and `body` */
    const schema_t *body;    /* schema of the JSON body, NULL: none */
    uint16_t body_offset;    /* of `body` in the request struct */
    size_t body_max;         /* bytes; x-body-max, default 64 KiB */
    int64_t timeout_us;      /* x-timeout-ms; default 10 s */
    unsigned limit_count;    /* x-limit: {count, per_s}: requests per person (per address for strangers) and
                                operation */
    unsigned limit_seconds;
    bool needs_match; /* x-if-match: required — 428 without If-Match */
    reply_t (*handle)(req_t *req, const void *request);
} operation_t;

/* Fills the operation's request struct from what the gateway took apart, in the request's arena. Ends in
 * MALFORMED, INVALID or NOT_FOUND (a path value of the wrong form names nothing). `query` is raw, after the
 * '?'. */
const void *operation_decode(req_t *req, const operation_t *operation, const str_t *path_values,
                             size_t path_count, str_t query, str_t body);

/* Undoes percent-encoding, and + for a space in a query (`form`). False when it is malformed or not valid
 * UTF-8 without NUL. */
bool percent_decode(arena_t *arena, str_t text, bool form, str_t *decoded) MUST_CHECK;

/* Routing: a tree over path segments, built once from the tables of all enabled modules. */
typedef struct router router_t;
enum { PATH_VALUES_MAX = 8 };

typedef struct route {
    const operation_t *operation; /* NULL: see `allowed` */
    const struct module *module;
    str_t values[PATH_VALUES_MAX]; /* percent-decoded, in the arena, in the order of the path */
    size_t value_count;
    unsigned allowed; /* bits (1 << method) that the path has: 0 means no such path */
} route_t;

router_t *router_new(void);
void router_free(router_t *router);
void router_add(router_t *router, const struct module *module, const operation_t *operations, size_t count);
route_t router_find(const router_t *router, arena_t *arena, method_t method, str_t path);

#endif
