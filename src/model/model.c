/* SPDX-License-Identifier: MIT */
/* Creates a model from a checkpoint and options: a net with weights, labels and preprocessing. */
#include "model/model_types.h"

#include "checkpoint/checkpoint.h"
#include "checkpoint/module.h"
#include "model/apply_options.h"
#include "model/graph/bind.h"
#include "model/graph/check_weights.h"
#include "model/graph/channels_last.h"
#include "model/graph/filter_head.h"
#include "model/graph/make_dense.h"
#include "model/infer/complete.h"
#include "model/view.h"

/* The values that the steps of vgg_model_create share. */
struct creation {
    const vgg_checkpoint *checkpoint;
    const struct vgg_model_options *options;
    vgg_model *model;
    struct vgg_limits limits;
    struct vgg_load load;
    /* The net's, and beside them mean and std of a normalisation of its input. */
    struct vgg_tensor_list tensors;
    const struct vgg_tensor **constants;
    size_t constant_count;
};

static vgg_status list_tensors(struct creation *c)
{
    const size_t count = vgg_checkpoint_get_tensor_count(c->checkpoint);
    const struct vgg_tensor **tensors = vgg_load_alloc(&c->load, count, sizeof *tensors);
    size_t used = 0;
    bool *optional = vgg_load_alloc(&c->load, count, sizeof *optional);
    c->constants = vgg_load_alloc(&c->load, count, sizeof *c->constants);
    if (tensors == NULL || optional == NULL || c->constants == NULL) {
        return vgg_load_fail_memory(&c->load, count * sizeof *tensors, "the list of tensors");
    }
    for (size_t i = 0; i < count; i++) {
        const struct vgg_tensor *tensor = vgg_checkpoint_get_tensor(c->checkpoint, i);
        /* A caller's description may use what the file's code does not. */
        const bool is_run = vgg_checkpoint_is_used(c->checkpoint, tensor->name);
        const bool is_used = c->options->spec_path != NULL || is_run;
        if (is_used && vgg_tensor_is_constant(tensor)) {
            c->constants[c->constant_count++] = tensor;
        } else if (is_used) {
            optional[used] = !is_run;
            tensors[used++] = tensor;
        }
    }
    vgg_status status =
        vgg_tensor_list_init(&c->tensors, c->load.arena, tensors, used, c->load.err);
    c->tensors.optional = optional;
    return status;
}

/* Refuses a caller's description for int8 weights, which can only be used with the packed file's. */
static vgg_status check_requested(const struct creation *c)
{
    for (size_t i = 0; i < c->tensors.count; i++) {
        if (c->tensors.items[i]->layout == VGG_LAYOUT_INT8_INPUT) {
            return vgg_fail(c->load.err, VGG_ERR_UNSUPPORTED,
                            "%s: int8 weights have a description of their own: leave the other one "
                            "out",
                            c->load.path);
        }
    }
    return VGG_OK;
}

static void set_size(int height, int width, struct vgg_overrides *out)
{
    out->height = height > 0 ? height : width;
    out->width = width > 0 ? width : height;
}

/* Takes the input's size from the options that give it. Dense evaluation takes images of any size, so that theirs says
 * nothing of the net. */
static void find_size(const struct vgg_model_options *options, struct vgg_overrides *out)
{
    struct vgg_preprocess preset = {0};
    if (options->preset != NULL) {
        vgg_preprocess_find(options->preset, &preset, NULL);
    }
    if (options->dense) {
        return;
    }
    if (options->height > 0 || options->width > 0) {
        set_size(options->height, options->width, out);
    } else if (options->crop > 0) {
        set_size(options->crop, options->crop_width, out);
    } else if (preset.crop > 0 && options->crop == 0) {
        set_size(preset.crop, preset.crop_width, out);
    } else if (options->resize > 0 && options->resize_width > 0) {
        set_size(options->resize, options->resize_width, out);
    }
}

