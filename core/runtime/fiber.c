/*
 * Fibers: starting, switching, waiting, waking. Whoever resumes a fiber (its loop, or a fiber that starts it
 * at once) gets the thread back when it waits or ends. All state is of one thread: no locks.
 */
#include "core/runtime/clock.h"
#include "core/runtime/fiber_private.h"
#include "core/runtime/panic.h"

void fiber_main(fiber_t *fiber); /* called by fiber_trampoline */

static loop_t *own_loop(void)
{
    loop_t *loop = loop_current();
    if (loop == NULL)
        panic("fibers need a loop: this thread has none attached");
    return loop;
}

static fiber_t *own_fiber(const char *what)
{
    fiber_t *fiber = fiber_self();
    if (fiber == NULL)
        panic("%s was called outside of a fiber", what);
    return fiber;
}

fiber_t *fiber_self(void)
{
    loop_t *loop = loop_current();
    return loop ? loop->fibers.running : NULL;
}

size_t fiber_count(void)
{
    loop_t *loop = loop_current();
    return loop ? loop->fibers.count : 0;
}

void fiber_name(const char *name)
{
    fiber_t *fiber = own_fiber("fiber_name");
    fiber->name = name;
    atomic_store_explicit(&fiber->loop->fibers.held_by, name, memory_order_relaxed);
}

static void list_add(fiber_set_t *set, fiber_t *fiber)
{
    fiber->next = set->all;
    if (set->all)
        set->all->previous = fiber;
    set->all = fiber;
    set->count++;
}

static void list_remove(fiber_set_t *set, fiber_t *fiber)
{
    if (fiber->previous)
        fiber->previous->next = fiber->next;
    else
        set->all = fiber->next;
    if (fiber->next)
        fiber->next->previous = fiber->previous;
    set->count--;
}

static void make_ready(fiber_t *fiber)
{
    fiber_set_t *set = &fiber->loop->fibers;
    if (fiber->ready)
        return;
    fiber->ready = true;
    fiber->next_ready = NULL;
    if (set->ready_last)
        set->ready_last->next_ready = fiber;
    else
        set->ready_first = fiber;
    set->ready_last = fiber;
}

/* What fiber_switch takes from a new stack: see fiber_switch.S. */
static void *fiber_prepare(fiber_t *fiber)
{
    void **top = (void **)(fiber->stack + (fiber->stack_size & ~(size_t)15));
#if defined(__x86_64__)
    uint32_t modes[2] = {0x1f80, 0x037f}; /* mxcsr and the x87 control word as a process begins with them */
    void **frame = top - 8;
    memset(frame, 0, 8 * sizeof *frame);
    memcpy(frame, modes, sizeof modes);
    frame[5] = fiber;                    /* rbx */
    frame[7] = (void *)fiber_trampoline; /* where it jumps to */
#elif defined(__aarch64__)
    void **frame = top - 22;
    memset(frame, 0, 22 * sizeof *frame);
    frame[0] = fiber;                     /* x19 */
    frame[11] = (void *)fiber_trampoline; /* x30 */
#endif
    return frame;
}

static void held_from(fiber_set_t *set, const char *name, int64_t since)
{
    atomic_store_explicit(&set->held_since, since, memory_order_relaxed);
    atomic_store_explicit(&set->held_by, name, memory_order_release);
}

static void resume(fiber_t *fiber)
{
    fiber_set_t *set = &fiber->loop->fibers;
    fiber_t *outer = set->running;
    int64_t outer_since = atomic_load_explicit(&set->held_since, memory_order_relaxed);
    void *fake_stack = NULL;
    set->running = fiber;
    held_from(set, fiber->name, clock_monotonic());
    STACK_SWITCH_START(&fake_stack, fiber->stack, fiber->stack_size);
    fiber_switch(&fiber->resumer_pointer, fiber->stack_pointer);
    STACK_SWITCH_FINISH(fake_stack, NULL, NULL);
    set->running = outer;
    held_from(set, outer ? outer->name : NULL, outer_since);
    if (fiber->ended) {
        list_remove(set, fiber);
        fiber_give_back(fiber);
    }
}

/* Back to whoever resumed this fiber; returns when it is resumed again. */
static void suspend(fiber_t *fiber)
{
    STACK_SWITCH_START(&fiber->fake_stack, fiber->resumer_stack, fiber->resumer_stack_size);
    fiber_switch(&fiber->stack_pointer, fiber->resumer_pointer);
    STACK_SWITCH_FINISH(fiber->fake_stack, &fiber->resumer_stack, &fiber->resumer_stack_size);
}

