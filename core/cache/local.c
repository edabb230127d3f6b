/*
 * The cache inside the process: a hash table in shards, each with a mutex and a list from the last used entry
 * to the one used longest ago, which goes first when the shard's share of the bytes is used up. Limits are
 * entries of the same table.
 */
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#include "core/cache/cache.h"
#include "core/crypto/crypto.h"
#include "core/runtime/clock.h"
#include "core/runtime/panic.h"

enum {
    SHARDS = 16,
    KEY_MAX = 128,
    VALUE_MAX = 4096,
    ALLOCATION_COST = 16, /* what malloc adds to a block, about */
    TYPICAL_ENTRY = 256,  /* bytes per entry that the number of chains is made for */
};

typedef enum entry_kind { ENTRY_VALUE, ENTRY_LIMIT } entry_kind_t;

typedef struct entry {
    struct entry *chain;
    struct entry *newer, *older;
    uint64_t hash;
    entry_kind_t kind;
    uint16_t key_length, value_length, value_room;
    union {
        int64_t expires; /* of a value: monotonic µs */
        struct {
            int64_t level, updated, count, window;
        } limit;
    };
    char bytes[]; /* the key, then the value */
} entry_t;

typedef struct shard {
    _Alignas(64) pthread_mutex_t mutex;
    entry_t **chains;
    size_t chain_mask;
    size_t bytes, bytes_max;
    entry_t *newest, *oldest;
} shard_t;

struct cache {
    shard_t shards[SHARDS];
    uint8_t
        hash_key[crypto_shorthash_KEYBYTES]; /* random: nobody outside can make keys that meet in one chain */
};

static size_t chains_for(size_t bytes_max)
{
    size_t count = 64;

    while (count < bytes_max / TYPICAL_ENTRY && count < ((size_t)1 << 20))
        count *= 2;
    return count;
}

cache_t *cache_open(str_t url, size_t bytes_max, str_t *error)
{
    if (!str_equal(url, STR("local:"))) {
        *error = STR("The cache's address must be \"local:\": no other kind is built in.");
        return NULL;
    }
    cache_t *cache = aligned_alloc(_Alignof(cache_t), sizeof *cache);
    if (!cache)
        panic("There is no memory for the cache.");
    memset(cache, 0, sizeof *cache);
    random_bytes(cache->hash_key, sizeof cache->hash_key);
    for (size_t i = 0; i < SHARDS; i++) {
        shard_t *shard = &cache->shards[i];
        size_t chains = chains_for(bytes_max / SHARDS);
        pthread_mutex_init(&shard->mutex, NULL);
        shard->chains = memory_new(chains * sizeof(entry_t *));
        shard->chain_mask = chains - 1;
        shard->bytes_max = bytes_max / SHARDS;
    }
    return cache;
}

void cache_close(cache_t *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        shard_t *shard = &cache->shards[i];
        for (entry_t *entry = shard->newest, *older; entry; entry = older) {
            older = entry->older;
            free(entry);
        }
        free(shard->chains);
        pthread_mutex_destroy(&shard->mutex);
    }
    free(cache);
}

/* ---- the table of a shard; its mutex is held ---- */

static size_t entry_cost(const entry_t *entry)
{
    return sizeof *entry + entry->key_length + entry->value_room + ALLOCATION_COST;
}

static entry_t **chain_of(shard_t *shard, uint64_t hash)
{
    return &shard->chains[(hash / SHARDS) & shard->chain_mask];
}

static void list_take_out(shard_t *shard, entry_t *entry)
{
    *(entry->newer ? &entry->newer->older : &shard->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &shard->oldest) = entry->newer;
}

static void list_put_first(shard_t *shard, entry_t *entry)
{
    entry->newer = NULL;
    entry->older = shard->newest;
    *(shard->newest ? &shard->newest->newer : &shard->oldest) = entry;
    shard->newest = entry;
}

static entry_t *entry_find(shard_t *shard, uint64_t hash, entry_kind_t kind, str_t key)
{
    for (entry_t *entry = *chain_of(shard, hash); entry; entry = entry->chain) {
        if (entry->hash != hash || entry->kind != kind || entry->key_length != key.length ||
            memcmp(entry->bytes, key.at, key.length) != 0)
            continue;
        if (shard->newest != entry) {
            list_take_out(shard, entry);
            list_put_first(shard, entry);
        }
        return entry;
    }
    return NULL;
}

static void entry_drop(shard_t *shard, entry_t *entry)
{
    entry_t **place = chain_of(shard, entry->hash);

    while (*place != entry)
        place = &(*place)->chain;
    *place = entry->chain;
    list_take_out(shard, entry);
    shard->bytes -= entry_cost(entry);
    free(entry);
}