/* Finds the net's description: the caller's, else the packed file's own, else the one that the tensors imply. */
static vgg_status find_spec(const struct creation *c, struct vgg_spec *out)
{
    const struct vgg_model_options *options = c->options;
    const vgg_checkpoint *checkpoint = c->checkpoint;
    const struct vgg_override_texts texts = {options->padding, options->eps, options->activation,
                                             options->pool};
    struct vgg_request request = {.spec_path = options->spec_path,
                                  .cfg = options->cfg,
                                  .checkpoint = checkpoint,
                                  .constants = c->constants,
                                  .constant_count = c->constant_count};
    vgg_status status = vgg_overrides_parse(&texts, &request.overrides, c->load.err);
    const bool is_requested = options->spec_path != NULL || options->cfg != NULL ||
                              vgg_overrides_has_layers(&request.overrides);
    if (status == VGG_OK && is_requested) {
        status = check_requested(c);
    }
    if (status != VGG_OK || is_requested || checkpoint->description == NULL) {
        find_size(options, &request.overrides);
        return status ? status : vgg_spec_find(&c->load, &c->tensors, &request, out);
    }
    status = vgg_spec_parse(&c->load, checkpoint->description, checkpoint->description_bytes, out);
    out->source = "the packed file";
    return status;
}

/* Points convolutions to the weights that the file has prepacked for kernels. */
static void find_prepacked(const vgg_checkpoint *checkpoint, struct vgg_graph *graph)
{
    for (size_t i = 0; i < graph->count; i++) {
        struct vgg_node *node = &graph->nodes[i];
        if (node->op == VGG_OP_CONV2D) {
            node->conv.prepacked = vgg_checkpoint_find_prepacked(
                checkpoint, node->conv.weight->name, &node->conv.prepacked_count);
        }
    }
}

/* Finds the description and completes it from the checkpoint's modules. */
static vgg_status describe(const struct creation *c)
{
    vgg_model *model = c->model;
    const struct vgg_override_texts texts = {c->options->padding, c->options->eps,
                                             c->options->activation, c->options->pool};
    vgg_status status = find_spec(c, &model->spec);
    status = status ? status : vgg_overrides_check(&c->load, &texts, &model->spec);
    model->name = model->spec.name != NULL ? model->spec.name : "vgg (custom)";
    if (status == VGG_OK && model->spec.int8 && c->options->dense) {
        return vgg_fail(c->load.err, VGG_ERR_UNSUPPORTED,
                        "%s: dense evaluation: expected float32 weights, found int8", model->path);
    }
    return status;
}

/* Writes to the description what the shapes of the file's weights show, because a packed file has other shapes. */
static void find_filters(const struct creation *c)
{
    struct vgg_graph *graph = &c->model->graph;
    struct vgg_spec *spec = &c->model->spec;
    vgg_graph_find_filters(c->checkpoint, graph);
    for (size_t i = 0; i < spec->layer_count; i++) { /* each layer is a node */
        if (spec->layers[i].kind == VGG_LAYER_ADAPTIVE_POOL) {
            spec->layers[i].adaptive.only_enlarges = graph->nodes[i].adaptive_pool.only_enlarges;
        }
    }
}

/* Builds the nodes of the description and gives them their weights. */
static vgg_status build(const struct creation *c)
{
    vgg_model *model = c->model;
    struct vgg_error *err = c->load.err;
    const struct vgg_spec *spec = &model->spec;
    struct vgg_tensor_list used;
    vgg_status status = vgg_graph_build(&c->load, spec, &model->graph);
    status = status ? status
                    : vgg_tensor_list_leave_out(&c->load, &c->tensors, spec->unused,
                                                spec->unused_count, &used);
    if (status == VGG_OK) {
        status = vgg_graph_bind(model->path, model->name, &used, &model->graph, err);
    }
    if (status == VGG_OK) {
        status = vgg_graph_check_memory(model->path, &model->graph, &c->limits, &model->arena, err);
    }
    if (status == VGG_OK) {
        find_prepacked(c->checkpoint, &model->graph);
        find_filters(c);
        status = vgg_graph_reorder_features(&c->load, spec, &model->graph);
    }
    return status;
}

