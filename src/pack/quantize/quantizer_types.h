/* SPDX-License-Identifier: MIT */
/* A quantizer: the float32 net's layers, their activations' statistics, and the int8 net in memory.
 *
 *   model ─ quantize_layers.c ─► layers, nodes ─ quantizer.c ─► histograms, means
 *         ─ quantize_weights.c ─► int8 weights, biases ─ choose_scales.c ─► scales
 *         ─ accuracy.c ─► errors;  save.c ─► file */
#ifndef VGG_PACK_QUANTIZE_QUANTIZER_TYPES_H
#define VGG_PACK_QUANTIZE_QUANTIZER_TYPES_H

#include "base/mem.h"
#include "base/pool.h"
#include "kernels/int8.h"
#include "kernels/kernels.h"
#include "model/view.h"
#include "pack/quantize/histogram.h"
#include "vgg/quantize.h"
#include "vgg/session.h"

/* A convolution or a linear layer, with the BatchNorm and the ReLU after it. */
struct vgg_quantizer_layer {
    const struct vgg_node *node;   /* the model's */
    const struct vgg_node *norm;   /* to be folded into it, or NULL */
    const struct vgg_node *output; /* the ReLU, or the last linear layer itself */
    struct vgg_node *int8;         /* the same layer of the int8 net */
    bool input;                    /* reads the net's input */
    bool logits;                   /* is the last one */
    int oc;                        /* output channels, or features */
    size_t ic, area; /* weights of an output channel: [ic][area]; area is 1 for a linear layer */

    /* Of each input channel: sums of values and squares over `input_count` values; then their means. */
    double *mean, *square; /* [ic] */
    uint64_t input_count;
    struct vgg_histogram histogram; /* of its output, except for the logits */

    /* The int8 layer's tensors; a weight is its integer times weight_scale. */
    struct vgg_tensor weight, bias, weight_scale, weight_sum;
    int8_t *weights; /* in the layout of `weight` */
    size_t weight_bytes;
    int32_t *biases, *sums; /* [oc] */
    float *scales;          /* [oc] */
    double *real_bias;      /* [oc] of the output in float32; includes the grid's `low` */

    enum vgg_clip clip;
    float output_scale;
    /* Sums of squares of the output, and of the int8 net's difference from it. */
    double signal, noise;
};

/* A plan of the int8 net with the scales at that time, and its executor. */
struct vgg_quantizer_runner {
    struct vgg_plan *plan;
    struct vgg_executor *executor;
};

struct vgg_quantizer {
    const vgg_model *model;
    const char *path; /* the checkpoint's */
    struct vgg_arena arena;
    const struct vgg_int8_kernels *kernels;
    const struct vgg_kernels *float_kernels; /* a plan needs some of them */
    struct vgg_pool *pool;
    vgg_session *session; /* float32, which reports every node */

    struct vgg_quantizer_layer *layers; /* [layer_count] */
    size_t layer_count;
    struct vgg_node *nodes; /* [node_count] the int8 net, BatchNorm folded */
    size_t node_count;
    struct vgg_int8_grid grid;
    struct vgg_shape input;
    size_t input_elements; /* of an image */
    int class_count;

    /* The first images, which scales are chosen with, and the float32 net's logits of them. */
    float **samples;      /* [sample_count][input_elements] */
    float *sample_logits; /* [sample_max][class_count] */
    int sample_count, sample_max;

    float *logits;        /* [2][class_count] of both nets, for other images */
    size_t current_node;  /* the model's node that is reported next */
    bool non_finite;      /* an activation was */
    bool off_grid;        /* an input was not made of 8-bit pixels */
    float min[3], max[3]; /* of all inputs, by channel */

    bool chosen;
    /* While both nets are compared: */
    struct vgg_quantizer_runner runner; /* of the int8 net, which reports every node */
    float **outputs;                    /* [layer_count] of the float32 net's layers */
    double difference;                  /* of the logits, summed */
    struct vgg_quantized_totals totals;
};

#endif
