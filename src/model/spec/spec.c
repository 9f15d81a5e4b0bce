/* A net's description in JSON: what surrounds its layers, and the whole. */
#include "model/spec/spec.h"

#include <stdio.h>
#include <string.h>

#include "model/spec/defaults.h"
#include "model/spec/fields.h"
#include "model/spec/read_layers.h"

/* Of what a byte stands for: products of some such numbers are no denormals. */
#define LEAST_SCALE 1e-12

/* Three numbers for R, G and B, or one for all of them. */
static vgg_status read_rgb(const struct vgg_reader *reader, const char *key,
                           const struct vgg_json *list, double least, float out[3])
{
    double value = 0;
    if (vgg_json_is(list, VGG_JSON_NUMBER)) {
        vgg_status status = vgg_read_number(reader, key, list, least, 1e6, &value);
        out[0] = out[1] = out[2] = (float)value;
        return status;
    }
    if (!vgg_json_is(list, VGG_JSON_LIST) || vgg_json_count(list) != 3) {
        return vgg_reader_fail_expected(reader, key, "a list of three numbers or a single one",
                                        list);
    }
    const struct vgg_json *item = vgg_json_first(list);
    for (int i = 0; i < 3; i++, item = vgg_json_next(item)) {
        vgg_status status = vgg_read_number(reader, key, item, least, 1e6, &value);
        if (status != VGG_OK) {
            return status;
        }
        out[i] = (float)value;
    }
    return VGG_OK;
}

/* A preset's name, or numbers; sizes that are not among them are the input's. */
static vgg_status read_preprocess(const struct vgg_reader *reader, const struct vgg_json *item,
                                  int input, struct vgg_preprocess *out)
{
    const struct vgg_json *mean = NULL, *std = NULL;
    const struct vgg_field custom[] = {
        {"resize", VGG_FIELD_INT, &out->resize, false, 0, VGG_MAX_SIDE},
        {"crop", VGG_FIELD_INT, &out->crop, false, 0, VGG_MAX_SIDE},
        {"mean", VGG_FIELD_ANY, &mean, true, 0, 0},
        {"std", VGG_FIELD_ANY, &std, true, 0, 0},
    };
    const char *key = "preprocess";
    if (vgg_json_is(item, VGG_JSON_TEXT)) {
        struct vgg_error reason = {0};
        return vgg_preprocess_find(vgg_json_text(item), out, &reason) == VGG_OK
                   ? VGG_OK
                   : vgg_reader_fail_key(reader, key, reason.message);
    }
    if (!vgg_json_is(item, VGG_JSON_OBJECT)) {
        return vgg_reader_fail_expected(reader, key, "a preset's name or an object", item);
    }
    *out = (struct vgg_preprocess){.name = "custom", .resize = input, .crop = input};
    vgg_status status = VGG_READ_OBJECT(reader, key, item, custom);
    if (status != VGG_OK ||
        (status = read_rgb(reader, "preprocess.mean", mean, -1e6, out->mean)) != VGG_OK) {
        return status;
    }
    return read_rgb(reader, "preprocess.std", std, 1e-6, out->std);
}

/* The name of a built-in list, or the names. */
static vgg_status read_labels(const struct vgg_reader *reader, const struct vgg_json *item,
                              int classes, struct vgg_labels *out)
{
    char key[VGG_KEY_BYTES];
    vgg_status status;
    if (vgg_json_is(item, VGG_JSON_TEXT)) {
        struct vgg_error reason = {0};
        status = vgg_labels_find(vgg_json_text(item), reader->arena, out, &reason);
        if (status == VGG_ERR_MEMORY) {
            return vgg_fail(reader->err, status, "%s", reason.message);
        }
        if (status != VGG_OK) {
            return vgg_reader_fail_key(reader, "labels", reason.message);
        }
    } else {
        status = vgg_read_count(reader, "labels", item, VGG_MAX_CHANNELS, &out->count);
        if (status != VGG_OK) {
            return status;
        }
        out->names = vgg_arena_alloc(reader->arena, out->count, sizeof *out->names);
        if (out->names == NULL) {
            return vgg_reader_fail_memory(reader, out->count * sizeof *out->names);
        }
        size_t i = 0;
        for (const struct vgg_json *name = vgg_json_first(item); name != NULL;
             name = vgg_json_next(name), i++) {
            snprintf(key, sizeof key, "labels[%zu]", i);
            status = vgg_read_text(reader, key, name, &out->names[i]);
            if (status != VGG_OK) {
                return status;
            }
        }
    }
    if (out->count != (size_t)classes) {
        return vgg_fail(reader->err, VGG_ERR_FORMAT,
                        "%s: labels: expected %d, as many as the classifier has classes, found %zu",
                        reader->source, classes, out->count);
    }
    return VGG_OK;
}

