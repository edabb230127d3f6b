/*
 * The primitives that everything else is made of: BLAKE2b, random bytes, base64url, XChaCha20-Poly1305. Each
 * is a thin name over libsodium, so that the choice of a primitive stands here and nowhere else. Passwords:
 * password.c.
 */
#include <sodium.h>

#include "core/crypto/crypto.h"
#include "core/runtime/panic.h"

_Static_assert(sizeof(hash_t) == crypto_generichash_BYTES, "a hash is BLAKE2b of 32 bytes");

enum {
    NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    SEAL_SIZE = NONCE_SIZE + crypto_aead_xchacha20poly1305_ietf_ABYTES,
};

void crypto_start(void)
{
    if (sodium_init() < 0)
        panic("The system gives no random bytes.");
}

void random_bytes(void *out, size_t size)
{
    randombytes_buf(out, size);
}

hash_t hash_of(str_t text)
{
    return hash_keyed(NULL, 0, text);
}

hash_t hash_keyed(const void *key, size_t key_size, str_t text)
{
    hash_t hash;

    if (crypto_generichash(hash.bytes, sizeof hash.bytes, (const uint8_t *)text.at, text.length, key,
                           key_size) != 0)
        panic("A key of %zu bytes is too long for a hash.", key_size);
    return hash;
}

bool equal_in_constant_time(const void *left, const void *right, size_t size)
{
    return sodium_memcmp(left, right, size) == 0;
}

str_t base64url_encode(arena_t *arena, const void *bytes, size_t size)
{
    size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *text = arena_alloc(arena, room);

    sodium_bin2base64(text, room, bytes, size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return (str_t){text, room - 1};
}

/* libsodium takes some bytes above 127 for letters. */
static bool is_base64url(str_t text)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];
        if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' &&
            c != '_')
            return false;
    }
    return true;
}

bool base64url_decode(arena_t *arena, str_t text, str_t *bytes)
{
    size_t room = text.length / 4 * 3 + 3;
    size_t size = 0;
    char *out = arena_alloc(arena, room + 1);

    if (!is_base64url(text) || sodium_base642bin((uint8_t *)out, room, text.at, text.length, NULL, &size,
                                                 NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return false;
    out[size] = '\0';
    *bytes = (str_t){out, size};
    return true;
}

str_t seal(arena_t *arena, const uint8_t key[32], str_t plain)
{
    uint8_t *out = arena_alloc(arena, plain.length + SEAL_SIZE + 1);

    randombytes_buf(out, NONCE_SIZE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_SIZE, NULL, (const uint8_t *)plain.at,
                                               plain.length, NULL, 0, NULL, out, key);
    out[plain.length + SEAL_SIZE] = '\0';
    return (str_t){(const char *)out, plain.length + SEAL_SIZE};
}

bool unseal(arena_t *arena, const uint8_t key[32], str_t sealed, str_t *plain)
{
    const uint8_t *in = (const uint8_t *)sealed.at;

    if (sealed.length < SEAL_SIZE)
        return false;
    size_t size = sealed.length - SEAL_SIZE;
    uint8_t *out = arena_alloc(arena, size + 1);

    if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, in + NONCE_SIZE,
                                                   sealed.length - NONCE_SIZE, NULL, 0, in, key) != 0)
        return false;
    out[size] = '\0';
    *plain = (str_t){(const char *)out, size};
    return true;
}
