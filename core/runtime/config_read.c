/* Reads a configuration from a file and from the environment. Both are refused as a whole at the first thing
 * that is wrong. */
#include <errno.h>
#include <stdio.h>

#include "core/runtime/config_private.h"
#include "core/runtime/panic.h"

enum { LINE_MOST = 4096, FILE_MOST = 1024 * 1024, NAME_SHOWN = 100 };

static const char prefix[] = "FOLKMOOT_";
static const char test_prefix[] = "FOLKMOOT_TEST_";

static bool is_space(char character)
{
    return character == ' ' || character == '\t' || character == '\r';
}

static str_t trim(str_t text)
{
    while (text.length > 0 && is_space(text.at[0])) {
        text.at++;
        text.length--;
    }
    while (text.length > 0 && is_space(text.at[text.length - 1]))
        text.length--;
    return text;
}

static str_t shown(str_t text)
{
    return text.length > NAME_SHOWN ? (str_t){text.at, NAME_SHOWN} : text;
}

static bool refuse(config_t *config, str_t *error, const char *where, const char *what)
{
    *error = arena_printf(config->arena, "%s: %s", where, what);
    return false;
}

static bool refuse_name(config_t *config, str_t *error, const char *where, str_t name, bool variable)
{
    str_t nearest = config_nearest(config, name, variable);
    str_t remedy = nearest.at ? arena_printf(config->arena, "did you mean %s?", nearest.at)
                              : STR("`folkmoot config` lists all");
    *error = arena_printf(config->arena, "%s: there is no option %.*s: %s", where, STR_ARGS(shown(name)),
                          remedy.at);
    return false;
}

static bool set(config_t *config, setting_t *setting, str_t value, const char *where, str_t *error)
{
    str_t wrong;
    int64_t number;
    value = trim(value);
    if (!config_value_read(config->arena, setting->option, value, &number, &wrong)) {
        *error = arena_printf(config->arena, "%s: %s %s", where, setting->option->name, wrong.at);
        return false;
    }
    setting->text = arena_str(config->arena, value.at ? value : STR(""));
    setting->number = number;
    return true;
}

bool config_set(config_t *config, str_t name, str_t value, const char *where, str_t *error)
{
    setting_t *setting = config_find(config, name);
    if (setting == NULL)
        return refuse_name(config, error, where, name, false);
    return set(config, setting, value, where, error);
}

/* A # at the beginning of a line or behind a space begins a comment; within a value, as in a password, it is
 * itself. */
static str_t without_comment(str_t line)
{
    for (size_t place = 0; place < line.length; place++)
        if (line.at[place] == '#' && (place == 0 || is_space(line.at[place - 1])))
            return (str_t){line.at, place};
    return line;
}

static bool read_setting(config_t *config, str_t line, size_t number, const char *where, str_t *error)
{
    const char *equals = memchr(line.at, '=', line.length);
    if (equals == NULL)
        return refuse(config, error, where, "expected `name = value`, or # and a comment");
    str_t name = trim((str_t){line.at, (size_t)(equals - line.at)});
    str_t value = {equals + 1, line.length - (size_t)(equals + 1 - line.at)};
    setting_t *setting = config_find(config, name);
    if (setting == NULL)
        return refuse_name(config, error, where, name, false);
    if (setting->line) {
        *error = arena_printf(config->arena, "%s: %s was set in line %zu already; remove one of the two",
                              where, setting->option->name, setting->line);
        return false;
    }
    setting->line = number;
    return set(config, setting, value, where, error);
}

static bool read_line(config_t *config, str_t line, size_t number, const char *source, str_t *error)
{
    arena_mark_t mark = arena_mark(config->arena);
    const char *where = arena_printf(config->arena, "%s:%zu", source, number).at;
    if (line.length > LINE_MOST)
        return refuse(config, error, where, "the line is longer than 4096 bytes");
    if (memchr(line.at, '\0', line.length))
        return refuse(config, error, where, "the line contains a NUL byte; is this a text file?");
    line = trim(without_comment(line));
    if (line.length == 0) {
        arena_rewind(config->arena, mark);
        return true;
    }
    return read_setting(config, line, number, where, error);
}

bool config_read_text(config_t *config, str_t text, const char *where, str_t *error)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf"; /* as some editors put before UTF-8 */
    for (size_t place = 0; place < config->count; place++)
        config->settings[place].line = 0;
    if (text.length >= 3 && memcmp(text.at, byte_order_mark, 3) == 0)
        text = (str_t){text.at + 3, text.length - 3};
    for (size_t number = 1; text.length > 0; number++) {
        const char *end = memchr(text.at, '\n', text.length);
        str_t line = {text.at, end ? (size_t)(end - text.at) : text.length};
        if (!read_line(config, line, number, where, error))
            return false;
        size_t taken = line.length + (end != NULL);
        text = (str_t){text.at + taken, text.length - taken};
    }
    return true;
}

/* The whole file; false with errno when it cannot be read. */
static bool slurp(const char *path, char *text, size_t *length)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    *length = fread(text, 1, FILE_MOST + 1, file);
    int error = ferror(file) ? errno : 0;
    fclose(file);
    errno = error;
    return error == 0;
}

static bool refuse_file(config_t *config, str_t *error, const char *path)
{
    *error = arena_printf(config->arena,
                          "The configuration %s cannot be read: %s. Correct its path (--config), or let this "
                          "user read it.",
                          path, strerror(errno));
    return false;
}

bool config_read_file(config_t *config, const char *path, bool optional, str_t *error)
{
    char *text = memory_new(FILE_MOST + 1);
    size_t length;
    bool good;
    if (!slurp(path, text, &length))
        good = (optional && errno == ENOENT) || refuse_file(config, error, path);
    else if (length > FILE_MOST)
        good = refuse(config, error, path, "the file is larger than 1 MiB; is this the right one?");
    else
        good = config_read_text(config, (str_t){text, length}, path, error);
    free(text);
    return good;
}

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

static bool read_variable(config_t *config, const char *entry, str_t *error)
{
    size_t length = strcspn(entry, "=");
    str_t variable = {entry, length};
    setting_t *setting = config_find_variable(config, variable);
    if (setting == NULL)
        return refuse_name(config, error, "environment", variable, true);
    const char *where = arena_printf(config->arena, "environment: %.*s", STR_ARGS(variable)).at;
    return set(config, setting, str_from(entry[length] ? entry + length + 1 : ""), where, error);
}

bool config_read_environment(config_t *config, char *const *environment, str_t *error)
{
    for (; *environment; environment++) {
        if (!begins_with(*environment, prefix) || begins_with(*environment, test_prefix))
            continue;
        if (!read_variable(config, *environment, error))
            return false;
    }
    return true;
}
