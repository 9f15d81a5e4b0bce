/* SPDX-License-Identifier: MIT */
/* What a checkpoint and the files beside it say of class names and preprocessing. */
#include "model/infer/found.h"

#include <string.h>

#include "model/infer/notes.h"
#include "model/spec/read_preprocess.h"

/* ---- mean and std ---- */

/* Copies one number for all channels, or three. False: a number is out of range. */
static bool copy(const float *values, size_t count, double min, float out[3])
{
    for (size_t i = 0; i < 3; i++) {
        out[i] = values[count == 3 ? i : 0];
        if (!((double)out[i] >= min && (double)out[i] <= VGG_MAX_MEAN)) {
            return false;
        }
    }
    return true;
}

/* Mean and std of pixels from 0 to 1 are at most 1; those of 0 to 255 are not. */
static bool is_unscaled(const float mean[3], const float std[3])
{
    bool large = false;
    for (size_t i = 0; i < 3; i++) {
        large = large || mean[i] > 2 || mean[i] < -2 || std[i] > 2;
    }
    return large;
}

vgg_status vgg_found_add_values(const struct vgg_load *load, const struct vgg_found_pair *pair,
                                struct vgg_found *found)
{
    const char *where = pair->where;
    if (found->values != NULL) {
        return VGG_OK;
    }
    if (!copy(pair->mean, pair->mean_count, -VGG_MAX_MEAN, found->mean) ||
        !copy(pair->std, pair->std_count, VGG_MIN_STD, found->std)) {
        vgg_log(load->arena->context, VGG_LOG_WARNING,
                "%s: %s: not used: expected means from %g to %g and positive standard deviations",
                load->path, where, -VGG_MAX_MEAN, VGG_MAX_MEAN);
        return VGG_OK;
    }
    found->unscaled = is_unscaled(found->mean, found->std);
    found->values = vgg_arena_copy_string(load->arena, where, strlen(where));
    return found->values != NULL ? VGG_OK : vgg_load_fail_memory(load, strlen(where), "a name");
}

static void apply_preprocess(const struct vgg_found *found, struct vgg_spec *spec)
{
    struct vgg_preprocess *preprocess = &spec->preprocess;
    struct vgg_preprocess_origin *origin = &spec->preprocess_origin;
    if (found->values != NULL) {
        memcpy(preprocess->mean, found->mean, sizeof found->mean);
        memcpy(preprocess->std, found->std, sizeof found->std);
        preprocess->unscaled = found->unscaled;
        origin->values = found->values;
    }
    if (found->resize != NULL) {
        preprocess->resize = found->steps.resize;
        preprocess->resize_width = found->steps.resize_width;
        origin->resize = found->is_resize_default ? NULL : found->resize;
    }
    if (found->crop != NULL) {
        preprocess->crop = found->steps.crop;
        preprocess->crop_width = found->steps.crop_width;
        origin->crop = found->crop;
    }
    if (found->interpolation != NULL) {
        preprocess->interpolation = found->steps.interpolation;
        origin->interpolation = found->interpolation;
    }
    if (found->values != NULL || found->resize != NULL || found->crop != NULL ||
        found->interpolation != NULL) {
        strcpy(preprocess->name, "custom");
    }
}

/* ---- class names ---- */

void vgg_found_add_labels(struct vgg_found *found, const struct vgg_found_labels *labels)
{
    if (found->label_count < VGG_FOUND_LABELS_MAX) {
        found->labels[found->label_count++] = *labels;
    }
}

/* Whether all names are ImageNet's folders: n and eight digits. */
static bool are_folders(const struct vgg_labels *labels)
{
    for (size_t i = 0; i < labels->count; i++) {
        const char *name = labels->names[i];
        if (name[0] != 'n' || strlen(name) != 9 || strspn(name + 1, "0123456789") != 8) {
            return false;
        }
    }
    return labels->count == 1000;
}

static bool are_same(const struct vgg_labels *a, const struct vgg_labels *b)
{
    for (size_t i = 0; i < a->count && a->count == b->count; i++) {
        if (strcmp(a->names[i], b->names[i]) != 0) {
            return false;
        }
    }
    return a->count == b->count;
}

static void report_unused(const struct vgg_load *load, const struct vgg_found_labels *labels,
                          int classes)
{
    if (labels->problem != NULL) {
        vgg_log(load->arena->context, VGG_LOG_WARNING, "%s: %s: class names not used: %s",
                load->path, labels->where, labels->problem);
    } else {
        vgg_log(load->arena->context, VGG_LOG_WARNING,
                "%s: %s: class names not used: expected names of %d classes, found %zu", load->path,
                labels->where, classes, labels->labels.count);
    }
}

static void apply_labels(const struct vgg_load *load, const struct vgg_found *found,
                         struct vgg_spec *spec)
{
    const int classes = vgg_spec_get_classes(spec);
    const struct vgg_found_labels *taken = NULL, *unused = NULL;
    for (size_t i = 0; i < found->label_count; i++) {
        const struct vgg_found_labels *labels = &found->labels[i];
        const size_t count = labels->labels.count;
        const bool fits =
            labels->problem == NULL && (count == (size_t)classes || (count == 2 && classes == 1));
        if (!fits) {
            unused = unused == NULL && labels->is_telling ? labels : unused;
        } else if (taken == NULL) {
            taken = labels;
        } else if (!are_same(&taken->labels, &labels->labels)) {
            vgg_log(load->arena->context, VGG_LOG_WARNING,
                    "%s: class names: %s and %s differ; those of %s are used", load->path,
                    taken->where, labels->where, taken->where);
        }
    }
    if (taken == NULL && unused != NULL) {
        report_unused(load, unused, classes);
    }
    if (taken != NULL && !are_folders(&taken->labels)) {
        spec->labels = taken->labels;
        vgg_note(load, spec, "labels", VGG_EVIDENCE_FILE, "%s", taken->where);
    }
}

vgg_status vgg_found_apply(const struct vgg_load *load, const struct vgg_found *found,
                           struct vgg_spec *spec)
{
    if (spec->inferred || spec->labels.count == 0) {
        apply_labels(load, found, spec);
    }
    if (spec->preprocess_source > VGG_EVIDENCE_FILE) {
        apply_preprocess(found, spec);
    }
    return spec->evidence.failed ? vgg_load_fail_memory(load, 1, "the evidence") : VGG_OK;
}
