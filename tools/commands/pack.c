/* SPDX-License-Identifier: MIT */
/* vgg-infer pack: write a packed file, which is mapped and used in place. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "commands/calibrate.h"
#include "commands/commands.h"
#include "io/files.h"
#include "io/message.h"
#include "commands/net.h"
#include "commands/operands.h"
#include "report/evidence.h"

static vgg_status check_operands(const struct cli_options *options, const char **model,
                                 struct vgg_error *err)
{
    vgg_status status = operands_take_model_and_output(options, "vgg16.vgg", model, err);
    if (status != VGG_OK) {
        return status;
    }
    if (options->weights == CLI_WEIGHTS_INT8 && options->calibrate == NULL) {
        return message_fail(
            err, VGG_ERR_ARGUMENT,
            "--weights int8 needs --calibrate FOLDER, a folder of representative images");
    }
    if (options->weights != CLI_WEIGHTS_INT8 && options->calibrate != NULL) {
        return message_fail(err, VGG_ERR_ARGUMENT, "--calibrate is for --weights int8 only");
    }
    for (int i = 0; options->weights != CLI_WEIGHTS_F32 && i < options->for_list.count; i++) {
        if (options->weights == CLI_WEIGHTS_INT8 || options->for_list.values[i] != 0) {
            return message_fail(
                err, VGG_ERR_ARGUMENT,
                "--for is for --weights f32 only: other types have one layout for all CPUs");
        }
    }
    return net_check_options(options, err);
}

/* Which ISAs the file is prepacked for: by default this machine's, and plain weights for all others. Prepacked weights
 * are little-endian and read in place, which a big-endian machine cannot do. */
static struct vgg_pack_options choose_targets(const struct cli_options *options)
{
    static const enum vgg_dtype dtypes[] = {[CLI_WEIGHTS_F32] = VGG_DTYPE_F32,
                                            [CLI_WEIGHTS_BF16] = VGG_DTYPE_BF16,
                                            [CLI_WEIGHTS_F16] = VGG_DTYPE_F16,
                                            [CLI_WEIGHTS_INT8] = VGG_DTYPE_F32};
    const bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    struct vgg_pack_options pack = {.isas = little ? 1u << vgg_isa_detect() : 0,
                                    .plain = true,
                                    .weights = dtypes[options->weights]};
    if (options->weights == CLI_WEIGHTS_BF16 || options->weights == CLI_WEIGHTS_F16) {
        pack.isas = 0;
        return pack;
    }
    if (options->for_list.count > 0) {
        pack = (struct vgg_pack_options){0};
    }
    for (int i = 0; i < options->for_list.count; i++) {
        if (options->for_list.values[i] == 0) {
            pack.plain = true;
        } else {
            pack.isas |= 1u << options->for_list.values[i];
        }
    }
    return pack;
}

/* "prepacked for amx and avx2, plain for all other CPUs" */
static void print_summary(const struct cli_options *options, const char *path,
                          const struct net *net, const struct vgg_pack_options *pack)
{
    char prepacked[80] = "";
    struct stat file;
    const char *between = "prepacked for ";
    for (int isa = 1; options->weights != CLI_WEIGHTS_INT8 && pack->isas >> isa != 0; isa++) {
        const size_t used = strlen(prepacked);
        if ((pack->isas & 1u << isa) != 0) {
            snprintf(prepacked + used, sizeof prepacked - used, "%s%s", between,
                     vgg_isa_string((enum vgg_isa)isa));
            between = __builtin_popcount(pack->isas >> isa) == 2 ? " and " : ", ";
        }
    }
    const double bytes = stat(options->output, &file) == 0 ? (double)file.st_size : 0;
    const char *plain = options->weights == CLI_WEIGHTS_INT8 ? "int8 weights and activations"
                        : !pack->plain                       ? " alone"
                        : prepacked[0] != '\0'               ? ", plain for all other CPUs"
                                                             : "plain for all CPUs";
    const bool halves = pack->weights != VGG_DTYPE_F32;
    message_print("%s: %s of %s%s, %.0f MB, %s%s%s%s", options->output, net->about.info.name, path,
                  net->about.info.batch_norm ? ", BatchNorm folded" : "", bytes / (1 << 20),
                  halves ? vgg_dtype_string(pack->weights) : "", halves ? " weights, " : "",
                  prepacked, plain);
    if (net->about.info.assumed[0] != '\0') {
        message_print("%s: assumed: %s (see %s%s)", options->output, net->about.info.assumed,
                      evidence_is_cut(net->about.info.assumed, net->model) ? "vgg-infer info, "
                                                                           : "",
                      evidence_help(net->model));
    }
}

int command_pack(const struct cli_options *options)
{
    struct vgg_error err = {0};
    struct net net = {0};
    const struct vgg_pack_options pack = choose_targets(options);
    const char *path;
    int exit_code = EXIT_USAGE;
    vgg_status status = check_operands(options, &path, &err);
    if (status == VGG_OK) {
        status = net_open(path, options, &net, &err);
        exit_code = net_exit_code(&err);
    }
    if (status == VGG_OK) {
        status = options->weights == CLI_WEIGHTS_INT8
                     ? calibrate_and_pack(&net, options, &err)
                     : vgg_model_pack(net.model, options->output, &pack, &err);
        exit_code =
            status == VGG_ERR_UNSUPPORTED || status == VGG_ERR_ARGUMENT ? EXIT_MODEL : EXIT_FAILED;
    }
    if (status == VGG_OK) {
        print_summary(options, path, &net, &pack);
        exit_code = EXIT_GOOD;
    } else {
        message_error(&err);
    }
    net_close(&net);
    return message_is_memory(&err) ? EXIT_MEMORY : exit_code;
}
