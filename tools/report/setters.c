/* SPDX-License-Identifier: MIT */
/* What sets a property of a net that is assumed: an option, or the layers in a JSON description. Some things can be set by
 * neither, and are named as well. */
#include "report/setters.h"

#include <stdbool.h>
#include <string.h>

#include "io/message.h"

static const char description[] = "description";

static const struct {
    const char *property, *option;
} options[] = {
    {"padding", "--padding"},
    {"eps", "--eps"},
    {"activation", "--activation"},
    {"pool", "--pool"},
    {"places of pools", "--cfg"},
    {"last pool", "--cfg"},
    {"single modules between convolutions", "--cfg"},
    {"input size", "--size"},
    {"resize", "--resize"},
    {"crop", "--crop"},
    {"interpolation", "--interpolation"},
    {"mean and std", "--mean, --std or --no-normalize"},
    {"channels", "--channels"},
    {"scores", "--scores"},
    {"labels", "--labels"},
};
enum { OPTION_COUNT = sizeof options / sizeof options[0] };

static const struct {
    const char *property, *text;
} limits[] = {
    {"padding", "padding by other values than zeros"},
    {"activation", "other activations than --activation has"},
    {"logits", "a scale or a normalisation after the last layer"},
    {"order", "skip connections and branches"},
    {"square convolutions", "ConvTranspose2d"},
};

/* Whether a property is the padding of convolutions that were linear layers, which --padding sets as well. */
static bool is_other_padding(const char *property)
{
    static const char prefix[] = "padding of ";
    return strncmp(property, prefix, sizeof prefix - 1) == 0 &&
           strcmp(property, "padding of 1x1 convolutions") != 0;
}

const char *setters_find(const char *property)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (strcmp(options[i].property, property) == 0) {
            return options[i].option;
        }
    }
    return is_other_padding(property) ? "--padding" : description;
}

static bool is_assumed(const vgg_model *model, size_t i, struct vgg_evidence *out)
{
    vgg_model_get_evidence(model, i, out);
    return out->source == VGG_EVIDENCE_CONVENTION;
}

/* Writes the assumed properties that options set, or those that the description sets, if there are any. */
static void write_settable(FILE *out, const vgg_model *model, bool by_option)
{
    bool begun = false;
    for (size_t i = 0; i < vgg_model_get_evidence_count(model); i++) {
        struct vgg_evidence evidence;
        const bool assumed = is_assumed(model, i, &evidence);
        const char *setter = setters_find(evidence.property);
        if (!assumed || (setter != description) != by_option) {
            continue;
        }
        fputs(begun       ? "; "
              : by_option ? "  set by options: "
                          : "  set by the description (--write-spec, then --spec): ",
              out);
        message_write_visible(out, evidence.property);
        if (by_option) {
            fprintf(out, " (%s)", setter);
        }
        begun = true;
    }
    fputs(begun ? "\n" : "", out);
}

static void write_limits(FILE *out, const vgg_model *model)
{
    bool begun = false;
    for (size_t i = 0; i < vgg_model_get_evidence_count(model); i++) {
        struct vgg_evidence evidence;
        const bool assumed = is_assumed(model, i, &evidence);
        for (size_t l = 0; assumed && l < sizeof limits / sizeof limits[0]; l++) {
            if (strcmp(limits[l].property, evidence.property) == 0) {
                fprintf(out, "%s%s", begun ? "; " : "  cannot be set: ", limits[l].text);
                begun = true;
            }
        }
    }
    fputs(begun ? "\n" : "", out);
}

void setters_write_text(FILE *out, const vgg_model *model)
{
    write_settable(out, model, true);
    write_settable(out, model, false);
    write_limits(out, model);
}
