/*
 * The keys that sign access tokens, and the secret that guards cursors. One ES256 key signs; older ones
 * verify until they are retired. They live in <data>/keys, one PEM file per key (mode 0600) named by its kid,
 * besides `secret`. Rotation: `folkmoot keys rotate` adds a key; running processes notice within a minute,
 * publish it, and sign with it from its not-before time on (a minute later), so that everybody who fetched
 * the JWKS knows it.
 */
#ifndef FOLKMOOT_KEYRING_H
#define FOLKMOOT_KEYRING_H

#include "core/runtime/req.h"

typedef struct keyring keyring_t;

/* Opens <data>/keys, making the first key and the secret when there is none. NULL with *error. */
keyring_t *keyring_open(str_t data, arena_t *arena, str_t *error);
void keyring_close(keyring_t *keyring);
bool keyring_rotate(str_t data, arena_t *arena, str_t *kid, str_t *error) MUST_CHECK; /* adds a key file */
bool keyring_reload(keyring_t *keyring,
                    str_t *error) MUST_CHECK;           /* looks at the folder again; a static error text */
str_t keyring_jwks(keyring_t *keyring, arena_t *arena); /* RFC 7517 */
const uint8_t *keyring_secret(keyring_t *keyring);      /* 32 bytes, for cursors and the like */

#endif
