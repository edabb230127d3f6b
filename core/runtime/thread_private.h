/* Threads of the runtime itself: a small stack, no signals, a name. Private to the runtime. */
#ifndef FOLKMOOT_THREAD_PRIVATE_H
#define FOLKMOOT_THREAD_PRIVATE_H

#include <pthread.h>

#include "core/runtime/base.h"

/* False when the process can have no more threads. */
bool thread_start(pthread_t *thread, const char *name, void *(*run)(void *arg), void *arg) MUST_CHECK;

#endif
