/*
 * Cursors: the keys of a page's last row, with a keyed hash over them and over the listing that they are of.
 * The hash keeps strangers from making up positions (and so from probing what they may not see); it keeps
 * nothing secret.
 */
#include "core/crypto/crypto.h"
#include "core/crypto/keyring.h"
#include "core/host.h"
#include "core/http/reply.h"

enum { PACKED_SIZE = CURSOR_PARTS_MAX * 8 + 16, MAC_SIZE = 12, SECRET_SIZE = 32 };

static void pack(const cursor_t *cursor, uint8_t out[PACKED_SIZE])
{
    for (size_t part = 0; part < CURSOR_PARTS_MAX; part++)
        for (size_t byte = 0; byte < 8; byte++)
            *out++ = (uint8_t)((uint64_t)cursor->keys[part] >> (56 - byte * 8));
    memcpy(out, cursor->id.bytes, sizeof cursor->id.bytes);
}

static void unpack(const uint8_t *packed, cursor_t *cursor)
{
    for (size_t part = 0; part < CURSOR_PARTS_MAX; part++) {
        uint64_t key = 0;
        for (size_t byte = 0; byte < 8; byte++)
            key = key << 8 | *packed++;
        cursor->keys[part] = (int64_t)key;
    }
    memcpy(cursor->id.bytes, packed, sizeof cursor->id.bytes);
}

static hash_t cursor_hash(req_t *req, const char *kind, const uint8_t packed[PACKED_SIZE])
{
    const size_t kind_size = strlen(kind) + 1;
    char *text = arena_alloc(req->arena, PACKED_SIZE + kind_size);

    memcpy(text, packed, PACKED_SIZE);
    memcpy(text + PACKED_SIZE, kind, kind_size);
    return hash_keyed(keyring_secret(req->host->keyring), SECRET_SIZE,
                      (str_t){text, PACKED_SIZE + kind_size});
}

str_t cursor_encode(req_t *req, const char *kind, const cursor_t *cursor)
{
    uint8_t bytes[PACKED_SIZE + MAC_SIZE];

    pack(cursor, bytes);
    const hash_t hash = cursor_hash(req, kind, bytes);
    memcpy(bytes + PACKED_SIZE, hash.bytes, MAC_SIZE);
    return base64url_encode(req->arena, bytes, sizeof bytes);
}

static bool is_own(req_t *req, const char *kind, str_t bytes)
{
    if (bytes.length != PACKED_SIZE + MAC_SIZE)
        return false;
    const hash_t hash = cursor_hash(req, kind, (const uint8_t *)bytes.at);
    return equal_in_constant_time(hash.bytes, bytes.at + PACKED_SIZE, MAC_SIZE);
}

bool cursor_decode(req_t *req, const char *kind, str_t text, cursor_t *cursor)
{
    str_t bytes;

    if (text.at == NULL)
        return false;
    if (!base64url_decode(req->arena, text, &bytes) || !is_own(req, kind, bytes)) {
        field_wrong(req, STR("query/cursor"),
                    "is not a cursor of this list; leave it out to begin at the start");
        fail_fields(req);
    }
    unpack((const uint8_t *)bytes.at, cursor);
    return true;
}
