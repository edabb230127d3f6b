/* Limits: what they count as one place, and what the policy header says. */
#include <arpa/inet.h>

#include "gateway/gateway.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void expect_place(const char *address, const char *place)
{
    struct in6_addr six;
    char name[INET6_ADDRSTRLEN];
    assert_int_equal(inet_pton(AF_INET6, address, &six), 1);
    limits_name_place(&six, name);
    assert_string_equal(name, place);
}

static void an_address_of_version_4_is_a_place(void **state)
{
    (void)state;
    expect_place("::ffff:192.0.2.7", "192.0.2.7");
}

static void a_network_of_version_6_is_one_place(void **state)
{
    (void)state;
    expect_place("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::");
    expect_place("2001:db8:1:2:ffff::1", "2001:db8:1:2::");
    expect_place("2001:db8:1:3::1", "2001:db8:1:3::");
}

static void the_policy_names_the_class_and_the_operation(void **state)
{
    operation_t operation = {
        .name = "sign_up", .method = METHOD_POST, .limit_count = 20, .limit_seconds = 3600};
    served_operation_t served = {.operation = &operation};
    settings_t settings = {.limit_scale = 100};
    (void)state;
    limits_prepare(&served, &settings);
    assert_string_equal(served.policy, "\"write\";q=120;w=60, \"sign_up\";q=20;w=3600");
}

static void limits_are_scaled_but_never_to_nothing(void **state)
{
    operation_t operation = {.name = "read", .method = METHOD_GET, .limit_count = 1, .limit_seconds = 60};
    served_operation_t served = {.operation = &operation};
    settings_t settings = {.limit_scale = 50};
    (void)state;
    limits_prepare(&served, &settings);
    assert_int_equal(served.class_count, 300);
    assert_int_equal(served.own_count, 1);
}

static void a_scale_of_zero_means_no_limits(void **state)
{
    operation_t operation = {.name = "read", .method = METHOD_GET, .limit_count = 1, .limit_seconds = 60};
    served_operation_t served = {.operation = &operation};
    settings_t settings = {.limit_scale = 0};
    (void)state;
    limits_prepare(&served, &settings);
    assert_int_equal(served.class_count, 0);
    assert_string_equal(served.policy, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_of_version_4_is_a_place),
        cmocka_unit_test(a_network_of_version_6_is_one_place),
        cmocka_unit_test(the_policy_names_the_class_and_the_operation),
        cmocka_unit_test(limits_are_scaled_but_never_to_nothing),
        cmocka_unit_test(a_scale_of_zero_means_no_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
