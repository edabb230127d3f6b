/* Ids: UUID version 7 (RFC 9562), 16 bytes inside, the usual 36 characters outside. All zero means "none". */
#ifndef FOLKMOOT_UUID_H
#define FOLKMOOT_UUID_H

#include "core/runtime/base.h"

typedef struct uuid {
    uint8_t bytes[16];
} uuid_t;

#define UUID_TEXT_SIZE 37
#define UUID_NONE      ((uuid_t){{0}})

/* A new id; within one process later ids sort after earlier ones. Any thread. */
uuid_t uuid_new(void);

/* The id that belongs to (time, name): the same arguments give the same id. It is a valid version 7 id of
 * that time whose random part is a hash of `name`, so that an import that is started again finds the records
 * it made. */
uuid_t uuid_of_name(int64_t time, str_t name);

/* Writes 36 characters and a NUL. */
void uuid_format(const uuid_t *id, char out[UUID_TEXT_SIZE]);

/* Reads 36 characters, either case; any version. False when it is anything else. */
bool uuid_parse(str_t text, uuid_t *id) MUST_CHECK;

static inline bool uuid_is_none(const uuid_t *id)
{
    static const uuid_t none;
    return memcmp(id, &none, sizeof none) == 0;
}

static inline bool uuid_equal(const uuid_t *left, const uuid_t *right)
{
    return memcmp(left, right, sizeof *left) == 0;
}

/* For qsort and bsearch of ids, and of structs that begin with one. */
static inline int uuid_compare(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(uuid_t));
}

#endif
