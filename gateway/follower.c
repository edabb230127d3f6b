/* Following a log in a fiber: see follower.h. */
#include "gateway/follower.h"

enum { ENTRIES_PER_READ = 256, SUBJECT_SIZE = 64 };

static const int64_t look_every_us = 500 * MILLISECOND_US;
static const int64_t gather_us = 2 * MILLISECOND_US; /* under load many entries come together */
static const int64_t read_most_us = 10 * SECOND_US;

typedef struct batch {
    follower_t *follower;
    size_t count;
} batch_t;

static void heard(void *arg, str_t payload)
{
    follower_t *follower = arg;
    (void)payload;
    follower->nudged = true;
    if (follower->fiber && (follower->wanted == NULL || follower->wanted(follower)))
        fiber_wake(follower->fiber);
}

static void read_batch(req_t *req, void *arg)
{
    batch_t *batch = arg;
    follower_t *follower = batch->follower;
    log_entry_t *entries = NULL;
    if (!follower->begun || (follower->wanted && !follower->wanted(follower))) {
        log_position_t position = follower->begin(follower, req);
        follower->begun = true;
        if (log_position_compare(position, follower->position) > 0)
            follower->position = position;
        return;
    }
    batch->count = log_read(req, follower->module, follower->position, ENTRIES_PER_READ, &entries);
    if (batch->count == 0)
        return;
    follower->position = entries[batch->count - 1].position;
    follower->apply(follower, entries, batch->count, follower->position);
}

/* True when there may be more at once. */
static bool read_once(follower_t *follower)
{
    batch_t batch = {.follower = follower};
    bool first = !follower->begun;
    req_t *req = req_new(follower->gateway->host, follower->module);
    req->deadline = clock_monotonic() + read_most_us;
    bool good = req_attempt(req, read_batch, &batch);
    if (good) {
        atomic_store(&follower->failing_since, 0);
        if (!first && batch.count < ENTRIES_PER_READ)
            atomic_store(&follower->caught_up, true);
    } else if (atomic_load(&follower->failing_since) == 0) {
        atomic_store(&follower->failing_since, clock_now());
        logline(LINE_WARNING, "follower_failed", "follower", follower->name, "module", follower->module->name,
                "problem", req->problem.kind->code, NULL);
    }
    req_free(req);
    return good && (first || batch.count == ENTRIES_PER_READ);
}

static void follow(void *arg)
{
    follower_t *follower = arg;
    follower->fiber = fiber_self();
    while (!fiber_is_cancelled(follower->fiber)) {
        follower->nudged = false;
        if (read_once(follower) || follower->nudged)
            continue;
        (void)fiber_wait(clock_monotonic() + look_every_us);
        if (follower->nudged)
            (void)fiber_sleep(gather_us);
    }
    follower->fiber = NULL;
    bus_unsubscribe(follower->subscription);
}

void follower_start(follower_t *follower)
{
    char subject[SUBJECT_SIZE];
    snprintf(subject, sizeof subject, "log/%s", follower->module->name);
    follower->subscription =
        bus_subscribe(follower->gateway->host->bus, loop_current(), subject, heard, follower);
    if (!fiber_start(follower->name, follow, follower))
        panic("no memory for the fiber of a follower");
}

bool follower_is_well(follower_t *follower)
{
    return atomic_load(&follower->caught_up) && atomic_load(&follower->failing_since) == 0;
}
