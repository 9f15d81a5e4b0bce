/* A net's description in JSON.
 *
 * Nothing is passed over: an unknown key, a wrong type or a number out of range is an error that names
 * the key, what was expected and what was found. */
#include "model/spec/spec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

struct reader {
    const char *source;
    const struct vgg_limits *limits;
    struct vgg_arena *arena;
    struct vgg_error *err;
};

/* One key of an object: what may stand there, and where it goes. */
struct field {
    const char *key;
    enum {
        FIELD_INT,    /* int, least … most */
        FIELD_NUMBER, /* double, least … most */
        FIELD_BOOL,   /* bool */
        FIELD_TEXT,   /* const char *, one line */
        FIELD_ANY,    /* const struct vgg_json *, which the caller reads */
    } type;
    void *target; /* left as it is when the key is absent */
    bool required;
    double least, most;
};

/* The largest window of local response normalisation that can be computed. */
enum { MOST_LRN_CHANNELS = 255 };
/* Of what a byte stands for: products of some such numbers are no denormals. */
#define LEAST_SCALE 1e-12

/* Room for a key as messages show it: "layers[3].kernel". */
#define KEY_BYTES 96

static vgg_status fail_key(const struct reader *reader, const char *key, const char *problem)
{
    return vgg_fail(reader->err, VGG_ERR_FORMAT, "%s: %s: %s", reader->source, key, problem);
}

static vgg_status fail_expected(const struct reader *reader, const char *key, const char *expected,
                                const struct vgg_json *found)
{
    char text[512], shown[VGG_JSON_SHOWN_BYTES];
    vgg_json_show(found, shown);
    snprintf(text, sizeof text, "expected %s, found %s", expected, shown);
    return fail_key(reader, key, text);
}

static vgg_status fail_memory(const struct reader *reader, size_t bytes)
{
    return vgg_fail_memory(reader->err, reader->source, bytes, "the description");
}

static vgg_status read_number(const struct reader *reader, const char *key,
                              const struct vgg_json *item, double least, double most, double *out)
{
    char expected[96];
    if (!vgg_json_is(item, VGG_JSON_NUMBER) ||
        !(vgg_json_number(item) >= least && vgg_json_number(item) <= most)) {
        snprintf(expected, sizeof expected, "a number from %.9g to %.9g", least, most);
        return fail_expected(reader, key, expected, item);
    }
    *out = vgg_json_number(item);
    return VGG_OK;
}

static vgg_status read_int(const struct reader *reader, const char *key,
                           const struct vgg_json *item, int least, int most, int *out)
{
    char expected[96];
    if (!vgg_json_is(item, VGG_JSON_NUMBER) ||
        !(vgg_json_number(item) >= least && vgg_json_number(item) <= most) ||
        vgg_json_number(item) != floor(vgg_json_number(item))) {
        snprintf(expected, sizeof expected, "a whole number from %d to %d", least, most);
        return fail_expected(reader, key, expected, item);
    }
    *out = (int)vgg_json_number(item);
    return VGG_OK;
}

static vgg_status read_text(const struct reader *reader, const char *key,
                            const struct vgg_json *item, const char **out)
{
    if (!vgg_json_is(item, VGG_JSON_TEXT)) {
        return fail_expected(reader, key, "a text", item);
    }
    size_t length = strlen(vgg_json_text(item));
    const char *problem = vgg_label_check(vgg_json_text(item), length);
    if (problem != NULL) {
        return fail_key(reader, key, problem);
    }
    *out = vgg_arena_copy_string(reader->arena, vgg_json_text(item), length);
    return *out != NULL ? VGG_OK : fail_memory(reader, length + 1);
}