static void log_model(const vgg_model *model)
{
    vgg_log(&model->context, VGG_LOG_INFO,
            "%s: %s, by %s; input %dx%d, preprocessing %s, %zu class names", model->path,
            model->name, model->spec.source, model->height, model->width,
            model->spec.preprocess.name, model->spec.labels.count);
    if (model->assumed[0] != '\0') {
        vgg_log(&model->context, VGG_LOG_INFO, "%s: assumed: %s", model->path, model->assumed);
    }
}

/* Refuses a net of which something is assumed. */
static vgg_status check_strict(const vgg_model *model, struct vgg_error *err)
{
    return model->assumed[0] == '\0'
               ? VGG_OK
               : vgg_fail_hint(err, VGG_ERR_UNSUPPORTED, VGG_HINT_STRICT,
                               "%s: nothing shows these properties of the net, which would be "
                               "assumed: %s",
                               model->path, model->assumed);
}

/* Whether the net computes what dense evaluation does, because its features are larger than the filters of its
 * classifier. */
static bool has_larger_features(const vgg_model *model)
{
    const struct vgg_shape input = {model->spec.channels, model->height, model->width};
    return !model->spec.int8 && vgg_graph_exceeds_filters(&model->graph, input);
}

static vgg_status init(vgg_model *model, const vgg_checkpoint *checkpoint,
                       const struct vgg_model_options *options, struct vgg_error *err)
{
    struct creation c = {.checkpoint = checkpoint, .options = options, .model = model};
    vgg_limits_init(&c.limits);
    c.limits = options->limits != NULL ? *options->limits : c.limits;
    c.load = (struct vgg_load){
        .path = model->path, .limits = &c.limits, .arena = &model->arena, .err = err};
    vgg_status status = list_tensors(&c);
    status = status ? status : describe(&c);
    status = status ? status : build(&c);
    status = status ? status : vgg_model_apply_options(model, options, &c.limits, err);
    model->moves_filters = status == VGG_OK && !options->dense && has_larger_features(model);
    model->dense = options->dense || model->moves_filters;
    if (status == VGG_OK && model->dense) {
        status = vgg_graph_make_dense(model->path, &model->graph, &model->arena, err);
    }
    status = status ? status : vgg_model_fill_view(model, err);
    return status == VGG_OK && options->strict ? check_strict(model, err) : status;
}

vgg_status vgg_model_create(const vgg_checkpoint *checkpoint,
                            const struct vgg_model_options *options, vgg_model **out,
                            struct vgg_error *err)
{
    static const struct vgg_model_options no_options;
    const struct vgg_context *context = vgg_checkpoint_get_context(checkpoint);
    *out = NULL;
    options = options != NULL ? options : &no_options;
    if (options->spec_path != NULL && options->cfg != NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "a description and a cfg exclude each other");
    }
    vgg_model *model = vgg_mem_alloc_cleared(vgg_allocator_of(context), 1, sizeof *model);
    if (model == NULL) {
        return vgg_fail_memory(err, vgg_checkpoint_get_path(checkpoint), sizeof *model,
                               "the model");
    }
    model->context = *context;
    model->arena.context = &model->context;
    model->path = vgg_checkpoint_get_path(checkpoint);
    model->plans = vgg_shared_create(&model->context.allocator);
    vgg_status status = model->plans != NULL
                            ? init(model, checkpoint, options, err)
                            : vgg_fail_memory(err, model->path, sizeof *model, "the model");
    if (status != VGG_OK) {
        vgg_model_destroy(model);
        return status;
    }
    log_model(model);
    *out = model;
    return VGG_OK;
}

void vgg_model_destroy(vgg_model *model)
{
    if (model != NULL) {
        vgg_arena_destroy(&model->arena);
        vgg_shared_destroy(model->plans);
        const struct vgg_allocator allocator = model->context.allocator;
        vgg_mem_free(&allocator, model);
    }
}
