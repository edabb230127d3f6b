/*
 * Counters, and their text for Prometheus. Each thread counts for itself; whoever asks adds up. Names of
 * operations, statuses and numbers only: nothing about persons.
 */
#include <stdarg.h>
#include <unistd.h>

#include "gateway/gateway.h"
#include "gateway/live.h"

enum { CLASSES = 6, BUCKETS = 12, READERS_MOST = 64, TEXT_PIECE = 512 };

/* Upper bounds in µs; the last bucket has none. */
static const int64_t bounds[BUCKETS] = {500,   1000,   2500,   5000,    10000,   25000,
                                        50000, 100000, 250000, 1000000, 5000000, INT64_MAX};

typedef struct operation_counters {
    atomic_uint_fast64_t classes[CLASSES], buckets[BUCKETS], sum_us;
} operation_counters_t;

struct counters {
    atomic_uint_fast64_t kinds[COUNT_KINDS], accepted, refused, other;
    atomic_uint_fast64_t fibers; /* as of the last answer */
    operation_counters_t operations[];
};

counters_t *counters_new(const gateway_t *gateway)
{
    return memory_new(sizeof(counters_t) + gateway->operation_count * sizeof(operation_counters_t));
}

void counters_free(counters_t *counters)
{
    free(counters);
}

/* Only the own thread writes: a plain addition that others may read. */
static void add(atomic_uint_fast64_t *counter, uint64_t number)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + number,
                          memory_order_relaxed);
}

void count_one(gateway_thread_t *thread, count_kind_t kind)
{
    add(&thread->counters->kinds[kind], 1);
}

void count_accepted(gateway_thread_t *thread, bool refused)
{
    add(refused ? &thread->counters->refused : &thread->counters->accepted, 1);
}

static void write_access_line(const exchange_t *exchange, int status, int64_t duration)
{
    access_lines_t lines = exchange->thread->gateway->settings.access_lines;
    if (lines == LINES_NONE || (lines == LINES_ERRORS && status < 500))
        return;
    const problem_kind_t *problem = exchange->req->problem.kind;
    logline_set_request(exchange->req->id);
    logline(LINE_INFO, "request", "method", exchange->req->method.at, "operation",
            exchange->served ? exchange->served->operation->name : "none", "status", line_number(status),
            "duration_us", line_number(duration), "problem",
            problem && status >= 400 ? problem->code : "none", NULL);
    logline_set_request(NULL);
}

void count_answer(exchange_t *exchange, int status)
{
    counters_t *counters = exchange->thread->counters;
    int64_t duration = clock_monotonic() - exchange->began;
    atomic_store_explicit(&counters->fibers, fiber_count(), memory_order_relaxed);
    write_access_line(exchange, status, duration);
    if (exchange->served == NULL) {
        add(&counters->other, 1);
        return;
    }
    operation_counters_t *own =
        &counters->operations[exchange->served - exchange->thread->gateway->operations];
    size_t bucket = 0;
    while (duration > bounds[bucket])
        bucket++;
    add(&own->classes[status / 100 < CLASSES ? status / 100 : 0], 1);
    add(&own->buckets[bucket], 1);
    add(&own->sum_us, (uint64_t)duration);
}

/* ---- the text ---- */

typedef struct page {
    gateway_t *gateway;
    arena_t *arena;
    char *at;
    size_t length, room;
} page_t;

static void print(page_t *page, const char *format, ...) PRINTF_LIKE(2, 3);
static void print(page_t *page, const char *format, ...)
{
    char piece[TEXT_PIECE];
    va_list values;
    va_start(values, format);
    int length = vsnprintf(piece, sizeof piece, format, values);
    va_end(values);
    if (length < 0 || (size_t)length >= sizeof piece)
        return;
    if (page->length + (size_t)length > page->room) {
        page->room = 2 * page->room + TEXT_PIECE;
        char *larger = arena_alloc(page->arena, page->room);
        memcpy(larger, page->at, page->length);
        page->at = larger;
    }
    memcpy(page->at + page->length, piece, (size_t)length);
    page->length += (size_t)length;
}

