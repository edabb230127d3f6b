/* The live hub: positions as text, the ring that returning clients read, and room for so many streams. */
#include "gateway/live.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const module_t identity = {.name = "identity"}, forum = {.name = "forum"};

typedef struct taken {
    size_t count;
    log_position_t positions[32];
    char last[4096];
    bool joined;
    live_vector_t now;
} taken_t;

typedef struct fixture {
    host_t host;
    gateway_t gateway;
    taken_t taken;
} fixture_t;

static int set_up(void **state)
{
    fixture_t *fixture = memory_new(sizeof *fixture);
    fixture->host.modules[0] = &identity;
    fixture->host.modules[1] = &forum;
    fixture->host.module_count = 2;
    fixture->gateway.host = &fixture->host;
    fixture->gateway.live = live_hub_new(&fixture->gateway);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    live_hub_free(fixture->gateway.live);
    free(fixture);
    return 0;
}

static log_position_t position(int64_t sequence)
{
    return (log_position_t){0, sequence};
}

static void append(fixture_t *fixture, size_t module, int64_t sequence, const char *topics, str_t live)
{
    log_entry_t entry = {.position = position(sequence),
                         .type = STR("post.created"),
                         .topics = str_from(topics),
                         .live = live};
    live_hub_append(fixture->gateway.live, module, entry.position, &entry, 1);
}

static void take(void *arg, live_frame_t *frame)
{
    taken_t *taken = arg;
    taken->positions[taken->count++] = frame->position;
    snprintf(taken->last, sizeof taken->last, "%.*s", (int)frame->text.length, frame->text.at);
}

static void joined(void *arg, const live_vector_t *now)
{
    taken_t *taken = arg;
    taken->joined = true;
    taken->now = *now;
}

static bool join(fixture_t *fixture, int64_t identity_at, int64_t forum_at)
{
    live_vector_t vector = {.at = {position(identity_at), position(forum_at)}};
    fixture->taken = (taken_t){0};
    return live_hub_join(fixture->gateway.live, &vector, take, joined, &fixture->taken);
}

static void a_vector_reads_back_as_it_was_written(void **state)
{
    fixture_t *fixture = *state;
    live_vector_t vector = {.at = {{0, 12}, {7401, 812}}}, read;
    char text[LIVE_FRAME_HEAD];
    live_vector_format(&fixture->host, &vector, text, sizeof text);
    assert_string_equal(text, "identity:12,forum:7401.812");
    assert_true(live_vector_parse(&fixture->host, str_from(text), &read));
    assert_int_equal(log_position_compare(read.at[0], vector.at[0]), 0);
    assert_int_equal(log_position_compare(read.at[1], vector.at[1]), 0);
}

static void a_vector_passes_over_a_module_that_is_gone(void **state)
{
    fixture_t *fixture = *state;
    live_vector_t read;
    assert_true(live_vector_parse(&fixture->host, STR("identity:1,market:5,forum:2"), &read));
    assert_int_equal(read.at[1].sequence, 2);
}

static void a_vector_that_is_broken_or_lacks_a_module_is_refused(void **state)
{
    static const char *const wrong[] = {"identity:1",
                                        "forum",
                                        "identity:1,forum:",
                                        "identity:x,forum:2",
                                        "identity:1,forum:-2",
                                        "12",
                                        ",",
                                        "identity:1,forum:99999999999999999999999",
                                        "identity:1forum:2"};
    fixture_t *fixture = *state;
    live_vector_t read;
    for (size_t place = 0; place < COUNT_OF(wrong); place++)
        assert_false(live_vector_parse(&fixture->host, str_from(wrong[place]), &read));
}

static void a_frame_is_the_text_of_one_event(void **state)
{
    fixture_t *fixture = *state;
    append(fixture, 1, 5, "board/a", STR("{\"id\":1}"));
    assert_true(join(fixture, 0, 0));
    assert_string_equal(fixture->taken.last,
                        "id: identity:0,forum:5\nevent: post.created\ndata: {\"id\":1}\n\n");
}

