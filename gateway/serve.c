/* `folkmoot serve`: makes the gateway of a host, runs its threads, and ends them when a signal says so. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/live.h"
#include "gateway/program.h"

#include "gateway/api.h"

enum { FILES_RESERVED = 256, REQUEST_TIMEOUT_MS = 10000, TOKENS_MOST = 65536 };

/* More than the 100 streams that h2o lets a connection have, so that no request waits for its turn: h2o
 * starts those that wait while it closes a connection that failed, and then ends the process over their
 * answers. */
enum { STREAMS_AT_ONCE = 128 };

/* How long /readyz says no before nobody is let in any more: time for whoever spreads the load to hear of it.
 */
static const int64_t announced_us = 200 * MILLISECOND_US;

const module_t gateway_module = {
    .interface = MODULE_INTERFACE, .name = "gateway", .openapi = gateway_openapi};
static module_t own_module; /* gateway_module with its operations, whose number is known at run time */

/* ---- what is served ---- */

static void serve_module(gateway_t *gateway, const module_t *module)
{
    gateway->served_first[gateway->served_count] = gateway->operation_count;
    gateway->served[gateway->served_count++] = module;
    router_add(gateway->router, module, module->operations, module->operation_count);
    for (size_t place = 0; place < module->operation_count; place++) {
        served_operation_t *served = &gateway->operations[gateway->operation_count++];
        served->operation = &module->operations[place];
        limits_prepare(served, &gateway->settings);
    }
}

static bool is_run(const host_t *host, const module_t *module)
{
    return host_module(host, module->name) != NULL;
}

static void serve_modules(gateway_t *gateway)
{
    size_t count = gateway_operation_count;
    own_module = gateway_module;
    own_module.operations = gateway_operations;
    own_module.operation_count = gateway_operation_count;
    for (size_t place = 0; place < all_module_count; place++)
        count += all_modules[place]->operation_count;
    gateway->operations = arena_array_of(gateway->arena, served_operation_t, count);
    gateway->router = router_new();
    gateway->disabled = router_new();
    serve_module(gateway, &own_module);
    for (size_t place = 0; place < all_module_count; place++) {
        const module_t *module = all_modules[place];
        if (is_run(gateway->host, module))
            serve_module(gateway, module);
        else
            router_add(gateway->disabled, module, module->operations, module->operation_count);
    }
}

static size_t largest_body(const gateway_t *gateway)
{
    size_t largest = 1024;
    for (size_t place = 0; place < gateway->operation_count; place++)
        if (gateway->operations[place].operation->body_max > largest)
            largest = gateway->operations[place].operation->body_max;
    return largest < gateway->settings.body_max ? largest : gateway->settings.body_max;
}

static void configure_path(h2o_pathconf_t *path)
{
    static h2o_compress_args_t compression = {
        .min_size = 1024, .gzip = {.quality = 1}, .brotli = {.quality = -1}};
    error_filter_register(path);
    h2o_compress_register(path, &compression);
}

static void configure_h2o(gateway_t *gateway)
{
    h2o_globalconf_t *config = &gateway->config;
    h2o_config_init(config);
    config->server_name = (h2o_iovec_t){(char *)"", 0};
    config->max_request_entity_size =
        largest_body(gateway) + 1; /* one more is refused with its name, by us */
    config->http1.req_timeout = REQUEST_TIMEOUT_MS;
    config->http1.upgrade_to_http2 = 0; /* in the clear: a way past whoever stands before us */
    config->http2.idle_timeout = REQUEST_TIMEOUT_MS;
    config->handshake_timeout = REQUEST_TIMEOUT_MS;
    config->http2.max_concurrent_requests_per_connection = STREAMS_AT_ONCE;
    h2o_hostconf_t *host = h2o_config_register_host(config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
    h2o_create_handler(path, sizeof(h2o_handler_t))->on_req = gateway_on_request;
    configure_path(path);
    h2o_create_handler(&host->fallback_path, sizeof(h2o_handler_t))->on_req = gateway_on_request;
    configure_path(&host->fallback_path);
}

/* ---- beginning ---- */

/* One descriptor per connection, and some for files and databases: a limit that is lower would be found out
 * by clients. */
static void make_room_for_files(gateway_t *gateway)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        getrlimit(RLIMIT_NOFILE, &limit);
    size_t room =
        limit.rlim_cur > 2 * FILES_RESERVED ? (size_t)limit.rlim_cur - FILES_RESERVED : FILES_RESERVED;
    if (room >= gateway->settings.connections_max)
        return;
    logline(LINE_WARNING, "connections_bounded", "to", line_number((int64_t)room), "reason",
            "the limit of open files is lower than gateway.connections_max: raise it (LimitNOFILE)", NULL);
    gateway->settings.connections_max = room;
}

