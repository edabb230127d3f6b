/*
 * Comma-separated values (RFC 4180), read record by record and written field by field. The reader takes LF
 * and CRLF, a byte order mark, and quoted fields with line breaks in them; it is strict about quotes and
 * UTF-8, and goes on behind a broken record.
 */
#ifndef FOLKMOOT_CSV_H
#define FOLKMOOT_CSV_H

#include <stdio.h>

#include "core/runtime/arena.h"

enum { CSV_FIELDS_MAX = 64, CSV_RECORD_MAX = 256 * 1024 };

typedef struct csv_reader {
    FILE *file;
    size_t line;                  /* of the record read last: where it begins, from 1 */
    size_t next_line;             /* private */
    char *buffer;                 /* private: CSV_RECORD_MAX bytes */
    const char *error;            /* of CSV_BROKEN: a sentence */
    str_t fields[CSV_FIELDS_MAX]; /* of CSV_RECORD: valid until the next call, each with a NUL behind it */
    size_t count;
} csv_reader_t;

typedef enum csv_result {
    CSV_RECORD,
    CSV_BROKEN,
    CSV_END,
    CSV_FAILED
} csv_result_t; /* FAILED: errno says why */

/* Takes over `file`. csv_close also closes it. */
void csv_open(csv_reader_t *reader, FILE *file);
void csv_close(csv_reader_t *reader);
csv_result_t csv_next(csv_reader_t *reader);

/* Writes one field, quoted when it must be; `last` ends the record. Errors stay in the FILE: ask ferror and
 * fclose. */
void csv_write(FILE *file, str_t field, bool last);

#endif
