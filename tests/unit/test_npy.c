/* SPDX-License-Identifier: MIT */
/* tools/npy: arrays survive writing and reading; files that are not what they say are refused. */
#include "unit.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/npy.h"

static char path[UNIT_FOLDER_BYTES];

/* Writes a .npy file of the given version, header text and number of data bytes. */
static void write_file(unsigned version, const char *header, size_t data_bytes)
{
    FILE *file = fopen(path, "wb");
    size_t length = strlen(header);
    fwrite("\x93NUMPY", 1, 6, file);
    putc((int)version, file);
    putc(0, file);
    for (unsigned i = 0; i < (version == 1 ? 2 : 4); i++) {
        putc((int)(length >> (8 * i) & 0xff), file);
    }
    fwrite(header, 1, length, file);
    for (size_t i = 0; i < data_bytes; i++) {
        putc(0, file);
    }
    fclose(file);
}

static void expect_error(vgg_status status, const char *part)
{
    struct npy_reader reader;
    struct vgg_error err = {0};
    ck_assert_int_eq(npy_reader_open(path, &reader, &err), status);
    ck_assert_msg(strstr(err.message, part) != NULL, "'%s' not in '%s'", part, err.message);
    ck_assert_ptr_null(reader.file);
}

static void make_path(void)
{
    int fd = mkstemp(unit_temporary(path, "vgg-npy"));
    ck_assert_int_ge(fd, 0);
    close(fd);
}

START_TEST(writes_what_it_reads)
{
    struct npy_writer writer;
    struct npy_reader reader;
    struct vgg_error err = {0};
    const int64_t shape[] = {2, 3};
    const float rows[][6] = {{1, 2, 3, 4, 5, 6}, {-1, 0.1F, 1e-38F, INFINITY, 3e38F, -0.0F}};
    float got[6];
    make_path();
    FILE *out = fopen(path, "wb");
    ck_assert_int_eq(npy_writer_begin(out, path, &writer, &err), VGG_OK);
    ck_assert_int_eq(npy_writer_add_missing(&writer, &err), VGG_OK);
    ck_assert_int_eq(npy_writer_add(&writer, shape, 2, rows[0], &err), VGG_OK);
    ck_assert_int_eq(npy_writer_add_missing(&writer, &err), VGG_OK);
    ck_assert_int_eq(npy_writer_add(&writer, shape, 2, rows[1], &err), VGG_OK);
    ck_assert_int_eq(npy_writer_finish(&writer, &err), VGG_OK);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_int_eq(npy_reader_open(path, &reader, &err), VGG_OK);
    ck_assert_int_eq(reader.ndim, 3);
    ck_assert_int_eq(reader.shape[0], 4);
    ck_assert_int_eq(reader.shape[1], 2);
    ck_assert_int_eq(reader.shape[2], 3);
    ck_assert_int_eq(reader.data_offset % 64, 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(npy_reader_read_row(&reader, 2 * i + 1, got, &err), VGG_OK);
        ck_assert_mem_eq(got, rows[i], sizeof got);
        ck_assert_int_eq(npy_reader_read_row(&reader, 2 * i, got, &err), VGG_OK);
        ck_assert(isnan(got[0]) && isnan(got[5]));
    }
    npy_reader_close(&reader);
    unlink(path);
}
END_TEST

/* Files of another machine: the same number in either byte order, between a file's first and last. */
START_TEST(reads_both_byte_orders)
{
    static const char *const headers[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n",
        "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 2), }\n"};
    static const char *const numbers[] = {"\0\0\x80\x3f\0\0\x20\x40\0\0\x40\xc0\xb9\xfc\x0f\x6c",
                                          "\x3f\x80\0\0\x40\x20\0\0\xc0\x40\0\0\x6c\x0f\xfc\xb9"};
    static const float expected[] = {1, 2.5F, -3, 0x1.1ff972p+89F};
    make_path();
    for (int big = 0; big < 2; big++) {
        struct npy_reader reader;
        struct vgg_error err = {0};
        float got[4];
        write_file(1, headers[big], 0);
        FILE *file = fopen(path, "ab");
        fwrite(numbers[big], 1, 16, file);
        fclose(file);
        ck_assert_msg(npy_reader_open(path, &reader, &err) == VGG_OK, "%s", err.message);
        ck_assert_int_eq(npy_reader_read_row(&reader, 1, got + 2, &err), VGG_OK);
        ck_assert_int_eq(npy_reader_read_row(&reader, 0, got, &err), VGG_OK);
        ck_assert_mem_eq(got, expected, sizeof got);
        npy_reader_close(&reader);
    }
    unlink(path);
}
END_TEST

/* The same bytes on every machine, more of them than are turned at a time. */
START_TEST(writes_little_endian)
{
    enum { COUNT = 3000 };
    struct npy_writer writer;
    struct vgg_error err = {0};
    const int64_t shape[] = {COUNT};
    static float row[COUNT];
    static uint8_t bytes[256 + 4 * COUNT];
    for (int i = 0; i < COUNT; i++) {
        row[i] = (float)(i + 1);
    }
    make_path();
    FILE *out = fopen(path, "wb");
    ck_assert_int_eq(npy_writer_begin(out, path, &writer, &err), VGG_OK);
    ck_assert_int_eq(npy_writer_add(&writer, shape, 1, row, &err), VGG_OK);
    ck_assert_int_eq(npy_writer_finish(&writer, &err), VGG_OK);
    ck_assert_int_eq(fclose(out), 0);
    FILE *file = fopen(path, "rb");
    ck_assert_uint_eq(fread(bytes, 1, sizeof bytes, file), sizeof bytes);
    fclose(file);
    ck_assert_ptr_nonnull(memmem(bytes, 256, "'descr': '<f4'", 14));
    for (int i = 0; i < COUNT; i++) {
        const uint8_t *b = bytes + 256 + 4 * i;
        const uint32_t bits =
            b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
        ck_assert_mem_eq(&bits, &row[i], sizeof bits);
    }
    unlink(path);
}
END_TEST