static bool prepare_tls(gateway_t *gateway, str_t *error)
{
    const config_t *config = gateway->host->config;
    if (!gateway->settings.tls)
        return true;
    gateway->ssl = tls_open(config_text(config, "gateway.tls_certificate"),
                            config_text(config, "gateway.tls_key"), gateway->arena, error);
    return gateway->ssl != NULL;
}

static bool prepare_threads(gateway_t *gateway, str_t *error)
{
    gateway->thread_count = gateway->settings.threads;
    gateway->threads = arena_array_of(gateway->arena, gateway_thread_t, gateway->thread_count);
    for (unsigned index = 0; index < gateway->thread_count; index++)
        thread_prepare(gateway, index);
    gateway->host->loop_count = gateway->thread_count;
    for (unsigned index = 0; index < gateway->thread_count; index++)
        if (!listen_open(&gateway->threads[index], error))
            return false;
    return true;
}

static gateway_t *gateway_new(host_t *host)
{
    arena_t *arena = arena_new();
    gateway_t *gateway = arena_new_of(arena, gateway_t);
    gateway->arena = arena;
    gateway->host = host;
    gateway->settings = settings_read(host->config);
    gateway->started_at = clock_now();
    gateway->connection_room = room_new();
    return gateway;
}

static bool gateway_prepare(gateway_t *gateway, str_t *error)
{
    make_room_for_files(gateway);
    str_t proxies = config_text(gateway->host->config, "gateway.trusted_proxies");
    if (!listen_addresses(gateway, error) || !prepare_tls(gateway, error) ||
        !proxies_read(&gateway->proxies, proxies, gateway->arena, error))
        return false;
    serve_modules(gateway);
    configure_h2o(gateway);
    gateway->tokens = token_memory_new(TOKENS_MOST);
    gateway->live = live_hub_new(gateway);
    gateway->openapi = openapi_merge(gateway);
    gateway->problems_page = problems_page_make(gateway);
    str_t web_root = config_text(gateway->host->config, "gateway.web_root");
    gateway->files = files_load(web_root, gateway->arena, error);
    return gateway->files && prepare_threads(gateway, error);
}

static void gateway_free(gateway_t *gateway)
{
    for (unsigned index = 0; index < gateway->thread_count; index++)
        thread_free(&gateway->threads[index]);
    room_free(gateway->connection_room);
    files_free(gateway->files);
    live_hub_free(gateway->live);
    token_memory_free(gateway->tokens);
    if (gateway->config.hosts)
        h2o_config_dispose(&gateway->config);
    router_free(gateway->router);
    router_free(gateway->disabled);
    SSL_CTX_free(gateway->ssl);
    arena_free(gateway->arena);
}

/* ---- running ---- */

static void start_threads(gateway_t *gateway)
{
    for (unsigned index = 0; index < gateway->thread_count; index++)
        if (pthread_create(&gateway->threads[index].id, NULL, thread_main, &gateway->threads[index]) != 0)
            panic("no thread can be started: %s", strerror(errno));
    for (size_t place = 0; place < gateway->address_count; place++) {
        const listen_address_t *address = &gateway->addresses[place];
        int32_t port = h2o_socket_getport((struct sockaddr *)&address->address);
        logline(LINE_INFO, "serving", "address", address->text.at, "port", line_number(port), "tls",
                address->tls ? "yes" : "no", NULL);
        printf("Folkmoot runs at %s://%s\n", address->tls ? "https" : "http", address->text.at);
    }
    puts("Open it in a browser and sign up: the first account is the administrator. Ctrl-C stops it.");
    (void)fflush(stdout);
    logline_flush();
}

static void wait_for_signal(const sigset_t *signals)
{
    int signal_number;
    while (sigwait(signals, &signal_number) != 0 || signal_number == SIGHUP)
        ;
    logline(LINE_INFO, "stopping", "signal", signal_number == SIGINT ? "SIGINT" : "SIGTERM", NULL);
    logline_flush();
}

static void stop_threads(gateway_t *gateway)
{
    atomic_store(&gateway->stopping, true);
    usleep((useconds_t)announced_us);
    for (unsigned index = 0; index < gateway->thread_count; index++)
        loop_send(gateway->threads[index].loop, &gateway->threads[index].stop);
    for (unsigned index = 0; index < gateway->thread_count; index++)
        pthread_join(gateway->threads[index].id, NULL);
}

void serve_block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
}

int serve(host_t *host, const sigset_t *signals)
{
    str_t error;
    gateway_t *gateway = gateway_new(host);
    int outcome = EXIT_GOOD;
    if (gateway_prepare(gateway, &error)) {
        FILE *unfiltered = stderr;
        stderr_filter_install();
        fiber_watchdog_start();
        start_threads(gateway);
        wait_for_signal(signals);
        stop_threads(gateway);
        stderr_filter_remove(unfiltered);
        logline(LINE_INFO, "stopped", NULL);
    } else
        outcome = complain("%s", error.at);
    gateway_free(gateway);
    return outcome;
}
