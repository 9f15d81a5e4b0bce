/* What `vgg-infer bench` measures and how it is reported: bench.c measures, bench_report.c writes. */
#ifndef TOOLS_BENCH_H
#define TOOLS_BENCH_H

#include "cli.h"
#include "json.h"
#include "machine.h"
#include "measure.h"
#include "report.h"
#include "table.h"

/* Raised when a field of the records changes its meaning or goes. */
enum { BENCH_SCHEMA = 1 };

/* What all configurations have in common. Borrowed until bench_report_free. */
struct bench_about {
    const struct report_model *model;
    struct machine machine;
    const char *input; /* the picture's path, or "random" */
    int height, width; /* of the input */
    double load_ms;
};

struct bench_report {
    FILE *out;
    enum cli_format format;
    bool layers;
    enum cli_sort sort;
    const struct bench_about *about;
    struct json json;
    struct table table; /* text: a row for each configuration */
};

/* Each returns false when the output could not be written, with the reason in errno. */
bool bench_report_begin(struct bench_report *report, const struct cli_options *options, FILE *out,
                        const struct bench_about *about);
bool bench_report_add(struct bench_report *report, const struct measure_options *options,
                      const struct measurement *measurement);
bool bench_report_end(struct bench_report *report);
void bench_report_free(struct bench_report *report);

/* The names that --conv and --plan-for take. */
const char *bench_conv_string(enum vgg_conv_algorithm conv);
const char *bench_plan_string(const struct measure_options *options);

/* The table of steps with its total. */
void bench_write_layers(const struct measurement *measurement, enum cli_sort sort, FILE *out);
/* The same as the members "layers" and "layers_ms". */
void bench_write_layers_json(const struct measurement *measurement, struct json *json);
/* One CSV line a step, behind fields that are already a text with a comma at its end. */
void bench_write_layers_csv(const struct measurement *measurement, const char *before, FILE *out);

/* The members that name machine, program and compiler. */
void bench_write_machine_json(const struct machine *machine, struct json *json);

#endif
