/* SPDX-License-Identifier: MIT */
/* The files that the Hugging Face Hub has beside a checkpoint: config.json of timm and transformers, and
 * preprocessor_config.json. */
#include "model/infer/side_config.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "model/infer/label_table.h"
#include "model/infer/timm_settings.h"

enum { WHERE_BYTES = 160 };

/* A file beside the checkpoint. */
struct side {
    const struct vgg_load *load;
    /* "config.json" */
    const char *name;
    /* Of the file, as for messages. */
    const char *path;
    struct vgg_found *found;
};

/* ---- single values ---- */

static bool is_text(const struct vgg_json *value, const char *text)
{
    return vgg_json_is(value, VGG_JSON_TEXT) && strcmp(vgg_json_text(value), text) == 0;
}

/* "config.json: pretrained_cfg"; NULL without memory. */
static const char *make_where(const struct side *side, const char *key)
{
    char where[WHERE_BYTES];
    const int length = snprintf(where, sizeof where, "%s: %s", side->name, key);
    return vgg_arena_copy_string(side->load->arena, where, (size_t)length);
}

static vgg_status fail_memory(const struct side *side)
{
    return vgg_load_fail_memory(side->load, WHERE_BYTES, "the files beside it");
}

/* Reads a side in pixels; 0: it is none. */
static int read_side(const struct vgg_json *value)
{
    uint64_t size;
    return value != NULL && vgg_json_size(value, &size) && size <= VGG_MAX_SIDE ? (int)size : 0;
}

/* Reads three numbers, or one; 0: they are none. */
static size_t read_numbers(const struct vgg_json *list, float out[3])
{
    size_t count = 0;
    if (!vgg_json_is(list, VGG_JSON_LIST)) {
        return 0;
    }
    for (const struct vgg_json *item = vgg_json_first(list); item != NULL;
         item = vgg_json_next(item)) {
        if (count == 3 || !vgg_json_is(item, VGG_JSON_NUMBER)) {
            return 0;
        }
        out[count++] = (float)vgg_json_number(item);
    }
    return count == 1 || count == 3 ? count : 0;
}

static vgg_status read_values(const struct side *side, const struct vgg_json *object,
                              const char *mean_key, const char *std_key)
{
    struct vgg_found_pair pair;
    pair.mean_count = read_numbers(vgg_json_get(object, mean_key), pair.mean);
    pair.std_count = read_numbers(vgg_json_get(object, std_key), pair.std);
    if (pair.mean_count == 0 || pair.std_count == 0) {
        return VGG_OK;
    }
    snprintf(pair.where, sizeof pair.where, "%s: %s, %s", side->name, mean_key, std_key);
    return vgg_found_add_values(side->load, &pair, side->found);
}

/* ---- class names ---- */

static vgg_status read_label_list(const struct side *side, const char *key,
                                  const struct vgg_json *list)
{
    struct vgg_label_table table;
    size_t index = 0;
    vgg_label_table_begin(&table, side->load, vgg_json_count(list));
    for (const struct vgg_json *item = vgg_json_first(list); item != NULL;
         item = vgg_json_next(item)) {
        if (!vgg_json_is(item, VGG_JSON_TEXT)) {
            return VGG_OK;
        }
        const char *name = vgg_json_text(item);
        vgg_label_table_add(&table, (double)index++, name, strlen(name));
    }
    return vgg_label_table_end(&table, key, true, side->found);
}

/* Reads a dict from indices to names, or from names to indices. */
static vgg_status read_label_dict(const struct side *side, const char *key,
                                  const struct vgg_json *dict)
{
    struct vgg_label_table table;
    vgg_label_table_begin(&table, side->load, vgg_json_count(dict));
    for (const struct vgg_json *item = vgg_json_first(dict); item != NULL;
         item = vgg_json_next(item)) {
        const char *name = vgg_json_key(item);
        if (vgg_json_is(item, VGG_JSON_NUMBER)) {
            vgg_label_table_add(&table, vgg_json_number(item), name, strlen(name));
        } else if (vgg_json_is(item, VGG_JSON_TEXT)) {
            const char *text = vgg_json_text(item);
            vgg_label_table_add(&table, vgg_label_parse_index(name, strlen(name)), text,
                                strlen(text));
        } else {
            return VGG_OK;
        }
    }
    return vgg_label_table_end(&table, key, true, side->found);
}

/* Whether transformers made up the names: "LABEL_0". */
static bool are_made_up(const struct vgg_json *dict)
{
    const struct vgg_json *first = vgg_json_first(dict);
    return vgg_json_is(first, VGG_JSON_TEXT) && strncmp(vgg_json_text(first), "LABEL_", 6) == 0;
}

static vgg_status read_labels(const struct side *side, const struct vgg_json *object)
{
    static const char *const keys[] = {"id2label", "label_names", "class_names", "classes",
                                       "class_to_idx"};
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && status == VGG_OK; i++) {
        const struct vgg_json *value = vgg_json_get(object, keys[i]);
        const char *where = make_where(side, keys[i]);
        if (where == NULL) {
            return fail_memory(side);
        }
        if (vgg_json_is(value, VGG_JSON_LIST) && vgg_json_count(value) > 0) {
            status = read_label_list(side, where, value);
        } else if (vgg_json_is(value, VGG_JSON_OBJECT) && vgg_json_count(value) > 0 &&
                   !are_made_up(value)) {
            status = read_label_dict(side, where, value);
        }
    }
    return status;
}

