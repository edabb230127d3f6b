/*
 * The web client's files: read once at the start, with what the build compressed beside them, and answered
 * from memory. Files under /assets carry a hash in their names and never change; all others are asked for
 * again each time (ETag).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/gateway.h"

#include "core/api.h"

enum { FILES_MOST = 4096, DEPTH_MOST = 8, ETAG_SIZE = 24 };

static const size_t bytes_most = 64 * 1024 * 1024;

typedef struct file {
    str_t path; /* "/assets/index-CeZ9.js" */
    str_t plain, brotli, gzip;
    const char *type;
    char etag[ETAG_SIZE]; /* with its quotation marks */
    bool immutable;
} file_t;

struct files {
    arena_t *arena;
    file_t *files;
    size_t count, bytes;
};

static const char security_policy[] =
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src "
    "'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

static bool ends_with(str_t text, str_t end)
{
    return text.length >= end.length && memcmp(text.at + text.length - end.length, end.at, end.length) == 0;
}

static bool begins_with(str_t text, str_t beginning)
{
    return text.length >= beginning.length && memcmp(text.at, beginning.at, beginning.length) == 0;
}

static const char *type_of(str_t path)
{
    static const struct {
        str_t ending;
        const char *type;
    } types[] = {
        {{".html", 5}, "text/html; charset=utf-8"},
        {{".js", 3}, "text/javascript; charset=utf-8"},
        {{".css", 4}, "text/css; charset=utf-8"},
        {{".json", 5}, "application/json"},
        {{".webmanifest", 12}, "application/manifest+json"},
        {{".svg", 4}, "image/svg+xml"},
        {{".png", 4}, "image/png"},
        {{".ico", 4}, "image/x-icon"},
        {{".webp", 5}, "image/webp"},
        {{".woff2", 6}, "font/woff2"},
        {{".txt", 4}, "text/plain; charset=utf-8"},
    };
    for (size_t place = 0; place < COUNT_OF(types); place++)
        if (ends_with(path, types[place].ending))
            return types[place].type;
    return "application/octet-stream";
}

/* ---- loading ---- */

static bool read_whole(files_t *files, const char *name, size_t size, str_t *content)
{
    int file = open(name, O_RDONLY | O_CLOEXEC);
    char *memory = arena_alloc(files->arena, size + 1);
    size_t length = 0;
    ssize_t got = 0;
    while (file >= 0 && length < size && (got = read(file, memory + length, size - length)) > 0)
        length += (size_t)got;
    if (file >= 0)
        close(file);
    memory[length] = '\0';
    *content = (str_t){memory, length};
    files->bytes += length;
    return file >= 0 && length == size;
}

static void name_version(file_t *file)
{
    hash_t hash = hash_of(file->plain);
    file->etag[0] = '"';
    for (size_t place = 0; place < 10; place++)
        snprintf(file->etag + 1 + 2 * place, 3, "%02x", hash.bytes[place]);
    memcpy(file->etag + 21, "\"", 2);
}

static void load_file(files_t *files, const char *name, str_t path, size_t size)
{
    if (files->count == FILES_MOST || files->bytes + size > bytes_most) {
        logline(LINE_WARNING, "web_file_left_out", "file", path.at, "reason", "the web client is too large",
                NULL);
        return;
    }
    file_t *file = &files->files[files->count];
    *file = (file_t){.path = path, .type = type_of(path), .immutable = begins_with(path, STR("/assets/"))};
    if (!read_whole(files, name, size, &file->plain)) {
        logline(LINE_WARNING, "web_file_left_out", "file", path.at, "reason", "it cannot be read", NULL);
        return;
    }
    name_version(file);
    files->count++;
}

static void load_folder(files_t *files, const char *folder, str_t path, int depth)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    while (directory && (entry = readdir(directory)) != NULL) {
        struct stat status;
        if (entry->d_name[0] == '.')
            continue;
        str_t name = arena_printf(files->arena, "%s/%s", folder, entry->d_name);
        str_t below = arena_printf(files->arena, "%s/%s", path.at, entry->d_name);
        if (stat(name.at, &status) != 0)
            continue;
        if (S_ISDIR(status.st_mode) && depth < DEPTH_MOST)
            load_folder(files, name.at, below, depth + 1);
        else if (S_ISREG(status.st_mode))
            load_file(files, name.at, below, (size_t)status.st_size);
    }
    if (directory)
        closedir(directory);
}

