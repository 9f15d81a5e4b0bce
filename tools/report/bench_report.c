/* SPDX-License-Identifier: MIT */
/* What bench has measured, as a table for people or as JSON, JSON Lines or CSV for programs. */
#include "report/bench_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/message.h"
#include "io/plural.h"

enum { DIGITS = 6, CSV_DIGITS = 10 };

const char *bench_conv_string(enum vgg_conv_algorithm conv)
{
    static const char *const names[] = {
        [VGG_CONV_AUTO] = "auto", [VGG_CONV_EXACT] = "exact", [VGG_CONV_DIRECT] = "direct",
        [VGG_CONV_F2] = "f2",     [VGG_CONV_F4] = "f4",       [VGG_CONV_F6] = "f6",
    };
    return names[conv];
}

const char *bench_plan_string(const struct measure_options *options)
{
    return options->low_memory ? "low-memory" : options->one_shot ? "one-shot" : "steady";
}

/* Figures that follow from a measurement. */
struct figures {
    double images_per_second;
    double gflops;       /* by the direct count */
    double peak_percent; /* time at the peak, of the median */
};

static struct figures get_figures(const struct measure_options *options,
                                  const struct measurement *measurement)
{
    const struct measure_total total = measurement_sum(measurement);
    const double ms = measurement->run.p50;
    return (struct figures){
        .images_per_second = 1e3 * options->batch / ms,
        .gflops = 2e-6 * total.multiply_adds / ms,
        .peak_percent = 100 * total.roofline_ms / ms,
    };
}

static bool flush(FILE *out)
{
    return fflush(out) == 0 && ferror(out) == 0;
}

static const char *get_precision(const struct bench_about *about)
{
    return about->model->info.weights;
}

/* --- text --- */

static void begin_text(const struct bench_report *report)
{
    const struct bench_about *about = report->about;
    char line[512];
    report_describe(about->model, line, sizeof line);
    message_write_visible(report->out, line);
    fprintf(report->out, "\n  vgg-infer %s (%s), %s, %s\n", vgg_version(), about->machine.commit,
            about->machine.compiler, about->machine.model);
    fputs("  input ", report->out);
    message_write_visible(report->out, about->input);
    fprintf(report->out, " %dx%d, %s; loaded in %.2f ms\n", about->width, about->height,
            get_precision(about), about->load_ms);
}

static void write_peak(const struct vgg_peak *peak, FILE *out)
{
    const double direct = peak->flops_per_second, winograd = peak->winograd_flops_per_second;
    fprintf(out, "%.1f GFLOP/s", 1e-9 * direct);
    if (winograd > 1.05 * direct) { /* they have a unit of their own */
        fprintf(out, " (%.1f in Winograd's products)", 1e-9 * winograd);
    }
    if (peak->bytes_per_second > 0) {
        fprintf(out, ", %.2f GB/s read", 1e-9 * peak->bytes_per_second);
    }
}

/* What stands above a configuration's layers, and is worth a line even without them. */
static void write_notes(const struct bench_report *report, const struct measure_options *options,
                        const struct measurement *measurement)
{
    const struct vgg_peak peak = measurement_get_peak(measurement);
    FILE *out = report->out;
    const bool drifted = measurement_has_drifted(measurement);
    if (!report->style.layers && !drifted) {
        return;
    }
    fprintf(out, "\n%s, %d thread%s, batch %d, conv %s, %s: peak ", vgg_isa_string(options->isa),
            options->threads, plural_s((uint64_t)options->threads), options->batch,
            bench_conv_string(options->conv), bench_plan_string(options));
    write_peak(drifted ? &measurement->begin : &peak, out);
    if (drifted) {
        fputs(" before the runs, ", out);
        write_peak(&measurement->end, out);
        fputs(" after them: the machine has drifted", out);
    }
    putc('\n', out);
}

static void add_text(struct bench_report *report, const struct measure_options *options,
                     const struct measurement *measurement)
{
    const struct figures figures = get_figures(options, measurement);
    const struct stats *run = &measurement->run;
    struct table *table = &report->table;
    char peak[32], private_peak[32];
    report_format_bytes(measurement->timing.peak_bytes, peak, sizeof peak);
    report_format_bytes(measurement->timing.peak_private_bytes, private_peak, sizeof private_peak);
    write_notes(report, options, measurement);
    if (report->style.layers) {
        bench_write_layers(measurement, report->style.order, report->out);
    }
    table_add(table, "%s", vgg_isa_string(options->isa));
    table_add(table, "%d", options->threads);
    table_add(table, "%d", options->batch);
    table_add(table, "%s", bench_conv_string(options->conv));
    table_add(table, "%s", bench_plan_string(options));
    table_add(table, "%zu%s", run->count, measurement->stable || options->runs > 0 ? "" : "?");
    table_add(table, "%.3f", run->p50);
    table_add(table, "%.3f", run->p90);
    table_add(table, "%.3f", run->p99);
    table_add(table, "%.3f", run->min);
    table_add(table, "%.3f ± %.3f", run->mean, run->sd);
    table_add(table, "%.2f", figures.images_per_second);
    table_add(table, "%.1f", figures.gflops);
    table_add(table, "%.0f %%", figures.peak_percent);
    table_add(table, "%.2f", measurement->first_ms);
    table_add(table, "%.2f", measurement->timing.prepack_ms);
    table_add(table, "%s", peak);
    table_add(table, "%s", private_peak);
}

