/* Frames of the live channel, each the text of one event, and the vectors that their ids are. */
#include "gateway/live.h"

static live_frame_t *frame_new(size_t text_room, size_t topics_room)
{
    live_frame_t *frame = memory_new(sizeof *frame + text_room + topics_room);
    atomic_init(&frame->references, 1);
    return frame;
}

live_frame_t *live_frame_keep(live_frame_t *frame)
{
    atomic_fetch_add_explicit(&frame->references, 1, memory_order_relaxed);
    return frame;
}

void live_frame_release(live_frame_t *frame)
{
    if (frame && atomic_fetch_sub_explicit(&frame->references, 1, memory_order_acq_rel) == 1)
        free(frame);
}

live_frame_t *live_frame_of_text(str_t text)
{
    live_frame_t *frame = frame_new(text.length, 0);
    memcpy(frame->memory, text.at, text.length);
    frame->text = (str_t){frame->memory, text.length};
    return frame;
}

/* A line break within the data would end its line: what an entry holds is JSON, where none is needed. */
static void copy_in_one_line(char *to, str_t from)
{
    for (size_t place = 0; place < from.length; place++)
        to[place] = from.at[place] == '\n' || from.at[place] == '\r' ? ' ' : from.at[place];
}

static bool says_deleted(str_t type)
{
    static const char end[] = ".deleted";
    size_t length = sizeof end - 1;
    return type.length > length && memcmp(type.at + type.length - length, end, length) == 0;
}

live_frame_t *live_frame_new(const host_t *host, size_t module, const live_vector_t *vector,
                             const log_entry_t *entry)
{
    char head[LIVE_FRAME_HEAD + 300], id[LIVE_FRAME_HEAD];
    live_vector_format(host, vector, id, sizeof id);
    int head_length = snprintf(head, sizeof head, "id: %s\nevent: %.*s\ndata: ", id, (int)entry->type.length,
                               entry->type.at);
    if (head_length < 0 || (size_t)head_length >= sizeof head)
        return NULL;
    size_t length = (size_t)head_length + entry->live.length + 2;
    live_frame_t *frame = frame_new(length, entry->topics.length);
    memcpy(frame->memory, head, (size_t)head_length);
    copy_in_one_line(frame->memory + head_length, entry->live);
    memcpy(frame->memory + length - 2, "\n\n", 2);
    memcpy(frame->memory + length, entry->topics.at, entry->topics.length);
    frame->text = (str_t){frame->memory, length};
    frame->topics = (str_t){frame->memory + length, entry->topics.length};
    frame->module = module;
    frame->position = entry->position;
    frame->record = entry->record;
    frame->deletes = says_deleted(entry->type);
    return frame;
}

size_t live_vector_format(const host_t *host, const live_vector_t *vector, char *out, size_t size)
{
    size_t length = 0;
    out[0] = '\0';
    for (size_t place = 0; place < host->module_count; place++) {
        char position[LOG_POSITION_TEXT_SIZE];
        log_position_format(vector->at[place], position);
        int added = snprintf(out + length, size - length, "%s%s:%s", place ? "," : "",
                             host->modules[place]->name, position);
        if (added < 0 || (size_t)added >= size - length)
            panic("the modules have too many names for the id of a live event");
        length += (size_t)added;
    }
    return length;
}

static bool parse_part(const host_t *host, str_t part, live_vector_t *vector)
{
    const char *colon = memchr(part.at, ':', part.length);
    if (colon == NULL)
        return false;
    str_t name = {part.at, (size_t)(colon - part.at)};
    str_t position = {colon + 1, part.length - name.length - 1};
    for (size_t place = 0; place < host->module_count; place++)
        if (str_equal(name, str_from(host->modules[place]->name)))
            return log_position_parse(position, &vector->at[place]) && vector->at[place].sequence >= 0 &&
                   vector->at[place].transaction >= 0;
    return true; /* a module that was switched off since */
}

/* A module that the text does not name was switched on since: false, so that the client loads anew. */
bool live_vector_parse(const host_t *host, str_t text, live_vector_t *vector)
{
    for (size_t place = 0; place < host->module_count; place++)
        vector->at[place] = (log_position_t){-1, -1};
    for (size_t from = 0; from < text.length;) {
        const char *comma = memchr(text.at + from, ',', text.length - from);
        size_t to = comma ? (size_t)(comma - text.at) : text.length;
        if (!parse_part(host, (str_t){text.at + from, to - from}, vector))
            return false;
        from = to + 1;
    }
    for (size_t place = 0; place < host->module_count; place++)
        if (vector->at[place].sequence < 0)
            return false;
    return true;
}
