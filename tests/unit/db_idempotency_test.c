/* Idempotency keys: done once, answered alike, refused for another request, forgotten after a day; and the
 * nudge after a commit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* ours is a function */

#include "core/bus/bus.h"
#include "core/db/sqlite.h"
#include "tests/unit/db_fixture.h"

#define KEY    "5b1f7c0e-6f4f-4f0b-9d59-000000000001"
#define SECRET "a reply that nobody else may read"

static atomic_int runs;

static const operation_t create_thing = {.name = "create_thing"}, delete_thing = {.name = "delete_thing"};

/* One request with a key, from start to end. */
typedef struct call {
    const char *key;
    const operation_t *operation;
    uuid_t member;
    uint8_t fingerprint;
    int64_t later;      /* added to the request's time */
    size_t body_length; /* of the reply; 0: SECRET */
    bool fails;
    reply_t reply; /* texts in `arena` */
    arena_t *arena;
    const problem_kind_t *problem;
} call_t;

static reply_t insert_and_answer(tx_t *tx, void *arg)
{
    call_t *call = arg;
    char name[32];
    char *large;

    snprintf(name, sizeof name, "thing %d", atomic_fetch_add(&runs, 1));
    insert_thing(tx, name, 1);
    if (call->fails)
        fail(tx->req, &FORBIDDEN, "Not now.");
    if (call->body_length == 0)
        return (reply_t){.status = 201, .body = STR(SECRET), .location = STR("/things/1"), .version = 77};
    large = arena_alloc(tx->req->arena, call->body_length);
    memset(large, 'x', call->body_length);
    return (reply_t){.status = 200, .type = "text/plain", .body = {large, call->body_length}};
}

static void call_work(req_t *req, void *arg)
{
    call_t *call = arg;

    req->idempotency_key = call->key ? str_from(call->key) : STR_NONE;
    req->operation = call->operation ? call->operation : &create_thing;
    req->caller.member = call->member;
    req->now += call->later;
    memset(req->fingerprint, call->fingerprint, sizeof req->fingerprint);
    call->reply = db_transact(req, insert_and_answer, call);
    if (!call->arena)
        return;
    call->reply.body = call->reply.body.at ? arena_str(call->arena, call->reply.body) : STR_NONE;
    call->reply.location = call->reply.location.at ? arena_str(call->arena, call->reply.location) : STR_NONE;
    if (call->reply.type)
        call->reply.type = arena_str(call->arena, str_from(call->reply.type)).at;
}

static call_t run_call(fixture_t *fixture, call_t call)
{
    call.arena = fixture->arena;
    call.problem = request(fixture, call_work, &call);
    return call;
}

static int begin(void **state)
{
    atomic_store(&runs, 0);
    return begin_fixture(state);
}

static void a_repeated_request_is_answered_alike_and_done_once(void **state)
{
    for (int i = 0; i < 3; i++) {
        call_t call = run_call(*state, (call_t){.key = KEY});

        assert_null(call.problem);
        assert_int_equal(call.reply.status, 201);
        assert_true(str_equal(call.reply.body, STR(SECRET)));
        assert_true(str_equal(call.reply.location, STR("/things/1")));
        assert_int_equal(call.reply.version, 77);
        assert_null(call.reply.type);
    }
    assert_int_equal(atomic_load(&runs), 1);
    assert_int_equal(count_things(*state), 1);
}

static void what_a_reply_lacks_it_lacks_when_repeated(void **state)
{
    for (int i = 0; i < 2; i++) {
        call_t call = run_call(*state, (call_t){.key = KEY, .body_length = 200 * 1024});

        assert_null(call.problem);
        assert_int_equal(call.reply.body.length, 200 * 1024);
        assert_null(call.reply.location.at);
        assert_string_equal(call.reply.type, "text/plain");
    }
    assert_int_equal(atomic_load(&runs), 1);
}

static void another_request_with_the_same_key_is_refused(void **state)
{
    assert_null(run_call(*state, (call_t){.key = KEY, .fingerprint = 1}).problem);
    assert_ptr_equal(run_call(*state, (call_t){.key = KEY, .fingerprint = 2}).problem, &IDEMPOTENCY_CONFLICT);
    assert_int_equal(count_things(*state), 1);
}

static void a_key_counts_for_one_member_and_operation(void **state)
{
    uuid_t member = uuid_new();

    assert_null(run_call(*state, (call_t){.key = KEY}).problem);
    assert_null(run_call(*state, (call_t){.key = KEY, .member = member}).problem);
    assert_null(run_call(*state, (call_t){.key = KEY, .operation = &delete_thing}).problem);
    assert_null(run_call(*state, (call_t){.key = "another-key-00000001"}).problem);
    assert_null(run_call(*state, (call_t){.key = NULL}).problem);
    assert_null(run_call(*state, (call_t){.key = NULL}).problem);
    assert_int_equal(count_things(*state), 6);
}

static void a_failure_is_not_kept(void **state)
{
    assert_ptr_equal(run_call(*state, (call_t){.key = KEY, .fails = true}).problem, &FORBIDDEN);
    assert_int_equal(count_things(*state), 0);
    assert_null(run_call(*state, (call_t){.key = KEY}).problem);
    assert_int_equal(count_things(*state), 1);
}

static void a_reply_too_large_to_keep_undoes_the_request(void **state)
{
    assert_ptr_equal(run_call(*state, (call_t){.key = KEY, .body_length = 257 * 1024}).problem, &INTERNAL);
    assert_int_equal(count_things(*state), 0);
}

