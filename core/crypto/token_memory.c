/*
 * What a process remembers of tokens: those it has verified, and the sessions that were revoked. Of a token
 * it keeps a keyed hash and the claims, never the text. Both tables are in shards with a mutex each, of a
 * size that is fixed from the start.
 */
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/crypto/crypto.h"
#include "core/crypto/token.h"
#include "core/runtime/panic.h"

enum {
    SHARDS = 16,
    WAYS = 8, /* places that a token may have: a full group forgets the one that expires first */
    DIGEST_SIZE = crypto_shorthash_siphashx24_BYTES,
    REVOKED_PER_SHARD = 4096, /* places; half of them are used at most */
};

typedef struct remembered {
    uint8_t digest[DIGEST_SIZE];
    token_claims_t claims; /* expires_at 0: the place is free */
} remembered_t;

typedef struct revoked {
    uuid_t session; /* none: the place is free */
    int64_t until;
} revoked_t;

typedef struct token_shard {
    _Alignas(64) pthread_mutex_t mutex;
    remembered_t *tokens;
    size_t group_count; /* groups of WAYS */
    revoked_t *revoked;
    size_t revoked_count;
} token_shard_t;

struct token_memory {
    token_shard_t shards[SHARDS];
    uint8_t key[crypto_shorthash_siphashx24_KEYBYTES];
    /* Were there ever more revoked sessions than fit, all tokens issued until then count as revoked: those
     * who still have a session get a new one without noticing, and nobody who has none comes back. */
    atomic_int_fast64_t refused_until;
    atomic_bool any_revoked;
};

token_memory_t *token_memory_new(size_t tokens_max)
{
    token_memory_t *memory = aligned_alloc(_Alignof(token_memory_t), sizeof *memory);
    size_t groups = tokens_max / (SHARDS * WAYS) + 1;

    if (!memory)
        panic("There is no memory for the tokens.");
    memset(memory, 0, sizeof *memory);
    random_bytes(memory->key, sizeof memory->key);
    atomic_init(&memory->refused_until, INT64_MIN);
    for (size_t i = 0; i < SHARDS; i++) {
        token_shard_t *shard = &memory->shards[i];
        pthread_mutex_init(&shard->mutex, NULL);
        shard->group_count = groups;
        shard->tokens = memory_new(groups * WAYS * sizeof(remembered_t));
        shard->revoked = memory_new(REVOKED_PER_SHARD * sizeof(revoked_t));
    }
    return memory;
}

void token_memory_free(token_memory_t *memory)
{
    if (!memory)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        free(memory->shards[i].tokens);
        free(memory->shards[i].revoked);
        pthread_mutex_destroy(&memory->shards[i].mutex);
    }
    sodium_memzero(memory->key, sizeof memory->key);
    free(memory);
}

/* ---- verified tokens ---- */

typedef struct token_place {
    token_shard_t *shard;
    size_t group_seed;
    uint8_t digest[DIGEST_SIZE];
} token_place_t;

static token_place_t place_of(token_memory_t *memory, str_t token)
{
    token_place_t place;
    uint64_t half;

    crypto_shorthash_siphashx24(place.digest, (const uint8_t *)token.at, token.length, memory->key);
    memcpy(&half, place.digest, sizeof half);
    place.shard = &memory->shards[half % SHARDS];
    place.group_seed = (size_t)(half / SHARDS);
    return place;
}

static remembered_t *group_of(const token_place_t *place)
{
    return &place->shard->tokens[place->group_seed % place->shard->group_count * WAYS];
}

static bool recall(const token_place_t *place, token_claims_t *claims)
{
    bool found = false;

    pthread_mutex_lock(&place->shard->mutex);
    const remembered_t *group = group_of(place);
    for (size_t i = 0; i < WAYS && !found; i++) {
        found = group[i].claims.expires_at != 0 && memcmp(group[i].digest, place->digest, DIGEST_SIZE) == 0;
        if (found)
            *claims = group[i].claims;
    }
    pthread_mutex_unlock(&place->shard->mutex);
    return found;
}

static void remember(const token_place_t *place, const token_claims_t *claims)
{
    pthread_mutex_lock(&place->shard->mutex);
    remembered_t *group = group_of(place);
    remembered_t *chosen = group;
    for (size_t i = 1; i < WAYS; i++) {
        if (group[i].claims.expires_at < chosen->claims.expires_at)
            chosen = &group[i];
    }
    for (size_t i = 0; i < WAYS; i++) { /* another thread may have verified it meanwhile */
        if (memcmp(group[i].digest, place->digest, DIGEST_SIZE) == 0)
            chosen = &group[i];
    }
    memcpy(chosen->digest, place->digest, DIGEST_SIZE);
    chosen->claims = *claims;
    pthread_mutex_unlock(&place->shard->mutex);
}

