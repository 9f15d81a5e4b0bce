/* SPDX-License-Identifier: MIT */
/* Decides which description a checkpoint is read with. */
#include "model/infer/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "checkpoint/module.h"
#include "model/infer/caffe.h"
#include "model/infer/infer.h"
#include "model/infer/modules.h"
#include "model/infer/notes.h"
#include "model/infer/other_nets.h"
#include "model/infer/published.h"
#include "model/infer/refuse.h"
#include "model/infer/rename.h"
#include "model/spec/layers.h"
#include "model/spec/spec.h"

/* Reads the description load->path. */
static vgg_status open_spec(const struct vgg_load *load, struct vgg_spec *out)
{
    struct vgg_file file;
    vgg_status status =
        vgg_file_read_regular(load->path, load->limits->json_bytes,
                              vgg_allocator_of(load->arena->context), &file, load->err);
    if (status != VGG_OK) {
        return status;
    }
    status = vgg_spec_parse(load, file.data, file.size, out);
    vgg_file_close(&file);
    return status;
}

/* Returns the file name in a path, and the length of that name without its extension. "model.safetensors.index.json",
 * the index of shards, stands for "model.safetensors". */
static const char *file_name(const char *path, size_t *stem_length)
{
    static const char index[] = ".index.json";
    const size_t tail = sizeof index - 1;
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    size_t length = strlen(name);
    if (length > tail && strcmp(name + length - tail, index) == 0) {
        length -= tail;
    }
    size_t stem = length;
    while (stem > 0 && name[stem - 1] != '.') {
        stem--;
    }
    *stem_length = stem > 1 ? stem - 1 : length;
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

/* Sets the source to "names and shapes (built-in vgg16)". Errors: MEMORY. */
static vgg_status set_builtin_source(const struct vgg_load *load, struct vgg_spec *spec)
{
    char text[128];
    const int length = snprintf(text, sizeof text, "names and shapes (built-in %.64s)", spec->name);
    spec->source = vgg_arena_copy_string(load->arena, text, (size_t)length);
    return spec->source != NULL ? VGG_OK : vgg_load_fail_memory(load, (size_t)length + 1, "a name");
}

/* Takes the number of classes from the weights. */
static void take_classes(const struct vgg_tensor_list *tensors, struct vgg_spec *spec)
{
    struct vgg_layer *last = &spec->layers[spec->layer_count - 1];
    const struct vgg_tensor *weight = vgg_tensor_list_findf(tensors, "%s.weight", last->name);
    if (last->kind == VGG_LAYER_LINEAR && weight != NULL && weight->ndim == 2 &&
        weight->shape[0] >= 1 && weight->shape[0] <= VGG_MAX_CHANNELS &&
        weight->shape[0] != last->linear.out_features) {
        last->linear.out_features = (int)weight->shape[0];
        spec->labels = (struct vgg_labels){0};
    }
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

/* Completes or replaces a description by the file's modules.
 *   status  of the inference from names and shapes; stays if there are no modules */
static vgg_status apply_modules(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                                const struct vgg_request *request, vgg_status status,
                                struct vgg_spec *out)
{
    struct vgg_module_request modules = {.checkpoint = request->checkpoint,
                                         .tensors = tensors,
                                         .overrides = &request->overrides,
                                         .inferred = status == VGG_OK,
                                         .has_cfg = request->cfg != NULL};
    struct vgg_error reason = {0};
    struct vgg_load load_modules = *load;
    bool described = false;
    load_modules.err = &reason;
    if (request->checkpoint == NULL || status == VGG_ERR_MEMORY) {
        return status;
    }
    const vgg_status applied = vgg_spec_apply_modules(&load_modules, &modules, out, &described);
    if (applied != VGG_OK && load->err != NULL) {
        *load->err = reason;
    }
    return applied != VGG_OK || described ? applied : status;
}

/* The same, and the preprocessing of a net whose weights were made for another one than is usual. */
static vgg_status complete_inferred(const struct vgg_load *load,
                                    const struct vgg_tensor_list *tensors,
                                    const struct vgg_request *request, vgg_status status,
                                    struct vgg_spec *out)
{
    status = apply_modules(load, tensors, request, status, out);
    return status ? status : vgg_caffe_apply(load, tensors, out);
}

/* Whether a bias has lost its weight, so that names and shapes show another net than the one that was saved. */
static bool is_incomplete(const struct vgg_tensor_list *tensors)
{
    static const char leaf[] = ".bias";
    for (size_t i = 0; i < tensors->count; i++) {
        const char *name = tensors->items[i]->name;
        const size_t length = strlen(name), tail = sizeof leaf - 1;
        if (length > tail && strcmp(name + length - tail, leaf) == 0 &&
            vgg_tensor_list_findf(tensors, "%.*s.weight", (int)(length - tail), name) == NULL) {
            return true;
        }
    }
    return false;
}

static vgg_status resolve_from_tensors(const struct vgg_load *load,
                                       const struct vgg_tensor_list *tensors,
                                       const struct vgg_request *request, struct vgg_spec *out)
{
    vgg_status status = vgg_refuse_unsupported(load, tensors);
    if (status != VGG_OK) {
        return fail_other(load, tensors, status);
    }
    status = vgg_spec_infer(load, tensors, NULL, &request->overrides, out);
    if (status == VGG_OK) {
        out->source = "names and shapes";
        status = out->builtin ? set_builtin_source(load, out) : VGG_OK;
    }
    const bool is_close = status == VGG_OK ? !out->builtin && is_incomplete(tensors)
                                           : status != VGG_ERR_MEMORY && status != VGG_ERR_LIMIT;
    const bool has_modules =
        request->checkpoint != NULL &&
        (vgg_checkpoint_get_module_count(request->checkpoint) > 0 ||
         vgg_checkpoint_get_script(request->checkpoint)->outcome == VGG_SCRIPT_FOLLOWED);
    status = complete_inferred(load, tensors, request, status, out);
    if (is_close && !has_modules && vgg_published_find_closest(load, tensors, out)) {
        take_classes(tensors, out);
        out->inferred = out->builtin = true;
        return set_builtin_source(load, out);
    }
    return status == VGG_OK || status == VGG_ERR_MEMORY ? status
                                                        : fail_other(load, tensors, status);
}

static vgg_status resolve_from_cfg(const struct vgg_load *load,
                                   const struct vgg_tensor_list *tensors,
                                   const struct vgg_request *request, struct vgg_spec *out)
{
    struct vgg_cfg cfg;
    vgg_status status = vgg_cfg_parse(request->cfg, load->limits, load->arena, &cfg, load->err);
    status = status ? status : vgg_spec_infer(load, tensors, &cfg, &request->overrides, out);
    if (status != VGG_OK) {
        return status;
    }
    out->source = "cfg, names and shapes";
    return complete_inferred(load, tensors, request, status, out);
}

/* Completes a description that was read from a file.
 *   source  whose it is: the caller's, or one beside the checkpoint */
static vgg_status complete(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                           const struct vgg_overrides *overrides, enum vgg_evidence_source source,
                           struct vgg_spec *spec)
{
    struct vgg_evidence *size = vgg_evidence_find(&spec->evidence, "input size");
    vgg_note(load, spec, "layers", source, "as described");
    if (size != NULL && size->source == VGG_EVIDENCE_FILE) {
        size->source = source;
    }
    if (spec->preprocess_source == VGG_EVIDENCE_FILE) {
        spec->preprocess_source = source;
    }
    vgg_overrides_apply(overrides, spec);
    vgg_note_overrides(load, overrides, spec);
    struct vgg_tensor_list used;
    vgg_status status =
        vgg_tensor_list_leave_out(load, tensors, spec->unused, spec->unused_count, &used);
    return status ? status : vgg_spec_rename(load, &used, spec);
}

static vgg_status resolve_from_file(const struct vgg_load *load, const char *spec_path,
                                    const struct vgg_tensor_list *tensors,
                                    const struct vgg_overrides *overrides, struct vgg_spec *out)
{
    struct vgg_load load_spec = *load;
    load_spec.path = vgg_arena_copy_string(load->arena, spec_path, strlen(spec_path));
    if (load_spec.path == NULL) {
        return vgg_load_fail_memory(load, strlen(spec_path) + 1, "a path");
    }
    vgg_status status = open_spec(&load_spec, out);
    out->source = load_spec.path;
    return status ? status : complete(load, tensors, overrides, VGG_EVIDENCE_USER, out);
}

/* Reads the description beside the checkpoint; infers one if there is no such file. */
static vgg_status resolve_from_neighbour(const struct vgg_load *load,
                                         const struct vgg_tensor_list *tensors,
                                         const struct vgg_request *request, struct vgg_spec *out)
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
        return complete(load, tensors, &request->overrides, VGG_EVIDENCE_FILE, out);
    }
    if (status == VGG_ERR_IO && (reason.sys_errno == ENOENT || reason.sys_errno == ENOTDIR)) {
        return resolve_from_tensors(load, tensors, request, out);
    }
    if (load->err != NULL) {
        /* The caller did not name this file, so that the message says why it is read. */
        vgg_fail(load->err, status, "%s; it is read because it stands beside %s", reason.message,
                 load->path);
        load->err->hint = VGG_HINT_BESIDE;
        load->err->sys_errno = reason.sys_errno;
        load->err->byte_offset = reason.byte_offset;
    }
    return status;
}

vgg_status vgg_spec_resolve(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                            const struct vgg_request *request, struct vgg_spec *out)
{
    if (request->spec_path != NULL) {
        return resolve_from_file(load, request->spec_path, tensors, &request->overrides, out);
    }
    if (request->cfg != NULL) {
        return resolve_from_cfg(load, tensors, request, out);
    }
    return resolve_from_neighbour(load, tensors, request, out);
}
