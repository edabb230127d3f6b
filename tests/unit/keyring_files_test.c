/* The keyring: its files, who may read them, rotation, and reloading while others use it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka's; ours has another meaning */

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/token_forge.h"

static arena_t *arena;
static char folder[64];

static int begin(void **state)
{
    (void)state;
    crypto_start();
    arena = arena_new();
    return folder_make(folder) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    folder_remove(folder);
    arena_free(arena);
    return 0;
}

static keyring_t *open_it(void)
{
    str_t error = STR_NONE;
    keyring_t *keyring = keyring_open(str_from(folder), arena, &error);

    if (!keyring)
        print_error("%s\n", error.at);
    assert_non_null(keyring);
    return keyring;
}

static void refused(const char *expected)
{
    str_t error = STR_NONE;

    assert_null(keyring_open(str_from(folder), arena, &error));
    assert_non_null(strstr(error.at, expected));
}

static const char *path_of(const char *name)
{
    return arena_printf(arena, "%s/keys/%s", folder, name).at;
}

/* The first name in keys/ that ends so. */
static str_t name_ending(const char *end_of_name)
{
    DIR *listing = opendir(path_of(""));
    str_t found = STR_NONE;

    for (struct dirent *entry; (entry = readdir(listing));) {
        size_t length = strlen(entry->d_name), tail = strlen(end_of_name);
        if (length > tail && strcmp(entry->d_name + length - tail, end_of_name) == 0)
            found = arena_str(arena, str_from(entry->d_name));
    }
    closedir(listing);
    return found;
}

static void file_put(const char *name, str_t content, mode_t mode)
{
    FILE *file = fopen(path_of(name), "w");

    assert_non_null(file);
    assert_int_equal(fwrite(content.at, 1, content.length, file), content.length);
    fclose(file);
    assert_int_equal(chmod(path_of(name), mode), 0);
}

static size_t key_count(keyring_t *keyring)
{
    key_set_t *set = keys_take(keyring);
    size_t count = set->count;

    keys_give(set);
    return count;
}

