/* What a keyring holds: one set of keys that is never changed, only replaced. Private to core/crypto/. */
#ifndef FOLKMOOT_KEYS_H
#define FOLKMOOT_KEYS_H

#include <stdatomic.h>

#include "core/crypto/keyring.h"

enum {
    KEYS_MAX = 64,
    KID_LENGTH = 12 + 1 + 16, /* milliseconds of its making and a hash of the public key: names sort by age */
    PEM_MAX = 512,
    COORDINATE_MAX = 44,
};

typedef struct signing_key {
    char kid[KID_LENGTH + 1];
    int64_t not_before; /* µs UTC: until then others may not know it */
    size_t private_length, public_length;
    char private_pem[PEM_MAX], public_pem[PEM_MAX];
    char x[COORDINATE_MAX], y[COORDINATE_MAX]; /* base64url */
} signing_key_t;

typedef struct key_set {
    atomic_size_t holders; /* the keyring itself, and each who took it */
    size_t count;
    signing_key_t keys[]; /* oldest first */
} key_set_t;

/* The keyring's present set; whoever takes one gives it back. Any thread. */
key_set_t *keys_take(keyring_t *keyring);
void keys_give(key_set_t *set);

const signing_key_t *key_find(const key_set_t *set, str_t kid);          /* NULL: unknown */
const signing_key_t *key_for_signing(const key_set_t *set, int64_t now); /* the newest that all know */

/* One key: key.c. False when OpenSSL fails or the text is no P-256 private key of that name; *error is
 * static. */
bool key_make(signing_key_t *key, int64_t now) MUST_CHECK;
bool key_read(signing_key_t *key, str_t kid, str_t pem, const char **error) MUST_CHECK;
bool kid_is_valid(str_t kid);

/* Files: key_files.c. Errors are whole sentences with the remedy, static text. */
key_set_t *key_set_new(size_t count); /* held once: by the caller */
int keys_folder_open(str_t data,
                     const char **error); /* <data>/keys, locked; made when missing; -1 with *error */
void keys_folder_close(int folder);
bool key_write(int folder, const signing_key_t *key, const char **error) MUST_CHECK;
key_set_t *key_set_read(int folder, const char **error); /* NULL with *error; may be empty */
bool secret_read(int folder, uint8_t secret[32], const char **error) MUST_CHECK; /* makes it when missing */

#endif
