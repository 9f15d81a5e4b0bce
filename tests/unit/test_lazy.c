/* SPDX-License-Identifier: MIT */
/* Opening a checkpoint and binding a net touches no weights: their pages cannot even be read meanwhile. */
#include "tar_writer.h"
#include "unit.h"

#include "vgg/vgg.h"

/* A net of 8 MB, nearly all of it in two fully connected layers. */
static const struct sample samples[] = {
    {.name = "features.0.weight", .key = "0", .ndim = 4, .shape = {8, 3, 3, 3}},
    {.name = "features.0.bias", .key = "1", .ndim = 1, .shape = {8}},
    {.name = "features.3.weight", .key = "2", .ndim = 4, .shape = {8, 8, 3, 3}},
    {.name = "features.3.bias", .key = "3", .ndim = 1, .shape = {8}},
    {.name = "classifier.0.weight", .key = "4", .ndim = 2, .shape = {4096, 8 * 49}},
    {.name = "classifier.0.bias", .key = "5", .ndim = 1, .shape = {4096}},
    {.name = "classifier.3.weight", .key = "6", .ndim = 2, .shape = {100, 4096}},
    {.name = "classifier.3.bias", .key = "7", .ndim = 1, .shape = {100}},
};
enum { SAMPLES = sizeof samples / sizeof samples[0] };
static const char *const keys[SAMPLES] = {"0", "1", "2", "3", "4", "5", "6", "7"};

static float *zeros; /* as many as the largest tensor has */
static size_t counts[SAMPLES];

/* The samples with all that follows from their shapes. */
static void fill(struct sample filled[SAMPLES])
{
    for (size_t i = 0; i < SAMPLES; i++) {
        int64_t step = 1;
        filled[i] = samples[i];
        for (int k = samples[i].ndim - 1; k >= 0; k--) {
            filled[i].stride[k] = step;
            step *= samples[i].shape[k];
        }
        filled[i].available = step;
        counts[i] = (size_t)step;
    }
    zeros = realloc(zeros, 4096 * 8 * 49 * sizeof *zeros);
    ck_assert_ptr_nonnull(zeros);
    memset(zeros, 0, 4096 * 8 * 49 * sizeof *zeros);
}

static void put_net(struct bytes *pickle)
{
    struct sample filled[SAMPLES];
    fill(filled);
    put_state_dict(pickle, filled, SAMPLES);
}

static struct bytes write_zip(void)
{
    struct bytes pickle = {0};
    struct member members[SAMPLES + 1] = {{0}};
    char names[SAMPLES][16];
    put_net(&pickle);
    members[0] = (struct member){.name = "n/data.pkl", .data = pickle.data, .size = pickle.size};
    for (size_t i = 0; i < SAMPLES; i++) {
        snprintf(names[i], sizeof names[i], "n/data/%s", keys[i]);
        members[1 + i] = (struct member){
            .name = names[i], .data = zeros, .size = counts[i] * sizeof *zeros, .crc = 1};
    }
    struct bytes out = make_zip(members, SAMPLES + 1);
    free(pickle.data);
    return out;
}

static struct bytes write_legacy(void)
{
    struct bytes out = {0};
    put_legacy_header(&out);
    put_net(&out);
    put_legacy_keys(&out, keys, SAMPLES);
    for (size_t i = 0; i < SAMPLES; i++) {
        put_legacy_storage(&out, zeros, counts[i]);
    }
    return out;
}

