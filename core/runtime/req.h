/*
 * A request: one unit of work and all that belongs to it. Usually an HTTP request that runs in a fiber; a
 * reader's batch, a job or a command is one too (without an operation). What it allocates lives in its arena;
 * what it holds is released with the arena; it ends well or in fail().
 *
 * fail() does not return: it notes the problem and unwinds to the innermost req_attempt(). It may be called
 * wherever a request runs: in its fiber, and in a transaction body on a database's writer thread. Locals that
 * change between req_attempt's call and the failure belong in memory, not in registers: keep them in the arg.
 * Loop callbacks, worker functions and code below a library's frames use return codes.
 */
#ifndef FOLKMOOT_REQ_H
#define FOLKMOOT_REQ_H

#include "core/runtime/arena.h"
#include "core/runtime/clock.h"
#include "core/runtime/fiber.h"
#include "core/runtime/problem.h"
#include "core/runtime/uuid.h"

struct host;
struct module;
struct operation;

typedef enum tier { TIER_UNVERIFIED, TIER_PHONE, TIER_VOUCHED, TIER_VERIFIED } tier_t;
enum { ROLE_MODERATOR = 1, ROLE_ADMINISTRATOR = 2 }; /* bits of caller.roles */

/* Who calls: what the access token said. For the stranger everything is zero. */
typedef struct caller {
    uuid_t member;
    uuid_t session;
    tier_t tier;
    unsigned roles;
} caller_t;

typedef struct req {
    arena_t *arena;
    struct host *host;                 /* the process: configuration and ports */
    const struct module *module;       /* whose work this is: its database, its log */
    const struct operation *operation; /* NULL for background work */
    caller_t caller;
    char id[UUID_TEXT_SIZE]; /* the request id, in the answer and in every log line */
    int64_t now;             /* µs UTC, fixed at the start: one request, one time */
    int64_t deadline;        /* monotonic µs; every wait takes it from here */

    /* Of the HTTP request; STR_NONE where there is none. */
    str_t method, path, address; /* address: the client's, as limits count it (an IPv6 network is one) */
    str_t idempotency_key;       /* 16..128 visible ASCII characters when given */
    uint8_t fingerprint[32]; /* BLAKE2b of operation, caller, path, query and body: what the key stands for */
    str_t if_match, if_none_match;
    str_t trace_parent; /* W3C trace context, to hand on */

    problem_t problem; /* what fail() said */
    void *unwind;      /* private: the innermost req_attempt */
} req_t;

/* A request with an arena of its own; `now` is set, the deadline is NEVER, the id is new. */
req_t *req_new(struct host *host, const struct module *module);
void req_free(req_t *req);

/* Runs body(req, arg). True when it returned; false when it ended in fail(): then req->problem says how, and
 * what the arena was told to release since is released. Nests. */
bool req_attempt(req_t *req, void (*body)(req_t *req, void *arg), void *arg) MUST_CHECK;

_Noreturn void fail(req_t *req, const problem_kind_t *kind, const char *format, ...) PRINTF_LIKE(3, 4);
_Noreturn void fail_retry(req_t *req, const problem_kind_t *kind, int64_t after_us, const char *format, ...)
    PRINTF_LIKE(4, 5);
_Noreturn void fail_again(req_t *req); /* raises req->problem once more */

/* Notes one wrong field (at most FIELD_ERRORS_MAX are kept); fail_fields then ends with INVALID (422). */
void field_wrong(req_t *req, str_t pointer, const char *format, ...) PRINTF_LIKE(3, 4);
_Noreturn void fail_fields(req_t *req);

/* Waits for fiber_wake; ends in TIMED_OUT at the request's deadline and in CLIENT_GONE when cancelled. May
 * return early. */
void req_wait(req_t *req);

#endif