static vgg_status read_field(const struct reader *reader, const char *key,
                             const struct vgg_json *item, const struct field *field)
{
    switch (field->type) {
    case FIELD_INT:
        return read_int(reader, key, item, (int)field->least, (int)field->most, field->target);
    case FIELD_NUMBER:
        return read_number(reader, key, item, field->least, field->most, field->target);
    case FIELD_BOOL:
        if (!vgg_json_is(item, VGG_JSON_BOOL)) {
            return fail_expected(reader, key, "true or false", item);
        }
        *(bool *)field->target = vgg_json_bool(item);
        return VGG_OK;
    case FIELD_TEXT:
        return read_text(reader, key, item, field->target);
    case FIELD_ANY:
        *(const struct vgg_json **)field->target = item;
        return VGG_OK;
    }
    return VGG_OK;
}

static vgg_status fail_unknown(const struct reader *reader, const char *key,
                               const struct field *fields, size_t count)
{
    struct vgg_text known = {0};
    for (size_t i = 0; i < count; i++) {
        vgg_text_add(&known, "%s %s", i > 0 ? "," : "", fields[i].key);
    }
    return vgg_fail(reader->err, VGG_ERR_FORMAT, "%s: %s: unknown key; the keys here are%s",
                    reader->source, key, known.buffer);
}

/* Reads an object, whose keys are the fields' and no others.
 *   where  the object's own key; "" for the whole description */
static vgg_status read_object(const struct reader *reader, const char *where,
                              const struct vgg_json *object, const struct field *fields,
                              size_t count)
{
    char key[KEY_BYTES];
    unsigned seen = 0; /* a bit for each field; no object has more than 32 */
    const char *dot = where[0] != '\0' ? "." : "";
    if (!vgg_json_is(object, VGG_JSON_OBJECT)) {
        return fail_expected(reader, where[0] != '\0' ? where : "description", "an object", object);
    }
    for (const struct vgg_json *item = vgg_json_first(object); item != NULL;
         item = vgg_json_next(item)) {
        size_t i = 0;
        snprintf(key, sizeof key, "%.40s%s%.48s", where, dot, vgg_json_key(item));
        while (i < count && strcmp(fields[i].key, vgg_json_key(item)) != 0) {
            i++;
        }
        if (i == count) {
            return fail_unknown(reader, key, fields, count);
        }
        seen |= 1u << i;
        vgg_status status = read_field(reader, key, item, &fields[i]);
        if (status != VGG_OK) {
            return status;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].required && (seen >> i & 1) == 0) {
            snprintf(key, sizeof key, "%.40s%s%.48s", where, dot, fields[i].key);
            return fail_key(reader, key, "the key is missing");
        }
    }
    return VGG_OK;
}

#define READ_OBJECT(reader, where, object, fields)                                                 \
    read_object(reader, where, object, fields, sizeof(fields) / sizeof((fields)[0]))

