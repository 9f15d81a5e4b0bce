/* SPDX-License-Identifier: MIT */
/* Completes a description from the modules in a checkpoint, which contain more than names and shapes. */
#include "model/infer/modules.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/module.h"
#include "model/spec/defaults.h"

struct entry {
    const char *name;
    size_t index;
};

struct modules {
    const vgg_checkpoint *checkpoint;
    const char *path;
    /* [count] sorted by name */
    struct entry *by_name;
    size_t count;
    const char *source;
    /* A user wrote the description: modules must agree with it. */
    bool described;
    /* A module changed the description. */
    bool changed;
    struct vgg_error *err;
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static vgg_status sort(struct modules *modules, struct vgg_arena *arena)
{
    modules->by_name = vgg_arena_alloc(arena, modules->count, sizeof *modules->by_name);
    if (modules->by_name == NULL) {
        return vgg_fail_memory(modules->err, modules->path, modules->count * sizeof(struct entry),
                               "the modules");
    }
    for (size_t i = 0; i < modules->count; i++) {
        struct vgg_module module;
        vgg_checkpoint_get_module(modules->checkpoint, i, &module);
        modules->by_name[i] = (struct entry){module.name, i};
    }
    qsort(modules->by_name, modules->count, sizeof *modules->by_name, compare);
    return VGG_OK;
}

/* The module PREFIX.INDEX, or PREFIX for a negative index. */
static bool find(const struct modules *modules, const char *prefix, int index,
                 struct vgg_module *out)
{
    char name[128];
    int length = index < 0 ? snprintf(name, sizeof name, "%s", prefix)
                           : snprintf(name, sizeof name, "%s.%d", prefix, index);
    const struct entry wanted = {name, 0};
    const struct entry *found =
        length < 0 || (size_t)length >= sizeof name
            ? NULL
            : bsearch(&wanted, modules->by_name, modules->count, sizeof wanted, compare);
    if (found != NULL) {
        vgg_checkpoint_get_module(modules->checkpoint, found->index, out);
    }
    return found != NULL;
}

static bool is_one_of(const char *type, const char *const *types)
{
    while (*types != NULL && strcmp(type, *types) != 0) {
        types++;
    }
    return *types != NULL;
}

/* The classes that implement a layer; messages use the first name. */
static const char *const convs[] = {"Conv2d", "ParametrizedConv2d", NULL};
static const char *const norms[] = {"BatchNorm2d", "SyncBatchNorm", NULL};
static const char *const flat_norms[] = {"BatchNorm1d", "SyncBatchNorm", NULL};
static const char *const relus[] = {"ReLU", NULL};
static const char *const pools[] = {"MaxPool2d", NULL};
static const char *const averages[] = {"AdaptiveAvgPool2d", "Identity", NULL};
static const char *const responses[] = {"LocalResponseNorm", NULL};
static const char *const linears[] = {"Linear", "ParametrizedLinear", NULL};
/* Classes that do nothing when a net is run. */
static const char *const identities[] = {
    "Dropout", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout", "Identity", "Flatten", NULL};

/* Finds the module at an index and checks its class. */
static vgg_status expect(const struct modules *modules, const char *prefix, int index,
                         const char *const *types, struct vgg_module *out)
{
    if (!find(modules, prefix, index, out)) {
        return vgg_fail(modules->err, VGG_ERR_MISMATCH,
                        "%s: %s.%d: the file has no such module, expected %s by %s", modules->path,
                        prefix, index, types[0], modules->source);
    }
    if (!is_one_of(out->type, types)) {
        return vgg_fail(modules->err, VGG_ERR_UNSUPPORTED,
                        "%s: %s: the file has %s there, expected %s by %s", modules->path,
                        out->name, out->type, types[0], modules->source);
    }
    return VGG_OK;
}

/* Refuses a setting that has only one value in a VGG. */
static vgg_status demand(const struct modules *modules, const struct vgg_module *module,
                         const char *what, int64_t found, int64_t only)
{
    if (found == VGG_MODULE_UNKNOWN || found == only) {
        return VGG_OK;
    }
    return found == VGG_MODULE_UNUSUAL
               ? vgg_fail(modules->err, VGG_ERR_UNSUPPORTED,
                          "%s: %s: %s %s is not supported, expected %lld", modules->path,
                          module->name, module->type, what, (long long)only)
               : vgg_fail(modules->err, VGG_ERR_UNSUPPORTED, "%s: %s: %s %s is %lld, expected %lld",
                          modules->path, module->name, module->type, what, (long long)found,
                          (long long)only);
}

/* A setting of a module: its name in PyTorch, its value in the file, and the smallest one that can be run. */
struct setting {
    const char *name;
    int64_t found;
    int min;
};

/* Takes the module's value of a setting; a user's description must agree with it. */
static vgg_status take(struct modules *modules, const struct vgg_module *module,
                       const struct setting setting, int *value)
{
    const int64_t found = setting.found;
    if (found == VGG_MODULE_UNKNOWN || found == *value) {
        return VGG_OK;
    }
    if (found == VGG_MODULE_UNUSUAL || found < setting.min || found > VGG_MAX_SIDE) {
        return vgg_fail(modules->err, VGG_ERR_UNSUPPORTED,
                        "%s: %s: %s %s is not supported: expected one number from %d to %d",
                        modules->path, module->name, module->type, setting.name, setting.min,
                        VGG_MAX_SIDE);
    }
    if (modules->described) {
        return vgg_fail(modules->err, VGG_ERR_MISMATCH,
                        "%s: %s: %s %s is %lld in the file and %d in %s", modules->path,
                        module->name, module->type, setting.name, (long long)found, *value,
                        modules->source);
    }
    *value = (int)found;
    modules->changed = true;
    return VGG_OK;
}

static vgg_status take_conv(struct modules *modules, const struct vgg_module *module,
                            struct vgg_layer *layer)
{
    vgg_status status =
        take(modules, module, (struct setting){"stride", module->stride, 1}, &layer->stride);
    status = status ? status
                    : take(modules, module, (struct setting){"padding", module->padding, 0},
                           &layer->padding);
    status = status ? status : demand(modules, module, "dilation", module->dilation, 1);
    return status ? status : demand(modules, module, "groups", module->groups, 1);
}

static vgg_status take_norm(const struct modules *modules, const struct vgg_module *module,
                            bool *has_eps, double *eps)
{
    if (isnan(module->eps)) {
        return VGG_OK;
    }
    if (!(module->eps >= 0 && module->eps <= 1)) {
        return vgg_fail(modules->err, VGG_ERR_UNSUPPORTED, "%s: %s: eps is %g, expected 0 to 1",
                        modules->path, module->name, module->eps);
    }
    *has_eps = true;
    *eps = module->eps;
    return VGG_OK;
}

static vgg_status take_pool(struct modules *modules, const struct vgg_module *module,
                            struct vgg_layer *layer)
{
    vgg_status status =
        take(modules, module, (struct setting){"kernel_size", module->kernel, 1}, &layer->kernel);
    status = status ? status
                    : take(modules, module, (struct setting){"stride", module->stride, 1},
                           &layer->stride);
    status = status ? status : demand(modules, module, "padding", module->padding, 0);
    status = status ? status : demand(modules, module, "dilation", module->dilation, 1);
    return status ? status : demand(modules, module, "ceil_mode", module->ceil_mode, 0);
}

static vgg_status apply_conv(struct modules *modules, const char *prefix, int *index,
                             struct vgg_layer *layer)
{
    struct vgg_module module;
    vgg_status status = expect(modules, prefix, (*index)++, convs, &module);
    status = status ? status : take_conv(modules, &module, layer);
    if (status == VGG_OK && layer->batch_norm) {
        status = expect(modules, prefix, (*index)++, norms, &module);
        status = status ? status : take_norm(modules, &module, &layer->has_eps, &layer->eps);
    }
    return status ? status : expect(modules, prefix, (*index)++, relus, &module);
}

static vgg_status apply_pool(struct modules *modules, const char *prefix, int index,
                             struct vgg_layer *layer)
{
    struct vgg_module module;
    vgg_status status = expect(modules, prefix, index, pools, &module);
    return status ? status : take_pool(modules, &module, layer);
}

static vgg_status apply_features(struct modules *modules, struct vgg_spec *spec)
{
    const char *prefix = vgg_spec_get_features(spec);
    struct vgg_module module;
    int index = 0;
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < spec->layer_count && status == VGG_OK; i++) {
        struct vgg_layer *layer = &spec->layers[i];
        switch (layer->kind) {
        case VGG_LAYER_CONV:
            status = apply_conv(modules, prefix, &index, layer);
            break;
        case VGG_LAYER_MAX_POOL:
            if (i + 1 == spec->layer_count && !modules->described &&
                !find(modules, prefix, index, &module)) {
                /* Names and shapes can only assume the last pool. */
                spec->layer_count--;
                modules->changed = true;
                break;
            }
            status = apply_pool(modules, prefix, index++, layer);
            break;
        case VGG_LAYER_LRN:
            status = expect(modules, prefix, index++, responses, &module);
            break;
        case VGG_LAYER_DROPOUT:
            status = expect(modules, prefix, index++, identities, &module);
            break;
        }
    }
    while (status == VGG_OK && find(modules, prefix, index, &module)) {
        status = expect(modules, prefix, index++, identities, &module);
    }
    return status;
}

static vgg_status apply_linear(const struct modules *modules, const char *prefix,
                               struct vgg_head *head)
{
    struct vgg_module module;
    vgg_status status = expect(modules, prefix, head->index, linears, &module);
    if (status == VGG_OK && head->batch_norm) {
        status = expect(modules, prefix, head->index + 1, flat_norms, &module);
        status = status ? status : take_norm(modules, &module, &head->has_eps, &head->eps);
    }
    return status;
}

/* Expects one ReLU between two linear layers, none before the first and after the last. */
static vgg_status apply_classifier(const struct modules *modules, const struct vgg_spec *spec)
{
    const char *prefix = vgg_spec_get_classifier(spec);
    struct vgg_module module;
    vgg_status status = VGG_OK;
    int next = 0;
    for (size_t i = 0; i < spec->head_count && status == VGG_OK; i++) {
        const int index = spec->head[i].index;
        int relu_count = 0;
        for (; next < index && status == VGG_OK; next++) {
            bool relu = i > 0 && relu_count == 0 && find(modules, prefix, next, &module) &&
                        is_one_of(module.type, relus);
            bool last = next + 1 == index && i > 0 && relu_count == 0;
            relu_count += relu;
            status = expect(modules, prefix, next, relu || last ? relus : identities, &module);
        }
        next = index + 1 + spec->head[i].batch_norm;
        if (status == VGG_OK && index >= 0) {
            status = apply_linear(modules, prefix, &spec->head[i]);
        }
    }
    while (status == VGG_OK && next > 0 && find(modules, prefix, next, &module)) {
        status = expect(modules, prefix, next++, identities, &module);
    }
    return status;
}

/* ---- layers with names of their own ---- */

/* Classes that VGGs do not have. Classes that are in no list are ignored: they may be containers, or do nothing. */
static const char *const others[] = {
    "AvgPool2d", "BatchNorm1d",    "CELU",      "ELU",       "GELU",     "GroupNorm",
    "Hardswish", "InstanceNorm2d", "LayerNorm", "LeakyReLU", "LPPool2d", "Mish",
    "PReLU",     "ReLU6",          "RReLU",     "SELU",      "Sigmoid",  "SiLU",
    "Softplus",  "Tanh",           "Upsample",  NULL};

static vgg_status apply_named_layers(struct modules *modules, struct vgg_spec *spec)
{
    struct vgg_module module;
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < spec->layer_count && status == VGG_OK; i++) {
        struct vgg_layer *layer = &spec->layers[i];
        if (layer->kind != VGG_LAYER_CONV) {
            continue;
        }
        if (find(modules, layer->name, -1, &module)) {
            status = take_conv(modules, &module, layer);
        }
        if (status == VGG_OK && layer->norm != NULL && find(modules, layer->norm, -1, &module)) {
            status = take_norm(modules, &module, &layer->has_eps, &layer->eps);
        }
    }
    for (size_t i = 0; i < spec->head_count && status == VGG_OK; i++) {
        struct vgg_head *head = &spec->head[i];
        if (head->norm != NULL && find(modules, head->norm, -1, &module)) {
            status = take_norm(modules, &module, &head->has_eps, &head->eps);
        }
    }
    return status;
}

