/* The options of the databases: `database.url` and how it is used. For whoever makes the process's
 * configuration. */
#ifndef FOLKMOOT_DB_OPTIONS_H
#define FOLKMOOT_DB_OPTIONS_H

#include "core/runtime/config.h"

extern const config_option_t database_options[];
extern const size_t database_option_count;

#endif
