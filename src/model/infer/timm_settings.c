/* SPDX-License-Identifier: MIT */
/* The settings of timm's VGG class in its config.json. */
#include "model/infer/timm_settings.h"

#include <stdio.h>
#include <string.h>

#include "model/spec/module_types.h"

/* What a setting can be. */
enum handling {
    ANY,        /* the shapes of the weights show it, or inference does not depend on it */
    ACTIVATION, /* one of `activations` */
    VALUE,      /* one of `values` */
};

enum { VALUES_MAX = 4 };

static const struct setting {
    const char *key;
    enum handling handling;
    /* Also at the top of the file, where keys of any program can be. */
    bool top;
    /* Texts, or numbers as JSON writes them. */
    const char *values[VALUES_MAX];
} settings[] = {
    {"act_layer", ACTIVATION, true, {NULL}},
    {"norm_layer", VALUE, true, {"batchnorm", "batchnorm2d", "BatchNorm2d"}},
    {"conv_layer", VALUE, true, {"conv2d", "Conv2d"}},
    /* A maximum differs where the image is larger than the net's input. */
    {"global_pool", VALUE, true, {"avg", "fast", "fastavg"}},
    {"output_stride", VALUE, true, {"32"}},
    {"num_classes", ANY, false, {NULL}},
    {"in_chans", ANY, false, {NULL}},
    {"mlp_ratio", ANY, false, {NULL}},
    {"drop_rate", ANY, false, {NULL}},
    {"drop_path_rate", ANY, false, {NULL}},
    {"pretrained", ANY, false, {NULL}},
    {"scriptable", ANY, false, {NULL}},
    {"exportable", ANY, false, {NULL}},
};
enum { SETTING_COUNT = sizeof settings / sizeof settings[0] };

/* timm's names of activations, with PyTorch's classes. */
static const struct {
    const char *name, *type;
} activations[] = {
    {"relu", "ReLU"},
    {"relu6", "ReLU6"},
    {"leaky_relu", "LeakyReLU"},
    {"silu", "SiLU"},
    {"swish", "SiLU"},
    {"gelu", "GELU"},
    {"elu", "ELU"},
    {"hard_swish", "Hardswish"},
    {"hardswish", "Hardswish"},
    {"sigmoid", "Sigmoid"},
    {"tanh", "Tanh"},
    {"prelu", "PReLU"},
};

/* ---- reading ---- */

static const struct setting *find_setting(const char *key)
{
    size_t i = 0;
    while (i < SETTING_COUNT && strcmp(settings[i].key, key) != 0) {
        i++;
    }
    return i < SETTING_COUNT ? &settings[i] : NULL;
}

/* A text, or a number as text; empty for other values. */
static void write_value(const struct vgg_json *value, char *text, size_t size)
{
    if (vgg_json_is(value, VGG_JSON_TEXT)) {
        snprintf(text, size, "%s", vgg_json_text(value));
    } else if (vgg_json_is(value, VGG_JSON_NUMBER)) {
        snprintf(text, size, "%g", vgg_json_number(value));
    } else {
        text[0] = '\0';
    }
}

/* The place in a file: "nets/config.json: model_args.act_layer". */
struct place {
    const struct vgg_load *load;
    const char *path, *prefix, *key;
};

/* Keeps the first reason why the net is not known. */
static vgg_status add_problem(const struct place *place, const char *expected,
                              const struct vgg_json *found, const char **problem)
{
    char text[600], value[VGG_JSON_SHOWN_BYTES];
    if (*problem != NULL) {
        return VGG_OK;
    }
    vgg_json_show(found, value);
    const int length = snprintf(text, sizeof text, "%.300s: %s%.60s: expected %s, found %s",
                                place->path, place->prefix, place->key, expected, value);
    *problem = vgg_arena_copy_string(place->load->arena, text, (size_t)length);
    return *problem != NULL ? VGG_OK
                            : vgg_load_fail_memory(place->load, (size_t)length, "a message");
}

static vgg_status read_activation(const struct place *place, const struct vgg_json *value,
                                  struct vgg_found_net *out)
{
    char where[64];
    const char *name = vgg_json_is(value, VGG_JSON_TEXT) ? vgg_json_text(value) : "";
    for (size_t i = 0; i < sizeof activations / sizeof activations[0]; i++) {
        if (strcmp(activations[i].name, name) == 0 || strcmp(activations[i].type, name) == 0) {
            const int length =
                snprintf(where, sizeof where, "config.json: %s%s", place->prefix, place->key);
            out->activation = activations[i].type;
            out->where = vgg_arena_copy_string(place->load->arena, where, (size_t)length);
            return out->where != NULL ? VGG_OK : vgg_load_fail_memory(place->load, 1, "a name");
        }
    }
    return add_problem(place,
                       "relu, relu6, leaky_relu, silu, gelu, elu, hard_swish, sigmoid, tanh or "
                       "prelu",
                       value, &out->activation_problem);
}

static bool is_one_of(const struct vgg_json *value, const char *const values[VALUES_MAX])
{
    char text[64];
    write_value(value, text, sizeof text);
    for (size_t i = 0; i < VALUES_MAX && values[i] != NULL; i++) {
        if (strcmp(values[i], text) == 0) {
            return true;
        }
    }
    return false;
}

