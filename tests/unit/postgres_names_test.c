/* The PostgreSQL driver: names of hosts, resolved by a worker. The resolver is one of the test's own, which
 * stands before the C library's. */
#include "postgres_fixture.h"

#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>

#include "core/db/postgres.h"

static const char server_name[] = "database.test", dead_address[] = "127.0.0.9";
static char server_address[128], server_url[256];

typedef enum outcome { KNOWN, KNOWN_TWICE, UNKNOWN } outcome_t;

static _Atomic outcome_t outcome;
static atomic_bool gate_closed, gave_up;
static atomic_int asked, asked_on_loop;
static pthread_t loop_thread;

typedef int resolver_t(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found);

/* Long enough for everything else to happen meanwhile, not for ever: a loop that waits here opens no gate. */
static void wait_at_gate(void)
{
    int64_t until = clock_monotonic() + 5 * SECOND_US;
    while (atomic_load(&gate_closed) && clock_monotonic() < until)
        usleep(1000);
    if (atomic_load(&gate_closed))
        atomic_store(&gave_up, true);
}

__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints, struct addrinfo **found)
{
    resolver_t *real = (resolver_t *)dlsym(RTLD_NEXT, "getaddrinfo");
    if (node == NULL || strcmp(node, server_name) != 0)
        return real(node, service, hints, found);
    atomic_fetch_add(&asked, 1);
    if (pthread_equal(pthread_self(), loop_thread))
        atomic_fetch_add(&asked_on_loop, 1);
    wait_at_gate();
    switch (atomic_load(&outcome)) {
    case UNKNOWN:
        return EAI_NONAME;
    case KNOWN_TWICE:
        assert_int_equal(real(dead_address, service, hints, found), 0);
        return real(server_address, service, hints, &(*found)->ai_next);
    default:
        return real(server_address, service, hints, found);
    }
}

/* The server of the tests under a name. */
static bool name_server(const char *url)
{
    PQconninfoOption *parsed = PQconninfoParse(url, NULL), *option = parsed;
    while (option && option->keyword && strcmp(option->keyword, "host") != 0)
        option++;
    if (option && option->keyword && option->val && *option->val != '/')
        snprintf(server_address, sizeof server_address, "%s", option->val);
    PQconninfoFree(parsed);
    const char *at = *server_address ? strstr(url, server_address) : NULL;
    if (at)
        snprintf(server_url, sizeof server_url, "%.*s%s%s", (int)(at - url), url, server_name,
                 at + strlen(server_address));
    return at != NULL;
}

static int begin_named(void **state)
{
    str_t error = STR("");
    atomic_store(&outcome, KNOWN);
    atomic_store(&gate_closed, false);
    atomic_store(&gave_up, false);
    loop_thread = pthread_self();
    fixture_t *fixture = *state = fixture_new(server_url);
    fixture->host.workers = worker_pool_new("worker", 2, 16);
    bool opened = fixture_open(fixture, &error);
    if (!opened)
        print_error("%s\n", error.at);
    atomic_store(&asked, 0); /* the start asks on its own thread */
    atomic_store(&asked_on_loop, 0);
    return opened ? 0 : -1;
}

static int end_named(void **state)
{
    worker_pool_t *workers = ((fixture_t *)*state)->host.workers;
    fixture_free(*state);
    worker_pool_free(workers);
    return 0;
}

static void read_counter(req_t *req, void *arg)
{
    work_t *work = arg;
    connection_t *reading = &postgres_mine(work->fixture->database)->reading;
    (void)read_number(req, COUNTER_READ, 1);
    assert_string_equal(PQhost(reading->link), server_name);
    work->value = 1;
}

static void add_body(tx_t *tx, void *arg)
{
    counter_t add = {1, 1};
    (void)arg;
    statement_run(tx, &fixture_statements[COUNTER_ADD], &add);
}

static void add_to_counter(req_t *req, void *arg)
{
    (void)arg;
    db_apply(req, add_body, NULL);
}

/* The name stays beside the address: certificates are made out to names. */
static void names_are_resolved_on_a_worker(void **state)
{
    work_t read = run_one(*state, true, read_counter), written = run_one(*state, true, add_to_counter);
    assert_problem(&read, NULL);
    assert_problem(&written, NULL);
    assert_int_equal(atomic_load(&asked), 2);
    assert_int_equal(atomic_load(&asked_on_loop), 0);
}

static void tick_and_open(req_t *req, void *arg)
{
    work_t *work = arg;
    (void)req;
    for (; work->value < 10 || atomic_load(&asked) == 0; work->value++)
        (void)fiber_sleep(MILLISECOND_US);
    atomic_store(&gate_closed, false);
}

static void the_loop_goes_on_meanwhile(void **state)
{
    work_t *works = works_new(*state, 2, read_counter);
    works[1].run = tick_and_open;
    atomic_store(&gate_closed, true);
    works_run(works, 2);
    assert_problem(&works[0], NULL);
    assert_true(works[1].value >= 10);
    assert_false(atomic_load(&gave_up));
    free(works);
}

static void each_address_of_a_name_is_tried(void **state)
{
    atomic_store(&outcome, KNOWN_TWICE);
    work_t work = run_one(*state, true, read_counter);
    assert_problem(&work, NULL);
}

