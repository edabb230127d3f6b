/* The CSV reader and writer. The reader is a small state machine over bytes; a record is put together in one
 * buffer. */
#include <errno.h>
#include <stdlib.h>

#include "core/import/csv.h"
#include "core/runtime/panic.h"
#include "core/runtime/utf8.h"

#define MARK STR("\xef\xbb\xbf") /* a byte order mark in UTF-8 */

typedef enum state { FIELD_START, UNQUOTED, QUOTED, QUOTE_IN_QUOTED } state_t;

typedef struct record {
    csv_reader_t *reader;
    size_t starts[CSV_FIELDS_MAX + 1];
    size_t used;
    size_t count;
    const char *error;
} record_t;

void csv_open(csv_reader_t *reader, FILE *file)
{
    *reader = (csv_reader_t){.file = file, .next_line = 1, .buffer = malloc(CSV_RECORD_MAX)};
    if (!reader->buffer)
        panic("out of memory");
    for (size_t i = 0; i < MARK.length; i++) {
        int byte = getc(file);
        if (byte == (unsigned char)MARK.at[i])
            continue;
        if (byte != EOF)
            (void)ungetc(byte, file);
        if (i > 0)
            rewind(file);
        break;
    }
}

void csv_close(csv_reader_t *reader)
{
    if (reader->file)
        (void)fclose(reader->file);
    free(reader->buffer);
    *reader = (csv_reader_t){0};
}

static void put(record_t *record, char byte)
{
    if (record->used >= CSV_RECORD_MAX - 1)
        record->error = "the record is longer than 256 KiB; a quote may be missing at its end";
    else
        record->reader->buffer[record->used++] = byte;
}

static void end_field(record_t *record)
{
    put(record, '\0');
    if (record->count == CSV_FIELDS_MAX)
        record->error = "the record has more than 64 fields";
    else
        record->starts[++record->count] = record->used;
}

/* One byte further. True when the record has ended. */
static bool step(record_t *record, state_t *state, int byte)
{
    if (byte == EOF || (byte == '\n' && *state != QUOTED)) {
        if (*state == QUOTED)
            record->error = "a quoted field is never closed";
        end_field(record);
        return true;
    }
    if (*state == QUOTED) {
        if (byte == '"')
            *state = QUOTE_IN_QUOTED;
        else
            put(record, (char)byte);
        return false;
    }
    if (byte == ',') {
        end_field(record);
        *state = FIELD_START;
    } else if (byte == '"' && *state != UNQUOTED) {
        if (*state == QUOTE_IN_QUOTED)
            put(record, '"');
        *state = QUOTED;
    } else if (byte == '\r') {
        int next = getc(record->reader->file);
        if (next != EOF)
            (void)ungetc(next, record->reader->file);
        if (next != '\n' && next != EOF)
            record->error = "a carriage return stands in a field without quotes";
    } else if (*state == QUOTE_IN_QUOTED) {
        record->error = "text stands behind a closing quote; a quote inside a field is written twice";
    } else {
        if (byte == '"')
            record->error = "a quote stands inside a field that does not begin with one";
        put(record, (char)byte);
        *state = UNQUOTED;
    }
    return false;
}

static void take_fields(record_t *record)
{
    csv_reader_t *reader = record->reader;

    reader->count = record->count;
    for (size_t i = 0; i < record->count; i++) {
        reader->fields[i] =
            (str_t){reader->buffer + record->starts[i], record->starts[i + 1] - record->starts[i] - 1};
        if (memchr(reader->fields[i].at, '\0', reader->fields[i].length))
            record->error = "the record contains a NUL byte";
        else if (!utf8_valid(reader->fields[i], NULL))
            record->error = "the record is not valid UTF-8";
    }
}

/* A record that is broken is passed over up to the end of its first line: a quote that is missing there would
 * otherwise take many good lines with it. */
static csv_result_t pass_over(csv_reader_t *reader, off_t start, const char *error)
{
    int byte;

    if (fseeko(reader->file, start, SEEK_SET) != 0)
        return CSV_FAILED;
    do
        byte = getc(reader->file);
    while (byte != '\n' && byte != EOF);
    reader->next_line = reader->line + 1;
    reader->error = error;
    return CSV_BROKEN;
}

csv_result_t csv_next(csv_reader_t *reader)
{
    record_t record = {.reader = reader};
    state_t state = FIELD_START;
    off_t start = ftello(reader->file);
    int byte = getc(reader->file);

    reader->line = reader->next_line;
    if (byte == EOF)
        return ferror(reader->file) ? CSV_FAILED : CSV_END;
    for (;; byte = getc(reader->file)) {
        if (byte == '\n')
            reader->next_line++;
        if (step(&record, &state, byte) || record.error)
            break;
    }
    if (ferror(reader->file))
        return CSV_FAILED;
    if (!record.error)
        take_fields(&record);
    return record.error ? pass_over(reader, start, record.error) : CSV_RECORD;
}

void csv_write(FILE *file, str_t field, bool last)
{
    /* What begins with a mark would lose it at the start of a file. */
    bool quoted = field.length >= MARK.length && memcmp(field.at, MARK.at, MARK.length) == 0;

    for (size_t i = 0; i < field.length; i++)
        quoted = quoted || strchr(",\"\r\n", field.at[i]);
    if (quoted)
        (void)putc('"', file);
    for (size_t i = 0; i < field.length; i++) {
        if (field.at[i] == '"')
            (void)putc('"', file);
        (void)putc(field.at[i], file);
    }
    if (quoted)
        (void)putc('"', file);
    (void)putc(last ? '\n' : ',', file);
}
