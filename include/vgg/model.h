/* SPDX-License-Identifier: MIT */
/* Creates a net from a checkpoint's tensors: layers, weights, labels, preprocessing. */
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
    /* Path of a JSON description. NULL: the .json file beside the checkpoint if there is one, otherwise names and
     * shapes decide. */
    const char *spec_path;
    /* NULL, or a configuration such as torchvision's make_layers takes, as text: numbers for convolutions, M for a
     * 2x2 max pool, D for Dropout, as in "64, 64, M, 128, M". Everything else comes from the weights' names and
     * shapes. Excludes spec_path. */
    const char *cfg;
    /* Path of a file with one class name per line, or the name of a built-in list: imagenet, cifar10, cifar100, mnist,
     * fashion-mnist (a file that is called so needs a path such as "./mnist"). A net with one output has two classes, 0
     * and 1, and takes two names or that of class 1 alone. NULL: the description's names, else ImageNet's for 1000
     * classes, else none. */
    const char *labels_path;
    /* A vgg_preprocess preset; NULL or "auto": the description's preprocessing. */
    const char *preset;
    /* The fields below, up to no_normalize, change single properties of the description's or the preset's
     * preprocessing; the others stay. */
    /* The input size in pixels, any that the net's pools allow. Images are resized in the description's proportion
     * and then cropped to it. 0: the same as the other side; both 0: the description's size. Excludes crop. */
    int height, width;
    /* The shorter side to which images are resized before the crop. The crop becomes at most as large, unless
     * height or width is given. -1: no resize; 0: the description's. */
    int resize;
    /* Dense evaluation as in the VGG paper: the net runs on the whole image, which keeps its aspect unless resize_width
     * is given, and is cropped only if height or width is; the classifier moves over it as a convolution, and class
     * scores are averaged over its positions. */
    bool dense;
    /* NULL: the defaults. */
    const struct vgg_limits *limits;
    /* Single properties instead of what would be inferred or is described, as text; NULL: not given. Padding of
     * convolutions whose kernel has more than one pixel: "0". BatchNorm's eps: "1e-3". All activations:
     * "LeakyReLU(0.1)" with PyTorch's class names, or "none". All pools but adaptive ones: "AvgPool2d(2)",
     * "MaxPool2d(3, 2, 1)" with kernel_size, stride and padding. */
    const char *padding, *eps, *activation, *pool;
    /* What the caller makes of the outputs, "softmax", "sigmoid" or "none": recorded as evidence, nothing else. NULL: not
     * known. */
    const char *scores;
    /* Refuse the net if a property is only assumed (VGG_EVIDENCE_CONVENTION). */
    bool strict;
    /* Images are resized to exactly `resize` x resize_width pixels, whatever their aspect. A crop that kept the whole of
     * the resized image goes, and the input has this size; a smaller one stays, as 224 of 256. 0: `resize` is the
     * shorter side. */
    int resize_width;
    /* The centre crop, which is the input's size: `crop` x crop_width, and of crop_width 0 a square. -1: no crop, the
     * input is the resized image; 0: the description's. */
    int crop, crop_width;
    /* Pixels are scaled to 0…1, and nothing else: mean 0, std 1, and not unscaled. Excludes mean and std. */
    bool no_normalize;
    /* "bilinear", "bicubic", "nearest" or "lanczos"; NULL: the description's. */
    const char *interpolation;
    /* "rgb", "bgr", or "gray": the image is converted to gray, and all planes of the net's input are the same. "1" and
     * "3" are gray and rgb of a net with 1 and 3 input channels. NULL: the description's; a net with one input channel
     * takes gray. */
    const char *channels;
    /* [3] R, G, B as in struct vgg_preprocess; NULL: the description's. mean from -1e6 to 1e6, std from 1e-6 to 1e6. */
    const float *mean, *std;
    uint64_t reserved[5];
};

/* Creates a model whose weights are the checkpoint's tensors.
 *   checkpoint  borrowed: it must stay open as long as the model exists
 *   options     NULL for the defaults
 *   out         receives the model, to be destroyed by the caller; NULL after an error
 * Errors: FORMAT (the tensors are not a VGG's; a bad description), MISMATCH (all missing, unexpected and
 * wrongly shaped tensors in one message), UNSUPPORTED, IO, LIMIT, MEMORY.
 * Threads: any; a model is never changed afterwards and may be shared. */
VGG_API vgg_status vgg_model_create(const vgg_checkpoint *checkpoint,
                                    const struct vgg_model_options *options, vgg_model **out,
                                    struct vgg_error *err);
