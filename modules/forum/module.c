/* The forum: boards, posts, comments, votes. Listens to identity for the names of members, and to itself for
 * totals. */
#include "internal.h"

static const log_reader_t readers[] = {
    {.name = "forum.members", .source = "identity", .apply = apply_members},
    {.name = "forum.totals", .source = "forum", .apply = apply_totals},
};

static const command_part_t commands[] = {
    {"import", "polis", polis_import_check, polis_import_conversation},
    {"export", "polis", .run = polis_export_conversation},
};

extern const module_t forum_module;
const module_t forum_module = {
    .interface = MODULE_INTERFACE,
    .name = "forum",
    .operations = forum_operations,
    .operation_count = COUNT_OF(forum_operations),
    .openapi = forum_openapi,
    .statements = forum_statements,
    .statement_count = COUNT_OF(forum_statements),
    .migrations = forum_migrations,
    .migration_count = COUNT_OF(forum_migrations),
    .readers = readers,
    .reader_count = COUNT_OF(readers),
    .commands = commands,
    .command_count = COUNT_OF(commands),
};
