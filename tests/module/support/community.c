/* The community of one module: a host made by hand, and requests run as the gateway would run them. */
#include <ftw.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/bus/bus.h"
#include "core/cache/cache.h"
#include "core/crypto/crypto.h"
#include "core/crypto/keyring.h"
#include "core/db/options.h"
#include "core/http/operation.h"
#include "core/log/log.h"
#include "core/runtime/panic.h"

#include "tests/module/support/community.h"

struct community {
    arena_t *arena;
    host_t host;
    router_t *router;
    loop_t *loop;
    char folder[64];
    char database[64]; /* of its own on the PostgreSQL server; "": SQLite */
    size_t running;
};

typedef struct running_call {
    community_t *community;
    const call_t *call;
    answer_t *answer;
    void (*body)(req_t *req, void *arg);
    void *arg;
    bool good;
} running_call_t;

static const config_option_t gateway_options[] = {
    {.name = "gateway.limit_scale",
     .type = CONFIG_INT,
     .preset = "0",
     .doc = "The modules ask whether limits are on."},
};

static void on_server(const char *sql, const char *database)
{
    PGconn *server = PQconnectdb(getenv("FOLKMOOT_TEST_POSTGRES"));
    char command[128];

    (void)snprintf(command, sizeof command, "%s %s", sql, database);
    PGresult *result = PQexec(server, command);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        panic("%s: %s", command, PQerrorMessage(server));
    PQclear(result);
    PQfinish(server);
}

/* A new database on the server: its address is the server's with another name at the end of the path. */
static str_t make_database(community_t *community, const char *server)
{
    const char *slash = strrchr(server, '/');
    const char *question = strchr(server, '?');

    (void)snprintf(community->database, sizeof community->database, "folkmoot_module_%d", (int)getpid());
    on_server("CREATE DATABASE", community->database);
    if (question) /* the path of a socket's folder may follow */
        for (slash = question; *slash != '/'; slash--)
            ;
    return arena_printf(community->arena, "%.*s/%s%s", (int)(slash - server), server, community->database,
                        question ? question : "");
}

static void open_host(community_t *community, const module_t *module, str_t url)
{
    host_t *host = &community->host;
    str_t error = STR_NONE;

    host->config = config_new(community->arena);
    config_add_options(host->config, database_options, database_option_count);
    config_add_options(host->config, crypto_options, crypto_option_count);
    config_add_options(host->config, gateway_options, COUNT_OF(gateway_options));
    config_add_options(host->config, module->options, module->option_count);
    if (!config_set(host->config, STR("identity.password_memory"), STR("1M"), "the test", &error))
        panic("%s", error.at);
    host->data = str_from(community->folder);
    (void)snprintf(host->node, sizeof host->node, "00000000000000aa");
    host->keyring = keyring_open(host->data, community->arena, &error);
    host->bus = bus_open(STR("local:"), &error);
    host->cache = cache_open(STR("local:"), 1 << 20, &error);
    host->workers = worker_pool_new("workers", 2, 100);
    host->passwords = worker_pool_new("passwords", 2, 100);
    host->loops[host->loop_count++] = community->loop;
    host->modules[0] = module;
    host->module_count = 1;
    host->databases[0] = database_open(host, module, url, community->arena, &error);
    if (!host->databases[0] || !host->keyring)
        panic("%s", error.at);
}

community_t *community_open(const module_t *module, bool postgres)
{
    const char *server = getenv("FOLKMOOT_TEST_POSTGRES");
    community_t *community;

    if (postgres && !server) {
        printf("SKIPPED: PostgreSQL: FOLKMOOT_TEST_POSTGRES names no server\n");
        return NULL;
    }
    crypto_start();
    community = memory_new(sizeof *community);
    community->arena = arena_new();
    community->loop = loop_new();
    loop_attach(community->loop);
    (void)snprintf(community->folder, sizeof community->folder, "%s/folkmoot-module-XXXXXX",
                   getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(community->folder))
        panic("no folder for the test");
    open_host(community, module, postgres ? make_database(community, server) : STR("sqlite:"));
    community->router = router_new();
    router_add(community->router, module, module->operations, module->operation_count);
    return community;
}

struct database *community_database(community_t *community)
{
    return community->host.databases[0];
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status, (void)kind, (void)at;
    return remove(path);
}

