/* SPDX-License-Identifier: MIT */
/* vgg-infer bench: time a net in every configuration that the options name. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/bench_report.h"
#include "commands/commands.h"
#include "io/files.h"
#include "io/message.h"
#include "commands/net.h"
#include "io/read_image.h"
#include "report/plot.h"

struct bench {
    const struct cli_options *options;
    const char *model_path, *image_path; /* NULL: not given */
    char bundled_path[PATH_MAX];
    struct net net;
    struct bench_about about;
    struct bench_report report;
    struct image_input input; /* tensor NULL: random numbers */
    struct command_outputs *outputs;
    bool progress; /* standard error is a terminal */
    int done, total;
    const struct measure_options *current;
};

/* One value of each list, counted like the digits of a number; a list that is not given is one 0. */
static int take(const struct cli_list *list, int *index)
{
    const int count = list->count > 0 ? list->count : 1;
    const int value = list->values[*index % count];
    *index /= count;
    return value;
}

static int count_configurations(const struct cli_options *options)
{
    const struct cli_list *const lists[] = {&options->isa_list, &options->conv_list,
                                            &options->threads_list, &options->batch_list};
    int count = 1;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        count *= lists[i]->count > 0 ? lists[i]->count : 1;
    }
    return count;
}

static vgg_status check_options(const struct bench *bench, struct vgg_error *err)
{
    const struct cli_options *options = bench->options;
    for (int i = 0; i < options->isa_list.count; i++) {
        struct cli_options one = *options;
        one.isa = options->isa_list.values[i];
        vgg_status status = net_check_options(&one, err);
        if (status != VGG_OK) {
            return status;
        }
    }
    if (options->plot != NULL && bench->total > 1) {
        return message_fail(err, VGG_ERR_ARGUMENT,
                            "--plot draws one configuration, but the options name %d",
                            bench->total);
    }
    return net_check_options(options, err);
}

static bool is_image(const char *path)
{
    const enum file_kind kind = file_sniff(path);
    return kind == FILE_IMAGE || kind == FILE_ARRAY;
}

/* The first operand is the checkpoint, unless --model names it or it is an image. */
static vgg_status choose_operands(struct bench *bench, struct vgg_error *err)
{
    const struct cli_options *options = bench->options;
    int next = 0;
    bench->model_path = options->model;
    if (bench->model_path == NULL && options->operand_count > 0 &&
        (options->operand_count > 1 || !is_image(options->operands[0]))) {
        bench->model_path = options->operands[next++];
    }
    if (next < options->operand_count) {
        bench->image_path = options->operands[next++];
    }
    if (next < options->operand_count) {
        return message_fail(err, VGG_ERR_ARGUMENT, "expected one IMAGE, got '%s' after it",
                            options->operands[next]);
    }
    return VGG_OK;
}

static vgg_status open_model(struct bench *bench, struct vgg_error *err)
{
    vgg_status status = VGG_OK;
    if (bench->model_path == NULL) {
        status = net_find_bundled(bench->bundled_path, sizeof bench->bundled_path, err);
        bench->model_path = bench->bundled_path;
    }
    double start = timing_now_ms();
    if (status == VGG_OK) {
        status = net_open(bench->model_path, bench->options, &bench->net, err);
    }
    timing_lap(&start, &bench->about.load_ms);
    bench->net.about.folded = bench->net.about.info.batch_norm;
    return status;
}

static vgg_status open_input(struct bench *bench, struct vgg_error *err)
{
    struct bench_about *about = &bench->about;
    about->model = &bench->net.about;
    about->input = "random";
    about->height = bench->net.about.info.height;
    about->width = bench->net.about.info.width;
    machine_describe(&about->machine);
    if (bench->image_path == NULL) {
        return VGG_OK;
    }
    about->input = bench->image_path;
    const struct image_reader reader = net_get_reader(&bench->net);
    vgg_status status = image_read(bench->image_path, &reader, &bench->input, err);
    about->height = bench->input.height;
    about->width = bench->input.width;
    return status;
}

