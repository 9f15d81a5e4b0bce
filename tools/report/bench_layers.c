/* SPDX-License-Identifier: MIT */
/* Times of each step, for `vgg-infer bench`. */
#include "report/bench_report.h"

#include <stdlib.h>
#include <string.h>

enum { DIGITS = 6, CSV_DIGITS = 15 };

static int compare_times(const void *a, const void *b)
{
    const struct measure_step *const *x = a, *const *y = b;
    return ((*x)->ms < (*y)->ms) - ((*x)->ms > (*y)->ms);
}

/* The steps in the order to show; to be freed. NULL without memory. */
static const struct measure_step **order_steps(const struct measurement *measurement,
                                               enum bench_order order)
{
    const struct measure_step **steps = calloc(measurement->step_count, sizeof *steps);
    for (size_t s = 0; steps != NULL && s < measurement->step_count; s++) {
        steps[s] = &measurement->steps[s];
    }
    if (steps != NULL && order == BENCH_ORDER_TIME) {
        qsort(steps, measurement->step_count, sizeof *steps, compare_times);
    }
    return steps;
}

/* A cell that is empty where the figure has no meaning. */
static void add_if(struct table *table, bool has, const char *format, double value)
{
    char text[32] = "";
    if (has) {
        snprintf(text, sizeof text, format, value);
    }
    table_add(table, "%s", text);
}

/* The cells from "prepack" to "x peak", of a step or of the total. */
static void add_figures(struct table *table, const struct measure_total *sum, double whole_ms)
{
    const bool has_products = sum->products > 0;
    add_if(table, sum->prepack_ms > 0, "%.3f", sum->prepack_ms);
    table_add(table, "%.3f", sum->ms);
    table_add(table, "%.1f %%", 100 * sum->ms / whole_ms);
    add_if(table, has_products, "%.1f", 2e-6 * sum->multiply_adds / sum->ms);
    add_if(table, has_products, "%.1f", 2e-6 * sum->products / sum->ms);
    add_if(table, has_products, "%.0f %%", 100 * sum->product_ms / sum->ms);
    add_if(table, has_products, "%.2f", sum->ms / sum->product_ms);
}

static void add_step(struct table *table, const struct measure_step *step,
                     const struct vgg_peak *peak, double whole_ms)
{
    const struct vgg_step_info *info = &step->info;
    const uint64_t activations = info->input_bytes + info->output_bytes;
    /* Only this algorithm counts the inputs that are zero. */
    const bool counted = strncmp(info->algorithm, "column-major", 12) == 0;
    const struct measure_total figures = {
        .prepack_ms = step->prepack_ms,
        .ms = step->ms,
        .multiply_adds = info->multiply_adds,
        .products = info->products,
        .product_ms = measure_get_product_ms(info, peak),
    };
    table_add(table, "%s", info->name);
    table_add(table, "%s", info->nodes);
    table_add(table, "%s", info->algorithm);
    add_figures(table, &figures, whole_ms);
    add_if(table, measure_is_read_bound(info, peak), "%.0f %%",
           100 * 1e3 * (double)info->read_bytes / step->ms / peak->bytes_per_second);
    report_add_bytes(table, info->weight_bytes);
    report_add_bytes(table, info->read_bytes);
    add_if(table, counted, "%.1f %%", 100 * info->input_density);
    report_add_bytes(table, activations);
    table_add(table, "%.2f", 1e-6 * (double)(info->read_bytes + activations) / step->ms);
}

static void add_total(struct table *table, const struct measure_total *total, double whole_ms)
{
    table_add(table, "total");
    table_add(table, "%s", "");
    table_add(table, "%s", "");
    add_figures(table, total, whole_ms);
    table_add(table, "%s", "");
    report_add_bytes(table, total->weight_bytes);
    report_add_bytes(table, total->read_bytes);
    table_add(table, "%s", "");
    report_add_bytes(table, total->activation_bytes);
    table_add(table, "%.2f",
              1e-6 * (double)(total->read_bytes + total->activation_bytes) / total->ms);
}

