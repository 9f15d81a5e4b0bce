/* SPDX-License-Identifier: MIT */
/* Records where each property of the preprocessing comes from. */
#include "model/note_preprocess.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/apply_preprocess.h"

/* Whose a property is. */
struct origin {
    /* An option gives it. */
    bool given;
    /* Where it was found; NULL: it was not. */
    const char *found;
    /* Of an assumption, NULL if there are none: the reason, and what fits as well. */
    const char *why, *alternatives;
};

/* Completes a record from the origin of its property, or the description's assumption of it. */
static void set_source(const vgg_model *model, struct origin origin, struct vgg_evidence *evidence)
{
    const struct vgg_evidence *known = vgg_evidence_find(&model->spec.evidence, evidence->property);
    if (origin.given) {
        evidence->source = VGG_EVIDENCE_USER;
    } else if (origin.found != NULL) {
        evidence->source = VGG_EVIDENCE_FILE;
        evidence->why = origin.found;
    } else if (known != NULL && known->source == VGG_EVIDENCE_CONVENTION) {
        evidence->source = VGG_EVIDENCE_CONVENTION;
        evidence->why = known->why;
        evidence->alternatives = known->alternatives;
    } else {
        evidence->source = model->spec.preprocess_source;
        evidence->why = origin.why;
        evidence->alternatives = origin.alternatives;
    }
}

/* Adds a record. */
__attribute__((format(printf, 4, 5))) static void
note(vgg_model *model, const char *property, struct origin origin, const char *format, ...)
{
    char value[160];
    struct vgg_evidence evidence = {.property = property, .value = value};
    va_list args;
    va_start(args, format);
    vsnprintf(value, sizeof value, format, args);
    va_end(args);
    set_source(model, origin, &evidence);
    vgg_evidence_add(&model->spec.evidence, &model->arena, &evidence);
}

static void note_size(vgg_model *model, bool given)
{
    const struct vgg_evidence *known = vgg_evidence_find(&model->spec.evidence, "input size");
    char value[32];
    if (known != NULL && !given) {
        return;
    }
    snprintf(value, sizeof value, "%dx%d", model->height, model->width);
    vgg_evidence_add(
        &model->spec.evidence, &model->arena,
        &(struct vgg_evidence){.property = "input size",
                               .value = value,
                               .source = given ? VGG_EVIDENCE_USER : VGG_EVIDENCE_FILE});
}

static void note_resize(vgg_model *model, struct origin origin)
{
    const struct vgg_preprocess *p = &model->spec.preprocess;
    if (p->resize == 0) {
        note(model, "resize", origin, "none");
    } else if (p->resize_width > 0) {
        note(model, "resize", origin, "%dx%d, whatever the aspect", p->resize, p->resize_width);
    } else {
        note(model, "resize", origin, "%d, aspect kept", p->resize);
    }
}

static void note_crop(vgg_model *model, struct origin origin)
{
    const struct vgg_preprocess *p = &model->spec.preprocess;
    if (p->crop == 0) {
        note(model, "crop", origin, "none");
    } else {
        note(model, "crop", origin, "%dx%d", p->crop, p->crop_width > 0 ? p->crop_width : p->crop);
    }
}

/* Whose mean and std these are, if they are known ones. */
static const char *name_normalisation(const struct vgg_preprocess *preprocess)
{
    static const struct {
        const char *preset, *text;
    } known[] = {{"imagenet", "ImageNet's"},
                 {"cifar", "0.5"},
                 {"caffe", "Caffe's"},
                 {"vgg-face", "VGG-Face's"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct vgg_preprocess preset;
        if (vgg_preprocess_find(known[i].preset, &preset, NULL) == VGG_OK &&
            memcmp(preset.mean, preprocess->mean, sizeof preset.mean) == 0 &&
            memcmp(preset.std, preprocess->std, sizeof preset.std) == 0 &&
            preset.unscaled == preprocess->unscaled) {
            return known[i].text;
        }
    }
    return NULL;
}

static void note_normalisation(vgg_model *model, struct origin origin)
{
    const struct vgg_preprocess *p = &model->spec.preprocess;
    const char *name = name_normalisation(p);
    const float *m = p->mean, *s = p->std;
    const bool none = m[0] == 0 && m[1] == 0 && m[2] == 0 && s[0] == 1 && s[1] == 1 && s[2] == 1;
    if (name != NULL || none) {
        note(model, "mean and std", origin, "%s", none ? "none" : name);
    } else {
        note(model, "mean and std", origin, "%.4g,%.4g,%.4g and %.4g,%.4g,%.4g", (double)m[0],
             (double)m[1], (double)m[2], (double)s[0], (double)s[1], (double)s[2]);
    }
}

static void note_channels(vgg_model *model, struct origin origin)
{
    const struct vgg_preprocess *p = &model->spec.preprocess;
    const char *order = p->gray || model->spec.channels == 1 ? "gray" : p->bgr ? "BGR" : "RGB";
    note(model, "channels", origin, "%s of 0 to %d", order, p->unscaled ? 255 : 1);
}

void vgg_model_note_preprocess(vgg_model *model, const struct vgg_model_options *options)
{
    const bool preset = options->preset != NULL && strcmp(options->preset, "auto") != 0;
    const bool size = preset || vgg_preprocess_gives_size(options);
    const char *interpolation = vgg_interpolation_string(model->spec.preprocess.interpolation);
    if (options->scores != NULL) {
        note(model, "scores", (struct origin){.given = true}, "%s", options->scores);
    }
    note_size(model, size);
    const struct vgg_preprocess_origin *found = &model->spec.preprocess_origin;
    const struct vgg_preprocess_guess *guess = &model->spec.preprocess_guess;
    note_resize(model,
                (struct origin){.given = preset || options->resize != 0, .found = found->resize});
    note_crop(model, (struct origin){.given = size, .found = found->crop});
    note(model, "interpolation",
         (struct origin){.given = preset || options->interpolation != NULL,
                         .found = found->interpolation},
         "%s", interpolation);
    note_normalisation(model,
                       (struct origin){.given = preset || vgg_preprocess_gives_values(options),
                                       .found = found->values,
                                       .why = guess->why,
                                       .alternatives = guess->values});
    note_channels(model, (struct origin){.given = preset || options->channels != NULL,
                                         .why = guess->why,
                                         .alternatives = guess->channels});
}