static void end_text(const struct bench_report *report)
{
    putc('\n', report->out);
    table_write(&report->table, report->out);
    fputs("\n  times in ms of a run of the whole batch; GFLOP/s as if every convolution were "
          "direct;\n"
          "  of peak: the roofline time of all layers, at the measured peak FLOP/s and bandwidth, "
          "in\n"
          "  percent of the median; first: the first run; a ? after runs: the median is not known "
          "to 1 %\n",
          report->out);
    if (report->about->model->info.int8) {
        fputs("  operations are those of integers\n", report->out);
    }
}

/* --- JSON --- */

void bench_write_machine_json(const struct machine *machine, struct json *json)
{
    json_string(json, "version", vgg_version());
    json_string(json, "commit", machine->commit);
    json_string(json, "compiler", machine->compiler);
    json_string(json, "machine", machine->model);
    json_string(json, "governor", machine->governor[0] != '\0' ? machine->governor : NULL);
}

static void write_peak_json(struct json *json, const char *key, const struct vgg_peak *peak)
{
    json_open_object(json, key, true);
    json_number(json, "gflops", 1e-9 * peak->flops_per_second, DIGITS);
    if (peak->winograd_flops_per_second > 0) {
        json_number(json, "winograd_gflops", 1e-9 * peak->winograd_flops_per_second, DIGITS);
    } else {
        json_null(json, "winograd_gflops");
    }
    if (peak->bytes_per_second > 0) {
        json_number(json, "read_gb_per_second", 1e-9 * peak->bytes_per_second, DIGITS);
    } else {
        json_null(json, "read_gb_per_second");
    }
    json_close_object(json);
}

static void write_times_json(struct json *json, const struct bench_about *about,
                             const struct measurement *measurement)
{
    const struct stats *run = &measurement->run;
    json_number(json, "load_ms", about->load_ms, DIGITS);
    json_number(json, "prepack_ms", measurement->timing.prepack_ms, DIGITS);
    json_number(json, "first_ms", measurement->first_ms, DIGITS);
    json_integer(json, "runs", (int64_t)run->count);
    json_bool(json, "stable", measurement->stable);
    json_number(json, "median_error", run->median_error, DIGITS);
    json_number(json, "p50_ms", run->p50, DIGITS);
    json_number(json, "p90_ms", run->p90, DIGITS);
    json_number(json, "p99_ms", run->p99, DIGITS);
    json_number(json, "min_ms", run->min, DIGITS);
    json_number(json, "max_ms", run->max, DIGITS);
    json_number(json, "mean_ms", run->mean, DIGITS);
    json_number(json, "sd_ms", run->sd, DIGITS);
}

/* The members of one configuration: a record stands for itself, wherever it is taken to. */
static void write_record(const struct bench_report *report, struct json *json,
                         const struct measure_options *options,
                         const struct measurement *measurement)
{
    const struct bench_about *about = report->about;
    const struct figures figures = get_figures(options, measurement);
    const struct timing *timing = &measurement->timing;
    json_integer(json, "schema", REPORT_SCHEMA);
    json_string(json, "model", about->model->info.name);
    bench_write_machine_json(&about->machine, json);
    json_string(json, "isa", vgg_isa_string(measurement->info.isa));
    json_integer(json, "threads", measurement->info.threads);
    json_integer(json, "batch", options->batch);
    json_string(json, "precision", get_precision(about));
    json_string(json, "conv", bench_conv_string(options->conv));
    json_string(json, "plan", bench_plan_string(options));
    json_string(json, "input", about->input);
    json_integer(json, "width", about->width);
    json_integer(json, "height", about->height);
    write_times_json(json, about, measurement);
    json_number(json, "images_per_second", figures.images_per_second, DIGITS);
    json_number(json, "gflops", figures.gflops, DIGITS);
    json_number(json, "peak_percent", figures.peak_percent, DIGITS);
    write_peak_json(json, "peak_before", &measurement->begin);
    write_peak_json(json, "peak_after", &measurement->end);
    json_bool(json, "drifted", measurement_has_drifted(measurement));
    json_integer(json, "peak_bytes", (int64_t)timing->peak_bytes);
    json_integer(json, "peak_private_bytes", (int64_t)timing->peak_private_bytes);
    json_integer(json, "weight_bytes", (int64_t)measurement->info.weight_bytes);
    json_integer(json, "activation_bytes", (int64_t)measurement->info.activation_bytes);
    bench_write_layers_json(measurement, json);
}

