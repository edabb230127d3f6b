/*
 * The live channel. One reader per module's log and process (live_reader.c) puts what followers are told into
 * the hub: a bounded ring of frames, each the finished text of one event, and hands each frame to every loop
 * (live_hub.c). A loop knows its connections by topic (live_loop.c); a connection has a bounded queue of
 * frames that h2o sends (live_connection.c). What a returning client missed comes from the ring or, before
 * that, from the logs (follow_live.c).
 *
 * The id of an event is where its hub stood behind it, in every log: "identity:12,forum:7401.812".
 */
#ifndef FOLKMOOT_LIVE_H
#define FOLKMOOT_LIVE_H

#include "gateway/gateway.h"

enum {
    LIVE_TOPICS_MOST = 20,
    LIVE_TOPIC_LENGTH_MOST = 120,
    LIVE_RING_BYTES = 4 * 1024 * 1024,
    LIVE_QUEUE_BYTES = 256 * 1024,
    LIVE_RESUME_MOST = 1000, /* entries of the logs that are looked through for one client */
    LIVE_FRAME_HEAD = 1024,
};

/* A position in the log of every module that is run, in the order of host->modules. */
typedef struct live_vector {
    log_position_t at[MODULES_MAX];
} live_vector_t;

/* One event, ready to send; shared, never changed. */
typedef struct live_frame {
    atomic_uint references;
    size_t module; /* place in host->modules */
    log_position_t position;
    str_t topics; /* separated by blanks; empty: moves positions on, and is told to nobody */
    str_t text;   /* "id: …\nevent: …\ndata: …\n\n" */
    uuid_t record;
    bool deletes; /* the record: those who come back are not told what was said of it before */
    char memory[];
} live_frame_t;

live_frame_t *live_frame_new(const host_t *host, size_t module, const live_vector_t *vector,
                             const log_entry_t *entry);
live_frame_t *live_frame_of_text(str_t text);
live_frame_t *live_frame_keep(live_frame_t *frame);
void live_frame_release(live_frame_t *frame);

/* The text of a vector: at most LIVE_FRAME_HEAD bytes. */
size_t live_vector_format(const host_t *host, const live_vector_t *vector, char *out, size_t size);
bool live_vector_parse(const host_t *host, str_t text, live_vector_t *vector) MUST_CHECK;

/* ---- live_hub.c ---- */
live_hub_t *live_hub_new(gateway_t *gateway);
void live_hub_free(live_hub_t *hub);
bool live_hub_skip_to(live_hub_t *hub, size_t module, log_position_t position); /* false: somebody follows */
void live_hub_append(live_hub_t *hub, size_t module, log_position_t read_to, const log_entry_t *entries,
                     size_t count);
live_vector_t live_hub_position(live_hub_t *hub);
/* Gives every frame of the ring behind `vector`, in order, to `take`, calls `joined` and says true, all
 * before anything new is handed out; false when the ring no longer reaches back to it. */
bool live_hub_join(live_hub_t *hub, const live_vector_t *vector, void (*take)(void *arg, live_frame_t *frame),
                   void (*joined)(void *arg, const live_vector_t *now), void *arg) MUST_CHECK;
/* Where the ring begins. */
live_vector_t live_hub_oldest(live_hub_t *hub);

/* ---- live_reader.c ---- */
void live_readers_start(gateway_t *gateway); /* on the first loop */
bool live_readers_are_well(const gateway_t *gateway);

/* ---- live_loop.c ---- */
live_loop_t *live_loop_new(gateway_thread_t *thread);
void live_loop_free(live_loop_t *live);
void live_loop_send(live_loop_t *live, live_frame_t *const *frames, size_t count); /* any thread */
void live_end_session(gateway_t *gateway, const uuid_t *session);                  /* any thread */
void live_loop_look(live_loop_t *live, int64_t now);                               /* each second */
void live_loop_stop(live_loop_t *live);                                            /* ends all streams */

room_t *live_hub_room(live_hub_t *hub); /* for streams, by member or address */

/* ---- live_loop.c, live_connection.c ---- */
typedef struct live_connection live_connection_t;
typedef struct live_topic live_topic_t;

typedef struct live_follow {
    live_topic_t *topic;
    live_connection_t *connection;
    struct live_follow *next, *previous; /* of the topic */
} live_follow_t;

typedef struct live_queued {
    struct live_queued *next;
    live_frame_t *frame;
} live_queued_t;

/* Belongs to the arena of its exchange, and goes with it. */
struct live_connection {
    h2o_generator_t generator;
    live_connection_t *next, *previous; /* of the loop */
    live_loop_t *live;
    exchange_t *exchange;
    live_vector_t seen; /* what it has been given, or need not be */
    str_t topics[LIVE_TOPICS_MOST];
    live_follow_t follows[LIVE_TOPICS_MOST];
    size_t topic_count;
    live_queued_t *first, *last, *in_flight; /* in_flight: with h2o until it asks for more */
    size_t queued_bytes;
    uuid_t session;
    char who[INET6_ADDRSTRLEN + 2]; /* whom the room counts it to */
    size_t who_length;
    bool in_room, joined, started, ending, cut;
    int64_t expires_at;           /* µs UTC, of the token; 0: never */
    int64_t sending_since, spoke; /* monotonic µs; sending_since 0: not sending */
    uint64_t last_number;         /* of the frame given last: one that has two of its topics is given once */
};

live_connection_t *live_connection_new(exchange_t *exchange);
void live_connection_join(live_connection_t *connection);           /* follows its topics from now on */
void live_give(live_connection_t *connection, live_frame_t *frame); /* queues; cuts whoever takes nothing */
void live_start(live_connection_t *connection, const live_vector_t *at); /* the head of the stream */
void live_flush(live_connection_t *connection);
void live_end(live_connection_t *connection);
void live_connection_drop_queue(live_connection_t *connection);
void live_connection_forget(live_connection_t *connection, const uuid_t *record); /* takes it off the queue */
void live_loop_leave(live_connection_t *connection);

#endif
