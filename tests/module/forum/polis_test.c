/* A conversation in and out again, without the program around it: counts, repetition, broken lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#undef fail

#include "core/log/log.h"
#include "internal.h"
#include "tests/module/support/community.h"

extern const module_t forum_module;

static community_t *forum;
static char folder[64];

static void write_file(const char *name, const char *text)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static const char comments[] =
    "timestamp,datetime,comment-id,author-id,agrees,disagrees,moderated,comment-body\n"
    "1000000000000,x,0,7,0,0,1,\"Bikes, \"\"always\"\"\nin two lines\"\n"
    "1000000001000,x,5,8,0,0,0,Trams\n"
    "1000000002000,x,3,7,0,0,-1,Cars\n";

static const char votes[] = "timestamp,datetime,comment-id,voter-id,vote\n"
                            "1000000100000,x,0,1,1\n"
                            "1000000300000,x,0,2,-1\n"
                            "1000000200000,x,0,2,1\n" /* older than the one above: does not stand */
                            "1000000100000,x,5,1,0\n"
                            "1000000200000,x,5,1,1\n" /* stands */
                            "1000000100000,x,3,7,-1\n";

static void run_import(req_t *req, void *arg)
{
    const command_input_t *input = arg;

    polis_import_check(req, input);
    polis_import_conversation(req, input);
}

static void run_export(req_t *req, void *arg)
{
    polis_export_conversation(req, arg);
}

static bool import(const char *board, bool skip)
{
    command_input_t input = {.source = str_from(folder), .board = str_from(board), .skip_broken = skip};

    return community_run(forum, run_import, &input);
}

static answer_t board_of(const char *slug)
{
    char target[100];

    (void)snprintf(target, sizeof target, "/api/v1/boards/%s", slug);
    community_catch_up(forum);
    return community_call(forum, &(call_t){.method = METHOD_GET, .target = target});
}

static long count_of(const char *slug, const char *name)
{
    return strtol(json_member(forum, board_of(slug).body, name), NULL, 10);
}

static void check_counts(const char *slug)
{
    assert_int_equal(count_of(slug, "post_count"), 3);
    assert_int_equal(count_of(slug, "agree_count"), 2);
    assert_int_equal(count_of(slug, "disagree_count"), 2);
    assert_int_equal(count_of(slug, "pass_count"), 0);
    assert_int_equal(count_of(slug, "voter_count"), 3);
}

static void the_newest_vote_of_a_person_stands(void **state)
{
    (void)state;
    write_file("comments.csv", comments);
    write_file("votes.csv", votes);
    assert_true(import("transport", false));
    check_counts("transport");
}

static void look_at_head(req_t *req, void *arg)
{
    *(log_position_t *)arg = log_head(req, &forum_module);
}

static void a_second_import_changes_nothing(void **state)
{
    log_position_t before, after;

    (void)state;
    assert_true(community_run(forum, look_at_head, &before));
    assert_true(import("transport", false));
    check_counts("transport");
    assert_true(community_run(forum, look_at_head, &after));
    assert_int_equal(log_position_compare(before, after), 0);
}

static void read_file(const char *name, char *text, size_t size)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/out/%s", folder, name);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
}

static void an_export_gives_numbers_words_and_standing_votes_back(void **state)
{
    char out[80], text[2048];

    (void)state;
    (void)snprintf(out, sizeof out, "%s/out", folder);
    command_input_t input = {.source = str_from(out), .board = STR("transport")};
    assert_true(community_run(forum, run_export, &input));
    read_file("comments.csv", text, sizeof text);
    assert_string_equal(
        text, "timestamp,datetime,comment-id,author-id,agrees,disagrees,moderated,comment-body\n"
              "1000000000000,Sun Sep 09 01:46:40 UTC 2001,0,7,1,1,1,\"Bikes, \"\"always\"\"\nin two lines\"\n"
              "1000000002000,Sun Sep 09 01:46:42 UTC 2001,3,7,0,1,-1,Cars\n"
              "1000000001000,Sun Sep 09 01:46:41 UTC 2001,5,8,1,0,0,Trams\n");
    read_file("votes.csv", text, sizeof text);
    assert_non_null(strstr(text, "1000000300000,Sun Sep 09 01:51:40 UTC 2001,0,2,-1\n"));
    assert_non_null(strstr(text, "1000000200000,Sun Sep 09 01:50:00 UTC 2001,5,1,1\n"));
    assert_null(strstr(text, ",0,2,1\n"));
}

static void a_broken_line_stops_before_anything_is_written(void **state)
{
    (void)state;
    write_file("votes.csv",
               "timestamp,datetime,comment-id,voter-id,vote\n1000000100000,x,0,1,1\n1000000100000,x,0,2,2\n");
    assert_false(import("broken", false));
    assert_string_equal(board_of("broken").problem, "not_found");
}

static void broken_lines_are_passed_over_when_asked(void **state)
{
    (void)state;
    write_file("votes.csv", "timestamp,datetime,comment-id,voter-id,vote\n"
                            "1000000100000,x,0,1,1\n"
                            "1000000100000,x,0,2,2\n"   /* no such vote */
                            "1000000100000,x,99,2,1\n"  /* no such statement */
                            "1000000100000,x,0\n"       /* no voter */
                            "1000000100000,\"x,0,3,1\n" /* a quote that is never closed */
                            "1000000100000,\xff,0,3,1\n"
                            "1000000100000,x,0,4,-1\n");
    assert_true(import("broken", true));
    assert_int_equal(count_of("broken", "agree_count"), 1);
    assert_int_equal(count_of("broken", "disagree_count"), 1);
    assert_int_equal(count_of("broken", "voter_count"), 2);
}

