/* What a fiber is made of: shared by the files of the fibers and by the log lines, private to the runtime. */
#ifndef FOLKMOOT_FIBER_PRIVATE_H
#define FOLKMOOT_FIBER_PRIVATE_H

#include "core/runtime/logline_private.h"
#include "core/runtime/loop_private.h"
#include "core/runtime/sanitizer.h"

enum {
    STACK_SIZE = FOLKMOOT_ASAN ? 2 * FIBER_STACK_SIZE : FIBER_STACK_SIZE, /* instrumented frames are larger */
    GUARD_SIZE = 16 * 1024,
};

/* A fiber lies at the upper end of its own stack: one that waits near its root costs one page. */
struct fiber {
    void *stack_pointer;   /* while it does not run */
    void *resumer_pointer; /* while it runs: the stack that it returns to when it waits */
    char *stack;           /* the lowest usable byte; the guard lies below */
    size_t stack_size;
    loop_t *loop;
    const char *name;
    void (*run)(void *arg);
    void *arg;
    fiber_t *next_ready;      /* of the ready ones; of the spare ones when it has ended */
    fiber_t *next, *previous; /* of all of the loop */
    loop_timer_t timer;       /* the deadline of its wait */
    bool ready;               /* in the list of the ready */
    bool waiting;             /* in fiber_wait: anything may make it ready */
    bool waiting_through;     /* in fiber_wait_through: only a wake may */
    bool woken;
    bool cancelled;
    bool expired;
    bool ended;
    char request[LOGLINE_REQUEST_SIZE];
    void *fake_stack; /* AddressSanitizer's, while the fiber does not run */
    const void *resumer_stack;
    size_t resumer_stack_size;
};

/* fiber_stack.c: a zeroed fiber with its stack, NULL when the process can have no more; and back. */
fiber_t *fiber_take(fiber_set_t *set);
void fiber_give_back(fiber_t *fiber);
void fiber_free_spares(fiber_set_t *set);

/* fiber_switch.S */
void fiber_switch(void **save, void *load);
void fiber_trampoline(void);

#endif
