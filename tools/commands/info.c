/* SPDX-License-Identifier: MIT */
/* vgg-infer info: what a checkpoint is, and with --plan how it is run here. */
#include <errno.h>
#include <stdlib.h>

#include "commands/commands.h"
#include "report/info_report.h"
#include "io/message.h"
#include "commands/net.h"
#include "commands/operands.h"

enum { TIMED_RUNS = 5 };

static vgg_status choose_model(const struct cli_options *options, const char **path,
                               struct vgg_error *err)
{
    vgg_status status = operands_take_model(options, path, err);
    return status == VGG_OK ? net_check_options(options, err) : status;
}

static vgg_status write_info(const struct cli_options *options, const struct info *info, FILE *out,
                             struct vgg_error *err)
{
    bool written = true;
    errno = ENOMEM;
    if (options->format == FORMAT_JSON) {
        info_write_json(info, out);
    } else {
        written = info_write_text(info, out);
    }
    return fflush(out) == 0 && ferror(out) == 0 && written
               ? VGG_OK
               : message_fail_errno(err, "cannot write the results");
}

int command_info(const struct cli_options *options, struct command_outputs *outputs)
{
    struct vgg_error err = {0};
    struct net net = {0};
    struct measurement plan = {0};
    struct measure_options plan_options;
    const char *path = NULL;
    int exit_code = EXIT_USAGE;
    vgg_status status = choose_model(options, &path, &err);
    if (status != VGG_OK) {
        goto done;
    }
    exit_code = EXIT_MODEL;
    status = net_open(path, options, &net, &err);
    if (status != VGG_OK) {
        exit_code = net_exit_code(&err);
        goto done;
    }
    exit_code = EXIT_FAILED;
    net.about.folded = net.about.info.batch_norm;
    plan_options = (struct measure_options){
        .threads = options->threads > 0 ? options->threads : vgg_cpu_count(),
        .batch = options->batch > 0 ? options->batch : 1,
        .isa = options->isa != VGG_ISA_AUTO ? (enum vgg_isa)options->isa : vgg_isa_detect(),
        .conv = (enum vgg_conv_algorithm)options->conv,
        .one_shot = options->plan_for == CLI_PLAN_ONE_SHOT,
        .low_memory = options->low_memory,
        .channels = net.about.info.channels,
        .height = net.about.info.height,
        .width = net.about.info.width,
        .runs = TIMED_RUNS,
    };
    if (options->write_spec != NULL) {
        status = vgg_model_write_spec(net.model, options->write_spec, &err);
    }
    if (status == VGG_OK && options->plan) {
        status = measure_run(net.model, &plan_options, &plan, &err);
    }
    if (status == VGG_OK) {
        const struct info info = {
            .about = &net.about,
            .model = net.model,
            .checkpoint = net.checkpoint,
            .tensors = options->tensors,
            .plan_options = options->plan ? &plan_options : NULL,
            .plan = &plan,
        };
        status = write_info(options, &info, outputs->results.file, &err);
    }
done:
    status = outputs_finish(&outputs->all, status, &err);
    if (status != VGG_OK && err.sys_errno != EPIPE) {
        message_error(&err);
    }
    measurement_free(&plan);
    net_close(&net);
    if (message_is_memory(&err)) {
        return EXIT_MEMORY;
    }
    return status == VGG_OK ? EXIT_GOOD : exit_code;
}