void bench_write_layers(const struct measurement *measurement, enum bench_order order, FILE *out)
{
    const struct vgg_peak peak = measurement_get_peak(measurement);
    const struct measure_total total = measurement_sum(measurement);
    const double whole_ms = measurement->run.p50;
    const struct measure_step **steps = order_steps(measurement, order);
    struct table table = {
        .columns =
            "<layer<nodes<algorithm>prepack>ms>share>GFLOP/s>real>of peak>x peak>of read>weights"
            ">read>inputs>activations>GB/s",
    };
    for (size_t s = 0; steps != NULL && s < measurement->step_count; s++) {
        add_step(&table, steps[s], &peak, whole_ms);
    }
    add_total(&table, &total, whole_ms);
    if (steps == NULL || table.failed) {
        fputs("  (out of memory for the table of layers)\n", out);
    } else {
        table_write(&table, out);
        fprintf(out,
                "  a whole run takes %.3f ms; its layers, means of the middle quarter of the runs, "
                "%.3f ms%s: %+.1f %%\n",
                whole_ms, total.run_ms,
                measurement->one_shot ? ", prepacking in each run included" : "",
                100 * (total.run_ms / whole_ms - 1));
    }
    table_free(&table);
    free(steps);
}

void bench_write_layers_json(const struct measurement *measurement, struct json *json)
{
    const struct vgg_peak peak = measurement_get_peak(measurement);
    json_open_array(json, "layers", false);
    for (size_t s = 0; s < measurement->step_count; s++) {
        const struct measure_step *step = &measurement->steps[s];
        const struct vgg_step_info *info = &step->info;
        json_open_object(json, NULL, true);
        json_string(json, "name", info->name);
        json_string(json, "nodes", info->nodes);
        json_string(json, "algorithm", info->algorithm);
        json_number(json, "ms", step->ms, DIGITS);
        json_number(json, "prepack_ms", step->prepack_ms, DIGITS);
        json_number(json, "multiply_adds", info->multiply_adds, 15);
        json_number(json, "products", info->products, 15);
        json_integer(json, "weight_bytes", (int64_t)info->weight_bytes);
        json_integer(json, "read_bytes", (int64_t)info->read_bytes);
        json_number(json, "input_density", info->input_density, DIGITS);
        json_integer(json, "input_bytes", (int64_t)info->input_bytes);
        json_integer(json, "output_bytes", (int64_t)info->output_bytes);
        json_number(json, "predicted_ms", info->predicted_ms, DIGITS);
        json_number(json, "roofline_ms", measure_get_roofline_ms(info, &peak), DIGITS);
        json_close_object(json);
    }
    json_close_array(json);
    json_number(json, "layers_ms", measurement_sum(measurement).run_ms, DIGITS);
}

void bench_write_layers_csv(const struct measurement *measurement, const char *before, FILE *out)
{
    const struct vgg_peak peak = measurement_get_peak(measurement);
    for (size_t s = 0; s < measurement->step_count; s++) {
        const struct measure_step *step = &measurement->steps[s];
        const struct vgg_step_info *info = &step->info;
        const char *const texts[] = {info->name, info->nodes, info->algorithm};
        const double numbers[] = {
            step->ms,
            info->multiply_adds,
            info->products,
            (double)info->weight_bytes,
            (double)info->input_bytes,
            (double)info->output_bytes,
            info->predicted_ms,
            measure_get_roofline_ms(info, &peak),
            step->prepack_ms,
            (double)info->read_bytes,
            info->input_density,
        };
        fputs(before, out);
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
            putc(',', out);
            report_write_csv_text(out, texts[i]);
        }
        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
            report_write_csv_number(out, numbers[i], CSV_DIGITS);
        }
        putc('\n', out);
    }
}
