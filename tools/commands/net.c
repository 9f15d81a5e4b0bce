/* SPDX-License-Identifier: MIT */
/* A checkpoint that is open and the model made of it. */
#include "commands/net.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "io/files.h"
#include "io/sigbus.h"
#include "io/message.h"
#include "io/plural.h"

vgg_status net_verify_file(const vgg_checkpoint *checkpoint, struct vgg_verified *verified,
                           struct vgg_error *err)
{
    vgg_status status = vgg_checkpoint_verify(checkpoint, verified, err);
    return status != VGG_OK || verified->unverified == 0
               ? status
               : message_fail(err, VGG_ERR_UNSUPPORTED,
                              "%s: nothing to verify: the name holds no SHA-256 prefix (as in "
                              "vgg16-397923af.pth), and the file no CRC-32",
                              vgg_checkpoint_get_path(checkpoint));
}

vgg_status net_verify_model(const vgg_model *model, const char *path,
                            const struct vgg_verified *verified, struct vgg_error *err)
{
    struct vgg_model_verified copies = {0};
    vgg_status status = model != NULL ? vgg_model_verify(model, &copies, err) : VGG_OK;
    if (status != VGG_OK) {
        return status;
    }
    if (!verified->sha256) {
        message_print("%s: the name holds no SHA-256 prefix (as in vgg16-397923af.pth): verified "
                      "by the archive's own CRC-32 only",
                      path);
    }
    if (verified->crc_missing > 0) {
        message_print("%s: %u member%s of the archive without CRC-32", path, verified->crc_missing,
                      plural_s(verified->crc_missing));
    }
    if (copies.unverified > 0) {
        message_print("%s: %u prepacked weight%s not compared: there are no plain ones", path,
                      copies.unverified, plural_s(copies.unverified));
    }
    return VGG_OK;
}

/* Adds where to download a missing file that is named like one of torchvision's. */
static void hint_at_source(const char *path, struct vgg_error *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    const char *end = strrchr(name, '.');
    const size_t used = strlen(err->message);
    if (err->sys_errno == ENOENT && strncmp(name, "vgg", 3) == 0 && end != NULL &&
        strcmp(end, ".pth") == 0) {
        snprintf(err->message + used, sizeof err->message - used,
                 "; torchvision's are at https://download.pytorch.org/models/%s",
                 strchr(name, '-') != NULL ? name : "");
    }
}

/* The options that change single properties of the preprocessing. In the library 0 is "not given" and -1 "none". */
static void set_preprocess(const struct cli_options *options, struct vgg_model_options *out)
{
    const struct cli_extent resize = options->resize, crop = options->crop;
    out->height = options->size.height;
    out->width = options->size.width;
    out->resize = resize.height == 0 ? -1 : resize.height > 0 ? resize.height : 0;
    out->resize_width = resize.width;
    out->crop = crop.height == 0 ? -1 : crop.height > 0 ? crop.height : 0;
    out->crop_width = crop.width;
    out->no_normalize = options->no_normalize;
    out->mean = options->mean.given ? options->mean.values : NULL;
    out->std = options->std.given ? options->std.values : NULL;
    out->channels = options->channels >= 0 ? cli_channels[options->channels] : NULL;
    if (options->interpolation >= 0) {
        out->interpolation =
            vgg_interpolation_string((enum vgg_interpolation)options->interpolation);
    }
}

static void set_limits(const struct cli_options *options, struct vgg_limits *out)
{
    vgg_limits_init(out);
    if (options->max_pixels > 0) {
        out->image_pixels = options->max_pixels;
    }
    if (options->max_memory > 0) {
        out->image_memory = options->max_memory;
    }
}

