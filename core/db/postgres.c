/*
 * The PostgreSQL driver: its table, opening and closing, and what each thread has of a database. A fiber uses
 * what belongs to its loop; code outside of fibers uses what belongs to its thread.
 */
#include <stdlib.h>

#include "core/db/options.h"
#include "core/db/postgres.h"
#include "core/runtime/logline.h"
#include "core/runtime/panic.h"

/* ---- what a thread has ---- */

static void pool_init(pool_t *pool, postgres_thread_t *mine, size_t most)
{
    pool->mine = mine;
    pool->most = most;
}

static postgres_thread_t *thread_new(postgres_t *postgres, loop_t *loop, const void *owner)
{
    postgres_thread_t *mine = memory_new(sizeof *mine);
    mine->postgres = postgres;
    mine->loop = loop;
    mine->owner = owner;
    pool_init(&mine->writing, mine, postgres->leases_most);
    pool_init(&mine->slow, mine, POSTGRES_SLOW_MAX);
    postgres_connection_init(&mine->reading, mine, NULL);
    return mine;
}

static postgres_thread_t *find_or_make(postgres_t *postgres, loop_t *loop, const void *owner)
{
    pthread_mutex_lock(&postgres->lock);
    postgres_thread_t *mine = postgres->threads;
    while (mine && mine->owner != owner)
        mine = mine->next;
    if (mine == NULL) {
        mine = thread_new(postgres, loop, owner);
        mine->next = postgres->threads;
        postgres->threads = mine;
    }
    pthread_mutex_unlock(&postgres->lock);
    return mine;
}

/* Looked up once per thread and database, and remembered under the database's serial number, which no later
 * one has. */
postgres_thread_t *postgres_mine(database_t *database)
{
    enum { REMEMBERED = 64 };
    typedef struct memory {
        uint64_t serial;
        const void *owner;
        postgres_thread_t *mine;
    } memory_t;
    static _Thread_local memory_t memories[2][REMEMBERED];

    postgres_t *postgres = database->state;
    loop_t *loop = fiber_self() ? loop_current() : NULL;
    const void *owner = loop ? (const void *)loop : (const void *)memories;
    memory_t *memory = &memories[loop != NULL][postgres->serial % REMEMBERED];
    if (memory->serial != postgres->serial || memory->owner != owner)
        *memory = (memory_t){postgres->serial, owner, find_or_make(postgres, loop, owner)};
    return memory->mine;
}

/* A loop of another thread has stopped, and may be freed already: then its watches and timers are left to it.
 */
static void connection_free(connection_t *connection)
{
    if (connection->mine->loop && connection->mine->loop != loop_current())
        connection->mine->loop = NULL;
    for (call_t *call = connection->first; call; call = call->next) {
        call->kept = false; /* nobody waits any more */
        call->fiber = NULL;
    }
    postgres_disconnect(connection);
    free(connection->prepared);
}

static void pool_free(pool_t *pool)
{
    for (size_t place = 0; place < pool->count; place++) {
        connection_free(pool->connections[place]);
        free(pool->connections[place]);
    }
    free(pool->connections);
}

static void thread_free(postgres_thread_t *mine)
{
    connection_free(&mine->reading);
    pool_free(&mine->writing);
    pool_free(&mine->slow);
    free(mine);
}

/* ---- the driver ---- */

static bool check_parameter_counts(const database_t *database, arena_t *arena, str_t *error)
{
    for (size_t place = 0; place < database->statement_count; place++) {
        const statement_t *statement = database->statements[place];
        if (statement->in_count <= POSTGRES_PARAMETERS_MAX)
            continue;
        *error = arena_printf(arena, "The statement %s has %u parameters; at most %d are possible.",
                              statement->name, statement->in_count, POSTGRES_PARAMETERS_MAX);
        return false;
    }
    return true;
}

/* A process without a configuration (a test) has the options' presets. */
static void read_options(postgres_t *postgres, arena_t *arena)
{
    const host_t *host = postgres->database->host;
    config_t *config = host ? host->config : NULL;
    if (config == NULL) {
        config = config_new(arena);
        config_add_options(config, database_options, database_option_count);
    }
    postgres->leases_most = (size_t)config_int(config, "database.connections");
    postgres->statement_timeout_us = config_int(config, "database.statement_timeout");
}

static bool postgres_open(database_t *database, arena_t *arena, str_t *error)
{
    static atomic_uint_fast64_t serials;
    postgres_t *postgres = memory_new(sizeof *postgres);
    postgres->database = database;
    postgres->serial = atomic_fetch_add(&serials, 1) + 1;
    pthread_mutex_init(&postgres->lock, NULL);
    database->state = postgres;
    read_options(postgres, arena);
    return check_parameter_counts(database, arena, error) && postgres_address_read(postgres, arena, error) &&
           postgres_admin_open(database, arena, error);
}

static bool postgres_ready(database_t *database, arena_t *arena, str_t *error)
{
    (void)arena;
    (void)error;
    postgres_t *postgres = database->state;
    PQfinish(postgres->admin);
    postgres->admin = NULL;
    return true;
}

static bool postgres_alive(database_t *database)
{
    postgres_t *postgres = database->state;
    return atomic_load(&postgres->unreachable) == 0;
}

static void postgres_close(database_t *database)
{
    postgres_t *postgres = database->state;
    if (postgres == NULL)
        return;
    for (postgres_thread_t *mine = postgres->threads, *next; mine; mine = next) {
        next = mine->next;
        thread_free(mine);
    }
    PQfinish(postgres->admin);
    postgres_address_free(postgres);
    pthread_mutex_destroy(&postgres->lock);
    free(postgres);
    database->state = NULL;
}

const driver_t postgres_driver = {
    .schemes = {"postgres", "postgresql"},
    .open = postgres_open,
    .close = postgres_close,
    .journal = postgres_journal,
    .migrate = postgres_migrate,
    .check = postgres_check,
    .ready = postgres_ready,
    .alive = postgres_alive,
    .reading = postgres_reading,
    .fetch = postgres_fetch,
    .fetch_all = postgres_fetch_all,
    .run = postgres_run,
    .transact = postgres_transact,
};
