/* SPDX-License-Identifier: MIT */
/* Calibrate and write an int8 net: a first pass over the images records the distribution of the activations, a
 * second one compares the int8 net with the float32 net. */
#include "commands/calibrate.h"

#include <stdlib.h>

#include "report/calibrate_report.h"
#include "io/gather.h"
#include "io/message.h"
#include "io/plural.h"
#include "io/read_image.h"
#include "io/progress.h"
#include "vgg/quantize.h"

enum { DEFAULT_IMAGES = 256 }; /* used of a folder */

struct calibration {
    const struct net *net;
    const struct cli_options *options;
    struct gathered found;
    size_t used; /* of those found, spread over the sorted list */
    size_t failed;
    struct image_input input;
    vgg_quantizer *quantizer;
};

static void show_choice(void *user, int done, int total)
{
    (void)user;
    progress_show("choosing scales", (size_t)done, (size_t)total);
}

typedef vgg_status image_fn(vgg_quantizer *quantizer, const float *input, struct vgg_error *err);

/* Passes every image to the quantizer; one that cannot be read is reported and skipped.
 *   log  false: it has been reported before */
static vgg_status go_through(struct calibration *calibration, image_fn *fn, const char *what,
                             bool log, struct vgg_error *err)
{
    const struct gathered *found = &calibration->found;
    const struct image_reader reader = net_get_reader(calibration->net);
    vgg_status status = VGG_OK;
    calibration->failed = 0;
    for (size_t i = 0; i < calibration->used && status == VGG_OK; i++) {
        const char *path = found->paths[i * found->count / calibration->used];
        struct vgg_error problem = {0};
        if (image_read_sized(path, &reader, &calibration->input, &problem) == VGG_OK) {
            status = fn(calibration->quantizer, calibration->input.tensor, err);
        } else if (message_is_memory(&problem)) {
            *err = problem;
            status = problem.code;
        } else {
            calibration->failed++;
            if (log) {
                progress_clear();
                message_error(&problem);
            }
        }
        progress_show(what, i + 1, calibration->used);
    }
    return status;
}

static vgg_status calibrate(struct calibration *calibration, struct vgg_error *err)
{
    const struct vgg_quantizer_options options = {
        .threads = calibration->options->threads,
        .isa = (enum vgg_isa)calibration->options->isa,
    };
    struct vgg_quantized_totals totals;
    vgg_status status =
        vgg_quantizer_create(calibration->net->model, &options, &calibration->quantizer, err);
    if (status == VGG_OK) {
        status = go_through(calibration, vgg_quantizer_add, "calibrating", true, err);
    }
    if (status != VGG_OK) {
        return status;
    }
    vgg_quantizer_get_totals(calibration->quantizer, &totals);
    if (totals.added == 0) {
        return message_fail(
            err, VGG_ERR_IO,
            "%s: expected images to calibrate with, got %zu file%s that cannot be used",
            calibration->options->calibrate, calibration->found.count,
            plural_s(calibration->found.count));
    }
    status = vgg_quantizer_choose(calibration->quantizer, show_choice, calibration, err);
    if (status == VGG_OK) {
        status = vgg_quantizer_save(calibration->quantizer, calibration->options->output, err);
    }
    if (status == VGG_OK) {
        status = go_through(calibration, vgg_quantizer_measure, "comparing", false, err);
    }
    return status;
}

vgg_status calibrate_and_pack(const struct net *net, const struct cli_options *options,
                              struct vgg_error *err)
{
    struct calibration calibration = {.net = net, .options = options};
    const size_t max_images =
        options->image_limit > 0 ? (size_t)options->image_limit : DEFAULT_IMAGES;
    vgg_status status = gather_images(options->calibrate, &calibration.found, err);
    if (status == VGG_OK && calibration.found.count == 0) {
        status = message_fail(err, VGG_ERR_IO,
                              "%s: expected JPEG or PNG images to calibrate with, found none among "
                              "%zu file%s",
                              options->calibrate, calibration.found.others,
                              plural_s(calibration.found.others));
    }
    calibration.used = calibration.found.count < max_images ? calibration.found.count : max_images;
    const struct vgg_model_info *info = &net->about.info;
    calibration.input = (struct image_input){
        .tensor = calloc((size_t)info->height * (size_t)info->width,
                         (size_t)info->channels * sizeof(float)),
        .height = info->height,
        .width = info->width,
    };
    if (status == VGG_OK && calibration.input.tensor == NULL) {
        status = message_fail(err, VGG_ERR_MEMORY, "out of memory for an image");
    }
    if (status == VGG_OK) {
        status = calibrate(&calibration, err);
    }
    if (status == VGG_OK) {
        const struct calibrate_report report = {
            .model = &net->about,
            .folder = options->calibrate,
            .output = options->output,
            .found = calibration.found.count,
            .failed = calibration.failed,
            .quantizer = calibration.quantizer,
        };
        const bool json = options->format == FORMAT_JSON;
        (json ? calibrate_write_json : calibrate_write_text)(&report, stdout);
        if (fflush(stdout) != 0 || ferror(stdout) != 0) {
            status = message_fail_errno(err, "cannot write the report");
        }
    }
    vgg_quantizer_destroy(calibration.quantizer);
    gathered_free(&calibration.found);
    free(calibration.input.tensor);
    return status;
}
