/*
 * GET /api/v1/live: checks what is asked for, finds what was missed, and turns the exchange into a stream. It
 * is served outside of replies: the exchange goes on when the fiber has ended.
 */
#include "gateway/live.h"

#include "core/api.h"
#include "gateway/api.h"

enum { ENTRIES_PER_READ = 250 };

typedef struct resume {
    live_connection_t *connection;
    live_vector_t from;  /* what the client has */
    live_vector_t start; /* where the stream begins */
    str_t last_event_id;
    size_t looked; /* entries looked through */
    bool reset;
} resume_t;

/* ---- topics ---- */

static bool topic_valid(str_t topic)
{
    if (topic.length == 0 || topic.length > LIVE_TOPIC_LENGTH_MOST)
        return false;
    for (size_t place = 0; place < topic.length; place++)
        if (topic.at[place] < 0x21 || topic.at[place] > 0x7e)
            return false;
    return true;
}

static void take_topic(req_t *req, live_connection_t *connection, str_t topic)
{
    for (size_t place = 0; place < connection->topic_count; place++)
        if (str_equal(connection->topics[place], topic))
            return;
    if (!topic_valid(topic))
        field_wrong(req, STR("query/topic"), "must be topics such as board/<id>, separated by commas");
    else if (connection->topic_count == LIVE_TOPICS_MOST)
        field_wrong(req, STR("query/topic"), "must be at most %d topics", LIVE_TOPICS_MOST);
    else {
        connection->topics[connection->topic_count++] = arena_str(req->arena, topic);
        return;
    }
    fail_fields(req);
}

static void take_topics(req_t *req, live_connection_t *connection, str_t list)
{
    for (size_t from = 0; from <= list.length;) {
        const char *comma = memchr(list.at + from, ',', list.length - from);
        size_t to = comma ? (size_t)(comma - list.at) : list.length;
        take_topic(req, connection, (str_t){list.at + from, to - from});
        from = to + 1;
    }
}

static void take_room(req_t *req, live_connection_t *connection)
{
    gateway_t *gateway = connection->exchange->thread->gateway;
    const settings_t *settings = &gateway->settings;
    bool member = !uuid_is_none(&req->caller.member);
    size_t most = member ? settings->live_per_person : settings->live_per_address;
    if (atomic_load(&gateway->stopping))
        fail(req, &UNAVAILABLE, "The server is stopping. Follow again in a moment.");
    if (atomic_load(&gateway->live_connections) >= settings->live_max)
        fail_retry(req, &BUSY, 10 * SECOND_US, "Too many follow what happens here. Try again later.");
    if (!room_take(live_hub_room(gateway->live), (str_t){connection->who, connection->who_length},
                   settings->limit_scale ? most : 0))
        fail_retry(req, &RATE_LIMITED, 10 * SECOND_US,
                   "You follow %zu live channels already. Close one of them.", most);
    connection->in_room = true;
}

/* ---- what was missed ---- */

static live_hub_t *hub_of(const resume_t *resume)
{
    return resume->connection->exchange->thread->gateway->live;
}

static bool is_followed(const live_connection_t *connection, str_t topics)
{
    for (size_t from = 0; from < topics.length;) {
        const char *blank = memchr(topics.at + from, ' ', topics.length - from);
        size_t to = blank ? (size_t)(blank - topics.at) : topics.length;
        for (size_t place = 0; place < connection->topic_count; place++)
            if (str_equal(connection->topics[place], (str_t){topics.at + from, to - from}))
                return true;
        from = to + 1;
    }
    return false;
}

/* More than a stream may have waiting is not given at all: the client loads anew. */
static void take_frame(void *arg, live_frame_t *frame)
{
    resume_t *resume = arg;
    live_connection_t *connection = resume->connection;
    if (resume->reset || !is_followed(connection, frame->topics))
        return;
    if (frame->deletes)
        live_connection_forget(connection, &frame->record);
    if (connection->queued_bytes + frame->text.length > LIVE_QUEUE_BYTES)
        resume->reset = true;
    else
        live_give(connection, frame);
}

static log_position_t later(log_position_t one, log_position_t other)
{
    return log_position_compare(one, other) > 0 ? one : other;
}

static void joined(void *arg, const live_vector_t *now)
{
    resume_t *resume = arg;
    live_connection_t *connection = resume->connection;
    for (size_t module = 0; module < connection->exchange->thread->gateway->host->module_count; module++)
        connection->seen.at[module] = later(resume->from.at[module], now->at[module]);
    live_connection_join(connection);
}

static void give_entry(resume_t *resume, const host_t *host, size_t module, const log_entry_t *entry)
{
    resume->from.at[module] = entry->position;
    if (entry->live.length == 0 || !is_followed(resume->connection, entry->topics))
        return;
    live_frame_t *frame = live_frame_new(host, module, &resume->from, entry);
    if (frame)
        take_frame(resume, frame);
    live_frame_release(frame);
}

