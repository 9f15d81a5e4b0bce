/* A plan: a net cut into steps for one input size, one batch, one ISA, with its memory laid out and its
 * weights in kernel order. Built once by plan.c; run.c executes it without allocating.
 *
 *   nodes ─ fuse.c ─► steps ─ memory.c ─► one slab ─ pack.c ─► weights ─ run.c ─► logits
 *
 * A one-shot plan packs no weights when it is built, but those of each step just before it runs. */
#ifndef VGG_PLAN_PLAN_H
#define VGG_PLAN_PLAN_H

#include <time.h>

#include "base/mem.h"
#include "base/pool.h"
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
    VGG_STEP_DENSE,    /* a fully connected layer on every window of its size (dense.c) */
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

    /* How one picture's work is cut into tasks (choose.c). */
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

/* Builds a plan; the pool prepares the weights in parallel. The nodes and their tensors are borrowed.
 * Errors: MISMATCH, UNSUPPORTED, LIMIT, MEMORY. */
vgg_status vgg_plan_create(const struct vgg_node *nodes, size_t node_count, const char *path,
                           const struct vgg_plan_options *options, struct vgg_pool *pool,
                           struct vgg_plan **out, struct vgg_error *err);
void vgg_plan_destroy(struct vgg_plan *plan);

/* Runs it for count <= batch pictures; see vgg_session_run. */
void vgg_plan_run(struct vgg_plan *plan, struct vgg_pool *pool, const float *input, int count,
                  float *logits);

/* For a plan for low memory: what the largest convolution needs for its input and output, below which no slab
 * of the net can be; and of it what nodes[i] leaves for scratch and weights, in room_bytes and unpooled_bytes. */
double vgg_plan_find_floor(const struct vgg_plan *plan, const struct vgg_node *nodes, size_t count);
void vgg_plan_find_room(struct vgg_plan *plan, const struct vgg_node *nodes, size_t count, size_t i,
                        struct vgg_shape in, double floor_bytes);

/* Chooses the algorithm of a convolution (cost.c); the reason is kept in the plan's arena.
 *   planar   the input is not blocked
 * False when a packed file has its weights in other orders only than those that may be read. */
bool vgg_choose_conv(struct vgg_plan *plan, const struct vgg_conv2d *conv, struct vgg_shape in,
                     bool planar, struct vgg_conv_choice *choice);

/* What a packed file has of a convolution's weights (stored.c): in an order that these kernels read for
 * F(m × m), or direct (m = 0), or NULL; as any CPU can pack them; and the message when that is not so. */
const struct vgg_prepared *vgg_find_stored(const struct vgg_kernels *kernels,
                                           const struct vgg_conv2d *conv, bool planar, int m);
bool vgg_has_plain_weights(const struct vgg_conv2d *conv);
vgg_status vgg_fail_not_stored(const struct vgg_plan *plan, const struct vgg_node *node,
                               bool planar, struct vgg_error *err);
/* The order in which a step's kernels read a convolution's weights. */
struct vgg_order_info vgg_conv_get_order(const struct vgg_plan *plan, const struct vgg_step *step);
/* Packs a step's weights into memory of their own, step->weight. Errors: MEMORY. */
vgg_status vgg_step_keep(struct vgg_plan *plan, struct vgg_step *step, struct vgg_pool *pool,
                         struct vgg_error *err);
void vgg_step_forget(struct vgg_plan *plan, struct vgg_step *step);

/* The parts of vgg_plan_run and vgg_step_prepare that concern Winograd (winograd.c).
 *   group    of `groups` that are packed together
 *   rows     [G][stride], filters [count][3][3] of input channels from ic on */
void vgg_winograd_run(const struct vgg_plan *plan, struct vgg_step *step, struct vgg_pool *pool,
                      int count);
/* Input channels with those that fill the last blocks; elements of a group. */
size_t vgg_winograd_count_channels(const struct vgg_plan *plan, const struct vgg_step *step);
size_t vgg_winograd_filter_elements(const struct vgg_plan *plan, const struct vgg_step *step);
void vgg_winograd_pack(const struct vgg_plan *plan, const struct vgg_step *step, int groups,
                       size_t group, size_t ic, size_t count, const float *rows, size_t stride);

/* Puts the weights of some of a step's groups into kernel order, in step->weight, and adds the time to
 * prepare_ns; nothing for those used in place. */
void vgg_step_prepare(const struct vgg_plan *plan, struct vgg_step *step, struct vgg_pool *pool,
                      int group_begin, int groups);
