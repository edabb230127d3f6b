/* The JSON reader and writer: what is JSON is read exactly, what is not is refused wherever it breaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/http/json.h"

static arena_t *arena;

static int open_arena(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* A copy without anything behind it, so that the sanitizers see a read past the end. */
static str_t exact(str_t text)
{
    char *copy = arena_alloc(arena, text.length);

    memcpy(copy, text.at, text.length);
    return (str_t){copy, text.length};
}

static bool is_json(str_t text)
{
    json_reader_t reader;

    json_reader_init(&reader, arena, exact(text));
    const bool skipped = json_skip(&reader);
    const bool whole = skipped && json_end(&reader);
    assert_true(whole || reader.error != NULL);
    return whole;
}

static void assert_int(const char *text, int64_t expected)
{
    json_reader_t reader;
    int64_t value = 4711;

    json_reader_init(&reader, arena, exact(str_from(text)));
    if (!json_read_int(&reader, &value) || !json_end(&reader))
        fail_msg("%s is not read: %s", text, reader.error);
    assert_int_equal(value, expected);
}

static void assert_no_int(const char *text)
{
    json_reader_t reader;
    int64_t value;

    json_reader_init(&reader, arena, exact(str_from(text)));
    if (json_read_int(&reader, &value))
        fail_msg("%s is read as %lld", text, (long long)value);
    assert_non_null(reader.error);
}

static void integers_are_read_exactly_in_any_notation(void **state)
{
    (void)state;
    assert_int("0", 0);
    assert_int("-0", 0);
    assert_int("1.0", 1);
    assert_int("1e3", 1000);
    assert_int("1.50e1", 15);
    assert_int("0.001e3", 1);
    assert_int("-12300e-2", -123);
    assert_int("0e999999999999", 0);
    assert_int("0.000", 0);
    assert_int("9223372036854775807", INT64_MAX);
    assert_int("-9223372036854775808", INT64_MIN);
    assert_int("922337203685477580.7e1", INT64_MAX);
    assert_int("1000000000000000000000000e-20", 10000);
    assert_int("9007199254740993", INT64_C(9007199254740993));
}

static void what_is_no_int64_is_refused_as_one(void **state)
{
    (void)state;
    const char *const refused[] = {
        "1.5",   "1e-1", "9223372036854775808",   "-9223372036854775809",         "99999999999999999999",
        "1e400", "1e19", "-1e999999999999999999", "1.00000000000000000000000001", "1e-400",
        "\"1\"", "null"};

    for (size_t index = 0; index < COUNT_OF(refused); index++)
        assert_no_int(refused[index]);
}

static void what_is_no_json_is_refused(void **state)
{
    (void)state;
    const char *const refused[] = {
        "",
        " ",
        "nul",
        "truex",
        "True",
        "+1",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x10",
        "NaN",
        "Infinity",
        "-Infinity",
        "[",
        "]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1,,2]",
        "{",
        "}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{1:2}",
        "{,}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "[1}",
        "{\"a\":1]",
        "\"",
        "\"a",
        "\"\\",
        "\"\\\"",
        "'a'",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\t\"",
        "\"\n\"",
        "1 2",
        "{} {}",
        "[] 1",
        "/**/1",
        "1//",
        "\xef\xbb\xbf[]",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\ud800x\"",
        "\"\\udc00\\ud800\"",
        "\"\\ud83d\\",
        "\"\x80\"",
        "\"\xc0\xaf\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xf8\x88\x80\x80\x80\"",
        "\"\xe2\x82\"",
        "\"\xff\"",
    };

    for (size_t index = 0; index < COUNT_OF(refused); index++)
        if (is_json(str_from(refused[index])))
            fail_msg("%s is taken for JSON", refused[index]);
    assert_false(is_json((str_t){"\"a\0b\"", 5}));
    assert_false(is_json((str_t){"1\0", 2}));
}

