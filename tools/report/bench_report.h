/* SPDX-License-Identifier: MIT */
/* What `vgg-infer bench` measures and how it is reported: bench.c measures, bench_report.c writes. */
#ifndef TOOLS_REPORT_BENCH_REPORT_H
#define TOOLS_REPORT_BENCH_REPORT_H

#include "io/json.h"
#include "timing/machine.h"
#include "timing/measure.h"
#include "report/report.h"
#include "report/table.h"

/* The values of --sort: layers in the order of the net, or the slowest first. */
enum bench_order { BENCH_ORDER_NET, BENCH_ORDER_TIME };

/* What to write. */
struct bench_style {
    enum output_format format;
    enum bench_order order;
    bool layers; /* a row for each layer of each configuration */
};

/* What all configurations have in common. Borrowed until bench_report_free. */
struct bench_about {
    const struct report_model *model;
    struct machine machine;
    const char *input; /* the image's path, or "random" */
    int height, width; /* of the input */
    double load_ms;
};

struct bench_report {
    FILE *out;
    struct bench_style style;
    const struct bench_about *about;
    struct json json;
    struct table table; /* text: a row for each configuration */
};

/* Each returns false when the output could not be written, with the reason in errno. */
bool bench_report_begin(struct bench_report *report, struct bench_style style, FILE *out,
                        const struct bench_about *about);
bool bench_report_add(struct bench_report *report, const struct measure_options *options,
                      const struct measurement *measurement);
bool bench_report_end(struct bench_report *report);
void bench_report_free(struct bench_report *report);

/* The names that --conv and --plan-for take. */
const char *bench_conv_string(enum vgg_conv_algorithm conv);
const char *bench_plan_string(const struct measure_options *options);

/* The table of steps with its total. */
void bench_write_layers(const struct measurement *measurement, enum bench_order order, FILE *out);
/* The same as the members "layers" and "layers_ms". */
void bench_write_layers_json(const struct measurement *measurement, struct json *json);
/* One CSV line a step, behind fields that are already a text with a comma at its end. */
void bench_write_layers_csv(const struct measurement *measurement, const char *before, FILE *out);

/* The members that name machine, program and compiler. */
void bench_write_machine_json(const struct machine *machine, struct json *json);

#endif