static void a_statement_that_comes_twice_is_a_broken_line(void **state)
{
    char again[sizeof comments + 64];

    (void)state;
    (void)snprintf(again, sizeof again, "%s1000000009000,x,5,9,0,0,1,Trams again\n", comments);
    write_file("comments.csv", again);
    write_file("votes.csv", votes);
    assert_false(import("twice", false));
    assert_string_equal(board_of("twice").problem, "not_found");
    assert_true(import("twice", true));
    check_counts("twice");
}

static void a_board_of_another_conversation_is_refused(void **state)
{
    (void)state;
    write_file("comments.csv", "timestamp,comment-id,author-id,moderated,comment-body\n"
                               "1000000777000,5,7,1,Another conversation\n");
    write_file("votes.csv", "timestamp,comment-id,voter-id,vote\n1000000900000,5,1,-1\n");
    assert_false(import("transport", false));
    assert_false(import("transport", true));
    check_counts("transport");
}

static void a_vote_that_stood_before_is_replaced_only_by_a_newer_one(void **state)
{
    (void)state;
    write_file("comments.csv", comments);
    write_file("votes.csv", "timestamp,comment-id,voter-id,vote\n1000000200000,0,1,1\n1000000200000,0,2,1\n");
    assert_true(import("newer", false));
    write_file("votes.csv", "timestamp,comment-id,voter-id,vote\n\"x\",0,1,1\n\"x\",0,1,1\n"
                            "1000000100000,0,1,-1\n1000000300000,0,2,-1\n1000000300000,0,2,0\n");
    assert_true(import("newer", true));
    assert_int_equal(count_of("newer", "agree_count"), 1);
    assert_int_equal(count_of("newer", "disagree_count"), 0);
    assert_int_equal(count_of("newer", "pass_count"), 1);
    assert_int_equal(count_of("newer", "voter_count"), 2);
}

/* The votes that were added need not stand at the end. */
static void an_import_of_a_file_that_has_grown_adds_what_is_new(void **state)
{
    (void)state;
    write_file("comments.csv", comments);
    write_file("votes.csv", "timestamp,comment-id,voter-id,vote\n1000000200000,0,1,1\n1000000200000,5,1,1\n");
    assert_true(import("grown", false));
    write_file("votes.csv", "timestamp,comment-id,voter-id,vote\n1000000200000,0,3,-1\n1000000200000,3,3,-1\n"
                            "1000000200000,0,1,1\n1000000200000,5,1,1\n");
    assert_true(import("grown", false));
    assert_int_equal(count_of("grown", "agree_count"), 2);
    assert_int_equal(count_of("grown", "disagree_count"), 2);
    assert_int_equal(count_of("grown", "voter_count"), 2);
}

/* Statements and votes of members, exported with numbers of their own: they are found again by those. */
static void an_export_imported_again_changes_nothing(void **state)
{
    static const char ballot[] = "{\"value\":\"disagree\"}";
    char out[80], target[100];

    (void)state;
    answer_t post = community_call(forum, &(call_t){.method = METHOD_POST,
                                                    .target = "/api/v1/boards/transport/posts",
                                                    .body = "{\"title\":\"Ferries\"}",
                                                    .caller = member_of(1)});
    assert_int_equal(post.status, 201);
    (void)snprintf(target, sizeof target, "/api/v1/items/%s/vote", json_member(forum, post.body, "id"));
    assert_int_equal(
        community_call(
            forum, &(call_t){.method = METHOD_PUT, .target = target, .body = ballot, .caller = member_of(2)})
            .status,
        200);
    (void)snprintf(out, sizeof out, "%s/again", folder);
    command_input_t input = {.source = str_from(out), .board = STR("transport")};
    assert_true(community_run(forum, run_export, &input));
    answer_t before = board_of("transport");
    assert_true(community_run(forum, run_import, &input));
    assert_true(str_equal(board_of("transport").body, before.body));
    assert_int_equal(count_of("transport", "post_count"), 4);
    assert_int_equal(count_of("transport", "disagree_count"), 3);
    assert_int_equal(count_of("transport", "voter_count"), 4);
}

static int run_on(bool postgres)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_vote_of_a_person_stands),
        cmocka_unit_test(a_second_import_changes_nothing),
        cmocka_unit_test(an_export_gives_numbers_words_and_standing_votes_back),
        cmocka_unit_test(a_broken_line_stops_before_anything_is_written),
        cmocka_unit_test(broken_lines_are_passed_over_when_asked),
        cmocka_unit_test(a_statement_that_comes_twice_is_a_broken_line),
        cmocka_unit_test(a_board_of_another_conversation_is_refused),
        cmocka_unit_test(a_vote_that_stood_before_is_replaced_only_by_a_newer_one),
        cmocka_unit_test(an_import_of_a_file_that_has_grown_adds_what_is_new),
        cmocka_unit_test(an_export_imported_again_changes_nothing),
    };
    char command[128];

    forum = community_open(&forum_module, postgres);
    if (!forum)
        return 0;
    (void)snprintf(folder, sizeof folder, "/tmp/folkmoot-polis-XXXXXX");
    assert_non_null(mkdtemp(folder));
    int failed =
        cmocka_run_group_tests_name(postgres ? "polis on PostgreSQL" : "polis on SQLite", tests, NULL, NULL);
    community_close(forum);
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return failed + (system(command) != 0);
}

int main(void)
{
    return run_on(false) + run_on(true);
}
