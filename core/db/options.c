/* The options of the databases. */
#include "core/db/options.h"

const config_option_t database_options[] = {
    {.name = "database.url",
     .type = CONFIG_TEXT,
     .preset = "sqlite:",
     .doc = "Where the modules keep their records: \"sqlite:\" (a file per module in the data directory) or "
            "\"postgres://user:password@host:port/database\" (a schema per module)."},
    {.name = "database.connections",
     .type = CONFIG_INT,
     .preset = "8",
     .least = 1,
     .most = 64,
     .doc = "PostgreSQL: how many connections each thread may open to the database of each module for "
            "transactions. Beside them it has one for reads, and up to two for slow statements."},
    {.name = "database.statement_timeout",
     .type = CONFIG_DURATION,
     .preset = "15s",
     .least = 100 * MILLISECOND_US,
     .most = HOUR_US,
     .doc = "PostgreSQL: how long one statement may take; slow ones get at least 60s."},
};
const size_t database_option_count = COUNT_OF(database_options);