static vgg_status read_setting(const struct place *place, const struct setting *setting,
                               const struct vgg_json *value, struct vgg_found_net *out)
{
    char expected[96];
    if (vgg_json_is(value, VGG_JSON_NULL) || setting->handling == ANY) {
        return VGG_OK;
    }
    if (setting->handling == ACTIVATION) {
        return read_activation(place, value, out);
    }
    if (is_one_of(value, setting->values)) {
        return VGG_OK;
    }
    int length = 0;
    for (size_t i = 0; i < VALUES_MAX && setting->values[i] != NULL; i++) {
        length += snprintf(expected + length, sizeof expected - (size_t)length, "%s%s",
                           i > 0 ? " or " : "", setting->values[i]);
    }
    return add_problem(place, expected, value, &out->problem);
}

static vgg_status read_args(struct place *place, const struct vgg_json *args,
                            struct vgg_found_net *out)
{
    vgg_status status = VGG_OK;
    place->prefix = "model_args.";
    for (const struct vgg_json *item = vgg_json_first(args); item != NULL && status == VGG_OK;
         item = vgg_json_next(item)) {
        place->key = vgg_json_key(item);
        const struct setting *setting = find_setting(place->key);
        status = setting != NULL
                     ? read_setting(place, setting, item, out)
                     : add_problem(place, "no setting of this name", item, &out->problem);
    }
    return status;
}

vgg_status vgg_timm_read_settings(const struct vgg_load *load, const char *path,
                                  const struct vgg_json *root, struct vgg_found_net *out)
{
    struct place place = {.load = load, .path = path, .prefix = ""};
    const struct vgg_json *args = vgg_json_get(root, "model_args");
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < SETTING_COUNT && status == VGG_OK; i++) {
        const struct vgg_json *value = vgg_json_get(root, settings[i].key);
        if (settings[i].top && value != NULL) {
            place.key = settings[i].key;
            status = read_setting(&place, &settings[i], value, out);
        }
    }
    const bool has_args = status == VGG_OK && vgg_json_is(args, VGG_JSON_OBJECT);
    return has_args ? read_args(&place, args, out) : status;
}

/* ---- applying ---- */

/* Sets the activations whose weights do not show what they are; false: the weights show another. */
static bool set_activations(const char *type, struct vgg_spec *spec)
{
    const struct vgg_activation_layer activation = vgg_activation_find(type);
    const bool is_prelu = activation.kind == VGG_ACTIVATION_PRELU;
    for (size_t i = 0; i < spec->layer_count; i++) {
        struct vgg_layer *layer = &spec->layers[i];
        if (layer->kind != VGG_LAYER_ACTIVATION) {
            continue;
        }
        if ((layer->activation.kind == VGG_ACTIVATION_PRELU) != is_prelu) {
            return false;
        }
        if (!is_prelu) {
            layer->activation = activation;
        }
    }
    return true;
}

static vgg_status fail_problem(const struct vgg_load *load, const char *problem)
{
    return vgg_fail(load->err, VGG_ERR_UNSUPPORTED, "%s; it is read because it stands beside %s",
                    problem, load->path);
}

static vgg_status apply_activation(const struct vgg_load *load, const struct vgg_found_net *found,
                                   struct vgg_spec *spec)
{
    struct vgg_evidence *known = vgg_evidence_find(&spec->evidence, "activation");
    const bool is_stronger = known != NULL && known->source < VGG_EVIDENCE_FILE;
    if (is_stronger || (found->activation == NULL && found->activation_problem == NULL)) {
        return VGG_OK;
    }
    if (found->activation_problem != NULL) {
        return fail_problem(load, found->activation_problem);
    }
    if (!set_activations(found->activation, spec)) {
        return vgg_fail(load->err, VGG_ERR_UNSUPPORTED,
                        "%s: %s: expected the activation that the weights show, found %s",
                        load->path, found->where, found->activation);
    }
    if (known != NULL) {
        /* Weaker than the file's, so that it is replaced. */
        known->source = VGG_EVIDENCE_CONVENTION;
    }
    vgg_evidence_add(&spec->evidence, load->arena,
                     &(struct vgg_evidence){.property = "activation",
                                            .value = found->activation,
                                            .source = VGG_EVIDENCE_FILE,
                                            .why = found->where});
    return spec->evidence.failed ? vgg_load_fail_memory(load, 1, "the evidence") : VGG_OK;
}

/* Whether a stronger source than files beside the checkpoint describes the layers. */
static bool is_described(const struct vgg_spec *spec)
{
    const struct vgg_evidence *layers = vgg_evidence_find(&spec->evidence, "layers");
    return !spec->inferred || (layers != NULL && layers->source <= VGG_EVIDENCE_FILE);
}

vgg_status vgg_timm_apply_settings(const struct vgg_load *load, const struct vgg_found_net *found,
                                   struct vgg_spec *spec)
{
    if (is_described(spec)) {
        return VGG_OK;
    }
    return found->problem != NULL ? fail_problem(load, found->problem)
                                  : apply_activation(load, found, spec);
}
