/* SPDX-License-Identifier: MIT */
/* Mapping and reading files. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static const uint8_t no_bytes[1];

/* Whether a message says what to do instead. */
enum advice { NO_ADVICE, ADVICE };

/* Fails for what is no regular file. */
static vgg_status check_regular(const char *path, mode_t mode, enum advice advice,
                                struct vgg_error *err)
{
    const bool folder = S_ISDIR(mode);
    return S_ISREG(mode)
               ? VGG_OK
               : vgg_fail(err, VGG_ERR_UNSUPPORTED, "%s: expected a regular file, found a %s%s",
                          path, folder ? "folder" : "pipe or device",
                          advice == NO_ADVICE ? ""
                          : folder            ? ": name the file in it"
                                              : ": copy it to a file first");
}

/* Opens a regular file. The path is looked at first, because opening a device can do something; and the open file again,
 * because another one may have taken its place: opening a FIFO then must not wait for a writer, nor a terminal become
 * this process's. */
static vgg_status open_regular(const char *path, enum advice advice, int *fd, struct stat *info,
                               struct vgg_error *err)
{
    if (stat(path, info) == 0 && !S_ISREG(info->st_mode)) {
        return check_regular(path, info->st_mode, advice, err);
    }
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0) {
        return vgg_fail_errno(err, errno, "%s: cannot open", path);
    }
    vgg_status status = fstat(*fd, info) != 0 ? vgg_fail_errno(err, errno, "%s: cannot stat", path)
                                              : check_regular(path, info->st_mode, advice, err);
    if (status != VGG_OK) {
        close(*fd);
    }
    return status;
}

vgg_status vgg_file_map(const char *path, uint64_t max_bytes, struct vgg_file *out,
                        struct vgg_error *err)
{
    struct stat info;
    int fd = -1;
    vgg_status status = open_regular(path, ADVICE, &fd, &info, err);
    if (status != VGG_OK) {
        return status;
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

/* Bytes that are read one piece after the other. */
struct reading {
    const char *name;
    uint64_t max_bytes;
    const struct vgg_allocator *allocator;
    uint8_t *data;
    size_t size, capacity;
    struct vgg_error *err;
};

/* Enlarges the buffer by one byte or more. */
static vgg_status grow(struct reading *reading)
{
    size_t capacity = reading->capacity;
    const bool fits = reading->data == NULL || vgg_size_mul(capacity, 2, &capacity);
    uint8_t *grown =
        fits ? vgg_mem_grow(reading->allocator, reading->data, reading->size, capacity) : NULL;
    if (grown == NULL) {
        return vgg_fail_memory(reading->err, reading->name, capacity, "the file");
    }
    reading->data = grown;
    reading->capacity = capacity;
    return VGG_OK;
}

static vgg_status read_to_end(struct reading *reading, int fd)
{
    for (;;) {
        vgg_status status =
            reading->data == NULL || reading->size == reading->capacity ? grow(reading) : VGG_OK;
        if (status != VGG_OK) {
            return status;
        }
        ssize_t got = read(fd, reading->data + reading->size, reading->capacity - reading->size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return vgg_fail_errno(reading->err, errno, "%s: cannot read", reading->name);
        }
        if (got == 0) {
            return VGG_OK;
        }
        reading->size += (size_t)got;
        if (reading->size > reading->max_bytes) {
            return vgg_fail(reading->err, VGG_ERR_LIMIT,
                            "%s: file is larger than the limit of %llu bytes", reading->name,
                            (unsigned long long)reading->max_bytes);
        }
    }
}

/* Reads an open file, of which stat said this. */
static vgg_status read_file(struct reading *reading, int fd, const struct stat *info,
                            struct vgg_file *out)
{
    reading->capacity = 64 * 1024;
    if (S_ISREG(info->st_mode) && (uint64_t)info->st_size < reading->max_bytes &&
        (uint64_t)info->st_size < SIZE_MAX) {
        /* One more, so that the end is seen without growing. */
        reading->capacity = (size_t)info->st_size + 1;
    }
    vgg_status status = read_to_end(reading, fd);
    if (status != VGG_OK) {
        vgg_mem_free(reading->allocator, reading->data);
        return status;
    }
    *out = (struct vgg_file){.data = reading->data, .size = reading->size, .origin = VGG_FILE_COPY};
    if (reading->allocator != NULL) {
        out->allocator = *reading->allocator;
    }
    return VGG_OK;
}

vgg_status vgg_file_read(const char *path, uint64_t max_bytes,
                         const struct vgg_allocator *allocator, struct vgg_file *out,
                         struct vgg_error *err)
{
    const bool is_stdin = strcmp(path, "-") == 0;
    struct reading reading = {.name = is_stdin ? "standard input" : path,
                              .max_bytes = max_bytes,
                              .allocator = allocator,
                              .err = err};
    struct stat info = {0};
    const int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return vgg_fail_errno(err, errno, "%s: cannot open", reading.name);
    }
    (void)fstat(fd, &info);
    vgg_status status = read_file(&reading, fd, &info, out);
    if (!is_stdin) {
        close(fd);
    }
    return status;
}

vgg_status vgg_file_read_regular(const char *path, uint64_t max_bytes,
                                 const struct vgg_allocator *allocator, struct vgg_file *out,
                                 struct vgg_error *err)
{
    struct reading reading = {
        .name = path, .max_bytes = max_bytes, .allocator = allocator, .err = err};
    struct stat info;
    int fd = -1;
    vgg_status status = open_regular(path, NO_ADVICE, &fd, &info, err);
    if (status == VGG_OK) {
        status = read_file(&reading, fd, &info, out);
        close(fd);
    }
    return status;
}

void vgg_file_borrow(const void *bytes, size_t count, struct vgg_file *out)
{
    *out = (struct vgg_file){
        .data = bytes != NULL ? bytes : no_bytes, .size = count, .origin = VGG_FILE_BORROWED};
}

void vgg_copy_changing(const void *bytes, size_t count, void *out)
{
    if (count > 0) {
        memcpy(out, bytes, count);
    }
    /* The compiler must not read the changing bytes again instead of the copy. */
    atomic_signal_fence(memory_order_seq_cst);
}

bool vgg_file_copy(const struct vgg_file *file, uint64_t offset, size_t count, void *out)
{
    if (offset > file->size || count > file->size - offset) {
        return false;
    }
    vgg_copy_changing(file->data + offset, count, out);
    return true;
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
