/* Replies, and the conditions under which they are given: If-None-Match and If-Match (RFC 9110 §13). */
#include <inttypes.h>
#include <stdio.h>

#include "core/api.h"
#include "core/http/operation.h"
#include "core/http/reply.h"

reply_t reply_with(req_t *req, int status, const schema_t *schema, const void *value)
{
    return (reply_t){.status = status, .body = schema_encode(req->arena, schema, value)};
}

reply_t reply_nothing(void)
{
    return (reply_t){.status = 204};
}

/* The tags of a list such as `"12", W/"13"` one by one: false at the end, with *malformed when it is no such
 * list. Weak tags count as strong: a proxy that compresses makes them weak, and a version names the record,
 * not its bytes. */
static bool next_tag(str_t *list, str_t *tag, bool *malformed)
{
    while (list->length > 0 && (list->at[0] == ' ' || list->at[0] == ',' || list->at[0] == '\t'))
        *list = (str_t){list->at + 1, list->length - 1};
    if (list->length == 0)
        return false;
    const size_t prefix = list->length > 2 && memcmp(list->at, "W/", 2) == 0 ? 2 : 0;
    const char *start = list->at + prefix + 1, *const end = list->at + list->length;
    const char *close =
        list->at[prefix] == '"' && start < end ? memchr(start, '"', (size_t)(end - start)) : NULL;
    if (close == NULL) {
        *malformed = true;
        return false;
    }
    *tag = (str_t){start, (size_t)(close - start)};
    *list = (str_t){close + 1, (size_t)(end - close - 1)};
    return true;
}

static bool names_version(str_t list, int64_t version, bool *malformed)
{
    char own[24];
    const str_t wanted = {own, (size_t)snprintf(own, sizeof own, "%" PRId64, version)};
    str_t tag;

    if (str_equal(list, STR("*")))
        return true;
    while (next_tag(&list, &tag, malformed))
        if (str_equal(tag, wanted))
            return true;
    return false;
}

reply_t reply_record(req_t *req, int status, const schema_t *schema, const void *value, int64_t version)
{
    const bool reads = req->operation == NULL || req->operation->method == METHOD_GET;
    bool malformed = false; /* one that cannot be read names nothing */

    if (reads && status == 200 && req->if_none_match.at &&
        names_version(req->if_none_match, version, &malformed))
        return (reply_t){.status = 304, .version = version};
    reply_t reply = reply_with(req, status, schema, value);
    reply.version = version;
    return reply;
}

void check_match(req_t *req, int64_t version)
{
    bool malformed = false;

    if (req->if_match.at == NULL || names_version(req->if_match, version, &malformed))
        return;
    if (malformed) {
        field_wrong(req, STR("header/If-Match"), "must be an ETag as the server gave it, in its quotes");
        fail_fields(req);
    }
    fail(req, &VERSION_CONFLICT,
         "It has changed since you read it, and is at version \"%" PRId64 "\" now. Read it again.", version);
}
