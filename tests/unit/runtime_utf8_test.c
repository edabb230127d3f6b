/* UTF-8: what can be seen. (What is valid is tested with the reading of JSON.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/runtime/utf8.h"

static void letters_signs_and_pictures_are_seen(void **state)
{
    static const char *const seen[] = {"a", " .", "\u200bक", "\u00a0é", "字", "🌍", "\U000e0041x", "\ufffd"};

    (void)state;
    for (size_t place = 0; place < COUNT_OF(seen); place++)
        assert_true(utf8_visible(str_from(seen[place])));
}

static void blanks_and_signs_without_width_are_not(void **state)
{
    static const char *const unseen[] = {
        "",       " ",      "\t\r\n ", "\u00a0\u3000", "\u200b\u200d\u2060\ufeff",
        "\u00ad", "\u3164", "\u2800",  "\U000e0041",   "\u061c\u2028",
        "\ufe0f"};

    (void)state;
    assert_false(utf8_visible(STR_NONE));
    for (size_t place = 0; place < COUNT_OF(unseen); place++)
        assert_false(utf8_visible(str_from(unseen[place])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_signs_and_pictures_are_seen),
        cmocka_unit_test(blanks_and_signs_without_width_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
