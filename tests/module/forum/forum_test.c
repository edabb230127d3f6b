/* The forum alone, over SQLite and over PostgreSQL: every statement prepared, votes at once, trees, totals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#undef fail

#include "tests/module/support/community.h"

extern const module_t forum_module;

enum { VOTERS = 48, DEPTH = 40 };

static community_t *forum;

static answer_t call(method_t method, const char *target, const char *body, unsigned member)
{
    return community_call(
        forum, &(call_t){.method = method, .target = target, .body = body, .caller = member_of(member)});
}

static char *printed(const char *format, ...) PRINTF_LIKE(1, 2);
static char *printed(const char *format, ...)
{
    static char texts[8][512];
    static size_t turn;
    char *text = texts[turn++ % COUNT_OF(texts)];
    va_list values;

    va_start(values, format);
    (void)vsnprintf(text, sizeof texts[0], format, values);
    va_end(values);
    return text;
}

/* A new board of a kind with one post; gives the post's id. */
static const char *open_post(const char *slug, const char *kind)
{
    answer_t board = call(METHOD_POST, "/api/v1/boards",
                          printed("{\"slug\":\"%s\",\"title\":\"A board\",\"kind\":\"%s\"}", slug, kind), 0);
    assert_int_equal(board.status, 201);
    answer_t post = call(METHOD_POST, printed("/api/v1/boards/%s/posts", slug), "{\"title\":\"A post\"}", 1);
    assert_int_equal(post.status, 201);
    return json_member(forum, post.body, "id");
}

static long number(answer_t answer, const char *name)
{
    return strtol(json_member(forum, answer.body, name), NULL, 10);
}

static void every_statement_is_good_on_this_database(void **state)
{
    (void)state;
    arena_t *arena = arena_new();
    str_t error = STR_NONE;

    bool good = database_check_statements(community_database(forum), arena, &error);
    if (!good)
        print_error("%s\n", error.at);
    assert_true(good);
    arena_free(arena);
}

static void votes_cast_at_once_are_counted_exactly(void **state)
{
    const char *post = open_post("at-once", "discussion");
    call_t calls[VOTERS];
    answer_t answers[VOTERS];
    static const char *const ballots[] = {"{\"value\":\"agree\"}", "{\"value\":\"disagree\"}",
                                          "{\"value\":\"pass\"}"};
    char target[128];

    (void)state;
    (void)snprintf(target, sizeof target, "/api/v1/items/%s/vote", post);
    for (size_t round = 0; round < 3; round++) { /* everybody changes twice */
        for (size_t i = 0; i < VOTERS; i++)
            calls[i] = (call_t){.method = METHOD_PUT,
                                .target = target,
                                .body = ballots[(i + round) % 3],
                                .caller = member_of((unsigned)i + 1)};
        community_call_all(forum, calls, VOTERS, answers);
        for (size_t i = 0; i < VOTERS; i++)
            assert_int_equal(answers[i].status, 200);
        answer_t shown = call(METHOD_GET, printed("/api/v1/posts/%s", post), NULL, 1);
        assert_int_equal(number(shown, "agree_count"), VOTERS / 3);
        assert_int_equal(number(shown, "disagree_count"), VOTERS / 3);
        assert_int_equal(number(shown, "pass_count"), VOTERS / 3);
    }
    community_catch_up(forum);
    answer_t board = call(METHOD_GET, "/api/v1/boards/at-once", NULL, 1);
    assert_int_equal(number(board, "voter_count"), VOTERS);
    assert_int_equal(number(board, "agree_count"), VOTERS / 3);
    assert_int_equal(number(board, "post_count"), 1);
}

static void a_withdrawn_vote_is_gone_from_item_and_board(void **state)
{
    const char *post = open_post("withdrawn", "statements");
    char target[128];

    (void)state;
    (void)snprintf(target, sizeof target, "/api/v1/items/%s/vote", post);
    assert_int_equal(call(METHOD_PUT, target, "{\"value\":\"agree\"}", 2).status, 200);
    answer_t tally = call(METHOD_DELETE, target, NULL, 2);
    assert_int_equal(number(tally, "agree_count"), 0);
    assert_string_equal(json_member(forum, tally.body, "own"), "");
    community_catch_up(forum);
    answer_t board = call(METHOD_GET, "/api/v1/boards/withdrawn", NULL, 2);
    assert_int_equal(number(board, "voter_count"), 0);
    assert_int_equal(number(board, "agree_count"), 0);
}

static size_t count_of(answer_t answer, const char *text)
{
    size_t found = 0;

    for (const char *at = answer.body.at; (at = strstr(at, text)); at++)
        found++;
    return found;
}

