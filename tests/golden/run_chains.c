/* SPDX-License-Identifier: MIT */
/* Describes and runs many checkpoints for chains.py, which compares them with PyTorch.
 *
 * Reads lines "CHECKPOINT<tab>PREFIX". For each it prints
 *   net C H W CLASSES STRICT      STRICT: 1 if nothing is assumed
 *   evidence SOURCE PROPERTY: VALUE
 *   end
 * or "refused MESSAGE", and writes PREFIX.json, the description, and PREFIX.f32, the logits of one image whose n-th number
 * is made of n. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vgg/vgg.h"

/* A number from -1 to 1. */
static float make_number(uint32_t n)
{
    return (float)((double)((n + 1) * 2654435761u) / 2147483648.0 - 1.0);
}

static void print_evidence(const vgg_model *model)
{
    struct vgg_evidence evidence;
    for (size_t i = 0; i < vgg_model_get_evidence_count(model); i++) {
        vgg_model_get_evidence(model, i, &evidence);
        printf("evidence %d %s: %s\n", evidence.source, evidence.property, evidence.value);
    }
}

static vgg_status run(const vgg_model *model, const char *path, struct vgg_error *err)
{
    const struct vgg_session_options options = {.threads = 1};
    struct vgg_model_info info;
    vgg_session *session;
    vgg_model_get_info(model, &info);
    vgg_status status = vgg_session_create(model, &options, &session, err);
    if (status != VGG_OK) {
        return status;
    }
    const size_t count = (size_t)info.channels * (size_t)info.height * (size_t)info.width;
    float *input = malloc(count * sizeof *input);
    float *logits = malloc((size_t)info.class_count * sizeof *logits);
    FILE *out = fopen(path, "wb");
    if (input == NULL || logits == NULL || out == NULL) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        input[i] = make_number((uint32_t)i);
    }
    status = vgg_session_run(session, input, 1, logits, err);
    fwrite(logits, sizeof *logits, (size_t)info.class_count, out);
    fclose(out);
    free(input);
    free(logits);
    vgg_session_destroy(session);
    return status;
}

/* What a user who insists on strictness gives beside the net: size, preprocessing and scores. */
static void give_preprocessing(const struct vgg_model_info *info, struct vgg_model_options *options)
{
    options->strict = true;
    options->height = options->resize = info->height;
    options->width = options->resize_width = info->width;
    options->no_normalize = true;
    options->interpolation = "bilinear";
    options->scores = "softmax";
    options->channels = info->channels == 1 ? "gray" : info->channels == 3 ? "rgb" : NULL;
}

static vgg_status describe(const char *path, const char *prefix, struct vgg_error *err)
{
    struct vgg_model_options options = {0};
    struct vgg_model_info info;
    vgg_checkpoint *checkpoint;
    vgg_model *model = NULL, *strict = NULL;
    char name[4096];
    vgg_status status = vgg_checkpoint_open(path, NULL, &checkpoint, err);
    if (status != VGG_OK) {
        return status;
    }
    status = vgg_model_create(checkpoint, &options, &model, err);
    if (status == VGG_OK) {
        snprintf(name, sizeof name, "%s.json", prefix);
        status = vgg_model_write_spec(model, name, err);
    }
    if (status == VGG_OK) {
        snprintf(name, sizeof name, "%s.f32", prefix);
        status = run(model, name, err);
    }
    if (status == VGG_OK) {
        vgg_model_get_info(model, &info);
        give_preprocessing(&info, &options);
        const bool known = vgg_model_create(checkpoint, &options, &strict, NULL) == VGG_OK;
        printf("net %d %d %d %d %d\n", info.channels, info.height, info.width, info.class_count,
               known);
        print_evidence(model);
        printf("end\n");
    }
    vgg_model_destroy(strict);
    vgg_model_destroy(model);
    vgg_checkpoint_close(checkpoint);
    return status;
}

int main(void)
{
    char line[8192];
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct vgg_error err = {0};
        line[strcspn(line, "\n")] = '\0';
        char *prefix = strchr(line, '\t');
        if (prefix == NULL) {
            return 2;
        }
        *prefix++ = '\0';
        if (describe(line, prefix, &err) != VGG_OK) {
            printf("refused %s\n", err.message);
        }
        fflush(stdout);
    }
    return 0;
}
