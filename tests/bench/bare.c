/*
 * bench_bare PORT THREADS MEMBER DATABASE
 *
 * GET /read/<id> runs forum.item_by_id for MEMBER and answers the row. DATABASE is the path of a SQLite file
 * or the URL of a PostgreSQL database. One h2o loop per thread, each with a listener of its own.
 */
#include "tests/bench/bare.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>

#include "tests/bench/slots.h"

enum { THREADS_MAX = 64, ACCEPT_MAX = 16 };

typedef struct handler {
    h2o_handler_t super;
    const bare_source_t *source;
} handler_t;

const statement_t *bare_statement;
uuid_t bare_member;

static h2o_globalconf_t config;
static const bare_source_t *source;
static const char *address;
static uint16_t port;
static _Thread_local bare_thread_t *here;

static int on_request(h2o_handler_t *self, h2o_req_t *request)
{
    const size_t length = UUID_TEXT_SIZE - 1;
    h2o_iovec_t path = request->path_normalized;
    uuid_t id;

    (void)self;
    if (path.len < length || !uuid_parse((str_t){path.base + path.len - length, length}, &id))
        return -1;
    source->read(here->source, request, &id);
    return 0;
}

static void on_accept(h2o_socket_t *listener, const char *error)
{
    if (error)
        return;
    for (int count = 0; count < ACCEPT_MAX; count++) {
        h2o_socket_t *socket = h2o_evloop_socket_accept(listener);
        if (!socket)
            return;
        h2o_accept(&here->accept, socket);
    }
}

static int listen_here(void)
{
    struct sockaddr_in place = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(file, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(file, (struct sockaddr *)&place, sizeof place) != 0 || listen(file, 1024) != 0)
        give_up("bench_bare", "the port cannot be listened on");
    return file;
}

static void *thread_main(void *arg)
{
    bare_thread_t *thread = here = arg;

    thread->loop = h2o_evloop_create();
    h2o_context_init(&thread->context, thread->loop, &config);
    thread->accept = (h2o_accept_ctx_t){.ctx = &thread->context, .hosts = config.hosts};
    thread->source = source->open(thread, address);
    h2o_socket_t *listener = h2o_evloop_socket_create(thread->loop, listen_here(), H2O_SOCKET_FLAG_DONT_READ);
    h2o_socket_read_start(listener, on_accept);
    while (h2o_evloop_run(thread->loop, INT32_MAX) == 0 || errno == EINTR)
        ;
    return NULL;
}

static void configure(void)
{
    h2o_config_init(&config);
    h2o_hostconf_t *host = h2o_config_register_host(&config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/read", 0);
    h2o_create_handler(path, sizeof(handler_t))->on_req = on_request;
}

int main(int count, char **words)
{
    static bare_thread_t threads[THREADS_MAX];

    if (count != 5 || !uuid_parse(str_from(words[3]), &bare_member))
        give_up("usage", "bench_bare PORT THREADS MEMBER DATABASE");
    signal(SIGPIPE, SIG_IGN);
    port = (uint16_t)strtoul(words[1], NULL, 10);
    const unsigned long wanted = strtoul(words[2], NULL, 10);
    const size_t thread_count = wanted < 1 ? 1 : wanted > THREADS_MAX ? THREADS_MAX : wanted;
    address = words[4];
    source = strncmp(address, "postgres", 8) == 0 ? &bare_postgres : &bare_sqlite;
    bare_statement = statement_named(forum_statements, forum_statement_count, "forum.item_by_id");
    configure();
    for (size_t place = 0; place < thread_count; place++)
        if (pthread_create(&threads[place].id, NULL, thread_main, &threads[place]) != 0)
            give_up("bench_bare", "a thread cannot be started");
    for (size_t place = 0; place < thread_count; place++)
        pthread_join(threads[place].id, NULL);
    return 0;
}
