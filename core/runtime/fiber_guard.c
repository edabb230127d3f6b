/*
 * Stack overflows of fibers: they hit the guard below the stack. The handler runs on a stack of its own,
 * writes the fiber's name and lets the fault happen again as if it were not there, so that the core dump
 * shows the place.
 */
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/runtime/fiber_private.h"
#include "core/runtime/panic.h"

enum { SIGNAL_STACK_SIZE = FOLKMOOT_ASAN ? 128 * 1024 : 16 * 1024 };

static struct sigaction action_before;

void *signal_stack_make(void)
{
    stack_t present;
    if (sigaltstack(NULL, &present) == 0 && !(present.ss_flags & SS_DISABLE))
        return NULL;
    void *memory = mmap(NULL, SIGNAL_STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        panic("no memory for a signal stack");
    sigaltstack(&(stack_t){.ss_sp = memory, .ss_size = SIGNAL_STACK_SIZE}, NULL);
    return memory;
}

void signal_stack_dispose(void *stack, bool of_this_thread)
{
    if (stack == NULL)
        return;
    if (of_this_thread)
        sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
    munmap(stack, SIGNAL_STACK_SIZE);
}

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return; /* nobody is left who could be told */
}

static void fault(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    const fiber_t *fiber = fiber_self();
    const char *place = info->si_addr;
    if (fiber && place < fiber->stack && place >= fiber->stack - GUARD_SIZE) {
        say("{\"level\":\"error\",\"event\":\"fiber_stack_overflow\",\"fiber\":\"");
        say(fiber->name);
        say("\"}\n");
    }
    sigaction(signal_number, &action_before, NULL);
}

void fiber_install_guard_handler(void)
{
    struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGSEGV, &action, &action_before) != 0)
        panic("the handler for stack overflows cannot be installed");
}