static bool is_norm_of_head(const struct vgg_spec *spec, const char *name)
{
    for (size_t i = 0; i < spec->head_count; i++) {
        if (spec->head[i].norm != NULL && strcmp(spec->head[i].norm, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Lists the layers in the order of the modules in the file, with the pools that it has.
 *   pool_count  receives the number of pools; a single one may be used in several places */
static vgg_status place_pools(struct modules *modules, const struct vgg_spec *spec,
                              struct vgg_layer *out, size_t *count, size_t *pool_count)
{
    vgg_status status = VGG_OK;
    size_t next = 0;
    *count = *pool_count = 0;
    for (size_t i = 0; i < modules->count && status == VGG_OK; i++) {
        struct vgg_module module;
        vgg_checkpoint_get_module(modules->checkpoint, i, &module);
        while (next < spec->layer_count && spec->layers[next].kind != VGG_LAYER_CONV) {
            next++;
        }
        if (is_one_of(module.type, others) && !is_norm_of_head(spec, module.name)) {
            return vgg_fail(modules->err, VGG_ERR_UNSUPPORTED,
                            "%s: %s: the file has %s there, which no VGG has", modules->path,
                            module.name, module.type);
        }
        if (next < spec->layer_count && strcmp(module.name, spec->layers[next].name) == 0) {
            out[(*count)++] = spec->layers[next++];
        } else if (is_one_of(module.type, pools)) {
            struct vgg_layer *pool = &out[(*count)++];
            *pool = (struct vgg_layer){.kind = VGG_LAYER_MAX_POOL, .kernel = 2, .stride = 2};
            ++*pool_count;
            status = take_pool(modules, &module, pool);
        }
    }
    return status;
}

static vgg_status apply_named(struct modules *modules, struct vgg_arena *arena,
                              struct vgg_spec *spec)
{
    const size_t places = spec->layer_count + modules->count;
    struct vgg_spec placed = *spec;
    size_t pool_count;
    vgg_status status = apply_named_layers(modules, spec);
    placed.layers = vgg_arena_alloc(arena, places, sizeof *placed.layers);
    if (placed.layers == NULL) {
        return vgg_fail_memory(modules->err, modules->path, places * sizeof *placed.layers,
                               "the layers");
    }
    status = status ? status
                    : place_pools(modules, spec, placed.layers, &placed.layer_count, &pool_count);
    if (status != VGG_OK || modules->described || pool_count < 2) {
        return status;
    }
    if (placed.layer_count != spec->layer_count || !vgg_spec_same_features(&placed, spec)) {
        modules->changed = true;
    }
    spec->layers = placed.layers;
    spec->layer_count = placed.layer_count;
    return VGG_OK;
}

static vgg_status apply_average(struct modules *modules, struct vgg_spec *spec)
{
    struct vgg_module module;
    if (!find(modules, "avgpool", -1, &module)) {
        return VGG_OK;
    }
    if (!is_one_of(module.type, averages)) {
        return vgg_fail(modules->err, VGG_ERR_UNSUPPORTED,
                        "%s: avgpool: the file has %s there, expected AdaptiveAvgPool2d",
                        modules->path, module.type);
    }
    return demand(modules, &module, "output_size", module.output, spec->avgpool);
}

/* Applies the modules of `features`, the average pool and `classifier`. */
static vgg_status apply_sequentials(struct modules *modules, struct vgg_spec *spec)
{
    vgg_status status = apply_features(modules, spec);
    status = status ? status : apply_average(modules, spec);
    return status ? status : apply_classifier(modules, spec);
}

/* Updates what follows from the layers of an inferred description. */
static vgg_status update_inferred(const struct modules *modules, struct vgg_spec *spec)
{
    /* Modules with names of their own show pools only where the file has them, and no order. */
    if (!vgg_spec_is_named(spec) || modules->changed) {
        spec->assumed = NULL;
    }
    spec->assumed_avgpool = false;
    if (modules->changed || !spec->builtin) {
        spec->source = "names, shapes and modules";
    }
    if (!modules->changed) {
        return VGG_OK;
    }
    /* Other settings than the published net's: the net is not that one, although its convolutions are. */
    spec->builtin = false;
    spec->name = NULL;
    spec->input = vgg_spec_natural_input(spec);
    spec->assumed_input = true;
    spec->assumed_preprocess = true;
    return vgg_spec_default_preprocess(spec->input, &spec->preprocess, modules->err);
}

vgg_status vgg_spec_apply_modules(const vgg_checkpoint *checkpoint, struct vgg_arena *arena,
                                  struct vgg_spec *spec, struct vgg_error *err)
{
    struct vgg_module module;
    struct modules modules = {.checkpoint = checkpoint,
                              .path = vgg_checkpoint_get_path(checkpoint),
                              .count = vgg_checkpoint_get_module_count(checkpoint),
                              .source = spec->source,
                              .described = !spec->inferred,
                              .err = err};
    if (modules.count == 0) {
        return VGG_OK;
    }
    vgg_status status = sort(&modules, arena);
    if (status != VGG_OK) {
        return status;
    }
    if (vgg_spec_is_named(spec)) {
        status = apply_named(&modules, arena, spec);
    } else if (find(&modules, vgg_spec_get_features(spec), 0, &module)) {
        status = apply_sequentials(&modules, spec);
    } else {
        return VGG_OK;
    }
    return status != VGG_OK || modules.described ? status : update_inferred(&modules, spec);
}
