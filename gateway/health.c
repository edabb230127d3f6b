/* /readyz: whether this process can do its work, and what is in the way. */
#include "gateway/live.h"

enum { READERS_MOST = 64 };

/* A reader that fails for less than this is being tried again, and no reason to send people elsewhere. */
static const int64_t failing_most_us = 30 * SECOND_US;

typedef struct health {
    json_writer_t writer;
    bool ready;
} health_t;

static void not_ready(health_t *health, str_t what, const char *why)
{
    json_object_open(&health->writer);
    json_name(&health->writer, STR("what"));
    json_string(&health->writer, what);
    json_name(&health->writer, STR("why"));
    json_string(&health->writer, str_from(why));
    json_object_close(&health->writer);
    health->ready = false;
}

static void look_at_databases(health_t *health, const host_t *host, arena_t *arena)
{
    for (size_t place = 0; place < host->module_count; place++)
        if (!database_is_ready(host->databases[place]))
            not_ready(health, arena_printf(arena, "database.%s", host->modules[place]->name),
                      "It does not answer.");
}

static void look_at_readers(health_t *health, gateway_t *gateway)
{
    log_reader_status_t readers[READERS_MOST];
    log_readers_t *running = atomic_load(&gateway->readers);
    size_t count = running ? log_readers_status(running, readers, READERS_MOST) : 0;
    int64_t now = clock_now();
    for (size_t place = 0; place < count; place++)
        if (readers[place].failing_since && now - readers[place].failing_since > failing_most_us)
            not_ready(health, str_from(readers[place].name), "It does not get on; its log lines say why.");
    if (running == NULL)
        not_ready(health, STR("readers"), "They have not begun.");
}

str_t health_text(gateway_t *gateway, arena_t *arena, bool *ready)
{
    health_t health = {.ready = true};
    json_writer_init(&health.writer, arena, 256);
    json_object_open(&health.writer);
    json_name(&health.writer, STR("waiting_for"));
    json_array_open(&health.writer);
    if (atomic_load(&gateway->stopping))
        not_ready(&health, STR("gateway"), "It is stopping.");
    look_at_databases(&health, gateway->host, arena);
    look_at_readers(&health, gateway);
    if (!revocations_are_known())
        not_ready(&health, STR("revocations"), "Which sessions have ended is not known yet.");
    if (!live_readers_are_well(gateway))
        not_ready(&health, STR("live"), "The logs cannot be read.");
    json_array_close(&health.writer);
    json_name(&health.writer, STR("ready"));
    json_bool(&health.writer, health.ready);
    json_object_close(&health.writer);
    *ready = health.ready;
    return json_text(&health.writer);
}
