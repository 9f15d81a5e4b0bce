/* Which description a checkpoint is read with. */
#include "model/infer/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "model/graph/bind.h"
#include "model/spec/builtin.h"
#include "model/infer/infer.h"
#include "model/infer/weight_names.h"
#include "model/infer/other_nets.h"
#include "model/infer/chain_describe.h"
#include "model/spec/defaults.h"

static vgg_status open_spec(const char *path, const struct vgg_limits *limits,
                            struct vgg_arena *arena, struct vgg_spec *out, struct vgg_error *err)
{
    struct vgg_file file;
    vgg_status status =
        vgg_file_read(path, limits->json_bytes, vgg_allocator_of(arena->context), &file, err);
    if (status != VGG_OK) {
        return status;
    }
    status = vgg_spec_parse(path, file.data, file.size, limits, arena, out, err);
    vgg_file_close(&file);
    return status;
}

/* Where the file name starts, and the length of that name without its extension. */
static const char *file_name(const char *path, size_t *stem_length)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    *stem_length = dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name);
    return name;
}

/* The path of the description beside a checkpoint, or NULL without memory. */
static char *path_beside(const char *path, struct vgg_arena *arena)
{
    static const char extension[] = ".json";
    size_t stem;
    const char *name = file_name(path, &stem);
    size_t length = (size_t)(name - path) + stem;
    char *beside = vgg_arena_alloc(arena, length + sizeof extension, 1);
    if (beside != NULL) {
        memcpy(beside, path, length);
        memcpy(beside + length, extension, sizeof extension);
    }
    return beside;
}

static bool is_json(const struct vgg_builtin *file)
{
    size_t length = strlen(file->name);
    return length > 5 && strcmp(file->name + length - 5, ".json") == 0;
}

static bool ends_in_pool(const struct vgg_spec *spec)
{
    return spec->layers[spec->layer_count - 1].kind == VGG_LAYER_MAX_POOL;
}

/* Whether a built-in description describes what was inferred. */
static bool fits(const char *path, const struct vgg_spec *builtin, const struct vgg_spec *inferred)
{
    size_t stem;
    const char *name = file_name(path, &stem);
    if (!vgg_spec_same_features(builtin, inferred)) {
        return false;
    }
    return ends_in_pool(builtin) ||
           (strlen(builtin->name) == stem && memcmp(builtin->name, name, stem) == 0);
}

/* Torchvision's files of before March 2017 were converted from Caffe: the same layers after a Dropout,
 * but for BGR pixels of 0 to 255. With other classes it is somebody's own net of that form. */
static bool is_caffe(const struct vgg_spec *spec)
{
    static const int indices[] = {1, 4, 6};
    if (spec->head_count != 3 || spec->avgpool != 7 || vgg_spec_get_classes(spec) != 1000 ||
        spec->layers[0].batch_norm) {
        return false;
    }
    for (int i = 0; i < 3; i++) {
        if (spec->head[i].index != indices[i]) {
            return false;
        }
    }
    return true;
}

/* Takes over from a built-in description what it knows better. */
static vgg_status apply_builtin(const struct vgg_spec *builtin, struct vgg_spec *spec,
                                struct vgg_error *err)
{
    spec->name = builtin->name;
    if (spec->avgpool != builtin->avgpool) {
        return VGG_OK;
    }
    spec->builtin = true;
    if (!vgg_spec_is_named(spec)) {
        spec->layers = builtin->layers;
        spec->layer_count = builtin->layer_count;
        spec->assumed = NULL;
    }
    spec->input = builtin->input;
    spec->assumed_input = false;
    spec->assumed_avgpool = false;
    spec->preprocess = builtin->preprocess;
    if (is_caffe(spec) && vgg_preprocess_find("caffe", &spec->preprocess, err) != VGG_OK) {
        return VGG_ERR_ARGUMENT;
    }
    /* Whoever trained it for other classes probably began with these weights, but not certainly; and under other
     * names it may come from Caffe, where pixels were others. */
    spec->assumed_preprocess =
        vgg_spec_is_named(spec) || vgg_spec_get_classes(builtin) != vgg_spec_get_classes(spec);
    if (builtin->labels.count == (size_t)vgg_spec_get_classes(spec)) {
        spec->labels = builtin->labels;
    }
    if (vgg_spec_is_named(spec)) {
        return VGG_OK; /* and it is no file of torchvision's */
    }
    spec->file = builtin->file;
    spec->sha256 = builtin->sha256;
    spec->bytes = builtin->bytes;
    spec->acc1 = builtin->acc1;
    spec->acc5 = builtin->acc5;
    return VGG_OK;
}

