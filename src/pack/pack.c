/* SPDX-License-Identifier: MIT */
/* Writes a model as a packed file: description and weights, with BatchNorm folded in, prepacked for some instruction
 * sets. */
#include "pack/fold_spec.h"
#include "pack/pack_file.h"
#include "pack/packable.h"
#include "pack/prepacker.h"
#include "pack/write_weights.h"

#include "model/graph/build.h"
#include "model/graph/norm.h"

struct packing {
    struct vgg_model_view model;
    const struct vgg_pack_options *options;
    struct vgg_prepacker prepacker;
    struct vgg_weight_writer weights;
    /* The next parameter of the folded net to write. */
    const struct vgg_parameter *next;
};

/* Writes a convolution's weight, plain and prepacked.
 *   scale  of each filter, or NULL */
static vgg_status write_conv(struct packing *packing, const struct vgg_parameter *as,
                             const struct vgg_node *node, const double *scale)
{
    struct vgg_weight_writer *weights = &packing->weights;
    vgg_status status = VGG_OK;
    if (packing->options->plain) {
        status = vgg_write_filters(weights, as, node->conv.weight, scale);
    }
    return status == VGG_OK ? vgg_prepacker_write(&packing->prepacker, node, as->name,
                                                  weights->file, weights->load->err)
                            : status;
}

/* Writes the weight of a convolution or linear layer. */
static vgg_status write_weight(struct packing *packing, const struct vgg_node *node,
                               const double *scale)
{
    struct vgg_weight_writer *weights = &packing->weights;
    const struct vgg_parameter *as = packing->next++;
    switch (node->op) {
    case VGG_OP_CONV2D:
        return write_conv(packing, as, node, scale);
    case VGG_OP_GENERAL_CONV:
        return vgg_write_filters(weights, as, node->general_conv.weight, scale);
    default:
        return vgg_write_columns(weights, as, node->linear.weight, scale);
    }
}

static bool has_weights(const struct vgg_node *node)
{
    return node->op == VGG_OP_CONV2D || node->op == VGG_OP_GENERAL_CONV ||
           node->op == VGG_OP_LINEAR;
}

/* Writes the weight and the bias of a convolution or linear layer.
 *   norm  the BatchNorm after it, or NULL */
static vgg_status write_layer(struct packing *packing, const struct vgg_node *node,
                              const struct vgg_batch_norm *norm)
{
    struct vgg_weight_writer *weights = &packing->weights;
    const struct vgg_tensor *bias = node->op == VGG_OP_CONV2D         ? node->conv.bias
                                    : node->op == VGG_OP_GENERAL_CONV ? node->general_conv.bias
                                                                      : node->linear.bias;
    double *scale = NULL, *shift = NULL;
    vgg_status status =
        norm == NULL ? VGG_OK : vgg_batch_norm_read(weights->load, norm, &scale, &shift);
    if (status == VGG_OK) {
        status = write_weight(packing, node, scale);
    }
    if (status == VGG_OK && norm != NULL) {
        return vgg_write_folded_bias(weights, packing->next++, bias, scale, shift);
    }
    return status == VGG_OK && bias != NULL ? vgg_write_bias(weights, packing->next++, bias)
                                            : status;
}

/* Writes a vector as it is; NULL: the net has none. */
static vgg_status write_vector(struct packing *packing, const struct vgg_tensor *tensor)
{
    return tensor != NULL ? vgg_write_bias(&packing->weights, packing->next++, tensor) : VGG_OK;
}

/* Writes a BatchNorm that no layer before it can contain. */
static vgg_status write_norm(struct packing *packing, const struct vgg_batch_norm *norm)
{
    vgg_status status = write_vector(packing, norm->weight);
    status = status ? status : write_vector(packing, norm->bias);
    status = status ? status : write_vector(packing, norm->running_mean);
    return status ? status : write_vector(packing, norm->running_var);
}

static vgg_status write_layers(struct packing *packing)
{
    const struct vgg_node *nodes = packing->model.nodes;
    const size_t count = packing->model.node_count;
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < count && status == VGG_OK; i++) {
        if (has_weights(&nodes[i])) {
            const bool folds = i + 1 < count && nodes[i + 1].op == VGG_OP_BATCH_NORM;
            status = write_layer(packing, &nodes[i], folds ? &nodes[i + 1].norm : NULL);
            i += folds;
        } else if (nodes[i].op == VGG_OP_BATCH_NORM) {
            status = write_norm(packing, &nodes[i].norm);
        } else if (nodes[i].op == VGG_OP_ACTIVATION) {
            status = write_vector(packing, nodes[i].activation.slopes);
        }
    }
    return status;
}

/* Writes the file of a model that was checked. */
static vgg_status write_file(struct packing *packing, const char *path, struct vgg_error *err)
{
    const struct vgg_model_view *model = &packing->model;
    struct vgg_arena arena = {.context = model->context};
    struct vgg_spec spec;
    struct vgg_graph folded; /* only names and shapes of its parameters are used */
    struct vgg_pack_file file;
    struct vgg_limits limits;
    vgg_limits_init(&limits);
    const struct vgg_load load = {
        .path = model->path, .limits = &limits, .arena = &arena, .err = err};
    vgg_status status = vgg_spec_fold(&load, model->spec, &spec);
    if (status == VGG_OK) {
        status = vgg_graph_build(&load, &spec, &folded);
    }
    if (status == VGG_OK) {
        status = vgg_pack_file_open(&file, path, &spec, model->context, err);
    }
    if (status == VGG_OK) {
        packing->next = folded.parameters;
        packing->weights = (struct vgg_weight_writer){
            .load = &load, .file = &file.writer, .dtype = packing->options->weights};
        status = vgg_pack_file_close(&file, write_layers(packing), err);
    }
    vgg_arena_destroy(&arena);
    return status;
}

static vgg_status check(const vgg_model *model, const char *path,
                        const struct vgg_pack_options *options, struct vgg_error *err)
{
    if (path == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "vgg_model_pack: path is NULL");
    }
    vgg_status status = vgg_model_check_packable(model, err);
    if (status == VGG_OK && options->plain) {
        status = vgg_model_check_plain(model, err);
    }
    const bool halves = options->weights == VGG_DTYPE_BF16 || options->weights == VGG_DTYPE_F16;
    if (status == VGG_OK && options->weights != VGG_DTYPE_F32 && (!halves || options->isas != 0)) {
        status = vgg_fail(err, VGG_ERR_ARGUMENT,
                          "vgg_model_pack: expected weights of float32, or of 16 bits, which are "
                          "prepacked for no instruction set; got %s",
                          halves ? "both" : vgg_dtype_string(options->weights));
    }
    if (status == VGG_OK && options->isas == 0 && !options->plain) {
        status =
            vgg_fail(err, VGG_ERR_ARGUMENT,
                     "vgg_model_pack: expected instruction sets or plain weights, got neither");
    }
    return status;
}

vgg_status vgg_model_pack(const vgg_model *model, const char *path,
                          const struct vgg_pack_options *options, struct vgg_error *err)
{
    static const struct vgg_pack_options defaults = {.plain = true};
    struct packing packing = {.model = *vgg_model_get_view(model),
                              .options = options != NULL ? options : &defaults};
    vgg_status status = check(model, path, packing.options, err);
    if (status == VGG_OK) {
        status = vgg_prepacker_open(&packing.prepacker, &packing.model, packing.options->isas, err);
    }
    if (status == VGG_OK) {
        status = write_file(&packing, path, err);
        vgg_prepacker_close(&packing.prepacker);
    }
    return status;
}
