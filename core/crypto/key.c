/* One signing key, ES256: making it, reading it from PEM, and what others need to verify with it. OpenSSL
 * stays in here. */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <stdio.h>

#include "core/crypto/crypto.h"
#include "core/crypto/keys.h"

enum { POINT_SIZE = 65, COORDINATE_SIZE = 32 }; /* uncompressed: 04, x, y */

#define NOT_BEFORE_US MINUTE_US

static const char *const NOT_A_KEY = "A file in keys/ is not a private P-256 key in PEM; restore it from a "
                                     "backup, or delete it: who signed in with it "
                                     "signs in again.";

bool kid_is_valid(str_t kid)
{
    if (kid.length != KID_LENGTH || kid.at[12] != '-')
        return false;
    for (size_t i = 0; i < kid.length; i++) {
        char c = kid.at[i];
        if (i != 12 && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return false;
    }
    return true;
}

static int64_t time_of_kid(const char *kid)
{
    int64_t milliseconds = 0;

    for (size_t i = 0; i < 12; i++)
        milliseconds = milliseconds * 16 + (kid[i] <= '9' ? kid[i] - '0' : kid[i] - 'a' + 10);
    return milliseconds * MILLISECOND_US;
}

static bool pem_take(BIO *bio, char out[PEM_MAX], size_t *length)
{
    int size = BIO_read(bio, out, PEM_MAX - 1);

    if (size <= 0 || BIO_pending(bio) > 0)
        return false;
    out[size] = '\0';
    *length = (size_t)size;
    return true;
}

static bool pems_of(EVP_PKEY *pair, signing_key_t *key)
{
    BIO *private_bio = BIO_new(BIO_s_secmem()), *public_bio = BIO_new(BIO_s_mem());
    bool done = private_bio && public_bio &&
                PEM_write_bio_PrivateKey(private_bio, pair, NULL, NULL, 0, NULL, NULL) == 1 &&
                PEM_write_bio_PUBKEY(public_bio, pair) == 1 &&
                pem_take(private_bio, key->private_pem, &key->private_length) &&
                pem_take(public_bio, key->public_pem, &key->public_length);

    BIO_free(private_bio);
    BIO_free(public_bio);
    return done;
}

/* The public point of a P-256 pair. */
static bool point_of(EVP_PKEY *pair, uint8_t point[POINT_SIZE])
{
    char group[32];
    size_t size = 0;

    return EVP_PKEY_is_a(pair, "EC") && EVP_PKEY_get_group_name(pair, group, sizeof group, NULL) == 1 &&
           strcmp(group, "prime256v1") == 0 &&
           EVP_PKEY_get_octet_string_param(pair, OSSL_PKEY_PARAM_PUB_KEY, point, POINT_SIZE, &size) == 1 &&
           size == POINT_SIZE && point[0] == 4;
}

static void describe(signing_key_t *key, const uint8_t point[POINT_SIZE], int64_t made)
{
    hash_t hash = hash_of((str_t){(const char *)point, POINT_SIZE});

    snprintf(key->kid, sizeof key->kid, "%012llx-",
             (unsigned long long)(made / MILLISECOND_US) & 0xffffffffffffULL);
    sodium_bin2hex(key->kid + 13, 17, hash.bytes, 8);
    key->not_before = time_of_kid(key->kid) + NOT_BEFORE_US;
    sodium_bin2base64(key->x, sizeof key->x, point + 1, COORDINATE_SIZE,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_bin2base64(key->y, sizeof key->y, point + 1 + COORDINATE_SIZE, COORDINATE_SIZE,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool key_make(signing_key_t *key, int64_t now)
{
    uint8_t point[POINT_SIZE];
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    bool done = pair && point_of(pair, point) && pems_of(pair, key);

    if (done)
        describe(key, point, now);
    EVP_PKEY_free(pair);
    return done;
}

/* Without this OpenSSL asks at the terminal for the password of an encrypted key. */
static int no_password(char *buffer, int size, int writing, void *arg)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

bool key_read(signing_key_t *key, str_t kid, str_t pem, const char **error)
{
    uint8_t point[POINT_SIZE];
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.length);
    EVP_PKEY *pair = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    bool done = pair && point_of(pair, point) && pems_of(pair, key);

    BIO_free(bio);
    EVP_PKEY_free(pair);
    if (!done) {
        *error = NOT_A_KEY;
        return false;
    }
    describe(key, point, time_of_kid(kid.at));
    if (str_equal(str_from(key->kid), kid))
        return true;
    *error = "A file in keys/ holds another key than its name says; give it its name back, or delete it.";
    return false;
}
