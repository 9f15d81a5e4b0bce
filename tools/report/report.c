/* SPDX-License-Identifier: MIT */
/* What the formats have in common. */
#include "report/report.h"

#include <string.h>

#include "io/message.h"
#include "io/plural.h"
#include "report/evidence.h"

void report_format_bytes(uint64_t count, char *out, size_t bytes)
{
    const double kib = (double)count / 1024, mib = kib / 1024;
    if (mib >= 9.95) {
        snprintf(out, bytes, "%.0f MB", mib);
    } else if (mib >= 0.95) {
        snprintf(out, bytes, "%.1f MB", mib);
    } else if (kib >= 1) {
        snprintf(out, bytes, "%.0f kB", kib);
    } else {
        snprintf(out, bytes, "%d B", (int)count);
    }
}

void report_add_bytes(struct table *table, uint64_t count)
{
    char text[32] = "";
    if (count > 0) {
        report_format_bytes(count, text, sizeof text);
    }
    table_add(table, "%s", text);
}

void report_describe(const struct report_model *model, char *out, size_t bytes)
{
    char size[32];
    report_format_bytes(model->file_bytes, size, sizeof size);
    const bool plain = model->info.int8 || strcmp(model->info.weights, "float32") == 0;
    snprintf(out, bytes, "%s (%d conv + %d linear%s%s%s%s%s), %d class%s, %s checkpoint, %s",
             model->info.name, model->info.conv_count, model->info.linear_count,
             !model->info.batch_norm ? ""
             : model->folded         ? ", BatchNorm folded"
                                     : ", BatchNorm not folded",
             model->info.dense ? ", dense" : "",
             model->info.int8 ? ", int8 weights and activations"
             : plain          ? ""
                              : ", ",
             plain ? "" : model->info.weights, plain ? "" : " weights", model->info.class_count,
             model->info.class_count == 1 ? "" : "es", model->container, size);
}

static bool has_text(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* "  found in state_dict, names less module.": nothing for a plain state dict. */
static void write_place(const struct report_model *model, FILE *out)
{
    const bool class_name = has_text(model->class_name), key = has_text(model->key),
               prefix = has_text(model->prefix);
    if (!class_name && !key && !prefix) {
        return;
    }
    fputs("  found ", out);
    if (class_name) {
        fputs("in a module of class ", out);
        message_write_visible(out, model->class_name);
    }
    if (key) {
        fputs(class_name ? " at " : "in ", out);
        message_write_visible(out, model->key);
    }
    if (prefix) {
        fputs(class_name || key ? ", names less " : "with names less ", out);
        message_write_visible(out, model->prefix);
    }
    putc('\n', out);
}

/* A side, or a height and width; "no crop" if there is none. */
static void write_size(const char *name, int height, int width, FILE *out)
{
    if (height == 0) {
        fprintf(out, "no %s", name);
        return;
    }
    fprintf(out, "%s %d", name, height);
    if (width > 0) {
        fprintf(out, "x%d", width);
    }
}

/* Whether nothing is done to pixels but scaling. */
static bool is_plain(const struct vgg_preprocess *preprocess)
{
    bool plain = !preprocess->unscaled;
    for (int i = 0; i < 3; i++) {
        plain = plain && preprocess->mean[i] == 0 && preprocess->std[i] == 1;
    }
    return plain;
}

/* ", preprocessing imagenet (resize 256, crop 224)" and what differs from the usual. */
static void write_preprocess(const struct vgg_preprocess *preprocess, FILE *out)
{
    fprintf(out, ", preprocessing %s (", preprocess->name);
    write_size("resize", preprocess->resize, preprocess->resize_width, out);
    fputs(", ", out);
    write_size("crop", preprocess->crop, preprocess->crop_width, out);
    if (preprocess->interpolation != VGG_INTERPOLATION_BILINEAR) {
        fprintf(out, ", %s", vgg_interpolation_string(preprocess->interpolation));
    }
    fputs(preprocess->gray || preprocess->channels == 1 ? ", gray" : "", out);
    fputs(preprocess->bgr ? ", BGR" : "", out);
    fputs(preprocess->unscaled ? ", 0..255" : "", out);
    fputs(is_plain(preprocess) ? ", not normalized)" : ")", out);
}

void report_write_description(const struct report_model *model, bool input, FILE *out)
{
    const struct vgg_preprocess *preprocess = model->preprocess;
    write_place(model, out);
    fputs("  described by ", out);
    message_write_visible(out, model->info.spec_source);
    write_preprocess(preprocess, out);
    if (model->scores != NULL) {
        fprintf(out, ", scores: %s", model->scores);
    }
    if (input) {
        fprintf(out, ", input %dx%d", model->info.height, model->info.width);
    }
    if (model->verified.sha256) {
        fputs(", SHA-256 verified", out);
    }
    if (model->verified.crc_checked > 0) {
        fprintf(out, ", CRC-32 of %u member%s verified", model->verified.crc_checked,
                plural_s(model->verified.crc_checked));
    }
    putc('\n', out);
    if (model->info.assumed[0] != '\0') {
        fputs("  assumed: ", out);
        message_write_visible(out, model->info.assumed);
        fprintf(out, " (see %s%s)\n",
                evidence_is_cut(model->info.assumed, model->model) ? "vgg-infer info, " : "",
                evidence_help(model->model));
    }
}

/* Times for people, on standard error in one piece. */
static void print_times(const struct report_totals *totals, const struct timing *timing)
{
    char peak[32], private_peak[32], plan[96] = "";
    const int images = timing->images > 0 ? timing->images : 1;
    const char *each = timing->images > 1 ? " per image" : "";
    report_format_bytes(timing->peak_bytes, peak, sizeof peak);
    report_format_bytes(timing->peak_private_bytes, private_peak, sizeof private_peak);
    if (totals->threads > 0) {
        snprintf(plan, sizeof plan, "plan              %9s, %s, %d thread%s\n", totals->plan,
                 totals->isa, totals->threads, plural_s((uint64_t)totals->threads));
    }
    message_print_raw("load              %9.2f ms\n"
                      "prepack           %9.2f ms\n"
                      "%s"
                      "decode+preprocess %9.2f ms%s\n"
                      "infer             %9.2f ms%s\n"
                      "peak memory       %9s resident, %s of it private\n",
                      timing->load_ms, timing->prepack_ms, plan, timing->decode_ms / images, each,
                      timing->infer_ms / images, each, peak, private_peak);
}

static bool flush(FILE *out)
{
    return fflush(out) == 0 && ferror(out) == 0;
}

bool report_begin(struct report *report, enum output_format format, FILE *out, bool time,
                  const struct report_model *model)
{
    static const struct report_format *const formats[] = {
        [FORMAT_TEXT] = &report_text,
        [FORMAT_JSON] = &report_json,
        [FORMAT_JSONL] = &report_jsonl,
        [FORMAT_CSV] = &report_csv,
    };
    *report = (struct report){
        .format = formats[format],
        .out = out,
        .json = json_make(out, format == FORMAT_JSON),
        .model = model,
        .time = time,
    };
    if (report->format->begin != NULL) {
        report->format->begin(report);
    }
    return flush(out);
}

bool report_write_image(struct report *report, const struct report_image *image)
{
    report->format->image(report, image);
    return flush(report->out);
}

bool report_end(struct report *report, const struct report_totals *totals,
                const struct timing *timing)
{
    if (report->format->end != NULL) {
        report->format->end(report, totals, timing);
    }
    if (report->time && !report->format->own_time) {
        print_times(totals, timing);
    }
    return flush(report->out);
}
