/* The readers that feed the live hub, one per module. While nobody follows they only keep up with the ends of
 * the logs. */
#include "gateway/follower.h"
#include "gateway/live.h"

static follower_t readers[MODULES_MAX];

static size_t place_of(const follower_t *reader)
{
    return (size_t)(reader - readers);
}

static bool somebody_follows(follower_t *reader)
{
    return atomic_load_explicit(&reader->gateway->live_connections, memory_order_relaxed) > 0;
}

static log_position_t begin_at_head(follower_t *reader, req_t *req)
{
    log_position_t head = log_head(req, reader->module);
    return live_hub_skip_to(reader->gateway->live, place_of(reader), head) ? head : reader->position;
}

static void hand_out(follower_t *reader, const log_entry_t *entries, size_t count, log_position_t read_to)
{
    live_hub_append(reader->gateway->live, place_of(reader), read_to, entries, count);
}

void live_readers_start(gateway_t *gateway)
{
    for (size_t place = 0; place < gateway->host->module_count; place++) {
        readers[place] = (follower_t){.name = "live_reader",
                                      .gateway = gateway,
                                      .module = gateway->host->modules[place],
                                      .begin = begin_at_head,
                                      .wanted = somebody_follows,
                                      .apply = hand_out};
        follower_start(&readers[place]);
    }
}

bool live_readers_are_well(const gateway_t *gateway)
{
    for (size_t place = 0; place < gateway->host->module_count; place++)
        if (atomic_load(&readers[place].failing_since) != 0)
            return false;
    return true;
}
