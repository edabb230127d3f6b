/*
 * A community of one module, for its tests: the module over a real database in a folder of its own, called
 * through loopback requests (no socket, no other module). One loop, on the test's thread.
 */
#ifndef FOLKMOOT_TESTS_COMMUNITY_H
#define FOLKMOOT_TESTS_COMMUNITY_H

#include "core/host.h"
#include "core/module.h"

typedef struct community community_t;

/* Over SQLite, or over PostgreSQL when `postgres` is set: NULL then when FOLKMOOT_TEST_POSTGRES names no
 * server. */
community_t *community_open(const module_t *module, bool postgres);
void community_close(community_t *community);

typedef struct call {
    method_t method;
    const char *target; /* "/api/v1/boards?limit=2" */
    const char *body;   /* NULL: none */
    caller_t caller;    /* zero: a stranger */
    const char *if_match, *idempotency_key;
    int64_t later; /* µs: how long after now it comes */
} call_t;

typedef struct answer {
    int status;
    str_t body; /* until community_close */
    int64_t version;
    const char *problem; /* its code; NULL when it went well */
} answer_t;

answer_t community_call(community_t *community, const call_t *call);

/* `count` calls at once, each in a fiber of its own; answers in their order. */
void community_call_all(community_t *community, const call_t *calls, size_t count, answer_t *answers);

/* Runs body(req, arg) in a fiber with a request of the module; false when it ended in fail(). */
bool community_run(community_t *community, void (*body)(req_t *req, void *arg), void *arg);

struct database *community_database(community_t *community);

/* Lets the module's readers apply all that is in the logs. */
void community_catch_up(community_t *community);

/* A member of that number; always the same for the same number. */
caller_t member_of(unsigned number);

/* The value of a member of a flat JSON object, as text; "" when it is not there. Finds the first of that
 * name. */
const char *json_member(community_t *community, str_t json, const char *name);

#endif