static int by_path(const void *left, const void *right)
{
    return strcmp(((const file_t *)left)->path.at, ((const file_t *)right)->path.at);
}

static file_t *find(const files_t *files, str_t path)
{
    file_t wanted = {.path = path};
    return files->count ? bsearch(&wanted, files->files, files->count, sizeof wanted, by_path) : NULL;
}

/* "/x.js.br" is a form of "/x.js", when that is there. */
static void pair_up(files_t *files)
{
    for (size_t place = 0; place < files->count; place++) {
        file_t *packed = &files->files[place];
        bool brotli = ends_with(packed->path, STR(".br"));
        if (!brotli && !ends_with(packed->path, STR(".gz")))
            continue;
        file_t *plain =
            find(files, arena_str(files->arena, (str_t){packed->path.at, packed->path.length - 3}));
        if (plain)
            *(brotli ? &plain->brotli : &plain->gzip) = packed->plain;
    }
}

static str_t folder_beside_program(arena_t *arena)
{
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    while (length > 0 && program[length - 1] != '/')
        length--;
    return length > 0 ? arena_printf(arena, "%.*sweb", (int)length, program) : STR("web");
}

/* The one beside the program may not be built; one that is named has to be there. */
static bool is_acceptable(const files_t *files, str_t folder, bool named, arena_t *arena, str_t *error)
{
    if (find(files, STR("/index.html")))
        return true;
    if (named)
        *error = arena_printf(arena,
                              "gateway.web_root: %s holds no index.html. Name the folder of the built web "
                              "client, or leave the option empty for the one beside the program.",
                              folder.at);
    else
        logline(LINE_WARNING, "no_web_client", "folder", folder.at, "remedy",
                "build it (make), or name its folder with gateway.web_root", NULL);
    return !named;
}

files_t *files_load(str_t web_root, arena_t *arena, str_t *error)
{
    arena_t *own = arena_new();
    files_t *files = arena_new_of(own, files_t);
    files->arena = own;
    files->files = arena_array_of(own, file_t, FILES_MOST);
    str_t folder = web_root.length ? web_root : folder_beside_program(own);
    load_folder(files, folder.at, STR(""), 0);
    qsort(files->files, files->count, sizeof *files->files, by_path);
    pair_up(files);
    if (is_acceptable(files, folder, web_root.length > 0, arena, error))
        return files;
    files_free(files);
    return NULL;
}

void files_free(files_t *files)
{
    if (files)
        arena_free(files->arena);
}

/* ---- answering ---- */

/* "gzip;q=0.00" says that it is not wanted. */
static bool is_wanted(str_t item)
{
    const char *end = item.at + item.length, *weight = memmem(item.at, item.length, "q=", 2);
    for (const char *at = weight; at && at < end; at++)
        if (*at >= '1' && *at <= '9')
            return true;
    return weight == NULL;
}

/* Whether a list such as "gzip, br;q=0.5" takes this coding. */
static bool accepts(str_t list, str_t coding)
{
    for (size_t from = 0; from < list.length;) {
        const char *comma = memchr(list.at + from, ',', list.length - from);
        size_t to = comma ? (size_t)(comma - list.at) : list.length;
        while (from < to && list.at[from] == ' ')
            from++;
        str_t item = {list.at + from, to - from};
        if (begins_with(item, coding) &&
            (item.length == coding.length || item.at[coding.length] == ';' || item.at[coding.length] == ' '))
            return is_wanted(item);
        from = to + 1;
    }
    return false;
}

static str_t header_of(const exchange_t *exchange, const h2o_token_t *token)
{
    ssize_t place = h2o_find_header(&exchange->h2o->headers, token, -1);
    if (place < 0)
        return STR_NONE;
    h2o_iovec_t value = exchange->h2o->headers.entries[place].value;
    return (str_t){value.base, value.len};
}