/* "names and shapes (built-in vgg16)"; NULL without memory. */
static const char *tell_builtin(const struct vgg_spec *spec, struct vgg_arena *arena)
{
    char text[128];
    int length = snprintf(text, sizeof text, "names and shapes (built-in %.64s)", spec->name);
    return vgg_arena_copy_string(arena, text, (size_t)length);
}

/* Looks for a built-in description of what was inferred.
 *   all  every layer is known, so that the last pool has to be the same too */
static vgg_status find_builtin(const char *path, bool all, const struct vgg_limits *limits,
                               struct vgg_arena *arena, struct vgg_spec *spec, const char **source,
                               struct vgg_error *err)
{
    for (const struct vgg_builtin *file = vgg_builtins; file->name != NULL; file++) {
        struct vgg_spec builtin;
        if (!is_json(file)) {
            continue;
        }
        vgg_status status =
            vgg_spec_parse(file->name, file->data, file->size, limits, arena, &builtin, err);
        if (status != VGG_OK) {
            return status;
        }
        if (fits(path, &builtin, spec) && (!all || builtin.layer_count == spec->layer_count)) {
            status = apply_builtin(&builtin, spec, err);
            if (status == VGG_OK && !all && spec->builtin) {
                *source = tell_builtin(spec, arena);
                status = *source != NULL ? VGG_OK : vgg_fail_memory(err, path, 1, "a name");
            }
            return status;
        }
    }
    return VGG_OK;
}

/* The built-in description of which most tensors are there, if that is more than three quarters of them:
 * other nets have many a name in common with one. */
static bool find_closest(const struct vgg_tensor_list *tensors, const struct vgg_limits *limits,
                         struct vgg_arena *arena, struct vgg_spec *out)
{
    size_t most = 0;
    for (const struct vgg_builtin *file = vgg_builtins; file->name != NULL; file++) {
        struct vgg_spec spec;
        struct vgg_graph graph;
        if (!is_json(file) ||
            vgg_spec_parse(file->name, file->data, file->size, limits, arena, &spec, NULL) != 0 ||
            vgg_graph_build(file->name, &spec, limits, arena, &graph, NULL) != VGG_OK) {
            continue;
        }
        /* A tensor that is not there weighs as much as one that is: vgg13 holds most of vgg11's
         * names. */
        size_t found = vgg_graph_count_found(&graph, tensors);
        size_t absent = graph.parameter_count - found;
        size_t score = found > 3 * absent ? found - absent : 0;
        if (score > most) {
            most = score;
            *out = spec;
        }
    }
    return most > 0;
}

/* The number of classes is the weights' own. */
static void take_classes(const struct vgg_tensor_list *tensors, struct vgg_spec *spec)
{
    struct vgg_head *last = &spec->head[spec->head_count - 1];
    const struct vgg_tensor *weight =
        vgg_tensor_list_findf(tensors, "classifier.%d.weight", last->index);
    if (weight != NULL && weight->ndim == 2 && weight->shape[0] >= 1 &&
        weight->shape[0] <= VGG_MAX_CHANNELS && weight->shape[0] != last->features) {
        last->features = (int)weight->shape[0];
        spec->labels = (struct vgg_labels){0};
    }
}

/* Adds to what was inferred what a built-in description knows, and preprocessing. */
static vgg_status complete(const char *path, bool all, const struct vgg_limits *limits,
                           struct vgg_arena *arena, struct vgg_spec *spec, const char **source,
                           struct vgg_error *err)
{
    vgg_status status = find_builtin(path, all, limits, arena, spec, source, err);
    if (status == VGG_OK && spec->preprocess.name[0] == '\0') {
        spec->assumed_preprocess = true;
        status = vgg_spec_default_preprocess(spec->input, &spec->preprocess, err);
    }
    return status;
}

/* Of a net that is known, but no VGG, says so; else leaves the error as it is. */
static vgg_status fail_other(const char *path, const struct vgg_tensor_list *tensors,
                             vgg_status status, struct vgg_error *err)
{
    const struct vgg_tensor *telling;
    const char *net = vgg_other_net_find(tensors, &telling);
    char shape[VGG_SHAPE_TEXT_BYTES];
    return net == NULL
               ? status
               : vgg_fail(err, VGG_ERR_UNSUPPORTED,
                          "%s: expected a VGG, found %s (%s %s): only VGGs can be run", path, net,
                          telling->name, vgg_shape_text(telling->shape, telling->ndim, shape));
}

