/* Arenas: alignment, growth, the order of releases, marks, and giving memory back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "core/runtime/arena.h"

static char order[64];

static void note(void *what)
{
    size_t length = strlen(order);
    order[length] = *(const char *)what;
    order[length + 1] = '\0';
}

static int forget(void **state)
{
    (void)state;
    memset(order, 0, sizeof order);
    return 0;
}

static void allocations_are_aligned_and_do_not_overlap(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    arena_t *arena = arena_new();
    char *memory[COUNT];
    for (size_t place = 0; place < COUNT; place++) {
        size_t size = place % 97 == 0 ? 20000 + place : place % 300;
        memory[place] = arena_alloc(arena, size);
        assert_int_equal((uintptr_t)memory[place] % 16, 0);
        memset(memory[place], (int)(place % 251), size);
    }
    for (size_t place = 0; place < COUNT; place++) {
        size_t size = place % 97 == 0 ? 20000 + place : place % 300;
        for (size_t byte = 0; byte < size; byte++)
            assert_int_equal((unsigned char)memory[place][byte], place % 251);
    }
    arena_free(arena);
}

static void zeroed_memory_is_zero_also_when_it_was_used_before(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        arena_t *arena = arena_new();
        for (int part = 0; part < 50; part++) {
            unsigned char *memory = arena_zalloc(arena, 1000);
            for (int byte = 0; byte < 1000; byte++)
                assert_int_equal(memory[byte], 0);
            memset(memory, 0xee, 1000);
        }
        arena_free(arena);
    }
}

static void texts_are_copied_with_a_nul(void **state)
{
    (void)state;
    arena_t *arena = arena_new();
    char source[] = "assembly!";
    str_t copy = arena_str(arena, (str_t){source, 8});
    memset(source, 'x', sizeof source);
    assert_string_equal(copy.at, "assembly");
    assert_int_equal(copy.length, 8);
    assert_null(arena_str(arena, STR_NONE).at);
    assert_string_equal(arena_str(arena, STR("")).at, "");
    arena_free(arena);
}

static void short_and_long_texts_are_printed(void **state)
{
    (void)state;
    arena_t *arena = arena_new();
    char filler[2001];
    memset(filler, 'a', 2000);
    filler[2000] = '\0';
    assert_string_equal(arena_printf(arena, "%d votes", 12).at, "12 votes");
    str_t text = arena_printf(arena, "%s/%d", filler, 7);
    assert_int_equal(text.length, 2002);
    assert_string_equal(text.at + 2000, "/7");
    assert_int_equal(arena_printf(arena, "%.*s", 255, filler).length, 255);
    assert_int_equal(strlen(arena_printf(arena, "%.*s", 256, filler).at), 256);
    arena_free(arena);
}

static void releases_run_newest_first_when_the_arena_goes(void **state)
{
    (void)state;
    arena_t *arena = arena_new();
    arena_defer(arena, note, (void *)"a");
    arena_defer(arena, note, (void *)"b");
    arena_defer(arena, note, (void *)"c");
    arena_free(arena);
    assert_string_equal(order, "cba");
}

static void a_rewind_runs_only_what_came_since(void **state)
{
    (void)state;
    arena_t *arena = arena_new();
    arena_defer(arena, note, (void *)"a");
    arena_mark_t outer = arena_mark(arena);
    arena_defer(arena, note, (void *)"b");
    arena_mark_t inner = arena_mark(arena);
    arena_defer(arena, note, (void *)"c");
    arena_rewind(arena, inner);
    assert_string_equal(order, "c");
    arena_defer(arena, note, (void *)"d");
    arena_rewind(arena, outer);
    assert_string_equal(order, "cdb");
    arena_rewind(arena, outer);
    arena_free(arena);
    assert_string_equal(order, "cdba");
}

static void a_rewind_gives_back_chunks_of_all_sizes(void **state)
{
    (void)state;
    arena_t *arena = arena_new();
    char *kept = arena_alloc(arena, 100);
    memset(kept, 'k', 100);
    arena_mark_t mark = arena_mark(arena);
    void *first = arena_alloc(arena, 32);
    for (int round = 0; round < 200; round++) {
        for (int part = 0; part < 40; part++)
            memset(arena_alloc(arena, 700), 'x', 700);
        memset(arena_alloc(arena, 100000), 'y', 100000);
        memset(arena_alloc(arena, 10), 'z', 10);
        arena_rewind(arena, mark);
        assert_ptr_equal(arena_alloc(arena, 32), first);
        arena_rewind(arena, mark);
    }
    assert_int_equal(kept[99], 'k');
    arena_free(arena);
}

static void a_mark_behind_a_large_allocation_is_found_again(void **state)
{
    (void)state;
    arena_t *arena = arena_new();
    char *large = arena_alloc(arena, 50000);
    memset(large, 'l', 50000);
    arena_mark_t mark = arena_mark(arena);
    void *first = arena_alloc(arena, 64);
    arena_alloc(arena, 60000);
    arena_rewind(arena, mark);
    assert_ptr_equal(arena_alloc(arena, 64), first);
    assert_int_equal(large[49999], 'l');
    arena_free(arena);
}

static void a_release_leaves_the_memory_in_place(void **state)
{
    (void)state;
    arena_t *arena = arena_new();
    arena_mark_t mark = arena_mark(arena);
    str_t message = arena_printf(arena, "the board is closed");
    arena_defer(arena, note, (void *)"r");
    arena_alloc(arena, 30000);
    arena_release_to(arena, mark);
    assert_string_equal(order, "r");
    assert_string_equal(message.at, "the board is closed");
    assert_ptr_not_equal(arena_alloc(arena, 16), message.at);
    arena_free(arena);
    assert_string_equal(order, "r");
}

static arena_t *used_by_release;

static void allocate_more(void *what)
{
    memset(arena_alloc(used_by_release, 5000), 1, 5000);
    arena_defer(used_by_release, note, what);
}

static void a_release_may_use_the_arena(void **state)
{
    (void)state;
    used_by_release = arena_new();
    arena_defer(used_by_release, allocate_more, (void *)"n");
    arena_free(used_by_release);
    assert_string_equal(order, "n");
}

static void *use_arenas(void *arg)
{
    for (int round = 0; round < 200; round++) {
        arena_t *arena = arena_new();
        for (int part = 0; part < 100; part++)
            memset(arena_alloc(arena, 900), 3, 900);
        arena_free(arena);
    }
    return arg;
}

static void threads_have_shelves_of_their_own(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (size_t place = 0; place < COUNT_OF(threads); place++)
        assert_int_equal(pthread_create(&threads[place], NULL, use_arenas, NULL), 0);
    for (size_t place = 0; place < COUNT_OF(threads); place++)
        pthread_join(threads[place], NULL);
}

static void freeing_nothing_is_fine(void **state)
{
    (void)state;
    arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_do_not_overlap),
        cmocka_unit_test(zeroed_memory_is_zero_also_when_it_was_used_before),
        cmocka_unit_test(texts_are_copied_with_a_nul),
        cmocka_unit_test(short_and_long_texts_are_printed),
        cmocka_unit_test_setup(releases_run_newest_first_when_the_arena_goes, forget),
        cmocka_unit_test_setup(a_rewind_runs_only_what_came_since, forget),
        cmocka_unit_test(a_rewind_gives_back_chunks_of_all_sizes),
        cmocka_unit_test(a_mark_behind_a_large_allocation_is_found_again),
        cmocka_unit_test_setup(a_release_leaves_the_memory_in_place, forget),
        cmocka_unit_test_setup(a_release_may_use_the_arena, forget),
        cmocka_unit_test(threads_have_shelves_of_their_own),
        cmocka_unit_test(freeing_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