/* One entry of `layers`; *layer holds the defaults. */
static vgg_status read_layer(const struct reader *reader, const char *key,
                             const struct vgg_json *item, struct vgg_layer *layer)
{
    int padding = -1;
    const struct field conv[] = {
        {"conv", FIELD_INT, &layer->channels, true, 1, VGG_MAX_CHANNELS},
        {"kernel", FIELD_INT, &layer->kernel, false, 1, VGG_MAX_SIDE},
        {"stride", FIELD_INT, &layer->stride, false, 1, VGG_MAX_SIDE},
        {"padding", FIELD_INT, &padding, false, 0, VGG_MAX_SIDE},
        {"bias", FIELD_BOOL, &layer->bias, false, 0, 0},
        {"batch_norm", FIELD_BOOL, &layer->batch_norm, false, 0, 0},
    };
    const struct field pool[] = {
        {"max_pool", FIELD_INT, &layer->kernel, true, 1, VGG_MAX_SIDE},
        {"stride", FIELD_INT, &layer->stride, false, 1, VGG_MAX_SIDE},
    };
    const struct field lrn[] = {
        {"lrn", FIELD_INT, &layer->kernel, true, 1, MOST_LRN_CHANNELS},
        {"alpha", FIELD_NUMBER, &layer->alpha, false, 0, 1e6},
        {"beta", FIELD_NUMBER, &layer->beta, false, 0, 1e3},
        {"k", FIELD_NUMBER, &layer->k, false, 0, 1e6},
    };
    vgg_status status = VGG_OK;
    if (vgg_json_is(item, VGG_JSON_TEXT) && strcmp(vgg_json_text(item), "M") == 0) {
        *layer = (struct vgg_layer){.kind = VGG_LAYER_MAX_POOL, .kernel = 2, .stride = 2};
    } else if (vgg_json_is(item, VGG_JSON_TEXT) && strcmp(vgg_json_text(item), "D") == 0) {
        *layer = (struct vgg_layer){.kind = VGG_LAYER_DROPOUT};
    } else if (vgg_json_is(item, VGG_JSON_NUMBER)) {
        status = read_int(reader, key, item, 1, VGG_MAX_CHANNELS, &layer->channels);
    } else if (vgg_json_get(item, "conv") != NULL) {
        status = READ_OBJECT(reader, key, item, conv);
        layer->padding = padding >= 0 ? padding : layer->kernel / 2;
    } else if (vgg_json_get(item, "max_pool") != NULL) {
        *layer = (struct vgg_layer){.kind = VGG_LAYER_MAX_POOL};
        status = READ_OBJECT(reader, key, item, pool);
        layer->stride = layer->stride > 0 ? layer->stride : layer->kernel;
    } else if (vgg_json_get(item, "lrn") != NULL) {
        /* PyTorch's defaults. */
        *layer = (struct vgg_layer){.kind = VGG_LAYER_LRN, .alpha = 1e-4, .beta = 0.75, .k = 1};
        status = READ_OBJECT(reader, key, item, lrn);
    } else {
        return fail_expected(reader, key,
                             "channels, \"M\", \"D\", {\"conv\": channels, …}, "
                             "{\"max_pool\": side, …} or {\"lrn\": channels, …}",
                             item);
    }
    return status;
}

/* The number of entries of a list of 1 … most. */
static vgg_status read_count(const struct reader *reader, const char *key,
                             const struct vgg_json *list, uint32_t most, size_t *out)
{
    char problem[96];
    if (!vgg_json_is(list, VGG_JSON_LIST) || vgg_json_first(list) == NULL) {
        return fail_expected(reader, key, "a list that is not empty",
                             vgg_json_is(list, VGG_JSON_LIST) ? NULL : list);
    }
    *out = vgg_json_count(list);
    if (*out > most) {
        snprintf(problem, sizeof problem, "%zu entries, limit is %u", *out, most);
        return vgg_fail(reader->err, VGG_ERR_LIMIT, "%s: %s: %s", reader->source, key, problem);
    }
    return VGG_OK;
}

static vgg_status read_layers(const struct reader *reader, const struct vgg_json *list,
                              bool batch_norm, struct vgg_spec *spec)
{
    char key[KEY_BYTES];
    bool has_conv = false;
    vgg_status status =
        read_count(reader, "layers", list, reader->limits->layers, &spec->layer_count);
    if (status != VGG_OK) {
        return status;
    }
    spec->layers = vgg_arena_alloc(reader->arena, spec->layer_count, sizeof *spec->layers);
    if (spec->layers == NULL) {
        return fail_memory(reader, spec->layer_count * sizeof *spec->layers);
    }
    size_t i = 0;
    for (const struct vgg_json *item = vgg_json_first(list); item != NULL;
         item = vgg_json_next(item), i++) {
        spec->layers[i] = (struct vgg_layer){.kind = VGG_LAYER_CONV,
                                             .kernel = 3,
                                             .stride = 1,
                                             .padding = 1,
                                             .bias = true,
                                             .batch_norm = batch_norm};
        snprintf(key, sizeof key, "layers[%zu]", i);
        status = read_layer(reader, key, item, &spec->layers[i]);
        if (status != VGG_OK) {
            return status;
        }
        has_conv = has_conv || spec->layers[i].kind == VGG_LAYER_CONV;
    }
    return has_conv ? VGG_OK : fail_key(reader, "layers", "expected a convolution, found none");
}

