/*
 * JSON numbers as integers. No number passes through a double: 1e3 and 1000.0 are 1000 exactly, and what is
 * no int64 is told apart from what is no whole number.
 */
#include "core/http/json_private.h"

/* The exponent behind the e, held within what can matter. */
static int64_t exponent_of(const char *at, const char *end)
{
    const bool negative = at < end && *at == '-';
    int64_t exponent = 0;

    at += at < end && (*at == '-' || *at == '+');
    for (; at < end; at++)
        exponent = exponent < 1000000000 ? exponent * 10 + (*at - '0') : exponent;
    return negative ? -exponent : exponent;
}

static json_int_form_t signed_value(bool negative, uint64_t size, int64_t *value)
{
    if (size > (uint64_t)INT64_MAX + negative)
        return JSON_INT_TOO_LARGE;
    *value = negative ? (int64_t)(0 - size) : (int64_t)size;
    return JSON_INT_EXACT;
}

/* The significant digits of a number, as one integer, and the power of ten that it is multiplied by. */
typedef struct decimal {
    uint64_t size;
    int64_t power;
    unsigned used; /* digits in `size` */
    bool fraction; /* whether there was a point */
    bool too_long; /* more digits than any int64 has */
} decimal_t;

/* Zeros at the end are counted in `power` and multiplied in only when a digit follows them. */
static decimal_t decimal_of(const char *at, const char *end)
{
    decimal_t decimal = {0};

    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            decimal.fraction = true;
            continue;
        }
        decimal.power -= decimal.fraction;
        if (*at == '0' && decimal.used == 0)
            continue;
        decimal.used++;
        if (decimal.used <= 19)
            decimal.size = decimal.size * 10 + (uint64_t)(*at - '0');
        else if (*at == '0')
            decimal.power++;
        else
            decimal.too_long = true;
    }
    for (; decimal.size > 0 && decimal.size % 10 == 0; decimal.size /= 10)
        decimal.power++;
    decimal.power += at < end ? exponent_of(at + 1, end) : 0;
    return decimal;
}

/* A number with a point or an exponent. */
static json_int_form_t scaled_value(bool negative, const char *at, const char *end, int64_t *value)
{
    decimal_t decimal = decimal_of(at, end);

    if (decimal.too_long)
        return decimal.fraction ? JSON_INT_FRACTION : JSON_INT_TOO_LARGE;
    if (decimal.size == 0)
        return signed_value(false, 0, value);
    if (decimal.power < 0)
        return JSON_INT_FRACTION;
    for (; decimal.power > 0; decimal.power--)
        if (__builtin_mul_overflow(decimal.size, 10, &decimal.size))
            return JSON_INT_TOO_LARGE;
    return signed_value(negative, decimal.size, value);
}

json_int_form_t json_int_of(str_t digits, int64_t *value)
{
    const char *at = digits.at, *const end = digits.at + digits.length;
    const bool negative = at < end && *at == '-';
    uint64_t size = 0;

    at += negative;
    if (json_digits_end(at, end) != end)
        return scaled_value(negative, at, end, value);
    for (; at < end; at++)
        if (__builtin_mul_overflow(size, 10, &size) ||
            __builtin_add_overflow(size, (uint64_t)(*at - '0'), &size))
            return JSON_INT_TOO_LARGE;
    return signed_value(negative, size, value);
}