/* A fully connected layer, whether it moves over a picture or not. */
struct vgg_linear_view {
    const struct vgg_tensor *weight, *bias; /* [rows][features]; [rows] or NULL */
    int rows;
    size_t features;
};
struct vgg_linear_view vgg_linear_view(const struct vgg_step *step);
/* Whether the linear and columns kernels read elements of this type, and what they call it. */
bool vgg_linear_has_kernel(enum vgg_dtype dtype);
enum vgg_weights_type vgg_linear_get_type(enum vgg_dtype dtype);
/* Whether its weights can be read where they are in the file, by the linear kernel or by the columns kernel. */
bool vgg_linear_is_in_place(const struct vgg_step *step);
/* Sets the weights of a task that computes rows begin … end-1 of all; where they are neither in place nor
 * copied, these rows are read for it, and it is changed to compute nothing but them. */
void vgg_linear_provide(const struct vgg_step *step, int worker, struct vgg_linear_args *args);

/* The parts that concern fully connected layers on every window: the choice has their scratch, which fits a
 * quarter of the plan's activation limit where one window does. */
void vgg_dense_choose(const struct vgg_plan *plan, const struct vgg_conv2d *conv,
                      struct vgg_shape in, struct vgg_conv_choice *choice);
void vgg_dense_run(const struct vgg_plan *plan, struct vgg_step *step, struct vgg_pool *pool,
                   int count);

/* Runs a fully connected layer.
 *   layer    x, y, their strides, and n are the caller's; the rest is filled in
 *   scratch  vgg_columns_count_scratch floats where the weights are in columns */
void vgg_linear_run(const struct vgg_plan *plan, struct vgg_step *step, struct vgg_pool *pool,
                    struct vgg_linear_args *layer, float *scratch);

/* Fully connected layers whose weights are in columns. */
bool vgg_is_in_columns(const struct vgg_tensor *weight);
/* Floats of scratch for k inputs; tasks that a layer is cut into. */
size_t vgg_columns_count_scratch(int k, int pictures);
int vgg_columns_count_groups(const struct vgg_step *step, int threads);
/* Runs such a layer.
 *   layer  all of its rows, for any number of pictures; the weights are the step's */
void vgg_columns_run(const struct vgg_plan *plan, struct vgg_step *step, struct vgg_pool *pool,
                     const struct vgg_linear_args *layer, float *scratch);

/* The bytes that a step needs beside its input and output while it runs. */
size_t vgg_step_get_middle(const struct vgg_plan *plan, const struct vgg_step *step);

/* Writes the frame of zeros round rows begin … end-1 of a block, with the corners at the plane's top
 * and bottom. */
void vgg_activation_clear_frame(const struct vgg_activation *activation, void *block, int begin,
                                int end);

/* What the public functions tell of a plan (describe.c, roof.c). Strings go into the plan's arena. */
vgg_status vgg_plan_describe(struct vgg_plan *plan, struct vgg_error *err);
void vgg_plan_measure_roof(const struct vgg_plan *plan, struct vgg_pool *pool,
                           struct vgg_roof *roof);

/* The stages of vgg_plan_create. */
vgg_status vgg_plan_fuse(struct vgg_plan *plan, const struct vgg_node *nodes, size_t node_count,
                         struct vgg_error *err);
/* Gives each activation the frame that the convolution reading it needs; a part of fusing. */
void vgg_plan_frame(struct vgg_plan *plan);
vgg_status vgg_plan_measure(struct vgg_plan *plan, struct vgg_error *err);
void vgg_plan_choose(struct vgg_plan *plan, int threads);
void vgg_plan_measure_weights(struct vgg_plan *plan);
vgg_status vgg_plan_place(struct vgg_plan *plan, struct vgg_error *err);
vgg_status vgg_plan_pack(struct vgg_plan *plan, struct vgg_pool *pool, struct vgg_error *err);

/* Packed weights of a convolution, wherever they are. */
static inline const float *vgg_conv_get_weights(const struct vgg_step *step)
{
    return step->conv.stored != NULL ? step->conv.stored->data : step->weight;
}

static inline uint64_t vgg_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline int vgg_clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* a / b rounded up, for a >= 0 up to INT_MAX: channels come from a file. */
static inline int vgg_ceil_div(int a, int b)
{
    return a / b + (a % b != 0);
}

/* Copies one picture of an activation as planar [c][h][w]. */
void vgg_activation_to_planar(const struct vgg_activation *activation, int picture, float *out);

#endif
