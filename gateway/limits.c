/*
 * Limits: how often a member (or, of strangers, an address) may read and write, and how often each operation
 * that names a limit may be called. Counted in the cache, told in the headers of
 * draft-ietf-httpapi-ratelimit-headers-10.
 */
#include <arpa/inet.h>

#include "gateway/gateway.h"

#include "core/api.h"

enum { READS = 600, WRITES = 120, BAD_TOKENS = 30, CLASS_SECONDS = 60, KEY_SIZE = 128 };

static int64_t scaled(int64_t count, int64_t percent)
{
    int64_t result = count * percent / 100;
    return result < 1 ? 1 : result;
}

void limits_prepare(served_operation_t *served, const settings_t *settings)
{
    const operation_t *operation = served->operation;
    bool reads = operation->method == METHOD_GET;
    served->class_name = reads ? "read" : "write";
    if (settings->limit_scale == 0)
        return;
    served->class_count = scaled(reads ? READS : WRITES, settings->limit_scale);
    int length = snprintf(served->policy, sizeof served->policy, "\"%s\";q=%lld;w=%d", served->class_name,
                          (long long)served->class_count, CLASS_SECONDS);
    if (operation->limit_count == 0)
        return;
    served->own_count = scaled(operation->limit_count, settings->limit_scale);
    served->own_window_us = operation->limit_seconds * SECOND_US;
    snprintf(served->policy + length, sizeof served->policy - (size_t)length, ", \"%s\";q=%lld;w=%u",
             operation->name, (long long)served->own_count, operation->limit_seconds);
}

/* IPv6 hands out networks of 64 bits: whoever has one address has them all. */
void limits_name_place(const struct in6_addr *address, char out[INET6_ADDRSTRLEN])
{
    struct in6_addr network = *address;
    if (IN6_IS_ADDR_V4MAPPED(address)) {
        inet_ntop(AF_INET, &address->s6_addr[12], out, INET6_ADDRSTRLEN);
        return;
    }
    memset(&network.s6_addr[8], 0, 8);
    inet_ntop(AF_INET6, &network, out, INET6_ADDRSTRLEN);
}

/* "read/" and who: the 16 bytes of a member's id, or a place. */
static str_t key_for(const exchange_t *exchange, const char *what, char key[KEY_SIZE])
{
    const req_t *req = exchange->req;
    bool member = !uuid_is_none(&req->caller.member);
    int length = snprintf(key, KEY_SIZE - INET6_ADDRSTRLEN, "%s/%c", what, member ? 'm' : 'a');
    const void *who = member ? (const void *)req->caller.member.bytes : req->address.at;
    size_t who_length = member ? sizeof req->caller.member.bytes : req->address.length;
    memcpy(key + length, who, who_length);
    return (str_t){key, (size_t)length + who_length};
}

static void take(exchange_t *exchange, const char *what, int64_t count, int64_t window_us)
{
    char key[KEY_SIZE];
    cache_t *cache = exchange->thread->gateway->host->cache;
    cache_limit_t limit = cache_take(cache, key_for(exchange, what, key), count, window_us);
    exchange->limits[exchange->limit_count++] = (limit_taken_t){what, limit.left, limit.reset_us};
    if (limit.allowed)
        return;
    count_one(exchange->thread, COUNT_LIMITED);
    fail_retry(exchange->req, &RATE_LIMITED, limit.reset_us,
               "This may be done %lld times in %lld seconds. Wait a moment.", (long long)count,
               (long long)(window_us / SECOND_US));
}

void limits_take(exchange_t *exchange)
{
    const served_operation_t *served = exchange->served;
    if (served->class_count == 0)
        return;
    take(exchange, served->class_name, served->class_count, CLASS_SECONDS * SECOND_US);
    if (served->own_count)
        take(exchange, served->operation->name, served->own_count, served->own_window_us);
}

static str_t bad_tokens_key(const exchange_t *exchange, char key[KEY_SIZE])
{
    int length = snprintf(key, KEY_SIZE, "bad_tokens/%s", exchange->req->address.at);
    return (str_t){key, (size_t)length};
}

static int64_t bad_tokens_most(const exchange_t *exchange)
{
    int64_t scale = exchange->thread->gateway->settings.limit_scale;
    return scale ? scaled(BAD_TOKENS, scale) : 0;
}

/* Refuses an address that has sent too many bad tokens before the next one is looked at: each costs a
 * signature. */
void limits_guard_tokens(exchange_t *exchange)
{
    char key[KEY_SIZE];
    str_t until;
    cache_t *cache = exchange->thread->gateway->host->cache;
    if (bad_tokens_most(exchange) == 0 ||
        !cache_get(cache, exchange->req->arena, bad_tokens_key(exchange, key), &until))
        return;
    count_one(exchange->thread, COUNT_LIMITED);
    fail_retry(exchange->req, &RATE_LIMITED, CLASS_SECONDS * SECOND_US,
               "Too many access tokens from this address were not good. Wait a minute, and sign in again.");
}

void limits_bad_token(exchange_t *exchange)
{
    char key[KEY_SIZE];
    cache_t *cache = exchange->thread->gateway->host->cache;
    int64_t most = bad_tokens_most(exchange);
    count_one(exchange->thread, COUNT_BAD_TOKENS);
    if (most == 0)
        return;
    str_t name = bad_tokens_key(exchange, key);
    if (!cache_take(cache, name, most, CLASS_SECONDS * SECOND_US).allowed)
        cache_set(cache, name, STR("1"), CLASS_SECONDS * SECOND_US);
}

str_t limits_header(exchange_t *exchange)
{
    char *text = arena_alloc(exchange->req->arena, POLICY_SIZE);
    size_t length = 0;
    if (exchange->limit_count == 0)
        return STR_NONE;
    for (size_t place = 0; place < exchange->limit_count; place++) {
        const limit_taken_t *limit = &exchange->limits[place];
        int64_t seconds = (limit->reset_us + SECOND_US - 1) / SECOND_US;
        int added = snprintf(text + length, POLICY_SIZE - length, "%s\"%s\";r=%lld;t=%lld", place ? ", " : "",
                             limit->name, (long long)limit->left, (long long)seconds);
        length += added > 0 && (size_t)added < POLICY_SIZE - length ? (size_t)added : 0;
    }
    return (str_t){text, length};
}
