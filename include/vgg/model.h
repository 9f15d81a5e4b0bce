/* From a checkpoint's tensors to a net: layers, weights, labels, preprocessing. */
#ifndef VGG_MODEL_H
#define VGG_MODEL_H

#include <stdbool.h>

#include "vgg/checkpoint.h"
#include "vgg/preprocess.h"
#include "vgg/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vgg_model vgg_model;

struct vgg_model_options {
    /* JSON description; NULL: the .json beside the checkpoint if there is one, else names and shapes
     * decide. */
    const char *spec_path;
    /* NULL, or the configuration as make_layers takes it, in text: numbers for convolutions, M for a 2x2 max
     * pool, D for Dropout, as in "64, 64, M, 128, M"; all else the weights' names and shapes say. Instead of
     * spec_path. */
    const char *cfg;
    /* One class name a line; NULL: the description's, else ImageNet's for 1000 classes, else none. */
    const char *labels_path;
    const char *preset; /* a vgg_preprocess preset; NULL or "auto": the description's */
    /* The input in pixels, any that the net's pools allow: pictures are cropped to it, after a resize in the
     * proportion that the description has. 0: the other one's; both 0: the description's. */
    int height, width;
    /* The shorter side to which pictures are resized before the crop, which becomes no larger than this unless
     * its size is given. -1: they are not resized; 0: the description's. */
    int resize;
    /* The paper's dense evaluation: the net on the whole picture, not cropped unless height or width is given;
     * the classifier moves over it as a convolution, and class scores are averaged over its positions. */
    bool dense;
    const struct vgg_limits *limits; /* NULL: the defaults */
    uint64_t reserved[5];
};

/* Maps the checkpoint's tensors onto a net.
 *   checkpoint  borrowed: it must stay open as long as the model, whose weights are its tensors
 *   options     NULL for the defaults
 *   out         receives the model, to be destroyed by the caller; NULL after an error
 * Errors: FORMAT (no VGG to be seen; a bad description), MISMATCH (all missing, unexpected and
 * wrongly shaped tensors in one message), UNSUPPORTED, IO, LIMIT, MEMORY.
 * Threads: any; a model is never written after this and may be shared. */
VGG_API vgg_status vgg_model_create(const vgg_checkpoint *checkpoint,
                                    const struct vgg_model_options *options, vgg_model **out,
                                    struct vgg_error *err);
/* Frees the model, which no session may use any more. NULL is allowed. */
VGG_API void vgg_model_destroy(vgg_model *model);

/* What a user is told about a net. Strings are the model's. */
struct vgg_model_info {
    const char *name; /* "vgg16_bn", the description's name, or "vgg (custom)" */
    int conv_count;
    int linear_count;
    bool batch_norm;
    bool dense; /* evaluated so, see vgg_model_options */
    int class_count;
    int height, width; /* the input the net is made for, in pixels */
    /* Where the description came from: a path, "names and shapes", "names and shapes (built-in vgg16)",
     * "cfg, names and shapes", "names, shapes and modules" or "the packed file". */
    const char *spec_source;
    /* What none of these says, so that the usual was taken, as in "a 2x2 max pool after features.28; an
     * input of 56x56"; "" where nothing was. */
    const char *assumed;
    bool int8;           /* weights and activations are 8-bit integers, and so are all products */
    const char *weights; /* the element type of convolutions' and linear layers' weights, as from
                            vgg_dtype_string; "mixed" where they have several */
    uint64_t reserved[5];
};
/* Fills *info. Threads: any. */
VGG_API void vgg_model_get_info(const vgg_model *model, struct vgg_model_info *info);

/* What is done to a picture for this net: its description's, or what the options made of it. Borrowed from
 * the model. Threads: any. */
VGG_API const struct vgg_preprocess *vgg_model_get_preprocess(const vgg_model *model);

/* The name of class index 0 … class_count-1, or NULL when there are no names. Borrowed from the
 * model; UTF-8. Threads: any. */
VGG_API const char *vgg_model_get_label(const vgg_model *model, int index);

/* One node of the net, in the order of execution: what torchvision's module of that name does. */
struct vgg_node_info {
    const char *name; /* the module path, "features.0"; borrowed from the model */
    const char *type; /* the module's class, "Conv2d" */
    /* Of the output for one picture of the model's own size; height and width are 1 once there are features
     * only. 0 when that size is too small for the net. */
    int channels, height, width;
    uint64_t parameters; /* numbers in weight and bias; BatchNorm's statistics are none */
    /* For that picture, by definition: convolutions and linear layers, biases not counted. */
    double multiply_adds;
    uint64_t weight_bytes; /* of all the node's tensors in memory, statistics included */
    uint64_t reserved[8];
};
VGG_API size_t vgg_model_get_node_count(const vgg_model *model);
/* index  0 … count-1 */
VGG_API void vgg_model_get_node(const vgg_model *model, size_t index, struct vgg_node_info *info);

struct vgg_pack_options {
    /* Instruction sets, 1u << VGG_ISA_AVX2 and so on, whose kernels find the weights of convolutions in their
     * own order, so that nothing is prepared at start; for whichever way of convolving is the fastest on them
     * with a picture at a time. They need not be this machine's. */
    uint32_t isas;
    /* Those weights as they are, too: all other CPUs, and other ways of convolving, prepare from them.
     * Without, the file is of no use to any but these instruction sets. */
    bool plain;
    /* What weights are rounded to, once and to nearest: VGG_DTYPE_F32, or BF16 or F16, which half the file and
     * what is read of it. Biases and all arithmetic stay float32. With 16 bits isas is 0. */
    enum vgg_dtype weights;
    uint64_t reserved[7];
};

/* Writes the net into a packed file: BatchNorm folded into the layers before it, weights at whole pages,
 * so that they are used where the file is mapped; with layers, labels and preprocessing. It is opened like any
 * checkpoint. Fully connected weights are in columns (VGG_LAYOUT_COLUMNS): those of inputs that are zero are not
 * read, which changes no result because the file has only finite numbers. Float32 logits are the checkpoint's
 * but for the order of these layers' sums. Tensors are named as torchvision names those of a net without BatchNorm.
 *   path     by convention ends in ".vgg". It gets its name when it is whole and safe on the disk, as with
 *            vgg_checkpoint_save; it may be the checkpoint's own
 *   options  NULL: for no instruction set, but plain
 * Errors: ARGUMENT (an int8 model, dense, a crop that is no square, neither isas nor plain), UNSUPPORTED
 * (weights that are no numbers, or beyond those of 16 bits, or that a packed file has for other CPUs only),
 * IO, LIMIT, MEMORY. Threads: any. */
VGG_API vgg_status vgg_model_pack(const vgg_model *model, const char *path,
                                  const struct vgg_pack_options *options, struct vgg_error *err);

/* Refuses weights that cannot classify: UNSUPPORTED when a tensor holds NaN (as the classifier of
 * torchvision's vgg16_features files does: feature-extraction weights with an empty head) or an infinity,
 * or a variance is negative. Reads 64 elements of each large tensor. vgg_session_create calls it, too.
 * Threads: any. */
VGG_API vgg_status vgg_model_check_classifier(const vgg_model *model, struct vgg_error *err);

/* The same of every element; reads all weights. For when logits are NaN. Threads: any. */
VGG_API vgg_status vgg_model_check_weights(const vgg_model *model, struct vgg_error *err);

#ifdef __cplusplus
}
#endif
#endif