/* --- CSV --- */

#define CONFIGURATION "version,commit,compiler,machine,model,isa,threads,batch,conv,plan"

static void begin_csv(const struct bench_report *report)
{
    fputs(report->style.layers ? CONFIGURATION
              ",layer,nodes,algorithm,ms,multiply_adds,products,weight_bytes,"
              "input_bytes,output_bytes,predicted_ms,roofline_ms,prepack_ms,read_bytes,"
              "input_density\n"
                               : CONFIGURATION
              ",width,height,load_ms,prepack_ms,first_ms,runs,p50_ms,p90_ms,p99_ms,"
              "min_ms,mean_ms,sd_ms,images_per_second,gflops,peak_percent,"
              "peak_bytes,peak_private_bytes\n",
          report->out);
}

static void write_configuration_csv(const struct bench_report *report,
                                    const struct measure_options *options, FILE *out)
{
    const struct bench_about *about = report->about;
    const char *const texts[] = {vgg_version(), about->machine.commit, about->machine.compiler,
                                 about->machine.model, about->model->info.name};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        report_write_csv_text(out, texts[i]);
        putc(',', out);
    }
    fprintf(out, "%s,%d,%d,%s,%s", vgg_isa_string(options->isa), options->threads, options->batch,
            bench_conv_string(options->conv), bench_plan_string(options));
}

static void add_csv(const struct bench_report *report, const struct measure_options *options,
                    const struct measurement *measurement)
{
    const struct figures figures = get_figures(options, measurement);
    const struct stats *run = &measurement->run;
    const double numbers[] = {
        report->about->width,
        report->about->height,
        report->about->load_ms,
        measurement->timing.prepack_ms,
        measurement->first_ms,
        (double)run->count,
        run->p50,
        run->p90,
        run->p99,
        run->min,
        run->mean,
        run->sd,
        figures.images_per_second,
        figures.gflops,
        figures.peak_percent,
        (double)measurement->timing.peak_bytes,
        (double)measurement->timing.peak_private_bytes,
    };
    write_configuration_csv(report, options, report->out);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        report_write_csv_number(report->out, numbers[i], CSV_DIGITS);
    }
    putc('\n', report->out);
}

/* False without memory. */
static bool add_layers_csv(const struct bench_report *report, const struct measure_options *options,
                           const struct measurement *measurement)
{
    char *before = NULL;
    size_t bytes = 0;
    FILE *memory = open_memstream(&before, &bytes);
    bool good = memory != NULL;
    if (good) {
        write_configuration_csv(report, options, memory);
        good = ferror(memory) == 0;
        good = fclose(memory) == 0 && good;
    }
    if (good) {
        bench_write_layers_csv(measurement, before, report->out);
    }
    free(before);
    return good;
}

/* --- all --- */

bool bench_report_begin(struct bench_report *report, struct bench_style style, FILE *out,
                        const struct bench_about *about)
{
    *report = (struct bench_report){
        .out = out,
        .style = style,
        .about = about,
        .json = json_make(out, style.format == FORMAT_JSON),
        .table.columns = "<isa>threads>batch<conv<plan>runs>p50>p90>p99>min>mean ± sd"
                         ">images/s>GFLOP/s>of peak>first>prepack>peak memory>private",
    };
    struct json *json = &report->json;
    switch (report->style.format) {
    case FORMAT_TEXT:
        begin_text(report);
        break;
    case FORMAT_JSON:
        json_open_object(json, NULL, false);
        json_integer(json, "schema", REPORT_SCHEMA);
        report_write_model_json(json, about->model);
        json_open_array(json, "records", false);
        break;
    case FORMAT_JSONL:
        break;
    case FORMAT_CSV:
        begin_csv(report);
        break;
    }
    return flush(out);
}

bool bench_report_add(struct bench_report *report, const struct measure_options *options,
                      const struct measurement *measurement)
{
    switch (report->style.format) {
    case FORMAT_TEXT:
        add_text(report, options, measurement);
        break;
    case FORMAT_JSON:
    case FORMAT_JSONL:
        json_open_object(&report->json, NULL, false);
        write_record(report, &report->json, options, measurement);
        json_close_object(&report->json);
        break;
    case FORMAT_CSV:
        if (report->style.layers && !add_layers_csv(report, options, measurement)) {
            errno = ENOMEM;
            return false;
        }
        if (!report->style.layers) {
            add_csv(report, options, measurement);
        }
        break;
    }
    return flush(report->out);
}

bool bench_report_end(struct bench_report *report)
{
    if (report->style.format == FORMAT_TEXT) {
        if (report->table.failed) {
            errno = ENOMEM;
            return false;
        }
        end_text(report);
    } else if (report->style.format == FORMAT_JSON) {
        json_close_array(&report->json);
        json_close_object(&report->json);
    }
    return flush(report->out);
}

void bench_report_free(struct bench_report *report)
{
    table_free(&report->table);
}
