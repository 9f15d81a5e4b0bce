/* SPDX-License-Identifier: MIT */
/* Find out what stands at the path of an output, before anything is written there. */
#include "base/target.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { MAX_LINKS = 40 }; /* as in the kernel */

const char *vgg_target_cut_folder(char *path, char **cut)
{
    *cut = strrchr(path, '/');
    if (*cut == NULL) {
        return ".";
    }
    **cut = '\0';
    return *cut == path ? "/" : path;
}

static char *copy(const char *text, size_t length, const struct vgg_allocator *allocator)
{
    char *copied = vgg_mem_alloc(allocator, length + 1, 1);
    if (copied != NULL) {
        memcpy(copied, text, length);
        copied[length] = '\0';
    }
    return copied;
}

/* The path that a link's text stands for: relative to the link's folder. */
static char *join_link(const char *path, const char *text, const struct vgg_allocator *allocator)
{
    const char *slash = strrchr(path, '/');
    const size_t folder = text[0] == '/' || slash == NULL ? 0 : (size_t)(slash + 1 - path);
    const size_t length = strlen(text);
    char *joined = vgg_mem_alloc(allocator, folder + length + 1, 1);
    if (joined != NULL) {
        memcpy(joined, path, folder);
        memcpy(joined + folder, text, length + 1);
    }
    return joined;
}

/* The number of an open file that a path in /proc/self/fd stands for, or -1. The text of such a link is no path. */
static int find_descriptor(char *path)
{
    struct statfs system;
    char *end, *cut;
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    const long number = strtol(name, &end, 10);
    if (!isdigit((unsigned char)name[0]) || *end != '\0' || number > INT_MAX) {
        return -1;
    }
    const char *folder = vgg_target_cut_folder(path, &cut);
    const bool in_proc = statfs(folder, &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
    if (cut != NULL) {
        *cut = '/';
    }
    return in_proc ? (int)number : -1;
}

/* Follows links until the path is none, or is that of an open file.
 *   out  its path is replaced */
static vgg_status follow(const char *shown, const struct vgg_allocator *allocator,
                         struct vgg_target *out, struct vgg_error *err)
{
    char text[PATH_MAX];
    for (int i = 0; i < MAX_LINKS; i++) {
        const ssize_t length = readlink(out->path, text, sizeof text - 1);
        if (length < 0) {
            return VGG_OK; /* no link, or nothing: stat knows */
        }
        out->descriptor = find_descriptor(out->path);
        if (out->descriptor >= 0) {
            out->kind = VGG_TARGET_DESCRIPTOR;
            return VGG_OK;
        }
        text[length] = '\0';
        char *next = join_link(out->path, text, allocator);
        if (next == NULL) {
            return vgg_fail_memory(err, shown, (size_t)length, "a path");
        }
        vgg_mem_free(allocator, out->path);
        out->path = next;
    }
    return vgg_fail_errno(err, ELOOP, "%s: cannot create", shown);
}

/* Decides by what stat finds. */
static vgg_status classify(const char *shown, struct vgg_target *out, struct vgg_error *err)
{
    if (stat(out->path, &out->info) != 0) {
        out->kind = VGG_TARGET_ABSENT;
        return errno == ENOENT ? VGG_OK : vgg_fail_errno(err, errno, "%s: cannot create", shown);
    }
    const mode_t mode = out->info.st_mode;
    if (S_ISFIFO(mode) || S_ISCHR(mode)) {
        out->kind = VGG_TARGET_STREAM;
        return VGG_OK;
    }
    if (!S_ISREG(mode)) {
        return vgg_fail(err, VGG_ERR_IO, "%s: expected a file to write, found a %s", shown,
                        S_ISDIR(mode)   ? "folder"
                        : S_ISBLK(mode) ? "block device"
                                        : "socket");
    }
    out->kind = VGG_TARGET_FILE;
    /* A rename would replace a file that its owner has protected. */
    return access(out->path, W_OK) == 0 ? VGG_OK
                                        : vgg_fail_errno(err, errno, "%s: cannot create", shown);
}

vgg_status vgg_target_find(const char *path, const struct vgg_allocator *allocator,
                           struct vgg_target *out, struct vgg_error *err)
{
    *out = (struct vgg_target){.descriptor = -1, .path = copy(path, strlen(path), allocator)};
    if (out->path == NULL) {
        return vgg_fail_memory(err, path, strlen(path), "a path");
    }
    vgg_status status = follow(path, allocator, out, err);
    if (status == VGG_OK && out->kind != VGG_TARGET_DESCRIPTOR) {
        status = classify(path, out, err);
    }
    if (status != VGG_OK) {
        vgg_mem_free(allocator, out->path);
        out->path = NULL;
    }
    return status;
}
