/* The program's command line: options, then a command from the table below, then the command's own words. */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

#include "gateway/gateway.h"
#include "gateway/program.h"

extern char **environ;

/* What a command wants of the data directory. */
typedef enum data_need {
    DATA_NOT,        /* nothing */
    DATA_CONFIGURES, /* its configuration, when it has one */
    DATA_THERE,      /* the directory; a mistyped one is refused, and not made */
    DATA_MADE        /* the directory; made when it is missing */
} data_need_t;

typedef struct command {
    const char *name;
    int (*run)(invocation_t *invocation);
    data_need_t data;
    size_t words_least, words_most;
    const char *usage, *doc;
} command_t;

static int command_config(invocation_t *invocation);
static int command_version(invocation_t *invocation);
static int command_help(invocation_t *invocation);

static const command_t commands[] = {
    {"serve", command_serve, DATA_MADE, 0, 0, "serve [--modules a,b]",
     "Answers requests until it is told to stop (SIGTERM)."},
    {"config", command_config, DATA_CONFIGURES, 0, 0, "config",
     "Prints all options with their values, as a configuration file."},
    {"check", command_check, DATA_THERE, 0, 0, "check",
     "Opens everything, brings the databases to this version, tries every statement on them, and leaves."},
    {"migrate", command_migrate, DATA_MADE, 0, 0, "migrate",
     "Brings the databases to this version, and leaves."},
    {"import", command_import, DATA_MADE, 2, 2, "import FORMAT SRC --board NAME [--broken stop|skip]",
     "Reads a conversation from a folder; started again, it goes on where it stopped."},
    {"export", command_export, DATA_THERE, 2, 2, "export FORMAT --board NAME OUT",
     "Writes a board's conversation into a folder."},
    {"keys", command_keys, DATA_THERE, 1, 1, "keys rotate", "Makes a new key to sign access tokens with."},
    {"version", command_version, DATA_NOT, 0, 0, "version", "Prints the version."},
    {"help", command_help, DATA_NOT, 0, 1, "help", "Prints this."},
};

