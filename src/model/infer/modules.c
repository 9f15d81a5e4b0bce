/* SPDX-License-Identifier: MIT */
/* Describes a net by the module objects of a whole module or a TorchScript archive. */
#include "model/infer/modules.h"

#include <string.h>

#include "model/infer/input_size.h"
#include "model/infer/module_layer.h"
#include "model/infer/module_settings.h"
#include "model/infer/notes.h"
#include "model/infer/script_layers.h"
#include "model/spec/defaults.h"
#include "model/spec/layers.h"
#include "model/spec/module_types.h"

/* A module with a class that can be run, or a container. */
struct entry {
    struct vgg_module module;
    /* Of the class that contains it; 0 is the net itself. */
    size_t parent;
    bool is_leaf;
    enum vgg_layer_kind kind;
    /* Of a container: what it contains directly. */
    size_t convs, linears, activations;
    /* A class with weights that is not PyTorch's own. */
    bool is_unknown;
};

struct reader {
    const struct vgg_load *load;
    const struct vgg_module_request *request;
    struct entry *entries;
    size_t count;
    struct vgg_layer_list list;
    /* The list is what the code of a TorchScript archive runs. */
    bool followed;
    /* A setting that changes results was not in the file. */
    bool missing;
};

/* ---- the tree of modules ---- */

static bool is_inside(const char *parent, const char *name)
{
    const size_t length = strlen(parent);
    return length == 0 ? name[0] != '\0'
                       : strncmp(name, parent, length) == 0 && name[length] == '.';
}

/* The innermost module before a name that contains it. */
static size_t find_parent(const struct reader *reader, size_t last, const char *name)
{
    size_t parent = last;
    while (parent > 0 && !is_inside(reader->entries[parent].module.name, name)) {
        parent = reader->entries[parent].parent;
    }
    return parent;
}

/* Classes whose objects compute nothing in the net: training state that people save beside it. */
static bool is_beside(const struct vgg_module *module)
{
    const size_t length = strlen(module->type);
    return length > 4 && strcmp(module->type + length - 4, "Loss") == 0;
}

