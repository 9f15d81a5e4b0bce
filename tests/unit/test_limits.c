/* SPDX-License-Identifier: MIT */
/* struct vgg_limits: each limit has a smallest value with which a good file is accepted; with one less it
 * is refused, by a message that speaks of a limit. (unpack_ratio, assumed_bytes: tests/crashers;
 * activation_bytes: test_plan; repeated_bytes: test_weights.) */
#include "unit.h"
#include "writer.h"

#include <stddef.h>

#include "model/graph/bind.h"
#include "vgg/image.h"

static struct vgg_error err;

typedef vgg_status subject(const struct vgg_limits *limits);

static vgg_status open_with(struct bytes bytes, const struct vgg_limits *limits)
{
    vgg_checkpoint *checkpoint;
    vgg_status status = open_bytes(bytes.data, bytes.size, limits, &checkpoint, &err);
    vgg_checkpoint_close(checkpoint);
    free(bytes.data);
    return status;
}

static vgg_status open_zip(const struct vgg_limits *limits)
{
    struct bytes pickle = {0};
    struct member members[GOOD_MEMBERS];
    good_members(&pickle, members);
    struct bytes whole = make_zip(members, GOOD_MEMBERS);
    free(pickle.data);
    return open_with(whole, limits);
}

static vgg_status open_legacy(const struct vgg_limits *limits)
{
    return open_with(good_legacy(), limits);
}

/* A dict whose key is put into the memo at 7. */
static vgg_status open_memo(const struct vgg_limits *limits)
{
    static const char pickle[] = "\x80\2}(X\1\0\0\0wq\7";
    struct bytes whole = {0};
    put_legacy_header(&whole);
    put(&whole, pickle, sizeof pickle - 1);
    put_tensor(&whole, &good_samples[0]);
    PUT(&whole, "u.");
    put_legacy_keys(&whole, (const char *const[]){"0"}, 1);
    put_legacy_storage(&whole, good_values, 6);
    return open_with(whole, limits);
}

static vgg_status open_safetensors(const struct vgg_limits *limits)
{
    static const char header[] = "{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
    struct bytes out = {0};
    put_le(&out, sizeof header - 1, 8);
    PUT(&out, header);
    put(&out, good_bytes, 8);
    return open_with(out, limits);
}

/* A file that comes with the project. */
static struct bytes read_model(const char *name)
{
    char path[4096];
    uint8_t buffer[65536];
    struct bytes out = {0};
    snprintf(path, sizeof path, "%s/%s", getenv("VGG_TEST_MODELS"), name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    put(&out, buffer, fread(buffer, 1, sizeof buffer, file));
    fclose(file);
    return out;
}

static vgg_status read_spec(const struct vgg_limits *limits)
{
    struct bytes json = read_model("vgg11.json");
    struct vgg_arena arena = {0};
    struct vgg_spec spec;
    struct vgg_graph graph;
    const struct vgg_load load = {
        .path = "vgg11.json", .limits = limits, .arena = &arena, .err = &err};
    vgg_status status = vgg_spec_parse(&load, json.data, json.size, &spec);
    if (status == VGG_OK) {
        status = vgg_graph_build(&load, &spec, &graph);
    }
    vgg_arena_destroy(&arena);
    free(json.data);
    return status;
}

static vgg_status decode_image(const struct vgg_limits *limits)
{
    struct bytes png = read_model("images/bag_18.png");
    struct vgg_image image = {0};
    const struct vgg_context context = {.limits = limits};
    vgg_status status = vgg_image_decode(png.data, png.size, "bag_18.png", &context, &image, &err);
    vgg_image_destroy(&image);
    free(png.data);
    return status;
}

#define LIMIT(field, try, expected)                                                                \
    {                                                                                              \
#field, offsetof(struct vgg_limits, field), sizeof((struct vgg_limits){0}.field), try,     \
            expected                                                                               \
    }

/* expected: the smallest that is enough, where the file shows it; 0: some number. */
static const struct limit {
    const char *name;
    size_t offset, bytes;
    subject *try;
    uint64_t expected;
} table[] = {
    LIMIT(file_bytes, open_zip, 0),
    LIMIT(file_bytes, open_legacy, 0),
    LIMIT(pickle_bytes, open_zip, 0),
    LIMIT(pickle_bytes, open_legacy, 0),
    LIMIT(pickle_opcodes, open_zip, 0),
    LIMIT(pickle_opcodes, open_legacy, 0),
    LIMIT(pickle_stack, open_zip, 0),
    LIMIT(pickle_memo, open_memo, 8),
    LIMIT(value_bytes, open_zip, 0),
    LIMIT(tensors, open_zip, 2),
    LIMIT(tensors, open_legacy, 2),
    LIMIT(tensors, open_safetensors, 1),
    LIMIT(zip_entries, open_zip, GOOD_MEMBERS),
    LIMIT(header_bytes, open_safetensors, 54),
    LIMIT(json_bytes, read_spec, 0),
    LIMIT(layers, read_spec, 0),
    LIMIT(image_file_bytes, decode_image, 0),
    LIMIT(image_pixels, decode_image, 28 * 28),
    LIMIT(image_memory, decode_image, 0),
};

static vgg_status try_limit(const struct limit *limit, uint64_t value)
{
    struct vgg_limits limits;
    uint32_t narrow = (uint32_t)value;
    vgg_limits_init(&limits);
    memcpy((char *)&limits + limit->offset,
           limit->bytes == sizeof narrow ? (const void *)&narrow : (const void *)&value,
           limit->bytes);
    return limit->try(&limits);
}

START_TEST(holds_each_to_the_unit)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct limit *limit = &table[i];
        uint64_t least = 0, most = 1 << 20; /* refused, accepted */
        ck_assert_msg(try_limit(limit, most) == VGG_OK, "%s: %s", limit->name, err.message);
        while (most - least > 1) {
            uint64_t middle = least + (most - least) / 2;
            vgg_status status = try_limit(limit, middle);
            ck_assert_msg(status == VGG_OK || status == VGG_ERR_LIMIT, "%s: %s", limit->name,
                          err.message);
            *(status == VGG_OK ? &most : &least) = middle;
        }
        ck_assert_msg(limit->expected == 0 || most == limit->expected, "%s: %u", limit->name,
                      (unsigned)most);
        ck_assert_int_eq(try_limit(limit, most), VGG_OK);
        ck_assert_int_eq(try_limit(limit, most - 1), VGG_ERR_LIMIT);
        ck_assert_msg(strstr(err.message, "limit") != NULL, "%s: %s", limit->name, err.message);
    }
}
END_TEST

UNIT_MAIN("limits", holds_each_to_the_unit)