static void a_line_break_in_the_data_cannot_end_its_line(void **state)
{
    fixture_t *fixture = *state;
    append(fixture, 1, 5, "board/a", STR("{\n\"id\":\r1}"));
    assert_true(join(fixture, 0, 0));
    assert_string_equal(fixture->taken.last,
                        "id: identity:0,forum:5\nevent: post.created\ndata: { \"id\": 1}\n\n");
}

static void who_joins_gets_what_came_since_and_no_more(void **state)
{
    fixture_t *fixture = *state;
    for (int64_t sequence = 1; sequence <= 5; sequence++)
        append(fixture, 1, sequence, "board/a", STR("{}"));
    assert_true(join(fixture, 0, 3));
    assert_int_equal(fixture->taken.count, 2);
    assert_int_equal(fixture->taken.positions[0].sequence, 4);
    assert_int_equal(fixture->taken.positions[1].sequence, 5);
    assert_true(fixture->taken.joined);
    assert_int_equal(fixture->taken.now.at[1].sequence, 5);
}

static void entries_that_tell_nobody_anything_move_the_position_on(void **state)
{
    fixture_t *fixture = *state;
    append(fixture, 0, 9, "", STR(""));
    append(fixture, 1, 4, "board/a", STR("{}"));
    assert_true(join(fixture, 0, 0));
    assert_int_equal(fixture->taken.count, 1);
    assert_int_equal(fixture->taken.now.at[0].sequence, 9);
    assert_non_null(strstr(fixture->taken.last, "id: identity:9,forum:4\n"));
}

static void the_ring_is_bounded_and_says_where_it_begins(void **state)
{
    fixture_t *fixture = *state;
    size_t size = LIVE_RING_BYTES / 16;
    char *text = memory_new(size);
    memset(text, 'x', size);
    for (int64_t sequence = 1; sequence <= 40; sequence++)
        append(fixture, 1, sequence, "board/a", (str_t){text, size});
    free(text);
    int64_t oldest = live_hub_oldest(fixture->gateway.live).at[1].sequence;
    assert_in_range(oldest, 24, 30);
    assert_false(join(fixture, 0, oldest - 1));
    assert_false(fixture->taken.joined);
    assert_true(join(fixture, 0, oldest));
    assert_int_equal(fixture->taken.count, 40 - oldest);
}

static void while_nobody_follows_the_hub_skips_ahead(void **state)
{
    fixture_t *fixture = *state;
    assert_true(live_hub_skip_to(fixture->gateway.live, 1, position(100)));
    assert_false(join(fixture, 0, 99));
    assert_true(join(fixture, 0, 100));
    atomic_store(&fixture->gateway.live_connections, 1);
    assert_false(live_hub_skip_to(fixture->gateway.live, 1, position(200)));
    assert_int_equal(live_hub_position(fixture->gateway.live).at[1].sequence, 100);
}

static void a_person_has_so_many_streams_and_no_more(void **state)
{
    room_t *room = room_new();
    (void)state;
    assert_true(room_take(room, STR("manna"), 2));
    assert_true(room_take(room, STR("manna"), 2));
    assert_false(room_take(room, STR("manna"), 2));
    assert_true(room_take(room, STR("mbert"), 2));
    room_give(room, STR("manna"));
    assert_true(room_take(room, STR("manna"), 2));
    room_free(room);
}

/* ---- the streams of a loop; none has begun to send, so all that it is given waits in its queue ---- */

typedef struct stream {
    connection_t socket; /* cut already: there is none to shut */
    exchange_t exchange;
    live_connection_t live;
} stream_t;

typedef struct streams {
    fixture_t *fixture;
    gateway_thread_t thread;
    stream_t one;
    int64_t now;
} streams_t;

static streams_t streams_open(void **state)
{
    return (streams_t){.fixture = *state, .now = clock_monotonic()};
}

static void join_stream(streams_t *streams)
{
    stream_t *stream = &streams->one;
    streams->thread.gateway = &streams->fixture->gateway;
    streams->thread.live = live_loop_new(&streams->thread);
    stream->socket = (connection_t){.thread = &streams->thread, .cut = true};
    stream->exchange = (exchange_t){.thread = &streams->thread, .connection = &stream->socket};
    stream->live = (live_connection_t){
        .exchange = &stream->exchange, .live = streams->thread.live, .spoke = streams->now};
    live_connection_join(&stream->live);
}

