/*
 * `import` and `export`: each module's part of the command, one after another, in a fiber of a loop of their
 * own. A server may run beside them. Interrupted between two batches they end; what was done stays, and an
 * import that is started again goes on from there.
 */
#include <signal.h>
#include <unistd.h>

#include "gateway/gateway.h"
#include "gateway/program.h"

#include "core/api.h"

enum { PROGRESS_EVERY_US = 250 * 1000, WHAT_SIZE = 64 };

typedef struct transfer {
    invocation_t *invocation;
    host_t *host;
    loop_t *loop;
    const char *verb;
    str_t format;
    command_input_t input;
    req_t *req; /* of the part that runs */
    void (*part)(req_t *req, const command_input_t *input);
    int outcome;
    /* progress */
    char what[WHAT_SIZE];
    int64_t began, begun_done, told_at;
    bool line_open; /* on a terminal the line is written over */
} transfer_t;

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number)
{
    interrupted = signal_number;
}

static void tell(transfer_t *transfer, const char *what, int64_t done, int64_t total, int64_t now)
{
    double seconds = (double)(now - transfer->began) / SECOND_US;
    double rate = seconds > 0 ? (double)(done - transfer->begun_done) / seconds : 0;
    bool terminal = isatty(STDERR_FILENO);
    fprintf(stderr, "%s%s: %lld", terminal ? "\r" : "", what, (long long)done);
    if (total > 0)
        fprintf(stderr, " of %lld", (long long)total);
    fprintf(stderr, ", %.0f per second", rate);
    if (total > done && rate > 0)
        fprintf(stderr, ", %.0f s left", (double)(total - done) / rate);
    fputs(terminal ? "\033[K" : "\n", stderr);
    transfer->line_open = terminal;
    transfer->told_at = now;
}

static void end_line(transfer_t *transfer)
{
    if (transfer->line_open)
        fputc('\n', stderr);
    transfer->line_open = false;
}

/* Called by the modules between their batches: so this is also where an interruption ends the work. */
static void progress(void *arg, const char *what, int64_t done, int64_t total)
{
    transfer_t *transfer = arg;
    int64_t now = clock_monotonic();
    if (interrupted)
        fail(transfer->req, &UNAVAILABLE,
             "Interrupted. What was done stays; start the same command again to go on.");
    if (strncmp(transfer->what, what, WHAT_SIZE - 1) != 0) {
        end_line(transfer);
        snprintf(transfer->what, sizeof transfer->what, "%s", what);
        transfer->began = now;
        transfer->begun_done = done;
        transfer->told_at = 0;
    }
    if (now - transfer->told_at >= PROGRESS_EVERY_US || (total > 0 && done >= total))
        tell(transfer, what, done, total, now);
}

static void run_part(req_t *req, void *arg)
{
    transfer_t *transfer = arg;
    transfer->part(req, &transfer->input);
}

/* A problem for a person: what was wrong with which field too, where there are fields. */
static int complain_problem(const problem_t *problem)
{
    complain("%s", problem->detail.length ? problem->detail.at : problem->kind->title);
    for (size_t place = 0; place < problem->field_count; place++)
        fprintf(stderr, "  %s: %s\n", problem->fields[place].pointer.at, problem->fields[place].detail.at);
    return EXIT_FAILED;
}

static int run_module_part(transfer_t *transfer, const module_t *module,
                           void (*part)(req_t *req, const command_input_t *input))
{
    transfer->req = req_new(transfer->host, module);
    transfer->part = part;
    bool good = req_attempt(transfer->req, run_part, transfer);
    end_line(transfer);
    int outcome = good ? EXIT_GOOD : complain_problem(&transfer->req->problem);
    req_free(transfer->req);
    return outcome;
}

static bool fits(const transfer_t *transfer, const command_part_t *part)
{
    return strcmp(part->verb, transfer->verb) == 0 && str_equal(str_from(part->format), transfer->format);
}

