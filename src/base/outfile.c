/* SPDX-License-Identifier: MIT */
/* Writes files that replace others in one step. */
#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER_BYTES = 256 * 1024, ATTEMPTS = 100, TEMPORARY_BYTES = 32 };

/* The folder of a path, which is cut at the last slash: *cut, or NULL if there is none. */
static const char *cut_folder(char *path, char **cut)
{
    *cut = strrchr(path, '/');
    if (*cut == NULL) {
        return ".";
    }
    **cut = '\0';
    return *cut == path ? "/" : path;
}

/* Gives a file without a name its first one; fails if that exists. */
static bool give_name(int fd, const char *name)
{
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0;
}

/* Opens a file without a name, or returns -1 if it could not be given one later. This is tested with the name of its
 * folder, which exists, so that nothing is created: any error but EEXIST, as without /proc, means no. */
static int open_nameless(char *path)
{
    char *cut;
    const char *folder = cut_folder(path, &cut);
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    if (fd >= 0 && (give_name(fd, folder) || errno != EEXIST)) {
        close(fd);
        fd = -1;
    }
    if (cut != NULL) {
        *cut = '/';
    }
    return fd;
}

/* Makes a temporary name in the same folder, and thereby on the same file system. */
static void name_temporary(struct vgg_outfile *out, int attempt)
{
    snprintf(out->temporary, strlen(out->path) + TEMPORARY_BYTES, "%s.%d-%d.tmp", out->path,
             (int)getpid(), attempt);
}

/* Gives the file its name: directly, or by a rename over an existing file, which needs a temporary name. A process that
 * is killed in between leaves the complete new file under that name. */
static bool name_nameless(struct vgg_outfile *out)
{
    if (give_name(out->fd, out->path)) {
        return true;
    }
    bool named = false;
    for (int i = 0; i < ATTEMPTS && !named && errno == EEXIST; i++) {
        name_temporary(out, i);
        named = give_name(out->fd, out->temporary);
    }
    out->nameless = !named;
    return named && rename(out->temporary, out->path) == 0;
}

vgg_status vgg_outfile_open(const char *path, const struct vgg_allocator *allocator,
                            struct vgg_outfile *out, struct vgg_error *err)
{
    *out = (struct vgg_outfile){.path = path, .fd = -1, .allocator = allocator};
    out->buffer = vgg_mem_alloc(allocator, BUFFER_BYTES, 1);
    out->temporary = vgg_mem_alloc(allocator, strlen(path) + TEMPORARY_BYTES, 1);
    if (out->buffer == NULL || out->temporary == NULL) {
        vgg_outfile_abort(out);
        return vgg_fail_memory(err, path, BUFFER_BYTES, "writing");
    }
    name_temporary(out, 0);
    out->fd = open_nameless(out->temporary);
    out->nameless = out->fd >= 0;
    errno = EEXIST;
    for (int i = 0; i < ATTEMPTS && out->fd < 0 && errno == EEXIST; i++) {
        name_temporary(out, i);
        out->fd = open(out->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    if (out->fd < 0) {
        const int failure = errno;
        vgg_outfile_abort(out);
        return vgg_fail_errno(err, failure, "%s: cannot create", path);
    }
    return VGG_OK;
}

static void fail(struct vgg_outfile *out, int sys_errno)
{
    if (out->status == VGG_OK) {
        out->status = VGG_ERR_IO;
        out->sys_errno = sys_errno;
    }
}

static void write_at(struct vgg_outfile *out, uint64_t offset, const uint8_t *bytes, size_t count)
{
    while (count > 0 && out->status == VGG_OK) {
        ssize_t done = pwrite(out->fd, bytes, count, (off_t)offset);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            fail(out, done < 0 ? errno : ENOSPC);
            return;
        }
        bytes += done;
        offset += (uint64_t)done;
        count -= (size_t)done;
    }
}

static void flush(struct vgg_outfile *out)
{
    write_at(out, out->offset - out->used, out->buffer, out->used);
    out->used = 0;
}

void vgg_outfile_write(struct vgg_outfile *out, const void *bytes, size_t count)
{
    if (count > BUFFER_BYTES - out->used) {
        flush(out);
    }
    if (count > BUFFER_BYTES) {
        write_at(out, out->offset, bytes, count);
    } else if (count > 0) {
        memcpy(out->buffer + out->used, bytes, count);
        out->used += count;
    }
    out->offset += count;
}

void vgg_outfile_patch(struct vgg_outfile *out, uint64_t offset, const void *bytes, size_t count)
{
    flush(out);
    write_at(out, offset, bytes, count);
}

/* Syncs the new name to disk. If the folder cannot be opened or synced, that is not an error: the file itself is
 * safe. */
static void sync_folder(const struct vgg_outfile *out)
{
    char *cut; /* not needed any more */
    const char *folder = cut_folder(out->temporary, &cut);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

vgg_status vgg_outfile_commit(struct vgg_outfile *out, struct vgg_error *err)
{
    flush(out);
    if (out->status == VGG_OK && fsync(out->fd) != 0 && errno != EINVAL) {
        fail(out, errno);
    }
    if (out->status == VGG_OK &&
        !(out->nameless ? name_nameless(out) : rename(out->temporary, out->path) == 0)) {
        fail(out, errno);
    }
    vgg_status status = out->status;
    if (status != VGG_OK) {
        status = vgg_fail_errno(err, out->sys_errno, "%s: cannot write", out->path);
        vgg_outfile_abort(out);
        return status;
    }
    sync_folder(out);
    close(out->fd);
    vgg_mem_free(out->allocator, out->buffer);
    vgg_mem_free(out->allocator, out->temporary);
    *out = (struct vgg_outfile){.fd = -1};
    return VGG_OK;
}

void vgg_outfile_abort(struct vgg_outfile *out)
{
    if (out->temporary != NULL && out->fd >= 0) {
        if (!out->nameless) {
            unlink(out->temporary);
        }
        close(out->fd);
    }
    vgg_mem_free(out->allocator, out->buffer);
    vgg_mem_free(out->allocator, out->temporary);
    *out = (struct vgg_outfile){.fd = -1};
}