/* ---- timm's pretrained_cfg ---- */

/* Sets the input, and a resize that the crop is this part of. */
static vgg_status set_sizes(const struct side *side, const char *where, struct vgg_pixels size,
                            double crop_pct, bool squash)
{
    struct vgg_found *found = side->found;
    struct vgg_preprocess *steps = &found->steps;
    const double longer = size.h > size.w ? size.h : size.w;
    if (where == NULL) {
        return fail_memory(side);
    }
    if (!(crop_pct > 0) || !(longer / crop_pct <= VGG_MAX_SIDE)) {
        return VGG_OK;
    }
    found->input = found->resize = found->crop = where;
    found->is_input_certain = true;
    found->size = size;
    steps->crop = size.h;
    steps->crop_width = size.h == size.w ? 0 : size.w;
    steps->resize = (int)floor(size.h / crop_pct);
    /* One number keeps the aspect; two squash, as timm does for an input that is no square. */
    steps->resize_width = squash || size.h != size.w ? (int)floor(size.w / crop_pct) : 0;
    return VGG_OK;
}

static vgg_status read_interpolation(const struct side *side, const char *where,
                                     const struct vgg_json *value)
{
    struct vgg_found *found = side->found;
    if (vgg_json_is(value, VGG_JSON_TEXT) &&
        vgg_interpolation_parse(vgg_json_text(value), &found->steps.interpolation)) {
        found->interpolation = where;
    }
    return VGG_OK;
}

/* Reads input_size [channels, height, width], crop_pct, crop_mode and interpolation. */
static vgg_status read_pretrained(const struct side *side, const struct vgg_json *config)
{
    const char *where = make_where(side, "pretrained_cfg");
    const struct vgg_json *size = vgg_json_get(config, "input_size");
    const struct vgg_json *part = vgg_json_get(config, "crop_pct");
    const struct vgg_json *mode = vgg_json_get(config, "crop_mode");
    vgg_status status =
        where != NULL ? read_values(side, config, "mean", "std") : fail_memory(side);
    const bool known_mode = mode == NULL || vgg_json_is(mode, VGG_JSON_NULL) ||
                            is_text(mode, "center") || is_text(mode, "squash");
    if (status == VGG_OK && known_mode && vgg_json_is(size, VGG_JSON_LIST) &&
        vgg_json_count(size) == 3) {
        const struct vgg_json *height = vgg_json_next(vgg_json_first(size));
        const struct vgg_pixels pixels = {read_side(height), read_side(vgg_json_next(height))};
        side->found->is_resize_default = !vgg_json_is(part, VGG_JSON_NUMBER);
        const double crop_pct =
            side->found->is_resize_default ? 0.875 /* timm's default */ : vgg_json_number(part);
        if (pixels.h > 0 && pixels.w > 0) {
            status = set_sizes(side, where, pixels, crop_pct, is_text(mode, "squash"));
        }
    }
    return status ? status : read_interpolation(side, where, vgg_json_get(config, "interpolation"));
}

/* Whether a config.json is of another kind of net. */
static bool is_other_net(const struct vgg_json *root)
{
    const struct vgg_json *name = vgg_json_get(root, "architecture");
    return vgg_json_is(name, VGG_JSON_TEXT) && strstr(vgg_json_text(name), "vgg") == NULL;
}

static vgg_status read_config(const struct side *side, const struct vgg_json *root)
{
    if (is_other_net(root)) {
        return VGG_OK;
    }
    const struct vgg_json *pretrained = vgg_json_get(root, "pretrained_cfg");
    vgg_status status = read_labels(side, root);
    status =
        status ? status : vgg_timm_read_settings(side->load, side->path, root, &side->found->net);
    if (status == VGG_OK && vgg_json_is(pretrained, VGG_JSON_OBJECT)) {
        status = read_labels(side, pretrained);
        status = status ? status : read_pretrained(side, pretrained);
    }
    return status;
}

/* ---- transformers' preprocessor_config.json ---- */

/* Reads {"height": 224, "width": 224}, {"shortest_edge": 256} or a number. A width of 0 keeps the aspect. */
static bool read_edge(const struct vgg_json *value, int *height, int *width)
{
    *width = 0;
    if (vgg_json_is(value, VGG_JSON_OBJECT)) {
        const int shortest = read_side(vgg_json_get(value, "shortest_edge"));
        *height = shortest > 0 ? shortest : read_side(vgg_json_get(value, "height"));
        *width = shortest > 0 ? 0 : read_side(vgg_json_get(value, "width"));
        return shortest > 0 || (*height > 0 && *width > 0);
    }
    *height = read_side(value);
    return *height > 0;
}

static bool is_off(const struct vgg_json *root, const char *key)
{
    const struct vgg_json *value = vgg_json_get(root, key);
    return vgg_json_is(value, VGG_JSON_BOOL) && !vgg_json_bool(value);
}

