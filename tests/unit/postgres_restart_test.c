/* The PostgreSQL driver: a server that goes away and comes back, on a cluster of its own. */
#include "postgres_fixture.h"

#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char folder[] = "/tmp/folkmoot-test-XXXXXX";
static char url[256];
static atomic_bool stop;

/* Runs the script with a command; its first line of output goes to `out`. */
static bool cluster(const char *command, char *out, size_t size)
{
    char line[512];
    const char *source = __FILE__;
    const char *end = strstr(source, "tests/unit/");
    snprintf(line, sizeof line, "%.*stools/postgres_cluster.sh %s %s/cluster", end ? (int)(end - source) : 0,
             source, command, folder);
    FILE *pipe = popen(line, "r");
    if (pipe == NULL)
        return false;
    if (fgets(line, sizeof line, pipe) && out)
        snprintf(out, size, "%.*s", (int)strcspn(line, "\n"), line);
    return pclose(pipe) == 0;
}

static int begin_here(void **state)
{
    fixture_t *fixture = fixture_new(url);
    str_t error = STR("");
    *state = fixture;
    return fixture_open(fixture, &error) ? 0 : -1;
}

/* ---- a restart under load ---- */

static void add_body(tx_t *tx, void *arg)
{
    (void)arg;
    counter_t add = {1, 1};
    number_t id = {1}, now;
    statement_fetch(tx, &fixture_statements[COUNTER_READ], &id, &now);
    statement_run(tx, &fixture_statements[COUNTER_ADD], &add);
}

static void write_one(req_t *req, void *arg)
{
    (void)arg;
    req->deadline = clock_monotonic() + 10 * SECOND_US;
    db_apply(req, add_body, NULL);
}

/* Writes until told to stop, and counts what was acknowledged and what may or may not be done. */
static void write_on(req_t *req, void *arg)
{
    work_t *work = arg;
    while (!atomic_load(&stop)) {
        if (req_attempt(req, write_one, NULL)) {
            work->value++;
        } else if (req->problem.kind == &UNAVAILABLE && strstr(req->problem.detail.at, "not known")) {
            work->number++;
        } else {
            print_error("%s: %s\n", req->problem.kind->code, req->problem.detail.at);
            work->problem = req->problem.kind;
        }
    }
}

static void read_one(req_t *req, void *arg)
{
    number_t id = {1}, now;
    req->deadline = clock_monotonic() + 10 * SECOND_US;
    statement_fetch(db_read(req), &fixture_statements[COUNTER_READ], &id, &now);
    *(int64_t *)arg += 1;
}

static void read_on(req_t *req, void *arg)
{
    work_t *work = arg;
    while (!atomic_load(&stop))
        if (!req_attempt(req, read_one, &work->value)) {
            print_error("%s: %s\n", req->problem.kind->code, req->problem.detail.at);
            work->problem = req->problem.kind;
        }
}

static void *restart_thrice(void *arg)
{
    for (int i = 0; i < 3; i++) {
        usleep(300000);
        *(bool *)arg = cluster("restart", NULL, 0) && *(bool *)arg;
    }
    usleep(300000);
    atomic_store(&stop, true);
    return NULL;
}

static void a_restart_under_load_loses_nothing_acknowledged(void **state)
{
    enum { WRITERS = 12, READERS = 12 };
    fixture_t *fixture = *state;
    bool restarted = true;
    pthread_t thread;
    work_t *works = works_new(fixture, WRITERS + READERS, write_on);
    for (int i = 0; i < WRITERS + READERS; i++) {
        works[i].number = 0;
        works[i].run = i < WRITERS ? write_on : read_on;
    }
    atomic_store(&stop, false);
    pthread_create(&thread, NULL, restart_thrice, &restarted);
    works_run(works, WRITERS + READERS);
    pthread_join(thread, NULL);
    assert_true(restarted);

    int64_t done = 0, unknown = 0;
    for (int i = 0; i < WRITERS + READERS; i++) {
        assert_problem(&works[i], NULL);
        assert_true(works[i].value > 0);
        if (i < WRITERS) {
            done += works[i].value;
            unknown += works[i].number;
        }
    }
    int64_t found = sum(fixture);
    print_message("%lld writes acknowledged, %lld of unknown end, %lld found\n", (long long)done,
                  (long long)unknown, (long long)found);
    assert_true(found >= done && found <= done + unknown);
    assert_true(database_is_ready(fixture->database));
    free(works);
}

/* ---- a server that stays away ---- */

static void read_impatiently(req_t *req, void *arg)
{
    read_one(req, &((work_t *)arg)->value);
}

static void read_with_little_patience(req_t *req, void *arg)
{
    number_t id = {1}, now;
    (void)arg;
    statement_fetch(db_read(req), &fixture_statements[COUNTER_READ], &id, &now);
}

static void write_with_little_patience(req_t *req, void *arg)
{
    db_apply(req, add_body, arg);
}

static void without_a_server_requests_end_as_unavailable(void **state)
{
    fixture_t *fixture = *state;
    work_t before = run_one(fixture, true, read_impatiently);
    assert_problem(&before, NULL);
    assert_true(database_is_ready(fixture->database));
    assert_true(cluster("stop", NULL, 0));
    work_t works[4];
    for (int i = 0; i < 4; i++)
        works[i] = (work_t){.fixture = fixture,
                            .run = i % 2 ? write_with_little_patience : read_with_little_patience,
                            .patience_us = 400 * MILLISECOND_US};
    works_run(works, 2);
    work_run(&works[2]);
    work_run(&works[3]);
    for (int i = 0; i < 4; i++) {
        assert_problem(&works[i], &UNAVAILABLE);
        assert_true(works[i].took_us >= 390 * MILLISECOND_US && works[i].took_us < 2 * SECOND_US);
    }
    assert_false(database_is_ready(fixture->database));

    assert_true(cluster("start", url, sizeof url));
    fixture_close(fixture);
    str_t error = STR("");
    assert_true(fixture_open(fixture, &error));
    work_t after = run_one(fixture, true, read_impatiently);
    assert_problem(&after, NULL);
}

/* ---- passwords ---- */

static void a_wrong_password_is_not_repeated(void **state)
{
    fixture_t *fixture = *state;
    run_sql(url, "CREATE ROLE guarded LOGIN PASSWORD 'right-one'");
    fixture_t *guarded = fixture_new(url);
    char wrong[256];
    snprintf(wrong, sizeof wrong, "postgres://guarded:wrong-one@%s", strchr(url, '@') + 1);
    guarded->url = wrong;
    str_t error = STR("");
    assert_false(fixture_open(guarded, &error));
    assert_non_null(strstr(error.at, "guarded"));
    assert_null(strstr(error.at, "wrong-one"));
    guarded->url = url;
    fixture_free(guarded);
    loop_attach(fixture->loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_restart_under_load_loses_nothing_acknowledged, begin_here, end),
        cmocka_unit_test_setup_teardown(a_wrong_password_is_not_repeated, begin_here, end),
        cmocka_unit_test_setup_teardown(without_a_server_requests_end_as_unavailable, begin_here, end),
    };
    if (mkdtemp(folder) == NULL || chmod(folder, 0755) != 0 || !cluster("start", url, sizeof url)) {
        puts("skipped: no PostgreSQL could be started here");
        return TEST_SKIPPED;
    }
    int failed = cmocka_run_group_tests_name("postgres: restarts", tests, NULL, NULL);
    cluster("stop", NULL, 0);
    char line[128];
    snprintf(line, sizeof line, "rm -rf %s", folder);
    return system(line) == 0 ? failed : 1;
}
