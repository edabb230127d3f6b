/* The CSV reader on any bytes; what it read whole is written and must read back the same. */
#include <stdio.h>
#include <stdlib.h>

#include "core/import/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void must(bool good)
{
    if (!good)
        abort();
}

/* Writes the record's fields and reads them again. */
static void there_and_back(const csv_reader_t *record)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    csv_reader_t again;

    must(out != NULL);
    for (size_t i = 0; i < record->count; i++)
        csv_write(out, record->fields[i], i + 1 == record->count);
    must(fclose(out) == 0);
    csv_open(&again, fmemopen(text, size, "r"));
    must(csv_next(&again) == CSV_RECORD && again.count == record->count);
    for (size_t i = 0; i < record->count; i++)
        must(str_equal(again.fields[i], record->fields[i]));
    csv_close(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    csv_reader_t reader;
    csv_result_t result;
    FILE *file = size > 0 ? fmemopen((void *)(uintptr_t)bytes, size, "r") : NULL;

    if (!file)
        return 0;
    csv_open(&reader, file);
    while ((result = csv_next(&reader)) == CSV_RECORD || result == CSV_BROKEN)
        if (result == CSV_RECORD)
            there_and_back(&reader);
    must(result == CSV_END);
    csv_close(&reader);
    return 0;
}
