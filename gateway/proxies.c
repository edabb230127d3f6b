/*
 * Who calls through a proxy. X-Forwarded-For says so, and anybody can write it: only what a proxy that we
 * trust has added is believed. Each adds whom it heard at the right end, so the list is read from there, past
 * those that we trust, to the first whom we do not.
 */
#include <arpa/inet.h>

#include "gateway/gateway.h"

enum { HOPS_MOST = 16, MAPPED_BITS = 96, ADDRESS_BITS = 128 };

struct in6_addr address_mapped(const struct in_addr *four)
{
    struct in6_addr six = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    memcpy(&six.s6_addr[12], four, sizeof *four);
    return six;
}

static bool parse_address(str_t text, struct in6_addr *address, bool *is_four)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr four;
    if (text.length == 0 || text.length >= sizeof copy)
        return false;
    memcpy(copy, text.at, text.length);
    copy[text.length] = '\0';
    *is_four = inet_pton(AF_INET, copy, &four) == 1;
    if (*is_four)
        *address = address_mapped(&four);
    return *is_four || inet_pton(AF_INET6, copy, address) == 1;
}

/* ---- those that we trust ---- */

static bool parse_bits(str_t text, unsigned most, unsigned *bits)
{
    *bits = 0;
    for (size_t place = 0; place < text.length && *bits <= most; place++) {
        if (text.at[place] < '0' || text.at[place] > '9')
            return false;
        *bits = *bits * 10 + (unsigned)(text.at[place] - '0');
    }
    return text.length > 0 && *bits <= most;
}

/* "10.0.0.0/8", or an address, which is a network of one. */
static bool parse_network(str_t text, network_t *network)
{
    const char *slash = memchr(text.at, '/', text.length);
    str_t address = {text.at, slash ? (size_t)(slash - text.at) : text.length};
    bool is_four;
    if (!parse_address(address, &network->address, &is_four))
        return false;
    unsigned before = is_four ? MAPPED_BITS : 0, bits = ADDRESS_BITS - before;
    if (slash && !parse_bits((str_t){slash + 1, text.length - address.length - 1}, bits, &bits))
        return false;
    network->bits = before + bits;
    return true;
}

bool proxies_read(proxies_t *proxies, str_t list, arena_t *arena, str_t *error)
{
    for (size_t from = 0; from < list.length;) {
        str_t text = {list.at + from, strcspn(list.at + from, " \t")};
        from += text.length + 1;
        if (text.length == 0)
            continue;
        if (proxies->count < PROXIES_MOST && parse_network(text, &proxies->networks[proxies->count++]))
            continue;
        *error =
            arena_printf(arena,
                         "gateway.trusted_proxies: “%.*s” is no address or network, or one too many (%d). "
                         "Write such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32, separated by blanks.",
                         STR_ARGS(text), PROXIES_MOST);
        return false;
    }
    return true;
}

static bool is_in(const network_t *network, const struct in6_addr *address)
{
    unsigned bytes = network->bits / 8, rest = network->bits % 8;
    if (memcmp(network->address.s6_addr, address->s6_addr, bytes) != 0)
        return false;
    return rest == 0 || (network->address.s6_addr[bytes] ^ address->s6_addr[bytes]) >> (8 - rest) == 0;
}

bool proxies_include(const proxies_t *proxies, const struct in6_addr *address)
{
    for (size_t place = 0; place < proxies->count; place++)
        if (is_in(&proxies->networks[place], address))
            return true;
    return false;
}

/* ---- whom they call for ---- */

/* "192.0.2.7", "192.0.2.7:4711", "2001:db8::1" or "[2001:db8::1]:4711". */
static str_t without_port(str_t text)
{
    const char *end = NULL;
    if (text.length > 0 && text.at[0] == '[') {
        end = memchr(text.at, ']', text.length);
        return end ? (str_t){text.at + 1, (size_t)(end - text.at) - 1} : STR_NONE;
    }
    const char *colon = memchr(text.at, ':', text.length);
    if (colon && colon == memrchr(text.at, ':', text.length))
        text.length = (size_t)(colon - text.at);
    return text;
}

static bool is_blank(char character)
{
    return character == ' ' || character == '\t';
}

/* The last of a list, which is taken off. */
static str_t take_last(str_t *list)
{
    const char *comma = memrchr(list->at, ',', list->length);
    size_t begin = comma ? (size_t)(comma - list->at) + 1 : 0;
    str_t last = {list->at + begin, list->length - begin};
    list->length = comma ? begin - 1 : 0;
    for (; last.length > 0 && is_blank(last.at[0]); last.length--)
        last.at++;
    while (last.length > 0 && is_blank(last.at[last.length - 1]))
        last.length--;
    return last;
}

/* From `client`, whom we trust, to the one whom it heard; false at the end of the way. What cannot be read is
 * as good as not there: whoever let it pass is then the client. */
static bool step_back(const proxies_t *proxies, str_t *list, struct in6_addr *client)
{
    struct in6_addr before;
    bool is_four;
    if (!parse_address(without_port(take_last(list)), &before, &is_four))
        return false;
    *client = before;
    return proxies_include(proxies, client);
}

void proxies_find_client(const proxies_t *proxies, const h2o_headers_t *headers, struct in6_addr *client)
{
    size_t hops = 0;
    for (size_t place = headers->size; place > 0; place--) {
        const h2o_header_t *header = &headers->entries[place - 1];
        if (header->name != &H2O_TOKEN_X_FORWARDED_FOR->buf)
            continue;
        str_t list = {header->value.base, header->value.len};
        while (list.length > 0)
            if (hops++ == HOPS_MOST || !step_back(proxies, &list, client))
                return;
    }
}
