/* SPDX-License-Identifier: MIT */
/* The lists of names, and how they are compared. */
#include "checkpoint/scan/policy.h"

#include "checkpoint/pickle/globals.h"

/* Harmless in a pickle that is only loaded, beside what a checkpoint may name. */
static const struct {
    const char *module, *name;
    enum vgg_scan_use use;
} harmless[] = {
    {"_codecs", "encode", VGG_SCAN_USE_ENCODE},
    {"numpy", "dtype", VGG_SCAN_USE_DTYPE},
    {"joblib.numpy_pickle", "NumpyArrayWrapper", VGG_SCAN_USE_ARRAY},
    {"torch.storage", "_load_from_bytes", VGG_SCAN_USE_LOAD_BYTES},
    /* Protocols 0 and 1 make objects of every class by it; the class is a name of its own. */
    {"copyreg", "_reconstructor", VGG_SCAN_USE_NONE},
    {"copy_reg", "_reconstructor", VGG_SCAN_USE_NONE},
    {"copyreg", "__newobj__", VGG_SCAN_USE_NONE},
    {"copy_reg", "__newobj__", VGG_SCAN_USE_NONE},
    {"torch.storage", "TypedStorage", VGG_SCAN_USE_STORAGE_TYPE},
    {"torch.storage", "_TypedStorage", VGG_SCAN_USE_STORAGE_TYPE},
    {"torch._C._nn", "gelu", VGG_SCAN_USE_NONE},
    {"torch.nn.functional", "relu", VGG_SCAN_USE_NONE},
    {"torch.nn.functional", "gelu", VGG_SCAN_USE_NONE},
    {"torch.nn.functional", "silu", VGG_SCAN_USE_NONE},
    {"torch", "relu", VGG_SCAN_USE_NONE},
    {"torch", "flatten", VGG_SCAN_USE_NONE},
};

/* "MODULE" or "MODULE:NAME", one after the other: pointers would take more space than the texts. */
static const char dangers[] =
#define DANGER(module) module "\0"
#define DANGER_NAME(module, name) module ":" name "\0"
#include "checkpoint/scan/danger.inc"
#undef DANGER
#undef DANGER_NAME
    ;

