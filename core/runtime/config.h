/*
 * Configuration: one table of options (core's, the gateway's and each module's), read from a file of `name =
 * value` lines (`#` begins a comment) and from the environment, which wins: FOLKMOOT_GATEWAY_LISTEN is
 * gateway.listen. A wrong key or value stops the start with its line and the remedy.
 */
#ifndef FOLKMOOT_CONFIG_H
#define FOLKMOOT_CONFIG_H

#include "core/runtime/arena.h"

typedef enum config_type {
    CONFIG_TEXT,
    CONFIG_INT,
    CONFIG_BOOL,     /* true, false */
    CONFIG_DURATION, /* 250ms 10s 15m 24h 30d: µs inside */
    CONFIG_SIZE,     /* 512 64k 8M 1G: bytes inside */
    CONFIG_CHOICE,   /* one of the words in `choices` */
} config_type_t;

typedef struct config_option {
    const char *name; /* "gateway.listen" */
    config_type_t type;
    const char *preset;  /* the default, as it would be written */
    int64_t least, most; /* of INT, DURATION and SIZE; both 0: unbounded */
    const char *choices; /* "errors all none" */
    const char *doc;     /* one sentence or two, for `folkmoot config` and the README */
} config_option_t;

typedef struct config config_t;

/* An empty configuration with every option at its preset. Options must live as long as it. */
config_t *config_new(arena_t *arena);
void config_add_options(config_t *config, const config_option_t *options, size_t count);

/* Reads the file, then the environment (FOLKMOOT_TEST_* is left to the tests). False on the first thing
 * wrong, with *error saying file, line, what and remedy. A file that is not there is no error when
 * `optional`. */
bool config_read_file(config_t *config, const char *path, bool optional, str_t *error) MUST_CHECK;
bool config_read_text(config_t *config, str_t text, const char *where,
                      str_t *error) MUST_CHECK; /* a file's contents */
bool config_read_environment(config_t *config, char *const *environment, str_t *error) MUST_CHECK;
bool config_set(config_t *config, str_t name, str_t value, const char *where, str_t *error) MUST_CHECK;

/* Values by name; asking for a name that no table has, or by another type, ends the process: a programmer's
 * error. */
str_t config_text(const config_t *config, const char *name);  /* TEXT and CHOICE */
int64_t config_int(const config_t *config, const char *name); /* INT, DURATION (µs), SIZE (bytes) */
bool config_bool(const config_t *config, const char *name);

/* All options with their present values and docs, as a configuration file: the output of `folkmoot config`.
 */
str_t config_print(const config_t *config, arena_t *arena);

#endif
