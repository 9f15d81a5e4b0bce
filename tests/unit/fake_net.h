/* SPDX-License-Identifier: MIT */
/* Made-up tensors, named and shaped like those of torchvision's VGG, for the tests of src/model. */
#ifndef VGG_TESTS_FAKE_NET_H
#define VGG_TESTS_FAKE_NET_H

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/load.h"
#include "model/graph/tensors.h"
#include "model/infer/infer.h"
#include "unit.h"

struct fake_net {
    struct vgg_arena arena;
    struct vgg_limits limits;
    struct vgg_error err;
    struct vgg_tensor tensors[256];
    char names[256][64];
    size_t count;
    struct vgg_tensor_list list; /* set by fake_list */
};

/* Adds a tensor; sides of 0 at the end of the shape do not count. */
__attribute__((format(printf, 6, 7))) static inline void
fake_add(struct fake_net *net, int64_t a, int64_t b, int64_t c, int64_t d, const char *format, ...)
{
    static const float none[1];
    const int64_t shape[4] = {a, b, c, d};
    struct vgg_tensor *tensor = &net->tensors[net->count];
    char *name = net->names[net->count++];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof net->names[0], format, args);
    va_end(args);
    *tensor = (struct vgg_tensor){.name = name, .dtype = VGG_DTYPE_F32, .data = none};
    for (int i = 0; i < 4 && shape[i] > 0; i++) {
        tensor->shape[tensor->ndim++] = shape[i]; /* strides stay 0: one element serves all */
    }
}

/* What functions that read a net need, with this net's limits, arena and error. */
static inline struct vgg_load fake_load(struct fake_net *net, const char *path)
{
    return (struct vgg_load){
        .path = path, .limits = &net->limits, .arena = &net->arena, .err = &net->err};
}
#define FAKE_LOAD(net, path) (&(struct vgg_load[]){fake_load((net), (path))}[0])

/* Adds the tensors of make_layers; the config is written as in "64 64 M 128 M". Returns the channels
 * at its end. */
static inline int fake_features(struct fake_net *net, const char *config, bool batch_norm)
{
    int channels = 3, index = 0;
    vgg_limits_init(&net->limits);
    for (const char *at = config; *at != '\0'; at++) {
        if (*at == 'M') {
            index++;
        } else if (isdigit((unsigned char)*at)) {
            char *end;
            int oc = (int)strtol(at, &end, 10);
            at = end - 1;
            fake_add(net, oc, channels, 3, 3, "features.%d.weight", index);
            fake_add(net, oc, 0, 0, 0, "features.%d.bias", index++);
            if (batch_norm) {
                fake_add(net, oc, 0, 0, 0, "features.%d.weight", index);
                fake_add(net, oc, 0, 0, 0, "features.%d.bias", index);
                fake_add(net, oc, 0, 0, 0, "features.%d.running_mean", index);
                fake_add(net, oc, 0, 0, 0, "features.%d.running_var", index);
                fake_add(net, 0, 0, 0, 0, "features.%d.num_batches_tracked", index);
                net->tensors[net->count - 1].dtype = VGG_DTYPE_I64;
                index++;
            }
            index++;
            channels = oc;
        }
    }
    return channels;
}

static inline void fake_linear(struct fake_net *net, int index, int in, int out)
{
    fake_add(net, out, in, 0, 0, "classifier.%d.weight", index);
    fake_add(net, out, 0, 0, 0, "classifier.%d.bias", index);
}

/* A whole net with torchvision's classifier. */
static inline void fake_vgg(struct fake_net *net, const char *config, bool batch_norm, int classes)
{
    int channels = fake_features(net, config, batch_norm);
    fake_linear(net, 0, channels * 49, 4096);
    fake_linear(net, 3, 4096, 4096);
    fake_linear(net, 6, 4096, classes);
}

static inline struct vgg_tensor *fake_find(struct fake_net *net, const char *name)
{
    for (size_t i = 0; i < net->count; i++) {
        if (strcmp(net->names[i], name) == 0) {
            return &net->tensors[i];
        }
    }
    ck_abort_msg("no tensor %s", name);
    return NULL;
}

/* Takes a tensor away. */
static inline void fake_remove(struct fake_net *net, const char *name)
{
    struct vgg_tensor *tensor = fake_find(net, name);
    snprintf(net->names[tensor - net->tensors], sizeof net->names[0], "%s", "");
}

/* The list of all tensors that are left. */
static inline const struct vgg_tensor_list *fake_list(struct fake_net *net)
{
    const struct vgg_tensor *tensors[256];
    size_t count = 0;
    for (size_t i = 0; i < net->count; i++) {
        if (net->names[i][0] != '\0') {
            tensors[count++] = &net->tensors[i];
        }
    }
    ck_assert_int_eq(vgg_tensor_list_init(&net->list, &net->arena, tensors, count, &net->err),
                     VGG_OK);
    return &net->list;
}

/* Infers the net's description, with a cfg or NULL. */
static inline vgg_status fake_infer(struct fake_net *net, const char *cfg_text,
                                    struct vgg_spec *spec)
{
    static const struct vgg_overrides none;
    struct vgg_cfg cfg;
    const struct vgg_tensor_list *tensors = fake_list(net);
    if (cfg_text == NULL) {
        return vgg_spec_infer(FAKE_LOAD(net, "x.pth"), tensors, NULL, &none, spec);
    }
    ck_assert_int_eq(vgg_cfg_parse(cfg_text, &net->limits, &net->arena, &cfg, &net->err), VGG_OK);
    return vgg_spec_infer(FAKE_LOAD(net, "x.pth"), tensors, &cfg, &none, spec);
}

static inline void fake_fini(struct fake_net *net)
{
    vgg_arena_destroy(&net->arena);
}

#define A "64 M 128 M 256 256 M 512 512 M 512 512 M"
#define B "64 64 M 128 128 M 256 256 M 512 512 M 512 512 M"
#define D "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M"
#define E "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M"

#endif