size_t vgg_spec_count_scales(const struct vgg_spec *spec)
{
    size_t count = spec->head_count - 1;
    for (size_t i = 0; i < spec->layer_count; i++) {
        count += spec->layers[i].kind == VGG_LAYER_CONV;
    }
    return count;
}

/* How activations are quantised. */
static vgg_status read_int8(const struct vgg_reader *reader, const struct vgg_json *item,
                            struct vgg_spec *spec)
{
    const struct vgg_json *low = NULL, *step = NULL, *scales = NULL;
    const struct vgg_field fields[] = {
        {"low", VGG_FIELD_ANY, &low, true, 0, 0},
        {"step", VGG_FIELD_ANY, &step, true, 0, 0},
        {"scales", VGG_FIELD_ANY, &scales, true, 0, 0},
    };
    const size_t expected = vgg_spec_count_scales(spec);
    char key[VGG_KEY_BYTES];
    double value;
    size_t count = 0;
    vgg_status status = VGG_READ_OBJECT(reader, "int8", item, fields);
    if (status != VGG_OK ||
        (status = read_rgb(reader, "int8.low", low, -1e6, spec->grid.low)) != VGG_OK ||
        (status = read_rgb(reader, "int8.step", step, LEAST_SCALE, spec->grid.step)) != VGG_OK) {
        return status;
    }
    if (!vgg_json_is(scales, VGG_JSON_LIST) || vgg_json_count(scales) != expected) {
        snprintf(key, sizeof key, "a list of %zu numbers", expected);
        return vgg_reader_fail_expected(reader, "int8.scales", key, scales);
    }
    spec->scales = vgg_arena_alloc(reader->arena, expected, sizeof *spec->scales);
    if (spec->scales == NULL) {
        return vgg_reader_fail_memory(reader, expected * sizeof *spec->scales);
    }
    for (const struct vgg_json *scale = vgg_json_first(scales); scale != NULL;
         scale = vgg_json_next(scale), count++) {
        snprintf(key, sizeof key, "int8.scales[%zu]", count);
        status = vgg_read_number(reader, key, scale, LEAST_SCALE, 1 / LEAST_SCALE, &value);
        if (status != VGG_OK) {
            return status;
        }
        spec->scales[count] = (float)value;
    }
    spec->int8 = true;
    return VGG_OK;
}

/* What is published about the weights. */
static vgg_status read_checkpoint(const struct vgg_reader *reader, const struct vgg_json *item,
                                  struct vgg_spec *spec)
{
    double bytes = 0;
    const char *prefix = NULL;
    const struct vgg_field fields[] = {
        {"file", VGG_FIELD_TEXT, &spec->file, true, 0, 0},
        {"sha256", VGG_FIELD_TEXT, &spec->sha256, false, 0, 0},
        {"sha256_prefix", VGG_FIELD_TEXT, &prefix, false, 0, 0},
        {"bytes", VGG_FIELD_NUMBER, &bytes, false, 1, 1e15},
    };
    vgg_status status = VGG_READ_OBJECT(reader, "checkpoint", item, fields);
    if (status != VGG_OK) {
        return status;
    }
    static const char digits[] = "0123456789abcdef";
    if (spec->sha256 != NULL &&
        (strlen(spec->sha256) != 64 || strspn(spec->sha256, digits) != 64)) {
        return vgg_reader_fail_key(reader, "checkpoint.sha256", "expected 64 hexadecimal digits");
    }
    if (prefix != NULL &&
        (strlen(prefix) < 8 || strlen(prefix) > 64 || prefix[strspn(prefix, digits)] != '\0')) {
        return vgg_reader_fail_key(reader, "checkpoint.sha256_prefix",
                                   "expected 8 to 64 hexadecimal digits");
    }
    spec->sha256 = spec->sha256 != NULL ? spec->sha256 : prefix;
    spec->bytes = (uint64_t)bytes;
    return VGG_OK;
}

static vgg_status read_accuracy(const struct vgg_reader *reader, const struct vgg_json *item,
                                struct vgg_spec *spec)
{
    const struct vgg_field fields[] = {
        {"acc@1", VGG_FIELD_NUMBER, &spec->acc1, true, 0, 100},
        {"acc@5", VGG_FIELD_NUMBER, &spec->acc5, false, 0, 100},
    };
    return VGG_READ_OBJECT(reader, "accuracy", item, fields);
}

