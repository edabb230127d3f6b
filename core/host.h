/* The host: what one process offers to its modules. Made by the gateway's main() (or a test), one for all
 * threads. */
#ifndef FOLKMOOT_HOST_H
#define FOLKMOOT_HOST_H

#include "core/runtime/config.h"
#include "core/runtime/loop.h"
#include "core/runtime/worker.h"

struct bus;
struct cache;
struct database;
struct keyring;
struct module;

enum { MODULES_MAX = 32, LOOPS_MAX = 64 };

typedef struct host {
    config_t *config;
    str_t data;    /* the data directory, absolute */
    char node[17]; /* this node's id: 16 hexadecimal digits, made with the data directory */
    struct bus *bus;
    struct cache *cache;
    struct keyring *keyring;
    worker_pool_t *workers;   /* slow statements, files */
    worker_pool_t *passwords; /* one thread per core: what a password hash costs in memory is bounded by it */
    const struct module *modules[MODULES_MAX];
    struct database *databases[MODULES_MAX]; /* of the module at the same place */
    size_t module_count;
    loop_t *loops[LOOPS_MAX];
    size_t loop_count;
} host_t;

/* The database of a module of this host; ends the process when the host does not run it. */
struct database *host_database(const host_t *host, const struct module *module);
const struct module *host_module(const host_t *host, const char *name); /* NULL when not enabled */

#endif
