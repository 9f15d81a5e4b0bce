/* SPDX-License-Identifier: MIT */
/* Reads a net's description from JSON. */
#include "model/spec/spec.h"

#include <stdio.h>
#include <string.h>

#include "model/spec/defaults.h"
#include "model/spec/fields.h"
#include "model/spec/read_layers.h"

/* The smallest step between two int8 values; the product of two such steps is still a normal float32. */
#define MIN_SCALE 1e-12

/* Reads a list of three numbers for R, G and B, or a single number for all of them. */
static vgg_status read_rgb(const struct vgg_load *load, const char *key,
                           const struct vgg_json *list, double min, float out[3])
{
    double value = 0;
    if (vgg_json_is(list, VGG_JSON_NUMBER)) {
        vgg_status status = vgg_read_number(load, key, list, (struct vgg_range){min, 1e6}, &value);
        out[0] = out[1] = out[2] = (float)value;
        return status;
    }
    if (!vgg_json_is(list, VGG_JSON_LIST) || vgg_json_count(list) != 3) {
        return vgg_read_fail_expected(load, key, "a list of three numbers or a single one", list);
    }
    const struct vgg_json *item = vgg_json_first(list);
    for (int i = 0; i < 3; i++, item = vgg_json_next(item)) {
        vgg_status status = vgg_read_number(load, key, item, (struct vgg_range){min, 1e6}, &value);
        if (status != VGG_OK) {
            return status;
        }
        out[i] = (float)value;
    }
    return VGG_OK;
}

/* Reads a preset's name or an object; sizes that the object does not have are the input's. */
static vgg_status read_preprocess(const struct vgg_load *load, const struct vgg_json *item,
                                  int input, struct vgg_preprocess *out)
{
    const struct vgg_json *mean = NULL, *std = NULL;
    const struct vgg_field custom[] = {
        {"resize", VGG_FIELD_INT, &out->resize, false, {0, VGG_MAX_SIDE}},
        {"crop", VGG_FIELD_INT, &out->crop, false, {0, VGG_MAX_SIDE}},
        {"mean", VGG_FIELD_ANY, &mean, true, {0, 0}},
        {"std", VGG_FIELD_ANY, &std, true, {0, 0}},
    };
    const char *key = "preprocess";
    if (vgg_json_is(item, VGG_JSON_TEXT)) {
        struct vgg_error reason = {0};
        return vgg_preprocess_find(vgg_json_text(item), out, &reason) == VGG_OK
                   ? VGG_OK
                   : vgg_read_fail_key(load, key, reason.message);
    }
    if (!vgg_json_is(item, VGG_JSON_OBJECT)) {
        return vgg_read_fail_expected(load, key, "a preset's name or an object", item);
    }
    *out = (struct vgg_preprocess){.name = "custom", .resize = input, .crop = input};
    vgg_status status = VGG_READ_OBJECT(load, key, item, custom);
    if (status != VGG_OK ||
        (status = read_rgb(load, "preprocess.mean", mean, -1e6, out->mean)) != VGG_OK) {
        return status;
    }
    return read_rgb(load, "preprocess.std", std, 1e-6, out->std);
}

/* Reads a list of class names. */
static vgg_status read_label_list(const struct vgg_load *load, const struct vgg_json *list,
                                  struct vgg_labels *out)
{
    char key[VGG_KEY_BYTES];
    size_t i = 0;
    vgg_status status = vgg_read_count(load, "labels", list, VGG_MAX_CHANNELS, &out->count);
    if (status != VGG_OK) {
        return status;
    }
    out->names = vgg_load_alloc(load, out->count, sizeof *out->names);
    if (out->names == NULL) {
        return vgg_load_fail_memory(load, out->count * sizeof *out->names, "the description");
    }
    for (const struct vgg_json *name = vgg_json_first(list); name != NULL && status == VGG_OK;
         name = vgg_json_next(name), i++) {
        snprintf(key, sizeof key, "labels[%zu]", i);
        status = vgg_read_text(load, key, name, &out->names[i]);
    }
    return status;
}

/* Reads the name of a built-in list of class names. */
static vgg_status read_label_preset(const struct vgg_load *load, const struct vgg_json *item,
                                    struct vgg_labels *out)
{
    struct vgg_error reason = {0};
    vgg_status status = vgg_labels_find(vgg_json_text(item), load->arena, out, &reason);
    if (status == VGG_ERR_MEMORY) {
        return vgg_fail(load->err, status, "%s", reason.message);
    }
    return status == VGG_OK ? VGG_OK : vgg_read_fail_key(load, "labels", reason.message);
}

static vgg_status read_labels(const struct vgg_load *load, const struct vgg_json *item, int classes,
                              struct vgg_labels *out)
{
    vgg_status status = vgg_json_is(item, VGG_JSON_TEXT) ? read_label_preset(load, item, out)
                                                         : read_label_list(load, item, out);
    if (status == VGG_OK && out->count != (size_t)classes) {
        return vgg_fail(load->err, VGG_ERR_FORMAT,
                        "%s: labels: expected %d, one for each output of the classifier, found %zu",
                        load->path, classes, out->count);
    }
    return status;
}

