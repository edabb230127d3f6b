/* Ids: their order, their text, and ids made of a name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/runtime/clock.h"
#include "core/runtime/uuid.h"

static void assert_version_7(const uuid_t *id)
{
    assert_int_equal(id->bytes[6] >> 4, 7);
    assert_int_equal(id->bytes[8] >> 6, 2);
}

static uint64_t milliseconds_of(const uuid_t *id)
{
    uint64_t milliseconds = 0;
    for (int place = 0; place < 6; place++)
        milliseconds = milliseconds << 8 | id->bytes[place];
    return milliseconds;
}

static void later_ids_sort_after_earlier_ones(void **state)
{
    (void)state;
    uuid_t before = uuid_new();
    for (int round = 0; round < 200000; round++) {
        uuid_t id = uuid_new();
        assert_true(memcmp(&before, &id, sizeof id) < 0);
        before = id;
    }
    assert_version_7(&before);
    int64_t apart = (int64_t)milliseconds_of(&before) - clock_now() / 1000;
    assert_true(apart > -1000 && apart < 5000);
}

enum { IDS = 20000, THREADS = 4 };
static uuid_t ids[THREADS][IDS];

static void *take_ids(void *arg)
{
    uuid_t *mine = arg;
    for (size_t place = 0; place < IDS; place++)
        mine[place] = uuid_new();
    return NULL;
}

static int compare(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(uuid_t));
}

static void no_two_threads_get_the_same_id(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (size_t place = 0; place < THREADS; place++)
        assert_int_equal(pthread_create(&threads[place], NULL, take_ids, ids[place]), 0);
    for (size_t place = 0; place < THREADS; place++)
        pthread_join(threads[place], NULL);
    qsort(ids, (size_t)THREADS * IDS, sizeof(uuid_t), compare);
    for (size_t place = 1; place < (size_t)THREADS * IDS; place++)
        assert_true(compare(&ids[0][0] + place - 1, &ids[0][0] + place) < 0);
}

static void a_child_process_makes_other_ids(void **state)
{
    (void)state;
    int ends[2];
    uuid_t of_parent = uuid_new(), of_child;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    of_parent = uuid_new();
    if (child == 0)
        _exit(write(ends[1], &of_parent, sizeof of_parent) != sizeof of_parent);
    assert_int_equal(read(ends[0], &of_child, sizeof of_child), sizeof of_child);
    waitpid(child, NULL, 0);
    assert_memory_not_equal(of_parent.bytes + 9, of_child.bytes + 9, 7);
    close(ends[0]);
    close(ends[1]);
}

static void the_same_name_and_time_give_the_same_id(void **state)
{
    (void)state;
    int64_t time = INT64_C(1700000000123456);
    uuid_t id = uuid_of_name(time, STR("polis/comment/7"));
    uuid_t again = uuid_of_name(time, STR("polis/comment/7"));
    uuid_t other_name = uuid_of_name(time, STR("polis/comment/8"));
    uuid_t other_time = uuid_of_name(time + SECOND_US, STR("polis/comment/7"));
    assert_true(uuid_equal(&id, &again));
    assert_false(uuid_equal(&id, &other_name));
    assert_false(uuid_equal(&id, &other_time));
    assert_version_7(&id);
    assert_int_equal(milliseconds_of(&id), 1700000000123);
    uuid_t early = uuid_of_name(-5, STR_NONE);
    assert_int_equal(milliseconds_of(&early), 0);
    assert_version_7(&early);
}

static void text_is_written_and_read_again(void **state)
{
    (void)state;
    char text[UUID_TEXT_SIZE];
    uuid_t id, read;
    assert_true(uuid_parse(STR("0190A6b0-7C2f-7def-8123-456789abCDEF"), &id));
    uuid_format(&id, text);
    assert_string_equal(text, "0190a6b0-7c2f-7def-8123-456789abcdef");
    for (int round = 0; round < 1000; round++) {
        id = uuid_new();
        uuid_format(&id, text);
        assert_int_equal(strlen(text), 36);
        assert_true(uuid_parse(str_from(text), &read));
        assert_true(uuid_equal(&id, &read));
    }
}

static void other_text_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "0190a6b0-7c2f-7def-8123-456789abcde",
        "0190a6b0-7c2f-7def-8123-456789abcdef0",
        "0190a6b0-7c2f-7def-8123-456789abcdeg",
        "0190a6b07-c2f-7def-8123-456789abcdef",
        "0190a6b0-7c2f-7def-8123_456789abcdef",
        "{190a6b0-7c2f-7def-8123-456789abcde}",
        "0190a6b07c2f7def8123456789abcdef",
        "-190a6b0-7c2f-7def-8123-456789abcdef",
    };
    uuid_t id = UUID_NONE;
    for (size_t place = 0; place < COUNT_OF(wrong); place++)
        assert_false(uuid_parse(str_from(wrong[place]), &id));
    assert_true(uuid_is_none(&id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_ids_sort_after_earlier_ones),
        cmocka_unit_test(no_two_threads_get_the_same_id),
        cmocka_unit_test(a_child_process_makes_other_ids),
        cmocka_unit_test(the_same_name_and_time_give_the_same_id),
        cmocka_unit_test(text_is_written_and_read_again),
        cmocka_unit_test(other_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
