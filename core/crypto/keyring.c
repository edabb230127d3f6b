/*
 * The keyring: the set of keys that this process uses now, and the secret. Reloading replaces the whole set;
 * whoever still uses the old one keeps it until it is given back.
 */
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#include "core/crypto/keys.h"
#include "core/http/json.h"
#include "core/runtime/panic.h"

struct keyring {
    pthread_mutex_t mutex;
    key_set_t *current;
    char *data;
    uint8_t secret[32];
};

static const char *const CANNOT_MAKE =
    "OpenSSL cannot make a P-256 key; see that libssl3 is whole (apt-get install "
    "--reinstall libssl3).";

/* ---- taking and giving ---- */

key_set_t *keys_take(keyring_t *keyring)
{
    pthread_mutex_lock(&keyring->mutex);
    key_set_t *set = keyring->current;
    atomic_fetch_add_explicit(&set->holders, 1, memory_order_relaxed);
    pthread_mutex_unlock(&keyring->mutex);
    return set;
}

void keys_give(key_set_t *set)
{
    if (!set || atomic_fetch_sub_explicit(&set->holders, 1, memory_order_acq_rel) > 1)
        return;
    sodium_memzero(set->keys, set->count * sizeof set->keys[0]);
    free(set);
}

const signing_key_t *key_find(const key_set_t *set, str_t kid)
{
    for (size_t i = 0; i < set->count; i++) {
        if (str_equal(str_from(set->keys[i].kid), kid))
            return &set->keys[i];
    }
    return NULL;
}

/* The oldest key needs no waiting: there is none that others could know instead. */
const signing_key_t *key_for_signing(const key_set_t *set, int64_t now)
{
    size_t place = set->count - 1;

    while (place > 0 && set->keys[place].not_before > now)
        place--;
    return &set->keys[place];
}

/* ---- opening, rotating, reloading ---- */

static bool key_add(int folder, char kid[KID_LENGTH + 1], const char **error)
{
    signing_key_t key = {0};

    *error = CANNOT_MAKE;
    bool added = key_make(&key, clock_now()) && key_write(folder, &key, error);
    memcpy(kid, key.kid, KID_LENGTH + 1);
    sodium_memzero(&key, sizeof key);
    return added;
}

static key_set_t *set_open(int folder, const char **error)
{
    char kid[KID_LENGTH + 1];
    key_set_t *set = key_set_read(folder, error);

    if (!set || set->count > 0)
        return set;
    keys_give(set);
    return key_add(folder, kid, error) ? key_set_read(folder, error) : NULL;
}

static str_t explain(arena_t *arena, str_t data, const char *error)
{
    return arena_printf(arena, "%s The data folder is %.*s.", error, STR_ARGS(data));
}

keyring_t *keyring_open(str_t data, arena_t *arena, str_t *error)
{
    const char *reason = NULL;
    keyring_t *keyring = memory_new(sizeof *keyring);
    int folder = keys_folder_open(data, &reason);

    if (folder >= 0)
        keyring->current = set_open(folder, &reason);
    bool opened = keyring->current && secret_read(folder, keyring->secret, &reason);
    keys_folder_close(folder);
    if (!opened) {
        *error = explain(arena, data, reason);
        keys_give(keyring->current);
        free(keyring);
        return NULL;
    }
    pthread_mutex_init(&keyring->mutex, NULL);
    keyring->data = memory_new(data.length + 1);
    memcpy(keyring->data, data.at, data.length);
    return keyring;
}

void keyring_close(keyring_t *keyring)
{
    if (!keyring)
        return;
    keys_give(keyring->current);
    pthread_mutex_destroy(&keyring->mutex);
    sodium_memzero(keyring->secret, sizeof keyring->secret);
    free(keyring->data);
    free(keyring);
}

bool keyring_rotate(str_t data, arena_t *arena, str_t *kid, str_t *error)
{
    char made[KID_LENGTH + 1];
    const char *reason = NULL;
    int folder = keys_folder_open(data, &reason);
    bool added = folder >= 0 && key_add(folder, made, &reason);

    keys_folder_close(folder);
    if (added)
        *kid = arena_str(arena, str_from(made));
    else
        *error = explain(arena, data, reason);
    return added;
}

bool keyring_reload(keyring_t *keyring, str_t *error)
{
    const char *reason = NULL;
    int folder = keys_folder_open(str_from(keyring->data), &reason);
    key_set_t *fresh = folder >= 0 ? key_set_read(folder, &reason) : NULL;

    keys_folder_close(folder);
    if (fresh && fresh->count == 0) {
        reason =
            "There is no key in keys/ of the data folder any more; run `folkmoot keys rotate` to make one.";
        keys_give(fresh);
        fresh = NULL;
    }
    if (!fresh) {
        *error = str_from(reason);
        return false;
    }
    pthread_mutex_lock(&keyring->mutex);
    key_set_t *old = keyring->current;
    keyring->current = fresh;
    pthread_mutex_unlock(&keyring->mutex);
    keys_give(old);
    return true;
}

/* ---- what others may see ---- */

static void member(json_writer_t *writer, const char *name, const char *value)
{
    json_name(writer, str_from(name));
    json_string(writer, str_from(value));
}

str_t keyring_jwks(keyring_t *keyring, arena_t *arena)
{
    key_set_t *set = keys_take(keyring);
    json_writer_t writer;

    json_writer_init(&writer, arena, 64 + set->count * 256);
    json_object_open(&writer);
    json_name(&writer, STR("keys"));
    json_array_open(&writer);
    for (size_t i = 0; i < set->count; i++) {
        const signing_key_t *key = &set->keys[i];
        json_object_open(&writer);
        member(&writer, "kty", "EC");
        member(&writer, "crv", "P-256");
        member(&writer, "x", key->x);
        member(&writer, "y", key->y);
        member(&writer, "kid", key->kid);
        member(&writer, "use", "sig");
        member(&writer, "alg", "ES256");
        json_object_close(&writer);
    }
    json_array_close(&writer);
    json_object_close(&writer);
    keys_give(set);
    return json_text(&writer);
}

const uint8_t *keyring_secret(keyring_t *keyring)
{
    return keyring->secret;
}
