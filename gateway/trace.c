/* W3C trace context: the traceparent header in, and ours for what we call and answer. */
#include "gateway/gateway.h"

enum { TRACE_LENGTH = 55, TRACE_AT = 3, PARENT_AT = 36, FLAGS_AT = 53 };

static bool is_hex(char character)
{
    return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'f');
}

/* Hexadecimal, and not all zero. */
static bool valid_id(const char *text, size_t length)
{
    bool zero = true;
    for (size_t place = 0; place < length; place++) {
        if (!is_hex(text[place]))
            return false;
        zero = zero && text[place] == '0';
    }
    return !zero;
}

/* Versions above 00 may be longer; what we know of them stands at the same places. */
bool trace_parent_valid(str_t text)
{
    if (text.length < TRACE_LENGTH || !is_hex(text.at[0]) || !is_hex(text.at[1]))
        return false;
    bool first_version = text.at[0] == '0' && text.at[1] == '0';
    if (memcmp(text.at, "ff", 2) == 0 || (first_version && text.length != TRACE_LENGTH) ||
        (text.length > TRACE_LENGTH && text.at[TRACE_LENGTH] != '-'))
        return false;
    return text.at[2] == '-' && text.at[35] == '-' && text.at[52] == '-' &&
           valid_id(text.at + TRACE_AT, 32) && valid_id(text.at + PARENT_AT, 16) &&
           is_hex(text.at[FLAGS_AT]) && is_hex(text.at[FLAGS_AT + 1]);
}

/* The request id, a UUID, gives what is new: the trace when none came, and our place in it. */
void trace_parent_make(char out[56], str_t from, const char *request_id)
{
    char digits[33];
    size_t count = 0;
    for (const char *at = request_id; *at && count < 32; at++)
        if (*at != '-')
            digits[count++] = *at;
    memcpy(out, "00-00000000000000000000000000000000-0000000000000000-00", 56);
    memcpy(out + TRACE_AT, digits, 32);
    memcpy(out + PARENT_AT, digits + 16, 16);
    if (!trace_parent_valid(from))
        return;
    memcpy(out + TRACE_AT, from.at + TRACE_AT, 32);
    memcpy(out + FLAGS_AT, from.at + FLAGS_AT, 2);
}
