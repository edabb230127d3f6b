/* Timers of a loop: a binary heap ordered by the time they are due; each timer knows its place in it, so that
 * it can leave. */
#include "core/runtime/loop_private.h"
#include "core/runtime/panic.h"

static void heap_put(loop_t *loop, size_t place, loop_timer_t *timer)
{
    loop->timers[place] = timer;
    timer->place = place + 1;
}

static void heap_rise(loop_t *loop, size_t place)
{
    loop_timer_t *timer = loop->timers[place];
    while (place > 0) {
        size_t parent = (place - 1) / 2;
        if (loop->timers[parent]->due <= timer->due)
            break;
        heap_put(loop, place, loop->timers[parent]);
        place = parent;
    }
    heap_put(loop, place, timer);
}

static void heap_sink(loop_t *loop, size_t place)
{
    loop_timer_t *timer = loop->timers[place];
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= loop->timer_count)
            break;
        if (child + 1 < loop->timer_count && loop->timers[child + 1]->due < loop->timers[child]->due)
            child++;
        if (timer->due <= loop->timers[child]->due)
            break;
        heap_put(loop, place, loop->timers[child]);
        place = child;
    }
    heap_put(loop, place, timer);
}

static void heap_grow(loop_t *loop)
{
    size_t room = loop->timer_room ? 2 * loop->timer_room : 64;
    loop->timers = memory_resize(loop->timers, room * sizeof *loop->timers);
    loop->timer_room = room;
}

void loop_timer_set(loop_t *loop, loop_timer_t *timer, int64_t due)
{
    loop_timer_clear(loop, timer);
    if (loop->timer_count == loop->timer_room)
        heap_grow(loop);
    timer->due = due;
    heap_put(loop, loop->timer_count++, timer);
    heap_rise(loop, timer->place - 1);
}

void loop_timer_clear(loop_t *loop, loop_timer_t *timer)
{
    if (timer->place == 0)
        return;
    size_t place = timer->place - 1;
    timer->place = 0;
    loop_timer_t *last = loop->timers[--loop->timer_count];
    if (last == timer)
        return;
    heap_put(loop, place, last);
    heap_rise(loop, place);
    heap_sink(loop, last->place - 1);
}

int64_t loop_timer_wait(const loop_t *loop, int64_t now)
{
    if (loop->timer_count == 0)
        return NEVER;
    int64_t due = loop->timers[0]->due;
    return due <= now ? 0 : due - now;
}

/* Bounded by the timers set now, so that one that sets itself again for a time past cannot hold the turn. */
void loop_timer_expire(loop_t *loop, int64_t now)
{
    for (size_t left = loop->timer_count; left > 0 && loop->timer_count > 0; left--) {
        loop_timer_t *timer = loop->timers[0];
        if (timer->due > now)
            return;
        loop_timer_clear(loop, timer);
        timer->expire(timer);
    }
}
