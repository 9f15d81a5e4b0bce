/* SPDX-License-Identifier: MIT */
/* base/file, base/cursor: mapping and reading files of every kind; bounded reading. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/file.h"

static char folder[UNIT_FOLDER_BYTES];
static char path[UNIT_PATH_BYTES];

/* A file of size bytes 0, 1, 2 … */
static void make_file(size_t size)
{
    ck_assert_ptr_nonnull(mkdtemp(unit_temporary(folder, "vgg-file")));
    snprintf(path, sizeof path, "%s/file", folder);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < size; i++) {
        fputc((int)(i & 0xff), file);
    }
    fclose(file);
}

static void remove_file(void)
{
    unlink(path);
    rmdir(folder);
}

static void check_content(const struct vgg_file *file, size_t size)
{
    ck_assert_uint_eq(file->size, size);
    ck_assert_ptr_nonnull(file->data);
    for (size_t i = 0; i < size; i++) {
        ck_assert_uint_eq(file->data[i], i & 0xff);
    }
}

START_TEST(maps_and_reads)
{
    static const size_t sizes[] = {0, 1, 4096, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct vgg_file file;
        make_file(sizes[i]);
        ck_assert_int_eq(vgg_file_map(path, sizes[i], &file, NULL), VGG_OK);
        ck_assert_int_eq(file.origin, VGG_FILE_MAPPED);
        check_content(&file, sizes[i]);
        vgg_file_close(&file);
        vgg_file_close(&file);
        ck_assert_int_eq(vgg_file_read(path, sizes[i], NULL, &file, NULL), VGG_OK);
        ck_assert_int_eq(file.origin, VGG_FILE_COPY);
        check_content(&file, sizes[i]);
        vgg_file_close(&file);
        ck_assert_int_eq(vgg_file_read_regular(path, sizes[i], NULL, &file, NULL), VGG_OK);
        check_content(&file, sizes[i]);
        vgg_file_close(&file);
        remove_file();
    }
}
END_TEST

START_TEST(keeps_the_limit)
{
    struct vgg_file file;
    struct vgg_error err = {0};
    make_file(1000);
    ck_assert_int_eq(vgg_file_map(path, 999, &file, &err), VGG_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.message, "1000 bytes, limit is 999"));
    ck_assert_int_eq(vgg_file_read(path, 999, NULL, &file, &err), VGG_ERR_LIMIT);
    ck_assert_int_eq(vgg_file_read_regular(path, 999, NULL, &file, &err), VGG_ERR_LIMIT);
    ck_assert_int_eq(vgg_file_read("/dev/zero", 100000, NULL, &file, &err), VGG_ERR_LIMIT);
    remove_file();
}
END_TEST

START_TEST(tells_what_is_no_file)
{
    struct vgg_file file;
    struct vgg_error err = {0};
    ck_assert_int_eq(vgg_file_map("/no/such", 1, &file, &err), VGG_ERR_IO);
    ck_assert_str_eq(err.message, "/no/such: cannot open: No such file or directory");
    ck_assert_int_eq(vgg_file_read("/no/such", 1, NULL, &file, &err), VGG_ERR_IO);
    ck_assert_int_eq(vgg_file_map("/", 1 << 20, &file, &err), VGG_ERR_UNSUPPORTED);
    ck_assert_int_eq(vgg_file_read("/", 1 << 20, NULL, &file, &err), VGG_ERR_IO);
    ck_assert_int_eq(vgg_file_map("/dev/null", 1, &file, &err), VGG_ERR_UNSUPPORTED);
    /* A FIFO without a writer must not block. */
    make_file(0);
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(vgg_file_map(path, 1, &file, &err), VGG_ERR_UNSUPPORTED);
    ck_assert_int_eq(vgg_file_read_regular(path, 1, NULL, &file, &err), VGG_ERR_UNSUPPORTED);
    ck_assert_int_eq(vgg_file_read_regular("/dev/zero", 1, NULL, &file, &err), VGG_ERR_UNSUPPORTED);
    ck_assert_int_eq(vgg_file_read_regular("/no/such", 1, NULL, &file, &err), VGG_ERR_IO);
    ck_assert_int_eq(err.sys_errno, ENOENT);
    remove_file();
}
END_TEST

START_TEST(reads_pipes)
{
    int ends[2];
    char name[32];
    struct vgg_file file;
    static const uint8_t bytes[] = {0, 1, 2, 3, 4, 5};
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], bytes, sizeof bytes), sizeof bytes);
    close(ends[1]);
    snprintf(name, sizeof name, "/proc/self/fd/%d", ends[0]);
    ck_assert_int_eq(vgg_file_read(name, 100, NULL, &file, NULL), VGG_OK);
    check_content(&file, sizeof bytes);
    vgg_file_close(&file);
    close(ends[0]);
}
END_TEST

START_TEST(moves_a_cursor)
{
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    struct vgg_cursor in = vgg_cursor_make(bytes, sizeof bytes);
    ck_assert_uint_eq(vgg_cursor_le(&in, 1), 1);
    ck_assert_uint_eq(vgg_cursor_le(&in, 2), 0x0302);
    ck_assert_ptr_eq(vgg_cursor_take(&in, 3), bytes + 3);
    ck_assert_uint_eq(vgg_cursor_left(&in), 4);
    ck_assert_ptr_null(vgg_cursor_take(&in, UINT64_MAX));
    ck_assert(!in.ok);
    ck_assert_uint_eq(vgg_cursor_le(&in, 1), 0); /* the failure stays */
    ck_assert_uint_eq(in.offset, 6);
    in = vgg_cursor_make(bytes, 8);
    ck_assert_uint_eq(vgg_cursor_le(&in, 8), UINT64_C(0x0807060504030201));
    ck_assert_ptr_nonnull(vgg_cursor_take(&in, 0));
    ck_assert(in.ok);
}
END_TEST

UNIT_MAIN("file", maps_and_reads, keeps_the_limit, tells_what_is_no_file, reads_pipes,
          moves_a_cursor)
