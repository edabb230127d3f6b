/* The live connections of one loop: by topic, so that a frame finds its followers, and all, to be looked
 * after. */
#include "gateway/live.h"

enum { CHAINS = 4096, HEARTBEAT_US = 15 * 1000 * 1000, STALL_US = 20 * 1000 * 1000 };

struct live_topic {
    live_topic_t *next;
    live_follow_t *first;
    size_t length;
    char name[LIVE_TOPIC_LENGTH_MOST];
};

struct live_loop {
    gateway_thread_t *thread;
    live_connection_t *connections;
    atomic_size_t joined; /* changed under the hub's lock */
    live_topic_t *chains[CHAINS];
    live_frame_t *heartbeat;
    uint64_t frame_number;
};

/* What other threads have for this loop. */
typedef struct frames_message {
    loop_message_t message;
    live_loop_t *live;
    size_t count;
    live_frame_t *frames[];
} frames_message_t;

typedef struct session_message {
    loop_message_t message;
    live_loop_t *live;
    uuid_t session;
} session_message_t;

live_loop_t *live_loop_new(gateway_thread_t *thread)
{
    live_loop_t *live = memory_new(sizeof *live);
    live->thread = thread;
    live->heartbeat = live_frame_of_text(STR(":\n\n"));
    return live;
}

void live_loop_free(live_loop_t *live)
{
    if (live == NULL)
        return;
    live_frame_release(live->heartbeat);
    free(live);
}

/* ---- topics ---- */

static live_topic_t **topic_place(live_loop_t *live, str_t name)
{
    uint32_t hash = 2166136261u;
    for (size_t place = 0; place < name.length; place++)
        hash = (hash ^ (uint8_t)name.at[place]) * 16777619u;
    live_topic_t **place = &live->chains[hash % CHAINS];
    while (*place && !str_equal((str_t){(*place)->name, (*place)->length}, name))
        place = &(*place)->next;
    return place;
}

static void follow(live_connection_t *connection, live_follow_t *entry, str_t name)
{
    live_topic_t **place = topic_place(connection->live, name);
    if (*place == NULL) {
        *place = memory_new(sizeof **place);
        (*place)->length = name.length;
        memcpy((*place)->name, name.at, name.length);
    }
    *entry = (live_follow_t){.topic = *place, .connection = connection, .next = (*place)->first};
    if (entry->next)
        entry->next->previous = entry;
    (*place)->first = entry;
}

static void unfollow(live_loop_t *live, live_follow_t *entry)
{
    live_topic_t *topic = entry->topic;
    *(entry->previous ? &entry->previous->next : &topic->first) = entry->next;
    if (entry->next)
        entry->next->previous = entry->previous;
    if (topic->first)
        return;
    live_topic_t **place = topic_place(live, (str_t){topic->name, topic->length});
    *place = topic->next;
    free(topic);
}

void live_connection_join(live_connection_t *connection)
{
    live_loop_t *live = connection->live;
    for (size_t place = 0; place < connection->topic_count; place++)
        follow(connection, &connection->follows[place], connection->topics[place]);
    connection->next = live->connections;
    if (connection->next)
        connection->next->previous = connection;
    live->connections = connection;
    connection->joined = true;
    atomic_fetch_add_explicit(&live->joined, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&live->thread->gateway->live_connections, 1, memory_order_relaxed);
}

void live_loop_leave(live_connection_t *connection)
{
    live_loop_t *live = connection->live;
    if (!connection->joined)
        return;
    for (size_t place = 0; place < connection->topic_count; place++)
        unfollow(live, &connection->follows[place]);
    *(connection->previous ? &connection->previous->next : &live->connections) = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    connection->joined = false;
    atomic_fetch_sub_explicit(&live->joined, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&live->thread->gateway->live_connections, 1, memory_order_relaxed);
}

/* ---- frames ---- */

