/*
 * What h2o leaves open: connections are counted and named here, and cut when they flood with requests that
 * they take back (CVE-2023-44487) or whose headers are too large, send a request too slowly, or do not take
 * their answer.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "gateway/gateway.h"
#include "gateway/live.h"

enum {
    FAULTS_MOST = 300,       /* requests taken back at once, */
    FAULTS_PER_SECOND = 100, /* and how fast that is forgotten */
    OVERSIZED_FAULTS = 75,   /* as many of them is one request with too many headers */
};

static const int64_t receive_most_us = 10 * SECOND_US;
static const int64_t stall_most_us = 20 * SECOND_US;
static const int64_t slowest_bytes_per_second = 1024;
static const size_t unsent_most = 64 * 1024 * 1024; /* of each thread */

/* ---- connections ---- */

static void on_socket_closed(void *arg)
{
    connection_t *connection = arg;
    gateway_thread_t *thread = connection->thread;
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        thread->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    atomic_fetch_sub_explicit(&thread->gateway->connections, 1, memory_order_relaxed);
    if (!connection->by_proxy)
        room_give(thread->gateway->connection_room, str_from(connection->place));
    free(connection);
}

static struct in6_addr peer_of(h2o_socket_t *socket)
{
    struct sockaddr_storage storage = {0};
    h2o_socket_getpeername(socket, (struct sockaddr *)&storage);
    if (storage.ss_family == AF_INET6)
        return ((const struct sockaddr_in6 *)&storage)->sin6_addr;
    return address_mapped(&((const struct sockaddr_in *)&storage)->sin_addr);
}

static bool has_room(const connection_t *connection)
{
    gateway_t *gateway = connection->thread->gateway;
    const settings_t *settings = &gateway->settings;
    return connection->by_proxy || room_take(gateway->connection_room, str_from(connection->place),
                                             settings->limit_scale ? settings->connections_per_address : 0);
}

bool connection_add(gateway_thread_t *thread, h2o_socket_t *socket)
{
    connection_t *connection = memory_new(sizeof *connection);
    connection->thread = thread;
    connection->socket = socket;
    connection->peer = peer_of(socket);
    connection->by_proxy = proxies_include(&thread->gateway->proxies, &connection->peer);
    limits_name_place(&connection->peer, connection->place);
    if (!has_room(connection)) {
        free(connection);
        return false;
    }
    connection->next = thread->connections;
    if (connection->next)
        connection->next->previous = connection;
    thread->connections = connection;
    atomic_fetch_add_explicit(&thread->gateway->connections, 1, memory_order_relaxed);
    socket->on_close.cb = on_socket_closed;
    socket->on_close.data = connection;
    return true;
}

connection_t *connection_of(const h2o_req_t *h2o)
{
    return h2o->conn->callbacks->get_socket(h2o->conn)->on_close.data;
}

/* h2o hears of it at its next read or write, and cleans up in its own time. */
void connection_cut(connection_t *connection, const char *why)
{
    if (connection->cut)
        return;
    connection->cut = true;
    count_one(connection->thread, COUNT_CUT);
    logline(LINE_INFO, "connection_cut", "reason", why, NULL);
    shutdown(h2o_socket_get_fd(connection->socket), SHUT_RDWR);
}

/* ---- floods ---- */

static void add_faults(connection_t *connection, int64_t count, const char *why)
{
    int64_t now = clock_monotonic();
    int64_t forgotten = (now - connection->faults_at) * FAULTS_PER_SECOND / SECOND_US;
    connection->faults = forgotten < connection->faults ? connection->faults - forgotten : 0;
    connection->faults_at = now;
    connection->faults += count;
    if (connection->faults >= FAULTS_MOST)
        connection_cut(connection, why);
}

/* A request was taken back: while we worked on it, or with its answer not yet on its way. */
void guard_gone(connection_t *connection, const h2o_req_t *h2o)
{
    count_one(connection->thread, COUNT_GONE);
    if (h2o->version >= 0x200)
        add_faults(connection, 1, "it takes back too many requests");
}