START_TEST(wants_rows_of_one_size)
{
    struct npy_writer writer;
    struct vgg_error err = {0};
    const int64_t two[] = {2}, three[] = {3}, pair[] = {1, 2};
    const float row[3] = {1, 2, 3};
    make_path();
    FILE *out = fopen(path, "wb");
    ck_assert_int_eq(npy_writer_begin(out, path, &writer, &err), VGG_OK);
    ck_assert_int_eq(npy_writer_add(&writer, two, 1, row, &err), VGG_OK);
    ck_assert_int_eq(npy_writer_add(&writer, three, 1, row, &err), VGG_ERR_MISMATCH);
    ck_assert_int_eq(npy_writer_add(&writer, pair, 2, row, &err), VGG_ERR_MISMATCH);
    ck_assert_int_eq(npy_writer_finish(&writer, &err), VGG_OK);
    ck_assert_int_eq(fclose(out), 0);
    unlink(path);
}
END_TEST

START_TEST(writes_an_array_without_any_row)
{
    struct npy_writer writer;
    struct npy_reader reader;
    struct vgg_error err = {0};
    make_path();
    FILE *out = fopen(path, "wb");
    ck_assert_int_eq(npy_writer_begin(out, path, &writer, &err), VGG_OK);
    ck_assert_int_eq(npy_writer_add_missing(&writer, &err), VGG_OK);
    ck_assert_int_eq(npy_writer_finish(&writer, &err), VGG_OK);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_int_eq(npy_reader_open(path, &reader, &err), VGG_OK);
    ck_assert_int_eq(reader.ndim, 2);
    ck_assert_int_eq(reader.shape[0], 1);
    ck_assert_int_eq(reader.shape[1], 0);
    npy_reader_close(&reader);
    /* Not waited for. */
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    expect_error(VGG_ERR_UNSUPPORTED, "expected a regular file");
    unlink(path);
}
END_TEST

START_TEST(reads_both_versions_and_any_order_of_keys)
{
    struct npy_reader reader;
    struct vgg_error err = {0};
    make_path();
    write_file(2, "{\"shape\":(2,), 'descr' : '<f4','fortran_order':False}\n", 8);
    ck_assert_int_eq(npy_reader_open(path, &reader, &err), VGG_OK);
    ck_assert_int_eq(reader.ndim, 1);
    ck_assert_uint_eq(reader.row_count, 1);
    npy_reader_close(&reader);
    write_file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 7), }   \n", 0);
    ck_assert_int_eq(npy_reader_open(path, &reader, &err), VGG_OK);
    ck_assert_int_eq(reader.shape[1], 7);
    npy_reader_close(&reader);
    unlink(path);
}
END_TEST

START_TEST(refuses_other_kinds_of_array)
{
    make_path();
    write_file(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n", 8);
    expect_error(VGG_ERR_UNSUPPORTED, "expected dtype float32 ('<f4' or '>f4'), got '<f8'");
    write_file(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }\n", 4);
    expect_error(VGG_ERR_UNSUPPORTED, "structured");
    write_file(1, "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }\n", 4);
    expect_error(VGG_ERR_UNSUPPORTED, "Fortran order");
    write_file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (), }\n", 4);
    expect_error(VGG_ERR_UNSUPPORTED, "single number");
    write_file(3, "", 0);
    expect_error(VGG_ERR_UNSUPPORTED, "version 1 or 2, got 3");
    unlink(path);
}
END_TEST

START_TEST(refuses_broken_files)
{
    static const char *const headers[] = {
        "",
        "{",
        "{}",
        "{'descr': '<f4'}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)}",
        "{'descr': '<f4",
    };
    make_path();
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        write_file(1, headers[i], 4);
        expect_error(VGG_ERR_FORMAT, path);
    }
    write_file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 7);
    expect_error(VGG_ERR_FORMAT, "bytes for its shape");
    write_file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 9);
    expect_error(VGG_ERR_FORMAT, "bytes for its shape");
    write_file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", 0);
    expect_error(VGG_ERR_LIMIT, "too large");
    FILE *file = fopen(path, "wb");
    fputs("\x93NUMPY\x02", file);
    fclose(file);
    expect_error(VGG_ERR_FORMAT, "expected a .npy file");
    file = fopen(path, "wb");
    fwrite("\x93NUMPY\x02\0\xff\xff\xff\xff", 1, 12, file);
    fclose(file);
    expect_error(VGG_ERR_LIMIT, "header");
    unlink(path);
    expect_error(VGG_ERR_IO, "No such file");
}
END_TEST

UNIT_MAIN("npy", writes_what_it_reads, wants_rows_of_one_size, writes_an_array_without_any_row,
          reads_both_byte_orders, writes_little_endian, reads_both_versions_and_any_order_of_keys,
          refuses_other_kinds_of_array, refuses_broken_files)
