/*
 * One reader of a log: reads a batch of entries, and in one transaction moves the reader's position on and
 * applies them. The position is moved by comparing: when another process that runs the same reader was there
 * first, nothing is applied.
 */
#include <stdlib.h>

#include "core/api.h"
#include "core/crypto/crypto.h"
#include "core/log/reader.h"
#include "core/module.h"
#include "core/runtime/logline.h"
#include "core/runtime/panic.h"
#include "core_log/queries.h"

enum { BATCH_MAX = 200 };

#define STEP_DEADLINE_US (60 * SECOND_US)
#define PAUSE_LEAST_US   (100 * MILLISECOND_US)
#define PAUSE_MOST_US    (10 * SECOND_US)

typedef struct batch {
    follower_t *follower;
    log_entry_t *entries;
    size_t count;
    bool applied, unseen;
} batch_t;

follower_t *followers_of(host_t *host, size_t *count)
{
    size_t total = 0, next = 0;

    for (size_t i = 0; i < host->module_count; i++)
        total += host->modules[i]->reader_count;
    follower_t *followers = memory_new((total ? total : 1) * sizeof(follower_t));
    for (size_t i = 0; i < host->module_count; i++) {
        const module_t *module = host->modules[i];
        for (size_t k = 0; k < module->reader_count; k++)
            followers[next++] = (follower_t){.reader = &module->readers[k],
                                             .module = module,
                                             .source = host_module(host, module->readers[k].source),
                                             .batch = BATCH_MAX};
    }
    *count = total;
    return followers;
}

/* ---- the position ---- */

static void begin_body(tx_t *tx, void *arg)
{
    const follower_t *follower = arg;

    log_reader_begin(tx, str_from(follower->reader->name));
}

/* What was read is still there, unless the source's database alone was restored from a backup, or moved to
 * another cluster. What is appended then would take positions that the reader believes to have behind it: it
 * goes no further, also when the log has grown past it, rather than skip them. */
static void refuse_other_past(req_t *req, follower_t *follower)
{
    char position[LOG_POSITION_TEXT_SIZE], end[LOG_POSITION_TEXT_SIZE];
    log_position_t head = log_head(req, follower->source);

    if (!follower->ahead && log_position_compare(follower->position, head) > 0) {
        follower->ahead = true;
        log_position_format(follower->position, position);
        log_position_format(head, end);
        logline(LINE_ERROR, "reader_ahead_of_log", "reader", follower->reader->name, "position", position,
                "log", follower->reader->source, "log_ends", end, "remedy",
                "the databases are not of one time: stop, and restore all of them from one backup", NULL);
    }
    if (follower->ahead)
        fail(req, &UNAVAILABLE, "The reader is ahead of the log.");
}

static void find_position(req_t *req, follower_t *follower)
{
    struct log_reader_position row;

    if (log_reader_position(db_read(req), str_from(follower->reader->name), &row)) {
        follower->position = (log_position_t){row.transaction_id, row.sequence};
        refuse_other_past(req, follower);
    } else {
        db_apply(req, begin_body, follower);
        follower->position = LOG_START;
    }
    follower->known = true;
}

/* ---- a batch ---- */

static void apply_body(tx_t *tx, void *arg)
{
    batch_t *batch = arg;
    const follower_t *follower = batch->follower;
    log_position_t next = batch->entries[batch->count - 1].position;
    struct log_reader_move_in move = {
        .name = str_from(follower->reader->name),
        .old_transaction_id = follower->position.transaction,
        .old_sequence = follower->position.sequence,
        .transaction_id = next.transaction,
        .sequence = next.sequence,
    };

    batch->applied = log_reader_move(tx, &move) == 1;
    if (batch->applied)
        follower->reader->apply(tx, batch->entries, batch->count);
}

static void look_at_head(req_t *req, follower_t *follower, const batch_t *batch)
{
    if (batch->count == follower->batch)
        follower->head = log_head(req, follower->source);
    else
        follower->head = batch->count ? batch->entries[batch->count - 1].position : follower->position;
    follower->head_known = true;
}

static void step_body(req_t *req, void *arg)
{
    batch_t *batch = arg;
    follower_t *follower = batch->follower;

    if (!follower->known)
        find_position(req, follower);
    batch->count = log_read(req, follower->source, follower->position, follower->batch, &batch->entries);
    look_at_head(req, follower, batch);
    if (batch->count == 0) {
        batch->unseen = log_has_more(req, follower->source, follower->position);
        return;
    }
    db_apply(req, apply_body, batch);
    if (batch->applied)
        follower->position = batch->entries[batch->count - 1].position;
    else
        follower->known = false; /* another process moved it: look where it stands now */
}

static void note_failure(follower_t *follower, const req_t *req)
{
    char position[LOG_POSITION_TEXT_SIZE];

    follower->failures++;
    follower->known = false;
    follower->batch = 1;
    log_position_format(follower->position, position);
    logline(LINE_WARNING, "reader_failed", "reader", follower->reader->name, "problem",
            req->problem.kind->code, "after", position, "failures", line_number(follower->failures), NULL);
}

static void note_success(follower_t *follower, const batch_t *batch)
{
    if (follower->failures > 0 && batch->applied)
        logline(LINE_INFO, "reader_recovered", "reader", follower->reader->name, NULL);
    if (follower->failures > 0 && batch->count > 0 && !batch->applied)
        return; /* nothing is known yet of what failed */
    follower->failures = 0;
    follower->batch = follower->batch * 4 < BATCH_MAX ? follower->batch * 4 : BATCH_MAX;
}

step_t follower_step(follower_t *follower, host_t *host)
{
    batch_t batch = {.follower = follower};
    req_t *req = req_new(host, follower->module);
    step_t step;

    req->deadline = clock_monotonic() + STEP_DEADLINE_US;
    if (req_attempt(req, step_body, &batch)) {
        note_success(follower, &batch);
        step = batch.count > 0 ? STEP_APPLIED : batch.unseen ? STEP_UNSEEN : STEP_AT_HEAD;
    } else {
        if (!fiber_self() || !fiber_is_cancelled(fiber_self()))
            note_failure(follower, req);
        step = STEP_FAILED;
    }
    req_free(req);
    return step;
}

/* ---- pauses ---- */

int64_t failure_pause(unsigned failures)
{
    int64_t pause = PAUSE_LEAST_US;
    uint32_t chance;

    for (unsigned i = 1; i < failures && pause < PAUSE_MOST_US; i++)
        pause *= 2;
    if (pause > PAUSE_MOST_US)
        pause = PAUSE_MOST_US;
    random_bytes(&chance, sizeof chance); /* so that several processes do not come back at the same time */
    return pause / 2 + (int64_t)(chance % (uint32_t)(pause / 2 + 1));
}

int64_t unseen_pause(unsigned looks)
{
    static const int64_t pauses[] = {5 * MILLISECOND_US, 20 * MILLISECOND_US, 50 * MILLISECOND_US};

    return pauses[looks < COUNT_OF(pauses) ? looks : COUNT_OF(pauses) - 1];
}
