/* The log itself: positions as text, appending, reading, and finding places in it. What follows it:
 * readers.c. */
#include <inttypes.h>
#include <stdio.h>

#include "core/log/reader.h"
#include "core_log/queries.h"

enum { READ_MAX = 1000 };

/* ---- positions ---- */

void log_position_format(log_position_t position, char out[LOG_POSITION_TEXT_SIZE])
{
    if (position.transaction == 0)
        snprintf(out, LOG_POSITION_TEXT_SIZE, "%" PRId64, position.sequence);
    else
        snprintf(out, LOG_POSITION_TEXT_SIZE, "%" PRId64 ".%" PRId64, position.transaction,
                 position.sequence);
}

/* Digits alone, as log_position_format writes them. */
static bool number_parse(str_t text, int64_t *number)
{
    int64_t value = 0;

    if (text.length == 0 || (text.length > 1 && text.at[0] == '0'))
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text.at[i] - '0', &value))
            return false;
    }
    *number = value;
    return true;
}

bool log_position_parse(str_t text, log_position_t *position)
{
    log_position_t parsed = LOG_START;
    const char *point = text.length ? memchr(text.at, '.', text.length) : NULL;
    str_t sequence = text;

    if (point) {
        size_t length = (size_t)(point - text.at);
        sequence = (str_t){point + 1, text.length - length - 1};
        if (!number_parse((str_t){text.at, length}, &parsed.transaction) || parsed.transaction == 0)
            return false;
    }
    if (!number_parse(sequence, &parsed.sequence))
        return false;
    *position = parsed;
    return true;
}

/* ---- appending ---- */

static struct log_insert_in row_of(const tx_t *tx, const log_entry_t *entry)
{
    return (struct log_insert_in){
        .id = uuid_is_none(&entry->id) ? uuid_new() : entry->id,
        .type = entry->type,
        .record = entry->record,
        .version = entry->version,
        .node = str_from(tx->req->host->node),
        .scope = entry->scope,
        .actor = entry->actor,
        .subject = entry->subject,
        .time = entry->time ? entry->time : tx->req->now,
        .schema = entry->schema ? entry->schema : 1,
        .data = entry->data.at ? entry->data : STR("null"),
        .topics = entry->topics,
        .live = entry->live,
    };
}

void log_append(tx_t *tx, const log_entry_t *entry)
{
    struct log_insert_in row = row_of(tx, entry);

    log_insert(tx, &row);
    tx->appended = true;
}

void log_append_each(tx_t *tx, const log_entry_t *entries, size_t count)
{
    struct log_insert_in *rows = arena_array_of(tx->req->arena, struct log_insert_in, count);

    for (size_t i = 0; i < count; i++)
        rows[i] = row_of(tx, &entries[i]);
    log_insert_each(tx, rows, count);
    tx->appended = tx->appended || count > 0;
}

/* ---- reading ---- */

/* A reading handle on the log of any module. Logs are what modules share: no other code reads another
 * module's database. */
static tx_t *read_log_of(req_t *req, const struct module *module)
{
    const struct module *own = req->module;

    req->module = module;
    tx_t *read = db_read(req); /* neither waits nor fails */
    req->module = own;
    return read;
}

static log_entry_t entry_of(const struct log_after *row)
{
    return (log_entry_t){
        .position = {row->transaction_id, row->sequence},
        .id = row->id,
        .type = row->type,
        .record = row->record,
        .version = row->version,
        .scope = (log_scope_t)row->scope,
        .actor = row->actor,
        .subject = row->subject,
        .time = row->time,
        .schema = row->schema,
        .data = row->data,
        .topics = row->topics,
        .live = row->live,
    };
}

size_t log_read(req_t *req, const struct module *module, log_position_t position, size_t limit,
                log_entry_t **entries)
{
    struct log_after *rows = NULL;

    if (limit < 1 || limit > READ_MAX)
        limit = limit < 1 ? 1 : READ_MAX;
    size_t count =
        log_after(read_log_of(req, module), position.transaction, position.sequence, (int64_t)limit, &rows);
    *entries = arena_array_of(req->arena, log_entry_t, count);
    for (size_t i = 0; i < count; i++)
        (*entries)[i] = entry_of(&rows[i]);
    return count;
}

log_position_t log_head(req_t *req, const struct module *module)
{
    struct log_last last;

    if (!log_last(read_log_of(req, module), &last))
        return LOG_START;
    return (log_position_t){last.transaction_id, last.sequence};
}

bool log_has_more(req_t *req, const struct module *module, log_position_t position)
{
    struct log_waiting waiting;

    return log_waiting(read_log_of(req, module), position.transaction, position.sequence, &waiting);
}

/* When an entry was written. One that was given an old time still has a version of the time of its writing.
 */
static int64_t written_at(const struct log_from *row)
{
    int64_t version_time = (row->version >> 16) * MILLISECOND_US;

    return version_time > row->time ? version_time : row->time;
}

/* Places are in the order of time but for what ran at the same time, so the first at or after `time` is found
 * by halving, and the log needs no index on time that every append would pay for. */
log_position_t log_position_before(req_t *req, const struct module *module, int64_t time)
{
    tx_t *read = read_log_of(req, module);
    log_position_t head = log_head(req, module);
    bool by_transaction = head.transaction != 0;
    int64_t low = 0, high = by_transaction ? head.transaction : head.sequence;

    if (log_position_compare(head, LOG_START) == 0)
        return LOG_START;
    high++; /* behind the last: every entry is older */
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        struct log_from row;
        if (!log_from(read, middle, &row) || written_at(&row) >= time)
            high = middle;
        else
            low = row.place + 1;
    }
    if (low > (by_transaction ? head.transaction : head.sequence))
        return head;
    if (by_transaction)
        return (log_position_t){low, 0};
    return (log_position_t){0, low > 0 ? low - 1 : 0};
}