static bool is_below(struct vgg_span module, const char *package)
{
    const size_t length = strlen(package);
    return module.length >= length && memcmp(module.bytes, package, length) == 0 &&
           (module.length == length || module.bytes[length] == '.');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

bool vgg_scan_is_identifier(struct vgg_span text)
{
    bool begins = true;
    for (uint32_t i = 0; i < text.length; i++) {
        const char c = text.bytes[i];
        if (c == '.' && !begins) {
            begins = true;
            continue;
        }
        if (!is_letter(c) && (begins || c < '0' || c > '9')) {
            /* <locals>, <lambda> */
            if ((c != '<' && c != '>') || text.length > 200) {
                return false;
            }
        }
        begins = false;
    }
    return text.length > 0 && !begins;
}

/* "__builtins__", "__import__": also as one of several attributes. */
static bool has_special(struct vgg_span name)
{
    for (uint32_t start = 0; start < name.length;) {
        const char *end = memchr(name.bytes + start, '.', name.length - start);
        const uint32_t stop = end != NULL ? (uint32_t)(end - name.bytes) : name.length;
        if (stop - start >= 4 && memcmp(name.bytes + start, "__", 2) == 0 &&
            memcmp(name.bytes + stop - 2, "__", 2) == 0) {
            return true;
        }
        start = stop + 1;
    }
    return false;
}

static bool is_dangerous(struct vgg_span module, struct vgg_span name)
{
    for (const char *entry = dangers; *entry != '\0'; entry += strlen(entry) + 1) {
        const char *colon = strchr(entry, ':');
        const size_t length = colon != NULL ? (size_t)(colon - entry) : strlen(entry);
        if (colon == NULL ? is_below(module, entry)
                          : module.length == length && memcmp(module.bytes, entry, length) == 0 &&
                                vgg_span_equals(name, colon + 1)) {
            return true;
        }
    }
    return vgg_global_find(module, (struct vgg_span){"", 0}) == NULL;
}

/* Whether "MODULE.NAME" is in a list of such names, of which the last part may be "*". */
static bool is_allowed(const char *allowed, struct vgg_span module, struct vgg_span name)
{
    for (const char *item = allowed; item != NULL && *item != '\0';) {
        const size_t length = strcspn(item, ",");
        const struct vgg_span entry = {item, (uint32_t)length};
        if (length > 2 && item[length - 1] == '*' && item[length - 2] == '.') {
            const uint32_t package = entry.length - 2;
            if (module.length >= package && memcmp(module.bytes, item, package) == 0 &&
                (module.length == package || module.bytes[package] == '.')) {
                return true;
            }
        } else if (length == (size_t)module.length + 1 + name.length &&
                   memcmp(item, module.bytes, module.length) == 0 && item[module.length] == '.' &&
                   memcmp(item + module.length + 1, name.bytes, name.length) == 0) {
            return true;
        }
        item += length + (item[length] == ',');
    }
    return false;
}

static enum vgg_scan_use use_of(enum vgg_global_role role)
{
    switch (role) {
    case VGG_GLOBAL_REBUILD_TENSOR:
    case VGG_GLOBAL_REBUILD_TENSOR_V2:
    case VGG_GLOBAL_REBUILD_TENSOR_V3:
    case VGG_GLOBAL_REBUILD_PARAMETER:
    case VGG_GLOBAL_OTHER_TENSOR:
        return VGG_SCAN_USE_TENSOR;
    case VGG_GLOBAL_STORAGE:
        return VGG_SCAN_USE_STORAGE_TYPE;
    case VGG_GLOBAL_TENSOR:
        return VGG_SCAN_USE_TENSOR_TYPE;
    default:
        return VGG_SCAN_USE_NONE;
    }
}

/* Whether the name is on a list of harmless ones. */
static bool is_harmless(struct vgg_span module, struct vgg_span name, struct vgg_scan_verdict *out)
{
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++) {
        if (vgg_span_equals(module, harmless[i].module) &&
            vgg_span_equals(name, harmless[i].name)) {
            out->use = harmless[i].use;
            return true;
        }
    }
    const struct vgg_global *entry = vgg_global_find(module, name);
    if (entry == NULL || entry->role == VGG_GLOBAL_OTHER) {
        /* The classes of a TorchScript archive's own code. */
        return is_below(module, "__torch__") && !has_special(name);
    }
    out->use = use_of(entry->role);
    out->element_bytes = entry->role == VGG_GLOBAL_STORAGE ? entry->element->bytes : 0;
    /* Of a package only the classes: its functions load files, and its modules import others. */
    return entry->name != NULL ||
           (name.length > 0 && name.bytes[0] >= 'A' && name.bytes[0] <= 'Z' &&
            memchr(name.bytes, '.', name.length) == NULL);
}

struct vgg_scan_verdict vgg_scan_judge(struct vgg_span module, struct vgg_span name,
                                       const char *allowed)
{
    struct vgg_scan_verdict verdict = {.severity = VGG_SCAN_INERT};
    if (is_harmless(module, name, &verdict)) {
        return verdict;
    }
    verdict = (struct vgg_scan_verdict){.severity = VGG_SCAN_DANGEROUS};
    const char *dot = name.length > 0 ? memchr(name.bytes, '.', name.length) : NULL;
    if (has_special(name)) {
        verdict.reason = "which reaches into Python itself";
    } else if (dot != NULL && (name.bytes[0] < 'A' || name.bytes[0] > 'Z')) {
        verdict.reason = "which goes through a module or function to another";
    } else if (is_dangerous(module, name)) {
        verdict.reason = "which can run code or reach files";
    } else if (vgg_global_find(name, (struct vgg_span){"", 0}) == NULL) {
        verdict.reason = "a module of Python through another";
    } else if (is_allowed(allowed, module, name)) {
        verdict.severity = VGG_SCAN_INERT;
    } else {
        verdict.severity = VGG_SCAN_SUSPICIOUS;
        verdict.reason = "which is not known to be harmless";
    }
    return verdict;
}
