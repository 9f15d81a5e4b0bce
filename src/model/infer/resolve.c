/* SPDX-License-Identifier: MIT */
/* Decides which description a checkpoint is read with. */
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

/* Reads the description load->path. */
static vgg_status open_spec(const struct vgg_load *load, struct vgg_spec *out)
{
    struct vgg_file file;
    vgg_status status = vgg_file_read(load->path, load->limits->json_bytes,
                                      vgg_allocator_of(load->arena->context), &file, load->err);
    if (status != VGG_OK) {
        return status;
    }
    status = vgg_spec_parse(load, file.data, file.size, out);
    vgg_file_close(&file);
    return status;
}

/* Returns the file name in a path, and the length of that name without its extension. */
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

/* Whether this is a file of torchvision's from before March 2017. These were converted from Caffe: the classifier
 * begins with Dropout, and the net expects BGR pixels of 0 to 255. With another number of classes the net was
 * trained by somebody else. */
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

/* Copies what only the built-in description knows: name, input, preprocessing, labels and published figures. */
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
    /* A net for other classes was probably trained from these weights, but not certainly; a net with other names
     * may come from Caffe, which uses other pixels. */
    spec->assumed_preprocess =
        vgg_spec_is_named(spec) || vgg_spec_get_classes(builtin) != vgg_spec_get_classes(spec);
    if (builtin->labels.count == (size_t)vgg_spec_get_classes(spec)) {
        spec->labels = builtin->labels;
    }
    if (vgg_spec_is_named(spec)) {
        /* The figures are published for torchvision's own files. */
        return VGG_OK;
    }
    spec->file = builtin->file;
    spec->sha256 = builtin->sha256;
    spec->bytes = builtin->bytes;
    spec->acc1 = builtin->acc1;
    spec->acc5 = builtin->acc5;
    return VGG_OK;
}

/* Sets the source to "names and shapes (built-in vgg16)". Errors: MEMORY. */
static vgg_status set_builtin_source(const struct vgg_load *load, struct vgg_spec *spec)
{
    char text[128];
    const int length = snprintf(text, sizeof text, "names and shapes (built-in %.64s)", spec->name);
    spec->source = vgg_arena_copy_string(load->arena, text, (size_t)length);
    return spec->source != NULL ? VGG_OK : vgg_load_fail_memory(load, (size_t)length + 1, "a name");
}

/* Parses a built-in description. */
static vgg_status parse_builtin(const struct vgg_load *load, const struct vgg_builtin *file,
                                struct vgg_spec *out)
{
    struct vgg_load load_builtin = *load;
    load_builtin.path = file->name;
    return vgg_spec_parse(&load_builtin, file->data, file->size, out);
}

/* Takes what the built-in description of an inferred net knows, if there is one.
 *   all  every layer is known, so that the last pool has to agree too */
static vgg_status find_builtin(const struct vgg_load *load, bool all, struct vgg_spec *spec)
{
    for (const struct vgg_builtin *file = vgg_builtins; file->name != NULL; file++) {
        struct vgg_spec builtin;
        if (!vgg_builtin_is_spec(file)) {
            continue;
        }
        vgg_status status = parse_builtin(load, file, &builtin);
        if (status != VGG_OK) {
            return status;
        }
        if (fits(load->path, &builtin, spec) &&
            (!all || builtin.layer_count == spec->layer_count)) {
            status = apply_builtin(&builtin, spec, load->err);
            return status == VGG_OK && !all && spec->builtin ? set_builtin_source(load, spec)
                                                             : status;
        }
    }
    return VGG_OK;
}

/* Finds the built-in description that shares the most names with the tensors, if these are more than three
 * quarters of its own: other nets have some names in common with a VGG. */
static bool find_closest(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                         struct vgg_spec *out)
{
    struct vgg_load silent = *load;
    size_t best = 0;
    silent.err = NULL;
    for (const struct vgg_builtin *file = vgg_builtins; file->name != NULL; file++) {
        struct vgg_spec spec;
        struct vgg_graph graph;
        if (!vgg_builtin_is_spec(file) || parse_builtin(&silent, file, &spec) != VGG_OK ||
            vgg_graph_build(&silent, &spec, &graph) != VGG_OK) {
            continue;
        }
        /* A missing tensor counts as much as one that was found: vgg13 has most of vgg11's names. */
        const size_t found = vgg_graph_count_found(&graph, tensors);
        const size_t missing = graph.parameter_count - found;
        const size_t score = found > 3 * missing ? found - missing : 0;
        if (score > best) {
            best = score;
            *out = spec;
        }
    }
    return best > 0;
}

/* Takes the number of classes from the weights. */
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

/* Adds what a built-in description knows, and the preprocessing, to an inferred description. */
static vgg_status complete(const struct vgg_load *load, bool all, struct vgg_spec *spec)
{
    vgg_status status = find_builtin(load, all, spec);
    if (status == VGG_OK && spec->preprocess.name[0] == '\0') {
        spec->assumed_preprocess = true;
        status = vgg_spec_default_preprocess(spec->input, &spec->preprocess, load->err);
    }
    return status;
}

