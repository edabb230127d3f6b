/*
 * The JSON in a token. Reading is strict: what the program itself never writes is refused, but for claims
 * that it does not know: in a community of several nodes a newer one may add some.
 */
#include "core/crypto/token_claims.h"
#include "core/crypto/crypto.h"
#include "core/http/json.h"

#define ISSUER   "folkmoot"
#define AUDIENCE "folkmoot-api"

enum { JTI_SIZE = 16 };

static const char *const tier_words[] = {[TIER_UNVERIFIED] = "unverified",
                                         [TIER_PHONE] = "phone",
                                         [TIER_VOUCHED] = "vouched",
                                         [TIER_VERIFIED] = "verified"};

static const struct role_word {
    unsigned role;
    const char *word;
} role_words[] = {{ROLE_MODERATOR, "moderator"}, {ROLE_ADMINISTRATOR, "administrator"}};

/* ---- writing ---- */

static void write_string(json_writer_t *writer, const char *name, str_t value)
{
    json_name(writer, str_from(name));
    json_string(writer, value);
}

static void write_id(json_writer_t *writer, const char *name, const uuid_t *value)
{
    json_name(writer, str_from(name));
    json_uuid(writer, value);
}

static void write_seconds(json_writer_t *writer, const char *name, int64_t time)
{
    json_name(writer, str_from(name));
    json_int(writer, time / SECOND_US);
}

str_t claims_write(arena_t *arena, const token_claims_t *claims)
{
    uint8_t jti[JTI_SIZE];
    json_writer_t writer;

    random_bytes(jti, sizeof jti);
    json_writer_init(&writer, arena, 512);
    json_object_open(&writer);
    write_string(&writer, "iss", STR(ISSUER));
    write_string(&writer, "aud", STR(AUDIENCE));
    write_id(&writer, "sub", &claims->caller.member);
    write_id(&writer, "sid", &claims->caller.session);
    write_string(&writer, "tier", str_from(tier_words[claims->caller.tier]));
    json_name(&writer, STR("roles"));
    json_array_open(&writer);
    for (size_t i = 0; i < COUNT_OF(role_words); i++) {
        if (claims->caller.roles & role_words[i].role)
            json_string(&writer, str_from(role_words[i].word));
    }
    json_array_close(&writer);
    write_seconds(&writer, "iat", claims->issued_at);
    write_seconds(&writer, "nbf", claims->issued_at);
    write_seconds(&writer, "exp", claims->expires_at);
    write_string(&writer, "jti", base64url_encode(arena, jti, sizeof jti));
    json_object_close(&writer);
    return json_text(&writer);
}

/* ---- reading an object member by member ---- */

typedef bool read_member_t(json_reader_t *reader, void *out);

typedef struct member {
    const char *name;
    read_member_t *read;
    bool optional;
} member_t;

static int member_place(const member_t *members, size_t count, str_t name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(str_from(members[i].name), name))
            return (int)i;
    }
    return -1;
}

static bool object_read(arena_t *arena, str_t json, const member_t *members, size_t count, bool others,
                        void *out)
{
    json_reader_t reader;
    str_t name;
    unsigned seen = 0;

    json_reader_init(&reader, arena, json);
    if (!json_object_begin(&reader))
        return false;
    while (json_object_next(&reader, &name)) {
        int place = member_place(members, count, name);
        if (place < 0 ? !others || !json_skip(&reader)
                      : (seen & 1u << place) != 0 || !members[place].read(&reader, out))
            return false;
        if (place >= 0)
            seen |= 1u << place;
    }
    for (size_t i = 0; i < count; i++) {
        if (!(seen & 1u << i) && !members[i].optional)
            return false;
    }
    return json_end(&reader);
}

/* ---- the header ---- */

static bool read_algorithm(json_reader_t *reader, void *out)
{
    return json_read_string(reader, &((read_header_t *)out)->algorithm);
}

static bool read_kid(json_reader_t *reader, void *out)
{
    return json_read_string(reader, &((read_header_t *)out)->kid);
}

