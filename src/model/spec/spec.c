/* SPDX-License-Identifier: MIT */
/* Reads a net's description from JSON. */
#include "model/spec/spec.h"

#include <stdio.h>
#include <string.h>

#include "model/spec/defaults.h"
#include "model/spec/fields.h"
#include "model/spec/layers.h"
#include "model/spec/read_assumed.h"
#include "model/spec/read_layers.h"
#include "model/spec/read_preprocess.h"

/* The smallest step between two int8 values; the product of two such steps is still a normal float32. */
#define MIN_SCALE 1e-12

/* Reads a list of texts.
 *   *count  the most that there may be; receives how many there are */
static vgg_status read_texts(const struct vgg_load *load, const char *where,
                             const struct vgg_json *list, const char ***out, size_t *count)
{
    char key[VGG_KEY_BYTES];
    size_t i = 0;
    vgg_status status = vgg_read_count(load, where, list, (uint32_t)*count, count);
    if (status != VGG_OK) {
        return status;
    }
    *out = vgg_load_alloc(load, *count, sizeof **out);
    if (*out == NULL) {
        return vgg_load_fail_memory(load, *count * sizeof **out, "the description");
    }
    for (const struct vgg_json *text = vgg_json_first(list); text != NULL && status == VGG_OK;
         text = vgg_json_next(text), i++) {
        snprintf(key, sizeof key, "%s[%zu]", where, i);
        status = vgg_read_text(load, key, text, &(*out)[i]);
    }
    return status;
}

/* Reads a list of class names. */
static vgg_status read_label_list(const struct vgg_load *load, const struct vgg_json *list,
                                  struct vgg_labels *out)
{
    out->count = VGG_MAX_CHANNELS;
    return read_texts(load, "labels", list, &out->names, &out->count);
}

/* Reads the names of what the net does not use: no more than a file has tensors. */
static vgg_status read_unused(const struct vgg_load *load, const struct vgg_json *list,
                              struct vgg_spec *spec)
{
    spec->unused_count = load->limits->tensors;
    return read_texts(load, "unused", list, &spec->unused, &spec->unused_count);
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
    if (status == VGG_OK) {
        status = vgg_labels_fit(load->path, classes, load->arena, out, load->err);
    }
    if (status == VGG_ERR_MISMATCH) {
        return vgg_fail(load->err, VGG_ERR_FORMAT,
                        "%s: labels: expected %d, one for each output of the classifier, found %zu",
                        load->path, classes, out->count);
    }
    return status;
}

size_t vgg_spec_count_scales(const struct vgg_spec *spec)
{
    return vgg_spec_count(spec, VGG_LAYER_CONV) + vgg_spec_count(spec, VGG_LAYER_LINEAR) - 1;
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
        (status = vgg_spec_read_rgb(load, "int8.low", low, -1e6, spec->grid.low)) != VGG_OK ||
        (status = vgg_spec_read_rgb(load, "int8.step", step, MIN_SCALE, spec->grid.step)) !=
            VGG_OK) {
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
    struct vgg_layer_keys layers;
    const struct vgg_json *input, *preprocess, *labels, *checkpoint, *accuracy, *int8, *assumed,
        *unused;
};

static vgg_status read_keys(const struct vgg_load *load, const struct vgg_json *root,
                            struct parts *parts, struct vgg_spec *spec)
{
    struct vgg_layer_keys *layers = &parts->layers;
    const struct vgg_field fields[] = {
        {"schema", VGG_FIELD_INT, &parts->schema, true, {1, 1e9}},
        {"name", VGG_FIELD_TEXT, &spec->name, false, {0, 0}},
        {"input", VGG_FIELD_ANY, &parts->input, false, {0, 0}},
        {"layers", VGG_FIELD_ANY, &layers->layers, true, {0, 0}},
        {"batch_norm", VGG_FIELD_BOOL, &layers->batch_norm, false, {0, 0}},
        {"avgpool", VGG_FIELD_INT, &layers->avgpool, false, {1, VGG_MAX_SIDE}},
        {"classifier", VGG_FIELD_ANY, &layers->classifier, false, {0, 0}},
        {"dropout", VGG_FIELD_BOOL, &layers->dropout, false, {0, 0}},
        {"flatten", VGG_FIELD_TEXT, &layers->flatten, false, {0, 0}},
        {"preprocess", VGG_FIELD_ANY, &parts->preprocess, false, {0, 0}},
        {"labels", VGG_FIELD_ANY, &parts->labels, false, {0, 0}},
        {"checkpoint", VGG_FIELD_ANY, &parts->checkpoint, false, {0, 0}},
        {"accuracy", VGG_FIELD_ANY, &parts->accuracy, false, {0, 0}},
        {"int8", VGG_FIELD_ANY, &parts->int8, false, {0, 0}},
        {"assumed", VGG_FIELD_ANY, &parts->assumed, false, {0, 0}},
        {"unused", VGG_FIELD_ANY, &parts->unused, false, {0, 0}},
        {"average_pool_assumed", VGG_FIELD_BOOL, &spec->average_pool_assumed, false, {0, 0}},
    };
    /* The schema is checked first: a later one may have other keys. */
    const struct vgg_json *version = vgg_json_get(root, "schema");
    if (vgg_json_is(version, VGG_JSON_NUMBER) && vgg_json_number(version) > VGG_SPEC_SCHEMA) {
        return vgg_fail(load->err, VGG_ERR_UNSUPPORTED, "%s: schema: expected %d, found %.9g",
                        load->path, VGG_SPEC_SCHEMA, vgg_json_number(version));
    }
    return VGG_READ_OBJECT(load, "", root, fields);
}