/* From the log, up to where the ring begins. */
static void read_missed(req_t *req, resume_t *resume, size_t module)
{
    const host_t *host = req->host;
    log_position_t target = live_hub_oldest(hub_of(resume)).at[module];
    while (!resume->reset && log_position_compare(resume->from.at[module], target) < 0) {
        log_entry_t *entries;
        size_t count =
            log_read(req, host->modules[module], resume->from.at[module], ENTRIES_PER_READ, &entries);
        for (size_t place = 0; place < count; place++)
            give_entry(resume, host, module, &entries[place]);
        resume->looked += count;
        resume->reset = resume->reset || resume->looked > LIVE_RESUME_MOST;
        if (count < ENTRIES_PER_READ)
            resume->from.at[module] = later(resume->from.at[module], target);
    }
}

/* A client that is ahead of every log holds positions of another past: a backup was restored since, or it
 * made them up. */
static bool is_ahead(req_t *req, const resume_t *resume, size_t module, const live_vector_t *now)
{
    return log_position_compare(resume->from.at[module], now->at[module]) > 0 &&
           log_position_compare(resume->from.at[module], log_head(req, req->host->modules[module])) > 0;
}

static void find_missed(req_t *req, resume_t *resume)
{
    live_vector_t now = live_hub_position(hub_of(resume));
    for (size_t module = 0; module < req->host->module_count && !resume->reset; module++) {
        resume->reset = is_ahead(req, resume, module, &now);
        if (!resume->reset)
            read_missed(req, resume, module);
    }
}

/* Not from where the hub is: it may lag behind the logs, and what was before is not asked for. */
static void join_from_now(req_t *req, resume_t *resume)
{
    do {
        resume->from = live_hub_position(hub_of(resume));
        for (size_t module = 0; module < req->host->module_count; module++)
            resume->from.at[module] =
                later(resume->from.at[module], log_head(req, req->host->modules[module]));
        resume->start = resume->from;
    } while (!live_hub_join(hub_of(resume), &resume->from, take_frame, joined, resume));
}

/* In a request of its own: what the logs gave goes with it, while the stream may last for days. */
static void join_from_id(req_t *req, void *arg)
{
    resume_t *resume = arg;
    resume->reset = !live_vector_parse(req->host, resume->last_event_id, &resume->from);
    resume->start = resume->from;
    while (!resume->reset) {
        find_missed(req, resume);
        if (!resume->reset && live_hub_join(hub_of(resume), &resume->from, take_frame, joined, resume))
            break;
    }
}

/* Tells the client to load anew, and goes on from now. */
static void reset(req_t *req, resume_t *resume)
{
    live_connection_t *connection = resume->connection;
    live_connection_drop_queue(connection);
    if (connection->joined)
        resume->start = connection->seen;
    else
        join_from_now(req, resume);
    live_frame_t *frame = live_frame_of_text(STR("event: reset\ndata: {}\n\n"));
    live_give(connection, frame);
    live_frame_release(frame);
}

static void join(req_t *req, resume_t *resume)
{
    if (resume->last_event_id.length == 0) {
        join_from_now(req, resume);
        return;
    }
    req_t *reading = req_new(req->host, NULL);
    reading->deadline = req->deadline;
    bool good = req_attempt(reading, join_from_id, resume);
    problem_t problem = reading->problem;
    problem.detail = problem.detail.at ? arena_str(req->arena, problem.detail) : STR_NONE;
    req_free(reading);
    if (!good) {
        req->problem = problem;
        fail_again(req);
    }
    if (resume->reset)
        reset(req, resume);
}

reply_t follow_live(req_t *req, const struct follow_live_request *in)
{
    exchange_t *exchange = exchange_handling();
    live_connection_t *connection = live_connection_new(exchange);
    resume_t resume = {.connection = connection};
    if (exchange->last_event_id.length) /* h2o's memory may go while we wait */
        resume.last_event_id = arena_str(req->arena, exchange->last_event_id);
    take_topics(req, connection, in->topic);
    take_room(req, connection);
    join(req, &resume);
    if (fiber_is_cancelled(fiber_self()))
        fail(req, &CLIENT_GONE, "The client ended the request.");
    live_start(connection, &resume.start);
    return (reply_t){0};
}

reply_t read_community(req_t *req, const struct read_community_request *in)
{
    const host_t *host = req->host;
    const settings_t *settings = &gateway_here->gateway->settings;
    struct community community = {.name = settings->community_name,
                                  .version = STR(FOLKMOOT_VERSION),
                                  .public_reading = settings->public_reading};
    (void)in;
    community.modules.items = arena_array_of(req->arena, str_t, host->module_count);
    community.modules.count = host->module_count;
    for (size_t place = 0; place < host->module_count; place++)
        community.modules.items[place] = str_from(host->modules[place]->name);
    return reply_with(req, 200, &community_schema, &community);
}
