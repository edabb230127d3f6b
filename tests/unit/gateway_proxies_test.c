/* Which proxies are believed, and whom they are taken to call for. */
#include <arpa/inet.h>

#include "gateway/gateway.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { LISTS_MOST = 4 };

static arena_t *arena;
static proxies_t proxies;

static int open_arena(void **state)
{
    (void)state;
    arena = arena_new();
    proxies = (proxies_t){.count = 0};
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void trust(const char *list)
{
    str_t error = STR_NONE;
    assert_true(proxies_read(&proxies, str_from(list), arena, &error));
}

static struct in6_addr address_of(const char *text)
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, text, &four) == 1)
        return address_mapped(&four);
    assert_int_equal(inet_pton(AF_INET6, text, &six), 1);
    return six;
}

static bool is_trusted(const char *text)
{
    struct in6_addr address = address_of(text);
    return proxies_include(&proxies, &address);
}

/* The headers come in this order, from a proxy at 10.0.0.1. */
static void expect_client(const char *client, const char *const *lists)
{
    h2o_header_t entries[LISTS_MOST] = {0};
    h2o_headers_t headers = {.entries = entries};
    for (; lists[headers.size]; headers.size++) {
        entries[headers.size].name = (h2o_iovec_t *)&H2O_TOKEN_X_FORWARDED_FOR->buf;
        entries[headers.size].value = h2o_iovec_init(lists[headers.size], strlen(lists[headers.size]));
    }
    struct in6_addr found = address_of("10.0.0.1"), wanted = address_of(client);
    proxies_find_client(&proxies, &headers, &found);
    if (!IN6_ARE_ADDR_EQUAL(&found, &wanted))
        print_error("%s: not taken for %s\n", lists[0], client);
    assert_true(IN6_ARE_ADDR_EQUAL(&found, &wanted));
}

#define EXPECT_CLIENT(client, ...) expect_client(client, (const char *const[]){__VA_ARGS__, NULL})

static void networks_hold_their_addresses(void **state)
{
    (void)state;
    trust("10.0.0.0/8  192.0.2.7 2001:db8::/33\t172.16.8.0/21 ::1");
    const char *const in[] = {"10.0.0.0",          "10.255.255.255", "192.0.2.7", "2001:db8:7fff::1",
                              "::ffff:172.16.9.1", "172.16.15.255",  "::1"};
    const char *const out[] = {"11.0.0.0",   "9.255.255.255", "192.0.2.8", "2001:db8:8000::1",
                               "172.16.7.1", "172.16.16.0",   "::2",       "::a00:1"};
    for (size_t place = 0; place < COUNT_OF(in); place++)
        assert_true(is_trusted(in[place]));
    for (size_t place = 0; place < COUNT_OF(out); place++)
        assert_false(is_trusted(out[place]));
}

static void nobody_is_trusted_at_first(void **state)
{
    (void)state;
    trust("");
    assert_false(is_trusted("127.0.0.1"));
    assert_false(is_trusted("::"));
    trust("0.0.0.0/0");
    assert_true(is_trusted("127.0.0.1"));
    assert_false(is_trusted("2001:db8::1"));
}

static void what_is_no_network_is_named(void **state)
{
    (void)state;
    const char *const wrong[] = {"10.0.0.0/33",
                                 "10.0.0.0/",
                                 "10.0.0.0/-1",
                                 "10.0.0/8",
                                 "localhost",
                                 "::1/129",
                                 "/8",
                                 "1.2.3.4/8/8",
                                 "10.0.0.0/99999999999999999999",
                                 "10.0.0.1,10.0.0.2",
                                 "10.0.0.1:80",
                                 "[::1]"};
    for (size_t place = 0; place < COUNT_OF(wrong); place++) {
        str_t error = STR_NONE;
        assert_false(proxies_read(&proxies, str_from(wrong[place]), arena, &error));
        assert_non_null(strstr(error.at, wrong[place]));
    }
}

static void there_are_not_more_than_fit(void **state)
{
    (void)state;
    str_t list = STR(""), error;
    for (int place = 0; place < PROXIES_MOST; place++)
        list = arena_printf(arena, "%s 10.0.0.%d", list.at, place);
    trust(list.at);
    assert_false(proxies_read(&proxies, STR("10.0.1.1"), arena, &error));
}

static void the_client_is_the_last_whom_we_do_not_trust(void **state)
{
    (void)state;
    trust("10.0.0.0/8 2001:db8:ffff::/48");
    EXPECT_CLIENT("192.0.2.1", "192.0.2.1");
    EXPECT_CLIENT("192.0.2.1", " 203.0.113.9 , 192.0.2.1\t");
    EXPECT_CLIENT("192.0.2.1", "203.0.113.9,192.0.2.1,10.1.2.3, 2001:db8:ffff::7");
    EXPECT_CLIENT("192.0.2.1", "203.0.113.9", "192.0.2.1", "10.1.2.3");
    EXPECT_CLIENT("192.0.2.1", "192.0.2.1:4711");
    EXPECT_CLIENT("192.0.2.1", "::ffff:192.0.2.1");
    EXPECT_CLIENT("2001:db8::1", "2001:db8::1");
    EXPECT_CLIENT("2001:db8::1", "192.0.2.1, [2001:db8::1]:4711");
    EXPECT_CLIENT("10.9.9.9", "10.9.9.9, 10.1.2.3"); /* all of ours: somebody within */
}

static void what_cannot_be_read_ends_the_way(void **state)
{
    (void)state;
    trust("10.0.0.0/8");
    EXPECT_CLIENT("10.0.0.1", "");
    EXPECT_CLIENT("10.0.0.1", "unknown");
    EXPECT_CLIENT("10.0.0.1", "192.0.2.1,");
    EXPECT_CLIENT("10.0.0.1", "192.0.2.1, ,");
    EXPECT_CLIENT("10.2.2.2", "192.0.2.1, unknown, 10.2.2.2");
    EXPECT_CLIENT("10.0.0.1", "192.0.2.1 198.51.100.1");
    EXPECT_CLIENT("10.0.0.1", "[2001:db8::1");
    EXPECT_CLIENT("10.0.0.1", "fe80::1%eth0");
    EXPECT_CLIENT("10.0.0.1", "1111111111111111111111111111111111111111111111111111111111111111");
    EXPECT_CLIENT("192.0.2.1", "garbage, 192.0.2.1");
}

static void only_so_many_hops_are_followed(void **state)
{
    (void)state;
    str_t list = STR("192.0.2.1");
    trust("10.0.0.0/8");
    for (int hop = 99; hop >= 0; hop--)
        list = arena_printf(arena, "%s, 10.0.1.%d", list.at, hop);
    EXPECT_CLIENT("10.0.1.15", list.at);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_arena, close_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(networks_hold_their_addresses),
        TEST(nobody_is_trusted_at_first),
        TEST(what_is_no_network_is_named),
        TEST(there_are_not_more_than_fit),
        TEST(the_client_is_the_last_whom_we_do_not_trust),
        TEST(what_cannot_be_read_ends_the_way),
        TEST(only_so_many_hops_are_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
