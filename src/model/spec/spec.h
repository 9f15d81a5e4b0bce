/* The description of a net: what models/README.md documents, as a struct.
 *
 * It comes from a JSON text (vgg_spec_parse), or from a checkpoint's names and shapes
 * (vgg_spec_infer), and is turned into nodes by vgg_graph_build. */
#ifndef VGG_MODEL_SPEC_SPEC_H
#define VGG_MODEL_SPEC_SPEC_H

#include "base/mem.h"
#include "base/status.h"
#include "model/spec/labels.h"
#include "vgg/model.h"
#include "vgg/preprocess.h"

#define VGG_SPEC_SCHEMA 1

/* Bounds that keep every product of two of them, and the sum of all, far from overflow. */
#define VGG_MAX_CHANNELS (1 << 24) /* channels, features, classes */
#define VGG_MAX_SIDE 65535         /* pixels: kernels, strides, the average pool, the input */

enum vgg_layer_kind {
    VGG_LAYER_CONV, /* convolution, BatchNorm2d if batch_norm, ReLU */
    VGG_LAYER_MAX_POOL,
    VGG_LAYER_LRN,
    VGG_LAYER_DROPOUT, /* does nothing, but takes a place in the Sequential */
};

/* One entry of `features`. */
struct vgg_layer {
    enum vgg_layer_kind kind;
    const char *name; /* a convolution's module, where it is no place in `features`; NULL */
    const char *norm; /* and its BatchNorm's */
    int channels;     /* convolution: output channels */
    int kernel;       /* side in pixels; of LRN, channels */
    int stride;
    int padding; /* convolution */
    bool bias;
    bool batch_norm;
    bool has_eps; /* false: BatchNorm2d's default of 1e-5 */
    double eps;
    double alpha, beta, k; /* LRN */
};

/* One linear layer of `classifier`. */
struct vgg_head {
    const char *name; /* its module, where it is no place in `classifier`; NULL */
    const char *norm; /* and its BatchNorm's */
    int features;     /* output features */
    bool bias;
    bool batch_norm; /* BatchNorm1d before the ReLU */
    bool has_eps;    /* false: BatchNorm1d's default of 1e-5 */
    double eps;
    int index; /* its place in the Sequential; -1: `classifier` itself is the layer. Places between
                  two layers are ReLU, then Dropout; a place before the first is Dropout. */
};

/* How the bytes of an int8 net's input stand for numbers: x = low + q * step. */
struct vgg_int8_grid {
    float low[3], step[3];
};

struct vgg_spec {
    /* Where the description came from, see vgg_model_info. */
    const char *source;
    const char *name;       /* NULL: it has none */
    const char *features;   /* the Sequentials' names in the checkpoint; NULL: "features" */
    const char *classifier; /* and "classifier" */
    struct vgg_layer *layers;
    size_t layer_count;
    int avgpool;           /* side of AdaptiveAvgPool2d's output in pixels */
    struct vgg_head *head; /* the last one's features are the classes */
    size_t head_count;
    int input; /* side of the square input in pixels */
    struct vgg_preprocess preprocess;
    struct vgg_labels labels; /* count 0: none */
    bool inferred;            /* from names and shapes: nobody wrote it; */
    bool builtin;             /* and what was found is the built-in net `name` */
    const char
        *assumed; /* what the net was inferred from does not say of its layers; NULL: nothing */
    bool assumed_avgpool;    /* nor whether there is an average pool, */
    bool assumed_input;      /* nor of its input, */
    bool assumed_preprocess; /* nor of mean and std */

    bool int8;                 /* weights and activations are bytes: a packed file's only, with */
    struct vgg_int8_grid grid; /* the input's, */
    float *
        scales; /* [vgg_spec_count_scales] what an activation byte of each convolution and linear layer
                      but the last stands for */

    /* What is published about the weights; NULL and 0 where nothing is. */
    const char *file;
    const char *sha256; /* 64 hexadecimal digits, or the first few of them */
    uint64_t bytes;
    double acc1, acc5; /* per cent of ImageNet's validation set */
};

/* Reads a description.
 *   json  [size]; may be freed afterwards
 * Errors: FORMAT, with the key, what was expected and what was found; UNSUPPORTED (a later schema),
 * LIMIT, MEMORY. */
vgg_status vgg_spec_parse(const struct vgg_load *load, const void *json, size_t size,
                          struct vgg_spec *out);

/* Number of classes: the output features of the last linear layer. */
static inline int vgg_spec_get_classes(const struct vgg_spec *spec)
{
    return spec->head[spec->head_count - 1].features;
}

/* Convolutions and linear layers but the last, whose outputs are bytes in an int8 net. */
size_t vgg_spec_count_scales(const struct vgg_spec *spec);

/* Whether layers have names of their own. */
static inline bool vgg_spec_is_named(const struct vgg_spec *spec)
{
    return spec->head[0].name != NULL;
}

/* The Sequentials' names. */
static inline const char *vgg_spec_get_features(const struct vgg_spec *spec)
{
    return spec->features != NULL ? spec->features : "features";
}
static inline const char *vgg_spec_get_classifier(const struct vgg_spec *spec)
{
    return spec->classifier != NULL ? spec->classifier : "classifier";
}

#endif