static vgg_status read_steps(const struct side *side, const struct vgg_json *root)
{
    struct vgg_found *found = side->found;
    struct vgg_preprocess *steps = &found->steps;
    int height = 0, width = 0, crop = 0, crop_width = 0;
    const bool resizes =
        !is_off(root, "do_resize") && read_edge(vgg_json_get(root, "size"), &height, &width);
    const bool crops = !is_off(root, "do_center_crop") &&
                       read_edge(vgg_json_get(root, "crop_size"), &crop, &crop_width);
    const char *where = make_where(side, "size, crop_size");
    if (where == NULL) {
        return fail_memory(side);
    }
    if (!resizes || (!crops && width == 0)) {
        return VGG_OK; /* images of several sizes */
    }
    found->input = found->resize = found->crop = where;
    found->is_input_certain = true;
    found->is_resize_default = false;
    steps->resize = height;
    steps->resize_width = width;
    steps->crop = crops ? crop : 0;
    steps->crop_width = crops && crop_width != crop ? crop_width : 0;
    found->size = (struct vgg_pixels){crops ? crop : height,
                                      crops ? (crop_width > 0 ? crop_width : crop) : width};
    return VGG_OK;
}

/* Pillow's numbers of filters. */
static void read_resample(const struct side *side, const char *where, const struct vgg_json *value)
{
    static const enum vgg_interpolation filters[] = {
        VGG_INTERPOLATION_NEAREST, VGG_INTERPOLATION_LANCZOS, VGG_INTERPOLATION_BILINEAR,
        VGG_INTERPOLATION_BICUBIC};
    uint64_t number;
    if (value != NULL && vgg_json_size(value, &number) &&
        number < sizeof filters / sizeof filters[0]) {
        side->found->steps.interpolation = filters[number];
        side->found->interpolation = where;
    }
}

static vgg_status read_preprocessor(const struct side *side, const struct vgg_json *root)
{
    const char *where = make_where(side, "resample");
    if (where == NULL) {
        return fail_memory(side);
    }
    vgg_status status = read_steps(side, root);
    if (status == VGG_OK && !is_off(root, "do_rescale") && !is_off(root, "do_normalize")) {
        status = read_values(side, root, "image_mean", "image_std");
    }
    read_resample(side, where, vgg_json_get(root, "resample"));
    return status;
}

/* ---- files ---- */

typedef vgg_status read_fn(const struct side *side, const struct vgg_json *root);

/* Reports a file that cannot be used, which the net can do without. */
static vgg_status report(const struct side *side, const struct vgg_error *reason)
{
    vgg_log(side->load->arena->context, VGG_LOG_WARNING,
            "%s; not used, it was read because it stands beside %s", reason->message,
            side->load->path);
    return VGG_OK;
}

static vgg_status parse(const struct side *side, const struct vgg_file *file, read_fn *read)
{
    const struct vgg_json_bounds bounds = {.depth = 16, .values = 100000};
    struct vgg_error reason = {0};
    struct vgg_load load = *side->load;
    struct vgg_json *root;
    load.path = side->path;
    load.err = &reason;
    vgg_status status = vgg_json_parse(&load, file->data, file->size, &bounds, &root);
    if (status == VGG_ERR_MEMORY) {
        return fail_memory(side);
    }
    if (status != VGG_OK) {
        return report(side, &reason);
    }
    status = vgg_json_is(root, VGG_JSON_OBJECT) ? read(side, root) : VGG_OK;
    vgg_json_free(root);
    return status;
}

static vgg_status read_side_file(const struct side *side, read_fn *read)
{
    const struct vgg_load *load = side->load;
    const char *slash = strrchr(load->path, '/');
    const size_t folder = slash != NULL ? (size_t)(slash + 1 - load->path) : 0;
    char *path = vgg_load_alloc(load, folder + strlen(side->name) + 1, 1);
    struct vgg_error reason = {0};
    struct vgg_file file;
    if (path == NULL) {
        return fail_memory(side);
    }
    memcpy(path, load->path, folder);
    strcpy(path + folder, side->name);
    vgg_status status = vgg_file_read_regular(
        path, load->limits->json_bytes, vgg_allocator_of(load->arena->context), &file, &reason);
    if (status == VGG_ERR_MEMORY) {
        return fail_memory(side);
    }
    if (status == VGG_ERR_IO && (reason.sys_errno == ENOENT || reason.sys_errno == ENOTDIR)) {
        return VGG_OK;
    }
    if (status != VGG_OK) {
        return report(side, &reason);
    }
    const struct side opened = {load, side->name, path, side->found};
    status = parse(&opened, &file, read);
    vgg_file_close(&file);
    return status;
}

vgg_status vgg_found_read_side_files(const struct vgg_load *load, struct vgg_found *found)
{
    const struct side config = {.load = load, .name = "config.json", .found = found};
    const struct side preprocessor = {
        .load = load, .name = "preprocessor_config.json", .found = found};
    vgg_status status = read_side_file(&config, read_config);
    return status ? status : read_side_file(&preprocessor, read_preprocessor);
}
