/* The data directory: made when it is missing, locked by the server that serves it, and the id of this node.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/program.h"

#include "core/crypto/crypto.h"
#include "core/runtime/logline.h"

/* Makes each missing folder of the path, the last one for its owner alone. */
static bool make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool good = mkdir(path, 0755) == 0 || errno == EEXIST;
        *slash = '/';
        if (!good)
            return false;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static bool refuse_directory(invocation_t *invocation, const char *path, str_t *error)
{
    *error = arena_printf(
        invocation->arena,
        "The data directory %s cannot be used: %s. Choose another with --data, or make it writable for "
        "this user.",
        path, strerror(errno));
    return false;
}

/* Absolute, a directory, and this user may read and write it; false with errno. */
static bool is_usable(const char *path, char absolute[PATH_MAX])
{
    struct stat status;
    if (!realpath(path, absolute) || stat(absolute, &status) != 0)
        return false;
    if (!S_ISDIR(status.st_mode)) {
        errno = ENOTDIR;
        return false;
    }
    return access(absolute, R_OK | W_OK | X_OK) == 0;
}

bool data_directory_open(invocation_t *invocation, bool make, str_t *error)
{
    char path[PATH_MAX], absolute[PATH_MAX];
    if (invocation->data.length >= sizeof path - 64) {
        *error = STR("The name of the data directory is too long.");
        return false;
    }
    memcpy(path, invocation->data.at, invocation->data.length + 1);
    if ((!make || make_folders(path)) && is_usable(path, absolute)) {
        invocation->data = arena_str(invocation->arena, str_from(absolute));
        return true;
    }
    if (make || errno != ENOENT)
        return refuse_directory(invocation, path, error);
    *error =
        arena_printf(invocation->arena,
                     "There is no data directory %s. Name the one you mean with --data; `folkmoot serve` "
                     "makes a new one.",
                     path);
    return false;
}

static void write_process_id(int file)
{
    char text[24];
    int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(file, 0) != 0 || write(file, text, (size_t)length) != length)
        logline(LINE_WARNING, "lock_not_signed", "reason", strerror(errno), NULL);
}

int data_directory_lock(str_t data, arena_t *arena, bool *held, str_t *error)
{
    const char *path = arena_printf(arena, "%s/lock", data.at).at;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    *held = false;
    if (file < 0) {
        *error = arena_printf(arena, "%s cannot be opened: %s.", path, strerror(errno));
        return -1;
    }
    if (flock(file, LOCK_EX | LOCK_NB) == 0) {
        write_process_id(file);
        return file;
    }
    char other[24] = "";
    ssize_t length = read(file, other, sizeof other - 1);
    other[length > 0 ? strcspn(other, "\n") : 0] = '\0';
    *held = true;
    *error = arena_printf(
        arena,
        "The data directory %s is served by another process already (%s). Stop that one, or choose "
        "another directory with --data.",
        data.at, other[0] ? other : "its number is not known");
    close(file);
    return -1;
}

static bool node_valid(const char *node)
{
    return strlen(node) == 16 && strspn(node, "0123456789abcdef") == 16;
}

/* Written under another name first: a crash leaves no half of it. */
static bool node_make(str_t data, const char *path, char node[17], arena_t *arena)
{
    uint8_t bytes[8];
    const char *draft = arena_printf(arena, "%s/node.%ld", data.at, (long)getpid()).at;
    random_bytes(bytes, sizeof bytes);
    for (size_t place = 0; place < sizeof bytes; place++)
        snprintf(node + 2 * place, 3, "%02x", bytes[place]);
    int file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        return false;
    bool good = write(file, node, 16) == 16 && write(file, "\n", 1) == 1 && fsync(file) == 0;
    close(file);
    if (good && link(draft, path) != 0 && errno != EEXIST)
        good = false;
    unlink(draft);
    return good;
}

static bool node_read(const char *path, char node[17])
{
    char text[18] = "";
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    text[strcspn(text, "\n")] = '\0';
    memcpy(node, text, 17);
    node[16] = '\0';
    return true;
}

bool data_directory_node(str_t data, char node[17], arena_t *arena, str_t *error)
{
    const char *path = arena_printf(arena, "%s/node", data.at).at;
    if (!node_read(path, node) &&
        (errno != ENOENT || !node_make(data, path, node, arena) || !node_read(path, node))) {
        *error = arena_printf(arena, "%s, the id of this node, cannot be read or made: %s.", path,
                              strerror(errno));
        return false;
    }
    if (!node_valid(node)) {
        *error = arena_printf(
            arena,
            "%s must hold the 16 hexadecimal digits that name this node. Restore it from a backup: "
            "what was written before carries it.",
            path);
        return false;
    }
    return true;
}
