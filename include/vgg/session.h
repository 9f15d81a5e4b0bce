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

struct vgg_session_options {
    int threads;          /* 0: vgg_cpu_count() */
    enum vgg_cpu cpu;     /* the instruction set; VGG_CPU_AUTO: the best */
    int batch;            /* the most pictures in one run; 0: 1 */
    int height, width;    /* of the input in pixels; 0: the model's */
    vgg_node_fn *on_node; /* not NULL: every node is computed on its own, unfused, and reported */
    void *on_node_user;
    const struct vgg_limits *limits; /* NULL: the defaults */
};

typedef struct vgg_session vgg_session;

/* Plans the net for one input size, prepares the weights, starts the threads.
 *   model    borrowed: it (and its checkpoint) must outlive the session; may serve many sessions
 *   options  NULL for the defaults
 *   out      receives the session, to be destroyed by the caller; NULL after an error
 * Errors: ARGUMENT, UNSUPPORTED (CPU; NaN in the classifier), MISMATCH (input too small for the
 * net's pools), LIMIT, MEMORY. */
VGG_API vgg_status vgg_session_create(const vgg_model *model,
                                      const struct vgg_session_options *options, vgg_session **out,
                                      struct vgg_error *err);
VGG_API void vgg_session_destroy(vgg_session *session);

/* Runs the net.
 *   input   [count][3][height][width] float32, normalised (vgg_image_to_tensor); borrowed
 *   count   1 … options.batch
 *   logits  [count][class_count], the caller's
 * Allocates nothing. The result is the same to the bit for every number of threads and every count.
 * Errors: ARGUMENT. Threads: one run at a time per session. */
VGG_API vgg_status vgg_session_run(vgg_session *session, const float *input, int count,
                                   float *logits, struct vgg_error *err);

/* What the session uses. */
struct vgg_session_info {
    int threads;
    enum vgg_cpu cpu;
    int height, width;
    uint64_t weight_bytes;     /* private copies of weights in kernel order */
    uint64_t activation_bytes; /* private memory for activations */
};
VGG_API void vgg_session_get_info(const vgg_session *session, struct vgg_session_info *info);

/* One class of a ranking. */
struct vgg_ranked {
    int index;
    float logit;
    double probability; /* softmax over all classes, computed in double precision */
};

/* The k classes with the largest logits, best first, ties by lower index; NaN ranks last.
 *   logits  [class_count]
 *   out     [k]; k <= class_count */
VGG_API void vgg_rank(const float *logits, int class_count, int k, struct vgg_ranked *out);

#ifdef __cplusplus
}
#endif
#endif
