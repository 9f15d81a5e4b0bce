/* SPDX-License-Identifier: MIT */
/* checkpoint/write/zip_writer: zip archives that need 64-bit sizes, and what the reader makes of them. */
#include "unit.h"

#include "checkpoint/write/zip_writer.h"
#include "writer.h"

static char folder[UNIT_FOLDER_BYTES], path[UNIT_PATH_BYTES];

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(unit_temporary(folder, "vgg-write")));
    snprintf(path, sizeof path, "%s/in.pth", folder);
}

/* A whole checkpoint of two tensors, its sizes and offsets from `large` on in zip64 fields. */
static void write_checkpoint(uint64_t large)
{
    struct bytes pickle = {0};
    struct vgg_outfile out;
    struct vgg_zip_writer zip;
    static const struct sample samples[] = {
        {.name = "a", .key = "0", .available = 6, .ndim = 2, .shape = {2, 3}, .stride = {3, 1}},
        {.name = "b", .key = "1", .available = 2, .ndim = 1, .shape = {2}, .stride = {1}},
    };
    put_state_dict(&pickle, samples, 2);
    ck_assert_int_eq(vgg_outfile_open(path, VGG_OUTFILE_PATCH, NULL, &out, NULL), VGG_OK);
    vgg_zip_writer_init(&zip, &out, NULL);
    zip.large = large;
    const struct {
        const char *name;
        const void *data;
        size_t size;
    } members[] = {
        {"archive/data.pkl", pickle.data, pickle.size},
        {"archive/data/0", good_bytes, 24},
        {"archive/data/1", good_bytes + 16, 8},
        {"archive/version", "3\n", 2},
    };
    for (size_t i = 0; i < 4; i++) {
        vgg_zip_writer_begin(&zip, members[i].name, members[i].size);
        ck_assert_uint_eq(zip.data_offset % 64, 0);
        vgg_zip_writer_add(&zip, members[i].data, members[i].size / 2);
        vgg_zip_writer_add(&zip, (const char *)members[i].data + members[i].size / 2,
                           members[i].size - members[i].size / 2);
        vgg_zip_writer_end(&zip, members[i].name);
    }
    ck_assert(vgg_zip_writer_finish(&zip));
    ck_assert_int_eq(vgg_outfile_commit(&out, NULL), VGG_OK);
    free(pickle.data);
}

START_TEST(writes_sizes_of_both_kinds)
{
    /* All in 32 bits; all in 64; the sizes in 32 and the later offsets in 64. */
    static const uint64_t large[] = {UINT32_MAX, 0, 1000};
    make_folder();
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++) {
        struct vgg_error err = {0};
        vgg_checkpoint *checkpoint;
        float values[6];
        write_checkpoint(large[i]);
        ck_assert_msg(vgg_checkpoint_open(path, NULL, &checkpoint, &err) == VGG_OK, "%s",
                      err.message);
        ck_assert_uint_eq(vgg_checkpoint_get_tensor_count(checkpoint), 2);
        vgg_tensor_read_f32(vgg_checkpoint_find_tensor(checkpoint, "a"), values);
        for (int k = 0; k < 6; k++) {
            ck_assert(values[k] == (float)(k + 1));
        }
        vgg_tensor_read_f32(vgg_checkpoint_find_tensor(checkpoint, "b"), values);
        ck_assert(values[0] == 5 && values[1] == 6);
        /* Its own file may be replaced: it is still mapped. */
        ck_assert_int_eq(vgg_checkpoint_save(checkpoint, path, &err), VGG_OK);
        vgg_checkpoint_close(checkpoint);
        ck_assert_int_eq(vgg_checkpoint_open(path, NULL, &checkpoint, &err), VGG_OK);
        vgg_tensor_read_f32(vgg_checkpoint_find_tensor(checkpoint, "a"), values);
        ck_assert(values[0] == 1 && values[5] == 6);
        vgg_checkpoint_close(checkpoint);
        unlink(path);
    }
    rmdir(folder);
}
END_TEST

/* An allocator that fails one call. */
struct short_of {
    int calls, fails_at;
};

static void *take(void *user, size_t bytes, size_t alignment)
{
    struct short_of *memory = user;
    (void)alignment;
    return memory->calls++ == memory->fails_at ? NULL : malloc(bytes);
}

static void give(void *user, void *block)
{
    (void)user;
    free(block);
}