/* Frees the model; all its sessions must have been destroyed. NULL is allowed. */
VGG_API void vgg_model_destroy(vgg_model *model);

/* Where a property of a net comes from, strongest first. Only the last is an assumption. */
enum vgg_evidence_source {
    VGG_EVIDENCE_USER,    /* an option or a description that the caller gave */
    VGG_EVIDENCE_MODULES, /* module objects or TorchScript code in the file */
    VGG_EVIDENCE_FILE,    /* buffers, hyperparameters or a description in or beside the file */
    VGG_EVIDENCE_PUBLISHED, /* the net is a published one: all its shapes, or its hash, are the same */
    VGG_EVIDENCE_SHAPES,    /* arithmetic of shapes and names */
    VGG_EVIDENCE_CONVENTION, /* the usual value, assumed */
};
/* "the caller", "modules in the file", … A constant string. */
VGG_API const char *vgg_evidence_source_string(enum vgg_evidence_source source);

/* One property of a net. Strings are borrowed from the model. */
struct vgg_evidence {
    /* "padding", "eps of BatchNorm", "input size". */
    const char *property;
    /* As text: "1", "224x224". */
    const char *value;
    enum vgg_evidence_source source;
    /* NULL, or the reason in a few words. */
    const char *why;
    /* NULL, or what fits as well, and how to choose it. */
    const char *alternatives;
    uint64_t reserved[3];
};
/* The properties of the net, in no particular order. Threads: any. */
VGG_API size_t vgg_model_get_evidence_count(const vgg_model *model);
/* Fills *evidence.
 *   index  0 … count-1 */
VGG_API void vgg_model_get_evidence(const vgg_model *model, size_t index,
                                    struct vgg_evidence *evidence);

/* Writes the description of the net with all its layers, input, preprocessing and labels as JSON, ready to be edited and
 * to be laid beside the checkpoint or given as spec_path. The file appears when it is complete, as with
 * vgg_checkpoint_save.
 * Errors: ARGUMENT (an int8 net, which has a description of its own), IO, MEMORY. Threads: any. */
VGG_API vgg_status vgg_model_write_spec(const vgg_model *model, const char *path,
                                        struct vgg_error *err);

/* Writes the checkpoint's tensors as vgg_checkpoint_save does, and, if they alone would be read as another net than the
 * model, its description into the .json beside PATH, where it is looked for: for nets that are described by the code, the
 * modules, the class names or a description in or beside the checkpoint.
 *   model       created from the checkpoint, without options
 *   described   receives whether the .json describes the net
 * Errors: as vgg_checkpoint_save. Threads: any. */
VGG_API vgg_status vgg_model_save(const vgg_model *model, const vgg_checkpoint *checkpoint,
                                  const char *path, bool *described, struct vgg_error *err);

/* Facts about a net. Strings are borrowed from the model. */
struct vgg_model_info {
    /* "vgg16_bn", the description's name, or "vgg (custom)". */
    const char *name;
    int conv_count;
    int linear_count;
    bool batch_norm;
    /* Dense evaluation, see vgg_model_options. */
    bool dense;
    int class_count;
    /* The input size that the net is made for, in pixels. */
    int height, width;
    /* Where the description came from: a path, "names and shapes", "names and shapes (built-in vgg16)",
     * "cfg, names and shapes", "names, shapes and modules" or "the packed file". */
    const char *spec_source;
    /* Usual values that were assumed because none of these sources specifies them, as in "a 2x2 max pool after
     * features.28; an input of 56x56 pixels"; "" if nothing was assumed. */
    const char *assumed;
    /* Weights and activations are 8-bit integers. */
    bool int8;
    /* The element type of the weights of convolutions and linear layers, as from vgg_dtype_string; "mixed" if they
     * have several types. */
    const char *weights;
    /* Channels of the input. */
    int channels;
    /* The activation after the last layer: "none", the outputs are logits; "softmax", "log_softmax" or "sigmoid". */
    const char *final_activation;
    uint64_t reserved[3];
};
/* Fills *info. Threads: any. */
VGG_API void vgg_model_get_info(const vgg_model *model, struct vgg_model_info *info);

/* The preprocessing of images for this net, as the options have changed it. Borrowed from the model.
 * Threads: any. */
VGG_API const struct vgg_preprocess *vgg_model_get_preprocess(const vgg_model *model);

/* The name of class index 0 … class_count-1 in UTF-8; NULL when the classes have no names. Of a net with one output, 1
 * is the class that the output is for, and 0 the other one. Borrowed from the model. Threads: any. */