/* Whether a class is by its name one with two ways through it. */
static bool is_branching(const struct vgg_module *module)
{
    static const char *const parts[] = {"Residual", "ResBlock",    "BasicBlock", "Bottleneck",
                                        "ResNet",   "Attention",   "Inception",  "DenseBlock",
                                        "SELayer",  "SqueezeExcit"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strstr(module->type, parts[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static bool has_children(const struct reader *reader, size_t i)
{
    struct vgg_module next;
    if (i + 1 >= vgg_checkpoint_get_module_count(reader->request->checkpoint)) {
        return false;
    }
    vgg_checkpoint_get_module(reader->request->checkpoint, i + 1, &next);
    return is_inside(reader->entries[reader->count].module.name, next.name);
}

static bool has_tensors(const struct reader *reader, const struct vgg_module *module)
{
    const struct vgg_tensor_list *tensors = reader->request->tensors;
    for (size_t i = 0; i < tensors->count; i++) {
        if (is_inside(module->name, tensors->items[i]->name)) {
            return true;
        }
    }
    return false;
}

/* Whether a class is PyTorch's own. */
static bool is_of_torch(const struct vgg_module *module)
{
    if (strcmp(module->type, "Module") == 0) {
        return false; /* the base class, which anyone may use for parameters of any kind */
    }
    static const char *const prefixes[] = {"torch.nn.", "__torch__.torch.nn."};
    const struct vgg_span name = module->python_module;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        const size_t length = strlen(prefixes[i]);
        if (name.length >= length && memcmp(name.bytes, prefixes[i], length) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_sequential(const struct entry *entry)
{
    return strcmp(entry->module.type, "Sequential") == 0;
}

/* Lists the modules, but for those inside a layer. */
static vgg_status list(struct reader *reader)
{
    const struct vgg_checkpoint *checkpoint = reader->request->checkpoint;
    const size_t count = vgg_checkpoint_get_module_count(checkpoint);
    for (size_t i = 0; i < count; i++) {
        struct entry *entry = &reader->entries[reader->count];
        *entry = (struct entry){0};
        vgg_checkpoint_get_module(checkpoint, i, &entry->module);
        const size_t last = reader->count > 0 ? reader->count - 1 : 0;
        entry->parent = find_parent(reader, last, entry->module.name);
        struct entry *parent = &reader->entries[entry->parent];
        if ((parent->is_leaf && entry->parent != reader->count) || is_beside(&entry->module)) {
            continue;
        }
        entry->is_leaf = vgg_module_type_find(entry->module.type, &entry->kind);
        entry->is_unknown = !entry->is_leaf && !has_children(reader, i) &&
                            !is_of_torch(&entry->module) && has_tensors(reader, &entry->module);
        if (is_sequential(entry) && !has_children(reader, i)) {
            continue; /* an empty one computes nothing */
        }
        if (is_branching(&entry->module)) {
            return vgg_fail(reader->load->err, VGG_ERR_UNSUPPORTED,
                            "%s: %s: %s is by its name a block with a skip connection or another "
                            "branch, expected a chain of layers",
                            reader->load->path, entry->module.name, entry->module.type);
        }
        if (!entry->is_leaf && !entry->is_unknown && !has_children(reader, i)) {
            return vgg_fail(reader->load->err, VGG_ERR_UNSUPPORTED,
                            "%s: %s: the file has %s there, which cannot be run",
                            reader->load->path, entry->module.name, entry->module.type);
        }
        if (entry->is_leaf) {
            parent->convs += entry->kind == VGG_LAYER_CONV;
            parent->linears += entry->kind == VGG_LAYER_LINEAR;
            parent->activations += entry->kind == VGG_LAYER_ACTIVATION;
        }
        reader->count++;
    }
    return VGG_OK;
}

/* Whether a class contains one module for each step, so that their order is that of the steps: an activation for each
 * layer with weights, but for a linear layer at the end. */
static bool is_in_order(const struct entry *entry)
{
    const size_t last = entry->linears > 0;
    return !entry->is_unknown &&
           (is_sequential(entry) || entry->activations >= entry->convs + entry->linears - last);
}

/* Whether a convolution's weight is listed as that of a linear layer, as timm's pre_logits.fc1. */
static bool is_listed_as_linear(const struct reader *reader, const struct entry *entry)
{
    const struct vgg_tensor *weight =
        entry->kind == VGG_LAYER_CONV
            ? vgg_tensor_list_findf(reader->request->tensors, "%s.weight", entry->module.name)
            : NULL;
    return weight != NULL && weight->ndim == 2;
}

/* Whether the order of the modules is that of execution. */
static bool is_chain(const struct reader *reader)
{
    for (size_t i = 0; i < reader->count; i++) {
        const struct entry *entry = &reader->entries[i];
        if (entry->is_leaf ? is_listed_as_linear(reader, entry) : !is_in_order(entry)) {
            return false;
        }
    }
    return reader->count > 1;
}

/* Whether a class runs its modules in order, as its own code shows: Sequential and torchvision's VGG. */
static bool is_known_forward(const struct entry *entry)
{
    static const char vgg[] = "torchvision.models.vgg";
    const struct vgg_span module = entry->module.python_module;
    return is_sequential(entry) ||
           (strcmp(entry->module.type, "VGG") == 0 && vgg_span_ends_with(module, vgg));
}

/* The first class whose own code nobody reads; NULL: there is none. */
static const struct entry *find_unknown_forward(const struct reader *reader)
{
    for (size_t i = 0; i < reader->count; i++) {
        if (!reader->entries[i].is_leaf && !is_known_forward(&reader->entries[i])) {
            return &reader->entries[i];
        }
    }
    return NULL;
}

/* ---- the net as its modules in order ---- */

/* Adds the Flatten that a class computes in its own code. */
static vgg_status add_flatten(struct reader *reader)
{
    return vgg_layers_add(reader->load, &reader->list, VGG_LAYER_FLATTEN, "flatten") != NULL
               ? VGG_OK
               : vgg_layers_fail(reader->load, &reader->list);
}

static vgg_status add_layers(struct reader *reader)
{
    bool flat = false;
    for (size_t i = 0; i < reader->count; i++) {
        const struct entry *entry = &reader->entries[i];
        if (!entry->is_leaf) {
            continue;
        }
        struct vgg_layer layer;
        vgg_status status = vgg_module_read_layer(reader->load, reader->request->tensors,
                                                  &entry->module, &layer, &reader->missing);
        const bool takes_features =
            layer.kind == VGG_LAYER_LINEAR || strcmp(entry->module.type, "BatchNorm1d") == 0;
        if (status == VGG_OK && takes_features && !flat) {
            status = add_flatten(reader);
            flat = true;
        }
        if (status != VGG_OK) {
            return status;
        }
        struct vgg_layer *added =
            vgg_layers_add(reader->load, &reader->list, layer.kind, layer.name);
        if (added == NULL) {
            return vgg_layers_fail(reader->load, &reader->list);
        }
        *added = layer;
        flat = flat || layer.kind == VGG_LAYER_FLATTEN;
    }
    return flat ? VGG_OK : add_flatten(reader);
}

/* Lists what the code of a script runs. */
static vgg_status add_script(struct reader *reader)
{
    bool flat = false;
    const struct vgg_module_request *request = reader->request;
    vgg_status status = vgg_script_list_layers(reader->load, request->checkpoint, request->tensors,
                                               &reader->list, &reader->missing);
    for (size_t i = 0; i < reader->list.count; i++) {
        flat = flat || reader->list.items[i].kind == VGG_LAYER_FLATTEN;
    }
    if (status == VGG_OK && !flat) {
        status = add_flatten(reader);
    }
    struct vgg_spec unnamed = {.layers = reader->list.items, .layer_count = reader->list.count};
    return status ? status : vgg_layers_name(reader->load, &unnamed);
}

/* A net that ends in an image of scores gives the mean of all its positions. */
static bool ends_in_image(const struct vgg_layer_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].kind == VGG_LAYER_LINEAR ||
            list->items[i].kind == VGG_LAYER_ADAPTIVE_POOL) {
            return false;
        }
    }
    return true;
}

/* Whether the last convolution can put out scores of classes: it is 1x1, or no activation follows it. Features without
 * a classifier end otherwise. */
static bool ends_in_scores(const struct vgg_layer_list *list)
{
    bool scores = false, point = false;
    for (size_t i = 0; i < list->count; i++) {
        const struct vgg_layer *layer = &list->items[i];
        if (layer->kind == VGG_LAYER_CONV) {
            point = layer->conv.window.kernel.h == 1 && layer->conv.window.kernel.w == 1;
            scores = true;
        }
        scores = scores && (point || layer->kind != VGG_LAYER_ACTIVATION);
    }
    return scores;
}

/* Whether two nets compute the same. */
static bool is_same(const struct vgg_spec *a, const struct vgg_spec *b)
{
    size_t i = 0, j = 0;
    for (;;) {
        while (i < a->layer_count && a->layers[i].kind == VGG_LAYER_IDENTITY) {
            i++;
        }
        while (j < b->layer_count && b->layers[j].kind == VGG_LAYER_IDENTITY) {
            j++;
        }
        if (i == a->layer_count || j == b->layer_count) {
            return i == a->layer_count && j == b->layer_count;
        }
        if (!vgg_layer_equals(&a->layers[i++], &b->layers[j++])) {
            return false;
        }
    }
}

static enum vgg_evidence_source get_source(const struct reader *reader)
{
    return reader->missing ? VGG_EVIDENCE_CONVENTION : VGG_EVIDENCE_MODULES;
}

/* Whether a linear layer takes features of more than one place. */
static bool flattens_places(const struct vgg_spec *spec)
{
    int channels = 0;
    for (size_t i = 0; i < spec->layer_count; i++) {
        const struct vgg_layer *layer = &spec->layers[i];
        if (layer->kind == VGG_LAYER_LINEAR) {
            return layer->linear.in_features > channels;
        }
        if (layer->kind == VGG_LAYER_CONV) {
            channels = layer->conv.out_channels;
        } else if (layer->kind == VGG_LAYER_ADAPTIVE_POOL && layer->adaptive.out.h == 1 &&
                   layer->adaptive.out.w == 1) {
            return false;
        }
    }
    return false;
}

static bool flattens_channels_last(const struct vgg_spec *spec)
{
    bool last = false;
    for (size_t i = 0; i < spec->layer_count; i++) {
        const struct vgg_layer *layer = &spec->layers[i];
        last = last || (layer->kind == VGG_LAYER_FLATTEN && layer->flatten.channels_last);
    }
    return last;
}

/* Records what a class may compute in its own code between the modules and behind them. */
static void note_forward(const struct reader *reader, const struct entry *unknown,
                         struct vgg_spec *spec)
{
    const enum vgg_evidence_source source =
        unknown != NULL ? VGG_EVIDENCE_CONVENTION : VGG_EVIDENCE_MODULES;
    if (flattens_places(spec)) {
        vgg_note(reader->load, spec, "flatten", source, "%s",
                 flattens_channels_last(spec) ? "height, width, channels" : VGG_FLATTEN_ORDER);
    }
    vgg_note(reader->load, spec, "logits", source, VGG_LOGITS);
}

/* Records that the modules say all that names and shapes leave open. */
static void note_modules(const struct reader *reader, struct vgg_spec *spec)
{
    static const char *const settings[] = {
        "stride", "dilation", "padding", "padding of 1x1 convolutions", "eps", "pool", "last pool"};
    static const char *const structure[] = {"square convolutions",
                                            "activation",
                                            "BatchNorm",
                                            "BatchNorm of linear layers",
                                            "places of pools",
                                            "single modules between convolutions",
                                            "average pool",
                                            "pool before the classifier",
                                            "modules after the last convolution",
                                            "modules before linear layers"};
    const struct entry *unknown = find_unknown_forward(reader);
    struct vgg_evidence_list *list = &spec->evidence;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        struct vgg_evidence *known = vgg_evidence_find(list, settings[i]);
        if (known != NULL && known->source > get_source(reader)) {
            known->source = get_source(reader);
        }
    }
    for (size_t i = 0; i < sizeof structure / sizeof structure[0]; i++) {
        struct vgg_evidence *known = vgg_evidence_find(list, structure[i]);
        if (known != NULL && known->source > VGG_EVIDENCE_MODULES) {
            known->source = VGG_EVIDENCE_MODULES;
        }
    }
    note_forward(reader, unknown, spec);
    if (unknown == NULL) {
        vgg_note(reader->load, spec, "order", VGG_EVIDENCE_MODULES,
                 reader->followed ? "of the script's code" : "of the modules");
        return;
    }
    struct vgg_evidence *order = vgg_evidence_find(list, "order");
    if (order == NULL || (!spec->builtin && order->source > VGG_EVIDENCE_PUBLISHED)) {
        if (order != NULL) {
            order->source = VGG_EVIDENCE_CONVENTION;
        }
        const char *reason = vgg_checkpoint_get_script(reader->request->checkpoint)->reason;
        vgg_note(reader->load, spec, "order", VGG_EVIDENCE_CONVENTION,
                 "of the modules (the class %s may run them otherwise%s%s)", unknown->module.type,
                 reason[0] != '\0' ? ": " : "", reason);
    }
}

/* Records the settings of a net whose names and shapes say something else. */
static void note_settings(const struct reader *reader, struct vgg_spec *spec)
{
    const enum vgg_evidence_source source = get_source(reader);
    spec->evidence = (struct vgg_evidence_list){0};
    vgg_note(reader->load, spec, "layers", VGG_EVIDENCE_MODULES,
             "%zu convolutions, %zu linear layers", vgg_spec_count(spec, VGG_LAYER_CONV),
             vgg_spec_count(spec, VGG_LAYER_LINEAR));
    vgg_note(reader->load, spec, "settings of layers", source, "%s",
             reader->missing ? "PyTorch's defaults where the file has none" : "as in the modules");
}

/* Records that the average pool is one of the file's, not one that is added. */
static void note_average_pool(const struct reader *reader, struct vgg_spec *spec)
{
    if (vgg_spec_count(spec, VGG_LAYER_ADAPTIVE_POOL) > 0) {
        vgg_note(reader->load, spec, "average pool", get_source(reader),
                 reader->followed ? "as in the script's code" : "as in the modules");
    }
}

/* Adds what a Softmax or a Sigmoid at the end shows of the scores. */
static void note_scores(const struct reader *reader, struct vgg_spec *spec)
{
    const struct vgg_layer *last = &spec->layers[spec->layer_count - 1];
    const bool own =
        last->kind == VGG_LAYER_SOFTMAX ||
        (last->kind == VGG_LAYER_ACTIVATION && last->activation.kind == VGG_ACTIVATION_SIGMOID);
    vgg_note(reader->load, spec, "scores", own ? get_source(reader) : VGG_EVIDENCE_CONVENTION, "%s",
             own                               ? "the net's own"
             : vgg_spec_get_classes(spec) == 1 ? "sigmoid"
                                               : "softmax");
}

/* Takes the modules in their order as the net. */
static vgg_status take_chain(struct reader *reader, struct vgg_spec *spec)
{
    const struct vgg_load *load = reader->load;
    struct vgg_spec made = {.inferred = true};
    vgg_status status = VGG_OK;
    struct vgg_layer *flatten = &reader->list.items[reader->list.count - 1];
    const bool adds_pool = flatten->kind == VGG_LAYER_FLATTEN && ends_in_image(&reader->list);
    if (adds_pool) {
        *flatten = (struct vgg_layer){.kind = VGG_LAYER_ADAPTIVE_POOL,
                                      .name = "avgpool",
                                      .adaptive = {.kind = VGG_ADAPTIVE_AVG, .out = {1, 1}}};
        status = add_flatten(reader);
    }
    made.layers = reader->list.items;
    made.layer_count = reader->list.count;
    made.channels = vgg_spec_find_channels(&made);
    vgg_overrides_apply(reader->request->overrides, &made);
    if (status == VGG_OK && reader->request->inferred && is_same(&made, spec)) {
        spec->source = spec->builtin ? spec->source : "names, shapes and modules";
        note_modules(reader, spec);
        return VGG_OK;
    }
    status = status ? status : vgg_input_choose(load, reader->request->overrides, &made);
    if (status == VGG_OK) {
        status = vgg_spec_default_preprocess(&made, load->err);
    }
    if (status != VGG_OK) {
        return status;
    }
    const struct vgg_evidence *size = vgg_evidence_find(&made.evidence, "input size");
    const struct vgg_evidence kept = *size;
    note_settings(reader, &made);
    vgg_evidence_add(&made.evidence, load->arena, &kept);
    note_modules(reader, &made);
    if (!adds_pool) {
        note_average_pool(reader, &made);
    }
    note_scores(reader, &made);
    made.preprocess_source = VGG_EVIDENCE_CONVENTION;
    made.source = "names, shapes and modules";
    *spec = made;
    return vgg_layers_connect(load, spec);
}

/* ---- settings for the layers that names and shapes show ---- */

static vgg_status take_settings(const struct reader *reader, struct vgg_spec *spec)
{
    const struct vgg_module_request *request = reader->request;
    struct vgg_module_leaf *leaves = vgg_load_alloc(reader->load, reader->count, sizeof *leaves);
    size_t count = 0;
    if (leaves == NULL) {
        return vgg_load_fail_memory(reader->load, reader->count * sizeof *leaves, "the modules");
    }
    for (size_t i = 0; i < reader->count; i++) {
        const struct entry *entry = &reader->entries[i];
        if (entry->is_leaf) {
            leaves[count++] = (struct vgg_module_leaf){entry->module, entry->kind};
        }
    }
    const struct vgg_module_leaves settings = {.items = leaves,
                                               .count = count,
                                               .tensors = request->tensors,
                                               .overrides = request->overrides,
                                               .has_cfg = request->has_cfg};
    vgg_status status = vgg_module_settings_take(reader->load, &settings, spec);
    if (status == VGG_OK && !spec->builtin && !request->has_cfg) {
        spec->source = "names, shapes and modules";
    }
    return status;
}

vgg_status vgg_spec_apply_modules(const struct vgg_load *load,
                                  const struct vgg_module_request *request, struct vgg_spec *spec,
                                  bool *described)
{
    const size_t count = vgg_checkpoint_get_module_count(request->checkpoint);
    struct reader reader = {.load = load, .request = request};
    *described = false;
    vgg_status status =
        vgg_script_check(load, request->checkpoint, request->has_cfg, &reader.followed);
    if (status == VGG_OK && reader.followed && !request->has_cfg) {
        *described = true;
        status = add_script(&reader);
        return status ? status : take_chain(&reader, spec);
    }
    if (status != VGG_OK || count == 0) {
        return status;
    }
    reader.followed = false;
    reader.entries = vgg_load_alloc(load, count + 1, sizeof *reader.entries);
    if (reader.entries == NULL) {
        return vgg_load_fail_memory(load, count * sizeof *reader.entries, "the modules");
    }
    status = list(&reader);
    if (status != VGG_OK) {
        return status;
    }
    if (is_chain(&reader) && !request->has_cfg) {
        status = add_layers(&reader);
        if (status == VGG_OK && !request->inferred && ends_in_image(&reader.list) &&
            !ends_in_scores(&reader.list)) {
            return VGG_OK;
        }
        *described = status == VGG_OK;
        return status ? status : take_chain(&reader, spec);
    }
    if (!request->inferred) {
        return VGG_OK;
    }
    *described = true;
    return take_settings(&reader, spec);
}
