/* What a configuration is made of: shared by its files, private to the runtime. */
#ifndef FOLKMOOT_CONFIG_PRIVATE_H
#define FOLKMOOT_CONFIG_PRIVATE_H

#include "core/runtime/config.h"

typedef struct setting {
    const config_option_t *option;
    str_t name, variable; /* gateway.listen, FOLKMOOT_GATEWAY_LISTEN */
    str_t text;           /* as it was written */
    int64_t number;       /* of INT, DURATION (µs), SIZE (bytes); 1 of a true BOOL */
    size_t line;          /* of the file that is being read; 0: not there */
} setting_t;

struct config {
    arena_t *arena;
    setting_t *settings; /* in the order of the tables */
    size_t count, room;
};

/* The option of that name, or of that environment variable; NULL when there is none. */
setting_t *config_find(const config_t *config, str_t name);
setting_t *config_find_variable(const config_t *config, str_t variable);
/* The name that is most like this one, for "did you mean"; STR_NONE when none is. */
str_t config_nearest(const config_t *config, str_t name, bool variable);

/* config_value.c: reads a value of the option's type and checks its bounds. False, with *error the remedy,
 * when it is wrong. */
bool config_value_read(arena_t *arena, const config_option_t *option, str_t text, int64_t *number,
                       str_t *error);
/* "1..65535" in the option's own units. */
str_t config_value_bounds(arena_t *arena, const config_option_t *option);

/* FOLKMOOT_GATEWAY_LISTEN of gateway.listen. */
str_t config_variable(arena_t *arena, const char *name);

#endif
