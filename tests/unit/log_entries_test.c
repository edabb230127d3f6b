/* The log itself: what is appended is read, in order, by any module; heads and places in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka's; ours has another meaning */

#include "tests/unit/log_fixture.h"

typedef struct look {
    const module_t *module;
    log_position_t from;
    size_t limit;
    int64_t time;
    log_entry_t entry; /* the first */
    size_t count;
    log_position_t last, head, before;
    bool in_order;
} look_t;

static void look_work(req_t *req, void *arg)
{
    look_t *look = arg;
    log_entry_t *entries;

    look->count = log_read(req, look->module, look->from, look->limit, &entries);
    look->head = log_head(req, look->module);
    look->before = log_position_before(req, look->module, look->time);
    look->in_order = true;
    if (look->count)
        look->entry = entries[0];
    if (look->count)
        look->last = entries[look->count - 1].position;
    for (size_t i = 1; i < look->count; i++)
        look->in_order =
            look->in_order && log_position_compare(entries[i - 1].position, entries[i].position) < 0;
}

/* The source's log, as the module `own` reads it. */
static look_t look_as(fixture_t *fixture, const module_t *own, look_t look)
{
    look.module = &fixture->source;
    run_in(&fixture->host, own, look_work, &look);
    return look;
}

static void an_empty_log_has_nothing_and_starts_at_the_start(void **state)
{
    look_t look = look_as(*state, &((fixture_t *)*state)->source, (look_t){.limit = 10, .time = clock_now()});

    assert_int_equal(look.count, 0);
    assert_int_equal(log_position_compare(look.head, LOG_START), 0);
    assert_int_equal(log_position_compare(look.before, LOG_START), 0);
}

static log_entry_t full_entry(void)
{
    log_entry_t entry = {.type = STR("post.created"),
                         .version = 77,
                         .scope = SCOPE_PUBLIC,
                         .time = 1234567,
                         .schema = 3,
                         .data = STR("{\"title\":\"Ärger\"}"),
                         .topics = STR("board/1 post/2"),
                         .live = STR("{\"a\":1}")};

    entry.id = uuid_new();
    entry.record = uuid_new();
    entry.actor = uuid_new();
    entry.subject = uuid_new();
    return entry;
}

static void append_one_body(tx_t *tx, void *arg)
{
    log_append(tx, arg);
}

typedef struct compared {
    log_entry_t written;
    const module_t *source;
    bool same;
} compared_t;

static void append_and_compare_work(req_t *req, void *arg)
{
    compared_t *compared = arg;
    const log_entry_t *written = &compared->written;
    log_entry_t *read;

    db_apply(req, append_one_body, &compared->written);
    assert_int_equal(log_read(req, compared->source, LOG_START, 10, &read), 1);
    assert_true(uuid_is_none(&written->id) ? !uuid_is_none(&read->id) : uuid_equal(&written->id, &read->id));
    assert_true(uuid_equal(&written->record, &read->record));
    assert_true(uuid_equal(&written->actor, &read->actor));
    assert_true(uuid_equal(&written->subject, &read->subject));
    assert_true(str_equal(written->type, read->type));
    assert_true(str_equal(written->topics, read->topics) &&
                (written->topics.at == NULL) == (read->topics.at == NULL));
    assert_true(str_equal(written->live, read->live));
    assert_true(str_equal(written->data, read->data));
    assert_int_equal(written->version, read->version);
    assert_int_equal(written->scope, read->scope);
    assert_int_equal(written->schema ? written->schema : 1, read->schema);
    assert_int_equal(written->time ? written->time : req->now, read->time);
    compared->same = true;
}

static void every_field_is_read_as_it_was_appended(void **state)
{
    fixture_t *fixture = *state;
    compared_t compared = {.written = full_entry(), .source = &fixture->source};

    run_in(&fixture->host, &fixture->source, append_and_compare_work, &compared);
    assert_true(compared.same);
}

static void what_was_not_said_is_filled_in(void **state)
{
    fixture_t *fixture = *state;
    compared_t compared = {.written = {.type = STR("a"), .version = 1, .data = STR("{}")},
                           .source = &fixture->source};

    compared.written.record = uuid_new();
    run_in(&fixture->host, &fixture->source, append_and_compare_work, &compared);
    assert_true(compared.same);
}

static void entries_come_in_order_after_a_position(void **state)
{
    fixture_t *fixture = *state;

    for (int i = 0; i < 5; i++)
        append_entries(fixture, 1 + i * 20, 20);
    look_t first = look_as(fixture, &fixture->source, (look_t){.limit = 30});
    assert_int_equal(first.count, 30);
    assert_true(first.in_order);
    look_t rest = look_as(fixture, &fixture->source, (look_t){.from = first.last, .limit = 1000});
    assert_int_equal(rest.count, 70);
    assert_int_equal(rest.entry.version, 31);
    assert_int_equal(log_position_compare(rest.last, rest.head), 0);
    assert_int_equal(look_as(fixture, &fixture->source, (look_t){.from = rest.last, .limit = 5}).count, 0);
}

static void append_each_body(tx_t *tx, void *arg)
{
    log_entry_t *entries = arena_array_of(tx->req->arena, log_entry_t, 300);

    (void)arg;
    for (int i = 0; i < 300; i++)
        entries[i] = (log_entry_t){.type = STR("a"),
                                   .version = 1 + i,
                                   .data = STR("{}"),
                                   .topics = i % 2 ? STR("board/1") : STR_NONE,
                                   .live = i % 2 ? STR("{}") : STR_NONE};
    log_append_each(tx, entries, 300);
    log_append_each(tx, entries, 0);
    assert_true(tx->appended);
}