static void same_call(req_t *req, hand_t *hand)
{
    call_t call = {.key = KEY};

    (void)hand;
    call_work(req, &call);
    assert_int_equal(call.reply.status, 201);
    assert_true(str_equal(call.reply.body, STR(SECRET)));
}

static void the_same_request_many_times_at_once_is_done_once(void **state)
{
    crew_t *crew = crew_new(*state, 2, 20, same_call, NULL);

    run_as_one_batch(crew); /* none finds the reply of another before it tries */
    assert_int_equal(crew_count(crew, NULL), 40);
    assert_int_equal(count_things(*state), 1);
    free(crew);
}

static int64_t number_of(fixture_t *fixture, const char *sql)
{
    sqlite_error_t error;
    int64_t number = -1;
    sqlite3 *handle;

    assert_int_equal(sqlite3_open(sqlite_state_of(fixture->database)->path, &handle), SQLITE_OK);
    assert_true(sqlite_number(handle, sql, &number, &error));
    sqlite3_close(handle);
    return number;
}

static void neither_key_nor_reply_stands_in_the_database(void **state)
{
    assert_null(run_call(*state, (call_t){.key = KEY}).problem);
    assert_int_equal(
        number_of(*state, "SELECT count(*) FROM idempotency WHERE instr(reply, CAST('" SECRET "' AS BLOB))"),
        0);
    assert_int_equal(
        number_of(*state, "SELECT count(*) FROM idempotency WHERE instr(key_hash, CAST('" KEY "' AS BLOB))"),
        0);
    assert_int_equal(number_of(*state, "SELECT length(key_hash) FROM idempotency"), 32);
}

static void after_a_day_a_key_is_new(void **state)
{
    assert_null(run_call(*state, (call_t){.key = KEY, .fingerprint = 1}).problem);
    assert_null(
        run_call(*state, (call_t){.key = KEY, .fingerprint = 1, .later = DAY_US - MINUTE_US}).problem);
    assert_int_equal(count_things(*state), 1);
    assert_null(
        run_call(*state, (call_t){.key = KEY, .fingerprint = 2, .later = DAY_US + MINUTE_US}).problem);
    assert_int_equal(count_things(*state), 2);
    assert_int_equal(number_of(*state, "SELECT count(*) FROM idempotency"), 1);
}

static void many_keys(req_t *req, void *arg)
{
    for (int i = 0; i < 1200; i++) {
        char text[32];
        call_t call = {.key = text};

        snprintf(text, sizeof text, "key-0000000000-%d", i);
        call_work(req, &call);
    }
    (void)arg;
}

static void purge_later(req_t *req, void *arg)
{
    req->now += *(int64_t *)arg;
    db_purge_idempotency(req);
}

static void purging_deletes_what_has_expired_and_nothing_else(void **state)
{
    int64_t at_once = 0, next_day = DAY_US;

    assert_null(request(*state, many_keys, NULL));
    assert_null(run_call(*state, (call_t){.key = KEY, .later = HOUR_US}).problem);
    assert_null(request(*state, purge_later, &at_once));
    assert_int_equal(number_of(*state, "SELECT count(*) FROM idempotency"), 1201);
    assert_null(request(*state, purge_later, &next_day));
    assert_int_equal(number_of(*state, "SELECT count(*) FROM idempotency"), 1);
}

/* ---- the nudge ---- */

static void heard(void *arg, str_t payload)
{
    (void)payload;
    ++*(int *)arg;
}

static void append_or_not(tx_t *tx, void *arg)
{
    tx->appended = *(bool *)arg;
}

static void apply_append(req_t *req, void *arg)
{
    db_apply(req, append_or_not, arg);
}

static void readers_are_nudged_after_a_commit_that_appended(void **state)
{
    fixture_t *fixture = *state;
    loop_t *loop = loop_new();
    bool yes = true, no = false;
    int nudges = 0;
    str_t error;

    loop_attach(loop);
    fixture->host.bus = bus_open(STR("local:"), &error);
    bus_subscription_t *subscription = bus_subscribe(fixture->host.bus, loop, "log/fixture", heard, &nudges);
    assert_null(request(fixture, apply_append, &no));
    loop_turn(loop);
    assert_int_equal(nudges, 0);
    assert_null(request(fixture, apply_append, &yes));
    loop_turn(loop);
    assert_int_equal(nudges, 1);
    bus_unsubscribe(subscription);
    loop_turn(loop);
    bus_close(fixture->host.bus);
    fixture->host.bus = NULL;
    loop_free(loop);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, begin, end_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(a_repeated_request_is_answered_alike_and_done_once),
        WITH_FIXTURE(what_a_reply_lacks_it_lacks_when_repeated),
        WITH_FIXTURE(another_request_with_the_same_key_is_refused),
        WITH_FIXTURE(a_key_counts_for_one_member_and_operation),
        WITH_FIXTURE(a_failure_is_not_kept),
        WITH_FIXTURE(a_reply_too_large_to_keep_undoes_the_request),
        WITH_FIXTURE(the_same_request_many_times_at_once_is_done_once),
        WITH_FIXTURE(neither_key_nor_reply_stands_in_the_database),
        WITH_FIXTURE(after_a_day_a_key_is_new),
        WITH_FIXTURE(purging_deletes_what_has_expired_and_nothing_else),
        WITH_FIXTURE(readers_are_nudged_after_a_commit_that_appended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
