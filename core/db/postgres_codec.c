/*
 * Values to and from PostgreSQL's binary form: int8, bool, text, bytea and uuid, and arrays of them. Numbers
 * are big-endian; the others are their bytes. Parameters are declared with exactly these types, so that the
 * server never guesses another.
 */
#include <endian.h>
#include <stdlib.h>

#include "core/db/postgres.h"
#include "core/runtime/panic.h"
#include "core/runtime/uuid.h"

/* From PostgreSQL's pg_type.dat: fixed for ever. */
enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_TEXT = 25, OID_VARCHAR = 1043, OID_UUID = 2950 };
enum { OID_BOOLS = 1000, OID_BYTEAS = 1001, OID_TEXTS = 1009, OID_INT8S = 1016, OID_UUIDS = 2951 };

Oid postgres_type(value_type_t type)
{
    switch (type) {
    case VALUE_INT:
    case VALUE_TIME:
        return OID_INT8;
    case VALUE_BOOL:
        return OID_BOOL;
    case VALUE_TEXT:
        return OID_TEXT;
    case VALUE_BYTES:
        return OID_BYTEA;
    case VALUE_UUID:
        return OID_UUID;
    }
    panic("there is no value type %d", (int)type);
}

static Oid array_type(value_type_t type)
{
    switch (postgres_type(type)) {
    case OID_INT8:
        return OID_INT8S;
    case OID_BOOL:
        return OID_BOOLS;
    case OID_TEXT:
        return OID_TEXTS;
    case OID_BYTEA:
        return OID_BYTEAS;
    default:
        return OID_UUIDS;
    }
}

Oid postgres_parameter_type(const statement_t *statement, size_t place)
{
    value_type_t type = statement->in[place].type;
    return statement->each ? array_type(type) : postgres_type(type);
}

const char *postgres_type_name(value_type_t type)
{
    static const char *const names[] = {"bigint (int)",  "boolean (bool)", "text",
                                        "bytea (bytes)", "uuid",           "bigint (time)"};
    return names[type];
}

bool postgres_type_fits(value_type_t type, Oid oid)
{
    return oid == postgres_type(type) || (type == VALUE_TEXT && oid == OID_VARCHAR);
}

/* ---- parameters ---- */

static bool slot_has(const value_slot_t *slot, const char *in)
{
    return slot->has_offset == NO_HAS || *(const bool *)(in + slot->has_offset);
}

static void encode_bytes(const str_t *text, bool nullable, size_t place, parameters_t *parameters)
{
    if (nullable && text->at == NULL)
        return;
    parameters->values[place] = text->at ? text->at : "";
    parameters->lengths[place] = (int)text->length;
}

static void encode_number(int64_t number, size_t place, parameters_t *parameters)
{
    parameters->numbers[place] = htobe64((uint64_t)number);
    parameters->values[place] = (const char *)&parameters->numbers[place];
    parameters->lengths[place] = sizeof(int64_t);
}

static void encode_bool(bool value, size_t place, parameters_t *parameters)
{
    parameters->values[place] = value ? "\1" : "\0";
    parameters->lengths[place] = 1;
}

static void encode_uuid(const uuid_t *id, bool nullable, size_t place, parameters_t *parameters)
{
    if (nullable && uuid_is_none(id))
        return;
    parameters->values[place] = (const char *)id->bytes;
    parameters->lengths[place] = sizeof id->bytes;
}

static void encode(const value_slot_t *slot, const char *in, size_t place, parameters_t *parameters)
{
    const void *value = in + slot->offset;
    parameters->values[place] = NULL;
    parameters->lengths[place] = 0;
    parameters->formats[place] = 1;
    switch (slot->type) {
    case VALUE_INT:
        if (!slot->nullable || slot_has(slot, in))
            encode_number(*(const int64_t *)value, place, parameters);
        break;
    case VALUE_TIME:
        if (!slot->nullable || *(const int64_t *)value != 0)
            encode_number(*(const int64_t *)value, place, parameters);
        break;
    case VALUE_BOOL:
        if (!slot->nullable || slot_has(slot, in))
            encode_bool(*(const bool *)value, place, parameters);
        break;
    case VALUE_TEXT:
    case VALUE_BYTES:
        encode_bytes(value, slot->nullable, place, parameters);
        break;
    case VALUE_UUID:
        encode_uuid(value, slot->nullable, place, parameters);
        break;
    }
}

