/* Hashing and random bytes: thin names over libsodium, so that one file knows which primitive serves which
 * purpose. */
#ifndef FOLKMOOT_CRYPTO_H
#define FOLKMOOT_CRYPTO_H

#include "core/runtime/config.h"
#include "core/runtime/req.h"

void crypto_start(void); /* once, before anything else here; ends the process when there is no randomness */

void random_bytes(void *out, size_t size);

/* BLAKE2b, 32 bytes; keyed when key_size > 0 (16..64). */
typedef struct hash {
    uint8_t bytes[32];
} hash_t;
hash_t hash_of(str_t text);
hash_t hash_keyed(const void *key, size_t key_size, str_t text);

bool equal_in_constant_time(const void *left, const void *right, size_t size);

/* base64url without padding (RFC 4648 §5). Decoding is strict: no padding, no white space, no stray bits. */
str_t base64url_encode(arena_t *arena, const void *bytes, size_t size);
bool base64url_decode(arena_t *arena, str_t text, str_t *bytes) MUST_CHECK;

/* Authenticated encryption (XChaCha20-Poly1305) under a 32-byte key; the nonce is random and stands in front.
 */
str_t seal(arena_t *arena, const uint8_t key[32], str_t plain);
bool unseal(arena_t *arena, const uint8_t key[32], str_t sealed, str_t *plain) MUST_CHECK;

/* Argon2id in the host's password pool (bounded memory: pool threads × identity.password_memory). May wait.
 * Ends in BUSY when the pool's queue is full, TIMED_OUT, CLIENT_GONE. */
str_t password_hash(req_t *req, str_t password);
bool password_matches(req_t *req, str_t hash,
                      str_t password); /* a STR_NONE hash takes as long and never matches */
bool password_needs_rehash(req_t *req, str_t hash);

/* What a password hash costs: identity.password_memory, identity.password_passes. Needed by the three above.
 */
extern const config_option_t crypto_options[];
extern const size_t crypto_option_count;

#endif