vgg_status net_open(const char *path, const struct cli_options *options, struct net *out,
                    struct vgg_error *err)
{
    struct vgg_model_options model_options = {
        .spec_path = options->spec,
        .cfg = options->cfg,
        .padding = options->padding,
        .eps = options->eps,
        .activation = options->activation,
        .pool = options->pool,
        .strict = options->strict,
        .scores = options->scores != VGG_SCORES_AUTO
                      ? vgg_scores_string((enum vgg_scores)options->scores)
                      : NULL,
        .dense = options->dense,
        .labels_path = options->labels,
        .preset = options->preset,
    };
    const struct vgg_context context = message_context(options->verbose);
    *out = (struct net){0};
    set_limits(options, &out->limits);
    set_preprocess(options, &model_options);
    vgg_status status = file_check_checkpoint(path, err);
    if (status != VGG_OK) {
        return status;
    }
    const struct vgg_checkpoint_options checkpoint_options = {
        .key = options->key,
        /* Without --plan no tensor is read. */
        .names_only = options->command == CLI_INFO && !options->plan,
    };
    sigbus_begin(path);
    status = vgg_checkpoint_open_with(path, &checkpoint_options, &context, &out->checkpoint, err);
    if (status == VGG_OK) {
        sigbus_watch(out->checkpoint);
    } else {
        hint_at_source(path, err);
    }
    if (status == VGG_OK && options->verify) {
        status = net_verify_file(out->checkpoint, &out->about.verified, err);
    }
    if (status == VGG_OK) {
        status = vgg_model_create(out->checkpoint, &model_options, &out->model, err);
    }
    if (status == VGG_OK && options->verify) {
        status = net_verify_model(out->model, path, &out->about.verified, err);
    }
    if (status != VGG_OK) {
        net_close(out);
        return status;
    }
    vgg_model_get_info(out->model, &out->about.info);
    out->about.path = path;
    out->about.container = vgg_container_string(vgg_checkpoint_get_container(out->checkpoint));
    out->about.key = vgg_checkpoint_get_key(out->checkpoint);
    out->about.prefix = vgg_checkpoint_get_prefix(out->checkpoint);
    out->about.class_name = vgg_checkpoint_get_class(out->checkpoint);
    out->about.file_bytes = vgg_checkpoint_get_file_bytes(out->checkpoint);
    out->about.preprocess = vgg_model_get_preprocess(out->model);
    out->about.model = out->model;
    return VGG_OK;
}

bool net_has_own_normalisation(const struct net *net)
{
    for (size_t i = 0; i < vgg_model_get_evidence_count(net->model); i++) {
        struct vgg_evidence evidence;
        char name[256] = "";
        vgg_model_get_evidence(net->model, i, &evidence);
        if (strcmp(evidence.property, "mean and std") == 0 &&
            evidence.source == VGG_EVIDENCE_FILE && evidence.why != NULL) {
            /* "normalizer.mean, normalizer.std" */
            const size_t length = strcspn(evidence.why, ",");
            snprintf(name, sizeof name, "%.*s", length < sizeof name ? (int)length : 0,
                     evidence.why);
            return vgg_checkpoint_find_tensor(net->checkpoint, name) != NULL;
        }
    }
    return false;
}

struct image_reader net_get_reader(const struct net *net)
{
    const struct vgg_preprocess *preprocess = net->about.preprocess;
    const struct vgg_model_info *info = &net->about.info;
    const bool one_size = preprocess->crop > 0 || preprocess->resize_width > 0;
    return (struct image_reader){
        .preprocess = preprocess,
        .channels = info->channels,
        .height = one_size ? info->height : 0,
        .width = one_size ? info->width : 0,
        .limits = net->limits,
    };
}

int net_exit_code(const struct vgg_error *err)
{
    return err->code == VGG_ERR_ARGUMENT ? EXIT_USAGE : EXIT_MODEL;
}

vgg_status net_find_bundled(char *path, size_t bytes, struct vgg_error *err)
{
    if (!file_find_bundled(path, bytes)) {
        return message_fail(err, VGG_ERR_IO,
                            "no MODEL given, and the bundled checkpoint is missing; "
                            "set VGG_MODELS to the folder it is in");
    }
    message_print("no MODEL given: using the bundled %s", path);
    return VGG_OK;
}

void net_close(struct net *net)
{
    vgg_model_destroy(net->model);
    sigbus_end();
    vgg_checkpoint_close(net->checkpoint);
    *net = (struct net){0};
}

vgg_status net_check_options(const struct cli_options *options, struct vgg_error *err)
{
    struct vgg_preprocess ignored;
    if (!vgg_isa_is_available((enum vgg_isa)options->isa)) {
        return message_fail(err, VGG_ERR_ARGUMENT, "--isa %s: this CPU or this build has no %s",
                            vgg_isa_string((enum vgg_isa)options->isa),
                            vgg_isa_string((enum vgg_isa)options->isa));
    }
    if (options->preset != NULL && strcmp(options->preset, "auto") != 0) {
        return vgg_preprocess_find(options->preset, &ignored, err);
    }
    return VGG_OK;
}