static char *put_word(char *at, uint32_t word)
{
    word = htobe32(word);
    memcpy(at, &word, sizeof word);
    return at + sizeof word;
}

static void encode_element(const statement_t *statement, const statement_rows_t *rows, size_t row,
                           size_t place, parameters_t *parameters)
{
    encode(&statement->in[place], (const char *)rows->first + row * statement->in_size, place, parameters);
}

/* One parameter of all rows: the array's dimension, then each element behind its length. */
static void encode_array(const statement_t *statement, const statement_rows_t *rows, size_t place,
                         parameters_t *parameters)
{
    enum { HEAD = 5 * sizeof(uint32_t), DIMENSIONS = 1, MAY_HOLD_NULLS = 1, FIRST_INDEX = 1 };
    size_t size = HEAD;
    for (size_t row = 0; row < rows->count; row++) {
        encode_element(statement, rows, row, place, parameters);
        size += sizeof(uint32_t) + (size_t)parameters->lengths[place];
    }
    char *array = memory_new(size);
    char *at = put_word(put_word(array, DIMENSIONS), MAY_HOLD_NULLS);
    at = put_word(at, postgres_type(statement->in[place].type));
    at = put_word(put_word(at, (uint32_t)rows->count), FIRST_INDEX);
    for (size_t row = 0; row < rows->count; row++) {
        encode_element(statement, rows, row, place, parameters);
        size_t length = (size_t)parameters->lengths[place];
        at = put_word(at, parameters->values[place] ? (uint32_t)length : UINT32_MAX);
        if (parameters->values[place] && length > 0)
            memcpy(at, parameters->values[place], length);
        at += length;
    }
    parameters->values[place] = array;
    parameters->lengths[place] = (int)size;
    parameters->formats[place] = 1;
}

void postgres_encode(const statement_t *statement, const void *in, parameters_t *parameters)
{
    for (size_t place = 0; place < statement->in_count; place++) {
        if (statement->each)
            encode_array(statement, in, place, parameters);
        else
            encode(&statement->in[place], in, place, parameters);
    }
}

void postgres_parameters_free(const statement_t *statement, parameters_t *parameters)
{
    for (size_t place = 0; statement->each && place < statement->in_count; place++)
        free((char *)parameters->values[place]);
}

/* ---- columns ---- */

static void set_has(const value_slot_t *slot, char *out, bool has)
{
    if (slot->has_offset != NO_HAS)
        *(bool *)(out + slot->has_offset) = has;
}

/* The row is zeroed, and zero is how every null looks. */
static bool decode(const value_slot_t *slot, str_t value, char *out, arena_t *arena)
{
    void *place = out + slot->offset;
    uint64_t number;
    switch (slot->type) {
    case VALUE_INT:
    case VALUE_TIME:
        if (value.length != sizeof number)
            return false;
        memcpy(&number, value.at, sizeof number);
        *(int64_t *)place = (int64_t)be64toh(number);
        break;
    case VALUE_BOOL:
        if (value.length != 1)
            return false;
        *(bool *)place = *value.at != 0;
        break;
    case VALUE_TEXT:
    case VALUE_BYTES:
        *(str_t *)place = arena_str(arena, value);
        break;
    case VALUE_UUID:
        if (value.length != sizeof(uuid_t))
            return false;
        memcpy(place, value.at, sizeof(uuid_t));
        break;
    }
    set_has(slot, out, true);
    return true;
}

int postgres_decode(const statement_t *statement, const PGresult *result, int row, void *out, arena_t *arena)
{
    memset(out, 0, statement->row_size);
    for (int column = 0; column < statement->out_count; column++) {
        const value_slot_t *slot = &statement->out[column];
        if (column >= PQnfields(result) || !postgres_type_fits(slot->type, PQftype(result, column)))
            return column;
        if (PQgetisnull(result, row, column)) {
            if (!slot->nullable)
                return column;
            continue;
        }
        str_t value = {PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column)};
        if (!decode(slot, value, out, arena))
            return column;
    }
    return -1;
}
