/*
 * The folder of keys. A file appears in it whole or not at all (written beside, synced, renamed), and only
 * its owner can read it. Whoever changes or reads the folder holds its lock, so two processes that start at
 * once make one key.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/crypto/crypto.h"
#include "core/crypto/keys.h"
#include "core/runtime/panic.h"

enum { SECRET_SIZE = 32, FILE_NAME_MAX = KID_LENGTH + 8 };

static const char *const CANNOT_READ =
    "A file in keys/ of the data folder cannot be read; make the user that runs this program its owner.";
static const char *const CANNOT_WRITE = "No file can be written to keys/ in the data folder; see that the "
                                        "disk has room, and that the user who runs this "
                                        "program owns the folder.";
static const char *const EXPOSED = "Others than the owner can read keys/ in the data folder or a file in it; "
                                   "run: chmod -R go= keys (in that folder)";

/* ---- the folder ---- */

static bool is_exposed(int file)
{
    struct stat status;

    return fstat(file, &status) != 0 || (status.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

int keys_folder_open(str_t data, const char **error)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%.*s/keys", STR_ARGS(data));

    if (length < 0 || (size_t)length >= sizeof path) {
        *error = "The path of the data folder is too long.";
        return -1;
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        *error = CANNOT_WRITE;
        return -1;
    }
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || flock(folder, LOCK_EX) != 0) {
        *error = CANNOT_READ;
        keys_folder_close(folder);
        return -1;
    }
    return folder;
}

void keys_folder_close(int folder)
{
    if (folder >= 0)
        close(folder); /* gives the lock back */
}

/* ---- files ---- */

static bool write_all(int file, str_t content)
{
    while (content.length > 0) {
        ssize_t written = write(file, content.at, content.length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        content = (str_t){content.at + written, content.length - (size_t)written};
    }
    return fsync(file) == 0;
}

static bool file_write(int folder, const char *name, str_t content)
{
    static const char *const beside = ".new";

    unlinkat(folder, beside, 0); /* what a crash may have left; the lock is ours */
    int file = openat(folder, beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0)
        return false;
    bool written = write_all(file, content);
    written = close(file) == 0 && written;
    return written && renameat(folder, beside, folder, name) == 0 && fsync(folder) == 0;
}

typedef enum found { FOUND, MISSING, UNUSABLE } found_t;

/* Reads a whole file of at most `room` bytes. */
static found_t file_read(int folder, const char *name, char *out, size_t room, size_t *size,
                         const char **error)
{
    int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    *size = 0;
    if (file < 0) {
        *error = CANNOT_READ;
        return errno == ENOENT ? MISSING : UNUSABLE;
    }
    ssize_t got = 1;
    while (got > 0 && *size < room) {
        got = read(file, out + *size, room - *size);
        if (got > 0)
            *size += (size_t)got;
        else if (got < 0 && errno == EINTR)
            got = 1;
    }
    *error = is_exposed(file) ? EXPOSED : got < 0 ? CANNOT_READ : NULL;
    close(file);
    return *error ? UNUSABLE : FOUND;
}

bool key_write(int folder, const signing_key_t *key, const char **error)
{
    char name[FILE_NAME_MAX];

    snprintf(name, sizeof name, "%.*s.pem", KID_LENGTH, key->kid);
    if (file_write(folder, name, (str_t){key->private_pem, key->private_length}))
        return true;
    *error = CANNOT_WRITE;
    return false;
}

bool secret_read(int folder, uint8_t secret[32], const char **error)
{
    char bytes[SECRET_SIZE + 1];
    size_t size;
    found_t found = file_read(folder, "secret", bytes, sizeof bytes, &size, error);

    if (found == MISSING) {
        random_bytes(bytes, SECRET_SIZE);
        size = SECRET_SIZE;
        *error = CANNOT_WRITE;
        found = file_write(folder, "secret", (str_t){bytes, SECRET_SIZE}) ? FOUND : UNUSABLE;
    } else if (found == FOUND && size != SECRET_SIZE) {
        *error = "keys/secret in the data folder is damaged; restore it from a backup, or delete it: a new "
                 "one is made.";
        found = UNUSABLE;
    }
    if (found == FOUND)
        memcpy(secret, bytes, SECRET_SIZE);
    sodium_memzero(bytes, sizeof bytes);
    return found == FOUND;
}

/* ---- the set ---- */

key_set_t *key_set_new(size_t count)
{
    key_set_t *set = memory_new(sizeof *set + count * sizeof(signing_key_t));

    atomic_init(&set->holders, 1);
    set->count = count;
    return set;
}

static int by_name(const void *left, const void *right)
{
    return memcmp(left, right, KID_LENGTH);
}

/* The kids of the files "<kid>.pem", sorted; other files are nobody's business. Returns how many, or -1 with
 * *error. */
static int kids_list(int folder, char kids[KEYS_MAX][KID_LENGTH + 1], const char **error)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = copy >= 0 ? fdopendir(copy) : NULL;
    int count = 0;

    *error = CANNOT_READ;
    if (!listing) {
        if (copy >= 0)
            close(copy);
        return -1;
    }
    for (struct dirent *entry; count >= 0 && (entry = readdir(listing));) {
        str_t name = str_from(entry->d_name);
        if (name.length != KID_LENGTH + 4 || memcmp(name.at + KID_LENGTH, ".pem", 4) != 0 ||
            !kid_is_valid((str_t){name.at, KID_LENGTH}))
            continue;
        if (count == KEYS_MAX) {
            *error = "There are more than 64 keys in keys/ of the data folder; delete the oldest.";
            count = -1;
        } else {
            memcpy(kids[count], name.at, KID_LENGTH);
            kids[count++][KID_LENGTH] = '\0';
        }
    }
    closedir(listing);
    if (count > 0)
        qsort(kids, (size_t)count, sizeof kids[0], by_name);
    return count;
}

static bool key_load(int folder, const char *kid, signing_key_t *key, const char **error)
{
    char name[FILE_NAME_MAX], pem[2 * PEM_MAX];
    size_t size;

    snprintf(name, sizeof name, "%.*s.pem", KID_LENGTH, kid);
    bool loaded = file_read(folder, name, pem, sizeof pem, &size, error) == FOUND &&
                  key_read(key, str_from(kid), (str_t){pem, size}, error);
    sodium_memzero(pem, sizeof pem);
    return loaded;
}

key_set_t *key_set_read(int folder, const char **error)
{
    char kids[KEYS_MAX][KID_LENGTH + 1];

    if (is_exposed(folder)) {
        *error = EXPOSED;
        return NULL;
    }
    int count = kids_list(folder, kids, error);
    if (count < 0)
        return NULL;
    key_set_t *set = key_set_new((size_t)count);
    for (int i = 0; i < count; i++) {
        if (!key_load(folder, kids[i], &set->keys[i], error)) {
            keys_give(set);
            return NULL;
        }
    }
    return set;
}
