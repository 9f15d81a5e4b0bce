/* SPDX-License-Identifier: MIT */
/* vgg-infer MODEL IMAGE...: classify images.
 *
 * From top to bottom: which files, checkpoint -> model -> session, then for each image
 * decode -> preprocess -> run -> rank -> report. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "io/files.h"
#include "io/message.h"
#include "commands/net.h"
#include "io/npy.h"
#include "io/read_image.h"
#include "report/report.h"
#include "timing/timing.h"
#include "vgg/vgg.h"
#include "commands/operands.h"

/* For up to this many images, one-shot runs are faster than prepacking all weights first (vgg16, 1 and 2
 * threads). */
enum { FEW_IMAGES = 4 };

struct run {
    const struct cli_options *options;
    struct operands operands; /* model_path is never NULL once the model is opened */
    char bundled_path[PATH_MAX];

    struct net net;
    struct image_reader reader;
    enum vgg_scores scores;
    vgg_session *session;         /* for images of one size, */
    int width, height;            /* this one */
    float *input;                 /* [channels][height][width] */
    float *logits;                /* [classes] */
    struct vgg_ranked *ranked;    /* [shown] */
    struct report_class *classes; /* [shown] */
    int shown;                    /* classes reported per image */

    struct command_outputs *outputs;
    struct report report;
    struct report_totals totals;
    struct timing timing;
    struct npy_writer saved_logits, saved_input; /* cleared when not asked for */
    bool out_of_memory;                          /* for one image at least */
    bool bad_weights;                            /* why an image failed */
    bool warned;                                 /* of an array that is not normalised */
    bool incomplete; /* an input was not saved, because its size is not the first one's */
};

/* Begins everything that results go to. */
static vgg_status begin_outputs(struct run *run, struct vgg_error *err)
{
    const struct cli_options *options = run->options;
    struct command_outputs *outputs = run->outputs;
    vgg_status status = VGG_OK;
    if (outputs->logits.file != NULL) {
        status =
            npy_writer_begin(outputs->logits.file, options->save_logits, &run->saved_logits, err);
    }
    if (status == VGG_OK && outputs->input.file != NULL) {
        status = npy_writer_begin(outputs->input.file, options->save_input, &run->saved_input, err);
    }
    if (status == VGG_OK && !report_begin(&run->report, (enum output_format)options->format,
                                          outputs->results.file, options->time, &run->net.about)) {
        status = message_fail_errno(err, "cannot write the results");
    }
    return status;
}

/* Memory that does not depend on the size of images. */
static vgg_status allocate_results(struct run *run, struct vgg_error *err)
{
    const int class_count = run->net.about.info.class_count;
    const int scored = vgg_scores_count(&run->net.about.info, run->scores);
    run->shown = run->options->topk < scored ? run->options->topk : scored;
    run->logits = calloc((size_t)class_count, sizeof *run->logits);
    run->ranked = calloc((size_t)run->shown, sizeof *run->ranked);
    run->classes = calloc((size_t)run->shown, sizeof *run->classes);
    if (run->logits == NULL || run->ranked == NULL || run->classes == NULL) {
        return message_fail(err, VGG_ERR_MEMORY, "%s: out of memory for %d classes",
                            run->operands.model_path, class_count);
    }
    return VGG_OK;
}

/* Whether the time until the first answers matters more than that of each further image. */
static bool is_one_shot(const struct run *run)
{
    if (run->options->low_memory) {
        return true; /* it prepacks in each run, too */
    }
    return run->options->plan_for == CLI_PLAN_AUTO ? run->operands.image_count <= FEW_IMAGES
                                                   : run->options->plan_for == CLI_PLAN_ONE_SHOT;
}

/* Creates the session for images of this size, unless the current one is. */
static vgg_status create_session(struct run *run, int width, int height, struct vgg_error *err)
{
    if (run->session != NULL && run->width == width && run->height == height) {
        return VGG_OK;
    }
    double start = timing_now_ms();
    const struct vgg_session_options options = {
        .threads = run->options->threads,
        .isa = (enum vgg_isa)run->options->isa,
        .conv = (enum vgg_conv_algorithm)run->options->conv,
        .one_shot = is_one_shot(run),
        .low_memory = run->options->low_memory,
        .height = height,
        .width = width,
    };
    vgg_session_destroy(run->session);
    free(run->input);
    run->session = NULL;
    run->input = NULL;
    vgg_status status = vgg_session_create(run->net.model, &options, &run->session, err);
    if (status != VGG_OK) { /* also if the size is too large */
        return status;
    }
    run->input =
        calloc((size_t)height * (size_t)width, (size_t)run->reader.channels * sizeof *run->input);
    if (run->input == NULL) {
        return message_fail(err, VGG_ERR_MEMORY, "out of memory for an input of %dx%d", width,
                            height);
    }
    run->width = width;
    run->height = height;
    timing_lap(&start, &run->timing.prepack_ms);
    timing_sample_memory(&run->timing);
    struct vgg_session_info info;
    vgg_session_get_info(run->session, &info);
    run->totals.threads = info.threads;
    run->totals.isa = vgg_isa_string(info.isa);
    run->totals.plan = options.low_memory ? "low-memory" : options.one_shot ? "one-shot" : "steady";
    return VGG_OK;
}

