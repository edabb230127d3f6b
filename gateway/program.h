/* The program around the gateway: its command line, its data directory, and the host it makes for the
 * modules. */
#ifndef FOLKMOOT_PROGRAM_H
#define FOLKMOOT_PROGRAM_H

#include "core/host.h"
#include "core/module.h"

enum { EXIT_GOOD = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* What the command line says. */
typedef struct invocation {
    arena_t *arena;
    config_t *config;
    str_t data;         /* the data directory, absolute */
    str_t modules;      /* --modules a,b; STR_NONE: all */
    str_t board;        /* --board */
    bool skip_broken;   /* --broken skip */
    const char **words; /* what is left: of `import polis SRC`, "polis" and SRC */
    size_t word_count;
} invocation_t;

/* ---- data_directory.c ---- */
/* A directory that is missing is made, or else refused. */
bool data_directory_open(invocation_t *invocation, bool make, str_t *error) MUST_CHECK;
/* The lock that a server holds on its directory; -1 with *error (and *held) when another one has it. */
int data_directory_lock(str_t data, arena_t *arena, bool *held, str_t *error);
bool data_directory_node(str_t data, char node[17], arena_t *arena, str_t *error) MUST_CHECK;

/* ---- host_start.c ---- */
/* NULL with *error, a sentence with the remedy. */
host_t *host_start(invocation_t *invocation, str_t *error);
void host_stop(host_t *host);

/* ---- commands.c, transfer.c ---- */
int command_check(invocation_t *invocation);
int command_migrate(invocation_t *invocation);
int command_keys(invocation_t *invocation);
int command_import(invocation_t *invocation);
int command_export(invocation_t *invocation);
int command_serve(invocation_t *invocation);

/* Prints "folkmoot: …" on standard error; returns EXIT_FAILED. */
int complain(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