static void give_followers(live_loop_t *live, live_frame_t *frame, str_t name)
{
    live_topic_t *topic = *topic_place(live, name);
    for (live_follow_t *entry = topic ? topic->first : NULL; entry; entry = entry->next) {
        live_connection_t *connection = entry->connection;
        bool seen = log_position_compare(frame->position, connection->seen.at[frame->module]) <= 0;
        if (seen || connection->last_number == live->frame_number)
            continue;
        connection->last_number = live->frame_number;
        connection->seen.at[frame->module] = frame->position;
        live_give(connection, frame);
    }
}

static void give(live_loop_t *live, live_frame_t *frame)
{
    str_t topics = frame->topics;
    live->frame_number++;
    for (size_t from = 0; from < topics.length;) {
        const char *blank = memchr(topics.at + from, ' ', topics.length - from);
        size_t to = blank ? (size_t)(blank - topics.at) : topics.length;
        if (to > from)
            give_followers(live, frame, (str_t){topics.at + from, to - from});
        from = to + 1;
    }
}

static void flush_all(live_loop_t *live)
{
    for (live_connection_t *connection = live->connections, *next; connection; connection = next) {
        next = connection->next;
        live_flush(connection);
    }
}

static void frames_arrived(loop_message_t *message)
{
    frames_message_t *arrived = CONTAINER_OF(message, frames_message_t, message);
    for (size_t place = 0; place < arrived->count; place++) {
        give(arrived->live, arrived->frames[place]);
        live_frame_release(arrived->frames[place]);
    }
    flush_all(arrived->live);
    free(arrived);
}

void live_loop_send(live_loop_t *live, live_frame_t *const *frames, size_t count)
{
    if (count == 0 || atomic_load_explicit(&live->joined, memory_order_relaxed) == 0)
        return;
    frames_message_t *message = memory_new(sizeof *message + count * sizeof *frames);
    message->message.run = frames_arrived;
    message->live = live;
    message->count = count;
    for (size_t place = 0; place < count; place++)
        message->frames[place] = live_frame_keep(frames[place]);
    loop_send(live->thread->loop, &message->message);
}

/* ---- ends ---- */

static void session_ended(loop_message_t *message)
{
    session_message_t *ended = CONTAINER_OF(message, session_message_t, message);
    for (live_connection_t *connection = ended->live->connections, *next; connection; connection = next) {
        next = connection->next;
        if (uuid_equal(&connection->session, &ended->session))
            live_end(connection);
    }
    free(ended);
}

void live_end_session(gateway_t *gateway, const uuid_t *session)
{
    for (unsigned place = 0; place < gateway->thread_count; place++) {
        live_loop_t *live = gateway->threads[place].live;
        if (atomic_load_explicit(&live->joined, memory_order_relaxed) == 0)
            continue;
        session_message_t *message = memory_new(sizeof *message);
        message->message.run = session_ended;
        message->live = live;
        message->session = *session;
        loop_send(gateway->threads[place].loop, &message->message);
    }
}

static void look_after(live_connection_t *connection, int64_t now, int64_t time)
{
    if (connection->expires_at && connection->expires_at <= time)
        live_end(connection);
    else if (connection->sending_since && now - connection->sending_since > STALL_US && !connection->cut) {
        connection->cut = true;
        connection_cut(connection->exchange->connection, "it does not take its live events");
    } else if (connection->first == NULL && connection->sending_since == 0 &&
               now - connection->spoke >= HEARTBEAT_US) {
        live_give(connection, connection->live->heartbeat);
        live_flush(connection);
    }
}

void live_loop_look(live_loop_t *live, int64_t now)
{
    int64_t time = clock_now();
    for (live_connection_t *connection = live->connections, *next; connection; connection = next) {
        next = connection->next;
        look_after(connection, now, time);
    }
}

void live_loop_stop(live_loop_t *live)
{
    live_frame_t *farewell = live_frame_of_text(STR(": the server stops\n\n"));
    for (live_connection_t *connection = live->connections, *next; connection; connection = next) {
        next = connection->next;
        live_give(connection, farewell);
        live_end(connection);
    }
    live_frame_release(farewell);
}
