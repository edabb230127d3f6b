/* Hashes, random bytes, base64url and sealed text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka's; ours has another meaning */

#include "core/crypto/crypto.h"

static arena_t *arena;

static int begin(void **state)
{
    (void)state;
    crypto_start();
    arena = arena_new();
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void hash_is_blake2b_of_32_bytes(void **state)
{
    static const uint8_t of_abc[] = {0xbd, 0xdd, 0x81, 0x3c, 0x63, 0x42, 0x39, 0x72, 0x31, 0x71, 0xef,
                                     0x3f, 0xee, 0x98, 0x57, 0x9b, 0x94, 0x96, 0x4e, 0x3b, 0xb1, 0xcb,
                                     0x3e, 0x42, 0x72, 0x62, 0xc8, 0xc0, 0x68, 0xd5, 0x23, 0x19};
    hash_t hash = hash_of(STR("abc"));

    (void)state;
    assert_memory_equal(hash.bytes, of_abc, sizeof of_abc);
}

static void keyed_hash_depends_on_the_key(void **state)
{
    uint8_t key[32] = {1}, other[32] = {2};
    hash_t first = hash_keyed(key, sizeof key, STR("text")),
           second = hash_keyed(other, sizeof other, STR("text"));
    hash_t again = hash_keyed(key, sizeof key, STR("text")), bare = hash_of(STR("text"));

    (void)state;
    assert_memory_equal(first.bytes, again.bytes, 32);
    assert_memory_not_equal(first.bytes, second.bytes, 32);
    assert_memory_not_equal(first.bytes, bare.bytes, 32);
}

static void random_bytes_differ_each_time(void **state)
{
    uint8_t first[32], second[32];

    (void)state;
    random_bytes(first, sizeof first);
    random_bytes(second, sizeof second);
    assert_memory_not_equal(first, second, 32);
}

static void base64url_round_trips_every_length(void **state)
{
    uint8_t bytes[70];

    (void)state;
    random_bytes(bytes, sizeof bytes);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        str_t text = base64url_encode(arena, bytes, size), back;
        assert_int_equal(text.length, (size * 4 + 2) / 3);
        assert_int_equal(text.at[text.length], '\0');
        assert_true(base64url_decode(arena, text, &back));
        assert_int_equal(back.length, size);
        assert_memory_equal(back.at, bytes, size);
    }
}

static void base64url_uses_the_url_alphabet(void **state)
{
    (void)state;
    assert_string_equal(base64url_encode(arena, "\xfb\xff\xfe", 3).at, "-__-");
}

static void base64url_refuses_anything_loose(void **state)
{
    static const char *const wrong[] = {"YQ==", "YQ=",  "Y",    "YR",      "YW\n", " YWE",
                                        "YWE ", "YW E", "+/+/", "YWF\x80", "YWE=", "A"};
    str_t bytes;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(base64url_decode(arena, str_from(wrong[i]), &bytes));
    assert_false(base64url_decode(arena, (str_t){"YW\0E", 4}, &bytes));
}

static void sealed_text_opens_with_its_key_alone(void **state)
{
    uint8_t key[32] = {7}, other[32] = {8};
    str_t plain = STR("what nobody else may read"), opened;
    str_t sealed = seal(arena, key, plain);

    (void)state;
    assert_true(unseal(arena, key, sealed, &opened));
    assert_true(str_equal(opened, plain));
    assert_false(unseal(arena, other, sealed, &opened));
    assert_false(str_equal(seal(arena, key, plain), sealed));
}

static void sealed_text_shows_any_change(void **state)
{
    uint8_t key[32] = {7};
    str_t sealed = seal(arena, key, STR("text")), opened;

    (void)state;
    for (size_t i = 0; i < sealed.length; i++) {
        char *changed = (char *)arena_str(arena, sealed).at;
        changed[i] ^= 1;
        assert_false(unseal(arena, key, (str_t){changed, sealed.length}, &opened));
    }
    for (size_t length = 0; length < sealed.length; length++)
        assert_false(unseal(arena, key, (str_t){sealed.at, length}, &opened));
}

static void empty_text_can_be_sealed(void **state)
{
    uint8_t key[32] = {7};
    str_t opened;

    (void)state;
    assert_true(unseal(arena, key, seal(arena, key, STR("")), &opened));
    assert_int_equal(opened.length, 0);
}

static void comparing_in_constant_time_compares(void **state)
{
    (void)state;
    assert_true(equal_in_constant_time("abc", "abc", 3));
    assert_false(equal_in_constant_time("abc", "abd", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_is_blake2b_of_32_bytes),
        cmocka_unit_test(keyed_hash_depends_on_the_key),
        cmocka_unit_test(random_bytes_differ_each_time),
        cmocka_unit_test(base64url_round_trips_every_length),
        cmocka_unit_test(base64url_uses_the_url_alphabet),
        cmocka_unit_test(base64url_refuses_anything_loose),
        cmocka_unit_test(sealed_text_opens_with_its_key_alone),
        cmocka_unit_test(sealed_text_shows_any_change),
        cmocka_unit_test(empty_text_can_be_sealed),
        cmocka_unit_test(comparing_in_constant_time_compares),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
