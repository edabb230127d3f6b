/* The one place that turns a problem into what a client sees (RFC 9457). */
#include "core/api.h"
#include "core/http/reply.h"

str_t problem_body(req_t *req, int *status)
{
    const problem_t *problem = &req->problem;
    const problem_kind_t *kind = problem->kind ? problem->kind : &INTERNAL;
    struct field_error_json fields[FIELD_ERRORS_MAX];
    struct problem_json body = {
        .type = arena_printf(req->arena, "/problems#%s", kind->code),
        .title = str_from(kind->title),
        .status = kind->status,
        .code = str_from(kind->code),
        .instance = arena_printf(req->arena, "urn:uuid:%s", req->id),
    };

    if (kind != &INTERNAL && problem->detail.length > 0)
        body.detail = problem->detail;
    for (size_t index = 0; index < problem->field_count; index++)
        fields[index] = (struct field_error_json){.pointer = problem->fields[index].pointer,
                                                  .detail = problem->fields[index].detail};
    if (problem->field_count > 0) {
        body.errors.items = fields;
        body.errors.count = problem->field_count;
    }
    *status = kind->status;
    return schema_encode(req->arena, &problem_json_schema, &body);
}
