/* Rows from a SQLite file: a prepared statement on the loop's thread. */
#include "tests/bench/bare.h"

#include "tests/bench/slots.h"

static void set_up_library(void)
{
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_initialize();
}

static void *open_file(bare_thread_t *thread, const char *address)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)thread;
    pthread_once(&once, set_up_library);
    sqlite3 *database = slots_open(address);
    slots_execute(database, "PRAGMA query_only = ON; PRAGMA cache_size = -2000; PRAGMA temp_store = MEMORY");
    return slots_prepare(database, bare_statement->sqlite);
}

static void read_row(void *source, h2o_req_t *request, const uuid_t *id)
{
    sqlite3_stmt *prepared = source;
    const struct item_by_id_in in = {.id = *id, .member = bare_member};
    struct item_by_id row;

    slots_bind(prepared, bare_statement, &in);
    const bool found = sqlite3_step(prepared) == SQLITE_ROW;
    if (found)
        slots_read(prepared, bare_statement, &row);
    bare_answer(request, found ? &row : NULL);
    sqlite3_reset(prepared);
}

const bare_source_t bare_sqlite = {.open = open_file, .read = read_row};
