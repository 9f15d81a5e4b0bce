/* vgg-infer pack: a net in one file that is mapped and used as it lies there. */
#include "calibrate.h"
#include "commands.h"
#include "files.h"
#include "message.h"
#include "net.h"

static vgg_status check_words(const struct cli_options *options, const char **model,
                              struct vgg_error *err)
{
    const int used = options->model == NULL ? 1 : 0;
    *model = options->model;
    if (*model == NULL && options->word_count > 0) {
        *model = options->words[0];
    }
    if (*model == NULL) {
        return message_fail(err, VGG_ERR_ARGUMENT, "pack: no MODEL given");
    }
    if (options->word_count > used) {
        return message_fail(err, VGG_ERR_ARGUMENT, "pack: one MODEL only, and then '%s'",
                            options->words[used]);
    }
    if (options->output == NULL) {
        return message_fail(err, VGG_ERR_ARGUMENT, "pack: no -o FILE given, as in -o vgg16.vgg");
    }
    if (options->weights == CLI_WEIGHTS_INT8 && options->calibrate == NULL) {
        return message_fail(err, VGG_ERR_ARGUMENT,
                            "pack: --weights int8 needs --calibrate DIR, a folder of pictures like "
                            "those that the net is for");
    }
    if (options->weights != CLI_WEIGHTS_INT8 && options->calibrate != NULL) {
        return message_fail(err, VGG_ERR_ARGUMENT, "pack: --calibrate is for --weights int8");
    }
    return net_check_options(options, err);
}

int command_pack(const struct cli_options *options)
{
    struct vgg_error err = {0};
    struct net net = {0};
    const char *path;
    int exit_code = EXIT_USAGE;
    vgg_status status = check_words(options, &path, &err);
    if (status == VGG_OK) {
        status = net_open(path, options, &net, &err);
        exit_code = net_exit_code(&err);
    }
    if (status == VGG_OK) {
        status = options->weights == CLI_WEIGHTS_INT8
                     ? calibrate_and_pack(&net, options, &err)
                     : vgg_model_pack(net.model, options->output, &err);
        exit_code = status == VGG_ERR_UNSUPPORTED || status == VGG_ERR_ARGUMENT ? EXIT_MODEL
                                                                               : EXIT_FAILED;
    }
    if (status == VGG_OK) {
        message_say("%s: %s of %s%s%s", options->output, net.about.info.name, path,
                    net.about.info.batch_norm ? ", BatchNorm folded" : "",
                    options->weights == CLI_WEIGHTS_INT8 ? ", int8 weights and activations" : "");
        exit_code = EXIT_GOOD;
    } else {
        message_say("%s", err.message);
    }
    net_close(&net);
    return message_is_memory(&err) ? EXIT_MEMORY : exit_code;
}
