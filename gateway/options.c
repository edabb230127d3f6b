/* The gateway's own options, and the table of all. */
#include <unistd.h>

#include "gateway/gateway.h"

#include "core/db/options.h"

static const config_option_t options[] = {
    {.name = "gateway.listen",
     .type = CONFIG_TEXT,
     .preset = "127.0.0.1:8080",
     .doc = "Where to answer in the clear: address:port, several separated by blanks, [::1]:8080 for IPv6, "
            "*:8080 for every "
            "address. Empty: nowhere."},
    {.name = "gateway.listen_tls",
     .type = CONFIG_TEXT,
     .preset = "",
     .doc = "Where to answer over TLS (1.2 and newer), in the same form; needs gateway.tls_certificate and "
            "gateway.tls_key."},
    {.name = "gateway.tls_certificate",
     .type = CONFIG_TEXT,
     .preset = "",
     .doc = "The file with the certificate and those that lead to its root, PEM."},
    {.name = "gateway.tls_key",
     .type = CONFIG_TEXT,
     .preset = "",
     .doc = "The file with the certificate's private key, PEM."},
    {.name = "gateway.trusted_proxies",
     .type = CONFIG_TEXT,
     .preset = "",
     .doc = "The proxies in front of this, addresses or networks (192.0.2.7, 10.0.0.0/8, 2001:db8::/32) "
            "separated by blanks: limits then count whom their X-Forwarded-For names. Nobody else's is "
            "believed."},
    {.name = "gateway.threads",
     .type = CONFIG_INT,
     .preset = "0",
     .least = 0,
     .most = LOOPS_MAX,
     .doc = "How many threads answer requests; 0: one per core."},
    {.name = "gateway.web_root",
     .type = CONFIG_TEXT,
     .preset = "",
     .doc = "The folder with the built web client; empty: `web` beside the program."},
    {.name = "gateway.body_max",
     .type = CONFIG_SIZE,
     .preset = "1M",
     .least = 1024,
     .most = 16 * 1024 * 1024,
     .doc = "The largest request body that is read at all; operations set narrower bounds."},
    {.name = "gateway.limit_scale",
     .type = CONFIG_INT,
     .preset = "100",
     .least = 0,
     .most = 1000000,
     .doc = "How many requests are let through, in percent of the usual limits; 0: no limits."},
    {.name = "gateway.connections_max",
     .type = CONFIG_INT,
     .preset = "8192",
     .least = 16,
     .most = 1000000,
     .doc = "How many connections may be open at once."},
    {.name = "gateway.connections_per_address",
     .type = CONFIG_INT,
     .preset = "2048",
     .least = 1,
     .most = 1000000,
     .doc = "How many of them one address may have; a trusted proxy may have all."},
    {.name = "gateway.live_max",
     .type = CONFIG_INT,
     .preset = "4096",
     .least = 0,
     .most = 1000000,
     .doc = "How many of them may follow the live channel."},
    {.name = "gateway.live_per_person",
     .type = CONFIG_INT,
     .preset = "8",
     .least = 1,
     .most = 1000000,
     .doc =
         "How many live channels one member may follow at once (not counted when gateway.limit_scale is 0)."},
    {.name = "gateway.live_per_address",
     .type = CONFIG_INT,
     .preset = "64",
     .least = 1,
     .most = 1000000,
     .doc = "How many live channels strangers of one address may follow at once (not counted when "
            "gateway.limit_scale is 0)."},
    {.name = "gateway.access_lines",
     .type = CONFIG_CHOICE,
     .preset = "errors",
     .choices = "errors all none",
     .doc = "Which requests get a log line: those answered with a status of 500 or more, all, or none."},
    {.name = "community.name",
     .type = CONFIG_TEXT,
     .preset = "Folkmoot",
     .doc = "What the community is called."},
    {.name = "community.public_reading",
     .type = CONFIG_BOOL,
     .preset = "true",
     .doc = "Whether strangers may read what members write."},
    {.name = "bus.url",
     .type = CONFIG_TEXT,
     .preset = "local:",
     .doc = "What carries nudges between threads; local: is built in."},
    {.name = "cache.url",
     .type = CONFIG_TEXT,
     .preset = "local:",
     .doc = "What keeps counters and short-lived values; local: is built in."},
    {.name = "cache.size",
     .type = CONFIG_SIZE,
     .preset = "8M",
     .least = 64 * 1024,
     .most = INT64_C(64) * 1024 * 1024 * 1024,
     .doc = "How much memory the built-in cache may take."},
    {.name = "log.level",
     .type = CONFIG_CHOICE,
     .preset = "info",
     .choices = "debug info warning error",
     .doc = "The least level of the log lines that are written."},
};

/* database.<module> of every module. */
static void add_database_options(config_t *config)
{
    static config_option_t own[MODULES_MAX];
    static char names[MODULES_MAX][48];
    for (size_t place = 0; place < all_module_count; place++) {
        snprintf(names[place], sizeof names[place], "database.%s", all_modules[place]->name);
        own[place] =
            (config_option_t){.name = names[place],
                              .type = CONFIG_TEXT,
                              .preset = "",
                              .doc = "The database of this module alone; empty: as database.url says."};
    }
    config_add_options(config, own, all_module_count);
}

void options_add(config_t *config)
{
    config_add_options(config, options, COUNT_OF(options));
    config_add_options(config, database_options, database_option_count);
    add_database_options(config);
    config_add_options(config, crypto_options, crypto_option_count);
    for (size_t place = 0; place < all_module_count; place++)
        config_add_options(config, all_modules[place]->options, all_modules[place]->option_count);
}

static access_lines_t access_lines_of(str_t word)
{
    if (str_equal(word, STR("all")))
        return LINES_ALL;
    return str_equal(word, STR("none")) ? LINES_NONE : LINES_ERRORS;
}

settings_t settings_read(const config_t *config)
{
    int64_t threads = config_int(config, "gateway.threads");
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (threads == 0)
        threads = cores < 1 ? 1 : cores < LOOPS_MAX ? cores : LOOPS_MAX;
    return (settings_t){
        .threads = (unsigned)threads,
        .body_max = (size_t)config_int(config, "gateway.body_max"),
        .limit_scale = config_int(config, "gateway.limit_scale"),
        .connections_max = (size_t)config_int(config, "gateway.connections_max"),
        .connections_per_address = (size_t)config_int(config, "gateway.connections_per_address"),
        .live_max = (size_t)config_int(config, "gateway.live_max"),
        .live_per_person = (size_t)config_int(config, "gateway.live_per_person"),
        .live_per_address = (size_t)config_int(config, "gateway.live_per_address"),
        .access_lines = access_lines_of(config_text(config, "gateway.access_lines")),
        .public_reading = config_bool(config, "community.public_reading"),
        .tls = config_text(config, "gateway.listen_tls").length > 0,
        .community_name = config_text(config, "community.name"),
    };
}
