/* One reader and its steps: what readers.c drives. Private to core/log/. */
#ifndef FOLKMOOT_LOG_READER_H
#define FOLKMOOT_LOG_READER_H

#include "core/host.h"
#include "core/log/log.h"

typedef struct follower {
    const log_reader_t *reader;
    const struct module *module; /* whose reader it is */
    const struct module *source; /* whose log it reads; NULL: not enabled here */
    bool known;                  /* `position` was read from the database or written to it */
    log_position_t position;
    log_position_t head; /* of the source, when it was last looked at */
    bool head_known;
    bool ahead;        /* of its source's log: the two are of different pasts */
    size_t batch;      /* entries per transaction: fewer after a failure, to get as far as is possible */
    unsigned failures; /* in a row */
} follower_t;

typedef enum step {
    STEP_APPLIED, /* something; there may be more */
    STEP_AT_HEAD, /* nothing was left to apply */
    STEP_UNSEEN,  /* something is committed that readers may not see yet */
    STEP_FAILED,
} step_t;

/* The readers of all modules of the host; *count of them. Free with free(). */
follower_t *followers_of(host_t *host, size_t *count);

/* Applies one batch. In a fiber. */
step_t follower_step(follower_t *follower, host_t *host);

/* How long to wait after `failures` failures in a row, or after the `looks`th look at something unseen. */
int64_t failure_pause(unsigned failures);
int64_t unseen_pause(unsigned looks);

/* Whether anything is committed behind the position, seen by readers or not. May wait. */
bool log_has_more(req_t *req, const struct module *module, log_position_t position);

#endif
