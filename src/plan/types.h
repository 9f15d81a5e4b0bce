/* SPDX-License-Identifier: MIT */
/* A plan: the steps in which a net is run, for one input size, one batch and one ISA, with the layout of their memory and
 * their prepacked weights. Types only; each stage has a header of its own.
 *
 *   nodes ─ f32/fuse.c ─► steps ─ memory.c ─► layout ─ f32/prepack.c ─► weights
 *   plan + memory ─ executor.c ─► logits
 *
 * A plan never changes once it is built, so several executors (sessions) can share it, its weights included. What a run
 * changes is in the executor. A one-shot plan prepacks no weights when it is built: its executors prepack those of each
 * step just before the step runs. */
#ifndef VGG_PLAN_TYPES_H
#define VGG_PLAN_TYPES_H

#include "base/mem.h"
#include "base/pool.h"
#include "kernels/int8.h"
#include "kernels/kernels.h"
#include "model/graph/graph.h"
#include "model/spec/spec.h"
#include "vgg/session.h"

/* One activation tensor: NCHWc (lanes = c = L) or NCHW (lanes = 1), see kernels.h. */
struct vgg_activation {
    struct vgg_shape shape;
    int lanes;
    /* 4: float32; 1: bytes of an int8 net, see kernels/int8.h. */
    int element_bytes;
    /* Of bytes: byte q stands for the number q * scale. */
    float scale;
    /* Padding of zeros on each side, in pixels. */
    int pad;
    int blocks;
    /* In elements. */
    ptrdiff_t n_stride, block_stride, row_stride;
    /* Of the whole batch with its padding; 0: the caller's input, which is outside the slab. */
    size_t bytes;
    /* In the slab. */
    size_t offset_bytes;
    /* Image 0, block 0, pixel (0, 0). Set in an executor's activations; NULL in the plan's, and for the caller's
     * input. */
    union {
        float *data;
        uint8_t *data_bytes;
    };
};

enum vgg_step_kind {
    /* Nothing to do: in and out are the same activation. */
    VGG_STEP_IDENTITY,
    VGG_STEP_DIRECT_CONV,
    VGG_STEP_WINOGRAD_CONV,
    VGG_STEP_LINEAR,
    /* A linear layer applied to every window of its size. */
    VGG_STEP_DENSE,
    VGG_STEP_SCALE_SHIFT,
    VGG_STEP_RELU,
    VGG_STEP_LRN,
    VGG_STEP_MAX_POOL,
    VGG_STEP_AVG_POOL,
    VGG_STEP_FLATTEN,     /* NCHWc to features */
    VGG_STEP_ORDER_INPUT, /* the caller's NCHW to NCHWc, where no convolution does that */
    VGG_STEP_GENERAL_CONV,
    VGG_STEP_GENERAL_POOL,
    VGG_STEP_ADAPTIVE_MAX_POOL,
    VGG_STEP_CONCAT_POOL,
    VGG_STEP_FUNCTION, /* an activation function other than ReLU */
    VGG_STEP_ZERO_PAD,
    VGG_STEP_SOFTMAX,
    VGG_STEP_QUANTIZE_INPUT,
    VGG_STEP_INT8_CONV,
    VGG_STEP_INT8_LINEAR,
};

/* How a convolution is computed. */
enum vgg_algorithm {
    /* The weights are read once for each block of pixels. */
    VGG_DIRECT,
    /* Winograd, block of tiles by block of tiles, each in the second-level cache. */
    VGG_WINOGRAD_TILES,
    /* Winograd, all tiles frequency by frequency: the weights are read once. */
    VGG_WINOGRAD_FREQUENCY,
};

/* The layout of a Winograd convolution F(m × m). */
struct vgg_winograd {
    /* Outputs of a tile along each axis: 2, 4 or 6; 0 for a direct convolution. */
    int m;
    /* Tiles of one image. */
    int tiles_h, tiles_w;
    /* Tiles that are transformed together: of one image (TILES), or of the whole batch (FREQUENCY). */
    int block;
    /* Groups of output channels that are computed together: all, or those that a one-shot plan prepacks at a time. */
    int groups;
    /* Elements from block of channels to block of channels. */
    size_t plane;
    /* Elements from frequency to frequency, of the transformed input V and of the products M. */
    size_t v_f_stride, m_f_stride;
};

/* Scratch memory of a step: `slots` tasks at a time use `slot_elements` floats each. */
struct vgg_scratch {
    int slots;
    size_t slot_elements;
};

struct vgg_conv_choice {
    enum vgg_algorithm algorithm;
    /* Zeros for a direct convolution. */
    struct vgg_winograd winograd;
    struct vgg_scratch scratch;
    /* The weights that the file has prepacked for it, or NULL. */
    const struct vgg_prepacked *prepacked;
    double predicted_ms;
    const char *reason;
};