static void a_name_that_is_not_known_is_asked_for_again(void **state)
{
    fixture_t *fixture = *state;
    work_t work = {.fixture = fixture, .run = read_counter, .patience_us = 300 * MILLISECOND_US};
    atomic_store(&outcome, UNKNOWN);
    works_run(&work, 1);
    assert_problem(&work, &UNAVAILABLE);
    assert_false(database_is_ready(fixture->database));
    atomic_store(&outcome, KNOWN);
    work = run_one(fixture, true, read_counter);
    assert_problem(&work, NULL);
    assert_true(database_is_ready(fixture->database));
}

static void who_waits_for_a_name_may_leave(void **state)
{
    fixture_t *fixture = *state;
    work_t work = {.fixture = fixture, .run = read_counter};
    int64_t give_up = clock_monotonic() + 20 * SECOND_US;
    atomic_store(&gate_closed, true);
    works_start(&work, 1);
    while (atomic_load(&asked) == 0 && clock_monotonic() < give_up)
        loop_turn(fixture->loop);
    fiber_cancel(work.fiber);
    while (work.fiber && clock_monotonic() < give_up)
        loop_turn(fixture->loop);
    assert_problem(&work, &CLIENT_GONE);
    assert_int_equal(fiber_count(), 1); /* which waits for the resolver */
    atomic_store(&gate_closed, false);
    loop_until_idle(fixture->loop);
    work = run_one(fixture, true, read_counter);
    assert_problem(&work, NULL);
    assert_int_equal(atomic_load(&asked), 1);
}

/* ---- lists ---- */

static connect_parameters_t parameters_with(const char *hosts, const char *ports, const char *address)
{
    static char host[] = "host", port[] = "port", hostaddr[] = "hostaddr";
    static char texts[3][64];
    static char *keywords[] = {host, port, hostaddr, NULL}, *values[] = {texts[0], texts[1], texts[2], NULL};
    const char *const given[] = {hosts, ports, address};
    for (size_t i = 0; i < COUNT_OF(given); i++)
        snprintf(texts[i], sizeof texts[i], "%s", given[i]);
    return (connect_parameters_t){keywords, values};
}

static void only_names_need_to_be_resolved(void **state)
{
    static const struct {
        const char *hosts, *ports, *address;
        bool needed;
    } cases[] = {
        {"database.test", "5432", "", true},
        {"10.0.0.1", "5432", "", false},
        {"fd00::1", "5432", "", false},
        {"/run/postgresql", "5432", "", false},
        {"@abstract", "", "", false},
        {"", "", "", false},
        {"database.test", "5432", "10.0.0.1", false},
        {"10.0.0.1,database.test", "", "", true},
        {"10.0.0.1,database.test", "1,2", "", true},
        {"10.0.0.1,database.test", "1,2,3", "", false}, /* libpq says what is wrong with it */
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        connect_parameters_t parameters = parameters_with(cases[i].hosts, cases[i].ports, cases[i].address);
        assert_int_equal(postgres_names_needed(&parameters), cases[i].needed);
    }
}

static void assert_found(const char *hosts, const char *ports, const char *host, const char *address,
                         const char *port)
{
    connect_parameters_t parameters = parameters_with(hosts, ports, "");
    names_t names = postgres_names_of(&parameters);
    postgres_names_resolve(&names);
    assert_string_equal(names.host, host);
    assert_string_equal(names.address, address);
    assert_string_equal(names.port, port);
    arena_free(names.arena);
}

static void hosts_keep_their_ports_and_their_order(void **state)
{
    (void)state;
    snprintf(server_address, sizeof server_address, "127.0.0.1");
    atomic_store(&outcome, KNOWN_TWICE);
    assert_found("/run,database.test,10.0.0.1", "1,2,3", "/run,database.test,database.test,10.0.0.1",
                 ",127.0.0.9,127.0.0.1,", "1,2,2,3");
    assert_found("database.test,", "7", "database.test,database.test,", "127.0.0.9,127.0.0.1,", "7,7,7");
    atomic_store(&outcome, UNKNOWN);
    assert_found("database.test,10.0.0.1", "7", "10.0.0.1", "", "7");
}

int main(void)
{
    const struct CMUnitTest lists[] = {
        cmocka_unit_test(only_names_need_to_be_resolved),
        cmocka_unit_test(hosts_keep_their_ports_and_their_order),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_are_resolved_on_a_worker, begin_named, end_named),
        cmocka_unit_test_setup_teardown(the_loop_goes_on_meanwhile, begin_named, end_named),
        cmocka_unit_test_setup_teardown(each_address_of_a_name_is_tried, begin_named, end_named),
        cmocka_unit_test_setup_teardown(a_name_that_is_not_known_is_asked_for_again, begin_named, end_named),
        cmocka_unit_test_setup_teardown(who_waits_for_a_name_may_leave, begin_named, end_named),
    };
    int failed = cmocka_run_group_tests(lists, NULL, NULL);
    const char *url = test_server();
    if (failed > 0 || url == NULL || !name_server(url))
        return failed > 0 ? failed : TEST_SKIPPED;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
