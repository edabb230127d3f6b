/*
 * The bare program: what a request costs when nothing is in its way but h2o and the statement. The read
 * ratios divide by it. h2o.h comes first, since base.h forbids functions that it uses.
 */
#ifndef FOLKMOOT_BENCH_BARE_H
#define FOLKMOOT_BENCH_BARE_H

#include <h2o.h>

#include "core/db/db.h"
#include "core/runtime/uuid.h"
#include "queries.h"

typedef struct bare_thread {
    pthread_t id;
    h2o_evloop_t *loop;
    h2o_context_t context;
    h2o_accept_ctx_t accept;
    void *source; /* what `open` of the source gave */
} bare_thread_t;

/* Where the rows come from. `read` answers the request, now or later. */
typedef struct bare_source {
    void *(*open)(bare_thread_t *thread, const char *address);
    void (*read)(void *source, h2o_req_t *request, const uuid_t *id);
} bare_source_t;

extern const bare_source_t bare_sqlite, bare_postgres;
extern const statement_t *bare_statement; /* forum.item_by_id */
extern uuid_t bare_member;                /* who reads */

/* Answers with the row as the post's JSON; with 404 when there is none. */
void bare_answer(h2o_req_t *request, const struct item_by_id *row);

#endif