/* The smallest form that the client takes. */
static str_t choose(exchange_t *exchange, const file_t *file, const char **coding)
{
    str_t accepted = header_of(exchange, H2O_TOKEN_ACCEPT_ENCODING);
    *coding = "br";
    if (file->brotli.length && accepts(accepted, STR("br")))
        return file->brotli;
    *coding = "gzip";
    if (file->gzip.length && accepts(accepted, STR("gzip")))
        return file->gzip;
    *coding = NULL;
    return file->plain;
}

static void add_page_headers(exchange_t *exchange)
{
    answer_header(exchange, &HEADER_SECURITY_POLICY, STR(security_policy));
    answer_header(exchange, &HEADER_OPENER_POLICY, STR("same-origin"));
    answer_header(exchange, &HEADER_FRAME_OPTIONS, STR("DENY"));
}

static bool is_known(const exchange_t *exchange, const file_t *file)
{
    str_t known = exchange->req->if_none_match;
    return str_equal(known, STR("*")) ||
           (known.length && memmem(known.at, known.length, file->etag, strlen(file->etag)) != NULL);
}

static void answer_file(exchange_t *exchange, const file_t *file)
{
    const char *coding;
    str_t content = choose(exchange, file, &coding);
    bool known = is_known(exchange, file);
    answer_headers_begin(exchange, known ? 304 : 200, known ? 0 : content.length);
    answer_header(exchange, &H2O_TOKEN_CONTENT_TYPE->buf, str_from(file->type));
    answer_header(exchange, &H2O_TOKEN_CACHE_CONTROL->buf,
                  file->immutable ? STR("public, max-age=31536000, immutable") : STR("no-cache"));
    answer_header(exchange, &H2O_TOKEN_ETAG->buf, str_from(file->etag));
    answer_header(exchange, &H2O_TOKEN_VARY->buf, STR("accept-encoding"));
    if (coding && !known)
        answer_header(exchange, &H2O_TOKEN_CONTENT_ENCODING->buf, str_from(coding));
    add_page_headers(exchange);
    exchange->h2o->compress_hint = H2O_COMPRESS_HINT_DISABLE;
    answer_body(exchange, known ? STR("") : content);
}

static void answer_without_client(exchange_t *exchange)
{
    str_t text = STR(
        "The web client is not built here. Build it with `make`, or name its folder with gateway.web_root.\n"
        "The API is at /api/v1, its description at /openapi.json.\n");
    answer_headers_begin(exchange, 200, text.length);
    answer_header(exchange, &H2O_TOKEN_CONTENT_TYPE->buf, STR("text/plain; charset=utf-8"));
    answer_header(exchange, &H2O_TOKEN_CACHE_CONTROL->buf, STR("no-store"));
    add_page_headers(exchange);
    answer_body(exchange, text);
}

/* What is not one of the client's own routes: where it has no such file, there is nothing. */
static bool looks_like_file(str_t path)
{
    if (begins_with(path, STR("/assets/")) || begins_with(path, STR("/.well-known/")))
        return true;
    const char *slash = memrchr(path.at, '/', path.length);
    return slash && memchr(slash, '.', (size_t)(path.at + path.length - slash)) != NULL;
}

/* The client's own routes ("/boards/town") are all its index page. */
void files_answer(exchange_t *exchange, str_t path)
{
    const files_t *files = exchange->thread->gateway->files;
    arena_t *arena = exchange->req->arena;
    file_t *file = find(files, path);
    if (file == NULL && !looks_like_file(path)) {
        bool slash = ends_with(path, STR("/"));
        file = find(files, arena_printf(arena, "%s%sindex.html", path.at, slash ? "" : "/"));
        if (file == NULL)
            file = find(files, STR("/index.html"));
    }
    if (file)
        answer_file(exchange, file);
    else if (looks_like_file(path))
        answer_problem_with(exchange, &NO_SUCH_PATH, "The web client has no such file.");
    else
        answer_without_client(exchange);
}