static void describe(page_t *page, const char *name, const char *type, const char *help)
{
    print(page, "# HELP folkmoot_%s %s\n# TYPE folkmoot_%s %s\n", name, help, name, type);
}

static uint64_t sum(const page_t *page, size_t offset)
{
    uint64_t total = 0;
    for (unsigned index = 0; index < page->gateway->thread_count; index++) {
        char *counters = (char *)page->gateway->threads[index].counters;
        total +=
            atomic_load_explicit((atomic_uint_fast64_t *)(void *)(counters + offset), memory_order_relaxed);
    }
    return total;
}

static size_t offset_of(size_t operation, size_t offset)
{
    return offsetof(counters_t, operations) + operation * sizeof(operation_counters_t) + offset;
}

static void print_requests(page_t *page)
{
    describe(page, "requests_total", "counter", "Requests answered, by operation and class of status.");
    for (size_t place = 0; place < page->gateway->operation_count; place++)
        for (size_t class = 1; class < CLASSES; class ++) {
            size_t offset = offsetof(operation_counters_t, classes) + class * sizeof(atomic_uint_fast64_t);
            uint64_t count = sum(page, offset_of(place, offset));
            if (count)
                print(page, "folkmoot_requests_total{operation=\"%s\",status=\"%zuxx\"} %llu\n",
                      page->gateway->operations[place].operation->name, class, (unsigned long long)count);
        }
    print(page, "folkmoot_requests_total{operation=\"none\",status=\"any\"} %llu\n",
          (unsigned long long)sum(page, offsetof(counters_t, other)));
}

static void print_durations_of(page_t *page, size_t place)
{
    const char *name = page->gateway->operations[place].operation->name;
    uint64_t count = 0;
    for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
        size_t offset = offsetof(operation_counters_t, buckets) + bucket * sizeof(atomic_uint_fast64_t);
        count += sum(page, offset_of(place, offset));
        if (bucket < BUCKETS - 1)
            print(page, "folkmoot_request_seconds_bucket{operation=\"%s\",le=\"%g\"} %llu\n", name,
                  (double)bounds[bucket] / SECOND_US, (unsigned long long)count);
    }
    print(page, "folkmoot_request_seconds_bucket{operation=\"%s\",le=\"+Inf\"} %llu\n", name,
          (unsigned long long)count);
    double seconds = (double)sum(page, offset_of(place, offsetof(operation_counters_t, sum_us))) / SECOND_US;
    print(page, "folkmoot_request_seconds_sum{operation=\"%s\"} %g\n", name, seconds);
    print(page, "folkmoot_request_seconds_count{operation=\"%s\"} %llu\n", name, (unsigned long long)count);
}

static void print_durations(page_t *page)
{
    describe(page, "request_seconds", "histogram", "Time from the request's end to its answer.");
    for (size_t place = 0; place < page->gateway->operation_count; place++)
        print_durations_of(page, place);
}

static void print_gauge(page_t *page, const char *name, const char *type, const char *help, uint64_t value)
{
    describe(page, name, type, help);
    print(page, "folkmoot_%s %llu\n", name, (unsigned long long)value);
}

