/* The writer thread of SQLite in trouble: other processes that write, transactions that are lost, full disks,
 * a write-ahead log that would grow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* ours is a function */

#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/db/sqlite_writer.h"
#include "core/runtime/logline.h"
#include "tests/unit/db_fixture.h"

/* ---- other processes ---- */

/* What another process does, which is this program with a path behind its name: takes the lock, says so on
 * its standard output, and leaves. */
static int hold_lock(const char *path)
{
    sqlite3 *handle = NULL;
    bool locked = sqlite3_open(path, &handle) == SQLITE_OK &&
                  sqlite3_exec(handle, "BEGIN IMMEDIATE; DELETE FROM thing", NULL, NULL, NULL) == SQLITE_OK;
    bool said = write(STDOUT_FILENO, "x", 1) == 1;

    usleep(300 * 1000);
    sqlite3_close(handle);
    return locked && said ? 0 : 1;
}

/* Started anew and not forked: a child of a process with threads finds the locks of its memory as they were.
 */
static pid_t start_holder(const char *path, int output)
{
    char *words[] = {(char *)"holder", (char *)path, NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;

    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO), 0);
    assert_int_equal(posix_spawn(&child, "/proc/self/exe", &actions, NULL, words, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

static void another_process_that_writes_is_waited_for(void **state)
{
    fixture_t *fixture = *state;
    int ready[2], status;
    char byte;
    int number = 1;

    assert_int_equal(pipe(ready), 0);
    int64_t begun = clock_monotonic();
    pid_t child = start_holder(sqlite_state_of(fixture->database)->path, ready[1]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_null(request(fixture, apply_numbered, &number));
    assert_true(clock_monotonic() - begun >= 300 * MILLISECOND_US);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(count_things(fixture), 1);
    close(ready[0]);
}

static void count_by_writing(tx_t *tx, void *arg)
{
    number_t most = {INT64_C(1) << 40};

    (void)arg;
    tx->req->deadline = clock_monotonic() + 30 * MILLISECOND_US;
    statement_run(tx, &fixture_statements[COUNT_BY_WRITING], &most);
}

static void one_takes_forever(req_t *req, hand_t *hand)
{
    if (hand->number == 5)
        db_apply(req, count_by_writing, NULL);
    else
        db_apply(req, insert_or_fail, &hand->number);
}

/* SQLite rolls back everything when it interrupts a statement that writes. */
static void the_others_run_again_when_one_body_costs_the_whole_transaction(void **state)
{
    fixture_t *fixture = *state;
    crew_t *crew = crew_new(fixture, 2, 10, one_takes_forever, NULL);

    run_as_one_batch(crew);
    for (int i = 0; i < 20; i++)
        assert_ptr_equal(crew->hands[i].problem, i == 5 ? &TIMED_OUT : i % 5 == 3 ? &FORBIDDEN : NULL);
    assert_int_equal(count_things(fixture), 15);
    assert_int_equal(database_counts(fixture->database).retries,
                     2); /* for the first that failed, and for the lost one */
    assert_int_equal(database_counts(fixture->database).commits, 1);
    free(crew);
}

static void fail_softly(req_t *req, void *arg)
{
    count_by_writing(arg, NULL);
    (void)req;
}

static void swallow_the_failure(tx_t *tx, void *arg)
{
    if (!req_attempt(tx->req, fail_softly, tx))
        tx->req->deadline = NEVER;
    insert_numbered(tx, arg);
}

static void apply_swallowing(req_t *req, void *arg)
{
    db_apply(req, swallow_the_failure, arg);
}

static void a_body_that_goes_on_after_its_transaction_was_lost_keeps_nothing(void **state)
{
    int number = 1;

    assert_ptr_equal(request(*state, apply_swallowing, &number), &UNAVAILABLE);
    assert_int_equal(count_things(*state), 0);
}

static void fill(tx_t *tx, void *arg)
{
    statement_run(tx, &fixture_statements[THING_FILL], arg);
}

static void one_is_large(req_t *req, hand_t *hand)
{
    number_t large = {4 * 1024 * 1024};

    if (hand->number == 4)
        db_apply(req, fill, &large);
    else
        db_apply(req, insert_numbered, &hand->number);
}

static void a_body_for_which_there_is_no_room_ends_in_storage_full_alone(void **state)
{
    fixture_t *fixture = *state;
    crew_t *crew = crew_new(fixture, 2, 5, one_is_large, NULL);

    assert_int_equal(sqlite3_exec(sqlite_state_of(fixture->database)->writing->handle,
                                  "PRAGMA max_page_count = 100", NULL, NULL, NULL),
                     SQLITE_OK);
    run_as_one_batch(crew);
    for (int i = 0; i < 10; i++)
        assert_ptr_equal(crew->hands[i].problem, i == 4 ? &STORAGE_FULL : NULL);
    assert_int_equal(count_things(fixture), 9);
    free(crew);
}

static void limit_files(rlim_t size)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void when_the_disk_is_full_nothing_is_kept_and_later_all_is_well(void **state)
{
    fixture_t *fixture = *state;
    crew_t *crew = crew_new(fixture, 2, 5, insert_plain_work, NULL);
    struct stat log;
    char path[128];
    int number = 1000;

    signal(SIGXFSZ, SIG_IGN);
    snprintf(path, sizeof path, "%s-wal", sqlite_state_of(fixture->database)->path);
    assert_int_equal(stat(path, &log), 0);
    limit_files((rlim_t)log.st_size);
    run_as_one_batch(crew);
    assert_int_equal(crew_count(crew, &STORAGE_FULL), 10);
    assert_int_equal(count_things(fixture), 0);
    assert_true(database_is_ready(fixture->database));
    limit_files(RLIM_INFINITY);
    assert_null(request(fixture, apply_numbered, &number));
    assert_int_equal(count_things(fixture), 1);
    free(crew);
}

/* ---- the write-ahead log ---- */

static void fill_for_long(req_t *req, void *arg)
{
    for (int i = 0; i < 1200; i++) {
        number_t size = {50 * 1024 + i};

        db_apply(req, fill, &size);
        count_things_work(req, arg);
    }
}

static void the_write_ahead_log_stays_small(void **state)
{
    fixture_t *fixture = *state;
    number_t things;
    struct stat log;
    char path[128];

    assert_null(request(fixture, fill_for_long, &things));
    assert_int_equal(things.value, 1200);
    snprintf(path, sizeof path, "%s-wal", sqlite_state_of(fixture->database)->path);
    assert_int_equal(stat(path, &log), 0);
    assert_true(log.st_size < 24 * 1024 * 1024);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, begin_fixture, end_fixture)

int main(int count, char **words)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(another_process_that_writes_is_waited_for),
        WITH_FIXTURE(the_others_run_again_when_one_body_costs_the_whole_transaction),
        WITH_FIXTURE(a_body_that_goes_on_after_its_transaction_was_lost_keeps_nothing),
        WITH_FIXTURE(a_body_for_which_there_is_no_room_ends_in_storage_full_alone),
        WITH_FIXTURE(when_the_disk_is_full_nothing_is_kept_and_later_all_is_well),
        WITH_FIXTURE(the_write_ahead_log_stays_small),
    };

    if (count > 1)
        return hold_lock(words[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
