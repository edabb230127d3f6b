/* Threads for what blocks: password hashes, slow statements, files. A fiber hands over a function and waits.
 */
#ifndef FOLKMOOT_WORKER_H
#define FOLKMOOT_WORKER_H

#include "core/runtime/fiber.h"

typedef struct worker_pool worker_pool_t;

/* `threads` threads (1..64) and at most `queue_max` waiting calls. Threads start with the first call. */
worker_pool_t *worker_pool_new(const char *name, unsigned threads, size_t queue_max);
void worker_pool_free(
    worker_pool_t *pool); /* waits for what runs; what still waits in the queue is abandoned */

typedef enum worker_result { WORKER_DONE, WORKER_FULL, WORKER_DEADLINE, WORKER_CANCELLED } worker_result_t;

/* Runs work(arg) on a pool thread while the calling fiber waits. WORKER_FULL: the queue is full, nothing ran.
 * WORKER_DEADLINE and WORKER_CANCELLED: it had not begun, and never will. Once begun, the call waits for its
 * end, since `arg` lives on the fiber's stack. Outside of a fiber it runs the work in place. */
worker_result_t worker_run(worker_pool_t *pool, void (*work)(void *arg), void *arg,
                           int64_t deadline) MUST_CHECK;

size_t worker_queue_length(worker_pool_t *pool);

#endif
