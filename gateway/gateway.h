/*
 * What the gateway's files share. h2o's types stop in this folder; h2o.h comes before core's headers, since
 * base.h forbids functions that it uses.
 *
 * Life of a request: request.c takes it from h2o as an exchange, takes it apart and runs its operation in a
 * fiber; answer.c gives the reply to h2o; guard.c sees that neither side holds it for ever.
 */
#ifndef FOLKMOOT_GATEWAY_H
#define FOLKMOOT_GATEWAY_H

#include <h2o.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "core/bus/bus.h"
#include "core/cache/cache.h"
#include "core/crypto/crypto.h"
#include "core/crypto/keyring.h"
#include "core/crypto/token.h"
#include "core/host.h"
#include "core/module.h"
#include "core/runtime/logline.h"
#include "core/runtime/panic.h"

enum {
    LISTENERS_MAX = 16,
    LISTEN_BACKLOG = 4096,
    PROXIES_MOST = 64,
    SERVED_MAX = MODULES_MAX + 1, /* the modules, and the gateway's own operations */
    LIMITS_PER_REQUEST = 2,       /* by class, and by operation */
    POLICY_SIZE = 160,
    TARGET_MOST = 4096,
    HEADERS_MOST = 16 * 1024,
    HEADER_COUNT_MOST = 100, /* as h2o bounds it for HTTP/1 */
};

typedef struct gateway gateway_t;
typedef struct room room_t;
typedef struct gateway_thread gateway_thread_t;
typedef struct connection connection_t;
typedef struct exchange exchange_t;
typedef struct live_hub live_hub_t;
typedef struct live_loop live_loop_t;
typedef struct files files_t;
typedef struct counters counters_t;

typedef enum access_lines { LINES_ERRORS, LINES_ALL, LINES_NONE } access_lines_t;

/* The gateway's options, read once. */
typedef struct settings {
    unsigned threads;
    size_t body_max;
    int64_t limit_scale; /* percent; 0: no limits */
    size_t connections_max, connections_per_address, live_max, live_per_person, live_per_address;
    access_lines_t access_lines;
    bool public_reading;
    bool tls; /* whether TLS is listened for: then browsers are told to stay with it */
    str_t community_name;
} settings_t;

/* Addresses of version 4 stand as ::ffff:192.0.2.7 everywhere. */
typedef struct network {
    struct in6_addr address;
    unsigned bits;
} network_t;

typedef struct proxies {
    network_t networks[PROXIES_MOST];
    size_t count;
} proxies_t;

typedef struct listen_address {
    struct sockaddr_storage address;
    socklen_t length;
    bool tls;
    const char *option; /* "gateway.listen" */
    str_t text;
} listen_address_t;

/* One operation as it is served: its place is also that of its counters. */
typedef struct served_operation {
    const operation_t *operation;
    int64_t class_count, own_count, own_window_us; /* limits, scaled; 0: none */
    const char *class_name;
    char policy[POLICY_SIZE]; /* the RateLimit-Policy header */
} served_operation_t;

struct gateway {
    host_t *host;
    settings_t settings;
    arena_t *arena; /* as long as the process serves */
    const module_t *served[SERVED_MAX];
    size_t served_first[SERVED_MAX]; /* place of a module's first operation in `operations` */
    size_t served_count;
    served_operation_t *operations;
    size_t operation_count;
    router_t *router, *disabled; /* disabled: what the modules would have that are not run */
    str_t openapi, problems_page;
    files_t *files;
    token_memory_t *tokens;
    live_hub_t *live;
    _Atomic(log_readers_t *) readers;
    h2o_globalconf_t config;
    SSL_CTX *ssl;
    listen_address_t addresses[LISTENERS_MAX];
    size_t address_count;
    proxies_t proxies;
    room_t *connection_room; /* by address */
    gateway_thread_t *threads;
    unsigned thread_count;
    int64_t started_at;
    atomic_size_t connections, live_connections;
    atomic_bool stopping;
};

typedef struct listener {
    h2o_socket_t *socket;
    h2o_accept_ctx_t accept;
    gateway_thread_t *thread;
} listener_t;

/* Exchanges in the order in which they came to the list. */
typedef struct exchange_list {
    exchange_t *first, *last;
} exchange_list_t;