/* Weights and bias of a float32 convolution or linear layer, with the BatchNorm after it folded in. */
struct vgg_folded_weights {
    /* The BatchNorm and its scale [oc], or NULL. */
    const struct vgg_node *norm;
    const double *norm_scale;
    /* NULL for a linear layer without a bias. */
    float *bias;
    /* The plan's own weights: prepacked [groups][group_elements], or a float32 copy. NULL: used in place, or prepacked by
     * each run. */
    float *data;
    /* Size of `data`, or of what each run prepacks at a time; 0: used in place. */
    size_t elements;
    /* Floats of scratch that each thread needs to prepack; 0: none. */
    size_t rows_elements;
};

/* What DIRECT_CONV and WINOGRAD_CONV have in common. */
struct vgg_conv_common {
    struct vgg_folded_weights weights;
    /* Floats of the prepacked weights of a group of output channels. */
    size_t group_elements;
    bool relu;
    /* The weights that the file has prepacked, or NULL. */
    const struct vgg_prepacked *prepacked;
    /* Why the algorithm was chosen, and the time that the cost model predicts. */
    const char *reason;
    double predicted_ms;
};

struct vgg_direct_conv_step {
    struct vgg_conv_common layer;
    int kernel, stride, padding;
};

struct vgg_winograd_conv_step {
    struct vgg_conv_common layer;
    /* VGG_WINOGRAD_TILES or VGG_WINOGRAD_FREQUENCY. */
    enum vgg_algorithm algorithm;
    struct vgg_winograd layout;
    /* The output transform also computes the max-pool of 2 × 2 that follows. */
    bool pool;
};

/* LINEAR and DENSE. */
struct vgg_linear_step {
    struct vgg_folded_weights weights;
    bool relu;
    /* What the kernel reads: the file's bytes, or the plan's copy; NULL: each task reads its slice as float32. */
    const void *in_place;
    /* DENSE: the side of a window, and the number of windows that are gathered together. */
    int kernel, windows;
};

struct vgg_general_conv_step {
    struct vgg_folded_weights weights;
    size_t group_elements; /* of the weights of a task's output channels */
    bool relu;
};

struct vgg_function_step {
    enum vgg_function function;
    float *slope; /* [channels], whole blocks */
};

/* BatchNorm on its own. */
struct vgg_scale_shift_step {
    /* [channels], whole blocks */
    float *scale, *shift;
};

/* A layer of an int8 net; the arrays have whole groups of channels. */
struct vgg_int8_weights {
    /* In the file. */
    const int8_t *weight;
    ptrdiff_t weight_group_stride;
    int32_t *bias, *weight_sum;
    float *scale;
};

/* INT8_CONV, with its ReLU. */
struct vgg_int8_conv_step {
    struct vgg_int8_weights weights;
    int kernel, stride, padding;
    /* Side of the windows of the max-pool that follows, side by side; 0: none follows. */
    int pool;
    /* Rows of the pool's output that are computed at a time. */
    int rows;
};

struct vgg_int8_linear_step {
    struct vgg_int8_weights weights;
    bool relu;
    /* Blocks of 64 input features. */
    int k_blocks;
};

/* How one image's work is cut into tasks. */
struct vgg_cut {
    /* Along channels: groups of a convolution, blocks, or slices of a linear layer's rows. */
    int groups;
    /* Along rows of the output. */
    int chunks;
    /* Consecutive tasks share a group (its weights); otherwise a chunk (its pixels). */
    bool groups_first;
};

/* The workspace of a step, which lies between its input and its output in the slab: sizes in whole cache lines, and offsets
 * in the slab. */
struct vgg_workspace {
    size_t scratch_bytes, scratch_offset;
    size_t rows_bytes, rows_offset;
    size_t weight_bytes, weight_offset;
};

struct vgg_step {
    enum vgg_step_kind kind;
    /* The nodes that it computes, from `node` to `last`, whose output `out` is; NULL for QUANTIZE_INPUT and
     * ORDER_INPUT. */
    const struct vgg_node *node, *last;
    /* Indices of activations. The caller's input is 0 in a float32 net, and -1 in an int8 net. */
    int in, out;
    struct vgg_cut cut;
    struct vgg_scratch scratch;
    struct vgg_workspace workspace;
    /* Time of prepacking when the plan was built. */
    uint64_t prepack_ns;
    /* By kind; kinds without a member need nothing else. */
    union {
        /* The beginning of `conv`, `linear` and `general_conv`. */
        struct vgg_folded_weights weights;
        /* The beginning of `direct_conv` and `winograd_conv`. */
        struct vgg_conv_common conv;
        struct vgg_direct_conv_step direct_conv;
        struct vgg_winograd_conv_step winograd_conv;
        /* LINEAR and DENSE. */
        struct vgg_linear_step linear;
        struct vgg_scale_shift_step scale_shift;
        struct vgg_general_conv_step general_conv;
        struct vgg_function_step function;
        struct vgg_lrn lrn;
        struct vgg_max_pool max_pool;
        struct vgg_int8_conv_step int8_conv;
        struct vgg_int8_linear_step int8_linear;
    };
};

