/* kill -9 in the middle of writing, again and again: every write that was acknowledged is there afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* ours is a function */

#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/db_fixture.h"

enum { ROUNDS = 5, WRITE_BURST = 20 };

typedef struct life {
    int acknowledge; /* a pipe: the numbers of the writes that were answered */
    int round;
} life_t;

static void write_and_acknowledge(req_t *req, hand_t *hand)
{
    life_t *life = hand->arg;

    for (int i = 0;; i++) {
        int number = (life->round * 1000 + hand->number) * 100000 + i;

        db_apply(req, insert_numbered, &number);
        if (write(life->acknowledge, &number, sizeof number) != sizeof number)
            return;
    }
}

/* A process that writes until it is killed. */
static _Noreturn void live(fixture_t *fixture, life_t life)
{
    str_t error;

    if (!fixture_open(fixture, &error))
        _exit(1);
    crew_run(crew_new(fixture, 2, 16, write_and_acknowledge, &life));
    _exit(2);
}

typedef struct search {
    int number;
    bool found;
} search_t;

static void search_work(req_t *req, void *arg)
{
    search_t *search = arg;
    number_t number = {search->number};
    thing_t thing;

    search->found = statement_fetch(db_read(req), &fixture_statements[THING_NAMED], &number, &thing);
}

static size_t kill_and_collect(fixture_t *fixture, int round, int *numbers, size_t most)
{
    int ends[2], status;
    size_t count = 0;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0)
        live(fixture, (life_t){.acknowledge = ends[1], .round = round});
    close(ends[1]);
    while (count < most && count < (size_t)(WRITE_BURST * (round + 3)) &&
           read(ends[0], &numbers[count], sizeof *numbers) == sizeof *numbers)
        count++;
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    while (count < most && read(ends[0], &numbers[count], sizeof *numbers) == sizeof *numbers)
        count++;
    close(ends[0]);
    return count;
}

static void what_was_acknowledged_survives_kill_9(void **state)
{
    static int numbers[100000];
    fixture_t *fixture = fixture_new();
    str_t error = STR("");
    size_t count = 0;

    (void)state;
    for (int round = 0; round < ROUNDS; round++)
        count += kill_and_collect(fixture, round, numbers + count, COUNT_OF(numbers) - count);
    assert_true(fixture_open(fixture, &error));
    for (size_t i = 0; i < count; i++) {
        search_t search = {.number = numbers[i]};

        assert_null(request(fixture, search_work, &search));
        assert_true(search.found);
    }
    assert_true(count >= ROUNDS * WRITE_BURST);
    assert_true(count_things(fixture) >= (int64_t)count);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_acknowledged_survives_kill_9),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
