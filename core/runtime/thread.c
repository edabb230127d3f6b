/* Starts the threads of the runtime. Signals go to the thread that waits for them, never to these. */
#include <pthread.h>
#include <signal.h>

#include "core/runtime/sanitizer.h"
#include "core/runtime/thread_private.h"

enum { THREAD_STACK_SIZE = FOLKMOOT_ASAN ? 8 * 1024 * 1024 : 256 * 1024, NAME_SIZE = 16 };

/* Faults of the thread itself must still reach their handlers. */
static void block_signals(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
    for (size_t place = 0; place < COUNT_OF(faults); place++)
        sigdelset(&all, faults[place]);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

static void name_thread(pthread_t thread, const char *name)
{
    char text[NAME_SIZE];
    size_t length = strnlen(name, NAME_SIZE - 1);
    memcpy(text, name, length);
    text[length] = '\0';
    pthread_setname_np(thread, text);
}

bool thread_start(pthread_t *thread, const char *name, void *(*run)(void *arg), void *arg)
{
    sigset_t before;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, THREAD_STACK_SIZE);
    block_signals(&before); /* a new thread inherits the mask */
    bool started = pthread_create(thread, &attributes, run, arg) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (started)
        name_thread(*thread, name);
    return started;
}
