/* The heads of HTTP/1 that two readers could take for two requests. */
#include "gateway/gateway.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { VERSION_1_0 = 0x100, VERSION_1_1 = 0x101 };

static void expect_sound(const char *head, int version)
{
    const char *broken = framing_broken(str_from(head), version);
    if (broken)
        print_error("%s: %s\n", head, broken);
    assert_null(broken);
}

static void expect_broken(const char *head, int version, const char *because)
{
    const char *broken = framing_broken(str_from(head), version);
    if (broken == NULL)
        print_error("%s is taken for sound\n", head);
    assert_non_null(broken);
    assert_non_null(strstr(broken, because));
}

static void usual_heads_are_sound(void **state)
{
    (void)state;
    expect_sound("GET / HTTP/1.1\r\nHost: a\r\n\r\n", VERSION_1_1);
    expect_sound("\r\nGET / HTTP/1.1\r\nhost:\r\n\r\n", VERSION_1_1);
    expect_sound("GET / HTTP/1.0\r\n\r\n", VERSION_1_0);
    expect_sound("GET / HTTP/1.1\nHOST: a\nAccept: b\n\n", VERSION_1_1);
    expect_sound("POST / HTTP/1.1\r\nContent-Length: 2\r\nHost: a\r\nContent-Type: b\r\n\r\n{}", VERSION_1_1);
    expect_sound("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", VERSION_1_1);
    expect_sound("POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}", VERSION_1_0);
}

static void what_follows_the_head_is_not_looked_at(void **state)
{
    (void)state;
    expect_sound("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nHost: b\r\n", VERSION_1_1);
    expect_sound("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", VERSION_1_1);
    expect_sound("POST / HTTP/1.1\r\nHost: a\r\n\r\n folded\r\n", VERSION_1_1);
}

static void a_body_has_one_length(void **state)
{
    (void)state;
    expect_broken("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\ncontent-length: 3\r\n\r\n", VERSION_1_1,
                  "once");
    expect_broken("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n", VERSION_1_1,
                  "once");
    expect_broken("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
                  VERSION_1_1, "once");
    expect_broken("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: a\r\nTRANSFER-ENCODING: x\r\n\r\n",
                  VERSION_1_1, "once");
    expect_broken("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", VERSION_1_0, "HTTP/1.0");
}

static void a_request_has_one_host(void **state)
{
    (void)state;
    expect_broken("GET / HTTP/1.1\r\n\r\n", VERSION_1_1, "Host");
    expect_broken("GET / HTTP/1.1\r\nAccept: b\r\n\r\n", VERSION_1_1, "Host");
    expect_broken("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", VERSION_1_1, "Host");
    expect_broken("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", VERSION_1_0, "Host");
}

static void a_header_is_one_line(void **state)
{
    (void)state;
    expect_broken("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", VERSION_1_1, "second line");
    expect_broken("GET / HTTP/1.1\r\nHost: a\r\nAccept:\r\n\tb\r\n\r\n", VERSION_1_1, "second line");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_heads_are_sound), cmocka_unit_test(what_follows_the_head_is_not_looked_at),
        cmocka_unit_test(a_body_has_one_length), cmocka_unit_test(a_request_has_one_host),
        cmocka_unit_test(a_header_is_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