static struct bytes write_safetensors(void)
{
    struct bytes out = {0}, pickle = {0};
    size_t offset = 0;
    put_net(&pickle);
    free(pickle.data);
    put_le(&out, 0, 8);
    for (size_t i = 0; i < SAMPLES; i++) {
        char entry[256], shape[64] = "";
        for (int k = 0; k < samples[i].ndim; k++) {
            size_t length = strlen(shape);
            snprintf(shape + length, sizeof shape - length, "%s%d", k > 0 ? "," : "",
                     (int)samples[i].shape[k]);
        }
        snprintf(entry, sizeof entry,
                 "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                 i > 0 ? "," : "{", samples[i].name, shape, offset, offset + 4 * counts[i]);
        put(&out, entry, strlen(entry));
        offset += 4 * counts[i];
    }
    PUT(&out, "}");
    set_le(&out, 0, out.size - 8, 8);
    for (size_t i = 0; i < SAMPLES; i++) {
        put(&out, zeros, 4 * counts[i]);
    }
    return out;
}

static struct bytes write_tar(void)
{
    struct entry entries[GOOD_ENTRIES] = {
        {.name = "sys_info"}, {.name = "pickle"}, {.name = "tensors"}, {.name = "storages"}};
    struct bytes *pickle = &entries[PICKLE].content, *tensors = &entries[TENSORS].content;
    struct bytes *storages = &entries[STORAGES].content;
    struct sample filled[SAMPLES];
    fill(filled);
    put_sys_info(&entries[SYS_INFO].content);
    PUT(pickle, "\x80\x02}(");
    put_count(tensors, SAMPLES);
    put_count(storages, SAMPLES);
    for (size_t i = 0; i < SAMPLES; i++) {
        const int ndim = filled[i].ndim;
        int64_t numbers[9] = {0};
        memcpy(numbers, filled[i].shape, (size_t)ndim * sizeof *numbers);
        memcpy(numbers + ndim, filled[i].stride, (size_t)ndim * sizeof *numbers);
        put_text(pickle, filled[i].name);
        put_text(pickle, filled[i].key);
        PUT(pickle, "Q");
        put_tensor_record(tensors, (int64_t)i, (int64_t)i, "FloatTensor", ndim, numbers);
        put_storage_record(storages, (int64_t)i, "FloatStorage", zeros, counts[i]);
    }
    PUT(pickle, "u.");
    put_views(storages, NULL, 0);
    struct bytes out = make_tar(entries, GOOD_ENTRIES);
    for (size_t i = 0; i < GOOD_ENTRIES; i++) {
        free(entries[i].content.data);
    }
    return out;
}

static void open_and_bind(const void *data, size_t size, bool protect)
{
    static struct vgg_error err;
    vgg_checkpoint *checkpoint;
    vgg_model *model = NULL;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), guarded = 0;
    ck_assert_msg(vgg_checkpoint_open_memory(data, size, "net", NULL, NULL, &checkpoint, &err) ==
                      VGG_OK,
                  "%s", err.message);
    ck_assert_msg(vgg_model_create(checkpoint, NULL, &model, &err) == VGG_OK, "%s", err.message);
    for (size_t i = 0; protect && i < vgg_checkpoint_get_tensor_count(checkpoint); i++) {
        const struct vgg_tensor *tensor = vgg_checkpoint_get_tensor(checkpoint, i);
        ck_assert_uint_ne(tensor->file_offset, VGG_NO_OFFSET);
        uintptr_t begin = (uintptr_t)data + tensor->file_offset;
        uintptr_t end = (begin + (size_t)vgg_tensor_get_count(tensor) * 4) / page * page;
        begin = (begin + page - 1) / page * page;
        if (begin < end) { /* the whole pages inside */
            ck_assert_int_eq(mprotect((void *)begin, end - begin, PROT_NONE), 0);
            guarded += end - begin;
        }
    }
    ck_assert(!protect || guarded > 7 << 20);
    vgg_model_destroy(model);
    vgg_checkpoint_close(checkpoint);
}

static void check(struct bytes bytes)
{
    void *copy = mmap(NULL, bytes.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(copy, MAP_FAILED);
    memcpy(copy, bytes.data, bytes.size);
    open_and_bind(copy, bytes.size, true);
    open_and_bind(copy, bytes.size, false); /* now touching a weight is a SIGSEGV */
    munmap(copy, bytes.size);
    free(bytes.data);
}

START_TEST(leaves_weights_alone)
{
    check(write_zip()); /* each CRC is wrong, too, and nobody looks */
    check(write_legacy());
    check(write_safetensors());
    check(write_tar());
    free(zeros);
    zeros = NULL;
}
END_TEST

UNIT_MAIN("lazy", leaves_weights_alone)