static void a_deep_branch_is_read_level_by_level(void **state)
{
    const char *post = open_post("deep", "discussion");
    const char *parent = NULL;
    char kept[128];

    (void)state;
    (void)snprintf(kept, sizeof kept, "/api/v1/posts/%s/comments", post);
    for (int depth = 1; depth <= DEPTH; depth++) {
        answer_t comment = call(
            METHOD_POST, kept,
            parent ? printed("{\"body\":\"deeper\",\"parent\":\"%s\"}", parent) : "{\"body\":\"deeper\"}", 3);
        assert_int_equal(comment.status, 201);
        assert_int_equal(number(comment, "depth"), depth);
        parent = json_member(forum, comment.body, "id");
    }
    answer_t shown = call(METHOD_GET, printed("/api/v1/posts/%s", post), NULL, 3);
    assert_int_equal(number(shown, "comment_count"), DEPTH);
    answer_t page = call(METHOD_GET, printed("%s?depth=3", kept), NULL, 3);
    assert_int_equal(count_of(page, "\"depth\":"), 4);
}

/* `width` comments below the post or the comment `parent`, and so on downwards, `depth` levels. */
static void grow(const char *comments, const char *parent, int width, int depth)
{
    for (int i = 0; i < width && depth > 0; i++) {
        answer_t comment = call(
            METHOD_POST, comments,
            parent ? printed("{\"body\":\"leaf\",\"parent\":\"%s\"}", parent) : "{\"body\":\"leaf\"}", 3);
        assert_int_equal(comment.status, 201);
        grow(comments, json_member(forum, comment.body, "id"), 3, depth - 1);
    }
}

static void a_page_with_all_its_levels_is_bounded(void **state)
{
    const char *post = open_post("bushy", "discussion");
    char comments[128];

    (void)state;
    (void)snprintf(comments, sizeof comments, "/api/v1/posts/%s/comments", post);
    grow(comments, NULL, 14, 4); /* 14 + 42 + 126 + 378 */
    answer_t page = call(METHOD_GET, printed("%s?depth=3&limit=100", comments), NULL, 3);
    assert_int_equal(count_of(page, "\"depth\":1,"), 14);
    assert_int_equal(count_of(page, "\"depth\":2,"), 42);
    assert_int_equal(count_of(page, "\"depth\":3,"), 126);
    assert_int_equal(count_of(page, "\"depth\":4,"), 500 - 14 - 42 - 126);
    assert_string_equal(json_member(forum, page.body, "next"), "");
}

enum { REPLIES = 16 };

static void what_is_answered_while_it_is_deleted_counts_its_answers(void **state)
{
    const char *post = open_post("deleted", "discussion");
    char comments[128], target[128], body[128];
    call_t calls[REPLIES + 1];
    answer_t answers[REPLIES + 1];
    long good = 0;

    (void)state;
    (void)snprintf(comments, sizeof comments, "/api/v1/posts/%s/comments", post);
    answer_t first = call(METHOD_POST, comments, "{\"body\":\"going\"}", 3);
    const char *id = json_member(forum, first.body, "id");
    (void)snprintf(target, sizeof target, "/api/v1/comments/%s", id);
    (void)snprintf(body, sizeof body, "{\"body\":\"an answer\",\"parent\":\"%s\"}", id);
    for (size_t i = 0; i <= REPLIES; i++)
        calls[i] = (call_t){
            .method = METHOD_POST, .target = comments, .body = body, .caller = member_of((unsigned)i + 10)};
    calls[REPLIES / 2] = (call_t){.method = METHOD_DELETE, .target = target, .caller = member_of(3)};
    community_call_all(forum, calls, COUNT_OF(calls), answers);
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        assert_true(answers[i].status == 410 || answers[i].status == (i == REPLIES / 2 ? 204 : 201));
        good += answers[i].status == 201;
    }
    answer_t gone = call(METHOD_GET, target, NULL, 1);
    assert_int_equal(number(gone, "reply_count"), good);
    assert_null(strstr(gone.body.at, "going"));
    assert_null(strstr(gone.body.at, "author"));
    assert_int_equal(number(call(METHOD_GET, printed("/api/v1/posts/%s", post), NULL, 1), "comment_count"),
                     good + 1);
}

static void who_votes_many_times_at_once_has_one_vote(void **state)
{
    const char *post = open_post("once", "statements");
    static const char *const ballots[] = {"{\"value\":\"agree\"}", "{\"value\":\"disagree\"}", NULL};
    char target[128];
    call_t calls[REPLIES];
    answer_t answers[REPLIES];

    (void)state;
    (void)snprintf(target, sizeof target, "/api/v1/items/%s/vote", post);
    for (size_t i = 0; i < REPLIES; i++)
        calls[i] = (call_t){.method = ballots[i % 3] ? METHOD_PUT : METHOD_DELETE,
                            .target = target,
                            .body = ballots[i % 3],
                            .caller = member_of(2)};
    community_call_all(forum, calls, REPLIES, answers);
    for (size_t i = 0; i < REPLIES; i++)
        assert_int_equal(answers[i].status, 200);
    answer_t last = call(METHOD_PUT, target, "{\"value\":\"pass\"}", 2);
    assert_int_equal(number(last, "agree_count"), 0);
    assert_int_equal(number(last, "disagree_count"), 0);
    assert_int_equal(number(last, "pass_count"), 1);
    community_catch_up(forum);
    answer_t board = call(METHOD_GET, "/api/v1/boards/once", NULL, 2);
    assert_int_equal(number(board, "voter_count"), 1);
    assert_int_equal(number(board, "voted_count"), 1);
    assert_int_equal(number(board, "agree_count"), 0);
    assert_int_equal(number(board, "pass_count"), 1);
}