/* False, and it is said which there are, when no module knows the format. */
static bool format_known(const transfer_t *transfer)
{
    str_t known = STR_NONE;
    for (size_t place = 0; place < all_module_count; place++)
        for (size_t part = 0; part < all_modules[place]->command_count; part++) {
            const command_part_t *own = &all_modules[place]->commands[part];
            if (fits(transfer, own))
                return true;
            if (strcmp(own->verb, transfer->verb) == 0 && (!known.at || !strstr(known.at, own->format)))
                known = known.at ? arena_printf(transfer->invocation->arena, "%s, %s", known.at, own->format)
                                 : str_from(own->format);
        }
    complain("There is no format “%s” to %s; there is: %s.", transfer->format.at, transfer->verb, known.at);
    return false;
}

static void catch_up(req_t *req, void *arg)
{
    log_readers_catch_up(arg);
    (void)req;
}

/* A running server applies what is new in the logs by itself. */
static int apply_logs(transfer_t *transfer)
{
    str_t error;
    bool held;
    int lock = data_directory_lock(transfer->host->data, transfer->invocation->arena, &held, &error);
    if (lock < 0)
        return held ? EXIT_GOOD : complain("%s", error.at);
    req_t *req = req_new(transfer->host, NULL);
    int outcome = req_attempt(req, catch_up, transfer->host) ? EXIT_GOOD : complain_problem(&req->problem);
    req_free(req);
    close(lock);
    return outcome;
}

/* The parts of all modules; `checks`: what looks for faults before anything is changed. */
static void run_parts(transfer_t *transfer, bool checks)
{
    for (size_t place = 0; place < transfer->host->module_count; place++) {
        const module_t *module = transfer->host->modules[place];
        for (size_t part = 0; part < module->command_count; part++) {
            const command_part_t *own = &module->commands[part];
            if (transfer->outcome == EXIT_GOOD && fits(transfer, own) && (own->check || !checks))
                transfer->outcome = run_module_part(transfer, module, checks ? own->check : own->run);
        }
    }
}

static void run_all(void *arg)
{
    transfer_t *transfer = arg;
    run_parts(transfer, true);
    run_parts(transfer, false);
    if (transfer->outcome == EXIT_GOOD && strcmp(transfer->verb, "import") == 0)
        transfer->outcome = apply_logs(transfer);
    loop_stop(transfer->loop);
}

static void run_on_loop(transfer_t *transfer)
{
    transfer->loop = loop_new();
    loop_attach(transfer->loop);
    transfer->host->loops[0] = transfer->loop;
    transfer->host->loop_count = 1;
    if (fiber_start(transfer->verb, run_all, transfer))
        loop_run(transfer->loop);
    else
        transfer->outcome = complain("There is no memory to begin with.");
}

static void listen_to_signals(void)
{
    struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int transfer_run(invocation_t *invocation, const char *verb)
{
    str_t error;
    transfer_t transfer = {.invocation = invocation, .verb = verb, .format = str_from(invocation->words[0])};
    if (invocation->board.length == 0) {
        complain("Say which board with --board NAME.");
        return EXIT_USAGE;
    }
    transfer.input = (command_input_t){.source = str_from(invocation->words[1]),
                                       .board = invocation->board,
                                       .skip_broken = invocation->skip_broken,
                                       .progress = progress,
                                       .progress_arg = &transfer};
    if (!format_known(&transfer))
        return EXIT_USAGE;
    listen_to_signals();
    transfer.host = host_start(invocation, &error);
    if (transfer.host == NULL)
        return complain("%s", error.at);
    run_on_loop(&transfer);
    host_stop(transfer.host);
    loop_free(transfer.loop);
    return transfer.outcome;
}

int command_import(invocation_t *invocation)
{
    return transfer_run(invocation, "import");
}

int command_export(invocation_t *invocation)
{
    return transfer_run(invocation, "export");
}