static void append_each_work(req_t *req, void *arg)
{
    db_apply(req, append_each_body, arg);
}

static void entries_that_are_appended_together_come_in_their_order(void **state)
{
    fixture_t *fixture = *state;
    log_position_t from = LOG_START;

    run_in(&fixture->host, &fixture->source, append_each_work, NULL);
    for (int version = 1; version <= 300; version++) {
        look_t look = look_as(fixture, &fixture->source, (look_t){.from = from, .limit = 1});
        assert_int_equal(look.entry.version, version);
        from = look.last;
    }
    assert_int_equal(look_as(fixture, &fixture->source, (look_t){.from = from, .limit = 1}).count, 0);
}

static void nobody_reads_more_than_a_thousand_entries_at_once(void **state)
{
    fixture_t *fixture = *state;

    append_entries(fixture, 1, 1003);
    assert_int_equal(look_as(fixture, &fixture->source, (look_t){.limit = SIZE_MAX}).count, 1000);
    assert_int_equal(look_as(fixture, &fixture->source, (look_t){.limit = 0}).count, 1);
}

static void another_module_reads_it_too(void **state)
{
    fixture_t *fixture = *state;

    append_entries(fixture, 1, 3);
    look_t look = look_as(fixture, &fixture->target, (look_t){.limit = 10});
    assert_int_equal(look.count, 3);
    assert_int_equal(look.entry.version, 1);
}

static void failing_body(tx_t *tx, void *arg)
{
    append_body(tx, arg);
    fail(tx->req, &INVALID, "No.");
}

static void failing_work(req_t *req, void *arg)
{
    db_apply(req, failing_body, arg);
}

static void attempt_failing_work(req_t *req, void *arg)
{
    assert_false(req_attempt(req, failing_work, arg));
}

static void what_was_undone_is_not_in_the_log(void **state)
{
    fixture_t *fixture = *state;
    append_t append = {1, 5};

    run_in(&fixture->host, &fixture->source, attempt_failing_work, &append);
    append_entries(fixture, 6, 1);
    look_t look = look_as(fixture, &fixture->source, (look_t){.limit = 10});
    assert_int_equal(look.count, 1);
    assert_int_equal(look.entry.version, 6);
}

static void append_timed_work(req_t *req, void *arg)
{
    log_entry_t entry = {.type = STR("timed"), .version = 1, .time = *(int64_t *)arg, .data = STR("{}")};

    entry.record = uuid_new();
    db_apply(req, append_one_body, &entry);
}

static void a_place_in_time_is_found(void **state)
{
    fixture_t *fixture = *state;

    for (int64_t time = 100; time <= 2000; time += 100)
        run_in(&fixture->host, &fixture->source, append_timed_work, &time);
    for (int64_t time = 50; time <= 2050; time += 50) {
        look_t look = look_as(fixture, &fixture->source, (look_t){.limit = 1, .time = time});
        look_t next = look_as(fixture, &fixture->source, (look_t){.from = look.before, .limit = 1});
        if (time > 2000) {
            assert_int_equal(next.count, 0);
        } else {
            assert_int_equal(next.count, 1);
            assert_int_equal(next.entry.time, (time + 99) / 100 * 100);
        }
    }
}

static void append_old_work(req_t *req, void *arg)
{
    log_entry_t entry = {.type = STR("old"), .version = version_next(0), .time = 5, .data = STR("{}")};

    (void)arg;
    entry.record = uuid_new();
    db_apply(req, append_one_body, &entry);
}

static void entries_with_old_times_do_not_hide_a_place(void **state)
{
    fixture_t *fixture = *state;
    int64_t then = clock_now() - HOUR_US, between = clock_now() - MINUTE_US;

    run_in(&fixture->host, &fixture->source, append_timed_work, &then);
    for (int i = 0; i < 50; i++)
        run_in(&fixture->host, &fixture->source, append_old_work, NULL);
    look_t look = look_as(fixture, &fixture->source, (look_t){.limit = 1, .time = between});
    assert_int_equal(look_as(fixture, &fixture->source, (look_t){.from = look.before, .limit = 100}).count,
                     50);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_log_has_nothing_and_starts_at_the_start, begin, end),
        cmocka_unit_test_setup_teardown(every_field_is_read_as_it_was_appended, begin, end),
        cmocka_unit_test_setup_teardown(what_was_not_said_is_filled_in, begin, end),
        cmocka_unit_test_setup_teardown(entries_come_in_order_after_a_position, begin, end),
        cmocka_unit_test_setup_teardown(entries_that_are_appended_together_come_in_their_order, begin, end),
        cmocka_unit_test_setup_teardown(nobody_reads_more_than_a_thousand_entries_at_once, begin, end),
        cmocka_unit_test_setup_teardown(another_module_reads_it_too, begin, end),
        cmocka_unit_test_setup_teardown(what_was_undone_is_not_in_the_log, begin, end),
        cmocka_unit_test_setup_teardown(a_place_in_time_is_found, begin, end),
        cmocka_unit_test_setup_teardown(entries_with_old_times_do_not_hide_a_place, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    int failed = run_all();

    server_to_test = getenv("FOLKMOOT_TEST_POSTGRES");
    return server_to_test && *server_to_test ? failed + run_all() : failed;
}
