/* Makes the host of this process: keys, bus, cache, worker pools, and the modules' databases, opened and
 * migrated. */
#include <unistd.h>

#include "gateway/gateway.h"
#include "gateway/program.h"

enum { WORKER_THREADS = 4, WORKER_QUEUE = 1024, PASSWORD_QUEUE = 256 };

static bool wanted(str_t list, const char *name)
{
    if (list.length == 0)
        return true;
    for (size_t from = 0; from <= list.length;) {
        const char *comma = memchr(list.at + from, ',', list.length - from);
        size_t to = comma ? (size_t)(comma - list.at) : list.length;
        if (str_equal((str_t){list.at + from, to - from}, str_from(name)))
            return true;
        from = to + 1;
    }
    return false;
}

static bool module_known(str_t name)
{
    for (size_t place = 0; place < all_module_count; place++)
        if (str_equal(name, str_from(all_modules[place]->name)))
            return true;
    return false;
}

static str_t module_names(arena_t *arena)
{
    str_t names = STR("");
    for (size_t place = 0; place < all_module_count; place++)
        names = arena_printf(arena, "%s%s%s", names.at, place ? ", " : "", all_modules[place]->name);
    return names;
}

static bool check_module_list(const invocation_t *invocation, str_t *error)
{
    str_t list = invocation->modules;
    for (size_t from = 0; list.length && from <= list.length;) {
        const char *comma = memchr(list.at + from, ',', list.length - from);
        size_t to = comma ? (size_t)(comma - list.at) : list.length;
        str_t name = {list.at + from, to - from};
        if (!module_known(name)) {
            *error = arena_printf(invocation->arena, "There is no module “%.*s”. The modules are: %s.",
                                  STR_ARGS(name), module_names(invocation->arena).at);
            return false;
        }
        from = to + 1;
    }
    return true;
}

static bool open_ports(host_t *host, arena_t *arena, str_t *error)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = cores < 1 ? 1 : cores < LOOPS_MAX ? (unsigned)cores : LOOPS_MAX;
    host->workers = worker_pool_new("worker", WORKER_THREADS, WORKER_QUEUE);
    host->passwords = worker_pool_new("password", threads, PASSWORD_QUEUE);
    host->bus = bus_open(config_text(host->config, "bus.url"), error);
    if (host->bus)
        host->cache = cache_open(config_text(host->config, "cache.url"),
                                 (size_t)config_int(host->config, "cache.size"), error);
    if (host->cache)
        host->keyring = keyring_open(host->data, arena, error);
    return host->keyring != NULL;
}

static str_t database_url(const host_t *host, const module_t *module, arena_t *arena)
{
    str_t own = config_text(host->config, arena_printf(arena, "database.%s", module->name).at);
    return own.length ? own : config_text(host->config, "database.url");
}

static bool open_databases(host_t *host, str_t modules, arena_t *arena, str_t *error)
{
    for (size_t place = 0; place < all_module_count; place++) {
        const module_t *module = all_modules[place];
        if (!wanted(modules, module->name))
            continue;
        if (module->interface != MODULE_INTERFACE)
            panic("the module %s was built for another program", module->name);
        database_t *database = database_open(host, module, database_url(host, module, arena), arena, error);
        if (database == NULL)
            return false;
        host->modules[host->module_count] = module;
        host->databases[host->module_count++] = database;
    }
    return true;
}

host_t *host_start(invocation_t *invocation, str_t *error)
{
    host_t *host = memory_new(sizeof *host);
    host->config = invocation->config;
    host->data = invocation->data;
    if (check_module_list(invocation, error) &&
        data_directory_node(host->data, host->node, invocation->arena, error) &&
        open_ports(host, invocation->arena, error) &&
        open_databases(host, invocation->modules, invocation->arena, error))
        return host;
    host_stop(host);
    return NULL;
}

void host_stop(host_t *host)
{
    if (host == NULL)
        return;
    for (size_t place = host->module_count; place > 0; place--)
        database_close(host->databases[place - 1]);
    worker_pool_free(host->passwords);
    worker_pool_free(host->workers);
    keyring_close(host->keyring);
    cache_close(host->cache);
    bus_close(host->bus);
    free(host);
}
