/* For tests of keys and tokens: a data folder that goes away again, and tokens with any header, any claims
 * and any signature. */
#ifndef FOLKMOOT_TOKEN_FORGE_H
#define FOLKMOOT_TOKEN_FORGE_H

#include <ftw.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/crypto/crypto.h"
#include "core/crypto/keys.h"

static inline int folder_remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static inline void folder_remove(const char *path)
{
    nftw(path, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A new empty folder; `path` has room for 64. */
static inline bool folder_make(char path[64])
{
    const char *parent = getenv("TMPDIR");

    snprintf(path, 64, "%s/folkmoot-test-XXXXXX", parent && strlen(parent) < 32 ? parent : "/tmp");
    return mkdtemp(path) != NULL;
}

/* "header.payload" in base64url of any text. */
static inline str_t forge_input(arena_t *arena, str_t header, str_t payload)
{
    return arena_printf(arena, "%s.%s", base64url_encode(arena, header.at, header.length).at,
                        base64url_encode(arena, payload.at, payload.length).at);
}

static inline str_t forge_join(arena_t *arena, str_t input, const void *signature, size_t size)
{
    return arena_printf(arena, "%s.%s", input.at, base64url_encode(arena, signature, size).at);
}

/* An ES256 signature by that private key, whatever the header says. */
static inline str_t forge_es256(arena_t *arena, const signing_key_t *key, str_t header, str_t payload)
{
    str_t input = forge_input(arena, header, payload);
    BIO *bio = BIO_new_mem_buf(key->private_pem, (int)key->private_length);
    EVP_PKEY *pair = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t der[128], raw[64];
    size_t size = sizeof der;

    EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, pair);
    EVP_DigestSign(context, der, &size, (const uint8_t *)input.at, input.length);
    const uint8_t *at = der;
    ECDSA_SIG *parts = d2i_ECDSA_SIG(NULL, &at, (long)size);
    BN_bn2binpad(ECDSA_SIG_get0_r(parts), raw, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(parts), raw + 32, 32);
    ECDSA_SIG_free(parts);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pair);
    BIO_free(bio);
    return forge_join(arena, input, raw, sizeof raw);
}

/* An HMAC signature with that secret. */
static inline str_t forge_hs256(arena_t *arena, str_t secret, str_t header, str_t payload)
{
    str_t input = forge_input(arena, header, payload);
    uint8_t mac[32];
    unsigned size = sizeof mac;

    HMAC(EVP_sha256(), secret.at, (int)secret.length, (const uint8_t *)input.at, input.length, mac, &size);
    return forge_join(arena, input, mac, size);
}

#endif
