/*
 * Fuzzes what the gateway itself reads of a request's head: its lines, whom a proxy calls for, the trace it
 * belongs to. Whatever a client writes, the address that a trusted proxy adds behind it is the client's.
 */
#include <arpa/inet.h>

#include "gateway/gateway.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct in6_addr address_of(const char *text)
{
    struct in_addr four;
    if (inet_pton(AF_INET, text, &four) != 1)
        abort();
    return address_mapped(&four);
}

static struct in6_addr client_of(const proxies_t *proxies, str_t list)
{
    h2o_header_t entry = {.name = (h2o_iovec_t *)&H2O_TOKEN_X_FORWARDED_FOR->buf,
                          .value = {(char *)list.at, list.length}};
    h2o_headers_t headers = {.entries = &entry, .size = 1};
    struct in6_addr client = address_of("10.0.0.1");
    proxies_find_client(proxies, &headers, &client);
    return client;
}

static void take_forwarded(arena_t *arena, str_t text)
{
    static const char *const added[] = {"192.0.2.7", "192.0.2.7, 10.1.2.3"};
    proxies_t proxies = {.count = 0}, others = {.count = 0};
    struct in6_addr wanted = address_of("192.0.2.7");
    str_t error;
    if (!proxies_read(&proxies, STR("10.0.0.0/8"), arena, &error))
        abort();
    client_of(&proxies, text);
    for (size_t place = 0; place < COUNT_OF(added); place++) {
        struct in6_addr client =
            client_of(&proxies, arena_printf(arena, "%.*s,%s", STR_ARGS(text), added[place]));
        if (!IN6_ARE_ADDR_EQUAL(&client, &wanted))
            abort();
    }
    if (proxies_read(&others, text, arena, &error))
        proxies_include(&others, &wanted);
}

static void take_trace(str_t text)
{
    char trace[56];
    trace_parent_make(trace, text, "018f0000-0000-7000-8000-00000000beef");
    if (!trace_parent_valid(str_from(trace)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *arena = arena_new();
    str_t text = arena_str(arena, (str_t){(const char *)data, size});

    framing_broken((str_t){(const char *)data, size}, 0x101);
    take_trace((str_t){(const char *)data, size});
    take_forwarded(arena, str_from(text.at));
    arena_free(arena);
    return 0;
}
