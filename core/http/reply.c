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
 * list. Weak tags count as strong: a proxy that compresses makes them weak. */
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

/* A multiplicative hash, eight bytes a step (after Fowler, Noll, Vo): an entity tag guards against nobody. */
static uint64_t hash_of_body(str_t body)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ body.length;

    for (size_t at = 0; at < body.length; at += sizeof hash) {
        uint64_t word = 0;
        const size_t left = body.length - at;

        memcpy(&word, body.at + at, left < sizeof word ? left : sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return hash;
}

str_t reply_etag(arena_t *arena, const reply_t *reply)
{
    if (reply->version == 0)
        return STR_NONE;
    return arena_printf(arena, "%" PRId64 ".%016" PRIx64, reply->version, hash_of_body(reply->body));
}

/* Whether the list has the tag, or one that begins with it when only the version counts. */
static bool list_names(str_t list, str_t wanted, bool version_alone, bool *malformed)
{
    str_t tag;

    if (str_equal(list, STR("*")))
        return true;
    while (next_tag(&list, &tag, malformed)) {
        const char *dot = version_alone ? memchr(tag.at, '.', tag.length) : NULL;
        if (str_equal(dot ? (str_t){tag.at, (size_t)(dot - tag.at)} : tag, wanted))
            return true;
    }
    return false;
}

reply_t reply_record(req_t *req, int status, const schema_t *schema, const void *value, int64_t version)
{
    const bool reads = req->operation == NULL || req->operation->method == METHOD_GET;
    bool malformed = false; /* one that cannot be read names nothing */
    reply_t reply = reply_with(req, status, schema, value);

    reply.version = version;
    if (reads && status == 200 && req->if_none_match.at &&
        list_names(req->if_none_match, reply_etag(req->arena, &reply), false, &malformed))
        reply.status = 304;
    return reply;
}

void check_match(req_t *req, int64_t version)
{
    bool malformed = false;
    char own[24];

    if (req->if_match.at == NULL)
        return;
    const str_t wanted = {own, (size_t)snprintf(own, sizeof own, "%" PRId64, version)};
    if (list_names(req->if_match, wanted, true, &malformed))
        return;
    if (malformed) {
        field_wrong(req, STR("header/If-Match"), "must be an ETag as the server gave it, in its quotes");
        fail_fields(req);
    }
    fail(req, &VERSION_CONFLICT,
         "It has changed since you read it, and is at version \"%" PRId64 "\" now. Read it again.", version);
}