size_t vgg_spec_count_scales(const struct vgg_spec *spec)
{
    size_t count = spec->head_count - 1;
    for (size_t i = 0; i < spec->layer_count; i++) {
        count += spec->layers[i].kind == VGG_LAYER_CONV;
    }
    return count;
}

/* Reads how activations are quantised. */
static vgg_status read_int8(const struct vgg_load *load, const struct vgg_json *item,
                            struct vgg_spec *spec)
{
    const struct vgg_json *low = NULL, *step = NULL, *scales = NULL;
    const struct vgg_field fields[] = {
        {"low", VGG_FIELD_ANY, &low, true, {0, 0}},
        {"step", VGG_FIELD_ANY, &step, true, {0, 0}},
        {"scales", VGG_FIELD_ANY, &scales, true, {0, 0}},
    };
    const size_t expected = vgg_spec_count_scales(spec);
    char key[VGG_KEY_BYTES];
    double value;
    size_t count = 0;
    vgg_status status = VGG_READ_OBJECT(load, "int8", item, fields);
    if (status != VGG_OK ||
        (status = read_rgb(load, "int8.low", low, -1e6, spec->grid.low)) != VGG_OK ||
        (status = read_rgb(load, "int8.step", step, MIN_SCALE, spec->grid.step)) != VGG_OK) {
        return status;
    }
    if (!vgg_json_is(scales, VGG_JSON_LIST) || vgg_json_count(scales) != expected) {
        snprintf(key, sizeof key, "a list of %zu numbers", expected);
        return vgg_read_fail_expected(load, "int8.scales", key, scales);
    }
    spec->scales = vgg_arena_alloc(load->arena, expected, sizeof *spec->scales);
    if (spec->scales == NULL) {
        return vgg_load_fail_memory(load, expected * sizeof *spec->scales, "the description");
    }
    for (const struct vgg_json *scale = vgg_json_first(scales); scale != NULL;
         scale = vgg_json_next(scale), count++) {
        snprintf(key, sizeof key, "int8.scales[%zu]", count);
        status =
            vgg_read_number(load, key, scale, (struct vgg_range){MIN_SCALE, 1 / MIN_SCALE}, &value);
        if (status != VGG_OK) {
            return status;
        }
        spec->scales[count] = (float)value;
    }
    spec->int8 = true;
    return VGG_OK;
}

/* Reads what is published about the weights. */
static vgg_status read_checkpoint(const struct vgg_load *load, const struct vgg_json *item,
                                  struct vgg_spec *spec)
{
    double bytes = 0;
    const char *prefix = NULL;
    const struct vgg_field fields[] = {
        {"file", VGG_FIELD_TEXT, &spec->file, true, {0, 0}},
        {"sha256", VGG_FIELD_TEXT, &spec->sha256, false, {0, 0}},
        {"sha256_prefix", VGG_FIELD_TEXT, &prefix, false, {0, 0}},
        {"bytes", VGG_FIELD_NUMBER, &bytes, false, {1, 1e15}},
    };
    vgg_status status = VGG_READ_OBJECT(load, "checkpoint", item, fields);
    if (status != VGG_OK) {
        return status;
    }
    static const char digits[] = "0123456789abcdef";
    if (spec->sha256 != NULL &&
        (strlen(spec->sha256) != 64 || strspn(spec->sha256, digits) != 64)) {
        return vgg_read_fail_key(load, "checkpoint.sha256", "expected 64 hexadecimal digits");
    }
    if (prefix != NULL &&
        (strlen(prefix) < 8 || strlen(prefix) > 64 || prefix[strspn(prefix, digits)] != '\0')) {
        return vgg_read_fail_key(load, "checkpoint.sha256_prefix",
                                 "expected 8 to 64 hexadecimal digits");
    }
    spec->sha256 = spec->sha256 != NULL ? spec->sha256 : prefix;
    spec->bytes = (uint64_t)bytes;
    return VGG_OK;
}

static vgg_status read_accuracy(const struct vgg_load *load, const struct vgg_json *item,
                                struct vgg_spec *spec)
{
    const struct vgg_field fields[] = {
        {"acc@1", VGG_FIELD_NUMBER, &spec->acc1, true, {0, 100}},
        {"acc@5", VGG_FIELD_NUMBER, &spec->acc5, false, {0, 100}},
    };
    return VGG_READ_OBJECT(load, "accuracy", item, fields);
}

/* The values of a description's keys that are read after all keys are known; NULL: the key is absent. */
struct parts {
    int schema;
    bool batch_norm, dropout;
    const struct vgg_json *layers, *classifier, *preprocess, *labels, *checkpoint, *accuracy, *int8;
};

