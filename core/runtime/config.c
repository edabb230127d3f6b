/* The table of options, with their values: adding to it, asking it, and printing it as a configuration file.
 */
#include "core/runtime/config_private.h"
#include "core/runtime/panic.h"

enum { WRAP_AT = 100 };

config_t *config_new(arena_t *arena)
{
    config_t *config = arena_new_of(arena, config_t);
    config->arena = arena;
    return config;
}

static void make_room(config_t *config)
{
    if (config->count < config->room)
        return;
    size_t room = config->room ? 2 * config->room : 64;
    setting_t *settings = arena_array_of(config->arena, setting_t, room);
    if (config->count)
        memcpy(settings, config->settings, config->count * sizeof *settings);
    config->settings = settings;
    config->room = room;
}

static void add_option(config_t *config, const config_option_t *option)
{
    setting_t setting = {.option = option, .text = str_from(option->preset ? option->preset : "")};
    setting.name = str_from(option->name);
    setting.variable = config_variable(config->arena, option->name);
    if (strchr(option->name, '.') == NULL)
        panic("the option %s is not named `section.name`", option->name);
    if (config_find(config, setting.name) || config_find_variable(config, setting.variable))
        panic("the option %s is there twice", option->name);
    str_t error;
    if (!config_value_read(config->arena, option, setting.text, &setting.number, &error))
        panic("the preset of %s %s", option->name, error.at);
    make_room(config);
    config->settings[config->count++] = setting;
}

void config_add_options(config_t *config, const config_option_t *options, size_t count)
{
    for (size_t place = 0; place < count; place++)
        add_option(config, &options[place]);
}

static const setting_t *ask(const config_t *config, const char *name)
{
    const setting_t *setting = config_find(config, str_from(name));
    if (setting == NULL)
        panic("no table of options has %s", name);
    return setting;
}

str_t config_text(const config_t *config, const char *name)
{
    const setting_t *setting = ask(config, name);
    if (setting->option->type != CONFIG_TEXT && setting->option->type != CONFIG_CHOICE)
        panic("the option %s is not a text", name);
    return setting->text;
}

int64_t config_int(const config_t *config, const char *name)
{
    const setting_t *setting = ask(config, name);
    config_type_t type = setting->option->type;
    if (type != CONFIG_INT && type != CONFIG_DURATION && type != CONFIG_SIZE)
        panic("the option %s is not a number", name);
    return setting->number;
}

bool config_bool(const config_t *config, const char *name)
{
    const setting_t *setting = ask(config, name);
    if (setting->option->type != CONFIG_BOOL)
        panic("the option %s is not true or false", name);
    return setting->number != 0;
}

/* Text that grows; the arena keeps the outgrown copies until it goes. */
typedef struct page {
    arena_t *arena;
    char *text;
    size_t length, room;
} page_t;

static void page_add(page_t *page, str_t text)
{
    if (page->length + text.length + 1 > page->room) {
        page->room = 2 * (page->length + text.length + 1);
        char *larger = arena_alloc(page->arena, page->room);
        if (page->length)
            memcpy(larger, page->text, page->length);
        page->text = larger;
    }
    if (text.length)
        memcpy(page->text + page->length, text.at, text.length);
    page->length += text.length;
    page->text[page->length] = '\0';
}

/* A paragraph of comment, wrapped between words. */
static void page_add_comment(page_t *page, const char *text)
{
    while (*text) {
        size_t length = strlen(text), cut = length;
        if (length > WRAP_AT) {
            for (cut = WRAP_AT; cut > 0 && text[cut] != ' '; cut--)
                ;
            if (cut == 0)
                cut = strcspn(text, " ");
        }
        page_add(page, arena_printf(page->arena, "# %.*s\n", (int)cut, text));
        text += cut;
        text += strspn(text, " ");
    }
}

static void page_add_limits(page_t *page, const config_option_t *option)
{
    if (option->type == CONFIG_CHOICE)
        page_add_comment(page, arena_printf(page->arena, "One of: %s.", option->choices).at);
    else if (option->least != 0 || option->most != 0)
        page_add_comment(
            page, arena_printf(page->arena, "Range: %s.", config_value_bounds(page->arena, option).at).at);
}

str_t config_print(const config_t *config, arena_t *arena)
{
    page_t page = {.arena = arena};
    page_add(&page, STR(""));
    for (size_t place = 0; place < config->count; place++) {
        const setting_t *setting = &config->settings[place];
        if (place > 0)
            page_add(&page, STR("\n"));
        page_add_comment(&page, setting->option->doc ? setting->option->doc : "");
        page_add_limits(&page, setting->option);
        page_add(&page, arena_printf(arena, "%s =%s%s\n", setting->option->name,
                                     setting->text.length ? " " : "", setting->text.at));
    }
    return (str_t){page.text, page.length};
}
