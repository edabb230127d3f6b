/*
 * Listening: addresses from the configuration, one socket per thread and address (the kernel spreads
 * connections over them), accepting, and closing without losing whom the kernel had accepted already.
 */
#include <errno.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "gateway/gateway.h"

enum { ACCEPTS_PER_TURN = 16, ADDRESS_TEXT_MOST = 300, DRAIN_ACCEPTS = LISTEN_BACKLOG };

/* ---- addresses ---- */

static bool refuse_address(gateway_t *gateway, const char *option, str_t text, const char *why, str_t *error)
{
    *error = arena_printf(gateway->arena,
                          "%s: “%.*s” %s. Write address:port, such as 127.0.0.1:8080, [::1]:8080 or *:8080.",
                          option, STR_ARGS(text), why);
    return false;
}

/* "[::1]:80" into "::1" and "80"; "*" becomes the empty host, which is every address. */
static bool split_address(str_t text, char host[ADDRESS_TEXT_MOST], char port[8])
{
    const char *colon = memrchr(text.at, ':', text.length);
    if (colon == NULL || text.length >= ADDRESS_TEXT_MOST)
        return false;
    size_t host_length = (size_t)(colon - text.at), port_length = text.length - host_length - 1;
    const char *host_at = text.at;
    if (host_length >= 2 && host_at[0] == '[' && host_at[host_length - 1] == ']') {
        host_at++;
        host_length -= 2;
    } else if (memchr(host_at, ':', host_length))
        return false;
    if (port_length == 0 || port_length > 5 || (host_length == 0 && host_at == text.at))
        return false;
    bool every = host_length == 1 && host_at[0] == '*';
    memcpy(host, host_at, host_length);
    host[every ? 0 : host_length] = '\0';
    memcpy(port, colon + 1, port_length);
    port[port_length] = '\0';
    return strspn(port, "0123456789") == port_length && strtol(port, NULL, 10) <= 65535;
}

static bool add_address(gateway_t *gateway, const char *option, bool tls, str_t text, str_t *error)
{
    char host[ADDRESS_TEXT_MOST], port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV},
                    *found = NULL;
    if (!split_address(text, host, port))
        return refuse_address(gateway, option, text, "is no address to listen on", error);
    if (gateway->address_count == LISTENERS_MAX)
        return refuse_address(gateway, option, text, "is one address too many", error);
    if (host[0] == '\0')
        hints.ai_family = AF_INET6; /* takes IPv4 too */
    int outcome = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
    if (outcome != 0)
        return refuse_address(gateway, option, text, gai_strerror(outcome), error);
    listen_address_t *address = &gateway->addresses[gateway->address_count++];
    *address = (listen_address_t){
        .length = found->ai_addrlen, .tls = tls, .option = option, .text = arena_str(gateway->arena, text)};
    memcpy(&address->address, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return true;
}

static bool add_addresses(gateway_t *gateway, const char *option, bool tls, str_t *error)
{
    str_t list = config_text(gateway->host->config, option);
    for (size_t from = 0; from < list.length;) {
        size_t length = strcspn(list.at + from, " \t");
        if (length > 0 && !add_address(gateway, option, tls, (str_t){list.at + from, length}, error))
            return false;
        from += length + 1;
    }
    return true;
}

bool listen_addresses(gateway_t *gateway, str_t *error)
{
    if (!add_addresses(gateway, "gateway.listen", false, error) ||
        !add_addresses(gateway, "gateway.listen_tls", true, error))
        return false;
    if (gateway->address_count == 0)
        *error = STR("There is no address to listen on: set gateway.listen or gateway.listen_tls.");
    return gateway->address_count > 0;
}

/* ---- opening ---- */

