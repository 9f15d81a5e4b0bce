/* SPDX-License-Identifier: MIT */
/* Mapping and reading files. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static const uint8_t no_bytes[1];

vgg_status vgg_file_map(const char *path, uint64_t max_bytes, struct vgg_file *out,
                        struct vgg_error *err)
{
    vgg_status status = VGG_OK;
    struct stat info;
    /* O_NONBLOCK: opening a FIFO must not wait for a writer before it is refused. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return vgg_fail_errno(err, errno, "%s: cannot open", path);
    }
    if (fstat(fd, &info) != 0) {
        status = vgg_fail_errno(err, errno, "%s: cannot stat", path);
        goto done;
    }
    if (!S_ISREG(info.st_mode)) {
        status = vgg_fail(err, VGG_ERR_UNSUPPORTED, "%s: expected a regular file, found a %s", path,
                          S_ISDIR(info.st_mode) ? "folder: name the file in it"
                                                : "pipe or device: copy it to a file first");
        goto done;
    }
    if ((uint64_t)info.st_size > max_bytes || (uint64_t)info.st_size > SIZE_MAX) {
        status = vgg_fail(err, VGG_ERR_LIMIT, "%s: file has %lld bytes, limit is %llu", path,
                          (long long)info.st_size, (unsigned long long)max_bytes);
        goto done;
    }
    const void *data = no_bytes;
    if (info.st_size > 0) {
        data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED) {
            status = vgg_fail_errno(err, errno, "%s: cannot map", path);
            goto done;
        }
    }
    *out = (struct vgg_file){.data = data, .size = (size_t)info.st_size, .origin = VGG_FILE_MAPPED};
done:
    close(fd);
    return status;
}

vgg_status vgg_file_read(const char *path, uint64_t max_bytes,
                         const struct vgg_allocator *allocator, struct vgg_file *out,
                         struct vgg_error *err)
{
    vgg_status status = VGG_OK;
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "standard input" : path;
    uint8_t *data = NULL;
    size_t size = 0, capacity = 0;
    struct stat info;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return vgg_fail_errno(err, errno, "%s: cannot open", name);
    }
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && (uint64_t)info.st_size < max_bytes &&
        (uint64_t)info.st_size < SIZE_MAX) {
        capacity = (size_t)info.st_size + 1; /* one more, so that the end is seen without growing */
    } else {
        capacity = 64 * 1024;
    }
    for (;;) {
        if (data == NULL || size == capacity) {
            const bool fits = data == NULL || vgg_size_mul(capacity, 2, &capacity);
            uint8_t *grown = fits ? vgg_mem_grow(allocator, data, size, capacity) : NULL;
            if (grown == NULL) {
                status = vgg_fail_memory(err, name, capacity, "the file");
                goto done;
            }
            data = grown;
        }
        ssize_t got = read(fd, data + size, capacity - size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            status = vgg_fail_errno(err, errno, "%s: cannot read", name);
            goto done;
        }
        if (got == 0) {
            break;
        }
        size += (size_t)got;
        if (size > max_bytes) {
            status = vgg_fail(err, VGG_ERR_LIMIT, "%s: file is larger than the limit of %llu bytes",
                              name, (unsigned long long)max_bytes);
            goto done;
        }
    }
    *out = (struct vgg_file){.data = data, .size = size, .origin = VGG_FILE_COPY};
    if (allocator != NULL) {
        out->allocator = *allocator;
    }
    data = NULL;
done:
    vgg_mem_free(allocator, data);
    if (!is_stdin) {
        close(fd);
    }
    return status;
}

void vgg_file_borrow(const void *bytes, size_t count, struct vgg_file *out)
{
    *out = (struct vgg_file){
        .data = bytes != NULL ? bytes : no_bytes, .size = count, .origin = VGG_FILE_BORROWED};
}

void vgg_file_close(struct vgg_file *file)
{
    if (file->origin == VGG_FILE_MAPPED && file->size > 0) {
        munmap((void *)file->data, file->size);
    } else if (file->origin == VGG_FILE_COPY) {
        vgg_mem_free(&file->allocator, (void *)file->data);
    }
    *file = (struct vgg_file){0};
}