static void what_is_json_is_passed_over_whole(void **state)
{
    (void)state;
    const char *const taken[] = {"null",
                                 " true ",
                                 "\t[ ]\r\n",
                                 "{ }",
                                 "[[],{},[{}]]",
                                 "{\"a\":{\"b\":[1,-2.5e+10,\"x\"]},\"\":null}",
                                 "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u20ac\\ud83d\\ude00\"",
                                 "\"€😀नमस्ते\"",
                                 "1e400",
                                 "-0.0"};

    for (size_t index = 0; index < COUNT_OF(taken); index++)
        if (!is_json(str_from(taken[index])))
            fail_msg("%s is refused", taken[index]);
}

static void a_text_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    const str_t whole = STR(
        "{\"title\":\"a \\u20ac \\ud83d\\ude00 नम \\n\",\"n\":[-12.5e+3,true,false,null],\"o\":{\"p\":{}}}");

    assert_true(is_json(whole));
    for (size_t length = 0; length < whole.length; length++)
        assert_false(is_json((str_t){whole.at, length}));
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    char text[JSON_DEPTH_MAX * 2 + 2];

    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    assert_true(is_json((str_t){text, JSON_DEPTH_MAX * 2}));
    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    assert_false(is_json((str_t){text, JSON_DEPTH_MAX * 2 + 2}));

    const size_t deep = 1000000;
    char *brackets = arena_alloc(arena, deep);
    memset(brackets, '[', deep);
    assert_false(is_json((str_t){brackets, deep}));
}

static void strings_are_unescaped_and_end_in_nul(void **state)
{
    (void)state;
    json_reader_t reader;
    str_t value;

    json_reader_init(&reader, arena,
                     STR("\"q\\\" b\\\\ s\\/ \\b\\f\\n\\r\\t \\u0041\\u00e9\\u20AC\\uD83D\\uDE00 end\""));
    assert_true(json_read_string(&reader, &value));
    assert_string_equal(value.at, "q\" b\\ s/ \b\f\n\r\t Aé€😀 end");
    assert_int_equal(value.length, strlen(value.at));
    json_reader_init(&reader, arena, STR("\"plain\"x"));
    assert_true(json_read_string(&reader, &value));
    assert_string_equal(value.at, "plain");
    assert_false(json_end(&reader));
}

static void errors_say_where(void **state)
{
    (void)state;
    json_reader_t reader;

    json_reader_init(&reader, arena, STR("{\n  \"a\": 1,\n  \"b\": tru\n}"));
    assert_false(json_skip(&reader));
    assert_int_equal(json_line(&reader), 3);
    assert_int_equal(json_column(&reader), 8);
}

static void an_error_stays(void **state)
{
    (void)state;
    json_reader_t reader;
    bool value;

    json_reader_init(&reader, arena, STR("1"));
    assert_false(json_read_bool(&reader, &value));
    int64_t number;
    assert_false(json_read_int(&reader, &number));
    assert_false(json_end(&reader));
    assert_string_equal(reader.error, "there should be true or false");
}

static void the_writer_places_commas_and_escapes(void **state)
{
    (void)state;
    json_writer_t writer;
    const uuid_t id = {
        {0x01, 0x89, 0x0a, 0x5d, 0xac, 0x96, 0x77, 0x4b, 0xbc, 0xce, 0xb3, 0x02, 0x09, 0x9a, 0x80, 0x57}};

    json_writer_init(&writer, arena, 0);
    json_object_open(&writer);
    json_name(&writer, STR("text"));
    json_string(&writer, STR("a\"b\\c\n\x01\x1f/é😀"));
    json_name(&writer, STR("none"));
    json_string(&writer, STR_NONE);
    json_name(&writer, STR("list"));
    json_array_open(&writer);
    json_int(&writer, INT64_MIN);
    json_int(&writer, INT64_MAX);
    json_int(&writer, 0);
    json_bool(&writer, true);
    json_bool(&writer, false);
    json_null(&writer);
    json_array_open(&writer);
    json_array_close(&writer);
    json_object_open(&writer);
    json_object_close(&writer);
    json_array_close(&writer);
    json_name(&writer, STR("id"));
    json_uuid(&writer, &id);
    json_name(&writer, STR("no_id"));
    json_uuid(&writer, &UUID_NONE);
    json_name(&writer, STR("time"));
    json_time(&writer, 0);
    json_name(&writer, STR("raw"));
    json_raw(&writer, STR("{\"x\":1}"));
    json_object_close(&writer);
    assert_string_equal(
        json_text(&writer).at,
        "{\"text\":\"a\\\"b\\\\c\\n\\u0001\\u001f/é😀\",\"none\":null,\"list\":[-9223372036854775808,"
        "9223372036854775807,0,true,false,null,[],{}],\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\","
        "\"no_id\":null,\"time\":\"1970-01-01T00:00:00.000000Z\",\"raw\":{\"x\":1}}");
}

