/*
 * A module, as the process sees it: one constant descriptor. The list of modules stands in gateway/modules.c
 * and nowhere else. A module shares nothing with others but logs: see RFC.md.
 */
#ifndef FOLKMOOT_MODULE_H
#define FOLKMOOT_MODULE_H

#include "core/db/db.h"
#include "core/http/operation.h"
#include "core/log/log.h"
#include "core/runtime/config.h"

enum { MODULE_INTERFACE = 1 };

/* Work that comes back by the clock: runs in a fiber of its own with a request of its own. */
typedef struct job {
    const char *name;
    int64_t every_us;
    void (*run)(req_t *req);
} job_t;

typedef struct command_input {
    str_t source;     /* import: the folder to read; export: the folder to write */
    str_t board;      /* --board */
    bool skip_broken; /* --broken skip: name a broken line and go on; else stop there */
    void (*progress)(void *arg, const char *what, int64_t done, int64_t total);
    void *progress_arg;
} command_input_t;

/* A command of the program that this module has a part in, e.g. `import polis`: called in the order of the
 * modules. */
typedef struct command_part {
    const char *verb, *format; /* "import", "polis" */
    void (*check)(
        req_t *req,
        const command_input_t *input); /* or NULL: all modules' run before the first run; changes nothing */
    void (*run)(req_t *req, const command_input_t *input);
} command_part_t;

typedef struct module {
    int interface; /* MODULE_INTERFACE */
    const char *name;
    const operation_t *operations;
    size_t operation_count;
    const char *openapi; /* the module's part of the OpenAPI document, JSON, generated */
    statement_t *statements;
    size_t statement_count;
    const migration_t *migrations;
    size_t migration_count;
    const log_reader_t *readers;
    size_t reader_count;
    const job_t *jobs;
    size_t job_count;
    const command_part_t *commands;
    size_t command_count;
    const config_option_t *options;
    size_t option_count;
} module_t;

#endif