void community_close(community_t *community)
{
    host_t *host = &community->host;

    if (!community)
        return;
    database_close(host->databases[0]);
    if (community->database[0])
        on_server("DROP DATABASE", community->database);
    worker_pool_free(host->passwords);
    worker_pool_free(host->workers);
    router_free(community->router);
    bus_close(host->bus);
    cache_close(host->cache);
    keyring_close(host->keyring);
    loop_attach(NULL);
    loop_free(community->loop);
    arena_free(community->arena);
    (void)nftw(community->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(community);
}

static void handle(req_t *req, void *arg)
{
    running_call_t *running = arg;
    const call_t *call = running->call;
    str_t target = str_from(call->target);
    const char *question = strchr(call->target, '?');
    str_t path = {call->target, question ? (size_t)(question - call->target) : target.length};
    str_t query = question ? str_from(question + 1) : STR_NONE;
    route_t route = router_find(running->community->router, req->arena, call->method, path);

    if (!route.operation)
        panic("no route for %s", call->target);
    req->operation = route.operation;
    const void *in =
        operation_decode(req, route.operation, route.values, route.value_count, query, str_from(call->body));
    reply_t reply = route.operation->handle(req, in);
    *running->answer = (answer_t){
        .status = reply.status,
        .body = arena_str(running->community->arena, reply.body),
        .version = reply.version,
    };
}

static void run_call(void *arg)
{
    running_call_t *running = arg;
    community_t *community = running->community;
    const call_t *call = running->call;
    req_t *req = req_new(&community->host, community->host.modules[0]);

    req->deadline = clock_monotonic() + 30 * SECOND_US;
    req->address = STR("127.0.0.1");
    if (call) {
        req->now += call->later;
        req->caller = call->caller;
        req->if_match = str_from(call->if_match);
        req->idempotency_key = str_from(call->idempotency_key);
        hash_t print = hash_of(str_from(call->body));
        memcpy(req->fingerprint, print.bytes, sizeof req->fingerprint);
    }
    running->good = req_attempt(req, running->body, running->body == handle ? running : running->arg);
    if (!running->good && running->answer)
        *running->answer = (answer_t){.status = req->problem.kind->status,
                                      .problem = req->problem.kind->code,
                                      .body = arena_str(community->arena, req->problem.detail)};
    else if (!running->good)
        printf("%s: %s\n", req->problem.kind->code, req->problem.detail.at ? req->problem.detail.at : "");
    req_free(req);
    if (--community->running == 0)
        loop_stop(community->loop);
}

static void run_all(community_t *community, running_call_t *calls, size_t count)
{
    community->running = count;
    for (size_t i = 0; i < count; i++)
        if (!fiber_start("test", run_call, &calls[i]))
            panic("no fiber");
    loop_run(community->loop);
}

void community_call_all(community_t *community, const call_t *calls, size_t count, answer_t *answers)
{
    running_call_t *running = arena_array_of(community->arena, running_call_t, count);

    for (size_t i = 0; i < count; i++)
        running[i] = (running_call_t){
            .community = community, .call = &calls[i], .answer = &answers[i], .body = handle};
    run_all(community, running, count);
}

answer_t community_call(community_t *community, const call_t *call)
{
    answer_t answer;

    community_call_all(community, call, 1, &answer);
    return answer;
}

bool community_run(community_t *community, void (*body)(req_t *req, void *arg), void *arg)
{
    running_call_t running = {.community = community, .body = body, .arg = arg};

    run_all(community, &running, 1);
    return running.good;
}

static void catch_up(req_t *req, void *arg)
{
    (void)arg;
    log_readers_catch_up(req->host);
}

void community_catch_up(community_t *community)
{
    if (!community_run(community, catch_up, NULL))
        panic("the readers failed");
}

caller_t member_of(unsigned number)
{
    char name[32];
    int length = snprintf(name, sizeof name, "member %u", number);

    return (caller_t){
        .member = uuid_of_name(INT64_C(1700000000000000), (str_t){name, (size_t)length}),
        .session = uuid_new(),
        .roles = number == 0 ? ROLE_ADMINISTRATOR : 0,
    };
}

const char *json_member(community_t *community, str_t json, const char *name)
{
    str_t quoted = arena_printf(community->arena, "\"%s\":", name);
    const char *at = json.at ? strstr(json.at, quoted.at) : NULL;

    if (!at)
        return "";
    at += quoted.length;
    if (*at == '"')
        return arena_str(community->arena, (str_t){at + 1, strcspn(at + 1, "\"")}).at;
    return arena_str(community->arena, (str_t){at, strcspn(at, ",}]")}).at;
}
