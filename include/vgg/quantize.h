/* SPDX-License-Identifier: MIT */
/* From a float32 net to one of 8-bit weights and activations, calibrated with representative images.
 *
 *     vgg_quantizer_create ─► add each image ─► choose ─► (measure each image) ─► save
 *
 * What is saved is a packed file that is opened like any checkpoint. Its net is integer from end to end: the
 * input, each convolution and linear layer with ReLU, and pools give bytes; the last linear layer
 * gives float32 logits. All instruction sets compute the same bits of it. */
#ifndef VGG_QUANTIZE_H
#define VGG_QUANTIZE_H

#include "vgg/cpu.h"
#include "vgg/model.h"
#include "vgg/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How the value of the largest byte of an activation is chosen; larger values are clipped to it. */
enum vgg_clip {
    VGG_CLIP_MIN_MAX, /* the maximum */
    VGG_CLIP_99_999,  /* the 99.999th percentile */
    VGG_CLIP_99_99,
    VGG_CLIP_99_9,
    VGG_CLIP_MSE, /* the smallest mean-square error of clipping and rounding together */
};
/* "min-max", "99.999 %", "99.99 %", "99.9 %", "mse". Never NULL. */
VGG_API const char *vgg_clip_string(enum vgg_clip clip);

struct vgg_quantizer_options {
    int threads;      /* 0: vgg_cpu_count() */
    enum vgg_isa isa; /* the instruction set; VGG_ISA_AUTO: the best */
    uint64_t reserved[8];
};

typedef struct vgg_quantizer vgg_quantizer;

/* Prepares to quantise a model.
 *   model    borrowed: it (and its checkpoint) must outlive the quantizer
 *   options  NULL for the defaults
 *   out      receives the quantizer, to be destroyed by the caller; NULL after an error
 * It needs memory for the whole int8 net, and for some of the images.
 * Errors: ARGUMENT (an int8 model, a dense one; VGG_ISA), UNSUPPORTED (CPU; a net that is not convolutions with ReLU,
 * pools, and linear layers with ReLU between them; non-finite weights), LIMIT, MEMORY. Threads: one call at a time. */
VGG_API vgg_status vgg_quantizer_create(const vgg_model *model,
                                        const struct vgg_quantizer_options *options,
                                        vgg_quantizer **out, struct vgg_error *err);
/* Frees the quantizer. NULL is allowed. */
VGG_API void vgg_quantizer_destroy(vgg_quantizer *quantizer);

/* Runs the float32 net on an image and remembers how its activations are distributed.
 *   input  [channels][height][width] float32 of the model's size, normalised (vgg_image_to_tensor); borrowed
 * A hundred varied images suffice.
 * Errors: ARGUMENT (after vgg_quantizer_choose), UNSUPPORTED (non-finite activations). */
VGG_API vgg_status vgg_quantizer_add(vgg_quantizer *quantizer, const float *input,
                                     struct vgg_error *err);

/* Called after each of `total` steps of about the same time. */
typedef void vgg_progress_fn(void *user, int done, int total);

/* Quantises the weights, with the rounding error's mean taken out by the biases; tries for every layer every
 * enum vgg_clip, and keeps what makes the smallest error of the logits on images that were added.
 *   progress  NULL, or called now and then
 * Errors: ARGUMENT (no image was added; called twice), MEMORY. */
VGG_API vgg_status vgg_quantizer_choose(vgg_quantizer *quantizer, vgg_progress_fn *progress,
                                        void *user, struct vgg_error *err);

/* Runs both nets on an image, and accumulates what the next two functions report.
 *   input  as for vgg_quantizer_add, and may be the same images
 * Errors: ARGUMENT (before vgg_quantizer_choose). */
VGG_API vgg_status vgg_quantizer_measure(vgg_quantizer *quantizer, const float *input,
                                         struct vgg_error *err);

/* Per-layer quantisation results, of a convolution or linear layer with its ReLU. */
struct vgg_quantized_layer {
    const char *name; /* the module path, "features.0"; borrowed */
    /* And that of its ReLU; its own of the last layer, whose logits are no bytes. */
    const char *output;
    enum vgg_clip clip; /* the last four are 0 for the last layer */
    float scale;        /* the value of a byte of 1 */
    float largest;      /* the maximum; 255 * scale is the largest value kept */
    double clipped;     /* share of the values above that, 0 … 1 */
    /* Signal-to-noise ratio of the output, by clipping and rounding it alone. */
    double rounding_snr_db;
    /* And of the int8 net's output against the float32 net's, all errors before it included; NaN before anything
     * was measured. */
    double snr_db;
    double reserved[6];
};
VGG_API size_t vgg_quantizer_get_layer_count(const vgg_quantizer *quantizer);
/* index  0 … count-1, in order of execution */
VGG_API void vgg_quantizer_get_layer(const vgg_quantizer *quantizer, size_t index,
                                     struct vgg_quantized_layer *out);

/* Both nets' logits on the images that were measured. */
struct vgg_quantized_totals {
    int added; /* images */
    int measured;
    int same_top1;  /* of those measured */
    double snr_db;  /* signal-to-noise ratio of the logits; NaN before anything was measured */
    double max_abs; /* largest difference of a logit */
    double mean_abs;
    double reserved[5];
};
VGG_API void vgg_quantizer_get_totals(const vgg_quantizer *quantizer,
                                      struct vgg_quantized_totals *out);

/* Writes the int8 net, with the model's layers, labels and preprocessing.
 *   path  as for vgg_model_pack
 * Errors: ARGUMENT (before vgg_quantizer_choose), IO, LIMIT, MEMORY. */
VGG_API vgg_status vgg_quantizer_save(const vgg_quantizer *quantizer, const char *path,
                                      struct vgg_error *err);

/* The way back: writes what an int8 model's weights and biases stand for as float32, with its description beside
 * it. What quantising has lost stays lost. It needs memory for all of them.
 *   path  as for vgg_checkpoint_save
 * Errors: ARGUMENT (no int8 model, another ending), IO, MEMORY. */
VGG_API vgg_status vgg_model_dequantize(const vgg_model *model, const char *path,
                                        struct vgg_error *err);

#ifdef __cplusplus
}
#endif
#endif
