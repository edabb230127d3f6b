/* Between the C structs of generated statements and SQLite, for programs that have neither requests nor
 * arenas. */
#ifndef FOLKMOOT_BENCH_SLOTS_H
#define FOLKMOOT_BENCH_SLOTS_H

#include <sqlite3.h>

#include "core/db/db.h"

/* Ends the program with a sentence. */
_Noreturn void give_up(const char *what, const char *why);

/* The statement of a table by its name, e.g. "forum.item_by_id". */
const statement_t *statement_named(const statement_t *table, size_t count, const char *name);

/* Opens a database the way the server's threads do. */
sqlite3 *slots_open(const char *path);
void slots_execute(sqlite3 *database, const char *sql);
sqlite3_stmt *slots_prepare(sqlite3 *database, const char *sql);

/* The parameters from the statement's input struct. */
void slots_bind(sqlite3_stmt *prepared, const statement_t *statement, const void *in);

/* The columns into the statement's row struct; texts are SQLite's until the next step or reset. */
void slots_read(sqlite3_stmt *prepared, const statement_t *statement, void *row);

#endif
