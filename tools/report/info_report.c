/* SPDX-License-Identifier: MIT */
/* Results of `vgg-infer info`, as text for people and as JSON. */
#include "report/info_report.h"

#include <string.h>

#include "report/bench_report.h"
#include "report/evidence.h"
#include "io/message.h"
#include "io/plural.h"
#include "report/table.h"

enum { DIGITS = 6, COUNT_DIGITS = 15 };

/* "138,357,544" */
static void format_grouped(uint64_t number, char *out, size_t bytes)
{
    char plain[32];
    const int digits = snprintf(plain, sizeof plain, "%llu", (unsigned long long)number);
    size_t length = 0;
    for (int i = 0; i < digits && length + 2 < bytes; i++) {
        if (i > 0 && (digits - i) % 3 == 0) {
            out[length++] = ',';
        }
        out[length++] = plain[i];
    }
    out[length] = '\0';
}

/* "15.47 G", "86.7 M", "1,290": a count for people; nothing for none. */
static void format_count(double count, char *out, size_t bytes)
{
    if (count >= 1e9) {
        snprintf(out, bytes, "%.2f G", 1e-9 * count);
    } else if (count >= 1e6) {
        snprintf(out, bytes, "%.2f M", 1e-6 * count);
    } else if (count > 0) {
        format_grouped((uint64_t)count, out, bytes);
    } else {
        out[0] = '\0';
    }
}

static void add_node(struct table *table, const struct vgg_node_info *node)
{
    char text[32] = "";
    table_add(table, "%s", node->name);
    table_add(table, "%s", node->type);
    if (node->channels == 0) {
        table_add(table, "%s", "");
    } else if (node->height == 1 && node->width == 1) {
        table_add(table, "%d", node->channels);
    } else {
        table_add(table, "%d × %d × %d", node->channels, node->height, node->width);
    }
    if (node->parameters > 0) {
        format_grouped(node->parameters, text, sizeof text);
    }
    table_add(table, "%s", text);
    format_count(node->multiply_adds, text, sizeof text);
    table_add(table, "%s", text);
    report_add_bytes(table, node->weight_bytes);
}

static struct vgg_node_info sum_nodes(const vgg_model *model)
{
    struct vgg_node_info sum = {.name = "total", .type = ""}, node;
    for (size_t i = 0; i < vgg_model_get_node_count(model); i++) {
        vgg_model_get_node(model, i, &node);
        sum.parameters += node.parameters;
        sum.multiply_adds += node.multiply_adds;
        sum.weight_bytes += node.weight_bytes;
    }
    return sum;
}

static bool write_nodes(const struct info *info, FILE *out)
{
    struct table table = {.columns = "<layer<type>output>parameters>multiply-adds>weights"};
    const struct vgg_node_info sum = sum_nodes(info->model);
    struct vgg_node_info node;
    for (size_t i = 0; i < vgg_model_get_node_count(info->model); i++) {
        vgg_model_get_node(info->model, i, &node);
        add_node(&table, &node);
    }
    add_node(&table, &sum);
    return table_finish(&table, out);
}

/* --- the plan --- */

static void add_step(struct table *table, const struct measure_step *step)
{
    const struct vgg_step_info *info = &step->info;
    char text[32] = "";
    table_add(table, "%s", info->name);
    table_add(table, "%s", info->nodes);
    table_add(table, "%s", info->algorithm);
    report_add_bytes(table, info->weight_bytes);
    report_format_bytes(info->input_bytes, text, sizeof text);
    table_add(table, "%s", text);
    report_format_bytes(info->output_bytes, text, sizeof text);
    table_add(table, "%s", text);
    report_add_bytes(table, info->prepacked_bytes);
    report_add_bytes(table, info->scratch_bytes);
    if (info->predicted_ms > 0) {
        table_add(table, "%.3f", info->predicted_ms);
    } else {
        table_add(table, "%s", "");
    }
    table_add(table, "%.3f", step->ms);
    table_add(table, "%s", info->reason);
}

static bool write_plan(const struct info *info, FILE *out)
{
    const struct measurement *plan = info->plan;
    const struct measure_options *options = info->plan_options;
    const struct measure_total total = measurement_sum(plan);
    struct table table = {
        .columns =
            "<step<nodes<algorithm>weights>input>output>prepacked>scratch>predicted>measured<why"};
    char weights[32], activations[32];
    report_format_bytes(plan->info.weight_bytes, weights, sizeof weights);
    report_format_bytes(plan->info.activation_bytes, activations, sizeof activations);
    fprintf(out,
            "\nPlan for %s, %d thread%s, batch %d, conv %s, %s: %s of prepacked weights, "
            "%s of activations\n",
            vgg_isa_string(plan->info.isa), plan->info.threads,
            plural_s((uint64_t)plan->info.threads), options->batch,
            bench_conv_string(options->conv), bench_plan_string(options), weights, activations);
    for (size_t s = 0; s < plan->step_count; s++) {
        add_step(&table, &plan->steps[s]);
    }
    const bool good = !table.failed;
    if (good) {
        table_write(&table, out);
    }
    table_free(&table);
    fprintf(out,
            "  times in ms, means of the middle quarter of %zu runs; all steps %.3f; those with a "
            "prediction %.3f, predicted %.3f;\n"
            "  prepacking %.3f, %s; session %.2f, first run %.2f, median run %.3f\n",
            plan->run.count, total.ms, total.predicted_steps_ms, total.predicted_ms,
            total.prepack_ms, plan->one_shot ? "in each run" : "once", plan->timing.prepack_ms,
            plan->first_ms, plan->run.p50);
    return good;
}