struct gateway_thread {
    gateway_t *gateway;
    unsigned index;
    pthread_t id;
    loop_t *loop;
    h2o_evloop_t *evloop;
    h2o_context_t context;
    h2o_socket_t *loop_socket;         /* the loop's own descriptor, watched by h2o */
    bool turned;                       /* our loop had work after h2o's last turn */
    int listener_files[LISTENERS_MAX]; /* until the thread wraps them */
    listener_t listeners[LISTENERS_MAX];
    connection_t *connections;
    atomic_size_t exchange_count; /* written by this thread alone */
    exchange_list_t waiting;      /* whose fiber waits */
    exchange_list_t sending;      /* answered, and not yet taken by the client */
    size_t unsent;                /* bytes that operations made for those */
    loop_timer_t hangup_timer, second_timer;
    exchange_t *handling; /* whose handler is being called */
    live_loop_t *live;
    counters_t *counters;
    loop_message_t stop;
    int64_t stop_began; /* 0: not stopping */
    bool done;
};

struct connection {
    connection_t *next, *previous;
    gateway_thread_t *thread;
    h2o_socket_t *socket;
    struct in6_addr peer;
    char place[INET6_ADDRSTRLEN]; /* of the peer, see limits_name_place */
    bool by_proxy;                /* the peer is one that we trust to say for whom it calls */
    bool busy;                    /* while stopping */
    bool cut;
    int64_t faults, faults_at; /* see guard.c */
};

typedef struct limit_taken {
    const char *name;
    int64_t left, reset_us;
} limit_taken_t;

struct exchange {
    exchange_t *next, *previous;
    exchange_list_t *list; /* NULL: in none */
    gateway_thread_t *thread;
    connection_t *connection;
    h2o_req_t *h2o;     /* NULL: the client is gone */
    exchange_t **token; /* in h2o's memory: how we hear that it is gone */
    req_t *req;
    fiber_t *fiber;                   /* while it runs */
    const served_operation_t *served; /* NULL: no operation */
    route_t route;
    bool head, working, bad_header;
    bool invalid_token; /* 401 because of a token, not for want of one */
    str_t query, body;
    str_t authorization, content_type, content_encoding, request_id, trace_parent, last_event_id;
    size_t header_bytes;
    int64_t began, answered_at, progress_at; /* monotonic µs */
    int64_t token_expires_at;                /* µs UTC; 0: no token */
    uint64_t acknowledged;                   /* bytes that the client's machine has, at progress_at */
    size_t size;                             /* of the body sent */
    size_t written_before;                   /* bytes written to the connection before this answer */
    loop_watch_t hangup;
    limit_taken_t limits[LIMITS_PER_REQUEST];
    size_t limit_count;
    char trace[56]; /* our own traceparent */
    struct live_connection *live;
};

/* The thread that calls; NULL where it is none of the gateway's. */
extern _Thread_local gateway_thread_t *gateway_here;

/* ---- modules.c ---- */
extern const module_t *const all_modules[];
extern const size_t all_module_count;
extern const module_t gateway_module;

/* ---- options.c ---- */
void options_add(config_t *config); /* core's, the gateway's and every module's */
settings_t settings_read(const config_t *config);

/* ---- room.c: how many of something a member or an address may have; for any thread ---- */
room_t *room_new(void);
void room_free(room_t *room);
bool room_take(room_t *room, str_t who, size_t most) MUST_CHECK; /* most 0: any number */
void room_give(room_t *room, str_t who);

/* ---- request.c, framing.c, operation.c, exchange.c ---- */
int gateway_on_request(h2o_handler_t *handler, h2o_req_t *h2o);
const char *framing_broken(str_t head, int version); /* NULL: it is sound; of HTTP/1 as it came */
void operation_start(exchange_t *exchange);
void exchange_note_waiting(exchange_t *exchange);
void exchange_watch_waiting(loop_timer_t *timer); /* of gateway_thread.hangup_timer */
exchange_t *exchange_begin(gateway_thread_t *thread, h2o_req_t *h2o);
void exchange_list_add(exchange_list_t *list, exchange_t *exchange);
void exchange_list_remove(exchange_t *exchange);
exchange_t *exchange_handling(void); /* whose handler was called by this thread just now */
void exchange_answered(exchange_t *exchange, size_t size); /* the reply is h2o's */
size_t exchange_unsent(const exchange_t *exchange); /* bytes of it that are kept for its client alone */
void exchange_end(exchange_t *exchange);            /* when both the client and the fiber are done with it */

/* ---- answer.c ---- */
extern h2o_generator_t answer_generator; /* marks our own answers, see error_filter_register */
void answer_reply(exchange_t *exchange, const reply_t *reply);
void answer_problem(exchange_t *exchange);
void answer_problem_with(exchange_t *exchange, const problem_kind_t *kind, const char *format, ...)
    PRINTF_LIKE(3, 4);
