/*
 * A follower keeps up with the log of one module for this process alone: it has no position in a database,
 * begins where it likes, and looks when the bus says that the log has grown, or every half second.
 */
#ifndef FOLKMOOT_FOLLOWER_H
#define FOLKMOOT_FOLLOWER_H

#include "gateway/gateway.h"

typedef struct follower follower_t;

struct follower {
    const char *name; /* a literal: its fiber's */
    gateway_t *gateway;
    const module_t *module;
    log_position_t (*begin)(follower_t *follower, req_t *req);
    bool (*wanted)(follower_t *follower); /* NULL: always; while not, it passes over what comes */
    void (*apply)(follower_t *follower, const log_entry_t *entries, size_t count, log_position_t read_to);

    /* Private. */
    log_position_t position;
    bool begun, nudged;
    fiber_t *fiber;
    bus_subscription_t *subscription;
    _Atomic int64_t failing_since; /* µs UTC; 0: well */
    atomic_bool caught_up;         /* has been at the end once */
};

void follower_start(follower_t *follower); /* on the loop that it shall run on */
bool follower_is_well(follower_t *follower);

#endif