static void a_level_is_paged_without_gap_or_repeat(void **state)
{
    const char *post = open_post("paged", "discussion");
    char comments[128], seen[64] = {0};
    answer_t page;
    const char *next = "";
    size_t pages = 0, found = 0;

    (void)state;
    (void)snprintf(comments, sizeof comments, "/api/v1/posts/%s/comments", post);
    for (int i = 0; i < 23; i++)
        assert_int_equal(call(METHOD_POST, comments, printed("{\"body\":\"=%c=\"}", 'a' + i), 4).status, 201);
    do {
        page = call(METHOD_GET,
                    *next ? printed("%s?limit=5&cursor=%s", comments, next) : printed("%s?limit=5", comments),
                    NULL, 4);
        assert_int_equal(page.status, 200);
        for (const char *at = page.body.at; (at = strstr(at, "\"body\":\"=")); at++)
            seen[found++ % (sizeof seen - 1)] = at[9];
        next = json_member(forum, page.body, "next");
        pages++;
    } while (*next);
    assert_string_equal(seen, "abcdefghijklmnopqrstuvw");
    assert_int_equal(pages, 5);
}

static void the_same_key_gives_the_same_answer_once(void **state)
{
    answer_t answers[8];
    call_t calls[8];

    (void)state;
    (void)open_post("keys", "discussion");
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        calls[i] = (call_t){.method = METHOD_POST,
                            .target = "/api/v1/boards/keys/posts",
                            .body = "{\"title\":\"once\"}",
                            .caller = member_of(5),
                            .idempotency_key = "0123456789abcdef-once"};
    community_call_all(forum, calls, COUNT_OF(calls), answers);
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        assert_int_equal(answers[i].status, 201);
        assert_string_equal(answers[i].body.at, answers[0].body.at);
    }
    calls[0].body = "{\"title\":\"another\"}";
    assert_string_equal(community_call(forum, &calls[0]).problem, "idempotency_conflict");
}

static void what_may_not_be_is_refused(void **state)
{
    const char *post = open_post("refused", "statements");
    char target[128];

    (void)state;
    (void)snprintf(target, sizeof target, "/api/v1/posts/%s", post);
    assert_string_equal(call(METHOD_PATCH, target, "{\"title\":\"mine now\"}", 2).problem, "not_yours");
    assert_string_equal(call(METHOD_DELETE, target, NULL, 2).problem, "not_yours");
    assert_string_equal(
        call(METHOD_POST, "/api/v1/boards/refused/posts", "{\"title\":\"t\",\"body\":\"b\"}", 1).problem,
        "invalid");
    assert_string_equal(call(METHOD_POST, "/api/v1/boards/none/posts", "{\"title\":\"t\"}", 1).problem,
                        "not_found");
    answer_t board = call(METHOD_PATCH, "/api/v1/boards/refused", "{\"closed\":true}", 0);
    assert_int_equal(board.status, 200);
    assert_string_equal(call(METHOD_POST, "/api/v1/boards/refused/posts", "{\"title\":\"t\"}", 1).problem,
                        "board_closed");
    assert_string_equal(
        call(METHOD_PUT, printed("/api/v1/items/%s/vote", post), "{\"value\":\"agree\"}", 1).problem,
        "board_closed");
    assert_int_equal(call(METHOD_DELETE, target, NULL, 1).status, 204);
    assert_string_equal(call(METHOD_DELETE, target, NULL, 1).problem, "gone");
}

static int run_on(bool postgres)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_is_good_on_this_database),
        cmocka_unit_test(votes_cast_at_once_are_counted_exactly),
        cmocka_unit_test(a_withdrawn_vote_is_gone_from_item_and_board),
        cmocka_unit_test(a_deep_branch_is_read_level_by_level),
        cmocka_unit_test(a_page_with_all_its_levels_is_bounded),
        cmocka_unit_test(what_is_answered_while_it_is_deleted_counts_its_answers),
        cmocka_unit_test(who_votes_many_times_at_once_has_one_vote),
        cmocka_unit_test(a_level_is_paged_without_gap_or_repeat),
        cmocka_unit_test(the_same_key_gives_the_same_answer_once),
        cmocka_unit_test(what_may_not_be_is_refused),
    };

    forum = community_open(&forum_module, postgres);
    if (!forum)
        return 0;
    int failed =
        cmocka_run_group_tests_name(postgres ? "forum on PostgreSQL" : "forum on SQLite", tests, NULL, NULL);
    community_close(forum);
    return failed;
}

int main(void)
{
    return run_on(false) + run_on(true);
}