static void leave_stream(streams_t *streams)
{
    live_connection_drop_queue(&streams->one.live);
    live_loop_leave(&streams->one.live);
    live_loop_free(streams->thread.live);
}

static void a_stream_that_takes_nothing_is_cut_before_its_queue_grows(void **state)
{
    streams_t streams = streams_open(state);
    live_connection_t *live = &streams.one.live;
    char text[1000];
    join_stream(&streams);
    memset(text, 'x', sizeof text);
    live_frame_t *frame = live_frame_of_text((str_t){text, sizeof text});
    for (size_t count = 0; count < LIVE_QUEUE_BYTES / sizeof text; count++)
        live_give(live, frame);
    assert_false(live->cut);
    for (size_t count = 0; count < 10; count++)
        live_give(live, frame);
    assert_true(live->cut);
    assert_in_range(live->queued_bytes, 1, LIVE_QUEUE_BYTES);
    live_frame_release(frame);
    leave_stream(&streams);
}

static void a_stream_that_does_not_take_what_is_sent_is_cut(void **state)
{
    streams_t streams = streams_open(state);
    join_stream(&streams);
    streams.one.live.sending_since = streams.now;
    live_loop_look(streams.thread.live, streams.now + 19 * SECOND_US);
    assert_false(streams.one.live.cut);
    live_loop_look(streams.thread.live, streams.now + 21 * SECOND_US);
    assert_true(streams.one.live.cut);
    leave_stream(&streams);
}

static void a_silent_stream_hears_every_fifteen_seconds_that_it_lives(void **state)
{
    streams_t streams = streams_open(state);
    join_stream(&streams);
    live_loop_look(streams.thread.live, streams.now + 14 * SECOND_US);
    assert_null(streams.one.live.first);
    live_loop_look(streams.thread.live, streams.now + 15 * SECOND_US);
    assert_non_null(streams.one.live.first);
    assert_int_equal(streams.one.live.first->frame->text.at[0], ':');
    leave_stream(&streams);
}

static void a_stream_ends_with_its_token(void **state)
{
    streams_t streams = streams_open(state);
    join_stream(&streams);
    streams.one.live.expires_at = clock_now() + HOUR_US;
    live_loop_look(streams.thread.live, streams.now);
    assert_false(streams.one.live.ending);
    streams.one.live.expires_at = clock_now();
    live_loop_look(streams.thread.live, streams.now);
    assert_true(streams.one.live.ending);
    leave_stream(&streams);
}

static void the_end_of_the_server_ends_all_streams(void **state)
{
    streams_t streams = streams_open(state);
    join_stream(&streams);
    live_loop_stop(streams.thread.live);
    assert_true(streams.one.live.ending);
    str_t said = streams.one.live.first->frame->text;
    assert_non_null(memmem(said.at, said.length, "stops", 5));
    leave_stream(&streams);
}

int main(void)
{
#define WITH_HUB(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_HUB(a_vector_reads_back_as_it_was_written),
        WITH_HUB(a_vector_passes_over_a_module_that_is_gone),
        WITH_HUB(a_vector_that_is_broken_or_lacks_a_module_is_refused),
        WITH_HUB(a_frame_is_the_text_of_one_event),
        WITH_HUB(a_line_break_in_the_data_cannot_end_its_line),
        WITH_HUB(who_joins_gets_what_came_since_and_no_more),
        WITH_HUB(entries_that_tell_nobody_anything_move_the_position_on),
        WITH_HUB(the_ring_is_bounded_and_says_where_it_begins),
        WITH_HUB(while_nobody_follows_the_hub_skips_ahead),
        cmocka_unit_test(a_person_has_so_many_streams_and_no_more),
        WITH_HUB(a_stream_that_takes_nothing_is_cut_before_its_queue_grows),
        WITH_HUB(a_stream_that_does_not_take_what_is_sent_is_cut),
        WITH_HUB(a_silent_stream_hears_every_fifteen_seconds_that_it_lives),
        WITH_HUB(a_stream_ends_with_its_token),
        WITH_HUB(the_end_of_the_server_ends_all_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