static vgg_status resolve_from_tensors(const char *path, const struct vgg_tensor_list *tensors,
                                       const struct vgg_limits *limits, struct vgg_arena *arena,
                                       struct vgg_spec *out, const char **source,
                                       struct vgg_error *err)
{
    vgg_status status = vgg_spec_infer(path, tensors, limits, arena, out, err);
    if (status == VGG_ERR_MISMATCH || status == VGG_ERR_UNSUPPORTED) {
        if (find_closest(tensors, limits, arena, out)) {
            take_classes(tensors, out);
            out->inferred = out->builtin = true;
            *source = tell_builtin(out, arena);
            return *source != NULL ? VGG_OK : vgg_fail_memory(err, path, 1, "a name");
        }
    }
    if (status != VGG_OK) {
        return status == VGG_ERR_MEMORY ? status : fail_other(path, tensors, status, err);
    }
    out->inferred = true;
    *source = "names and shapes";
    return complete(path, false, limits, arena, out, source, err);
}

static vgg_status resolve_from_cfg(const char *path, const char *text,
                                   const struct vgg_tensor_list *tensors,
                                   const struct vgg_limits *limits, struct vgg_arena *arena,
                                   struct vgg_spec *out, const char **source, struct vgg_error *err)
{
    struct vgg_cfg cfg;
    vgg_status status = vgg_cfg_parse(text, limits, arena, &cfg, err);
    if (status == VGG_OK) {
        status = vgg_spec_infer_as(path, tensors, &cfg, limits, arena, out, err);
    }
    if (status != VGG_OK) {
        return status;
    }
    *source = "cfg, names and shapes";
    return complete(path, true, limits, arena, out, source, err);
}

/* What the layers of a description are called in this file. */
static vgg_status name_layers(const char *path, const struct vgg_tensor_list *tensors,
                              struct vgg_arena *arena, struct vgg_spec *spec, struct vgg_error *err)
{
    struct vgg_chain chain;
    vgg_status status = vgg_names_find(path, tensors, arena, spec, err);
    if (status != VGG_OK || (vgg_names_has(tensors, vgg_spec_get_features(spec), 4) &&
                             vgg_names_has(tensors, vgg_spec_get_classifier(spec), 2))) {
        return status;
    }
    /* Where that finds nothing, binding says which tensors are missing. */
    return vgg_chain_find(path, tensors, arena, &chain, NULL) == VGG_OK
               ? vgg_chain_name(path, &chain, spec, err)
               : VGG_OK;
}

vgg_status vgg_spec_resolve(const char *path, const char *spec_path, const char *cfg,
                            const struct vgg_tensor_list *tensors, const struct vgg_limits *limits,
                            struct vgg_arena *arena, struct vgg_spec *out, const char **source,
                            struct vgg_error *err)
{
    struct vgg_error reason = {0};
    char *beside = NULL;
    vgg_status status;
    if (spec_path != NULL) {
        *source = vgg_arena_copy_string(arena, spec_path, strlen(spec_path));
        if (*source == NULL) {
            return vgg_fail_memory(err, path, strlen(spec_path) + 1, "a path");
        }
        status = open_spec(spec_path, limits, arena, out, err);
        return status == VGG_OK ? name_layers(path, tensors, arena, out, err) : status;
    }
    if (cfg != NULL) {
        return resolve_from_cfg(path, cfg, tensors, limits, arena, out, source, err);
    }
    beside = path_beside(path, arena);
    if (beside == NULL) {
        return vgg_fail_memory(err, path, strlen(path), "a path");
    }
    *source = beside;
    status = open_spec(beside, limits, arena, out, &reason);
    if (status == VGG_OK) {
        return name_layers(path, tensors, arena, out, err);
    }
    if (status == VGG_ERR_IO && (reason.sys_errno == ENOENT || reason.sys_errno == ENOTDIR)) {
        return resolve_from_tensors(path, tensors, limits, arena, out, source, err);
    }
    if (err != NULL) {
        /* Nobody asked for this file by name. */
        vgg_fail(err, status, "%s; it is read because it stands beside %s", reason.message, path);
        err->sys_errno = reason.sys_errno;
        err->byte_offset = reason.byte_offset;
    }
    return status;
}