void fiber_main(fiber_t *fiber)
{
    STACK_SWITCH_FINISH(NULL, &fiber->resumer_stack, &fiber->resumer_stack_size);
    fiber->run(fiber->arg);
    fiber->ended = true;
    STACK_SWITCH_START(NULL, fiber->resumer_stack, fiber->resumer_stack_size);
    fiber_switch(&fiber->stack_pointer, fiber->resumer_pointer);
    panic("a fiber was resumed after its end");
}

static fiber_t *start(const char *name, void (*run)(void *arg), void *arg)
{
    loop_t *loop = own_loop();
    if (loop->fibers.count >= FIBERS_PER_LOOP_MAX)
        return NULL;
    fiber_t *fiber = fiber_take(&loop->fibers);
    if (fiber == NULL)
        return NULL;
    fiber->loop = loop;
    fiber->name = name;
    fiber->run = run;
    fiber->arg = arg;
    fiber->stack_pointer = fiber_prepare(fiber);
    list_add(&loop->fibers, fiber);
    return fiber;
}

bool fiber_start(const char *name, void (*run)(void *arg), void *arg)
{
    fiber_t *fiber = start(name, run, arg);
    if (fiber)
        make_ready(fiber);
    return fiber != NULL;
}

bool fiber_start_now(const char *name, void (*run)(void *arg), void *arg)
{
    fiber_t *fiber = start(name, run, arg);
    if (fiber)
        resume(fiber);
    return fiber != NULL;
}

size_t fibers_run(loop_t *loop, size_t most)
{
    fiber_set_t *set = &loop->fibers;
    size_t count = 0;
    while (count < most && set->ready_first) {
        fiber_t *fiber = set->ready_first;
        set->ready_first = fiber->next_ready;
        if (set->ready_first == NULL)
            set->ready_last = NULL;
        fiber->ready = false;
        resume(fiber);
        count++;
    }
    return count;
}

static void deadline_came(loop_timer_t *timer)
{
    fiber_t *fiber = CONTAINER_OF(timer, fiber_t, timer);
    fiber->expired = true;
    make_ready(fiber);
}

wake_t fiber_wait(int64_t deadline)
{
    fiber_t *fiber = own_fiber("fiber_wait");
    if (!fiber->cancelled && !fiber->woken) {
        fiber->expired = false;
        if (deadline != NEVER) {
            fiber->timer.expire = deadline_came;
            loop_timer_set(fiber->loop, &fiber->timer, deadline);
        }
        fiber->waiting = true;
        suspend(fiber);
        fiber->waiting = false;
        loop_timer_clear(fiber->loop, &fiber->timer);
    }
    if (fiber->cancelled)
        return WAKE_CANCELLED;
    if (!fiber->woken && fiber->expired)
        return WAKE_DEADLINE;
    fiber->woken = false;
    return WAKE_CALLED;
}

void fiber_wait_through(void)
{
    fiber_t *fiber = own_fiber("fiber_wait_through");
    fiber->waiting_through = true;
    while (!fiber->woken)
        suspend(fiber);
    fiber->waiting_through = false;
    fiber->woken = false;
}

static void check_thread(const fiber_t *fiber)
{
    if (fiber->loop != loop_current())
        panic("the fiber \"%s\" belongs to another thread: send its loop a message", fiber->name);
}

void fiber_wake(fiber_t *fiber)
{
    check_thread(fiber);
    fiber->woken = true;
    if (fiber->waiting || fiber->waiting_through)
        make_ready(fiber);
}

void fiber_cancel(fiber_t *fiber)
{
    check_thread(fiber);
    fiber->cancelled = true;
    if (fiber->waiting)
        make_ready(fiber);
}

void fiber_cancel_all(void)
{
    for (fiber_t *fiber = own_loop()->fibers.all; fiber; fiber = fiber->next)
        fiber_cancel(fiber);
}

bool fiber_is_cancelled(const fiber_t *fiber)
{
    return fiber->cancelled;
}

wake_t fiber_sleep(int64_t duration_us)
{
    int64_t now = clock_monotonic();
    int64_t deadline = duration_us > NEVER - now ? NEVER : now + duration_us;
    wake_t wake;
    do {
        wake = fiber_wait(deadline);
    } while (wake == WAKE_CALLED);
    return wake;
}

/* Fibers that are left cannot be unwound any more; whoever ends a loop cancels them and turns it until none
 * is left. What those wait for that did not end in time lies on their stacks, and may be at work still. */
bool fibers_dispose(loop_t *loop)
{
    fiber_set_t *set = &loop->fibers;
    fiber_free_spares(set);
    if (set->count > 0)
        logline(LINE_WARNING, "loop_ended_with_fibers", "fibers", line_number((int64_t)set->count), "first",
                set->all->name, NULL);
    return set->count == 0;
}