VGG_API const char *vgg_model_get_label(const vgg_model *model, int index);

/* One node of the net, in order of execution; it computes what torchvision's module of that name does. */
struct vgg_node_info {
    /* The module path, "features.0"; borrowed from the model. */
    const char *name;
    /* The module's class, "Conv2d". */
    const char *type;
    /* The output for one image of the model's input size; height and width are 1 after Flatten. All 0 when that
     * size is too small for the net. */
    int channels, height, width;
    /* Elements of weight and bias, without BatchNorm's statistics. */
    uint64_t parameters;
    /* Of convolutions and linear layers for that image, by definition and without biases. */
    double multiply_adds;
    /* Bytes of all the node's tensors in memory, BatchNorm's statistics included. */
    uint64_t weight_bytes;
    uint64_t reserved[8];
};
VGG_API size_t vgg_model_get_node_count(const vgg_model *model);
/* index  0 … count-1 */
VGG_API void vgg_model_get_node(const vgg_model *model, size_t index, struct vgg_node_info *info);

struct vgg_pack_options {
    /* Instruction sets, 1u << VGG_ISA_AVX2 and so on, for which the weights of convolutions are prepacked, so that
     * sessions start without packing. They are prepacked for the algorithm that is fastest there for one image at a
     * time. The machine that packs need not have them. */
    uint32_t isas;
    /* Also write the weights in PyTorch's order, for all other ISAs and convolution algorithms. Without it, only
     * the listed ISAs can run the file. */
    bool plain;
    /* The type that weights are rounded to, once and to nearest: VGG_DTYPE_F32, or BF16 or F16, which halve the
     * file. Biases and all arithmetic stay float32. With 16 bits isas must be 0. */
    enum vgg_dtype weights;
    uint64_t reserved[7];
};

/* Writes the net into a packed file, which is opened like any checkpoint. BatchNorm is folded into the layers before
 * it, and weights are aligned to pages so that they are used from the mapped file. Layers, labels and preprocessing
 * are included. Tensors have the names of torchvision's net without BatchNorm. Fully connected weights are
 * column-major (VGG_LAYOUT_COLUMN_MAJOR): the weights of inputs that are zero are not read, which changes no result
 * because all weights are finite. Float32 logits differ from the checkpoint's only by the order of these layers'
 * sums.
 *   path     by convention ends in ".vgg". The file appears when it is complete and on the disk, as with
 *            vgg_checkpoint_save; it may be the checkpoint's own path
 *   options  NULL: plain, for no instruction set
 * Errors: ARGUMENT (an int8 model, dense, neither isas nor plain), UNSUPPORTED
 * (non-finite weights, weights beyond the range of 16 bits, or a packed file without plain weights), IO, LIMIT,
 * MEMORY. Threads: any. */
VGG_API vgg_status vgg_model_pack(const vgg_model *model, const char *path,
                                  const struct vgg_pack_options *options, struct vgg_error *err);

/* What a packed file holds twice. */
struct vgg_model_verified {
    /* Weights that agree: each order of a layer's, and the sums of an int8 layer. */
    uint32_t compared;
    /* Prepacked weights without plain ones to compare with, or in an order that no kernels read. */
    uint32_t unverified;
    uint64_t reserved[4];
};

/* Compares what a packed file holds twice, of which CPUs read one or the other: prepacked weights with the plain ones,
 * the sums of int8 weights with the weights. Reads all of them. vgg_checkpoint_verify compares the bytes with their
 * CRC-32; both must succeed for the file to be one net.
 *   out  receives what agreed; may be NULL
 * Errors: MISMATCH, MEMORY. Threads: any. */
VGG_API vgg_status vgg_model_verify(const vgg_model *model, struct vgg_model_verified *out,
                                    struct vgg_error *err);

/* Refuses weights that cannot classify: UNSUPPORTED when a tensor contains NaN or an infinity, or a variance is
 * negative. The classifier of torchvision's vgg16_features files is NaN: they are for feature extraction only.
 * Reads 64 elements of each large tensor. vgg_session_create calls it, too. Threads: any. */
VGG_API vgg_status vgg_model_check_classifier(const vgg_model *model, struct vgg_error *err);

/* The same for every element: reads all weights. Finds the reason of NaN in logits. Threads: any. */
VGG_API vgg_status vgg_model_check_weights(const vgg_model *model, struct vgg_error *err);

#ifdef __cplusplus
}
#endif
#endif