static entry_t *entry_add(shard_t *shard, uint64_t hash, entry_kind_t kind, str_t key, size_t value_room)
{
    entry_t *entry = memory_new(sizeof *entry + key.length + value_room);

    entry->hash = hash;
    entry->kind = kind;
    entry->key_length = (uint16_t)key.length;
    entry->value_room = (uint16_t)value_room;
    if (key.length)
        memcpy(entry->bytes, key.at, key.length);
    entry->chain = *chain_of(shard, hash);
    *chain_of(shard, hash) = entry;
    list_put_first(shard, entry);
    shard->bytes += entry_cost(entry);
    while (shard->bytes > shard->bytes_max && shard->oldest != entry)
        entry_drop(shard, shard->oldest);
    return entry;
}

static shard_t *shard_lock(cache_t *cache, str_t key, uint64_t *hash)
{
    crypto_shorthash((uint8_t *)hash, (const uint8_t *)key.at, key.length, cache->hash_key);
    shard_t *shard = &cache->shards[*hash % SHARDS];
    pthread_mutex_lock(&shard->mutex);
    return shard;
}

/* ---- values ---- */

void cache_set(cache_t *cache, str_t key, str_t value, int64_t lifetime_us)
{
    uint64_t hash;
    int64_t expires;

    if (key.length > KEY_MAX || value.length > VALUE_MAX || lifetime_us <= 0) {
        cache_remove(cache, key); /* at least the value before must not stay */
        return;
    }
    if (__builtin_add_overflow(clock_monotonic(), lifetime_us, &expires))
        expires = NEVER;
    shard_t *shard = shard_lock(cache, key, &hash);
    entry_t *entry = entry_find(shard, hash, ENTRY_VALUE, key);
    if (entry && entry->value_room < value.length) {
        entry_drop(shard, entry);
        entry = NULL;
    }
    if (!entry)
        entry = entry_add(shard, hash, ENTRY_VALUE, key, value.length);
    if (value.length)
        memcpy(entry->bytes + key.length, value.at, value.length);
    entry->value_length = (uint16_t)value.length;
    entry->expires = expires;
    pthread_mutex_unlock(&shard->mutex);
}

bool cache_get(cache_t *cache, arena_t *arena, str_t key, str_t *value)
{
    uint64_t hash;
    int64_t now = clock_monotonic();
    shard_t *shard = shard_lock(cache, key, &hash);
    entry_t *entry = entry_find(shard, hash, ENTRY_VALUE, key);

    if (entry && entry->expires <= now) {
        entry_drop(shard, entry);
        entry = NULL;
    }
    if (entry)
        *value = arena_str(arena, (str_t){entry->bytes + key.length, entry->value_length});
    pthread_mutex_unlock(&shard->mutex);
    return entry != NULL;
}

void cache_remove(cache_t *cache, str_t key)
{
    uint64_t hash;
    shard_t *shard = shard_lock(cache, key, &hash);
    entry_t *entry = entry_find(shard, hash, ENTRY_VALUE, key);

    if (entry)
        entry_drop(shard, entry);
    pthread_mutex_unlock(&shard->mutex);
}

/* ---- limits ----
 *
 * A bucket's level is counted in tokens × µs of the window: a token costs `window`, and each µs that passes
 * brings `count`. So refilling is exact in integers, however odd the rate is. */

static cache_limit_t limit_take(entry_t *entry, int64_t count, int64_t window, int64_t now)
{
    int64_t full = count * window;
    int64_t elapsed = now - entry->limit.updated;

    if (entry->limit.count != count || entry->limit.window != window)
        entry->limit.level = full; /* new, or its limit was changed */
    else if (elapsed >= window)
        entry->limit.level = full;
    else if (elapsed > 0)
        entry->limit.level =
            elapsed * count < full - entry->limit.level ? entry->limit.level + elapsed * count : full;
    entry->limit.count = count;
    entry->limit.window = window;
    if (elapsed > 0)
        entry->limit.updated = now;

    cache_limit_t result = {.allowed = entry->limit.level >= window};
    if (result.allowed)
        entry->limit.level -= window;
    int64_t missing = (result.allowed ? full : window) - entry->limit.level;
    result.left = entry->limit.level / window;
    result.reset_us = missing / count + (missing % count != 0);
    return result;
}

cache_limit_t cache_take(cache_t *cache, str_t key, int64_t count, int64_t window_us)
{
    uint64_t hash;
    hash_t digest;

    if (window_us < 1)
        window_us = 1;
    if (count < 1)
        return (cache_limit_t){.reset_us = window_us};
    if (count > INT64_MAX / window_us)
        count = INT64_MAX / window_us;
    if (key.length > KEY_MAX) { /* a limit must hold for every key */
        digest = hash_of(key);
        key = (str_t){(const char *)digest.bytes, sizeof digest.bytes};
    }
    int64_t now = clock_monotonic();
    shard_t *shard = shard_lock(cache, key, &hash);
    entry_t *entry = entry_find(shard, hash, ENTRY_LIMIT, key);
    if (!entry)
        entry = entry_add(shard, hash, ENTRY_LIMIT, key, 0);
    cache_limit_t result = limit_take(entry, count, window_us, now);
    pthread_mutex_unlock(&shard->mutex);
    return result;
}
