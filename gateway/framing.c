/*
 * What makes an HTTP/1 request one request for everybody who reads it. h2o takes the first Content-Length,
 * lets Transfer-Encoding win over it, and keeps neither; whoever stands before us may take others, and would
 * then see other requests in the same bytes (RFC 9112, sections 3.2, 5.2, 6.1 and 6.3). So the head is looked
 * through once more, as it came.
 */
#include "gateway/gateway.h"

typedef struct framing {
    unsigned hosts, lengths, encodings;
    bool folded;
} framing_t;

/* `line` begins with the name and its colon; h2o lets no blank stand between them. Most are told by their
 * first letter. */
static bool is_named(str_t line, str_t name)
{
    return (line.at[0] | 0x20) == name.at[0] && line.length >= name.length &&
           strncasecmp(line.at, name.at, name.length) == 0;
}

static void look_at_line(framing_t *framing, str_t line)
{
    framing->folded = framing->folded || line.at[0] == ' ' || line.at[0] == '\t';
    framing->hosts += is_named(line, STR("host:"));
    framing->lengths += is_named(line, STR("content-length:"));
    framing->encodings += is_named(line, STR("transfer-encoding:"));
}

/* The lines between the first and the empty one; h2o has found them all to be there. */
static framing_t look_at_head(str_t head)
{
    framing_t framing = {0};
    const char *end = head.at + head.length, *line_end = memchr(head.at, '\n', head.length);
    while (line_end && line_end + 1 < end && line_end[1] != '\n' && line_end[1] != '\r') {
        const char *line = line_end + 1;
        line_end = memchr(line, '\n', (size_t)(end - line));
        look_at_line(&framing, (str_t){line, (size_t)((line_end ? line_end : end) - line)});
    }
    return framing;
}

const char *framing_broken(str_t head, int version)
{
    framing_t framing = look_at_head(head);
    if (framing.folded)
        return "A header goes on in a second line. Write each in one.";
    if (framing.hosts > 1 || (framing.hosts == 0 && version >= 0x101))
        return "The header Host must be there, once.";
    if (framing.lengths + framing.encodings > 1)
        return "How long the body is must be said once: by Content-Length or by Transfer-Encoding.";
    if (framing.encodings && version < 0x101)
        return "HTTP/1.0 has no Transfer-Encoding: send Content-Length.";
    return NULL;
}
