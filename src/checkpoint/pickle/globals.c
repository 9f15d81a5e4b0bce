/* SPDX-License-Identifier: MIT */
/* The allow-list of names. */
#include "checkpoint/pickle/globals.h"

enum element_index {
#define ELEMENT(name, supported, dtype, bytes) ELEMENT_##name,
#define DTYPE(name, supported, dtype, bytes) DTYPE_##name,
#include "checkpoint/pickle/globals.inc"
#undef ELEMENT
#undef DTYPE
};

static const struct vgg_element_type elements[] = {
#define ELEMENT(name, supported, dtype, bytes) {#name, supported, dtype, bytes},
#define DTYPE(name, supported, dtype, bytes) {#name, supported, dtype, bytes},
#include "checkpoint/pickle/globals.inc"
#undef ELEMENT
#undef DTYPE
};

static const struct vgg_global names[] = {
#define ELEMENT(type, supported, dtype, bytes)                                                     \
    {"torch", #type "Storage", VGG_GLOBAL_STORAGE, &elements[ELEMENT_##type]},                     \
        {"torch.cuda", #type "Storage", VGG_GLOBAL_STORAGE, &elements[ELEMENT_##type]},            \
        {"torch", #type "Tensor", VGG_GLOBAL_TENSOR, &elements[ELEMENT_##type]},                   \
        {"torch.cuda", #type "Tensor", VGG_GLOBAL_TENSOR, &elements[ELEMENT_##type]},
#define DTYPE(type, supported, dtype, bytes)                                                       \
    {"torch", #type, VGG_GLOBAL_DTYPE, &elements[DTYPE_##type]},
#define NAME(module, name, role) {module, name, VGG_GLOBAL_##role, NULL},
#define INERT(versions, module, name) {module, name, VGG_GLOBAL_OPAQUE, NULL},
#include "checkpoint/pickle/globals.inc"
#include "checkpoint/pickle/inert.inc"
#undef ELEMENT
#undef DTYPE
#undef NAME
#undef INERT
    /* The module of the storage without a type since torch 1.11. */
    {"torch.storage", "UntypedStorage", VGG_GLOBAL_STORAGE, &elements[ELEMENT_Untyped]},
};

static const struct vgg_global packages[] = {
#define PACKAGE(module, role) {module, NULL, VGG_GLOBAL_##role, NULL},
#include "checkpoint/pickle/globals.inc"
#undef PACKAGE
};

static const char *const refused[] = {
#define REFUSED(module) module,
#include "checkpoint/pickle/globals.inc"
#undef REFUSED
};

static const struct vgg_global other = {"", NULL, VGG_GLOBAL_OTHER, NULL};

static bool is_in_package(struct vgg_span module, const char *package)
{
    size_t length = strlen(package);
    return module.length >= length && memcmp(module.bytes, package, length) == 0 &&
           (module.length == length || module.bytes[length] == '.');
}

const struct vgg_global *vgg_global_find(struct vgg_span module, struct vgg_span name)
{
    if (vgg_span_equals(module, "__builtin__")) { /* Python 2's name */
        module = (struct vgg_span){"builtins", sizeof "builtins" - 1};
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (vgg_span_equals(name, names[i].name) && vgg_span_equals(module, names[i].module)) {
            return &names[i];
        }
    }
    for (size_t i = 0; i < sizeof packages / sizeof packages[0]; i++) {
        if (is_in_package(module, packages[i].module)) {
            return &packages[i];
        }
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (is_in_package(module, refused[i])) {
            return NULL;
        }
    }
    return &other;
}

const char *vgg_global_explain(struct vgg_span module, struct vgg_span name)
{
    static const char method[] =
        "a method that was saved without calling it, as model.state_dict for model.state_dict(), "
        "or an object that holds one, as the Learner of fastai's learn.export() or a net of "
        "Cadene's pretrainedmodels: save model.state_dict()";
    /* The first row that fits; name NULL: every name in module and below it. */
    static const struct {
        const char *module, *name, *text;
    } rows[] = {
        {"builtins", "getattr", method},
        {"__builtin__", "getattr", method},
        {"torch._dynamo", NULL, "a model of torch.compile: save its state_dict() instead"},
        {"torch._inductor", NULL, "a model of torch.compile: save its state_dict() instead"},
        {"torch.fx", NULL, "a module of torch.fx: save its state_dict() instead"},
        {"cloudpickle", NULL,
         "saved with cloudpickle, as MLflow does, and holds code: load it in Python and save "
         "model.state_dict()"},
        {"dill", NULL,
         "saved with dill, and holds code: load it in Python and save model.state_dict()"},
        {"torch.distributed", NULL,
         "distributed tensors, of which each process saves a part: save what "
         "get_model_state_dict gives with full_state_dict=True, or full_tensor() of each"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].name == NULL
                ? is_in_package(module, rows[i].module)
                : vgg_span_equals(module, rows[i].module) && vgg_span_equals(name, rows[i].name)) {
            return rows[i].text;
        }
    }
    return NULL;
}
