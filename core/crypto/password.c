/*
 * Passwords: Argon2id in the host's password pool, so that a loop's thread never hashes and the memory that
 * hashing takes is bounded by the number of the pool's threads.
 */
#include <errno.h>
#include <sodium.h>

#include "core/api.h"
#include "core/crypto/crypto.h"
#include "core/host.h"

const config_option_t crypto_options[] = {
    {.name = "identity.password_memory",
     .type = CONFIG_SIZE,
     .preset = "19M",
     .least = 1 << 20,
     .most = 1 << 30,
     .doc = "Memory that hashing one password takes; one hash runs per core. More makes stolen hashes harder "
            "to guess."},
    {.name = "identity.password_passes",
     .type = CONFIG_INT,
     .preset = "2",
     .least = 1,
     .most = 16,
     .doc = "How often hashing a password goes over its memory."},
};
const size_t crypto_option_count = COUNT_OF(crypto_options);

typedef struct password_work {
    str_t password;
    unsigned long long passes;
    size_t memory;
    bool verify;                       /* against `hash`; else make one */
    char hash[crypto_pwhash_STRBYTES]; /* of the caller's stack: it waits until the work has ended */
    bool matches, out_of_memory;
} password_work_t;

static password_work_t work_for(req_t *req, str_t password)
{
    return (password_work_t){
        .password = password,
        .passes = (unsigned long long)config_int(req->host->config, "identity.password_passes"),
        .memory = (size_t)config_int(req->host->config, "identity.password_memory")};
}

static void password_run(void *arg)
{
    password_work_t *work = arg;
    int result;

    errno = 0;
    if (work->verify)
        result = crypto_pwhash_str_verify(work->hash, work->password.at, work->password.length);
    else
        result = crypto_pwhash_str_alg(work->hash, work->password.at, work->password.length, work->passes,
                                       work->memory, crypto_pwhash_ALG_ARGON2ID13);
    work->matches = result == 0;
    work->out_of_memory = result != 0 && (!work->verify || errno == ENOMEM);
}

static void password_wait(req_t *req, password_work_t *work)
{
    switch (worker_run(req->host->passwords, password_run, work, req->deadline)) {
    case WORKER_DONE:
        break;
    case WORKER_FULL:
        fail_retry(req, &BUSY, 2 * SECOND_US, "Many people are signing in. Try again in a moment.");
    case WORKER_DEADLINE:
        fail(req, &TIMED_OUT, "Many people are signing in. Try again in a moment.");
    case WORKER_CANCELLED:
        fail(req, &CLIENT_GONE, "The client went away.");
    }
    if (work->out_of_memory)
        fail_retry(req, &BUSY, 5 * SECOND_US,
                   "There is not enough memory to check a password now. Try again in a moment.");
}

str_t password_hash(req_t *req, str_t password)
{
    password_work_t work = work_for(req, password);

    password_wait(req, &work);
    str_t hash = arena_str(req->arena, str_from(work.hash));
    sodium_memzero(&work, sizeof work);
    return hash;
}

bool password_matches(req_t *req, str_t hash, str_t password)
{
    password_work_t work = work_for(req, password);

    /* Whether a name exists must not show in the time: without a hash the password is hashed and the result
     * dropped. */
    work.verify = hash.at != NULL;
    if (hash.length >= sizeof work.hash)
        return false;
    if (work.verify)
        memcpy(work.hash, hash.at, hash.length);
    password_wait(req, &work);
    bool matches = work.verify && work.matches;
    sodium_memzero(&work, sizeof work);
    return matches;
}

bool password_needs_rehash(req_t *req, str_t hash)
{
    password_work_t work = work_for(req, STR_NONE);

    if (hash.length >= sizeof work.hash)
        return true;
    memcpy(work.hash, hash.at, hash.length);
    return crypto_pwhash_str_needs_rehash(work.hash, work.passes, work.memory) != 0;
}