static void the_first_start_makes_a_key_and_a_secret_for_the_owner_alone(void **state)
{
    struct stat status;
    keyring_t *keyring = open_it();

    (void)state;
    assert_int_equal(key_count(keyring), 1);
    assert_int_equal(stat(path_of("secret"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(status.st_size, 32);
    assert_int_equal(stat(path_of(name_ending(".pem").at), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(stat(path_of(""), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    keyring_close(keyring);
}

static void the_next_start_finds_the_same(void **state)
{
    keyring_t *first = open_it(), *second = open_it();

    (void)state;
    assert_memory_equal(keyring_secret(first), keyring_secret(second), 32);
    assert_string_equal(keyring_jwks(first, arena).at, keyring_jwks(second, arena).at);
    keyring_close(first);
    keyring_close(second);
}

static void the_public_keys_are_shown_and_nothing_private(void **state)
{
    keyring_t *keyring = open_it();
    str_t jwks = keyring_jwks(keyring, arena);

    (void)state;
    assert_memory_equal(jwks.at, "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"", 40);
    assert_non_null(strstr(jwks.at, "\"alg\":\"ES256\""));
    assert_non_null(strstr(jwks.at, "\"use\":\"sig\""));
    assert_null(strstr(jwks.at, "\"d\""));
    keyring_close(keyring);
}

static void a_new_key_is_known_for_a_minute_before_it_signs(void **state)
{
    keyring_t *keyring = open_it();
    str_t kid, error;
    int64_t now = clock_now();

    (void)state;
    usleep(2000);
    assert_true(keyring_rotate(str_from(folder), arena, &kid, &error));
    assert_int_equal(key_count(keyring), 1);
    assert_true(keyring_reload(keyring, &error));
    key_set_t *set = keys_take(keyring);
    assert_int_equal(set->count, 2);
    assert_string_equal(set->keys[1].kid, kid.at);
    assert_non_null(key_find(set, kid));
    assert_ptr_equal(key_for_signing(set, now), &set->keys[0]);
    assert_ptr_equal(key_for_signing(set, now + 55 * SECOND_US), &set->keys[0]);
    assert_ptr_equal(key_for_signing(set, now + 65 * SECOND_US), &set->keys[1]);
    assert_null(key_find(set, STR("unknown")));
    keys_give(set);
    keyring_close(keyring);
}

static void a_file_that_others_can_read_is_refused_with_the_remedy(void **state)
{
    keyring_t *keyring = open_it();
    const char *key = path_of(name_ending(".pem").at);
    str_t error;

    (void)state;
    assert_int_equal(chmod(key, 0640), 0);
    refused("chmod");
    assert_false(keyring_reload(keyring, &error));
    assert_non_null(strstr(error.at, "chmod"));
    assert_int_equal(key_count(keyring), 1);
    assert_int_equal(chmod(key, 0600), 0);
    assert_int_equal(chmod(path_of("secret"), 0604), 0);
    refused("chmod");
    assert_int_equal(chmod(path_of("secret"), 0600), 0);
    assert_int_equal(chmod(path_of(""), 0755), 0);
    refused("chmod");
    keyring_close(keyring);
}

static void a_link_to_a_file_elsewhere_is_refused(void **state)
{
    (void)state;
    keyring_close(open_it());
    assert_int_equal(rename(path_of("secret"), path_of("moved")), 0);
    assert_int_equal(symlink("moved", path_of("secret")), 0);
    refused("cannot be read");
}

static void what_is_no_key_is_refused(void **state)
{
    keyring_t *keyring = open_it();
    str_t name = name_ending(".pem");
    key_set_t *set = keys_take(keyring);

    (void)state;
    file_put("0123456789ab-0123456789abcdef.pem", STR("not a key"), 0600);
    refused("not a private P-256 key");
    file_put("0123456789ab-0123456789abcdef.pem",
             (str_t){set->keys[0].private_pem, set->keys[0].private_length}, 0600);
    refused("another key than its name says");
    assert_int_equal(unlink(path_of("0123456789ab-0123456789abcdef.pem")), 0);
    file_put(name.at, (str_t){set->keys[0].public_pem, set->keys[0].public_length}, 0600);
    refused("not a private P-256 key");
    file_put(name.at, STR(""), 0600);
    refused("not a private P-256 key");
    keys_give(set);
    keyring_close(keyring);
}

static void keys_of_another_curve_or_kind_are_refused(void **state)
{
    static const char *const groups[] = {"P-384", "secp256k1"};
    EVP_PKEY *pairs[] = {EVP_EC_gen(groups[0]), EVP_EC_gen(groups[1]),
                         EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        char text[2048];
        signing_key_t key;
        const char *error = NULL;
        BIO *bio = BIO_new(BIO_s_mem());
        PEM_write_bio_PrivateKey(bio, pairs[i], NULL, NULL, 0, NULL, NULL);
        int size = BIO_read(bio, text, sizeof text);
        assert_false(
            key_read(&key, STR("0123456789ab-0123456789abcdef"), (str_t){text, (size_t)size}, &error));
        assert_non_null(error);
        BIO_free(bio);
        EVP_PKEY_free(pairs[i]);
    }
}

static void a_damaged_secret_is_refused(void **state)
{
    (void)state;
    keyring_close(open_it());
    file_put("secret", STR("short"), 0600);
    refused("damaged");
    file_put("secret", STR("this is longer than the thirty-two bytes"), 0600);
    refused("damaged");
}

static void other_files_and_leftovers_of_a_crash_do_no_harm(void **state)
{
    str_t kid, error;

    (void)state;
    keyring_close(open_it());
    file_put("notes.txt", STR("hello"), 0644);
    file_put(".new", STR("half a k"), 0600);
    assert_true(keyring_rotate(str_from(folder), arena, &kid, &error));
    keyring_t *keyring = open_it();
    assert_int_equal(key_count(keyring), 2);
    keyring_close(keyring);
}

static void a_keyring_that_lost_all_keys_keeps_the_old_ones(void **state)
{
    keyring_t *keyring = open_it();
    str_t error;

    (void)state;
    assert_int_equal(unlink(path_of(name_ending(".pem").at)), 0);
    assert_false(keyring_reload(keyring, &error));
    assert_non_null(strstr(error.at, "keys rotate"));
    assert_int_equal(key_count(keyring), 1);
    keyring_close(keyring);
}

static void a_missing_data_folder_is_named(void **state)
{
    str_t error = STR_NONE, kid;

    (void)state;
    assert_null(keyring_open(STR("/nonexistent/folder"), arena, &error));
    assert_non_null(strstr(error.at, "/nonexistent/folder"));
    assert_false(keyring_rotate(STR("/nonexistent/folder"), arena, &kid, &error));
}

static void processes_that_start_together_make_one_key(void **state)
{
    pid_t children[4];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(children); i++) {
        children[i] = fork();
        if (children[i] == 0) {
            str_t error;
            keyring_t *keyring = keyring_open(str_from(folder), arena, &error);
            _exit(keyring ? 0 : 1);
        }
    }
    for (size_t i = 0; i < COUNT_OF(children); i++) {
        int result;
        assert_int_equal(waitpid(children[i], &result, 0), children[i]);
        assert_int_equal(result, 0);
    }
    keyring_t *keyring = open_it();
    assert_int_equal(key_count(keyring), 1);
    keyring_close(keyring);
}

static atomic_bool over;

static void *user(void *arg)
{
    keyring_t *keyring = arg;

    while (!atomic_load(&over)) {
        key_set_t *set = keys_take(keyring);
        if (key_for_signing(set, clock_now())->private_length == 0)
            abort();
        keys_give(set);
    }
    return NULL;
}

static void reloading_does_not_disturb_those_who_use_it(void **state)
{
    keyring_t *keyring = open_it();
    pthread_t threads[2];
    str_t error;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, user, keyring), 0);
    for (int i = 0; i < 50; i++)
        assert_true(keyring_reload(keyring, &error));
    atomic_store(&over, true);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    keyring_close(keyring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_start_makes_a_key_and_a_secret_for_the_owner_alone, begin,
                                        end),
        cmocka_unit_test_setup_teardown(the_next_start_finds_the_same, begin, end),
        cmocka_unit_test_setup_teardown(the_public_keys_are_shown_and_nothing_private, begin, end),
        cmocka_unit_test_setup_teardown(a_new_key_is_known_for_a_minute_before_it_signs, begin, end),
        cmocka_unit_test_setup_teardown(a_file_that_others_can_read_is_refused_with_the_remedy, begin, end),
        cmocka_unit_test_setup_teardown(a_link_to_a_file_elsewhere_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_key_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(keys_of_another_curve_or_kind_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_damaged_secret_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(other_files_and_leftovers_of_a_crash_do_no_harm, begin, end),
        cmocka_unit_test_setup_teardown(a_keyring_that_lost_all_keys_keeps_the_old_ones, begin, end),
        cmocka_unit_test_setup_teardown(a_missing_data_folder_is_named, begin, end),
        cmocka_unit_test_setup_teardown(processes_that_start_together_make_one_key, begin, end),
        cmocka_unit_test_setup_teardown(reloading_does_not_disturb_those_who_use_it, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