void answer_headers_begin(exchange_t *exchange, int status, size_t length);
void answer_header(exchange_t *exchange, const h2o_iovec_t *name, str_t value);
void answer_stream_headers(exchange_t *exchange);
void answer_body(exchange_t *exchange, str_t body);
extern const h2o_iovec_t HEADER_CONTENT_TYPE_OPTIONS, HEADER_SECURITY_POLICY, HEADER_REFERRER_POLICY,
    HEADER_OPENER_POLICY, HEADER_FRAME_OPTIONS;
void error_filter_register(h2o_pathconf_t *path); /* answers of h2o itself become problem+json */

/* ---- auth.c, revocation.c ---- */
void authenticate(exchange_t *exchange); /* sets the caller, or fails */
void authorize(exchange_t *exchange);
void revocations_start(gateway_t *gateway); /* on the first loop */
bool revocations_are_known(void);

/* ---- limits.c ---- */
void limits_prepare(served_operation_t *served, const settings_t *settings);
void limits_take(exchange_t *exchange); /* or fails */
void limits_guard_tokens(exchange_t *exchange);
void limits_bad_token(exchange_t *exchange);
str_t limits_header(exchange_t *exchange); /* the value of RateLimit; STR_NONE when nothing was taken */
/* What limits count an address as. */
void limits_name_place(const struct in6_addr *address, char out[INET6_ADDRSTRLEN]);

/* ---- proxies.c ---- */
bool proxies_read(proxies_t *proxies, str_t list, arena_t *arena, str_t *error);
bool proxies_include(const proxies_t *proxies, const struct in6_addr *address);
void proxies_find_client(const proxies_t *proxies, const h2o_headers_t *headers,
                         struct in6_addr *client); /* in: the peer, which is included */
struct in6_addr address_mapped(const struct in_addr *four);

/* ---- live_hub.c, live.c, live_connection.c: see live.h ---- */
/* ---- files.c, pages.c ---- */
/* NULL with *error, in the arena, when a folder is named that holds no web client. */
files_t *files_load(str_t web_root, arena_t *arena, str_t *error);
void files_free(files_t *files);
void files_answer(exchange_t *exchange, str_t path);
str_t openapi_merge(gateway_t *gateway);
str_t problems_page_make(gateway_t *gateway);
bool pages_answer(exchange_t *exchange, str_t path); /* false: not one of ours */

/* ---- metrics.c, health.c ---- */
counters_t *counters_new(const gateway_t *gateway);
void counters_free(counters_t *counters);
void count_answer(exchange_t *exchange, int status);
void count_accepted(gateway_thread_t *thread, bool refused);
typedef enum count_kind {
    COUNT_BAD_TOKENS,
    COUNT_LIMITED,
    COUNT_GONE,
    COUNT_CUT,
    COUNT_BUSY,
    COUNT_KINDS
} count_kind_t;
void count_one(gateway_thread_t *thread, count_kind_t kind);
str_t metrics_text(gateway_t *gateway, arena_t *arena);
str_t health_text(gateway_t *gateway, arena_t *arena, bool *ready);

/* ---- guard.c ---- */
/* False when the address has as many as it may; the socket is then the caller's still. */
bool connection_add(gateway_thread_t *thread, h2o_socket_t *socket) MUST_CHECK;
connection_t *connection_of(const h2o_req_t *h2o);
void connection_cut(connection_t *connection, const char *why);
void guard_gone(connection_t *connection, const h2o_req_t *h2o);
void guard_oversized(connection_t *connection, const h2o_req_t *h2o);
void guard_look(gateway_thread_t *thread, int64_t now); /* each second */
void guard_bound_unsent(gateway_thread_t *thread);
/* While stopping: closes connections that wait for a request; with `all`, every one that is left. */
void guard_close_idle(gateway_thread_t *thread, bool all);

/* ---- listen.c, tls.c ---- */
bool listen_addresses(gateway_t *gateway, str_t *error);
bool listen_open(gateway_thread_t *thread, str_t *error);
void listen_start(gateway_thread_t *thread);
void listen_refuse_new(gateway_thread_t *thread);
void listen_close(gateway_thread_t *thread);
SSL_CTX *tls_open(str_t certificate, str_t key, arena_t *arena, str_t *error);

/* ---- thread.c, serve.c ---- */
void thread_prepare(gateway_t *gateway, unsigned index);
void *thread_main(void *arg);
void thread_free(gateway_thread_t *thread);
void serve_block_signals(sigset_t *signals); /* before any thread is started: they inherit it */
int serve(host_t *host, const sigset_t *signals);

/* ---- stderr_filter.c ---- */
void stderr_filter_install(void);
void stderr_filter_remove(FILE *original);

/* ---- jobs.c ---- */
void jobs_start(gateway_t *gateway); /* on the first loop */

/* ---- trace.c ---- */
bool trace_parent_valid(str_t text);
void trace_parent_make(char out[56], str_t from, const char *request_id);

#endif