/* One entry of `classifier`, or all of it where it is no list; *head holds the defaults. */
static vgg_status read_linear(const struct reader *reader, const char *key,
                              const struct vgg_json *item, struct vgg_head *head)
{
    const struct field linear[] = {
        {"linear", FIELD_INT, &head->features, true, 1, VGG_MAX_CHANNELS},
        {"bias", FIELD_BOOL, &head->bias, false, 0, 0},
        {"batch_norm", FIELD_BOOL, &head->batch_norm, false, 0, 0},
        {"index", FIELD_INT, &head->index, false, 0, 999999},
    };
    if (vgg_json_is(item, VGG_JSON_NUMBER)) {
        return read_int(reader, key, item, 1, VGG_MAX_CHANNELS, &head->features);
    }
    if (!vgg_json_is(item, VGG_JSON_OBJECT)) {
        return fail_expected(reader, key, "features or {\"linear\": features, …}", item);
    }
    return READ_OBJECT(reader, key, item, linear);
}

static vgg_status read_classifier(const struct reader *reader, const struct vgg_json *list,
                                  bool dropout, struct vgg_spec *spec)
{
    char key[KEY_BYTES];
    const bool single = !vgg_json_is(list, VGG_JSON_LIST);
    spec->head_count = 1;
    vgg_status status =
        single ? VGG_OK
               : read_count(reader, "classifier", list, reader->limits->layers, &spec->head_count);
    if (status != VGG_OK) {
        return status;
    }
    spec->head = vgg_arena_alloc(reader->arena, spec->head_count, sizeof *spec->head);
    if (spec->head == NULL) {
        return fail_memory(reader, spec->head_count * sizeof *spec->head);
    }
    if (single) {
        spec->head[0] = (struct vgg_head){.bias = true, .index = -1};
        return read_linear(reader, "classifier", list, &spec->head[0]);
    }
    size_t i = 0;
    int index = 0;
    for (const struct vgg_json *item = vgg_json_first(list); item != NULL;
         item = vgg_json_next(item), i++) {
        spec->head[i] = (struct vgg_head){.bias = true, .index = index};
        snprintf(key, sizeof key, "classifier[%zu]", i);
        status = read_linear(reader, key, item, &spec->head[i]);
        if (status != VGG_OK) {
            return status;
        }
        index = spec->head[i].index + (dropout ? 3 : 2) + spec->head[i].batch_norm;
    }
    return VGG_OK;
}

/* Three numbers for R, G and B, or one for all of them. */
static vgg_status read_rgb(const struct reader *reader, const char *key,
                           const struct vgg_json *list, double least, float out[3])
{
    double value = 0;
    if (vgg_json_is(list, VGG_JSON_NUMBER)) {
        vgg_status status = read_number(reader, key, list, least, 1e6, &value);
        out[0] = out[1] = out[2] = (float)value;
        return status;
    }
    if (!vgg_json_is(list, VGG_JSON_LIST) || vgg_json_count(list) != 3) {
        return fail_expected(reader, key, "a list of three numbers or a single one", list);
    }
    const struct vgg_json *item = vgg_json_first(list);
    for (int i = 0; i < 3; i++, item = vgg_json_next(item)) {
        vgg_status status = read_number(reader, key, item, least, 1e6, &value);
        if (status != VGG_OK) {
            return status;
        }
        out[i] = (float)value;
    }
    return VGG_OK;
}

/* A preset's name, or numbers; sizes that are not among them are the input's. */
static vgg_status read_preprocess(const struct reader *reader, const struct vgg_json *item,
                                  int input, struct vgg_preprocess *out)
{
    const struct vgg_json *mean = NULL, *std = NULL;
    const struct field custom[] = {
        {"resize", FIELD_INT, &out->resize, false, 0, VGG_MAX_SIDE},
        {"crop", FIELD_INT, &out->crop, false, 0, VGG_MAX_SIDE},
        {"mean", FIELD_ANY, &mean, true, 0, 0},
        {"std", FIELD_ANY, &std, true, 0, 0},
    };
    const char *key = "preprocess";
    if (vgg_json_is(item, VGG_JSON_TEXT)) {
        struct vgg_error reason = {0};
        return vgg_preprocess_find(vgg_json_text(item), out, &reason) == VGG_OK
                   ? VGG_OK
                   : fail_key(reader, key, reason.message);
    }
    if (!vgg_json_is(item, VGG_JSON_OBJECT)) {
        return fail_expected(reader, key, "a preset's name or an object", item);
    }
    *out = (struct vgg_preprocess){.name = "custom", .resize = input, .crop = input};
    vgg_status status = READ_OBJECT(reader, key, item, custom);
    if (status != VGG_OK ||
        (status = read_rgb(reader, "preprocess.mean", mean, -1e6, out->mean)) != VGG_OK) {
        return status;
    }
    return read_rgb(reader, "preprocess.std", std, 1e-6, out->std);
}

