/* The commands that look after a data directory. */
#include <unistd.h>

#include "gateway/gateway.h"
#include "gateway/program.h"

static int check_statements(host_t *host, arena_t *arena)
{
    str_t error;
    for (size_t place = 0; place < host->module_count; place++) {
        if (!database_check_statements(host->databases[place], arena, &error))
            return complain("%s", error.at);
        printf("%s: %zu statements fit the database\n", host->modules[place]->name,
               host->modules[place]->statement_count);
    }
    return EXIT_GOOD;
}

int command_check(invocation_t *invocation)
{
    str_t error;
    host_t *host = host_start(invocation, &error);
    if (host == NULL)
        return complain("%s", error.at);
    int outcome = check_statements(host, invocation->arena);
    host_stop(host);
    return outcome;
}

int command_migrate(invocation_t *invocation)
{
    str_t error;
    host_t *host = host_start(invocation, &error);
    if (host == NULL)
        return complain("%s", error.at);
    for (size_t place = 0; place < host->module_count; place++)
        printf("%s: ready, %zu migrations\n", host->modules[place]->name,
               host->modules[place]->migration_count);
    host_stop(host);
    return EXIT_GOOD;
}

int command_keys(invocation_t *invocation)
{
    str_t kid, error;
    if (strcmp(invocation->words[0], "rotate") != 0) {
        complain("`keys` knows only `rotate`, not “%s”.", invocation->words[0]);
        return EXIT_USAGE;
    }
    if (!keyring_rotate(invocation->data, invocation->arena, &kid, &error))
        return complain("%s", error.at);
    printf("new key %s: running servers publish it within a minute and sign with it a minute later\n",
           kid.at);
    return EXIT_GOOD;
}

int command_serve(invocation_t *invocation)
{
    str_t error;
    bool held;
    sigset_t signals;
    serve_block_signals(&signals);
    int lock = data_directory_lock(invocation->data, invocation->arena, &held, &error);
    if (lock < 0)
        return complain("%s", error.at);
    host_t *host = host_start(invocation, &error);
    if (host == NULL) {
        close(lock);
        return complain("%s", error.at);
    }
    int outcome = serve(host, &signals);
    host_stop(host);
    close(lock);
    return outcome;
}
