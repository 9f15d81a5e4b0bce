/* SPDX-License-Identifier: MIT */
/* Run a model: threads, instruction set, batch; logits and the most probable classes. */
#ifndef VGG_SESSION_H
#define VGG_SESSION_H

#include "vgg/cpu.h"
#include "vgg/model.h"
#include "vgg/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Called after each node of the net with the node's output.
 *   name   the module path, "features.3", "avgpool", "classifier.0"; valid during the call
 *   shape  [ndim], batch first: [n,c,h,w] or [n,features]
 *   data   row-major float32, valid during the call */
typedef void vgg_node_fn(void *user, const char *name, const int64_t *shape, int ndim,
                         const float *data);

/* How convolutions are computed; all in float32. F(m) is Winograd's F(m × m, 3 × 3); convolutions it
 * does not fit (other kernels, the first layer) are direct whatever is requested. An int8 net's are always direct,
 * in integers: anything but AUTO is an error of ARGUMENT. */
enum vgg_conv_algorithm {
    VGG_CONV_AUTO,  /* the fastest for each layer, by a cost model */
    VGG_CONV_EXACT, /* the same from direct and F(2) only; not on AMX unless that is requested */
    VGG_CONV_DIRECT,
    VGG_CONV_F2,
    VGG_CONV_F4,
    VGG_CONV_F6,
};

struct vgg_session_options {
    /* 0: vgg_cpu_count(). */
    int threads;
    /* The instruction set; VGG_ISA_AUTO: the best, see conv. */
    enum vgg_isa isa;
    enum vgg_conv_algorithm conv;
    /* Minimise first-run latency, prepacking included: each run prepacks the weights again, step by step, in memory
     * that the steps share. For more than one or two runs this is the slower choice. */
    bool one_shot;
    /* Maximum number of images in one run; 0: 1. */
    int batch;
    /* Of the input, in pixels; 0: the model's. */
    int height, width;
    /* Not NULL: every node is computed on its own, unfused, and reported. */
    vgg_node_fn *on_node;
    void *on_node_user;
    /* NULL: the defaults. */
    const struct vgg_limits *limits;
    /* Minimise private memory for any number of runs: no prepacked weights are kept, as with one_shot, and algorithms
     * are those that need hardly more than the largest activations do. Slower than either. Weights that a packed
     * file has prepacked cost nothing; an int8 net needs no more in any plan. */
    bool low_memory;
    uint64_t reserved[7];
};

typedef struct vgg_session vgg_session;

/* Plans the net for one input size, prepacks the weights (but see one_shot), starts the threads. Sessions of a model
 * with the same options share the plan and its weights, and each has only its own activations.
 *   model    borrowed: it (and its checkpoint) must outlive the session; may serve many sessions
 *   options  NULL for the defaults
 *   out      receives the session, to be destroyed by the caller; NULL after an error
 * Errors: ARGUMENT (options; VGG_ISA), UNSUPPORTED (CPU; non-finite weights; a packed file with weights for other CPUs
 * only), FORMAT (numbers of an int8 net that would not fit its sums), MISMATCH (input too small for the net's pools),
 * IO (a thread cannot be started), LIMIT, MEMORY. Threads: any. */
VGG_API vgg_status vgg_session_create(const vgg_model *model,
                                      const struct vgg_session_options *options, vgg_session **out,
                                      struct vgg_error *err);
/* Ends the threads and frees the session. NULL is allowed. */
VGG_API void vgg_session_destroy(vgg_session *session);

/* Runs the net.
 *   input   [count][channels][height][width] float32, normalised (vgg_image_to_tensor); borrowed
 *   count   1 … options.batch
 *   logits  [count][class_count], the caller's
 * Allocates nothing. The result is the same to the bit for every number of threads and every count;
 * a session for another batch may choose other algorithms, and so round otherwise.
 * Errors: ARGUMENT. Threads: one run at a time per session. */
VGG_API vgg_status vgg_session_run(vgg_session *session, const float *input, int count,
                                   float *logits, struct vgg_error *err);

/* What the session uses. */
struct vgg_session_info {
    int threads;
    enum vgg_isa isa;
    int height, width;
    /* Prepacked weights, once for all of the model's sessions with the same options; those that
     * one-shot runs make are in activation_bytes. */
    uint64_t weight_bytes;
    uint64_t activation_bytes; /* private memory for activations and all else that a run needs */
    uint64_t reserved[8];
};
VGG_API void vgg_session_get_info(const vgg_session *session, struct vgg_session_info *info);

