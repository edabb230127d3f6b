/* Values of options: numbers, durations and sizes with their units, words from a list, and how they are
 * written again. */
#include "core/runtime/config_private.h"
#include "core/runtime/utf8.h"

typedef struct unit {
    const char *name;
    int64_t worth;
} unit_t;

/* The largest first: the order in which a number is written again. */
static const unit_t durations[] = {
    {"d", DAY_US}, {"h", HOUR_US}, {"m", MINUTE_US}, {"s", SECOND_US}, {"ms", MILLISECOND_US}, {NULL, 0},
};
static const unit_t sizes[] = {
    {"G", INT64_C(1) << 30}, {"M", 1 << 20}, {"k", 1 << 10}, {"", 1},
    {"g", INT64_C(1) << 30}, {"m", 1 << 20}, {"K", 1 << 10}, {NULL, 0},
};
static const unit_t plain[] = {{"", 1}, {NULL, 0}};

static const unit_t *units_of(const config_option_t *option)
{
    return option->type == CONFIG_DURATION ? durations : option->type == CONFIG_SIZE ? sizes : plain;
}

/* The digits at the front of the text; false when there are none or too many. */
static bool take_number(str_t *text, int64_t *number)
{
    size_t digits = 0;
    for (*number = 0; digits < text->length && text->at[digits] >= '0' && text->at[digits] <= '9'; digits++)
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, text->at[digits] - '0', number))
            return false;
    text->at += digits;
    text->length -= digits;
    return digits > 0;
}

static bool read_number(const config_option_t *option, str_t text, int64_t *number)
{
    bool negative = option->type == CONFIG_INT && text.length > 0 && *text.at == '-';
    if (negative) {
        text.at++;
        text.length--;
    }
    if (!take_number(&text, number))
        return false;
    if (negative)
        *number = -*number;
    if (option->type == CONFIG_DURATION && *number == 0 && text.length == 0)
        return true;
    for (const unit_t *unit = units_of(option); unit->name; unit++)
        if (str_equal(text, str_from(unit->name)))
            return !__builtin_mul_overflow(*number, unit->worth, number);
    return false;
}

static str_t number_text(arena_t *arena, const config_option_t *option, int64_t number)
{
    const unit_t *unit = units_of(option);
    if (number == 0)
        return STR("0");
    while (unit[1].name && number % unit->worth != 0)
        unit++;
    return arena_printf(arena, "%lld%s", (long long)(number / unit->worth), unit->name);
}

str_t config_value_bounds(arena_t *arena, const config_option_t *option)
{
    if (option->most == INT64_MAX)
        return arena_printf(arena, "%s or more", number_text(arena, option, option->least).at);
    return arena_printf(arena, "%s..%s", number_text(arena, option, option->least).at,
                        number_text(arena, option, option->most).at);
}

static bool is_choice(const char *choices, str_t text)
{
    while (*choices) {
        size_t length = strcspn(choices, " ");
        if (str_equal(text, (str_t){choices, length}))
            return true;
        choices += length;
        choices += strspn(choices, " ");
    }
    return false;
}

static const char *form_of(config_type_t type)
{
    switch (type) {
    case CONFIG_DURATION:
        return "a duration: a whole number and a unit, as in 250ms, 10s, 15m, 24h or 30d";
    case CONFIG_SIZE:
        return "a size in bytes: a whole number, and k, M or G for more, as in 512, 64k or 8M";
    default:
        return "a whole number";
    }
}

static bool wrong(arena_t *arena, str_t *error, const char *form, const char *what)
{
    *error = arena_printf(arena, "must be %s%s", form, what);
    return false;
}

static bool read_bounded(arena_t *arena, const config_option_t *option, str_t text, int64_t *number,
                         str_t *error)
{
    if (!read_number(option, text, number))
        return wrong(arena, error, form_of(option->type), "");
    bool bounded = option->least != 0 || option->most != 0;
    if (bounded && (*number < option->least || *number > option->most))
        return wrong(arena, error, "in the range ", config_value_bounds(arena, option).at);
    return true;
}

/* A value must be one that a line of a file can hold, so that what `folkmoot config` prints can be read
 * again, and one that an answer in JSON can. */
static bool is_writable(str_t text)
{
    if (!utf8_valid(text, NULL))
        return false;
    for (size_t place = 0; place < text.length; place++) {
        if ((uint8_t)text.at[place] < 0x20 && text.at[place] != '\t')
            return false;
        if (text.at[place] == '#' && (place == 0 || text.at[place - 1] == ' ' || text.at[place - 1] == '\t'))
            return false;
    }
    return true;
}

bool config_value_read(arena_t *arena, const config_option_t *option, str_t text, int64_t *number,
                       str_t *error)
{
    *number = 0;
    switch (option->type) {
    case CONFIG_TEXT:
        return is_writable(text) ||
               wrong(arena, error,
                     "one line of text in UTF-8, without control characters, and without a # at its "
                     "beginning or after a space",
                     "");
    case CONFIG_CHOICE:
        return is_choice(option->choices, text) || wrong(arena, error, "one of: ", option->choices);
    case CONFIG_BOOL:
        *number = str_equal(text, STR("true"));
        return *number || str_equal(text, STR("false")) || wrong(arena, error, "true or false", "");
    default:
        return read_bounded(arena, option, text, number, error);
    }
}