int complain(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fputs("folkmoot: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    return EXIT_FAILED;
}

static int misuse(const char *format, ...) PRINTF_LIKE(1, 2);
static int misuse(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fputs("folkmoot: ", stderr);
    vfprintf(stderr, format, values);
    fputs("\nTry `folkmoot help`.\n", stderr);
    va_end(values);
    return EXIT_USAGE;
}

static int command_config(invocation_t *invocation)
{
    fputs(config_print(invocation->config, invocation->arena).at, stdout);
    return EXIT_GOOD;
}

static int command_version(invocation_t *invocation)
{
    (void)invocation;
    puts("folkmoot " FOLKMOOT_VERSION);
    return EXIT_GOOD;
}

static int command_help(invocation_t *invocation)
{
    (void)invocation;
    puts("folkmoot [--data DIR] [--config FILE] [--set name=value]... COMMAND\n");
    for (size_t place = 0; place < COUNT_OF(commands); place++)
        printf("  folkmoot %s\n      %s\n", commands[place].usage, commands[place].doc);
    puts("\n  --data DIR        Where everything is kept (default: ./data). Made by serve, migrate and "
         "import.\n"
         "  --config FILE     The configuration (default: folkmoot.conf in the data directory, when it is "
         "there).\n"
         "  --set name=value  One option; wins over the file and over the environment "
         "(FOLKMOOT_GATEWAY_LISTEN=…).");
    return EXIT_GOOD;
}

/* ---- taking the line apart ---- */

typedef struct line {
    const command_t *command;
    const char *config_file;
    const char **settings;
    size_t setting_count;
    const char *board, *broken, *modules, *data;
} line_t;

typedef struct flag {
    const char *name;
    size_t offset;        /* of a const char * in line_t */
    const char *commands; /* that know it; NULL: all */
} flag_t;

static const flag_t flags[] = {
    {"--data", offsetof(line_t, data), NULL},
    {"--config", offsetof(line_t, config_file), NULL},
    {"--modules", offsetof(line_t, modules), "serve check migrate"},
    {"--board", offsetof(line_t, board), "import export"},
    {"--broken", offsetof(line_t, broken), "import"},
};

static const command_t *command_named(const char *name)
{
    for (size_t place = 0; place < COUNT_OF(commands); place++)
        if (strcmp(commands[place].name, name) == 0)
            return &commands[place];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return command_named("help");
    return strcmp(name, "--version") == 0 ? command_named("version") : NULL;
}

/* Reads `--name value` or `--name=value` at words[*at]; false when it is no such flag. */
static bool take_flag(char *const *words, int count, int *at, const char *name, const char **value)
{
    size_t length = strlen(name);
    const char *word = words[*at];
    if (strncmp(word, name, length) != 0 || (word[length] != '\0' && word[length] != '='))
        return false;
    if (word[length] == '=')
        *value = word + length + 1;
    else
        *value = *at + 1 < count ? words[++*at] : NULL;
    return true;
}

/* 0: not a flag; 1: taken; -1: it lacks its value. */
static int read_flag(line_t *line, char *const *words, int count, int *at)
{
    const char *value;
    if (take_flag(words, count, at, "--set", &value)) {
        if (value)
            line->settings[line->setting_count++] = value;
        return value ? 1 : -1;
    }
    for (size_t place = 0; place < COUNT_OF(flags); place++)
        if (take_flag(words, count, at, flags[place].name, &value)) {
            memcpy((char *)line + flags[place].offset, &value, sizeof value);
            return value && value[0] ? 1 : -1; /* empty: a script's variable that was never set */
        }
    return 0;
}

static int read_line(invocation_t *invocation, line_t *line, int count, char **words)
{
    for (int at = 1; at < count; at++) {
        const char *word = words[at];
        int taken = read_flag(line, words, count, &at);
        if (taken < 0)
            return misuse("%s needs a value.", word);
        if (taken > 0)
            continue;
        const command_t *command = line->command ? NULL : command_named(word);
        if (command)
            line->command = command;
        else if (word[0] == '-' && word[1] != '\0')
            return misuse("There is no option %s.", word);
        else if (line->command == NULL)
            return misuse("There is no command “%s”.", word);
        else
            invocation->words[invocation->word_count++] = word;
    }
    return EXIT_GOOD;
}

static bool knows_flag(const flag_t *flag, const command_t *command)
{
    return flag->commands == NULL || strstr(flag->commands, command->name) != NULL;
}

static int check_line(const invocation_t *invocation, const line_t *line)
{
    const command_t *command = line->command;
    if (command == NULL)
        return misuse(
            "Say what to do: serve, config, check, migrate, keys, import, export, version or help.");
    for (size_t place = 0; place < COUNT_OF(flags); place++) {
        const char *value;
        memcpy(&value, (const char *)line + flags[place].offset, sizeof value);
        if (value && !knows_flag(&flags[place], command))
            return misuse("`%s` does not know %s.", command->name, flags[place].name);
    }
    if (invocation->word_count < command->words_least)
        return misuse("Something is missing: folkmoot %s", command->usage);
    if (invocation->word_count > command->words_most)
        return misuse("“%s” is too much: folkmoot %s", invocation->words[command->words_most],
                      command->usage);
    if (line->broken && strcmp(line->broken, "skip") != 0 && strcmp(line->broken, "stop") != 0)
        return misuse("--broken is stop or skip, not “%s”.", line->broken);
    return EXIT_GOOD;
}

/* ---- configuration ---- */

static bool set_from_line(invocation_t *invocation, const char *setting, str_t *error)
{
    const char *equals = strchr(setting, '=');
    if (equals == NULL) {
        *error = arena_printf(invocation->arena, "--set %s: expected name=value", setting);
        return false;
    }
    return config_set(invocation->config, (str_t){setting, (size_t)(equals - setting)}, str_from(equals + 1),
                      "--set", error);
}

static bool configure(invocation_t *invocation, const line_t *line, str_t *error)
{
    bool named = line->config_file != NULL;
    const char *file = named ? line->config_file
                             : arena_printf(invocation->arena, "%s/folkmoot.conf", invocation->data.at).at;
    if (!config_read_file(invocation->config, file, !named, error) ||
        !config_read_environment(invocation->config, environ, error))
        return false;
    for (size_t place = 0; place < line->setting_count; place++)
        if (!set_from_line(invocation, line->settings[place], error))
            return false;
    return true;
}

static void configure_lines(const config_t *config)
{
    static const char *const levels[] = {"debug", "info", "warning", "error"};
    str_t level = config_text(config, "log.level");
    for (size_t place = 0; place < COUNT_OF(levels); place++)
        if (str_equal(level, str_from(levels[place])))
            logline_configure((line_level_t)place, STDERR_FILENO);
}

static int run(invocation_t *invocation, const line_t *line)
{
    str_t error;
    data_need_t need = line->command->data;
    if (need != DATA_NOT) {
        bool opened = need == DATA_CONFIGURES || data_directory_open(invocation, need == DATA_MADE, &error);
        if (!opened || !configure(invocation, line, &error))
            return complain("%s", error.at);
        configure_lines(invocation->config);
        crypto_start();
    }
    return line->command->run(invocation);
}

/* Where standard input, output or error was closed, the next file to be opened would take its number, and log
 * lines would end up in it. */
static void hold_standard_files(void)
{
    int file;
    while ((file = open("/dev/null", O_RDWR)) >= 0 && file <= STDERR_FILENO)
        ;
    if (file > STDERR_FILENO)
        close(file);
}

int main(int count, char **words)
{
    hold_standard_files();
    signal(SIGPIPE, SIG_IGN);
    fiber_install_guard_handler();
    arena_t *arena = arena_new();
    invocation_t invocation = {.arena = arena, .config = config_new(arena)};
    line_t line = {.settings = arena_array_of(arena, const char *, (size_t)count + 1)};
    invocation.words = arena_array_of(arena, const char *, (size_t)count + 1);
    options_add(invocation.config);

    int outcome = read_line(&invocation, &line, count, words);
    if (outcome == EXIT_GOOD)
        outcome = check_line(&invocation, &line);
    if (outcome == EXIT_GOOD && line.command) {
        invocation.data = str_from(line.data ? line.data : "./data");
        invocation.modules = str_from(line.modules);
        invocation.board = str_from(line.board);
        invocation.skip_broken = line.broken && strcmp(line.broken, "skip") == 0;
        outcome = run(&invocation, &line);
    }
    logline_flush();
    arena_free(arena);
    if (fflush(stdout) != 0 && outcome == EXIT_GOOD)
        outcome = EXIT_FAILED;
    return outcome;
}
