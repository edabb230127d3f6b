/* Finds a module of this process, and its database. */
#include "core/host.h"
#include "core/module.h"
#include "core/runtime/panic.h"

struct database *host_database(const host_t *host, const struct module *module)
{
    for (size_t place = 0; place < host->module_count; place++)
        if (host->modules[place] == module)
            return host->databases[place];
    panic("the module %s has no database here: this process does not run it", module->name);
}

const struct module *host_module(const host_t *host, const char *name)
{
    for (size_t place = 0; place < host->module_count; place++)
        if (str_equal(str_from(host->modules[place]->name), str_from(name)))
            return host->modules[place];
    return NULL;
}
