/* A plan: a net cut into steps for one input size, one batch, one ISA, with its memory laid out and its
 * weights in kernel order. Types only; each stage has a header of its own.
 *
 *   nodes ─ f32/fuse.c ─► steps ─ memory.c ─► one slab ─ f32/prepack.c ─► weights ─ run.c ─► logits
 *
 * A one-shot plan packs no weights when it is built, but those of each step just before it runs. */
#ifndef VGG_PLAN_TYPES_H
#define VGG_PLAN_TYPES_H

#include "base/mem.h"
#include "kernels/int8.h"
#include "kernels/kernels.h"
#include "model/graph/graph.h"
#include "model/spec/spec.h"
#include "vgg/session.h"

/* One activation tensor in the slab, or the caller's input: blocked (lanes = L) or planar (lanes = 1), see kernels.h. */
struct vgg_activation {
    struct vgg_shape shape;
    int lanes;
    int element_bytes; /* 4: float32; 1: bytes of an int8 net, see kernels/int8.h */
    float scale;       /* what such a byte stands for */
    int pad;           /* frame of zeros, in pixels */
    int blocks;
    ptrdiff_t n_stride, block_stride, row_stride; /* elements */
    size_t bytes; /* in the slab, of the whole batch with its frames; 0: the caller's input */
    size_t offset_bytes; /* in the slab */
    /* Picture 0, block 0, pixel (0, 0); set when the slab exists. NULL: the caller's input. */
    union {
        float *data;
        uint8_t *data_bytes;
    };
};

enum vgg_step_kind {
    VGG_STEP_QUANTIZE_INPUT, /* the input of an int8 net, into bytes in their frame */
    VGG_STEP_CONV,           /* with BatchNorm folded and ReLU fused as the graph allows */
    VGG_STEP_BATCH_NORM,
    VGG_STEP_RELU,
    VGG_STEP_LRN,
    VGG_STEP_MAX_POOL,
    VGG_STEP_AVG_POOL,
    VGG_STEP_FLATTEN, /* blocked -> planar features */
    VGG_STEP_LINEAR,
    VGG_STEP_DENSE, /* a fully connected layer on every window of its size (f32/dense_linear.c) */
    VGG_STEP_IDENTITY, /* nothing to do: in and out are the same activation */
};

/* How a convolution is computed. */
enum vgg_algorithm {
    VGG_DIRECT,         /* one pass over the weights for each block of pixels */
    VGG_WINOGRAD_TILES, /* block of tiles after block of tiles, each in the second-level cache */
    VGG_WINOGRAD_FREQUENCY, /* all tiles frequency by frequency: the weights are read once */
};

struct vgg_conv_choice {
    enum vgg_algorithm algorithm;
    int m;                /* outputs of a Winograd tile along each axis: 2, 4 or 6 */
    int tiles_h, tiles_w; /* of one picture */
    int block;    /* tiles transformed together: one block's, or all of the batch; of DENSE, windows
                  gathered together */
    int groups;   /* of output channels together: all, or as many as a one-shot plan packs */
    int slots;    /* blocks in the making at a time, each with scratch of its own */
    size_t plane; /* elements from block of channels to block of channels */
    size_t v_f_stride;    /* and from frequency to frequency: transformed input */
    size_t m_f_stride;    /* and products */
    size_t slot_elements; /* of scratch */
    const struct vgg_prepared
        *stored; /* the weights, packed in the file; NULL: they must be packed */
    double predicted_ms;
    const char *reason;
};

/* What a step of an int8 net computes with; the arrays have whole groups of channels. */
struct vgg_int8_step {
    const int8_t *weight; /* where it is in the file */
    ptrdiff_t weight_group_stride;
    int k_blocks; /* LINEAR: of 64 input features */
    int32_t *bias, *weight_sum;
    float *scale;
    int rows; /* CONV with a pool: rows of the pool's output computed at a time */
};

struct vgg_step {
    enum vgg_step_kind kind;
    const struct vgg_node *node; /* the first node it computes; NULL for QUANTIZE_INPUT */
    const struct vgg_node *norm; /* the BatchNorm folded into the weights, or NULL */
    const struct vgg_node *last; /* the last node it computes: `out` is this node's output */
    const struct vgg_node
        *pool; /* the max-pool fused into a convolution, or NULL: 2 × 2 in a float32 net */
    bool relu; /* ReLU fused */
    struct vgg_conv_choice conv; /* CONV; of DENSE and LINEAR its scratch */
    struct vgg_int8_step int8;   /* of an int8 net */
    int in, out; /* indices of activations; a float32 net's 0 is the caller's input */

