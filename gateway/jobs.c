/* Work that comes back by the clock, each in a fiber of the first loop: the modules' jobs, old idempotency
 * keys, keys that were rotated. */
#include "gateway/gateway.h"

typedef struct clockwork {
    gateway_t *gateway;
    const module_t *module; /* NULL: the process's own */
    job_t job;
} clockwork_t;

enum { KEYS_EVERY_S = 20, PURGE_EVERY_S = 600, FIRST_AFTER_S = 10 };

static const int64_t job_most_us = 10 * MINUTE_US;

static void run_job(req_t *req, void *arg)
{
    const clockwork_t *clockwork = arg;
    clockwork->job.run(req);
}

static void run_once(clockwork_t *clockwork)
{
    req_t *req = req_new(clockwork->gateway->host, clockwork->module);
    req->deadline = clock_monotonic() + job_most_us;
    if (!req_attempt(req, run_job, clockwork))
        logline(LINE_WARNING, "job_failed", "job", clockwork->job.name, "problem", req->problem.kind->code,
                NULL);
    req_free(req);
}

static void keep_running(void *arg)
{
    clockwork_t *clockwork = arg;
    int64_t first = FIRST_AFTER_S * SECOND_US;
    int64_t pause = clockwork->job.every_us < first ? clockwork->job.every_us : first;
    while (fiber_sleep(pause) != WAKE_CANCELLED) {
        run_once(clockwork);
        pause = clockwork->job.every_us;
    }
}

static void start(gateway_t *gateway, const module_t *module, const job_t *job)
{
    clockwork_t *clockwork = arena_new_of(gateway->arena, clockwork_t);
    *clockwork = (clockwork_t){.gateway = gateway, .module = module, .job = *job};
    if (!fiber_start(job->name, keep_running, clockwork))
        panic("no memory for the fiber of the job %s", job->name);
}

/* Files are read by a worker, not by the loop. */
static void reload_keys_now(void *arg)
{
    str_t error;
    if (!keyring_reload(arg, &error))
        logline(LINE_ERROR, "keys_not_reloaded", "reason", error.at, NULL);
}

static void reload_keys(req_t *req)
{
    if (worker_run(req->host->workers, reload_keys_now, req->host->keyring, req->deadline) != WORKER_DONE)
        logline(LINE_WARNING, "keys_not_reloaded", "reason", "the workers are busy", NULL);
}

void jobs_start(gateway_t *gateway)
{
    static const job_t keys = {"keys", KEYS_EVERY_S * SECOND_US, reload_keys};
    static const job_t purge = {"idempotency_purge", PURGE_EVERY_S * SECOND_US, db_purge_idempotency};
    start(gateway, NULL, &keys);
    for (size_t place = 0; place < gateway->host->module_count; place++) {
        const module_t *module = gateway->host->modules[place];
        start(gateway, module, &purge);
        for (size_t job = 0; job < module->job_count; job++)
            start(gateway, module, &module->jobs[job]);
    }
}
