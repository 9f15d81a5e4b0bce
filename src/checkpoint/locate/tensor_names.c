/* SPDX-License-Identifier: MIT */
/* Names of tensors. */
#include "checkpoint/locate/tensor_names.h"

#include <string.h>

/* Modules that only wrap another: DataParallel and DistributedDataParallel, torch.compile, FSDP,
 * activation checkpointing. */
static const char *const wrappers[] = {"module", "_orig_mod", "_fsdp_wrapped_module",
                                       "_checkpoint_wrapped_module"};

/* Names that wrappers and training frameworks give to the net inside them. */
static const char *const prefixes[] = {
    "module.", "_orig_mod.", "model.", "net.", "network.", "backbone.", "_fsdp_wrapped_module.",
};

/* Modules and buffers of training. */
static const char *const states[] = {
    "criterion",     "criterions",    "criteria",       "loss",           "losses",
    "loss_fn",       "loss_func",     "loss_function",  "ce_loss",        "bce_loss",
    "lossfn",        "cross_entropy", "crossentropy",   "metric",         "metrics",
    "train_acc",     "val_acc",       "valid_acc",      "test_acc",       "train_metrics",
    "valid_metrics", "val_metrics",   "test_metrics",   "train_accuracy", "val_accuracy",
    "test_accuracy", "accuracy",      "train_loss",     "val_loss",       "test_loss",
    "optimizer",     "scheduler",     "lr_scheduler",   "n_averaged",     "ema",
    "ema_model",     "model_ema",     "averaged_model",
};

/* Leaves of normalisations, without what may stand before them. */
static const char *const constants[] = {"mean", "std"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The next component of a dotted name, and the place after its dot (or the end). */
static size_t component(const char *name, const char **next)
{
    size_t length = strcspn(name, ".");
    *next = name + length + (name[length] == '.');
    return length;
}

static bool is(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

static bool is_wrapper(const char *text, size_t length)
{
    for (size_t i = 0; i < COUNT(wrappers); i++) {
        if (is(text, length, wrappers[i])) {
            return true;
        }
    }
    return false;
}

static const char *skip_wrappers(const char *name)
{
    const char *next;
    size_t length = component(name, &next);
    while (is_wrapper(name, length)) {
        name = next;
        length = component(name, &next);
    }
    return name;
}

/* "weight", "weight_g", "bias", "parametrizations.weight.original0"; after wrappers, too. */
static bool is_leaf(const char *name)
{
    name = skip_wrappers(name);
    return strncmp(name, "weight", 6) == 0 || strcmp(name, "bias") == 0 ||
           strncmp(name, "parametrizations.", 17) == 0;
}

/* Whether the rest of a name after "features." is N.weight or the like. */
static bool is_layer(const char *name)
{
    const char *next;
    name = skip_wrappers(name);
    size_t length = component(name, &next);
    return length > 0 && strspn(name, "0123456789") == length && name[length] == '.' &&
           is_leaf(next);
}

enum vgg_name_part vgg_name_find_part(const char *name, size_t *prefix_length)
{
    const char *next;
    for (const char *p = name; *p != '\0'; p = next) {
        size_t length = component(p, &next);
        bool features = is(p, length, "features") && is_layer(next);
        bool classifier =
            !features && is(p, length, "classifier") && (is_layer(next) || is_leaf(next));
        if (features || classifier) {
            *prefix_length = (size_t)(p - name);
            return features ? VGG_NAME_FEATURES : VGG_NAME_CLASSIFIER;
        }
    }
    *prefix_length = 0;
    return VGG_NAME_OTHER;
}

bool vgg_name_is_state(const char *name)
{
    const char *next;
    for (const char *p = name; *p != '\0'; p = next) {
        const size_t length = component(p, &next);
        for (size_t i = 0; i < COUNT(states); i++) {
            if (is(p, length, states[i])) {
                return true;
            }
        }
    }
    return false;
}

bool vgg_name_is_constant(const char *name)
{
    const char *dot = strrchr(name, '.');
    const char *leaf = dot != NULL ? dot + 1 : name;
    const size_t length = strlen(leaf);
    for (size_t i = 0; i < COUNT(constants); i++) {
        const size_t tail = strlen(constants[i]);
        if (length >= tail && strcmp(leaf + length - tail, constants[i]) == 0 &&
            (length == tail || leaf[length - tail - 1] == '_') &&
            strncmp(leaf, "running_", 8) != 0) {
            return true;
        }
    }
    return false;
}

bool vgg_name_is_parameter(struct vgg_span name)
{
    static const char *const ends[] = {
        ".weight",   ".bias",     ".running_mean", ".running_var", ".num_batches_tracked",
        ".weight_g", ".weight_v", ".weight_orig",  ".weight_mask"};
    for (size_t i = 0; i < COUNT(ends); i++) {
        if (vgg_span_ends_with(name, ends[i])) {
            return true;
        }
    }
    return false;
}

const char *vgg_name_clean(const char *name, struct vgg_arena *arena)
{
    const char *next;
    size_t length = component(name, &next), used = 0;
    bool dirty = false;
    if (!is(name, length, "features") && !is(name, length, "classifier")) {
        return name;
    }
    for (const char *p = next; *p != '\0'; p = next) {
        length = component(p, &next);
        dirty = dirty || is_wrapper(p, length);
    }
    if (!dirty) {
        return name;
    }
    char *clean = vgg_arena_alloc(arena, strlen(name) + 1, 1);
    for (const char *p = name; clean != NULL && *p != '\0'; p = next) {
        length = component(p, &next);
        if (!is_wrapper(p, length)) {
            memcpy(clean + used, p, (size_t)(next - p));
            used += (size_t)(next - p);
        }
    }
    return clean;
}

size_t vgg_names_common_prefix(const char *const *names, size_t count)
{
    size_t length = 0, before;
    do {
        before = length;
        for (size_t p = 0; p < COUNT(prefixes) && count > 0; p++) {
            size_t bytes = strlen(prefixes[p]), having = 0;
            while (having < count && strncmp(names[having] + length, prefixes[p], bytes) == 0) {
                having++;
            }
            if (having == count) {
                length += bytes;
            }
        }
    } while (length > before);
    return length;
}