    /* How one picture's work is cut into tasks (f32/partition.c). */
    int groups; /* along channels: conv groups, blocks, or slices of rows of a linear layer */
    int chunks; /* along rows of the output */
    bool
        groups_first; /* consecutive tasks share a group (its weights), else a chunk (its pixels) */

    /* Weights in kernel order: the step's own, or in a one-shot plan in the slab and valid while the step
     * runs. */
    float *
        weight; /* packed [groups][group_elements], or a float32 copy; NULL: stored so in the file */
    size_t weight_elements; /* 0: none, they are used in place */
    size_t group_elements;
    const void
        *linear_weight; /* what the linear kernel reads: the file's bytes, or weight; NULL: each
                                  task reads its slice into rows */
    float *bias;        /* packed; also BatchNorm's shift */
    float *scale;       /* BatchNorm on its own */
    const double *norm_scale; /* [oc] of that, or NULL */

    /* In the slab. */
    float *scratch;       /* [conv.slots][conv.slot_elements] while it runs; of the first one
                             [threads], some rows of the input in their frame */
    float *rows;          /* [threads][rows_elements]: weights on their way to kernel order */
    size_t rows_elements; /* 0: none */

    /* Of the last run, where the weights are in columns: inputs, those that are not zero, and bytes of weights
     * read for them. */
    uint64_t inputs, nonzero_inputs, read_bytes;

    uint64_t prepare_ns; /* packing the weights: once, or in a one-shot plan for the last run */
    uint64_t last_ns;    /* the last run's time, without that */
};

struct vgg_plan {
    const char *path; /* of the checkpoint, for messages; borrowed */
    const struct vgg_kernels *kernels;
    const struct vgg_int8_kernels *int8; /* of an int8 net, or NULL */
    struct vgg_int8_grid grid;           /* of its input */
    const struct vgg_kernels *packer; /* whose winograd_filter packs weights; as a rule the same */
    int batch;
    int threads;
    enum vgg_conv_algorithm conv;
    enum vgg_algorithm form;
    bool one_shot;
    bool lay_out_only;
    struct vgg_shape input;
    uint64_t activation_limit; /* bytes of slab and scratch */
    bool assumed_input;
    bool low_memory;       /* as one_shot, and scratch as small as the activations allow: */
    size_t room_bytes;     /* what the convolution to be chosen may take beside input and output, */
    size_t unpooled_bytes; /* and its output more without the pool after it */
    int class_count;
    struct vgg_step *steps;     /* [step_count] */
    struct vgg_step_info *info; /* [step_count] */
    int step_count;
    struct vgg_activation *activations; /* [activation_count] in order of production */
    int activation_count;
    uint8_t *slab; /* all memory of a running step but its own weights, see memory.c */
    size_t slab_bytes;
    size_t weight_bytes;
    vgg_node_fn *on_node;
    void *on_node_user;
    float *report; /* planar copy of one node's output, for on_node; or NULL */
    struct vgg_arena arena;
};

struct vgg_plan_options {
    const struct vgg_context *context; /* NULL, or outlives the plan */
    const struct vgg_kernels *kernels;
    const struct vgg_int8_kernels *int8; /* not NULL: the net is an int8 one, */
    const struct vgg_int8_grid *grid;    /* whose input is quantised so */
    int batch;
    enum vgg_conv_algorithm conv;
    enum vgg_algorithm form; /* the form Winograd takes; VGG_DIRECT: whichever is cheaper */
    bool one_shot;
    bool
        lay_out_only; /* to see how weights are packed; such a plan cannot run, and its kernels need be no more
                          than described */
    struct vgg_shape input;
    vgg_node_fn *on_node; /* not NULL: nothing is fused */
    void *on_node_user;
    uint64_t activation_bytes; /* limit of slab and scratch */
    bool assumed_input;        /* nobody gave the input's size: for messages */
    bool low_memory;
};

/* Packed weights of a convolution, wherever they are. */
static inline const float *vgg_conv_get_weights(const struct vgg_step *step)
{
    return step->conv.stored != NULL ? step->conv.stored->data : step->weight;
}

#endif