/* One line that is written over and over. */
static void show_progress(void *user, size_t runs)
{
    const struct bench *bench = user;
    const struct measure_options *options = bench->current;
    message_print_raw("\r\033[K%d of %d: %s, threads %d, batch %d, conv %s: %zu runs",
                      bench->done + 1, bench->total, vgg_isa_string(options->isa), options->threads,
                      options->batch, bench_conv_string(options->conv), runs);
}

static vgg_status measure_one(struct bench *bench, int index, struct vgg_error *err)
{
    const struct cli_options *options = bench->options;
    const int batch = take(&options->batch_list, &index);
    const int threads = take(&options->threads_list, &index);
    const int conv = take(&options->conv_list, &index);
    const int isa = take(&options->isa_list, &index);
    const struct measure_options one = {
        .threads = threads > 0 ? threads : vgg_cpu_count(),
        .batch = batch > 0 ? batch : 1,
        .isa = isa != VGG_ISA_AUTO ? (enum vgg_isa)isa : vgg_isa_detect(),
        .conv = (enum vgg_conv_algorithm)conv,
        .one_shot = options->plan_for == CLI_PLAN_ONE_SHOT,
        .low_memory = options->low_memory,
        .channels = bench->net.about.info.channels,
        .height = bench->about.height,
        .width = bench->about.width,
        .image = bench->input.tensor,
        .runs = options->runs,
        .min_ms = 1e3 * options->min_time,
        .max_ms = 1e3 * options->max_time,
        .progress = bench->progress ? show_progress : NULL,
        .user = bench,
    };
    struct measurement measurement;
    bench->current = &one;
    if (bench->progress) {
        show_progress(bench, 0);
    }
    vgg_status status = measure_run(bench->net.model, &one, &measurement, err);
    if (bench->progress) {
        message_print_raw("\r\033[K");
    }
    if (status == VGG_OK && !bench_report_add(&bench->report, &one, &measurement)) {
        status = message_fail_errno(err, "cannot write the results");
    }
    if (status == VGG_OK && options->plot != NULL) {
        status = plot_save(&bench->outputs->plot, &bench->about, &one, &measurement, err);
    }
    measurement_free(&measurement);
    return status;
}

static vgg_status measure_all(struct bench *bench, struct vgg_error *err)
{
    const struct bench_style style = {
        .format = (enum output_format)bench->options->format,
        .order = (enum bench_order)bench->options->sort,
        .layers = bench->options->layers,
    };
    if (!bench_report_begin(&bench->report, style, bench->outputs->results.file, &bench->about)) {
        return message_fail_errno(err, "cannot write the results");
    }
    for (bench->done = 0; bench->done < bench->total; bench->done++) {
        vgg_status status = measure_one(bench, bench->done, err);
        if (status != VGG_OK) {
            return status;
        }
    }
    return bench_report_end(&bench->report) ? VGG_OK
                                            : message_fail_errno(err, "cannot write the results");
}

int command_bench(const struct cli_options *options, struct command_outputs *outputs)
{
    struct vgg_error err = {0};
    struct bench bench = {
        .options = options,
        .outputs = outputs,
        .progress = isatty(STDERR_FILENO) == 1,
        .total = count_configurations(options),
    };
    int exit_code = EXIT_USAGE;
    vgg_status status = choose_operands(&bench, &err);
    if (status == VGG_OK) {
        status = check_options(&bench, &err);
    }
    if (status != VGG_OK) {
        goto done;
    }
    exit_code = EXIT_MODEL;
    status = open_model(&bench, &err);
    if (status != VGG_OK) {
        exit_code = net_exit_code(&err);
        goto done;
    }
    exit_code = EXIT_FAILED;
    status = open_input(&bench, &err);
    if (status == VGG_OK) {
        status = measure_all(&bench, &err);
    }
done:
    status = outputs_finish(&outputs->all, status, &err);
    if (status != VGG_OK && err.sys_errno != EPIPE) {
        message_error(&err);
    }
    bench_report_free(&bench.report);
    free(bench.input.tensor);
    net_close(&bench.net);
    if (message_is_memory(&err)) {
        return EXIT_MEMORY;
    }
    return status == VGG_OK ? EXIT_GOOD : exit_code;
}
