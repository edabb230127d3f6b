/*
 * Fuzzes the verification of access tokens. The input is taken once as the token itself, and once as its
 * JSON: the header up to the first NUL, the claims behind it. A '@' in the header stands for the kid of a key
 * that exists, so that tokens get as far as the signature. Nothing that was not signed may be valid.
 */
#include <stdlib.h>
#include <unistd.h>

#include "core/crypto/crypto.h"
#include "core/crypto/keys.h"
#include "core/crypto/token.h"
#include "core/runtime/panic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static keyring_t *keyring;
static char kid[KID_LENGTH + 1];

/* The key is made new each time: a token signed elsewhere cannot be in the corpus. */
static void open_keyring(void)
{
    char folder[] = "/tmp/folkmoot-fuzz-XXXXXX";
    arena_t *arena = arena_new();
    str_t error = STR_NONE;

    crypto_start();
    if (!mkdtemp(folder))
        panic("No folder can be made for the keys.");
    keyring = keyring_open(str_from(folder), arena, &error);
    if (!keyring)
        panic("%s", error.at);
    key_set_t *set = keys_take(keyring);
    memcpy(kid, set->keys[0].kid, sizeof kid);
    unlink(arena_printf(arena, "%s/keys/%s.pem", folder, kid).at);
    unlink(arena_printf(arena, "%s/keys/secret", folder).at);
    rmdir(arena_printf(arena, "%s/keys", folder).at);
    rmdir(folder);
    keys_give(set);
    arena_free(arena);
}

static void verify(arena_t *arena, str_t token)
{
    token_claims_t claims;

    if (token_verify(keyring, arena, token, INT64_C(1800000000) * SECOND_US, &claims) == TOKEN_VALID)
        panic("A token that nobody signed is valid.");
}

static str_t with_kid(arena_t *arena, str_t header)
{
    const char *at = header.length ? memchr(header.at, '@', header.length) : NULL;

    if (!at)
        return header;
    size_t before = (size_t)(at - header.at), after = header.length - before - 1;
    char *text = arena_alloc(arena, header.length + KID_LENGTH);
    memcpy(text, header.at, before);
    memcpy(text + before, kid, KID_LENGTH);
    memcpy(text + before + KID_LENGTH, at + 1, after);
    return (str_t){text, before + KID_LENGTH + after};
}

static str_t token_of(arena_t *arena, str_t header, str_t claims)
{
    static const uint8_t signature[64] = {1};

    header = with_kid(arena, header);
    return arena_printf(arena, "%s.%s.%s", base64url_encode(arena, header.at, header.length).at,
                        base64url_encode(arena, claims.at, claims.length).at,
                        base64url_encode(arena, signature, sizeof signature).at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str_t input = {(const char *)data, size};
    const char *end = size ? memchr(data, 0, size) : NULL;

    if (!keyring)
        open_keyring();
    arena_t *arena = arena_new();
    verify(arena, input);
    if (end) {
        size_t length = (size_t)(end - input.at);
        verify(arena, token_of(arena, (str_t){input.at, length}, (str_t){end + 1, size - length - 1}));
    }
    arena_free(arena);
    return 0;
}
