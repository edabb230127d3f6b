/* Fuzzes the configuration file: any bytes are read or refused with a message, and what was read can be
 * printed and read again. */
#include <stdlib.h>

#include "core/runtime/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const config_option_t options[] = {
    {"a.text", CONFIG_TEXT, "", 0, 0, NULL, "A text."},
    {"a.int", CONFIG_INT, "1", -5, 100, NULL, "A number."},
    {"a.bool", CONFIG_BOOL, "true", 0, 0, NULL, "True or false."},
    {"b.duration", CONFIG_DURATION, "1s", 0, 0, NULL, "A time."},
    {"b.size", CONFIG_SIZE, "1k", 1, INT64_MAX, NULL, "A size."},
    {"b-c.choice", CONFIG_CHOICE, "one", 0, 0, "one two three", "A word."},
};

static config_t *make(arena_t *arena)
{
    config_t *config = config_new(arena);
    config_add_options(config, options, COUNT_OF(options));
    return config;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *arena = arena_new();
    config_t *config = make(arena), *again = make(arena);
    str_t error = STR_NONE;
    if (config_read_text(config, (str_t){(const char *)data, size}, "fuzz", &error)) {
        str_t printed = config_print(config, arena);
        if (!config_read_text(again, printed, "printed", &error) ||
            !str_equal(config_print(again, arena), printed))
            abort();
    } else if (error.length == 0) {
        abort();
    }
    arena_free(arena);
    return 0;
}