/* HPACK makes a thousand headers of a thousand bytes, and h2o keeps them until the answer is taken. */
void guard_oversized(connection_t *connection, const h2o_req_t *h2o)
{
    if (h2o->version >= 0x200)
        add_faults(connection, OVERSIZED_FAULTS, "its requests have too many headers");
}

/* ---- slow ones ---- */

static bool is_receiving(const h2o_req_t *h2o)
{
    return h2o->processed_at.at.tv_sec == 0 && h2o->timestamps.request_begin_at.tv_sec != 0;
}

static int64_t age_of(const h2o_req_t *h2o)
{
    const struct timeval *begun = &h2o->timestamps.request_begin_at;
    return clock_now() - (begun->tv_sec * SECOND_US + begun->tv_usec);
}

/* The time for a whole request, however it trickles. */
static int cut_slow_sender(h2o_req_t *h2o, void *arg)
{
    (void)arg;
    if (is_receiving(h2o) && age_of(h2o) > receive_most_us)
        connection_cut(connection_of(h2o), "its request does not come to an end");
    return 0;
}

static uint64_t bytes_acknowledged(const connection_t *connection)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    if (getsockopt(h2o_socket_get_fd(connection->socket), IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
        return 0;
    return info.tcpi_bytes_acked;
}

static bool is_stalled(exchange_t *exchange, int64_t now)
{
    uint64_t acknowledged = bytes_acknowledged(exchange->connection);
    if (acknowledged != exchange->acknowledged)
        exchange->progress_at = now;
    exchange->acknowledged = acknowledged;
    int64_t whole = stall_most_us + (int64_t)exchange->size * SECOND_US / slowest_bytes_per_second;
    return now - exchange->progress_at > stall_most_us || now - exchange->answered_at > whole;
}

/* In the order of their answers: the first that is recent ends the look. */
static void cut_slow_readers(gateway_thread_t *thread, int64_t now)
{
    for (exchange_t *exchange = thread->sending.first; exchange; exchange = exchange->next) {
        if (now - exchange->answered_at < SECOND_US)
            return;
        if (is_stalled(exchange, now))
            connection_cut(exchange->connection, "it does not take its answer");
    }
}

/* A client may ask for much, let the window of HTTP/2 shut and say something now and then. Who has kept us
 * waiting longest goes when all together keep too much. */
void guard_bound_unsent(gateway_thread_t *thread)
{
    size_t left = thread->unsent;
    for (exchange_t *exchange = thread->sending.first; exchange && left > unsent_most;
         exchange = exchange->next) {
        left -= exchange_unsent(exchange);
        connection_cut(exchange->connection, "it does not take its answer, and others need the room");
    }
}

void guard_look(gateway_thread_t *thread, int64_t now)
{
    h2o_globalconf_t *config = &thread->gateway->config;
    config->http1.callbacks.foreach_request(&thread->context, cut_slow_sender, NULL);
    config->http2.callbacks.foreach_request(&thread->context, cut_slow_sender, NULL);
    cut_slow_readers(thread, now);
}

/* ---- stopping ---- */

static int mark_busy(h2o_req_t *h2o, void *arg)
{
    (void)arg;
    if (h2o->timestamps.request_begin_at.tv_sec != 0)
        connection_of(h2o)->busy = true;
    return 0;
}

/* Neither a request that has begun, nor an answer that is being written, nor bytes that we have not read. */
static bool is_idle(const connection_t *connection)
{
    int unread = 0;
    return !connection->busy && !h2o_socket_is_writing(connection->socket) &&
           ioctl(h2o_socket_get_fd(connection->socket), FIONREAD, &unread) == 0 && unread == 0;
}

void guard_close_idle(gateway_thread_t *thread, bool all)
{
    h2o_globalconf_t *config = &thread->gateway->config;
    for (connection_t *connection = thread->connections; connection; connection = connection->next)
        connection->busy = false;
    config->http1.callbacks.foreach_request(&thread->context, mark_busy, NULL);
    config->http2.callbacks.foreach_request(&thread->context, mark_busy, NULL);
    for (connection_t *connection = thread->connections; connection; connection = connection->next)
        if (all || is_idle(connection))
            shutdown(h2o_socket_get_fd(connection->socket), SHUT_RDWR);
}