/* What a plan is made of; borrowed. */
struct vgg_net {
    const struct vgg_node *nodes; /* [node_count] in order of execution */
    size_t node_count;
    const char *path; /* of the checkpoint, for messages */
};

/* Receives the output of each node. */
struct vgg_node_listener {
    vgg_node_fn *on_node; /* NULL: no listener */
    void *user;
};

struct vgg_plan_options {
    /* NULL, or outlives the plan. */
    const struct vgg_context *context;
    const struct vgg_kernels *kernels;
    /* Not NULL: the net is an int8 one, and `grid` quantises its input; the grid outlives the plan. */
    const struct vgg_int8_kernels *int8;
    const struct vgg_int8_grid *grid;
    int batch;
    /* Set by vgg_plan_create to the number of the pool's threads. */
    int threads;
    enum vgg_conv_algorithm conv;
    /* VGG_WINOGRAD_TILES or VGG_WINOGRAD_FREQUENCY; VGG_DIRECT: the cheaper one. */
    enum vgg_algorithm form;
    bool one_shot;
    /* Implies one_shot, and limits scratch to the memory budget (f32/memory_budget.c). */
    bool low_memory;
    /* The plan only defines the order of weights: it cannot run, and `kernels` may be of another machine
     * (vgg_kernels_describe). */
    bool lay_out_only;
    /* Each node is a step of its own. */
    bool unfused;
    struct vgg_shape input;
    /* Nobody asked for the input's size, which messages mention. */
    bool size_unasked;
    /* Limit of activations and scratch. */
    uint64_t activation_bytes;
};

struct vgg_plan {
    struct vgg_plan_options options;
    /* Of the checkpoint, for messages; borrowed. */
    const char *path;
    /* Its winograd_filter prepacks weights; usually these are options.kernels. */
    const struct vgg_kernels *packer;
    int class_count;
    /* [step_count] */
    struct vgg_step *steps;
    struct vgg_step_info *info;
    int step_count;
    /* [activation_count] in order of production */
    struct vgg_activation *activations;
    int activation_count;
    /* All memory of a run except the plan's weights, see memory.c. */
    size_t slab_bytes;
    size_t weight_bytes;
    struct vgg_arena arena;
};

/* What running a step changes, and its memory. */
struct vgg_step_state {
    /* [slots][slot_elements] */
    float *scratch;
    /* [threads][rows_elements] */
    float *rows;
    /* Weights of a one-shot plan, valid while the step runs. */
    float *weight;
    /* Of the last run with column-major weights: inputs, nonzero inputs, and bytes of weights read. */
    uint64_t inputs, nonzero_inputs, read_bytes;
    /* Of the last run of a one-shot plan. */
    uint64_t prepack_ns;
    /* Of the last run, without prepacking. */
    uint64_t last_ns;
};

/* One user of a plan: memory, threads and the results of its last run. */
struct vgg_executor {
    const struct vgg_plan *plan;
    struct vgg_pool *pool;
    /* The plan's, with addresses in this slab. */
    struct vgg_activation *activations;
    /* [plan->step_count] */
    struct vgg_step_state *states;
    uint8_t *slab;
    struct vgg_node_listener listener;
    float *report; /* NCHW copy of one node's output, for the listener; or NULL */
    /* Of the run that goes on. */
    const float *input;
    int count;
};

static inline struct vgg_step_state *vgg_executor_get_state(const struct vgg_executor *executor,
                                                            const struct vgg_step *step)
{
    return &executor->states[step - executor->plan->steps];
}

/* The workspace that a convolution may take in a low-memory plan. */
struct vgg_memory_budget {
    size_t bytes;
    /* The bytes by which its output is larger if the pool after it is not fused. */
    size_t unpooled_bytes;
};

/* A convolution, as the choice of its algorithm sees it. */
struct vgg_conv_request {
    const struct vgg_conv2d *conv;
    struct vgg_shape in;
    /* The input is NCHW, not NCHWc. */
    bool nchw;
    struct vgg_memory_budget budget;
};

/* A chain of nodes, and a position in it: nodes[at] reads an activation of this shape. */
struct vgg_chain {
    const struct vgg_node *nodes;
    size_t count, at;
    struct vgg_shape shape;
};

static inline bool vgg_step_is_conv(const struct vgg_step *step)
{
    return step->kind == VGG_STEP_DIRECT_CONV || step->kind == VGG_STEP_WINOGRAD_CONV;
}

static inline bool vgg_step_is_linear(const struct vgg_step *step)
{
    return step->kind == VGG_STEP_LINEAR || step->kind == VGG_STEP_DENSE;
}

/* Whether step->weights is set. */
static inline bool vgg_step_has_weights(const struct vgg_step *step)
{
    return vgg_step_is_conv(step) || vgg_step_is_linear(step) ||
           step->kind == VGG_STEP_GENERAL_CONV;
}

#endif
