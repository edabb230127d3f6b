/*
 * Names of hosts, resolved where it holds nobody up. libpq would look them up in PQconnectStart, which
 * blocks: so a worker does, and libpq is given each address (hostaddr) beside its name (host), which it goes
 * on to hold against the server's certificate and the file of passwords.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>

#include "core/db/postgres.h"
#include "core/runtime/panic.h"

enum { ADDRESSES_MAX = 16 };

static const char *value_of(const connect_parameters_t *parameters, const char *keyword)
{
    for (size_t i = 0; parameters->keywords[i]; i++)
        if (strcmp(parameters->keywords[i], keyword) == 0)
            return parameters->values[i];
    return "";
}

/* ---- lists with commas, as libpq takes them ---- */

static size_t count_items(const char *list)
{
    size_t count = 1;
    for (; *list; list++)
        count += *list == ',';
    return count;
}

/* The item that the list begins with; the list moves behind it, to NULL behind the last. */
static const char *take_item(arena_t *arena, const char **list)
{
    size_t length = strcspn(*list, ",");
    const char *item = arena_str(arena, (str_t){*list, length}).at;
    *list = (*list)[length] == ',' ? *list + length + 1 : NULL;
    return item;
}

/* Neither a folder of sockets nor an address already. */
static bool is_name(const char *host)
{
    struct in6_addr address;
    return *host != '\0' && *host != '/' && *host != '@' && inet_pton(AF_INET, host, &address) != 1 &&
           inet_pton(AF_INET6, host, &address) != 1;
}

/* Another number of ports than of hosts is a mistake that libpq names. */
bool postgres_names_needed(const connect_parameters_t *parameters)
{
    const char *hosts = value_of(parameters, "host");
    size_t ports = count_items(value_of(parameters, "port"));
    if (*value_of(parameters, "hostaddr") || (ports > 1 && ports != count_items(hosts)))
        return false;
    arena_t *arena = arena_new();
    bool needed = false;
    while (hosts && !needed)
        needed = is_name(take_item(arena, &hosts));
    arena_free(arena);
    return needed;
}

/* ---- resolving; on a worker's thread ---- */

static void add(names_t *names, const char *host, const char *address, const char *port)
{
    const char *comma = names->count > 0 ? "," : "";
    names->count++;
    names->host = arena_printf(names->arena, "%s%s%s", names->host, comma, host).at;
    names->address = arena_printf(names->arena, "%s%s%s", names->address, comma, address).at;
    names->port = arena_printf(names->arena, "%s%s%s", names->port, comma, port).at;
}

static void add_addresses(names_t *names, const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int code = getaddrinfo(host, NULL, &hints, &found);
    if (code != 0)
        names->error = arena_printf(names->arena, "the name of its host, %s, cannot be resolved: %s", host,
                                    code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code))
                           .at;
    for (const struct addrinfo *one = found; one && names->count < ADDRESSES_MAX; one = one->ai_next) {
        char address[NI_MAXHOST];
        if (getnameinfo(one->ai_addr, one->ai_addrlen, address, sizeof address, NULL, 0, NI_NUMERICHOST) == 0)
            add(names, host, address, port);
    }
    if (found)
        freeaddrinfo(found);
}

void postgres_names_resolve(void *arg)
{
    names_t *names = arg;
    const char *hosts = names->hosts, *ports = names->ports;
    bool own_ports = count_items(ports) > 1;
    while (hosts && ports) { /* as many ports as hosts, or one for all */
        const char *host = take_item(names->arena, &hosts);
        const char *port = own_ports ? take_item(names->arena, &ports) : ports;
        if (is_name(host))
            add_addresses(names, host, port);
        else
            add(names, host, "", port);
    }
}

/* Copies: the worker may be at it still when the database has been closed. */
names_t postgres_names_of(const connect_parameters_t *parameters)
{
    arena_t *arena = arena_new();
    return (names_t){
        .arena = arena,
        .hosts = arena_str(arena, str_from(value_of(parameters, "host"))).at,
        .ports = arena_str(arena, str_from(value_of(parameters, "port"))).at,
        .host = "",
        .address = "",
        .port = "",
        .error = "the name of its host was not resolved in time",
    };
}

/* ---- connecting ---- */

/* Of a keyword that is there twice libpq takes the last. */
PGconn *postgres_connect_start(const connect_parameters_t *parameters, const names_t *names)
{
    const char *keywords[POSTGRES_KEYWORDS_MAX + 4] = {0}, *values[POSTGRES_KEYWORDS_MAX + 4] = {0};
    size_t count = 0;
    for (; parameters->keywords[count]; count++) {
        keywords[count] = parameters->keywords[count];
        values[count] = parameters->values[count];
    }
    const char *const found[][2] = {{"host", names ? names->host : NULL},
                                    {"hostaddr", names ? names->address : NULL},
                                    {"port", names ? names->port : NULL}};
    for (size_t i = 0; names && i < COUNT_OF(found); i++, count++) {
        keywords[count] = found[i][0];
        values[count] = found[i][1];
    }
    PGconn *link = PQconnectStartParams(keywords, values, 0);
    if (link == NULL)
        panic("no memory for a connection to a database");
    return link;
}