static vgg_status read_keys(const struct vgg_load *load, const struct vgg_json *root,
                            struct parts *parts, struct vgg_spec *spec)
{
    const struct vgg_field fields[] = {
        {"schema", VGG_FIELD_INT, &parts->schema, true, {1, 1e9}},
        {"name", VGG_FIELD_TEXT, &spec->name, false, {0, 0}},
        {"input", VGG_FIELD_INT, &spec->input, false, {1, VGG_MAX_SIDE}},
        {"layers", VGG_FIELD_ANY, &parts->layers, true, {0, 0}},
        {"batch_norm", VGG_FIELD_BOOL, &parts->batch_norm, false, {0, 0}},
        {"avgpool", VGG_FIELD_INT, &spec->avgpool, false, {1, VGG_MAX_SIDE}},
        {"classifier", VGG_FIELD_ANY, &parts->classifier, true, {0, 0}},
        {"dropout", VGG_FIELD_BOOL, &parts->dropout, false, {0, 0}},
        {"preprocess", VGG_FIELD_ANY, &parts->preprocess, false, {0, 0}},
        {"labels", VGG_FIELD_ANY, &parts->labels, false, {0, 0}},
        {"checkpoint", VGG_FIELD_ANY, &parts->checkpoint, false, {0, 0}},
        {"accuracy", VGG_FIELD_ANY, &parts->accuracy, false, {0, 0}},
        {"int8", VGG_FIELD_ANY, &parts->int8, false, {0, 0}},
    };
    /* The schema is checked first: a later one may have other keys. */
    const struct vgg_json *version = vgg_json_get(root, "schema");
    if (vgg_json_is(version, VGG_JSON_NUMBER) && vgg_json_number(version) > VGG_SPEC_SCHEMA) {
        return vgg_fail(load->err, VGG_ERR_UNSUPPORTED, "%s: schema: expected %d, found %.9g",
                        load->path, VGG_SPEC_SCHEMA, vgg_json_number(version));
    }
    return VGG_READ_OBJECT(load, "", root, fields);
}

/* Reads or derives the input size and the preprocessing, and checks that they agree. */
static vgg_status read_input(const struct vgg_load *load, const struct vgg_json *preprocess,
                             struct vgg_spec *spec)
{
    spec->assumed_input = spec->input == 0;
    spec->assumed_preprocess = preprocess == NULL;
    spec->input = spec->input > 0 ? spec->input : vgg_spec_natural_input(spec);
    vgg_status status =
        preprocess != NULL ? read_preprocess(load, preprocess, spec->input, &spec->preprocess)
                           : vgg_spec_default_preprocess(spec->input, &spec->preprocess, load->err);
    if (status == VGG_OK && spec->preprocess.crop > 0 && spec->preprocess.crop != spec->input) {
        return vgg_fail(load->err, VGG_ERR_FORMAT,
                        "%s: preprocess: expected a crop of %d, the net's input, found %d",
                        load->path, spec->input, spec->preprocess.crop);
    }
    return status;
}

static vgg_status read_spec(const struct vgg_load *load, const struct vgg_json *root,
                            struct vgg_spec *spec)
{
    struct parts parts = {.dropout = true};
    *spec = (struct vgg_spec){.avgpool = 7};
    vgg_status status = read_keys(load, root, &parts, spec);
    status = status ? status : vgg_spec_read_layers(load, parts.layers, parts.batch_norm, spec);
    status =
        status ? status : vgg_spec_read_classifier(load, parts.classifier, parts.dropout, spec);
    status = status ? status : read_input(load, parts.preprocess, spec);
    if (status == VGG_OK && parts.labels != NULL) {
        status = read_labels(load, parts.labels, vgg_spec_get_classes(spec), &spec->labels);
    }
    if (status == VGG_OK && parts.checkpoint != NULL) {
        status = read_checkpoint(load, parts.checkpoint, spec);
    }
    if (status == VGG_OK && parts.accuracy != NULL) {
        status = read_accuracy(load, parts.accuracy, spec);
    }
    if (status == VGG_OK && parts.int8 != NULL) {
        status = read_int8(load, parts.int8, spec);
    }
    return status;
}

vgg_status vgg_spec_parse(const struct vgg_load *load, const void *json, size_t size,
                          struct vgg_spec *out)
{
    const struct vgg_json_bounds bounds = {.depth = 8, .values = 100000};
    struct vgg_json *root;
    struct vgg_spec spec;
    if (size > load->limits->json_bytes) {
        return vgg_fail(load->err, VGG_ERR_LIMIT, "%s: description has %zu bytes, limit is %llu",
                        load->path, size, (unsigned long long)load->limits->json_bytes);
    }
    vgg_status status = vgg_json_parse(load, json, size, &bounds, &root);
    if (status == VGG_OK) {
        status = read_spec(load, root, &spec);
    }
    vgg_json_free(root);
    if (status == VGG_OK) {
        *out = spec;
    }
    return status;
}