/* Opens the model; and its session too, when all images have one size. */
static vgg_status open_model(struct run *run, struct vgg_error *err)
{
    double start = timing_now_ms();
    vgg_status status = net_open(run->operands.model_path, run->options, &run->net, err);
    timing_lap(&start, &run->timing.load_ms);
    if (status != VGG_OK) {
        return status;
    }
    run->net.about.folded = run->net.about.info.batch_norm;
    run->reader = net_get_reader(&run->net);
    run->scores = vgg_scores_choose(&run->net.about.info, (enum vgg_scores)run->options->scores);
    run->net.about.scores = vgg_scores_string(run->scores);
    status = vgg_model_check_classifier(run->net.model, err);
    if (status == VGG_OK) {
        status = allocate_results(run, err);
    }
    if (status == VGG_OK && run->reader.height > 0) {
        status = create_session(run, run->reader.width, run->reader.height, err);
    }
    return status;
}

/* An array is the net's input as it is. The author of a net that normalises it itself may expect otherwise. */
static void warn_of_array(struct run *run, const char *path)
{
    if (!run->warned && net_has_own_normalisation(&run->net)) {
        message_print("warning: %s: the array is taken as the input after normalisation: mean and "
                      "std of the file are not applied to it",
                      path);
        run->warned = true;
    }
}

/* Image -> run->input, with a session that takes it. */
static vgg_status read_image(struct run *run, const char *path, struct report_image *result,
                             struct vgg_error *err)
{
    struct image_file file;
    double start = timing_now_ms();
    vgg_status status = image_open(path, &run->reader, &file, err);
    timing_lap(&start, &result->decode_ms);
    if (status == VGG_OK) {
        status = create_session(run, file.width, file.height, err);
    }
    if (status == VGG_OK) {
        start = timing_now_ms();
        status = image_make_input(&file, run->input, err);
        timing_lap(&start, &result->decode_ms);
        timing_sample_memory(&run->timing);
    }
    if (file.is_array && status == VGG_OK) {
        warn_of_array(run, path);
    }
    result->width = file.image_width;
    result->height = file.image_height;
    image_close(&file);
    return status;
}

/* Appends what was asked to be saved; an image that failed leaves a row of NaN. */
static vgg_status save_rows(struct run *run, bool failed, struct vgg_error *err)
{
    const int64_t logits_shape[] = {run->net.about.info.class_count};
    const int64_t input_shape[] = {run->reader.channels, run->height, run->width};
    vgg_status status = VGG_OK;
    if (run->saved_logits.file != NULL) {
        status = failed ? npy_writer_add_missing(&run->saved_logits, err)
                        : npy_writer_add(&run->saved_logits, logits_shape, 1, run->logits, err);
    }
    if (status == VGG_OK && run->saved_input.file != NULL) {
        status = failed ? npy_writer_add_missing(&run->saved_input, err)
                        : npy_writer_add(&run->saved_input, input_shape, 3, run->input, err);
        if (status == VGG_ERR_MISMATCH) {
            message_error(err);
            run->incomplete = true;
            status = npy_writer_add_missing(&run->saved_input, err);
        }
    }
    return status;
}

/* Non-finite logits are most often due to non-finite weights: report that instead. */
static vgg_status check_logits(struct run *run, struct vgg_error *err)
{
    bool finite = true;
    for (int i = 0; i < run->net.about.info.class_count; i++) {
        finite = finite && isfinite(run->logits[i]);
    }
    if (finite) {
        return VGG_OK;
    }
    vgg_status status = vgg_model_check_weights(run->net.model, err);
    run->bad_weights = status != VGG_OK;
    return status != VGG_OK
               ? status
               : message_fail(err, VGG_ERR_UNSUPPORTED,
                              "the logits are not finite: the net overflows on this image");
}

/* A one-shot run prepacks the weights, which does not count as time of the image. */
static void split_prepacking(struct run *run, struct report_image *result)
{
    double prepack_ms = 0;
    for (size_t s = 0; is_one_shot(run) && s < vgg_session_get_step_count(run->session); s++) {
        struct vgg_step_info info;
        vgg_session_get_step(run->session, s, &info);
        prepack_ms += 1e-6 * (double)info.prepack_ns;
    }
    result->infer_ms -= prepack_ms;
    run->timing.prepack_ms += prepack_ms;
}

