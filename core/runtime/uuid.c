/*
 * Ids. The first 64 bits without the version are a clock that never stands still: 48 bits of milliseconds, 12
 * bits of what is left of the millisecond (RFC 9562, 6.2, method 3), and 4 bits for the ids of one such
 * instant. The other 58 bits are random.
 */
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <sys/random.h>
#include <time.h>

#include "core/runtime/clock.h"
#include "core/runtime/panic.h"
#include "core/runtime/uuid.h"

enum { RANDOM_BYTES = 8, RANDOM_BUFFER = 32 * RANDOM_BYTES };

static _Atomic unsigned forks; /* a child must not use the random bytes that its parent will use too */
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void count_fork(void)
{
    atomic_fetch_add(&forks, 1);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, count_fork);
}

/* One system call for 32 ids. */
static void take_random(uint8_t out[RANDOM_BYTES])
{
    static _Thread_local uint8_t buffer[RANDOM_BUFFER];
    static _Thread_local size_t left;
    static _Thread_local unsigned made_in;
    if (left == 0 || made_in != atomic_load_explicit(&forks, memory_order_relaxed)) {
        pthread_once(&fork_once, watch_forks);
        made_in = atomic_load(&forks);
        if (getrandom(buffer, sizeof buffer, 0) != (ssize_t)sizeof buffer)
            panic("the kernel gives no random bytes");
        left = sizeof buffer;
    }
    left -= RANDOM_BYTES;
    memcpy(out, buffer + left, RANDOM_BYTES);
}

static uint64_t next_instant(void)
{
    static _Atomic uint64_t last;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t milliseconds = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    uint64_t part = (uint64_t)now.tv_nsec % 1000000 * 4096 / 1000000;
    uint64_t instant = milliseconds << 16 | part << 4;
    uint64_t given = atomic_load_explicit(&last, memory_order_relaxed), next;
    do {
        next = instant > given ? instant : given + 1;
    } while (!atomic_compare_exchange_weak(&last, &given, next));
    return next;
}

static void put_milliseconds(uuid_t *id, uint64_t milliseconds)
{
    for (int place = 0; place < 6; place++)
        id->bytes[place] = (uint8_t)(milliseconds >> (40 - 8 * place));
}

static void put_version(uuid_t *id)
{
    id->bytes[6] = (uint8_t)(0x70 | (id->bytes[6] & 0x0f));
    id->bytes[8] = (uint8_t)(0x80 | (id->bytes[8] & 0x3f));
}

uuid_t uuid_new(void)
{
    uint64_t instant = next_instant();
    uuid_t id;
    put_milliseconds(&id, instant >> 16);
    take_random(id.bytes + 8);
    id.bytes[6] = (uint8_t)(instant >> 12 & 0x0f);
    id.bytes[7] = (uint8_t)(instant >> 4);
    id.bytes[8] = (uint8_t)((instant & 0x0f) << 2 | (id.bytes[8] & 0x03));
    put_version(&id);
    return id;
}

uuid_t uuid_of_name(int64_t time, str_t name)
{
    uint8_t hash[crypto_generichash_BYTES];
    uuid_t id;
    crypto_generichash(hash, sizeof hash, (const unsigned char *)name.at, name.length, NULL, 0);
    put_milliseconds(&id, time > 0 ? (uint64_t)(time / MILLISECOND_US) : 0);
    memcpy(id.bytes + 6, hash, sizeof id.bytes - 6);
    put_version(&id);
    return id;
}

static bool hyphen_before(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void uuid_format(const uuid_t *id, char out[UUID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t byte = 0; byte < sizeof id->bytes; byte++) {
        if (hyphen_before(byte))
            *out++ = '-';
        *out++ = digits[id->bytes[byte] >> 4];
        *out++ = digits[id->bytes[byte] & 0x0f];
    }
    *out = '\0';
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

bool uuid_parse(str_t text, uuid_t *id)
{
    uuid_t result;
    if (text.length != UUID_TEXT_SIZE - 1)
        return false;
    for (size_t byte = 0; byte < sizeof result.bytes; byte++) {
        if (hyphen_before(byte) && *text.at++ != '-')
            return false;
        int high = hex_value(*text.at++), low = hex_value(*text.at++);
        if (high < 0 || low < 0)
            return false;
        result.bytes[byte] = (uint8_t)(high << 4 | low);
    }
    *id = result;
    return true;
}
