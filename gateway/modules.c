/* The list of modules: the one place that knows them all. They come up, and have their parts in commands, in
 * this order. */
#include "gateway/gateway.h"

#include "gateway/api.h"

extern const module_t identity_module, forum_module;

const module_t *const all_modules[] = {&identity_module, &forum_module};
const size_t all_module_count = COUNT_OF(all_modules);
