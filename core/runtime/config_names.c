/* Names of options: finding one, its environment variable, and the one that somebody who mistyped may have
 * meant. */
#include "core/runtime/config_private.h"

enum { COMPARED_MOST = 64 };

static const char prefix[] = "FOLKMOOT_";

setting_t *config_find(const config_t *config, str_t name)
{
    for (size_t place = 0; place < config->count; place++)
        if (str_equal(config->settings[place].name, name))
            return &config->settings[place];
    return NULL;
}

static char variable_character(char of_name)
{
    if (of_name >= 'a' && of_name <= 'z')
        return (char)(of_name - 'a' + 'A');
    return of_name == '.' || of_name == '-' ? '_' : of_name;
}

str_t config_variable(arena_t *arena, const char *name)
{
    size_t length = strlen(name), before = sizeof prefix - 1;
    char *text = arena_alloc(arena, before + length + 1);
    memcpy(text, prefix, before);
    for (size_t place = 0; place <= length; place++)
        text[before + place] = variable_character(name[place]);
    return (str_t){text, before + length};
}

setting_t *config_find_variable(const config_t *config, str_t variable)
{
    for (size_t place = 0; place < config->count; place++)
        if (str_equal(config->settings[place].variable, variable))
            return &config->settings[place];
    return NULL;
}

static size_t least_of(size_t one, size_t other, size_t third)
{
    size_t least = one < other ? one : other;
    return least < third ? least : third;
}

/* Levenshtein's distance, one row at a time: how many characters to add, leave out or change. */
static size_t distance(str_t left, str_t right)
{
    size_t row[COMPARED_MOST + 1];
    for (size_t column = 0; column <= right.length; column++)
        row[column] = column;
    for (size_t line = 1; line <= left.length; line++) {
        size_t diagonal = row[0];
        row[0] = line;
        for (size_t column = 1; column <= right.length; column++) {
            size_t changed = diagonal + (left.at[line - 1] != right.at[column - 1]);
            diagonal = row[column];
            row[column] = least_of(changed, row[column] + 1, row[column - 1] + 1);
        }
    }
    return row[right.length];
}

str_t config_nearest(const config_t *config, str_t name, bool variable)
{
    str_t nearest = STR_NONE;
    if (name.length > COMPARED_MOST)
        return nearest;
    size_t best = name.length / 3 + 1;
    for (size_t place = 0; place < config->count; place++) {
        const setting_t *setting = &config->settings[place];
        str_t candidate = variable ? setting->variable : setting->name;
        size_t apart = candidate.length > COMPARED_MOST ? SIZE_MAX : distance(name, candidate);
        if (apart < best) {
            best = apart;
            nearest = candidate;
        }
    }
    return nearest;
}
