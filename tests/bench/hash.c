/*
 * bench_hash THREADS SECONDS MEMORY PASSES
 *
 * What bare Argon2id does: THREADS threads check one password over and over. Prints checks per second.
 */
#include <pthread.h>
#include <sodium.h>

#include "core/runtime/clock.h"

enum { THREADS_MAX = 256 };

static const char password[] = "a long enough password";
static char hash[crypto_pwhash_STRBYTES];
static int64_t until;

static void *check_passwords(void *arg)
{
    long *checked = arg;

    for (; clock_monotonic() < until; ++*checked)
        if (crypto_pwhash_str_verify(hash, password, sizeof password - 1) != 0)
            exit(1);
    return NULL;
}

int main(int count, char **words)
{
    static pthread_t threads[THREADS_MAX];
    static long checked[THREADS_MAX];
    unsigned long thread_count = count == 5 ? strtoul(words[1], NULL, 10) : 0;
    long sum = 0;

    if (thread_count < 1 || thread_count > THREADS_MAX || sodium_init() < 0)
        return fputs("usage: bench_hash THREADS SECONDS MEMORY PASSES\n", stderr), 2;
    if (crypto_pwhash_str_alg(hash, password, sizeof password - 1, strtoull(words[4], NULL, 10),
                              strtoull(words[3], NULL, 10), crypto_pwhash_ALG_ARGON2ID13) != 0)
        return fputs("bench_hash: not enough memory\n", stderr), 1;
    const int64_t begun = clock_monotonic();
    until = begun + (int64_t)(strtod(words[2], NULL) * (double)SECOND_US);
    for (size_t place = 0; place < thread_count; place++)
        if (pthread_create(&threads[place], NULL, check_passwords, &checked[place]) != 0)
            return 1;
    for (size_t place = 0; place < thread_count; place++) {
        pthread_join(threads[place], NULL);
        sum += checked[place];
    }
    printf("%.2f\n", (double)sum * (double)SECOND_US / (double)(clock_monotonic() - begun));
    return 0;
}