/* Reads the side of a square input of three channels, or [channels, height, width]. */
static vgg_status read_size(const struct vgg_load *load, const struct vgg_json *item,
                            struct vgg_spec *spec)
{
    const struct vgg_range sides = {1, VGG_MAX_SIDE}, channels = {1, VGG_MAX_CHANNELS};
    if (vgg_json_is(item, VGG_JSON_LIST) && vgg_json_count(item) == 3) {
        const struct vgg_json *c = vgg_json_first(item), *h = vgg_json_next(c);
        vgg_status status = vgg_read_int(load, "input[0]", c, channels, &spec->channels);
        status = status ? status : vgg_read_int(load, "input[1]", h, sides, &spec->input.h);
        return status ? status
                      : vgg_read_int(load, "input[2]", vgg_json_next(h), sides, &spec->input.w);
    }
    vgg_status status = vgg_read_int(load, "input", item, sides, &spec->input.h);
    spec->input.w = spec->input.h;
    return status;
}

/* Records the size that a description says, assumes or leaves open. */
static void note_size(const struct vgg_load *load, bool given, struct vgg_spec *spec)
{
    char value[32];
    struct vgg_evidence size = {.property = "input size", .value = value};
    const struct vgg_evidence *assumed = vgg_evidence_find(&spec->evidence, size.property);
    snprintf(value, sizeof value, "%dx%d", spec->input.h, spec->input.w);
    size.source = given && assumed == NULL ? VGG_EVIDENCE_FILE : VGG_EVIDENCE_CONVENTION;
    if (assumed != NULL) {
        size.why = assumed->why;
        size.alternatives = assumed->alternatives;
    }
    vgg_evidence_add(&spec->evidence, load->arena, &size);
}

/* Derives the input size from the layers if the description does not have it. */
static vgg_status find_size(const struct vgg_load *load, bool given, struct vgg_spec *spec)
{
    if (!given) {
        spec->input = vgg_spec_natural_input(spec);
    }
    if (spec->input.h == 0) {
        return vgg_fail(load->err, VGG_ERR_FORMAT,
                        "%s: input: the key is missing, and the layers do not show the size: "
                        "expected a side in pixels, or [channels, height, width]",
                        load->path);
    }
    note_size(load, given, spec);
    return VGG_OK;
}

/* Reads the preprocessing, which must give an image of the input's size. */
static vgg_status read_preprocessing(const struct vgg_load *load, const struct vgg_json *item,
                                     struct vgg_spec *spec)
{
    spec->preprocess_source = item != NULL ? VGG_EVIDENCE_FILE : VGG_EVIDENCE_CONVENTION;
    return item != NULL ? vgg_spec_read_preprocess(load, item, spec->input.h, spec->input.w,
                                                   &spec->preprocess)
                        : vgg_spec_default_preprocess(spec, load->err);
}

static vgg_status read_spec(const struct vgg_load *load, const struct vgg_json *root,
                            struct vgg_spec *spec)
{
    struct parts parts = {.layers = {.dropout = true, .avgpool = 7}};
    *spec = (struct vgg_spec){.channels = 3};
    vgg_status status = read_keys(load, root, &parts, spec);
    if (status == VGG_OK && parts.assumed != NULL) {
        status = vgg_spec_read_assumed(load, parts.assumed, &spec->evidence);
    }
    status = status ? status : vgg_spec_read_layers(load, &parts.layers, spec);
    if (status == VGG_OK && parts.input != NULL) {
        status = read_size(load, parts.input, spec);
    } else if (status == VGG_OK) {
        spec->channels = vgg_spec_find_channels(spec);
    }
    status = status ? status : vgg_layers_connect(load, spec);
    status = status ? status : find_size(load, parts.input != NULL, spec);
    status = status ? status : read_preprocessing(load, parts.preprocess, spec);
    if (status == VGG_OK && parts.unused != NULL) {
        status = read_unused(load, parts.unused, spec);
    }
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
    return status == VGG_OK && spec->evidence.failed
               ? vgg_load_fail_memory(load, 1, "the description")
               : status;
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
