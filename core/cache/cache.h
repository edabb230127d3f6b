/*
 * The cache: small values that may be forgotten, and counters for limits. In the process by default (bounded,
 * sharded); shaped so that a Redis twin fits: keys are text, values bytes, everything expires.
 */
#ifndef FOLKMOOT_CACHE_H
#define FOLKMOOT_CACHE_H

#include "core/runtime/arena.h"

typedef struct cache cache_t;

cache_t *cache_open(str_t url, size_t bytes_max, str_t *error); /* "local:" */
void cache_close(cache_t *cache);

/* Any thread. Keys up to 128 bytes, values up to 4 KiB; longer ones are not kept. The oldest go when the
 * bound is reached. */
void cache_set(cache_t *cache, str_t key, str_t value, int64_t lifetime_us);
bool cache_get(cache_t *cache, arena_t *arena, str_t key, str_t *value);
void cache_remove(cache_t *cache, str_t key);

/* A token bucket that holds `count` tokens and refills over `window_us`: takes one. Any thread. */
typedef struct cache_limit {
    bool allowed;
    int64_t left;     /* whole tokens left now */
    int64_t reset_us; /* until it is full again (allowed), or until one token is there (refused) */
} cache_limit_t;

cache_limit_t cache_take(cache_t *cache, str_t key, int64_t count, int64_t window_us);

#endif