static vgg_status read_spec(const struct vgg_reader *reader, const struct vgg_json *root,
                            struct vgg_spec *spec)
{
    int schema = 0;
    bool batch_norm = false, dropout = true;
    const struct vgg_json *layers = NULL, *classifier = NULL, *preprocess = NULL, *labels = NULL;
    const struct vgg_json *checkpoint = NULL, *accuracy = NULL, *int8 = NULL;
    const struct vgg_field fields[] = {
        {"schema", VGG_FIELD_INT, &schema, true, 1, 1e9},
        {"name", VGG_FIELD_TEXT, &spec->name, false, 0, 0},
        {"input", VGG_FIELD_INT, &spec->input, false, 1, VGG_MAX_SIDE},
        {"layers", VGG_FIELD_ANY, &layers, true, 0, 0},
        {"batch_norm", VGG_FIELD_BOOL, &batch_norm, false, 0, 0},
        {"avgpool", VGG_FIELD_INT, &spec->avgpool, false, 1, VGG_MAX_SIDE},
        {"classifier", VGG_FIELD_ANY, &classifier, true, 0, 0},
        {"dropout", VGG_FIELD_BOOL, &dropout, false, 0, 0},
        {"preprocess", VGG_FIELD_ANY, &preprocess, false, 0, 0},
        {"labels", VGG_FIELD_ANY, &labels, false, 0, 0},
        {"checkpoint", VGG_FIELD_ANY, &checkpoint, false, 0, 0},
        {"accuracy", VGG_FIELD_ANY, &accuracy, false, 0, 0},
        {"int8", VGG_FIELD_ANY, &int8, false, 0, 0},
    };
    /* First of all: a later schema may have other keys. */
    const struct vgg_json *version = vgg_json_get(root, "schema");
    if (vgg_json_is(version, VGG_JSON_NUMBER) && vgg_json_number(version) > VGG_SPEC_SCHEMA) {
        return vgg_fail(reader->err, VGG_ERR_UNSUPPORTED, "%s: schema: expected %d, found %.9g",
                        reader->source, VGG_SPEC_SCHEMA, vgg_json_number(version));
    }
    *spec = (struct vgg_spec){.avgpool = 7};
    vgg_status status = VGG_READ_OBJECT(reader, "", root, fields);
    if (status != VGG_OK ||
        (status = vgg_spec_read_layers(reader, layers, batch_norm, spec)) != VGG_OK ||
        (status = vgg_spec_read_classifier(reader, classifier, dropout, spec)) != VGG_OK) {
        return status;
    }
    spec->assumed_input = spec->input == 0;
    spec->assumed_preprocess = preprocess == NULL;
    spec->input = spec->input > 0 ? spec->input : vgg_spec_natural_input(spec);
    status = preprocess != NULL
                 ? read_preprocess(reader, preprocess, spec->input, &spec->preprocess)
                 : vgg_spec_default_preprocess(spec->input, &spec->preprocess, reader->err);
    if (status == VGG_OK && spec->preprocess.crop > 0 && spec->preprocess.crop != spec->input) {
        status = vgg_fail(reader->err, VGG_ERR_FORMAT,
                          "%s: preprocess: expected a crop of %d, the net's input, found %d",
                          reader->source, spec->input, spec->preprocess.crop);
    }
    if (status == VGG_OK && labels != NULL) {
        status = read_labels(reader, labels, vgg_spec_get_classes(spec), &spec->labels);
    }
    if (status == VGG_OK && checkpoint != NULL) {
        status = read_checkpoint(reader, checkpoint, spec);
    }
    if (status == VGG_OK && accuracy != NULL) {
        status = read_accuracy(reader, accuracy, spec);
    }
    if (status == VGG_OK && int8 != NULL) {
        status = read_int8(reader, int8, spec);
    }
    return status;
}

vgg_status vgg_spec_parse(const char *source, const void *json, size_t size,
                          const struct vgg_limits *limits, struct vgg_arena *arena,
                          struct vgg_spec *out, struct vgg_error *err)
{
    struct vgg_reader reader = {.source = source, .limits = limits, .arena = arena, .err = err};
    const struct vgg_json_bounds bounds = {.depth = 8, .values = 100000};
    struct vgg_json *root;
    struct vgg_spec spec;
    if (size > limits->json_bytes) {
        return vgg_fail(err, VGG_ERR_LIMIT, "%s: description has %zu bytes, limit is %llu", source,
                        size, (unsigned long long)limits->json_bytes);
    }
    vgg_status status =
        vgg_json_parse(source, json, size, &bounds, vgg_allocator_of(arena->context), &root, err);
    if (status == VGG_OK) {
        status = read_spec(&reader, root, &spec);
    }
    vgg_json_free(root);
    if (status == VGG_OK) {
        *out = spec;
    }
    return status;
}
