/* The row as JSON, with the fields of the API's Post, written straight into a buffer. */
#include "tests/bench/bare.h"

#include "core/runtime/clock.h"

enum { BUFFER_SIZE = 512 * 1024 }; /* a body has at most 40,000 code points; each may become 6 bytes */

static char *copy(char *at, const char *text, size_t length)
{
    memcpy(at, text, length);
    return at + length;
}

#define COPY(at, literal) copy(at, literal, sizeof(literal) - 1)

static char *copy_text(char *at, str_t text)
{
    static const char digits[] = "0123456789abcdef";

    *at++ = '"';
    for (size_t place = 0; place < text.length; place++) {
        const unsigned char byte = (unsigned char)text.at[place];
        if (byte < 0x20) {
            at = COPY(at, "\\u00");
            *at++ = digits[byte >> 4];
            *at++ = digits[byte & 15];
            continue;
        }
        if (byte == '"' || byte == '\\')
            *at++ = '\\';
        *at++ = (char)byte;
    }
    *at++ = '"';
    return at;
}

static char *copy_number(char *at, int64_t number)
{
    char text[24];
    size_t length = 0;

    do
        text[sizeof text - ++length] = (char)('0' + number % 10);
    while (number /= 10);
    return copy(at, text + sizeof text - length, length);
}

static char *copy_id(char *at, const uuid_t *id)
{
    *at++ = '"';
    uuid_format(id, at);
    at += UUID_TEXT_SIZE - 1;
    *at++ = '"';
    return at;
}

static char *copy_time(char *at, int64_t time)
{
    *at++ = '"';
    at += time_format(time, at);
    *at++ = '"';
    return at;
}

static char *copy_tally(char *at, const struct item_by_id *row)
{
    at = copy_number(COPY(at, ",\"tally\":{\"agree_count\":"), row->agree_count);
    at = copy_number(COPY(at, ",\"disagree_count\":"), row->disagree_count);
    at = copy_number(COPY(at, ",\"pass_count\":"), row->pass_count);
    if (row->own)
        at = copy_number(COPY(at, ",\"own\":"), row->own);
    return COPY(at, "}");
}

static char *copy_row(char *at, const struct item_by_id *row)
{
    at = copy_id(COPY(at, "{\"id\":"), &row->id);
    at = copy_id(COPY(at, ",\"board_id\":"), &row->board_id);
    at = copy_text(COPY(at, ",\"board_slug\":"), row->board_slug);
    at = copy_id(COPY(at, ",\"author\":{\"id\":"), &row->author_id);
    at = copy_text(COPY(at, ",\"name\":"), row->author_name);
    at = copy_text(COPY(at, "},\"title\":"), row->title);
    at = copy_text(COPY(at, ",\"body\":"), row->body);
    at = copy_time(COPY(at, ",\"created_at\":"), row->created_at);
    if (row->edited_at)
        at = copy_time(COPY(at, ",\"edited_at\":"), row->edited_at);
    at = COPY(at, ",\"moderation\":\"accepted\",\"comment_count\":");
    at = copy_tally(copy_number(at, row->comment_count), row);
    return COPY(at, "}");
}

void bare_answer(h2o_req_t *request, const struct item_by_id *row)
{
    static _Thread_local char buffer[BUFFER_SIZE];
    static h2o_generator_t generator;

    if (!row) {
        h2o_send_error_404(request, "Not Found", "not found", 0);
        return;
    }
    h2o_iovec_t body = h2o_strdup(&request->pool, buffer, (size_t)(copy_row(buffer, row) - buffer));
    request->res.status = 200;
    request->res.reason = "OK";
    request->res.content_length = body.len;
    h2o_add_header(&request->pool, &request->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("application/json"));
    h2o_start_response(request, &generator);
    h2o_send(request, &body, 1, H2O_SEND_STATE_FINAL);
}
