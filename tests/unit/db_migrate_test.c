/* Migrations: applied once and in order; refused when the journal and the program tell different stories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* ours is a function */

#include <sys/wait.h>

#include "core/db/sqlite.h"
#include "tests/unit/db_fixture.h"

/* Opens the fixture's file with other migrations than it was made with; *error says what came of it. */
static bool reopen(fixture_t *fixture, const migration_t *migrations, size_t count, str_t *error)
{
    *error = STR("");
    fixture_close(fixture);
    fixture->module.migrations = migrations;
    fixture->module.migration_count = count;
    return fixture_open(fixture, error);
}

static void assert_refused(fixture_t *fixture, const migration_t *migrations, size_t count, const char *first,
                           const char *second)
{
    str_t error;

    assert_false(reopen(fixture, migrations, count, &error));
    if (!strstr(error.at, first) || !strstr(error.at, second))
        print_error("“%s” does not say “%s” and “%s”\n", error.at, first, second);
    assert_non_null(strstr(error.at, first));
    assert_non_null(strstr(error.at, second));
}

static void opening_again_applies_nothing_and_a_new_migration_once(void **state)
{
    fixture_t *fixture = *state;
    const migration_t more[] = {
        fixture_migrations[0],
        fixture_migrations[1],
        {.name = "0003_add_thing", .sqlite = "INSERT INTO thing VALUES ('migrated', 1)", .hash = "a3"}};
    str_t error;

    assert_true(reopen(fixture, fixture_migrations, COUNT_OF(fixture_migrations), &error));
    assert_int_equal(count_things(fixture), 0);
    assert_true(reopen(fixture, more, 3, &error));
    assert_true(reopen(fixture, more, 3, &error));
    assert_int_equal(count_things(fixture), 1);
}

static void an_edited_migration_is_refused(void **state)
{
    migration_t edited[] = {fixture_migrations[0], fixture_migrations[1]};

    edited[1].hash = "b2";
    assert_refused(*state, edited, 2, "fixture/0002_create_nothing was edited after it was applied",
                   "Restore the file");
}

static void a_database_of_a_newer_program_is_refused(void **state)
{
    assert_refused(*state, fixture_migrations, 1, "was made by a newer Folkmoot",
                   "fixture/0002_create_nothing");
}

static void a_migration_before_applied_ones_is_refused(void **state)
{
    const migration_t late[] = {fixture_migrations[0],
                                {.name = "0001_create_zebra", .sqlite = "", .hash = "c1"},
                                fixture_migrations[1]};

    assert_refused(*state, late, 3, "lacks the migration fixture/0001_create_zebra", "0002_create_nothing");
}

static void a_removed_migration_is_refused(void **state)
{
    const migration_t renamed[] = {fixture_migrations[0],
                                   {.name = "0003_create_more", .sqlite = "", .hash = "c3"}};

    assert_refused(*state, renamed, 2, "0002_create_nothing", "removed or renamed");
}

static void a_failing_migration_is_undone_as_a_whole(void **state)
{
    fixture_t *fixture = *state;
    migration_t more[] = {fixture_migrations[0],
                          fixture_migrations[1],
                          {.name = "0003_break",
                           .sqlite = "INSERT INTO thing VALUES ('half', 1); INSERT INTO nowhere VALUES (1)",
                           .hash = "d3"}};
    str_t error;

    assert_refused(fixture, more, 3, "fixture/0003_break failed and was undone", "nowhere");
    more[2].sqlite = "INSERT INTO child VALUES (99)";
    assert_refused(fixture, more, 3, "failed and was undone", "rows refer to others that do not exist");
    more[2].sqlite = "INSERT INTO thing VALUES ('half', 1); COMMIT";
    assert_refused(fixture, more, 3, "failed and was undone", "ends its transaction");
    more[2].sqlite = "DELETE FROM thing";
    assert_true(reopen(fixture, more, 3, &error));
    assert_int_equal(count_things(fixture), 0);
}

static void processes_that_start_together_migrate_once(void **state)
{
    fixture_t *fixture = fixture_new();
    str_t error;
    int status;

    for (int i = 0; i < 4; i++)
        if (fork() == 0)
            _exit(fixture_open(fixture, &error) ? 0 : 1);
    for (int i = 0; i < 4; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_true(fixture_open(fixture, &error));
    fixture_free(fixture);
    (void)state;
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, begin_fixture, end_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(opening_again_applies_nothing_and_a_new_migration_once),
        WITH_FIXTURE(an_edited_migration_is_refused),
        WITH_FIXTURE(a_database_of_a_newer_program_is_refused),
        WITH_FIXTURE(a_migration_before_applied_ones_is_refused),
        WITH_FIXTURE(a_removed_migration_is_refused),
        WITH_FIXTURE(a_failing_migration_is_undone_as_a_whole),
        cmocka_unit_test(processes_that_start_together_migrate_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
