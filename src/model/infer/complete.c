/* SPDX-License-Identifier: MIT */
/* Completes a description by what lies in and beside the checkpoint. */
#include "model/infer/complete.h"

#include <stdio.h>
#include <string.h>

#include "model/infer/found_labels.h"
#include "model/infer/found_values.h"
#include "model/infer/notes.h"
#include "model/infer/side_config.h"
#include "model/infer/timm_settings.h"
#include "model/infer/usual_size.h"
#include "model/spec/defaults.h"

static vgg_status read_all(const struct vgg_load *load, const struct vgg_request *request,
                           struct vgg_found *found)
{
    const struct vgg_checkpoint *checkpoint = request->checkpoint;
    vgg_status status =
        vgg_found_read_buffers(load, request->constants, request->constant_count, found);
    status = status ? status : vgg_found_read_labels(load, checkpoint, found);
    status = status ? status : vgg_found_read_side_files(load, found);
    return status ? status : vgg_found_read_hyperparameters(load, checkpoint, found);
}

/* ---- the input's size ---- */

/* Files beside a checkpoint must not make it a net of any size. */
enum { MAX_FOUND_SIDE = 1024 };

/* Whether the input's size is known by nothing stronger than a value in or beside the file. */
static bool is_weak(const struct vgg_spec *spec)
{
    const struct vgg_evidence *size = vgg_evidence_find(&spec->evidence, "input size");
    return size != NULL && size->source > VGG_EVIDENCE_FILE;
}

/* Whether the features of an input of this size end as large as the classifier takes them, or are made so by an adaptive
 * pool, which a size that can be no other allows. */
static bool fits(const struct vgg_spec *spec, const struct vgg_found *found)
{
    const struct vgg_pixels end = vgg_spec_feature_size(spec, NULL), size = found->size;
    const bool any = (end.h == 1 && end.w == 1) ||
                     (found->is_input_certain && vgg_spec_count(spec, VGG_LAYER_ADAPTIVE_POOL) > 0);
    return size.h <= MAX_FOUND_SIDE && size.w <= MAX_FOUND_SIDE &&
           vgg_input_reaches(spec, size, any ? 0 : end.h * end.w);
}

static void note_size(const struct vgg_load *load, const struct vgg_found *found,
                      struct vgg_spec *spec)
{
    struct vgg_evidence *known = vgg_evidence_find(&spec->evidence, "input size");
    char value[32];
    if (known != NULL) {
        known->source = VGG_EVIDENCE_CONVENTION;
    }
    snprintf(value, sizeof value, "%dx%d", spec->input.h, spec->input.w);
    vgg_evidence_add(&spec->evidence, load->arena,
                     &(struct vgg_evidence){.property = "input size",
                                            .value = value,
                                            .source = VGG_EVIDENCE_FILE,
                                            .why = found->input});
}

/* Makes images of the size that was found: by the usual steps, or those of the published net in proportion. */
static vgg_status set_size(const struct vgg_load *load, struct vgg_pixels size,
                           struct vgg_spec *spec)
{
    struct vgg_preprocess *preprocess = &spec->preprocess;
    const int64_t before = spec->input.h;
    spec->input = size;
    if (spec->preprocess_source == VGG_EVIDENCE_CONVENTION && spec->preprocess_guess.why == NULL) {
        return vgg_spec_default_preprocess(spec, load->err);
    }
    preprocess->resize = (int)(preprocess->resize * (int64_t)size.h / before);
    preprocess->resize_width = (int)(preprocess->resize_width * (int64_t)size.w / before);
    preprocess->crop = size.h;
    preprocess->crop_width = size.w == size.h ? 0 : size.w;
    strcpy(preprocess->name, "custom");
    return VGG_OK;
}

/* Finds the net that names and shapes allow for the size that was found. A published net is the same for all sizes. */
static vgg_status resolve_sized(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                                const struct vgg_request *request, struct vgg_pixels size,
                                struct vgg_spec *spec)
{
    const struct vgg_load quiet = vgg_load_quietly(load);
    struct vgg_request sized = *request;
    struct vgg_spec other = {0};
    if (spec->builtin) {
        return VGG_OK;
    }
    sized.overrides.height = size.h;
    sized.overrides.width = size.w;
    vgg_status status = vgg_spec_resolve(&quiet, tensors, &sized, &other);
    if (status == VGG_OK) {
        *spec = other;
    }
    return status;
}

/* Uses the size that was found instead of a weaker one, if the net takes it. */
static vgg_status apply_size(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                             const struct vgg_request *request, const struct vgg_found *found,
                             struct vgg_spec *spec)
{
    struct vgg_spec other = *spec;
    if (found->input == NULL || request->overrides.height > 0 || !is_weak(spec)) {
        return VGG_OK;
    }
    if (spec->input.h != found->size.h || spec->input.w != found->size.w) {
        vgg_status status = resolve_sized(load, tensors, request, found->size, &other);
        if (status == VGG_ERR_MEMORY) {
            return vgg_load_fail_memory(load, 1, "the description");
        }
        if (status != VGG_OK || !fits(&other, found)) {
            vgg_log(load->arena->context, VGG_LOG_WARNING,
                    "%s: %s: not used: the net does not take an input of %dx%d", load->path,
                    found->input, found->size.h, found->size.w);
            return VGG_OK;
        }
        *spec = other;
        status = set_size(load, found->size, spec);
        if (status != VGG_OK) {
            return status;
        }
    }
    note_size(load, found, spec);
    return VGG_OK;
}

vgg_status vgg_spec_find(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                         const struct vgg_request *request, struct vgg_spec *out)
{
    struct vgg_found found = {0};
    vgg_status status = vgg_spec_resolve(load, tensors, request, out);
    status = status ? status : read_all(load, request, &found);
    status = status ? status : apply_size(load, tensors, request, &found, out);
    status = status ? status : vgg_timm_apply_settings(load, &found.net, out);
    if (status != VGG_OK) {
        return status;
    }
    if (found.crop != NULL && (out->input.h != found.size.h || out->input.w != found.size.w)) {
        found.crop = found.resize = NULL; /* those of another input */
    }
    return vgg_found_apply(load, &found, out);
}