/* Replaces the error if the tensors are those of a known net that is not a VGG. */
static vgg_status fail_other(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                             vgg_status status)
{
    const struct vgg_tensor *evidence;
    const char *net = vgg_other_net_find(tensors, &evidence);
    char shape[VGG_SHAPE_TEXT_BYTES];
    return net == NULL ? status
                       : vgg_fail(load->err, VGG_ERR_UNSUPPORTED,
                                  "%s: expected a VGG, found %s (%s %s): only VGGs can be run",
                                  load->path, net, evidence->name,
                                  vgg_shape_text(evidence->shape, evidence->ndim, shape));
}

static vgg_status resolve_from_tensors(const struct vgg_load *load,
                                       const struct vgg_tensor_list *tensors, struct vgg_spec *out)
{
    vgg_status status = vgg_spec_infer(load, tensors, out);
    const bool is_close = status == VGG_ERR_MISMATCH || status == VGG_ERR_UNSUPPORTED;
    if (is_close && find_closest(load, tensors, out)) {
        take_classes(tensors, out);
        out->inferred = out->builtin = true;
        return set_builtin_source(load, out);
    }
    if (status != VGG_OK) {
        return status == VGG_ERR_MEMORY ? status : fail_other(load, tensors, status);
    }
    out->inferred = true;
    out->source = "names and shapes";
    return complete(load, false, out);
}

static vgg_status resolve_from_cfg(const struct vgg_load *load, const char *text,
                                   const struct vgg_tensor_list *tensors, struct vgg_spec *out)
{
    struct vgg_cfg cfg;
    vgg_status status = vgg_cfg_parse(text, load->limits, load->arena, &cfg, load->err);
    status = status ? status : vgg_spec_infer_as(load, tensors, &cfg, out);
    if (status != VGG_OK) {
        return status;
    }
    out->source = "cfg, names and shapes";
    return complete(load, true, out);
}

/* Gives the layers of a description the names that they have in the checkpoint. */
static vgg_status name_layers(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                              struct vgg_spec *spec)
{
    struct vgg_chain chain;
    struct vgg_load silent = *load;
    vgg_status status = vgg_names_find(load, tensors, spec);
    if (status != VGG_OK || (vgg_names_has(tensors, vgg_spec_get_features(spec), 4) &&
                             vgg_names_has(tensors, vgg_spec_get_classifier(spec), 2))) {
        return status;
    }
    /* If there is no chain either, binding reports the missing tensors. */
    silent.err = NULL;
    return vgg_chain_find(&silent, tensors, &chain) == VGG_OK
               ? vgg_chain_name(load->path, &chain, spec, load->err)
               : VGG_OK;
}

static vgg_status resolve_from_file(const struct vgg_load *load, const char *spec_path,
                                    const struct vgg_tensor_list *tensors, struct vgg_spec *out)
{
    struct vgg_load load_spec = *load;
    load_spec.path = vgg_arena_copy_string(load->arena, spec_path, strlen(spec_path));
    if (load_spec.path == NULL) {
        return vgg_load_fail_memory(load, strlen(spec_path) + 1, "a path");
    }
    vgg_status status = open_spec(&load_spec, out);
    out->source = load_spec.path;
    return status ? status : name_layers(load, tensors, out);
}

/* Reads the description beside the checkpoint; infers one if there is no such file. */
static vgg_status resolve_from_neighbour(const struct vgg_load *load,
                                         const struct vgg_tensor_list *tensors,
                                         struct vgg_spec *out)
{
    struct vgg_error reason = {0};
    struct vgg_load load_spec = *load;
    load_spec.path = path_beside(load->path, load->arena);
    load_spec.err = &reason;
    if (load_spec.path == NULL) {
        return vgg_load_fail_memory(load, strlen(load->path), "a path");
    }
    vgg_status status = open_spec(&load_spec, out);
    if (status == VGG_OK) {
        out->source = load_spec.path;
        return name_layers(load, tensors, out);
    }
    if (status == VGG_ERR_IO && (reason.sys_errno == ENOENT || reason.sys_errno == ENOTDIR)) {
        return resolve_from_tensors(load, tensors, out);
    }
    if (load->err != NULL) {
        /* The caller did not name this file, so that the message says why it is read. */
        vgg_fail(load->err, status, "%s; it is read because it stands beside %s", reason.message,
                 load->path);
        load->err->sys_errno = reason.sys_errno;
        load->err->byte_offset = reason.byte_offset;
    }
    return status;
}

vgg_status vgg_spec_resolve(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                            const char *spec_path, const char *cfg, struct vgg_spec *out)
{
    if (spec_path != NULL) {
        return resolve_from_file(load, spec_path, tensors, out);
    }
    return cfg != NULL ? resolve_from_cfg(load, cfg, tensors, out)
                       : resolve_from_neighbour(load, tensors, out);
}
