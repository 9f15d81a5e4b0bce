/* SPDX-License-Identifier: MIT */
/* What is known of a net and from where, as text and as JSON. */
#include "report/evidence.h"

#include <string.h>

#include "io/message.h"
#include "report/setters.h"

/* The names of the sources in JSON. */
static const char *const source_names[] = {
    [VGG_EVIDENCE_USER] = "user",     [VGG_EVIDENCE_MODULES] = "modules",
    [VGG_EVIDENCE_FILE] = "file",     [VGG_EVIDENCE_PUBLISHED] = "published",
    [VGG_EVIDENCE_SHAPES] = "shapes", [VGG_EVIDENCE_CONVENTION] = "convention",
};

static void write_source(FILE *out, const vgg_model *model, enum vgg_evidence_source source)
{
    const char *separator = ": ";
    bool begun = false;
    for (size_t i = 0; i < vgg_model_get_evidence_count(model); i++) {
        struct vgg_evidence evidence;
        vgg_model_get_evidence(model, i, &evidence);
        if (evidence.source != source) {
            continue;
        }
        if (!begun) {
            fprintf(out, "  from %s", vgg_evidence_source_string(source));
            begun = true;
        }
        fputs(separator, out);
        message_write_visible(out, evidence.property);
        putc(' ', out);
        message_write_visible(out, evidence.value);
        separator = "; ";
    }
    fputs(begun ? "\n" : "", out);
}

/* Whether the line of assumptions shows only the first of a property's alternatives. */
static bool is_cut(const char *assumed, const struct vgg_evidence *evidence)
{
    return evidence->source == VGG_EVIDENCE_CONVENTION && evidence->alternatives != NULL &&
           strstr(assumed, evidence->alternatives) == NULL;
}

bool evidence_is_cut(const char *assumed, const vgg_model *model)
{
    for (size_t i = 0; i < vgg_model_get_evidence_count(model); i++) {
        struct vgg_evidence evidence;
        vgg_model_get_evidence(model, i, &evidence);
        if (is_cut(assumed, &evidence)) {
            return true;
        }
    }
    return false;
}

/* Whether options of the preprocessing set a property. */
static bool is_preprocessing(const char *property)
{
    static const char *const properties[] = {"channels",      "crop",         "input size",
                                             "interpolation", "mean and std", "resize"};
    size_t i = 0;
    while (i < sizeof properties / sizeof properties[0] && strcmp(properties[i], property) != 0) {
        i++;
    }
    return i < sizeof properties / sizeof properties[0];
}

const char *evidence_help(const vgg_model *model)
{
    bool net = false, preprocessing = false;
    for (size_t i = 0; i < vgg_model_get_evidence_count(model); i++) {
        struct vgg_evidence evidence;
        vgg_model_get_evidence(model, i, &evidence);
        const bool assumed = evidence.source == VGG_EVIDENCE_CONVENTION;
        const bool of_image = is_preprocessing(evidence.property);
        net = net || (assumed && !of_image);
        preprocessing = preprocessing || (assumed && of_image);
    }
    return !preprocessing ? "vgg-infer help net"
           : net          ? "vgg-infer help net, vgg-infer help preprocessing"
                          : "vgg-infer help preprocessing";
}

/* Lists the alternatives of each property of which the line of assumptions shows only the first. */
static void write_alternatives(FILE *out, const char *assumed, const vgg_model *model)
{
    for (size_t i = 0; i < vgg_model_get_evidence_count(model); i++) {
        struct vgg_evidence evidence;
        vgg_model_get_evidence(model, i, &evidence);
        if (!is_cut(assumed, &evidence)) {
            continue;
        }
        fputs("  instead of ", out);
        message_write_visible(out, evidence.property);
        putc(' ', out);
        message_write_visible(out, evidence.value);
        fputs(": ", out);
        message_write_visible(out, evidence.alternatives);
        putc('\n', out);
    }
}

void evidence_write_text(FILE *out, const char *assumed, const vgg_model *model)
{
    for (int source = VGG_EVIDENCE_USER; source < VGG_EVIDENCE_CONVENTION; source++) {
        write_source(out, model, (enum vgg_evidence_source)source);
    }
    write_alternatives(out, assumed, model);
    setters_write_text(out, model);
}

static void write_record(struct json *json, const struct vgg_evidence *evidence)
{
    json_open_object(json, NULL, true);
    json_string(json, "property", evidence->property);
    json_string(json, "value", evidence->value);
    json_string(json, "source", source_names[evidence->source]);
    json_string(json, "why", evidence->why);
    json_string(json, "alternatives", evidence->alternatives);
    if (evidence->source == VGG_EVIDENCE_CONVENTION) {
        json_string(json, "set_by", setters_find(evidence->property));
    }
    json_close_object(json);
}

static void write_list(struct json *json, const char *key, const vgg_model *model,
                       enum vgg_evidence_source first)
{
    const size_t count = model != NULL ? vgg_model_get_evidence_count(model) : 0;
    json_open_array(json, key, false);
    for (size_t i = 0; i < count; i++) {
        struct vgg_evidence evidence;
        vgg_model_get_evidence(model, i, &evidence);
        if (evidence.source >= first) {
            write_record(json, &evidence);
        }
    }
    json_close_array(json);
}

void evidence_write_json(struct json *json, const vgg_model *model)
{
    write_list(json, "evidence", model, VGG_EVIDENCE_USER);
    write_list(json, "assumptions", model, VGG_EVIDENCE_CONVENTION);
}
