/*
 * The hub of the live channel: the frames of the last while, and where each log has been read to. Only the
 * readers, all on the first loop, append; connections of every loop join. Both happen under one lock, so that
 * a connection gets each frame once: from the ring when it joins, or from its loop's box, which the frame is
 * put into under the same lock.
 */
#include "gateway/live.h"

enum { RING_FRAMES = 16384, BATCH_FRAMES = 64 };

struct live_hub {
    gateway_t *gateway;
    pthread_mutex_t lock;
    live_frame_t *ring[RING_FRAMES];
    size_t first, count, bytes;
    live_vector_t oldest, now; /* the ring has all that lies between */
    room_t *room;
};

live_hub_t *live_hub_new(gateway_t *gateway)
{
    live_hub_t *hub = memory_new(sizeof *hub);
    hub->gateway = gateway;
    hub->room = room_new();
    pthread_mutex_init(&hub->lock, NULL);
    return hub;
}

void live_hub_free(live_hub_t *hub)
{
    if (hub == NULL)
        return;
    for (size_t place = 0; place < hub->count; place++)
        live_frame_release(hub->ring[(hub->first + place) % RING_FRAMES]);
    room_free(hub->room);
    pthread_mutex_destroy(&hub->lock);
    free(hub);
}

room_t *live_hub_room(live_hub_t *hub)
{
    return hub->room;
}

/* ---- the ring; the lock is held ---- */

static size_t cost_of(const live_frame_t *frame)
{
    return sizeof *frame + frame->text.length + frame->topics.length;
}

static void move_on(log_position_t *from, log_position_t to)
{
    if (log_position_compare(*from, to) < 0)
        *from = to;
}

static void drop_oldest(live_hub_t *hub)
{
    live_frame_t *frame = hub->ring[hub->first];
    hub->first = (hub->first + 1) % RING_FRAMES;
    hub->count--;
    hub->bytes -= cost_of(frame);
    move_on(&hub->oldest.at[frame->module], frame->position);
    live_frame_release(frame);
}

static void push(live_hub_t *hub, live_frame_t *frame)
{
    while (hub->count == RING_FRAMES || (hub->count > 0 && hub->bytes + cost_of(frame) > LIVE_RING_BYTES))
        drop_oldest(hub);
    hub->ring[(hub->first + hub->count++) % RING_FRAMES] = live_frame_keep(frame);
    hub->bytes += cost_of(frame);
}

/* ---- the readers' side ---- */

/* Nobody was told what lies before: whoever needs it reads it from the log. Not while somebody follows and
 * counts on getting all. */
bool live_hub_skip_to(live_hub_t *hub, size_t module, log_position_t position)
{
    pthread_mutex_lock(&hub->lock);
    bool nobody = atomic_load(&hub->gateway->live_connections) == 0;
    if (nobody) {
        move_on(&hub->now.at[module], position);
        move_on(&hub->oldest.at[module], position);
    }
    pthread_mutex_unlock(&hub->lock);
    return nobody;
}

static void hand_out(live_hub_t *hub, live_frame_t **frames, size_t count)
{
    gateway_t *gateway = hub->gateway;
    pthread_mutex_lock(&hub->lock);
    for (size_t place = 0; place < count; place++) {
        push(hub, frames[place]);
        hub->now.at[frames[place]->module] = frames[place]->position;
    }
    for (unsigned place = 0; place < gateway->thread_count; place++)
        live_loop_send(gateway->threads[place].live, frames, count);
    pthread_mutex_unlock(&hub->lock);
    for (size_t place = 0; place < count; place++)
        live_frame_release(frames[place]);
}

void live_hub_append(live_hub_t *hub, size_t module, log_position_t read_to, const log_entry_t *entries,
                     size_t count)
{
    live_frame_t *frames[BATCH_FRAMES];
    size_t made = 0;
    live_vector_t vector = live_hub_position(hub);
    for (size_t place = 0; place < count; place++) {
        vector.at[module] = entries[place].position;
        if (entries[place].topics.length == 0 || entries[place].live.length == 0)
            continue;
        frames[made] = live_frame_new(hub->gateway->host, module, &vector, &entries[place]);
        made += frames[made] != NULL;
        if (made == BATCH_FRAMES) {
            hand_out(hub, frames, made);
            made = 0;
        }
    }
    hand_out(hub, frames, made);
    pthread_mutex_lock(&hub->lock);
    hub->now.at[module] = read_to;
    pthread_mutex_unlock(&hub->lock);
}

/* ---- the connections' side ---- */

static live_vector_t copy_under_lock(live_hub_t *hub, const live_vector_t *vector)
{
    pthread_mutex_lock(&hub->lock);
    live_vector_t copy = *vector;
    pthread_mutex_unlock(&hub->lock);
    return copy;
}

live_vector_t live_hub_position(live_hub_t *hub)
{
    return copy_under_lock(hub, &hub->now);
}

live_vector_t live_hub_oldest(live_hub_t *hub)
{
    return copy_under_lock(hub, &hub->oldest);
}

static bool reaches_back(const live_hub_t *hub, const live_vector_t *vector)
{
    for (size_t module = 0; module < hub->gateway->host->module_count; module++)
        if (log_position_compare(vector->at[module], hub->oldest.at[module]) < 0)
            return false;
    return true;
}

bool live_hub_join(live_hub_t *hub, const live_vector_t *vector, void (*take)(void *arg, live_frame_t *frame),
                   void (*joined)(void *arg, const live_vector_t *now), void *arg)
{
    pthread_mutex_lock(&hub->lock);
    bool reaches = reaches_back(hub, vector);
    for (size_t place = 0; reaches && place < hub->count; place++) {
        live_frame_t *frame = hub->ring[(hub->first + place) % RING_FRAMES];
        if (log_position_compare(frame->position, vector->at[frame->module]) > 0)
            take(arg, frame);
    }
    if (reaches)
        joined(arg, &hub->now);
    pthread_mutex_unlock(&hub->lock);
    return reaches;
}
