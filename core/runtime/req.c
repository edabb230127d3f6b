/*
 * Requests and how they fail. fail() writes what went wrong into the request and jumps to the innermost
 * req_attempt, which releases what was held since. The log lines written meanwhile, in whatever fiber or
 * thread the attempt runs, carry the request's id.
 */
#include <setjmp.h>
#include <stdarg.h>

#include "core/api.h"
#include "core/runtime/logline_private.h"
#include "core/runtime/panic.h"
#include "core/runtime/req.h"

typedef struct attempt {
    jmp_buf place;
    struct attempt *outer;
    arena_mark_t mark;
    char request_before[LOGLINE_REQUEST_SIZE];
} attempt_t;

req_t *req_new(struct host *host, const struct module *module)
{
    arena_t *arena = arena_new();
    req_t *req = arena_new_of(arena, req_t);
    uuid_t id = uuid_new();
    req->arena = arena;
    req->host = host;
    req->module = module;
    req->now = clock_now();
    req->deadline = NEVER;
    uuid_format(&id, req->id);
    return req;
}

void req_free(req_t *req)
{
    if (req)
        arena_free(req->arena);
}

static void attempt_begin(req_t *req, attempt_t *attempt)
{
    attempt->outer = req->unwind;
    attempt->mark = arena_mark(req->arena);
    memcpy(attempt->request_before, logline_request(), sizeof attempt->request_before);
    logline_set_request(req->id);
    req->unwind = attempt;
}

static void attempt_end(req_t *req, const attempt_t *attempt)
{
    req->unwind = attempt->outer;
    logline_set_request(attempt->request_before);
}

/* The attempt is done before the releases run: what a release does wrong belongs to the attempt around it. */
bool req_attempt(req_t *req, void (*body)(req_t *req, void *arg), void *arg)
{
    attempt_t attempt;
    attempt_begin(req, &attempt);
    if (_setjmp(attempt.place) == 0) {
        body(req, arg);
        attempt_end(req, &attempt);
        return true;
    }
    req->unwind = attempt.outer;
    arena_release_to(req->arena, attempt.mark);
    attempt_end(req, &attempt);
    return false;
}

static _Noreturn void unwind(req_t *req)
{
    attempt_t *attempt = req->unwind;
    if (attempt == NULL)
        panic("a request failed with %s outside of req_attempt", req->problem.kind->code);
    _longjmp(attempt->place, 1);
}

static void note(req_t *req, const problem_kind_t *kind, int64_t after_us, const char *format, va_list values)
{
    str_t detail = format ? arena_vprintf(req->arena, format, values) : STR_NONE;
    req->problem.kind = kind;
    req->problem.detail = detail;
    req->problem.field_count = 0;
    req->problem.retry_after_us = after_us;
}

void fail(req_t *req, const problem_kind_t *kind, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    note(req, kind, 0, format, values);
    va_end(values);
    unwind(req);
}

void fail_retry(req_t *req, const problem_kind_t *kind, int64_t after_us, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    note(req, kind, after_us, format, values);
    va_end(values);
    unwind(req);
}

void fail_again(req_t *req)
{
    if (req->problem.kind == NULL)
        panic("fail_again needs a problem to raise");
    unwind(req);
}

/* Fields that are noted after a problem was raised and dealt with begin a new list. */
void field_wrong(req_t *req, str_t pointer, const char *format, ...)
{
    problem_t *problem = &req->problem;
    if (problem->kind)
        *problem = (problem_t){0};
    if (problem->field_count == FIELD_ERRORS_MAX)
        return;
    field_error_t *field = &problem->fields[problem->field_count++];
    va_list values;
    va_start(values, format);
    field->detail = arena_vprintf(req->arena, format, values);
    va_end(values);
    field->pointer = arena_str(req->arena, pointer);
}

void fail_fields(req_t *req)
{
    size_t count = req->problem.field_count;
    req->problem.kind = &INVALID;
    req->problem.detail =
        arena_printf(req->arena, count == 1 ? "One field is wrong." : "%zu fields are wrong.", count);
    req->problem.retry_after_us = 0;
    unwind(req);
}

void req_wait(req_t *req)
{
    switch (fiber_wait(req->deadline)) {
    case WAKE_CALLED:
        return;
    case WAKE_DEADLINE:
        fail(req, &TIMED_OUT, "The request took too long; try again.");
    case WAKE_CANCELLED:
        fail(req, &CLIENT_GONE, "The client ended the request.");
    }
}
