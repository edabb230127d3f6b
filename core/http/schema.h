/*
 * Schemas: the tables that tools/generate_api.py makes of the documents in openapi/, and the one decoder and
 * one encoder that walk them. A schema describes a C struct field by field; decoding fills the struct from
 * JSON (or from path and query text) and collects what is wrong with each field; encoding writes it as JSON.
 *
 * How a field stands in its struct:
 *   string            str_t         (absent or null: STR_NONE)
 *   string uuid       uuid_t        (absent or null: all zero)
 *   string date-time  int64_t       (absent or null: 0)
 *   string enum       int           (absent or null: 0, the constants begin at 1 in the order of the list)
 *   integer           int64_t       (absent: its default, or 0; a nullable one also has bool has_<name> next
 * to it) boolean           bool          (absent: its default, or false; a nullable or
 * optional-without-default one also has bool has_<name>) object            the struct of its schema; nullable
 * or optional: a pointer to it, NULL when absent array             struct { T *items; size_t count; } with T
 * one of the above any (x-raw)       str_t         a JSON value taken or given as it stands An optional
 * integer without a default has bool has_<name> too. In a request body that changes part of a record
 * (x-patch: true on its schema), every optional field has bool has_<name>.
 */
#ifndef FOLKMOOT_SCHEMA_H
#define FOLKMOOT_SCHEMA_H

#include "core/http/json.h"
#include "core/runtime/req.h"

typedef enum field_type {
    FIELD_STRING,
    FIELD_UUID,
    FIELD_TIME,
    FIELD_ENUM,
    FIELD_INT,
    FIELD_BOOL,
    FIELD_OBJECT,
    FIELD_ARRAY,
    FIELD_RAW
} field_type_t;

typedef enum field_place { IN_BODY, IN_PATH, IN_QUERY, IN_HEADER } field_place_t;

enum { NO_HAS = 0xffff };

typedef struct schema schema_t;

typedef struct field {
    const char *name; /* as in JSON */
    field_type_t type;
    field_type_t item_type; /* of an array */
    field_place_t place;
    bool required, nullable;
    bool visible;                  /* of a string: something in it can be seen */
    bool by_pointer;               /* an object held by pointer */
    uint16_t offset;               /* of the value in the struct */
    uint16_t has_offset;           /* of its bool has_<name>, or NO_HAS */
    int64_t least, most;           /* of an int; code points of a string; items of an array */
    int64_t item_least, item_most; /* of the ints or strings of an array */
    int64_t preset;                /* default of an int, a bool or an enum */
    const char *preset_text;       /* default of a string, NULL: none */
    const char *const *words;      /* of an enum (or an array of enums), ended by NULL */
    const char *pattern; /* of a string: a class of characters, e.g. "a-z0-9-": every character is one of it;
                            NULL: any */
    const schema_t *schema; /* of an object or the objects of an array */
} field_t;

struct schema {
    const char *name;
    size_t size; /* of the struct */
    const field_t *fields;
    size_t field_count;
    size_t least_fields; /* minProperties: how many must be there at least */
    bool open; /* unknown fields are passed over (log entries of other modules) instead of refused */
};

/* Decodes a JSON text. Ends in MALFORMED (400) when it is not JSON, in INVALID (422) naming every wrong field
 * when it does not fit. `out` is zeroed first. */
void schema_decode(req_t *req, const schema_t *schema, str_t json, void *out);

/* One path or query value into its field of `out`; wrong ones are noted with field_wrong. `value` has been
 * percent-decoded. */
void schema_decode_text(req_t *req, const field_t *field, str_t value, void *out);

/* The same without a request, for data of our own (log entries): false when it does not fit; *error is a
 * sentence. */
bool schema_read(const schema_t *schema, arena_t *arena, str_t json, void *out, str_t *error) MUST_CHECK;

void schema_write(json_writer_t *writer, const schema_t *schema, const void *value);
str_t schema_encode(arena_t *arena, const schema_t *schema, const void *value);

#endif
