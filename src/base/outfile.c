/* SPDX-License-Identifier: MIT */
/* Writes files that replace others in one step. */
#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/target.h"

enum { BUFFER_BYTES = 256 * 1024, ATTEMPTS = 100, TEMPORARY_BYTES = 32 };

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
    const char *folder = vgg_target_cut_folder(path, &cut);
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
    snprintf(out->temporary, strlen(out->target) + TEMPORARY_BYTES, "%s.%d-%d.tmp", out->target,
             (int)getpid(), attempt);
}

/* Gives the file its name: directly, or by a rename over an existing file, which needs a temporary name. A process that
 * is killed in between leaves the complete new file under that name. */
static bool name_nameless(struct vgg_outfile *out)
{
    if (give_name(out->fd, out->target)) {
        return true;
    }
    bool named = false;
    for (int i = 0; i < ATTEMPTS && !named && errno == EEXIST; i++) {
        name_temporary(out, i);
        named = give_name(out->fd, out->temporary);
    }
    out->nameless = !named;
    return named && rename(out->temporary, out->target) == 0;
}

/* Creates the temporary file; false, and errno, if that is impossible. */
static bool create(struct vgg_outfile *out)
{
    name_temporary(out, 0);
    out->fd = open_nameless(out->temporary);
    out->nameless = out->fd >= 0;
    errno = EEXIST;
    for (int i = 0; i < ATTEMPTS && out->fd < 0 && errno == EEXIST; i++) {
        name_temporary(out, i);
        out->fd = open(out->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    out->seekable = true;
    return out->fd >= 0;
}

/* Gives the new file the owner and the permissions of the one that it replaces. The owner only if the process may; the
 * permissions last, because a new owner takes some away. */
static bool keep_mode(int fd, const struct stat *old)
{
    struct stat new;
    if (fstat(fd, &new) == 0 && (new.st_uid != old->st_uid || new.st_gid != old->st_gid) &&
        fchown(fd, old->st_uid, old->st_gid) != 0) {
        (void)fchown(fd, (uid_t)-1, old->st_gid);
    }
    return fchmod(fd, old->st_mode & 0777) == 0;
}

/* Opens what is written in place. Writing no bytes at an offset shows whether it can be written there. */
static bool open_in_place(struct vgg_outfile *out, const struct vgg_target *target)
{
    vgg_mem_free(out->allocator, out->temporary);
    out->temporary = NULL;
    out->fd = target->kind == VGG_TARGET_DESCRIPTOR
                  ? fcntl(target->descriptor, F_DUPFD_CLOEXEC, 0)
                  : open(target->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    const int flags = out->fd >= 0 ? fcntl(out->fd, F_GETFL) : 0;
    out->seekable = out->fd >= 0 && (flags & O_APPEND) == 0 && lseek(out->fd, 0, SEEK_CUR) == 0 &&
                    (pwrite(out->fd, "", 0, 0) == 0 || errno != ESPIPE);
    if (out->fd >= 0 && (flags & O_ACCMODE) == O_RDONLY) {
        errno = EBADF;
        return false;
    }
    return out->fd >= 0;
}

static vgg_status open_target(struct vgg_outfile *out, const struct vgg_target *target,
                              enum vgg_outfile_access access, struct vgg_error *err)
{
    const bool replaced = target->kind == VGG_TARGET_ABSENT || target->kind == VGG_TARGET_FILE;
    out->target = target->path;
    out->buffer = vgg_mem_alloc(out->allocator, BUFFER_BYTES, 1);
    out->temporary = vgg_mem_alloc(out->allocator, strlen(out->target) + TEMPORARY_BYTES, 1);
    if (out->buffer == NULL || out->temporary == NULL) {
        return vgg_fail_memory(err, out->path, BUFFER_BYTES, "writing");
    }
    if (!(replaced ? create(out) : open_in_place(out, target)) ||
        (target->kind == VGG_TARGET_FILE && !keep_mode(out->fd, &target->info))) {
        return vgg_fail_errno(err, errno, "%s: cannot create", out->path);
    }
    if (access == VGG_OUTFILE_PATCH && !out->seekable) {
        return vgg_fail(
            err, VGG_ERR_IO,
            "%s: expected a file, found a pipe or device: its beginning is written last",
            out->path);
    }
    return VGG_OK;
}

vgg_status vgg_outfile_open(const char *path, enum vgg_outfile_access access,
                            const struct vgg_allocator *allocator, struct vgg_outfile *out,
                            struct vgg_error *err)
{
    struct vgg_target target;
    *out = (struct vgg_outfile){.path = path, .fd = -1, .allocator = allocator};
    vgg_status status = vgg_target_find(path, allocator, &target, err);
    if (status == VGG_OK) {
        status = open_target(out, &target, access, err);
    }
    if (status != VGG_OK) {
        vgg_outfile_abort(out);
    }
    return status;
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
        ssize_t done = out->seekable ? pwrite(out->fd, bytes, count, (off_t)offset)
                                     : write(out->fd, bytes, count);
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
    const char *folder = vgg_target_cut_folder(out->temporary, &cut);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

vgg_status vgg_outfile_sync(struct vgg_outfile *out, struct vgg_error *err)
{
    flush(out);
    if (out->status == VGG_OK && out->temporary != NULL && fsync(out->fd) != 0 && errno != EINVAL) {
        fail(out, errno);
    }
    return out->status == VGG_OK
               ? VGG_OK
               : vgg_fail_errno(err, out->sys_errno, "%s: cannot write", out->path);
}

/* Frees what the struct owns; the file is given its name or removed. */
static void release(struct vgg_outfile *out)
{
    if (out->fd >= 0) {
        close(out->fd);
    }
    vgg_mem_free(out->allocator, out->buffer);
    vgg_mem_free(out->allocator, out->temporary);
    vgg_mem_free(out->allocator, out->target);
    *out = (struct vgg_outfile){.fd = -1};
}

vgg_status vgg_outfile_commit(struct vgg_outfile *out, struct vgg_error *err)
{
    vgg_status status = vgg_outfile_sync(out, err);
    const bool in_place = out->temporary == NULL;
    if (status == VGG_OK && !in_place &&
        !(out->nameless ? name_nameless(out) : rename(out->temporary, out->target) == 0)) {
        status = vgg_fail_errno(err, errno, "%s: cannot write", out->path);
    }
    if (status != VGG_OK) {
        vgg_outfile_abort(out);
        return status;
    }
    if (!in_place) {
        sync_folder(out);
    }
    release(out);
    return VGG_OK;
}

void vgg_outfile_abort(struct vgg_outfile *out)
{
    if (out->temporary != NULL && out->fd >= 0 && !out->nameless) {
        unlink(out->temporary);
    }
    release(out);
}
