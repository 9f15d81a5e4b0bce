/* SPDX-License-Identifier: MIT */
/* Kinds of files by their content, and the path of the bundled checkpoint. */
#include "io/files.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/message.h"

#define BUNDLED_NAME "fashion_vgg8_bn.pth"

static bool begins_with(const unsigned char *start, size_t length, const char *magic, size_t bytes)
{
    return length >= bytes && memcmp(start, magic, bytes) == 0;
}

enum file_kind file_sniff(const char *path)
{
    unsigned char start[16];
    struct stat info;
    if (strcmp(path, "-") == 0) {
        return FILE_STREAM;
    }
    if (stat(path, &info) != 0) {
        return FILE_ABSENT;
    }
    if (S_ISDIR(info.st_mode)) {
        return FILE_FOLDER;
    }
    if (!S_ISREG(info.st_mode)) {
        return S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode) ? FILE_STREAM : FILE_OTHER;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return FILE_ABSENT;
    }
    ssize_t got = read(fd, start, sizeof start);
    close(fd);
    if (got < 0) {
        return FILE_ABSENT;
    }
    const size_t length = (size_t)got;
    if (begins_with(start, length, "\xff\xd8\xff", 3) ||
        begins_with(start, length, "\x89PNG\r\n\x1a\n", 8)) {
        return FILE_IMAGE;
    }
    if (begins_with(start, length, "\x93NUMPY", 6)) {
        return FILE_ARRAY;
    }
    /* The legacy stream begins with the pickled number 0x1950a86a20f9469cfc6c. */
    if (begins_with(start, length, "PK\x03\x04", 4) ||
        begins_with(start, length, "\x89VGG\r\n\x1a\n", 8) ||
        begins_with(start, length, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19",
                    14)) {
        return FILE_CHECKPOINT;
    }
    return FILE_OTHER;
}

vgg_status file_check_checkpoint(const char *path, struct vgg_error *err)
{
    const enum file_kind kind = file_sniff(path);
    return kind == FILE_IMAGE || kind == FILE_ARRAY
               ? message_fail(err, VGG_ERR_FORMAT, "%s: expected a checkpoint, got an %s", path,
                              kind == FILE_IMAGE ? "image" : "array")
               : VGG_OK;
}

bool file_is_named_checkpoint(const char *path)
{
    static const char *const extensions[] = {".pth", ".pt",          ".ckpt", ".pkl",
                                             ".bin", ".safetensors", ".tar",  ".vgg"};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < sizeof extensions / sizeof extensions[0]; i++) {
        if (strcasecmp(dot, extensions[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether folder + suffix + the file's name can be read; path receives it. */
static bool try_folder(const char *folder, const char *suffix, char *path, size_t bytes)
{
    int length = snprintf(path, bytes, "%s%s/%s", folder, suffix, BUNDLED_NAME);
    return length > 0 && (size_t)length < bytes && access(path, R_OK) == 0;
}

bool file_find_bundled(char *path, size_t bytes)
{
    const char *folder = getenv("VGG_MODELS");
    if (folder != NULL && folder[0] != '\0') {
        return try_folder(folder, "", path, bytes);
    }
    char program[PATH_MAX], found[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length > 0) {
        program[length] = '\0';
        folder = dirname(program);
        if (try_folder(folder, "/../models", found, sizeof found) ||
            try_folder(folder, "/../share/vgg-infer/models", found, sizeof found)) {
            char *whole = realpath(found, NULL);
            snprintf(path, bytes, "%s", whole != NULL ? whole : found);
            free(whole);
            return true;
        }
    }
    return try_folder(VGG_MODELS_DIR, "", path, bytes);
}
