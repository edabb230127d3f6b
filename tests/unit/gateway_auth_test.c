/* Who may do what: strangers, members, tiers and roles, against what an operation asks for. */
#include "gateway/gateway.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#undef fail

#include "core/api.h"

static gateway_t gateway;
static gateway_thread_t thread = {.gateway = &gateway};

static void run(req_t *req, void *arg)
{
    (void)req;
    authorize(arg);
}

/* The problem that it ends in; NULL: the caller may. */
static const problem_kind_t *judge(operation_t operation, caller_t caller)
{
    req_t *req = req_new(NULL, NULL);
    exchange_t exchange = {.thread = &thread, .req = req, .route = {.operation = &operation}};
    req->caller = caller;
    const problem_kind_t *kind = req_attempt(req, run, &exchange) ? NULL : req->problem.kind;
    req_free(req);
    return kind;
}

static caller_t member(tier_t tier, unsigned roles)
{
    return (caller_t){.member = uuid_new(), .session = uuid_new(), .tier = tier, .roles = roles};
}

static void a_stranger_may_what_anyone_may(void **state)
{
    const caller_t stranger = {0};
    (void)state;
    for (int open = 0; open < 2; open++) {
        gateway.settings.public_reading = open;
        assert_null(judge((operation_t){.access = ACCESS_ANYONE}, stranger));
        assert_ptr_equal(judge((operation_t){.access = ACCESS_MEMBER}, stranger), &UNAUTHENTICATED);
        assert_ptr_equal(judge((operation_t){.access = ACCESS_READER}, stranger),
                         open ? NULL : &UNAUTHENTICATED);
        assert_null(judge((operation_t){.access = ACCESS_READER}, member(TIER_UNVERIFIED, 0)));
    }
}

static void a_tier_is_reached_or_not(void **state)
{
    (void)state;
    for (tier_t asked = TIER_UNVERIFIED; asked <= TIER_VERIFIED; asked++)
        for (tier_t reached = TIER_UNVERIFIED; reached <= TIER_VERIFIED; reached++)
            assert_ptr_equal(judge((operation_t){.access = ACCESS_MEMBER, .tier = asked},
                                   member(reached, ROLE_ADMINISTRATOR)),
                             reached >= asked ? NULL : &FORBIDDEN);
}

static void one_of_the_roles_asked_for_is_enough_and_no_other_is(void **state)
{
    (void)state;
    for (unsigned asked = 0; asked < 4; asked++)
        for (unsigned held = 0; held < 4; held++)
            assert_ptr_equal(
                judge((operation_t){.access = ACCESS_MEMBER, .roles = asked}, member(TIER_VERIFIED, held)),
                asked == 0 || (asked & held) != 0 ? NULL : &FORBIDDEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stranger_may_what_anyone_may),
        cmocka_unit_test(a_tier_is_reached_or_not),
        cmocka_unit_test(one_of_the_roles_asked_for_is_enough_and_no_other_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