/* One step of the session's plan: nodes that are computed together. All strings are borrowed from the
 * session; figures are of one run of the whole batch. */
struct vgg_step_info {
    const char *name;  /* the first node's module path, "features.0" */
    const char *nodes; /* what is computed: "Conv2d + BatchNorm2d + ReLU + MaxPool2d" */
    /* "F(4) by tiles of 28", "direct", "in place"; and what the candidates were predicted to take. "" where
     * there is no choice. */
    const char *algorithm, *reason;
    double multiply_adds;  /* of the direct definition */
    double products;       /* multiply-adds really done in products, padding included */
    uint64_t weight_bytes; /* read, but see read_bytes */
    uint64_t input_bytes, output_bytes;
    double predicted_ms; /* 0: no prediction */
    uint64_t last_ns;    /* of the last run, prepacking not included; 0 before the first */
    /* Prepacking its weights: when the plan was made, or in a one-shot session for the last run; 0 where they are
     * used in place. */
    uint64_t prepack_ns;
    /* Column-major weights (VGG_LAYOUT_COLUMN_MAJOR) of inputs that are zero are not read. */
    uint64_t read_bytes; /* of weights, in the last run; else weight_bytes */
    /* Share of the inputs that were not zero in the last run; else 1, and 0 where there are no weights. */
    double input_density;
    /* Private copies of its weights, as long as the plan lives. */
    uint64_t prepacked_bytes;
    /* Needed beside input and output while it runs: scratch, and in one-shot and low-memory sessions its prepacked
     * weights. */
    uint64_t scratch_bytes;
    uint64_t reserved[3];
};
VGG_API size_t vgg_session_get_step_count(const vgg_session *session);
VGG_API void vgg_session_get_step(const vgg_session *session, size_t index,
                                  struct vgg_step_info *info);

/* Peak performance of this machine with the session's threads and instruction set, measured now (about 60 ms): float32
 * operations (two a multiply-add) on operands in the first-level cache, and reading memory, the session's largest
 * weights in place. */
struct vgg_peak {
    double flops_per_second;
    /* 0 without a large layer whose weights are in place or copied. */
    double bytes_per_second;
    /* Of Winograd's products: as above, but where the instruction set has a unit for them; 0 in an int8 net. */
    double winograd_flops_per_second;
    double reserved[5];
};
VGG_API void vgg_session_measure_peak(vgg_session *session, struct vgg_peak *out);

/* One class of a ranking. */
struct vgg_ranked {
    int index;
    float logit;
    double
        probability; /* softmax over all classes, computed in double precision; but see vgg_rank_scores */
};

/* The k classes with the largest logits, best first, ties by lower index; NaN ranks last.
 *   logits  [class_count]
 *   out     [k]; k <= class_count */
VGG_API void vgg_rank(const float *logits, int class_count, int k, struct vgg_ranked *out);

/* How scores between 0 and 1 are made of a net's outputs. */
enum vgg_scores {
    /* What the net's last activation gives, see vgg_model_info.final_activation; without one sigmoid for a single
     * output, else softmax. */
    VGG_SCORES_AUTO,
    VGG_SCORES_SOFTMAX, /* one class is right: scores add up to 1 */
    VGG_SCORES_SIGMOID, /* each output stands for itself */
    VGG_SCORES_NONE,    /* the outputs are no classes' logits: no scores, NaN */
};
/* "auto", "softmax", "sigmoid", "none". Never NULL. */
VGG_API const char *vgg_scores_string(enum vgg_scores scores);

/* What AUTO is for a net; another request is what it is.
 *   info  of vgg_model_get_info */
VGG_API enum vgg_scores vgg_scores_choose(const struct vgg_model_info *info,
                                          enum vgg_scores requested);

/* The number of classes that have scores: 2 for a single output with sigmoid, else class_count. */
VGG_API int vgg_scores_count(const struct vgg_model_info *info, enum vgg_scores requested);

/* The k classes with the largest outputs, as vgg_rank, with these scores. Of a single output with sigmoid, 1 is the class
 * that the output is for, and 0 the other one, with the negated logit or 1 less the output.
 *   outputs  [class_count]
 *   out      [k]; k <= vgg_scores_count(info, requested) */
VGG_API void vgg_rank_scores(const float *outputs, const struct vgg_model_info *info,
                             enum vgg_scores requested, int k, struct vgg_ranked *out);

#ifdef __cplusplus
}
#endif
#endif