/* The name of a built-in list, or the names. */
static vgg_status read_labels(const struct reader *reader, const struct vgg_json *item, int classes,
                              struct vgg_labels *out)
{
    char key[KEY_BYTES];
    vgg_status status;
    if (vgg_json_is(item, VGG_JSON_TEXT)) {
        struct vgg_error reason = {0};
        status = vgg_labels_find(vgg_json_text(item), reader->arena, out, &reason);
        if (status == VGG_ERR_MEMORY) {
            return vgg_fail(reader->err, status, "%s", reason.message);
        }
        if (status != VGG_OK) {
            return fail_key(reader, "labels", reason.message);
        }
    } else {
        status = read_count(reader, "labels", item, VGG_MAX_CHANNELS, &out->count);
        if (status != VGG_OK) {
            return status;
        }
        out->names = vgg_arena_alloc(reader->arena, out->count, sizeof *out->names);
        if (out->names == NULL) {
            return fail_memory(reader, out->count * sizeof *out->names);
        }
        size_t i = 0;
        for (const struct vgg_json *name = vgg_json_first(item); name != NULL;
             name = vgg_json_next(name), i++) {
            snprintf(key, sizeof key, "labels[%zu]", i);
            status = read_text(reader, key, name, &out->names[i]);
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
static vgg_status read_int8(const struct reader *reader, const struct vgg_json *item,
                            struct vgg_spec *spec)
{
    const struct vgg_json *low = NULL, *step = NULL, *scales = NULL;
    const struct field fields[] = {
        {"low", FIELD_ANY, &low, true, 0, 0},
        {"step", FIELD_ANY, &step, true, 0, 0},
        {"scales", FIELD_ANY, &scales, true, 0, 0},
    };
    const size_t expected = vgg_spec_count_scales(spec);
    char key[KEY_BYTES];
    double value;
    size_t count = 0;
    vgg_status status = READ_OBJECT(reader, "int8", item, fields);
    if (status != VGG_OK ||
        (status = read_rgb(reader, "int8.low", low, -1e6, spec->grid.low)) != VGG_OK ||
        (status = read_rgb(reader, "int8.step", step, LEAST_SCALE, spec->grid.step)) != VGG_OK) {
        return status;
    }
    if (!vgg_json_is(scales, VGG_JSON_LIST) || vgg_json_count(scales) != expected) {
        snprintf(key, sizeof key, "a list of %zu numbers", expected);
        return fail_expected(reader, "int8.scales", key, scales);
    }
    spec->scales = vgg_arena_alloc(reader->arena, expected, sizeof *spec->scales);
    if (spec->scales == NULL) {
        return fail_memory(reader, expected * sizeof *spec->scales);
    }
    for (const struct vgg_json *scale = vgg_json_first(scales); scale != NULL;
         scale = vgg_json_next(scale), count++) {
        snprintf(key, sizeof key, "int8.scales[%zu]", count);
        status = read_number(reader, key, scale, LEAST_SCALE, 1 / LEAST_SCALE, &value);
        if (status != VGG_OK) {
            return status;
        }
        spec->scales[count] = (float)value;
    }
    spec->int8 = true;
    return VGG_OK;
}

/* What is published about the weights. */
static vgg_status read_checkpoint(const struct reader *reader, const struct vgg_json *item,
                                  struct vgg_spec *spec)
{
    double bytes = 0;
    const char *prefix = NULL;
    const struct field fields[] = {
        {"file", FIELD_TEXT, &spec->file, true, 0, 0},
        {"sha256", FIELD_TEXT, &spec->sha256, false, 0, 0},
        {"sha256_prefix", FIELD_TEXT, &prefix, false, 0, 0},
        {"bytes", FIELD_NUMBER, &bytes, false, 1, 1e15},
    };
    vgg_status status = READ_OBJECT(reader, "checkpoint", item, fields);
    if (status != VGG_OK) {
        return status;
    }
    static const char digits[] = "0123456789abcdef";
    if (spec->sha256 != NULL &&
        (strlen(spec->sha256) != 64 || strspn(spec->sha256, digits) != 64)) {
        return fail_key(reader, "checkpoint.sha256", "expected 64 hexadecimal digits");
    }
    if (prefix != NULL &&
        (strlen(prefix) < 8 || strlen(prefix) > 64 || prefix[strspn(prefix, digits)] != '\0')) {
        return fail_key(reader, "checkpoint.sha256_prefix", "expected 8 to 64 hexadecimal digits");
    }
    spec->sha256 = spec->sha256 != NULL ? spec->sha256 : prefix;
    spec->bytes = (uint64_t)bytes;
    return VGG_OK;
}

static vgg_status read_accuracy(const struct reader *reader, const struct vgg_json *item,
                                struct vgg_spec *spec)
{
    const struct field fields[] = {
        {"acc@1", FIELD_NUMBER, &spec->acc1, true, 0, 100},
        {"acc@5", FIELD_NUMBER, &spec->acc5, false, 0, 100},
    };
    return READ_OBJECT(reader, "accuracy", item, fields);
}

static vgg_status read_spec(const struct reader *reader, const struct vgg_json *root,
                            struct vgg_spec *spec)
{
    int schema = 0;
    bool batch_norm = false, dropout = true;
    const struct vgg_json *layers = NULL, *classifier = NULL, *preprocess = NULL, *labels = NULL;
    const struct vgg_json *checkpoint = NULL, *accuracy = NULL, *int8 = NULL;
    const struct field fields[] = {
        {"schema", FIELD_INT, &schema, true, 1, 1e9},
        {"name", FIELD_TEXT, &spec->name, false, 0, 0},
        {"input", FIELD_INT, &spec->input, false, 1, VGG_MAX_SIDE},
        {"layers", FIELD_ANY, &layers, true, 0, 0},
        {"batch_norm", FIELD_BOOL, &batch_norm, false, 0, 0},
        {"avgpool", FIELD_INT, &spec->avgpool, false, 1, VGG_MAX_SIDE},
        {"classifier", FIELD_ANY, &classifier, true, 0, 0},
        {"dropout", FIELD_BOOL, &dropout, false, 0, 0},
        {"preprocess", FIELD_ANY, &preprocess, false, 0, 0},
        {"labels", FIELD_ANY, &labels, false, 0, 0},
        {"checkpoint", FIELD_ANY, &checkpoint, false, 0, 0},
        {"accuracy", FIELD_ANY, &accuracy, false, 0, 0},
        {"int8", FIELD_ANY, &int8, false, 0, 0},
    };
    /* First of all: a later schema may have other keys. */
    const struct vgg_json *version = vgg_json_get(root, "schema");
    if (vgg_json_is(version, VGG_JSON_NUMBER) && vgg_json_number(version) > VGG_SPEC_SCHEMA) {
        return vgg_fail(reader->err, VGG_ERR_UNSUPPORTED, "%s: schema: expected %d, found %.9g",
                        reader->source, VGG_SPEC_SCHEMA, vgg_json_number(version));
    }
    *spec = (struct vgg_spec){.avgpool = 7};
    vgg_status status = READ_OBJECT(reader, "", root, fields);
    if (status != VGG_OK || (status = read_layers(reader, layers, batch_norm, spec)) != VGG_OK ||
        (status = read_classifier(reader, classifier, dropout, spec)) != VGG_OK) {
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
    struct reader reader = {.source = source, .limits = limits, .arena = arena, .err = err};
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