static uint64_t resident_bytes(void)
{
    unsigned long long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%llu %llu", &pages, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t requests_in_flight(gateway_t *gateway)
{
    uint64_t total = 0;
    for (unsigned index = 0; index < gateway->thread_count; index++)
        total += atomic_load_explicit(&gateway->threads[index].exchange_count, memory_order_relaxed);
    return total;
}

static void print_process(page_t *page)
{
    gateway_t *gateway = page->gateway;
    static const struct {
        count_kind_t kind;
        const char *name, *help;
    } kinds[] = {
        {COUNT_BAD_TOKENS, "bad_tokens_total", "Access tokens that were not good."},
        {COUNT_LIMITED, "limited_total", "Requests refused because there were too many."},
        {COUNT_GONE, "gone_total", "Requests whose client left before the answer."},
        {COUNT_CUT, "cut_total", "Connections cut for being too slow or too greedy."},
        {COUNT_BUSY, "busy_total", "Requests refused because too many were under way."},
    };
    for (size_t place = 0; place < COUNT_OF(kinds); place++)
        print_gauge(
            page, kinds[place].name, "counter", kinds[place].help,
            sum(page, offsetof(counters_t, kinds) + kinds[place].kind * sizeof(atomic_uint_fast64_t)));
    print_gauge(page, "connections_accepted_total", "counter", "Connections let in.",
                sum(page, offsetof(counters_t, accepted)));
    print_gauge(page, "connections_refused_total", "counter",
                "Connections refused because there were too many.", sum(page, offsetof(counters_t, refused)));
    print_gauge(page, "requests_in_flight", "gauge", "Requests under way.", requests_in_flight(gateway));
    print_gauge(page, "fibers", "gauge", "Fibers.", sum(page, offsetof(counters_t, fibers)));
    print_gauge(page, "connections", "gauge", "Connections open.", atomic_load(&gateway->connections));
    print_gauge(page, "live_connections", "gauge", "Streams of the live channel.",
                atomic_load(&gateway->live_connections));
    print_gauge(page, "sessions_revoked", "gauge", "Ended sessions whose tokens are refused.",
                token_memory_revoked(gateway->tokens));
    print_gauge(page, "worker_queue", "gauge", "Calls that wait for a worker thread.",
                worker_queue_length(gateway->host->workers));
    print_gauge(page, "password_queue", "gauge", "Password hashes that wait.",
                worker_queue_length(gateway->host->passwords));
    print_gauge(page, "resident_bytes", "gauge", "Memory in use.", resident_bytes());
    print_gauge(page, "started_seconds", "gauge", "When the process began to serve.",
                (uint64_t)(gateway->started_at / SECOND_US));
}

static void print_databases(page_t *page)
{
    const host_t *host = page->gateway->host;
    describe(page, "database_total", "counter", "What the databases did.");
    for (size_t place = 0; place < host->module_count; place++) {
        database_counts_t counts = database_counts(host->databases[place]);
        const struct {
            const char *what;
            uint64_t count;
        } rows[] = {{"reads", counts.reads},
                    {"transactions", counts.transactions},
                    {"commits", counts.commits},
                    {"retries", counts.retries},
                    {"failures", counts.failures}};
        for (size_t row = 0; row < COUNT_OF(rows); row++)
            print(page, "folkmoot_database_total{module=\"%s\",what=\"%s\"} %llu\n",
                  host->modules[place]->name, rows[row].what, (unsigned long long)rows[row].count);
    }
    describe(page, "database_waiting", "gauge", "Transactions that wait for their turn.");
    for (size_t place = 0; place < host->module_count; place++)
        print(page, "folkmoot_database_waiting{module=\"%s\"} %zu\n", host->modules[place]->name,
              database_counts(host->databases[place]).waiting);
}

static void print_readers(page_t *page)
{
    log_reader_status_t readers[READERS_MOST];
    log_readers_t *running = atomic_load(&page->gateway->readers);
    size_t count = running ? log_readers_status(running, readers, READERS_MOST) : 0;
    describe(page, "reader_lag_entries", "gauge", "Log entries that a reader has before it; -1: not known.");
    for (size_t place = 0; place < count; place++)
        print(page, "folkmoot_reader_lag_entries{reader=\"%s\"} %lld\n", readers[place].name,
              (long long)readers[place].lag_entries);
    describe(page, "reader_failing", "gauge", "1 when a reader does not get on.");
    for (size_t place = 0; place < count; place++)
        print(page, "folkmoot_reader_failing{reader=\"%s\"} %d\n", readers[place].name,
              readers[place].failing_since != 0);
}

str_t metrics_text(gateway_t *gateway, arena_t *arena)
{
    page_t page = {.gateway = gateway, .arena = arena, .room = 16 * 1024};
    page.at = arena_alloc(arena, page.room);
    print_requests(&page);
    print_durations(&page);
    print_process(&page);
    print_databases(&page);
    print_readers(&page);
    return (str_t){page.at, page.length};
}
