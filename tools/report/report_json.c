/* SPDX-License-Identifier: MIT */
/* JSON: one document, or with JSON Lines one object for each image. */
#include "report/evidence.h"
#include "report/report.h"

enum { FLOAT_DIGITS = 9, TIME_DIGITS = 6 };

static void write_triple(struct json *json, const char *key, const float values[3])
{
    json_open_array(json, key, true);
    for (int i = 0; i < 3; i++) {
        json_number(json, NULL, (double)values[i], FLOAT_DIGITS);
    }
    json_close_array(json);
}

void report_write_model_json(struct json *json, const struct report_model *model)
{
    json_open_object(json, "model", false);
    json_string(json, "path", model->path);
    json_string(json, "name", model->info.name);
    json_integer(json, "conv", model->info.conv_count);
    json_integer(json, "linear", model->info.linear_count);
    json_bool(json, "batch_norm", model->info.batch_norm);
    json_bool(json, "dense", model->info.dense);
    json_bool(json, "int8", model->info.int8);
    json_string(json, "weights", model->info.weights);
    json_integer(json, "classes", model->info.class_count);
    json_string(json, "described_by", model->info.spec_source);
    json_string(json, "assumed", model->info.assumed);
    evidence_write_json(json, model->model);
    json_string(json, "container", model->container);
    json_string(json, "key", model->key);
    json_string(json, "prefix", model->prefix);
    json_string(json, "class", model->class_name);
    json_integer(json, "bytes", (int64_t)model->file_bytes);
    json_bool(json, "verified", model->verified.sha256);
    json_integer(json, "crc_checked", model->verified.crc_checked);
    json_integer(json, "crc_missing", model->verified.crc_missing);
    json_close_object(json);
    json_open_object(json, "preprocess", false);
    json_string(json, "name", model->preprocess->name);
    json_integer(json, "resize", model->preprocess->resize);
    json_integer(json, "crop", model->preprocess->crop);
    if (model->preprocess->crop_width > 0) {
        json_integer(json, "crop_width", model->preprocess->crop_width);
    }
    if (model->preprocess->resize_width > 0) {
        json_integer(json, "resize_width", model->preprocess->resize_width);
    }
    json_string(json, "interpolation", vgg_interpolation_string(model->preprocess->interpolation));
    json_integer(json, "channels", model->info.channels);
    json_bool(json, "gray", model->preprocess->gray != 0 || model->info.channels == 1);
    write_triple(json, "mean", model->preprocess->mean);
    write_triple(json, "std", model->preprocess->std);
    json_bool(json, "bgr", model->preprocess->bgr != 0);
    json_bool(json, "unscaled", model->preprocess->unscaled != 0);
    json_close_object(json);
}

static void write_classes(struct json *json, const struct report_image *image)
{
    json_open_array(json, "top", false);
    for (int i = 0; i < image->class_count; i++) {
        const struct report_class *row = &image->classes[i];
        json_open_object(json, NULL, true);
        json_integer(json, "index", row->ranked.index);
        json_string(json, "label", row->label);
        json_number(json, "probability", row->ranked.probability, FLOAT_DIGITS);
        json_number(json, "logit", (double)row->ranked.logit, FLOAT_DIGITS);
        json_close_object(json);
    }
    json_close_array(json);
}

/* The members of one image's object. */
static void write_members(struct report *report, const struct report_image *image)
{
    struct json *json = &report->json;
    json_string(json, "image", image->path);
    if (image->error != NULL) {
        json_open_object(json, "error", true);
        json_string(json, "code", vgg_status_string(image->error->code));
        json_string(json, "message", image->error->message);
        json_close_object(json);
        return;
    }
    json_integer(json, "width", image->width);
    json_integer(json, "height", image->height);
    write_classes(json, image);
    if (report->time) {
        json_open_object(json, "time", true);
        json_number(json, "decode_preprocess_ms", image->decode_ms, TIME_DIGITS);
        json_number(json, "infer_ms", image->infer_ms, TIME_DIGITS);
        json_close_object(json);
    }
}

static void begin(struct report *report)
{
    struct json *json = &report->json;
    json_open_object(json, NULL, false);
    json_integer(json, "schema", REPORT_SCHEMA);
    json_string(json, "version", vgg_version());
    report_write_model_json(json, report->model);
    json_string(json, "scores", report->model->scores);
    json_open_array(json, "results", false);
}

static void write_image(struct report *report, const struct report_image *image)
{
    json_open_object(&report->json, NULL, false);
    write_members(report, image);
    json_close_object(&report->json);
}

static void end(struct report *report, const struct report_totals *totals,
                const struct timing *timing)
{
    struct json *json = &report->json;
    json_close_array(json);
    json_integer(json, "images", totals->images);
    json_integer(json, "failed", totals->failed);
    if (totals->threads > 0) {
        json_string(json, "isa", totals->isa);
        json_integer(json, "threads", totals->threads);
        json_string(json, "plan", totals->plan);
    }
    if (report->time) {
        json_open_object(json, "time", false);
        json_number(json, "load_ms", timing->load_ms, TIME_DIGITS);
        json_number(json, "prepack_ms", timing->prepack_ms, TIME_DIGITS);
        json_number(json, "decode_preprocess_ms", timing->decode_ms, TIME_DIGITS);
        json_number(json, "infer_ms", timing->infer_ms, TIME_DIGITS);
        json_integer(json, "peak_bytes", (int64_t)timing->peak_bytes);
        json_integer(json, "peak_private_bytes", (int64_t)timing->peak_private_bytes);
        json_close_object(json);
    }
    json_close_object(json);
}

static void write_line(struct report *report, const struct report_image *image)
{
    struct json *json = &report->json;
    json_open_object(json, NULL, false);
    json_integer(json, "schema", REPORT_SCHEMA);
    json_string(json, "model", report->model->info.name);
    json_string(json, "scores", report->model->scores);
    write_members(report, image);
    json_close_object(json);
}

const struct report_format report_json = {
    .begin = begin, .image = write_image, .end = end, .own_time = true};
const struct report_format report_jsonl = {.image = write_line};