/* ---- revoked sessions: open addressing; a place is freed by building the shard's table anew ---- */

static token_shard_t *shard_of_session(token_memory_t *memory, const uuid_t *session, size_t *start)
{
    uint64_t hash;

    crypto_shorthash((uint8_t *)&hash, session->bytes, sizeof session->bytes, memory->key);
    *start = (size_t)(hash / SHARDS) % REVOKED_PER_SHARD;
    return &memory->shards[hash % SHARDS];
}

/* The session's place, or the free one where it would stand. There always is one. */
static revoked_t *revoked_place(token_shard_t *shard, const uuid_t *session, size_t start)
{
    for (size_t place = start;; place = (place + 1) % REVOKED_PER_SHARD) {
        revoked_t *revoked = &shard->revoked[place];
        if (uuid_is_none(&revoked->session) || uuid_equal(&revoked->session, session))
            return revoked;
    }
}

static void revoked_drop_lapsed(token_memory_t *memory, token_shard_t *shard, int64_t now)
{
    revoked_t *old = shard->revoked;

    shard->revoked = memory_new(REVOKED_PER_SHARD * sizeof(revoked_t));
    shard->revoked_count = 0;
    for (size_t i = 0; i < REVOKED_PER_SHARD; i++) {
        size_t start;
        if (uuid_is_none(&old[i].session) || old[i].until <= now)
            continue;
        (void)shard_of_session(memory, &old[i].session, &start);
        *revoked_place(shard, &old[i].session, start) = old[i];
        shard->revoked_count++;
    }
    free(old);
}

static void revoked_make_room(token_memory_t *memory, token_shard_t *shard)
{
    int64_t now = clock_now();

    if (shard->revoked_count < REVOKED_PER_SHARD / 2)
        return;
    revoked_drop_lapsed(memory, shard, now);
    if (shard->revoked_count < REVOKED_PER_SHARD / 4)
        return;
    atomic_store(&memory->refused_until, now);
    memset(shard->revoked, 0, REVOKED_PER_SHARD * sizeof(revoked_t));
    shard->revoked_count = 0;
}

void token_revoke_session(token_memory_t *memory, const uuid_t *session, int64_t until)
{
    size_t start;

    if (uuid_is_none(session))
        return;
    token_shard_t *shard = shard_of_session(memory, session, &start);
    pthread_mutex_lock(&shard->mutex);
    revoked_make_room(memory, shard);
    revoked_t *revoked = revoked_place(shard, session, start);
    if (uuid_is_none(&revoked->session))
        shard->revoked_count++;
    revoked->session = *session;
    if (until > revoked->until)
        revoked->until = until;
    pthread_mutex_unlock(&shard->mutex);
    atomic_store(&memory->any_revoked, true);
}

static bool is_revoked(token_memory_t *memory, const token_claims_t *claims, int64_t now)
{
    size_t start;

    if (!atomic_load(&memory->any_revoked))
        return false;
    token_shard_t *shard = shard_of_session(memory, &claims->caller.session, &start);
    pthread_mutex_lock(&shard->mutex);
    const revoked_t *revoked = revoked_place(shard, &claims->caller.session, start);
    bool found = !uuid_is_none(&revoked->session) && revoked->until > now;
    pthread_mutex_unlock(&shard->mutex);
    /* Behind the look at the table: it is emptied only after this time was set. */
    return found || claims->issued_at <= atomic_load(&memory->refused_until);
}

size_t token_memory_revoked(token_memory_t *memory)
{
    size_t count = 0;

    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&memory->shards[i].mutex);
        count += memory->shards[i].revoked_count;
        pthread_mutex_unlock(&memory->shards[i].mutex);
    }
    return count;
}

/* ---- both ---- */

token_verdict_t token_check(token_memory_t *memory, keyring_t *keyring, arena_t *arena, str_t token,
                            int64_t now, token_claims_t *claims)
{
    if (token.length == 0 || token.length > TOKEN_SIZE_MAX)
        return TOKEN_MALFORMED;
    token_place_t place = place_of(memory, token);
    if (!recall(&place, claims)) {
        token_verdict_t verdict = token_verify(keyring, arena, token, now, claims);
        if (verdict != TOKEN_VALID)
            return verdict;
        remember(&place, claims);
    }
    if (claims->expires_at <= now)
        return TOKEN_EXPIRED;
    return is_revoked(memory, claims, now) ? TOKEN_REVOKED : TOKEN_VALID;
}