static void the_writer_makes_invalid_utf8_valid(void **state)
{
    (void)state;
    json_writer_t writer;

    json_writer_init(&writer, arena, 0);
    json_string(&writer, STR("a\xff"
                             "b\xe2\x82"
                             "c\xed\xa0\x80"
                             "d\xc3"));
    const str_t text = json_text(&writer);
    assert_true(utf8_valid(text, NULL));
    assert_string_equal(text.at, "\"a\xef\xbf\xbd"
                                 "b\xef\xbf\xbd\xef\xbf\xbd"
                                 "c\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                                 "d\xef\xbf\xbd\"");
}

static void what_is_written_is_read_back_whatever_its_size(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 7, 8, 9, 63, 64, 65, 1000, 40000};
    const str_t pieces[] = {STR("a"), STR("\x01"), STR("\""), STR("é"), STR("😀"), STR("\\")};

    for (size_t size = 0; size < COUNT_OF(sizes); size++)
        for (size_t piece = 0; piece < COUNT_OF(pieces); piece++) {
            char *text = arena_alloc(arena, sizes[size] * 4 + 8);
            str_t value = {text, 0}, back;
            for (size_t count = 0; count < sizes[size]; count++) {
                const str_t added = pieces[count % 3 ? piece : 0];
                memcpy(text + value.length, added.at, added.length);
                value.length += added.length;
            }
            json_writer_t writer;
            json_reader_t reader;
            json_writer_init(&writer, arena, 0);
            json_string(&writer, value);
            json_reader_init(&reader, arena, exact(json_text(&writer)));
            assert_true(json_read_string(&reader, &back) && json_end(&reader));
            assert_true(str_equal(back, value));
        }
}

static void code_points_are_counted(void **state)
{
    (void)state;
    size_t count = 0;

    assert_true(utf8_valid(STR("abcdefghi é€😀 klmnopqrst"), &count));
    assert_int_equal(count, 24);
    assert_true(utf8_valid(STR(""), &count));
    assert_int_equal(count, 0);
    assert_true(utf8_valid(STR_NONE, &count));
    assert_false(utf8_valid(STR("abcdefgh\xc3"), &count));
    assert_false(utf8_valid(STR("\xed\xbf\xbf"), NULL));
    assert_false(utf8_valid(STR("\xe0\x9f\xbf"), NULL));
    assert_false(utf8_valid(STR("\xf0\x8f\xbf\xbf"), NULL));
    assert_false(utf8_valid(STR("\xc1\xbf"), NULL));
    assert_true(utf8_valid(STR("\xef\xbf\xbf\xf4\x8f\xbf\xbf"), &count));
    assert_int_equal(count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_read_exactly_in_any_notation),
        cmocka_unit_test(what_is_no_int64_is_refused_as_one),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(what_is_json_is_passed_over_whole),
        cmocka_unit_test(a_text_cut_at_any_byte_is_refused),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(strings_are_unescaped_and_end_in_nul),
        cmocka_unit_test(errors_say_where),
        cmocka_unit_test(an_error_stays),
        cmocka_unit_test(the_writer_places_commas_and_escapes),
        cmocka_unit_test(the_writer_makes_invalid_utf8_valid),
        cmocka_unit_test(what_is_written_is_read_back_whatever_its_size),
        cmocka_unit_test(code_points_are_counted),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