START_TEST(leaves_nothing_without_memory)
{
    static const char *const endings[] = {"pth", "safetensors"};
    char name[UNIT_PATH_BYTES];
    make_folder();
    write_checkpoint(UINT32_MAX);
    for (size_t n = 0; n < 2; n++) {
        vgg_status status = VGG_ERR_MEMORY;
        snprintf(name, sizeof name, "%s/out.%s", folder, endings[n]);
        int at = 0;
        for (; status == VGG_ERR_MEMORY; at++) {
            struct short_of memory = {.fails_at = -1};
            const struct vgg_context context = {
                .allocator = {.allocate = take, .release = give, .user = &memory}};
            struct vgg_error err = {0};
            vgg_checkpoint *checkpoint;
            ck_assert_int_eq(vgg_checkpoint_open(path, &context, &checkpoint, &err), VGG_OK);
            memory = (struct short_of){.fails_at = at};
            status = vgg_checkpoint_save(checkpoint, name, &err);
            ck_assert_msg(status == VGG_OK || status == VGG_ERR_MEMORY, "%s", err.message);
            ck_assert_int_eq(access(name, F_OK), status == VGG_OK ? 0 : -1);
            vgg_checkpoint_close(checkpoint);
        }
        ck_assert_int_gt(at, 3);
        unlink(name);
    }
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0); /* no temporary file is left either */
}
END_TEST

/* A file of views of one storage of 1 Mi elements, which is all of its size. */
enum { ELEMENTS = 1 << 20, VIEWS_MAX = 12 };

static struct bytes write_views(size_t count, const struct sample *view)
{
    static char names[VIEWS_MAX][8];
    struct sample samples[VIEWS_MAX];
    struct bytes pickle = {0};
    float *values = calloc(ELEMENTS, sizeof *values);
    ck_assert_ptr_nonnull(values);
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "w%zu", i);
        samples[i] = *view;
        samples[i].name = names[i];
        samples[i].key = "0";
        samples[i].available = ELEMENTS;
    }
    put_state_dict(&pickle, samples, count);
    const struct member members[] = {
        {.name = "a/data.pkl", .data = pickle.data, .size = pickle.size},
        {.name = "a/data/0", .data = values, .size = ELEMENTS * sizeof *values, .crc = 1}};
    struct bytes zip = make_zip(members, 2);
    free(pickle.data);
    free(values);
    return zip;
}

/* A few bytes of a file must not become gigabytes of another: neither by strides nor by views. */
START_TEST(bounds_what_repeats)
{
    static const char *const names[] = {"out.pth", "out.safetensors"};
    static const struct sample whole = {.ndim = 1, .shape = {ELEMENTS}, .stride = {1}};
    static const struct sample rows = {.ndim = 2, .shape = {8, ELEMENTS}, .stride = {0, 1}};
    static const struct sample overlap = {.ndim = 2, .shape = {4096, 4096}, .stride = {1, 1}};
    struct vgg_error err = {0};
    refuse_bytes(write_views(1, &rows), VGG_ERR_LIMIT,
                 "w0: 33554432 bytes of elements in 4194304 of the file: 29360128 are repeated, "
                 "limit is 16777216");
    refuse_bytes(write_views(1, &overlap), VGG_ERR_LIMIT, "are repeated");
    make_folder();
    for (size_t i = 0; i < 2; i++) {
        for (size_t views = 8; views <= 12; views += 4) { /* 4 * 4 MiB, and 16 MiB more */
            struct bytes bytes = write_views(views, &whole);
            vgg_checkpoint *checkpoint;
            ck_assert_int_eq(open_bytes(bytes.data, bytes.size, NULL, &checkpoint, &err), VGG_OK);
            snprintf(path, sizeof path, "%s/%s", folder, names[i]);
            const vgg_status expected = views > 8 ? VGG_ERR_LIMIT : VGG_OK;
            ck_assert_int_eq(vgg_checkpoint_save(checkpoint, path, &err), expected);
            ck_assert_int_eq(unlink(path) == 0, expected == VGG_OK);
            vgg_checkpoint_close(checkpoint);
            free(bytes.data);
        }
    }
    ck_assert_ptr_nonnull(strstr(err.message, "50331648 bytes of tensors in 4194304 of the file"));
    rmdir(folder);
}
END_TEST

UNIT_MAIN("write", writes_sizes_of_both_kinds, leaves_nothing_without_memory, bounds_what_repeats)