bool info_write_text(const struct info *info, FILE *out)
{
    const struct report_model *about = info->about;
    char line[512];
    report_describe(about, line, sizeof line);
    message_write_visible(out, line);
    putc('\n', out);
    report_write_description(about, true, out);
    info_write_origin(info, out);
    evidence_write_text(out, about->info.assumed, info->model);
    if (info->tensors) {
        return info_write_tensors(info, out);
    }
    return (info->plan_options != NULL ? write_plan : write_nodes)(info, out);
}

/* --- JSON --- */

static void write_nodes_json(const struct info *info, struct json *json)
{
    const struct vgg_node_info sum = sum_nodes(info->model);
    json_open_array(json, "layers", false);
    for (size_t i = 0; i < vgg_model_get_node_count(info->model); i++) {
        struct vgg_node_info node;
        vgg_model_get_node(info->model, i, &node);
        json_open_object(json, NULL, true);
        json_string(json, "name", node.name);
        json_string(json, "type", node.type);
        json_open_array(json, "output", true);
        json_integer(json, NULL, node.channels);
        if (node.height != 1 || node.width != 1) {
            json_integer(json, NULL, node.height);
            json_integer(json, NULL, node.width);
        }
        json_close_array(json);
        json_integer(json, "parameters", (int64_t)node.parameters);
        json_number(json, "multiply_adds", node.multiply_adds, COUNT_DIGITS);
        json_integer(json, "weight_bytes", (int64_t)node.weight_bytes);
        json_close_object(json);
    }
    json_close_array(json);
    json_integer(json, "parameters", (int64_t)sum.parameters);
    json_number(json, "multiply_adds", sum.multiply_adds, COUNT_DIGITS);
    json_integer(json, "weight_bytes", (int64_t)sum.weight_bytes);
}

static void write_plan_json(const struct info *info, struct json *json)
{
    const struct measurement *plan = info->plan;
    const struct measure_total total = measurement_sum(plan);
    json_open_object(json, "plan", false);
    json_string(json, "isa", vgg_isa_string(plan->info.isa));
    json_integer(json, "threads", plan->info.threads);
    json_integer(json, "batch", info->plan_options->batch);
    json_string(json, "conv", bench_conv_string(info->plan_options->conv));
    json_string(json, "for", bench_plan_string(info->plan_options));
    json_integer(json, "weight_bytes", (int64_t)plan->info.weight_bytes);
    json_integer(json, "activation_bytes", (int64_t)plan->info.activation_bytes);
    json_open_array(json, "steps", false);
    for (size_t s = 0; s < plan->step_count; s++) {
        const struct vgg_step_info *step = &plan->steps[s].info;
        json_open_object(json, NULL, true);
        json_string(json, "name", step->name);
        json_string(json, "nodes", step->nodes);
        json_string(json, "algorithm", step->algorithm);
        json_string(json, "reason", step->reason);
        json_integer(json, "weight_bytes", (int64_t)step->weight_bytes);
        json_integer(json, "input_bytes", (int64_t)step->input_bytes);
        json_integer(json, "output_bytes", (int64_t)step->output_bytes);
        json_integer(json, "prepacked_bytes", (int64_t)step->prepacked_bytes);
        json_integer(json, "scratch_bytes", (int64_t)step->scratch_bytes);
        json_number(json, "predicted_ms", step->predicted_ms, DIGITS);
        json_number(json, "measured_ms", plan->steps[s].ms, DIGITS);
        json_number(json, "prepack_ms", plan->steps[s].prepack_ms, DIGITS);
        json_close_object(json);
    }
    json_close_array(json);
    json_number(json, "predicted_ms", total.predicted_ms, DIGITS);
    json_number(json, "predicted_steps_ms", total.predicted_steps_ms, DIGITS);
    json_number(json, "measured_ms", total.ms, DIGITS);
    json_number(json, "prepack_ms", plan->timing.prepack_ms, DIGITS);
    json_number(json, "first_ms", plan->first_ms, DIGITS);
    json_number(json, "run_ms", plan->run.p50, DIGITS);
    json_close_object(json);
}

void info_write_json(const struct info *info, FILE *out)
{
    struct json json = json_make(out, true);
    json_open_object(&json, NULL, false);
    json_integer(&json, "schema", REPORT_SCHEMA);
    json_string(&json, "version", vgg_version());
    report_write_model_json(&json, info->about);
    json_integer(&json, "width", info->about->info.width);
    json_integer(&json, "height", info->about->info.height);
    info_write_origin_json(info, &json);
    write_nodes_json(info, &json);
    if (info->tensors) {
        info_write_tensors_json(info, &json);
    }
    if (info->plan_options != NULL) {
        write_plan_json(info, &json);
    }
    json_close_object(&json);
}
