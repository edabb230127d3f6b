/* Identity: accounts, sessions and the tokens that say who calls. Listens to nobody. */
#include "internal.h"

static const config_option_t options[] = {
    {.name = "identity.sign_up",
     .type = CONFIG_CHOICE,
     .preset = "open",
     .choices = "open closed",
     .doc = "Whether new accounts can be made. The first account always can."},
    {.name = "identity.access_lifetime",
     .type = CONFIG_DURATION,
     .preset = "10m",
     .least = MINUTE_US,
     .most = HOUR_US,
     .doc = "How long an access token is good. Its session can be renewed with the refresh token."},
    {.name = "identity.session_lifetime",
     .type = CONFIG_DURATION,
     .preset = "14d",
     .least = HOUR_US,
     .most = 365 * DAY_US,
     .doc = "How long a device that is not used stays signed in."},
};

static const job_t jobs[] = {{"identity.sessions_purge", HOUR_US, sessions_purge}};
static const command_part_t commands[] = {{"import", "polis", .run = polis_import_accounts}};

extern const module_t identity_module;
const module_t identity_module = {
    .interface = MODULE_INTERFACE,
    .name = "identity",
    .operations = identity_operations,
    .operation_count = COUNT_OF(identity_operations),
    .openapi = identity_openapi,
    .statements = identity_statements,
    .statement_count = COUNT_OF(identity_statements),
    .migrations = identity_migrations,
    .migration_count = COUNT_OF(identity_migrations),
    .jobs = jobs,
    .job_count = COUNT_OF(jobs),
    .commands = commands,
    .command_count = COUNT_OF(commands),
    .options = options,
    .option_count = COUNT_OF(options),
};
