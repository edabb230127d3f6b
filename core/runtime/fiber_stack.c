/*
 * Stacks of fibers: mapped with a guard below, so that an overflow stops the process instead of spoiling a
 * neighbour. Ended fibers keep theirs for the next; when a loop has more to spare than it needs, a timer
 * returns them bit by bit, so that a burst of requests does not leave the server large.
 */
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/runtime/clock.h"
#include "core/runtime/fiber_private.h"

enum {
    SPARES_KEPT = 16,
    STACKS_OF_PROCESS_MAX = 24000, /* two mappings each, of the 65530 that the kernel allows */
};

#define TRIM_EVERY SECOND_US

static _Atomic size_t stacks;

static char *stack_map(void)
{
    if (atomic_fetch_add(&stacks, 1) < STACKS_OF_PROCESS_MAX) {
        char *base = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (base != MAP_FAILED && mprotect(base + GUARD_SIZE, STACK_SIZE, PROT_READ | PROT_WRITE) == 0)
            return base + GUARD_SIZE;
        if (base != MAP_FAILED)
            munmap(base, GUARD_SIZE + STACK_SIZE);
    }
    atomic_fetch_sub(&stacks, 1);
    return NULL;
}

static fiber_t *fiber_of_stack(char *stack)
{
    return (fiber_t *)(stack + STACK_SIZE - ((sizeof(fiber_t) + 63) & ~(size_t)63));
}

static void fiber_unmap(fiber_t *fiber)
{
    char *stack = fiber->stack;
    UNPOISON(stack, STACK_SIZE);
    munmap(stack - GUARD_SIZE, GUARD_SIZE + STACK_SIZE);
    atomic_fetch_sub(&stacks, 1);
}

static fiber_t *spare_pop(fiber_set_t *set)
{
    fiber_t *fiber = set->spare;
    set->spare = fiber->next_ready;
    set->spare_count--;
    return fiber;
}

fiber_t *fiber_take(fiber_set_t *set)
{
    char *stack = set->spare ? spare_pop(set)->stack : stack_map();
    if (stack == NULL)
        return NULL;
    fiber_t *fiber = fiber_of_stack(stack);
    *fiber = (fiber_t){.stack = stack, .stack_size = (size_t)((char *)fiber - stack)};
    return fiber;
}

void fiber_free_spares(fiber_set_t *set)
{
    while (set->spare)
        fiber_unmap(spare_pop(set));
}

/* All pages but the uppermost, in which the fiber itself lies. */
static void give_back_pages(fiber_t *fiber)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    char *end = (char *)((uintptr_t)fiber & ~(page - 1));
    madvise(fiber->stack, (size_t)(end - fiber->stack), MADV_DONTNEED);
}

/* Half of what is too much each time: a load that comes and goes finds most of its stacks still there. */
static void trim(loop_timer_t *timer)
{
    loop_t *loop = CONTAINER_OF(timer, loop_t, fibers.trim);
    fiber_set_t *set = &loop->fibers;
    size_t excess = set->spare_count > SPARES_KEPT ? set->spare_count - SPARES_KEPT : 0;
    for (size_t left = (excess + 1) / 2; left > 0; left--)
        fiber_unmap(spare_pop(set));
    if (excess > 1) {
        loop_timer_set(loop, timer, clock_monotonic() + TRIM_EVERY);
        return;
    }
    for (fiber_t *fiber = set->spare; fiber; fiber = fiber->next_ready)
        give_back_pages(fiber);
}

void fiber_give_back(fiber_t *fiber)
{
    loop_t *loop = fiber->loop;
    fiber_set_t *set = &loop->fibers;
    UNPOISON(fiber->stack, fiber->stack_size);
    fiber->next_ready = set->spare;
    set->spare = fiber;
    if (++set->spare_count > SPARES_KEPT && set->trim.place == 0) {
        set->trim.expire = trim;
        loop_timer_set(loop, &set->trim, clock_monotonic() + TRIM_EVERY);
    }
}
