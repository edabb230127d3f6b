/*
 * Migrations: brings a database to the state that the program knows. The journal in the database must tell
 * the same story as the program, migration by migration; where it does not, nothing is touched and the
 * sentence says what to do.
 */
#include "core/db/driver.h"
#include "core/runtime/logline.h"

static bool knows(const migration_t *known, size_t count, const char *name)
{
    for (size_t i = 0; known && i < count; i++)
        if (strcmp(known[i].name, name) == 0)
            return true;
    return false;
}

/* The sentence for a journal row whose name is not the one that stands at its place in the program;
 * `expected` is that one or NULL. */
static str_t misplaced(const database_t *database, const char *set, const char *applied,
                       const migration_t *expected, bool is_known, arena_t *arena)
{
    if (expected && is_known)
        return arena_printf(
            arena,
            "The database of %s lacks the migration %s/%s although %s/%s, which comes after it, was "
            "applied. Give the new migration a number after those that were applied.",
            database->name, set, expected->name, set, applied);
    if (expected && strcmp(applied, expected->name) < 0)
        return arena_printf(
            arena,
            "The database of %s has the migration %s/%s, which this program lacks: its file was removed "
            "or renamed. Restore the file, or start the version that made the database.",
            database->name, set, applied);
    return arena_printf(
        arena,
        "The database of %s was made by a newer Folkmoot: it has the migration %s/%s. Start that version, "
        "or restore a backup made before it.",
        database->name, set, applied);
}

/* True when what was applied is how the known migrations begin. */
static bool journal_fits(const database_t *database, const char *set, const migration_t *known,
                         size_t known_count, const applied_migration_t *applied, size_t applied_count,
                         arena_t *arena, str_t *error)
{
    for (size_t i = 0; i < applied_count; i++) {
        const migration_t *expected = i < known_count ? &known[i] : NULL;

        if (!expected || strcmp(expected->name, applied[i].name) != 0) {
            bool is_known = knows(known, known_count, applied[i].name);

            *error = misplaced(database, set, applied[i].name, expected, is_known, arena);
            return false;
        }
        if (strcmp(expected->hash, applied[i].hash) != 0) {
            *error = arena_printf(
                arena,
                "The migration %s/%s was edited after it was applied to the database of %s. Restore the "
                "file as it was, and put the change into a new migration.",
                set, expected->name, database->name);
            return false;
        }
    }
    return true;
}

bool migrate_set(database_t *database, const char *set, const migration_t *known, size_t known_count,
                 arena_t *arena, str_t *error)
{
    applied_migration_t *applied = NULL;
    size_t applied_count = 0;

    if (!database->driver->journal(database, set, arena, &applied, &applied_count, error) ||
        !journal_fits(database, set, known, known_count, applied, applied_count, arena, error))
        return false;
    for (size_t i = applied_count; i < known_count; i++) {
        if (!database->driver->migrate(database, set, &known[i], arena, error))
            return false;
        logline(LINE_INFO, "migration_applied", "database", database->name, "set", set, "migration",
                known[i].name, NULL);
    }
    return true;
}
