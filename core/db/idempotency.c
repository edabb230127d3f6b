/*
 * Idempotency-Key: a request that is repeated with its key is done once and answered alike for a day. The
 * reply is kept in the transaction of the effect, so either both are there or neither. At rest stand a hash
 * of the key and the reply sealed under another hash of it: who holds the database but not the key reads
 * nothing.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "core/api.h"
#include "core/crypto/crypto.h"
#include "core/db/driver.h"
#include "core/http/operation.h"
#include "core/runtime/logline.h"
#include "core_db/queries.h"

enum { KEPT_REPLY_MAX = 256 * 1024, PURGE_BATCH = 500 };

#define KEY_LIFETIME DAY_US

/* Separates the key that seals from every other use of the same hash. */
static const char seal_context[] = "folkmoot: reply kept for a key.";

static hash_t sealing_key(str_t idempotency_key)
{
    return hash_keyed(seal_context, sizeof seal_context, idempotency_key);
}

static str_t operation_name(const req_t *req)
{
    return req->operation ? str_from(req->operation->name) : STR("");
}

/* ---- a reply as text: its numbers and lengths (-1: none) in one line, then what is that long ---- */

static int64_t length_of(str_t text)
{
    return text.at ? (int64_t)text.length : -1;
}

static str_t reply_pack(arena_t *arena, const reply_t *reply)
{
    str_t type = str_from(reply->type);
    str_t line =
        arena_printf(arena, "%d %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", reply->status,
                     reply->version, length_of(type), length_of(reply->location), length_of(reply->body));
    const str_t parts[] = {line, type, reply->location, reply->body};
    size_t size = line.length + type.length + reply->location.length + reply->body.length;
    char *out = arena_alloc(arena, size + 1);
    size_t used = 0;

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (parts[i].length > 0)
            memcpy(out + used, parts[i].at, parts[i].length);
        used += parts[i].length;
    }
    out[used] = '\0';
    return (str_t){out, used};
}

static bool take_number(str_t *rest, char end, int64_t *number)
{
    char *after;

    *number = strtoll(rest->at, &after, 10);
    if (after == rest->at || *after != end)
        return false;
    rest->length -= (size_t)(after + 1 - rest->at);
    rest->at = after + 1;
    return true;
}

static bool take_text(arena_t *arena, str_t *rest, int64_t length, str_t *text)
{
    *text = STR_NONE;
    if (length < 0)
        return true;
    if ((uint64_t)length > rest->length)
        return false;
    *text = arena_str(arena, (str_t){rest->at, (size_t)length});
    rest->at += length;
    rest->length -= (size_t)length;
    return true;
}

/* `packed` ends in a NUL beyond its length, as everything from an arena. */
static bool reply_unpack(arena_t *arena, str_t packed, reply_t *reply)
{
    int64_t status, version, type_length, location_length, body_length;
    str_t type;

    *reply = (reply_t){0};
    if (!take_number(&packed, ' ', &status) || !take_number(&packed, ' ', &version) ||
        !take_number(&packed, ' ', &type_length) || !take_number(&packed, ' ', &location_length) ||
        !take_number(&packed, '\n', &body_length))
        return false;
    reply->status = (int)status;
    reply->version = version;
    if (!take_text(arena, &packed, type_length, &type) ||
        !take_text(arena, &packed, location_length, &reply->location) ||
        !take_text(arena, &packed, body_length, &reply->body))
        return false;
    reply->type = type.at;
    return true;
}

/* ---- keeping and finding ---- */

static reply_t kept_reply(req_t *req, const struct idempotency_find *kept)
{
    hash_t key = sealing_key(req->idempotency_key);
    str_t packed;
    reply_t reply;

    if (!str_equal(kept->fingerprint, (str_t){(const char *)req->fingerprint, sizeof req->fingerprint}))
        fail(req, &IDEMPOTENCY_CONFLICT,
             "This Idempotency-Key was used before for another request. Send each new request with a new "
             "key.");
    if (!unseal(req->arena, key.bytes, kept->reply, &packed) || !reply_unpack(req->arena, packed, &reply)) {
        logline(LINE_ERROR, "kept_reply_damaged", "operation", operation_name(req).at, NULL);
        fail(req, &INTERNAL, "The kept reply cannot be read.");
    }
    return reply;
}

bool idempotency_answers(req_t *req, reply_t *reply)
{
    hash_t hash = hash_of(req->idempotency_key);
    struct idempotency_find kept;

    if (!idempotency_find(db_read(req), req->caller.member, operation_name(req),
                          (str_t){(const char *)hash.bytes, sizeof hash.bytes}, req->now, &kept))
        return false;
    *reply = kept_reply(req, &kept);
    return true;
}

void idempotency_keep_reply(tx_t *tx, const reply_t *reply)
{
    req_t *req = tx->req;
    hash_t key = sealing_key(req->idempotency_key);
    hash_t hash = hash_of(req->idempotency_key);
    str_t packed = reply_pack(req->arena, reply);
    struct idempotency_keep_in row = {
        .member = req->caller.member,
        .operation = operation_name(req),
        .key_hash = {(const char *)hash.bytes, sizeof hash.bytes},
        .fingerprint = {(const char *)req->fingerprint, sizeof req->fingerprint},
        .now = req->now,
        .expires_at = req->now + KEY_LIFETIME,
    };

    if (packed.length > KEPT_REPLY_MAX) {
        logline(LINE_ERROR, "reply_too_large_to_keep", "operation", row.operation.at, "bytes",
                line_number((int64_t)packed.length), NULL);
        fail(req, &INTERNAL, "The reply is too large to be kept for its Idempotency-Key.");
    }
    row.reply = seal(req->arena, key.bytes, packed);
    if (idempotency_keep(tx, &row) != 1)
        fail(req, &UNAVAILABLE, "A request with this Idempotency-Key is being answered. Try again.");
}

/* ---- purging ---- */

static void purge_batch(tx_t *tx, void *arg)
{
    int64_t *purged = arg;

    *purged = idempotency_purge(tx, tx->req->now, PURGE_BATCH);
}

void db_purge_idempotency(req_t *req)
{
    int64_t purged;

    do
        db_apply(req, purge_batch, &purged);
    while (purged == PURGE_BATCH);
}