static bool read_type(json_reader_t *reader, void *out)
{
    str_t type;

    (void)out;
    return json_read_string(reader, &type) && str_equal(type, STR("JWT"));
}

/* No other member: a critical extension must not be passed over, nor may a key come with the token. */
bool header_read(arena_t *arena, str_t json, read_header_t *header)
{
    static const member_t members[] = {
        {"alg", read_algorithm, false}, {"kid", read_kid, false}, {"typ", read_type, true}};

    *header = (read_header_t){0};
    return object_read(arena, json, members, COUNT_OF(members), false, header);
}

/* ---- the claims ---- */

static bool read_constant(json_reader_t *reader, read_claims_t *claims, str_t expected)
{
    str_t value;

    if (!json_read_string(reader, &value))
        return false;
    claims->ours = claims->ours && str_equal(value, expected);
    return true;
}

static bool read_issuer(json_reader_t *reader, void *out)
{
    return read_constant(reader, out, STR(ISSUER));
}

static bool read_audience(json_reader_t *reader, void *out)
{
    return read_constant(reader, out, STR(AUDIENCE));
}

static bool read_id(json_reader_t *reader, uuid_t *id)
{
    str_t text;

    return json_read_string(reader, &text) && uuid_parse(text, id) && !uuid_is_none(id);
}

static bool read_subject(json_reader_t *reader, void *out)
{
    return read_id(reader, &((read_claims_t *)out)->caller.member);
}

static bool read_session(json_reader_t *reader, void *out)
{
    return read_id(reader, &((read_claims_t *)out)->caller.session);
}

static bool read_tier(json_reader_t *reader, void *out)
{
    read_claims_t *claims = out;
    str_t word;

    if (!json_read_string(reader, &word))
        return false;
    for (size_t i = 0; i < COUNT_OF(tier_words); i++) {
        if (str_equal(word, str_from(tier_words[i]))) {
            claims->caller.tier = (tier_t)i;
            return true;
        }
    }
    return false;
}

/* A role that this program does not know allows nothing here. */
static bool read_roles(json_reader_t *reader, void *out)
{
    read_claims_t *claims = out;
    str_t word;

    if (!json_array_begin(reader))
        return false;
    while (json_array_next(reader)) {
        if (!json_read_string(reader, &word))
            return false;
        for (size_t i = 0; i < COUNT_OF(role_words); i++) {
            if (str_equal(word, str_from(role_words[i].word)))
                claims->caller.roles |= role_words[i].role;
        }
    }
    return reader->error == NULL;
}

static bool read_seconds(json_reader_t *reader, int64_t *time)
{
    int64_t seconds;

    if (!json_read_int(reader, &seconds) || seconds < 0 || seconds > INT64_C(253402300799)) /* year 9999 */
        return false;
    *time = seconds * SECOND_US;
    return true;
}

static bool read_issued(json_reader_t *reader, void *out)
{
    return read_seconds(reader, &((read_claims_t *)out)->issued_at);
}

static bool read_not_before(json_reader_t *reader, void *out)
{
    return read_seconds(reader, &((read_claims_t *)out)->not_before);
}

static bool read_expires(json_reader_t *reader, void *out)
{
    return read_seconds(reader, &((read_claims_t *)out)->expires_at);
}

static bool read_token_id(json_reader_t *reader, void *out)
{
    str_t id;

    (void)out;
    return json_read_string(reader, &id);
}

bool claims_read(arena_t *arena, str_t json, read_claims_t *claims)
{
    static const member_t members[] = {{"iss", read_issuer, false},  {"aud", read_audience, false},
                                       {"sub", read_subject, false}, {"sid", read_session, false},
                                       {"tier", read_tier, false},   {"roles", read_roles, false},
                                       {"iat", read_issued, false},  {"nbf", read_not_before, false},
                                       {"exp", read_expires, false}, {"jti", read_token_id, false}};

    *claims = (read_claims_t){.ours = true};
    return object_read(arena, json, members, COUNT_OF(members), true, claims);
}
