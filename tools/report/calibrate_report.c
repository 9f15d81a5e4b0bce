/* SPDX-License-Identifier: MIT */
/* What calibration chose and what it costs, as text and JSON. */
#include "report/calibrate_report.h"

#include "io/message.h"
#include "io/plural.h"
#include "report/table.h"

enum { DIGITS = 9 };

void calibrate_write_text(const struct calibrate_report *report, FILE *out)
{
    struct vgg_quantized_totals totals;
    struct table table = {
        .columns = "<layer<output<clipped at>largest>scale>clipped>rounding, dB>so far, dB"};
    vgg_quantizer_get_totals(report->quantizer, &totals);
    for (size_t i = 0; i < vgg_quantizer_get_layer_count(report->quantizer); i++) {
        struct vgg_quantized_layer layer;
        vgg_quantizer_get_layer(report->quantizer, i, &layer);
        table_add(&table, "%s", layer.name);
        table_add(&table, "%s", layer.scale > 0 ? layer.output : "logits");
        if (layer.scale > 0) {
            table_add(&table, "%s", vgg_clip_string(layer.clip));
            table_add(&table, "%.4g", (double)layer.largest);
            table_add(&table, "%.4g", (double)layer.scale);
            table_add(&table, "%.4f %%", 100 * layer.clipped);
            table_add(&table, "%.1f", layer.rounding_snr_db);
        } else {
            for (int cell = 0; cell < 5; cell++) {
                table_add(&table, "%s", "");
            }
        }
        table_add(&table, "%.1f", layer.snr_db);
    }
    table_write(&table, out);
    table_free(&table);
    fprintf(out, "  %d of %zu image%s in ", totals.added, report->found, plural_s(report->found));
    message_write_visible(out, report->folder);
    fprintf(out,
            ": logits %.1f dB above the noise, largest difference %.4g, mean %.4g; the same best "
            "class for %d of %d\n",
            totals.snr_db, totals.max_abs, totals.mean_abs, totals.same_top1, totals.measured);
}

void calibrate_write_json(const struct calibrate_report *report, FILE *out)
{
    struct json json = json_make(out, true);
    struct vgg_quantized_totals totals;
    vgg_quantizer_get_totals(report->quantizer, &totals);
    json_open_object(&json, NULL, false);
    json_integer(&json, "schema", REPORT_SCHEMA);
    json_string(&json, "version", vgg_version());
    report_write_model_json(&json, report->model);
    json_string(&json, "output", report->output);
    json_string(&json, "weights", "int8");
    json_open_object(&json, "calibration", false);
    json_string(&json, "path", report->folder);
    json_integer(&json, "found", (int64_t)report->found);
    json_integer(&json, "images", totals.added);
    json_integer(&json, "failed", (int64_t)report->failed);
    json_open_array(&json, "layers", false);
    for (size_t i = 0; i < vgg_quantizer_get_layer_count(report->quantizer); i++) {
        struct vgg_quantized_layer layer;
        vgg_quantizer_get_layer(report->quantizer, i, &layer);
        json_open_object(&json, NULL, true);
        json_string(&json, "name", layer.name);
        json_string(&json, "output", layer.output);
        if (layer.scale > 0) {
            json_string(&json, "method", vgg_clip_string(layer.clip));
            json_number(&json, "largest", (double)layer.largest, DIGITS);
            json_number(&json, "scale", (double)layer.scale, DIGITS);
            json_number(&json, "clipped", layer.clipped, DIGITS);
            json_number(&json, "rounding_snr_db", layer.rounding_snr_db, DIGITS);
        }
        json_number(&json, "snr_db", layer.snr_db, DIGITS);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_number(&json, "logits_snr_db", totals.snr_db, DIGITS);
    json_number(&json, "max_abs", totals.max_abs, DIGITS);
    json_number(&json, "mean_abs", totals.mean_abs, DIGITS);
    json_integer(&json, "same_top1", totals.same_top1);
    json_close_object(&json);
    json_close_object(&json);
}