/* One image from file to ranking. */
static vgg_status classify(struct run *run, const char *path, struct report_image *result,
                           struct vgg_error *err)
{
    vgg_status status = read_image(run, path, result, err);
    if (status != VGG_OK) {
        return status;
    }
    double start = timing_now_ms();
    status = vgg_session_run(run->session, run->input, 1, run->logits, err);
    timing_lap(&start, &result->infer_ms);
    split_prepacking(run, result);
    timing_sample_memory(&run->timing);
    if (status == VGG_OK) {
        status = check_logits(run, err);
    }
    if (status != VGG_OK) {
        return status;
    }
    vgg_rank_scores(run->logits, &run->net.about.info, run->scores, run->shown, run->ranked);
    for (int i = 0; i < run->shown; i++) {
        run->classes[i].ranked = run->ranked[i];
        run->classes[i].label = vgg_model_get_label(run->net.model, run->ranked[i].index);
    }
    result->classes = run->classes;
    result->class_count = run->shown;
    run->timing.decode_ms += result->decode_ms;
    run->timing.infer_ms += result->infer_ms;
    run->timing.images++;
    return VGG_OK;
}

/* Prints why an image failed. */
static void print_failure(const struct run *run, const char *path, const struct vgg_error *err)
{
    operands_print_image_error(path, err);
    if (run->saved_logits.file != NULL || run->saved_input.file != NULL) {
        message_print("%s: the row of it in the saved arrays is NaN", path);
    }
}

/* Classifies and reports every image. The error returned is of writing, or of the model; an image that fails is counted. */
static vgg_status classify_all(struct run *run, struct vgg_error *err)
{
    for (int i = 0; i < run->operands.image_count; i++) {
        struct vgg_error image_error = {0};
        struct report_image result = {.path = run->operands.images[i]};
        vgg_status status = classify(run, result.path, &result, &image_error);
        if (run->bad_weights) {
            *err = image_error;
            return status;
        }
        if (status != VGG_OK) {
            result.error = &image_error;
            run->totals.failed++;
            run->out_of_memory |= message_is_memory(&image_error);
            print_failure(run, result.path, &image_error);
        }
        run->totals.images++;
        if (!report_write_image(&run->report, &result)) {
            return message_fail_errno(err, "cannot write the results");
        }
        status = save_rows(run, result.error != NULL, err);
        if (status != VGG_OK) {
            return status;
        }
    }
    return VGG_OK;
}

/* Finishes every output; an error before this one is kept, and no file is replaced then. */
static vgg_status finish_outputs(struct run *run, vgg_status status, struct vgg_error *err)
{
    struct vgg_error later = {0};
    vgg_status logits = npy_writer_finish(&run->saved_logits, status == VGG_OK ? err : &later);
    status = status != VGG_OK ? status : logits;
    vgg_status input = npy_writer_finish(&run->saved_input, status == VGG_OK ? err : &later);
    status = status != VGG_OK ? status : input;
    return outputs_finish(&run->outputs->all, status, err);
}

static void free_run(struct run *run)
{
    vgg_session_destroy(run->session);
    net_close(&run->net);
    free(run->input);
    free(run->logits);
    free(run->ranked);
    free(run->classes);
}

int command_classify(const struct cli_options *options, struct command_outputs *outputs)
{
    struct vgg_error err = {0};
    struct run run = {.options = options, .outputs = outputs};
    int exit_code = EXIT_USAGE;
    vgg_status status = operands_sort(options, &run.operands, &err);
    if (status == VGG_OK) {
        status = net_check_options(options, &err);
    }
    if (status != VGG_OK) {
        goto done;
    }
    exit_code = EXIT_MODEL;
    if (run.operands.model_path == NULL) {
        status = net_find_bundled(run.bundled_path, sizeof run.bundled_path, &err);
        run.operands.model_path = run.bundled_path;
    }
    if (status == VGG_OK) {
        status = open_model(&run, &err);
    }
    if (status != VGG_OK) {
        exit_code = net_exit_code(&err);
        goto done;
    }
    exit_code = EXIT_FAILED;
    status = begin_outputs(&run, &err);
    if (status == VGG_OK) {
        status = classify_all(&run, &err);
    }
    if (status == VGG_OK && !report_end(&run.report, &run.totals, &run.timing)) {
        status = message_fail_errno(&err, "cannot write the results");
    }
done:
    status = finish_outputs(&run, status, &err);
    /* A reader may close the pipe early: not an error to report. */
    if (status != VGG_OK && err.sys_errno != EPIPE) {
        message_error(&err);
    }
    free_run(&run);
    if (message_is_memory(&err) || run.out_of_memory) {
        return EXIT_MEMORY;
    }
    if (status != VGG_OK) {
        return run.bad_weights ? EXIT_MODEL : exit_code;
    }
    return run.totals.failed > 0 || run.incomplete ? EXIT_FAILED : EXIT_GOOD;
}