static int open_socket(const listen_address_t *address, bool shared)
{
    int on = 1;
    int file = socket(address->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (file < 0)
        return -1;
    setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (shared)
        setsockopt(file, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* what is accepted inherits it */
    if (bind(file, (const struct sockaddr *)&address->address, address->length) == 0 &&
        listen(file, LISTEN_BACKLOG) == 0)
        return file;
    int reason = errno;
    close(file);
    errno = reason;
    return -1;
}

static bool refuse_listening(gateway_t *gateway, const listen_address_t *address, str_t *error)
{
    const char *remedy = "Choose another address";
    if (errno == EADDRINUSE)
        remedy = "Another program answers there: stop it, or choose another port";
    else if (errno == EACCES)
        remedy =
            "Ports below 1024 need a privilege (CAP_NET_BIND_SERVICE): grant it, or choose a higher port";
    *error = arena_printf(gateway->arena, "Cannot listen on %s: %s. %s with %s.", address->text.at,
                          strerror(errno), remedy, address->option);
    return false;
}

/* Sockets that share a port would also share it with another process of the same user: the first one tries
 * alone. */
static bool is_free(const listen_address_t *address)
{
    int file = open_socket(address, false);
    if (file >= 0)
        close(file);
    return file >= 0;
}

bool listen_open(gateway_thread_t *thread, str_t *error)
{
    gateway_t *gateway = thread->gateway;
    for (size_t place = 0; place < gateway->address_count; place++) {
        listen_address_t *address = &gateway->addresses[place];
        int file = thread->index > 0 || is_free(address) ? open_socket(address, true) : -1;
        if (file < 0)
            return refuse_listening(gateway, address, error);
        getsockname(file, (struct sockaddr *)&address->address,
                    &address->length); /* port 0 becomes a real one */
        thread->listener_files[place] = file;
    }
    return true;
}

/* ---- accepting ---- */

static void accept_one(listener_t *listener, h2o_socket_t *socket)
{
    gateway_t *gateway = listener->thread->gateway;
    bool full = atomic_load_explicit(&gateway->connections, memory_order_relaxed) >=
                gateway->settings.connections_max;
    bool taken = !full && connection_add(listener->thread, socket);
    count_accepted(listener->thread, !taken);
    if (taken)
        h2o_accept(&listener->accept, socket);
    else
        h2o_socket_close(socket);
}

static void on_accept(h2o_socket_t *socket, const char *error)
{
    listener_t *listener = socket->data;
    h2o_socket_t *accepted;
    if (error)
        return;
    for (int count = 0; count < ACCEPTS_PER_TURN && (accepted = h2o_evloop_socket_accept(socket)) != NULL;
         count++)
        accept_one(listener, accepted);
}

void listen_start(gateway_thread_t *thread)
{
    gateway_t *gateway = thread->gateway;
    for (size_t place = 0; place < gateway->address_count; place++) {
        listener_t *listener = &thread->listeners[place];
        listener->thread = thread;
        listener->accept = (h2o_accept_ctx_t){.ctx = &thread->context,
                                              .hosts = gateway->config.hosts,
                                              .ssl_ctx = gateway->addresses[place].tls ? gateway->ssl : NULL};
        listener->socket = h2o_evloop_socket_create(thread->evloop, thread->listener_files[place],
                                                    H2O_SOCKET_FLAG_DONT_READ);
        listener->socket->data = listener;
        h2o_socket_read_start(listener->socket, on_accept);
    }
}

/* From here on the kernel drops what would open a connection: the caller tries again and is then refused. Who
 * had begun to open one still gets in. */
void listen_refuse_new(gateway_thread_t *thread)
{
    enum { FLAGS_AT = 13, SYN = 2 }; /* in the header of TCP, where the filter's data begins */
    struct sock_filter drop_syn[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_AT),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    struct sock_fprog program = {.len = COUNT_OF(drop_syn), .filter = drop_syn};
    for (size_t place = 0; place < thread->gateway->address_count; place++) {
        int file = h2o_socket_get_fd(thread->listeners[place].socket);
        if (setsockopt(file, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0)
            logline(LINE_WARNING, "listener_not_drained", "reason", strerror(errno), NULL);
    }
}

/* Whom the kernel has let in already is taken over before the socket goes. */
void listen_close(gateway_thread_t *thread)
{
    for (size_t place = 0; place < thread->gateway->address_count; place++) {
        listener_t *listener = &thread->listeners[place];
        h2o_socket_t *accepted;
        if (listener->socket == NULL)
            continue;
        for (int count = 0;
             count < DRAIN_ACCEPTS && (accepted = h2o_evloop_socket_accept(listener->socket)) != NULL;
             count++)
            accept_one(listener, accepted);
        h2o_socket_close(listener->socket);
        listener->socket = NULL;
    }
}
