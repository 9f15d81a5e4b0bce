/* SPDX-License-Identifier: MIT */
/* Runs a checkpoint on given input tensors, for the golden tests.
 *
 *     run_model MODEL INPUT HEIGHT WIDTH OUTPUT CPU:THREADS:BATCH[:CONV[:PLAN]]…
 *
 * CONV is auto, exact, direct, f2, f4 or f6; PLAN is steady or one-shot. INPUT holds float32 [n][3][HEIGHT][WIDTH]. For each configuration [n][classes] float32 logits are
 * appended to OUTPUT. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vgg/vgg.h"

static int fail(const char *message)
{
    fprintf(stderr, "run_model: %s\n", message);
    return 1;
}

/* The file's floats; exits when there are none. */
static float *read_floats(const char *path, size_t *count)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    *count = (size_t)ftell(file) / sizeof(float);
    rewind(file);
    float *data = malloc(*count * sizeof *data);
    if (data == NULL || fread(data, sizeof *data, *count, file) != *count) {
        perror(path);
        exit(1);
    }
    fclose(file);
    return data;
}

static bool parse_conv(const char *name, enum vgg_conv_algorithm *out)
{
    static const char *const names[] = {"auto", "exact", "direct", "f2", "f4", "f6"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum vgg_conv_algorithm)i;
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    struct vgg_error err = {0};
    vgg_checkpoint *checkpoint = NULL;
    vgg_model *model = NULL;
    struct vgg_model_info info;
    size_t count;
    if (argc < 7) {
        return fail(
            "usage: run_model MODEL INPUT HEIGHT WIDTH OUTPUT CPU:THREADS:BATCH[:CONV[:PLAN]]...");
    }
    const int height = atoi(argv[3]), width = atoi(argv[4]);
    float *input = read_floats(argv[2], &count);
    const size_t image = 3 * (size_t)height * (size_t)width;
    const int images = (int)(count / image);
    FILE *output = fopen(argv[5], "wb");
    if (output == NULL) {
        return fail("cannot write the output");
    }
    if (vgg_checkpoint_open(argv[1], NULL, &checkpoint, &err) != VGG_OK ||
        vgg_model_create(checkpoint, NULL, &model, &err) != VGG_OK) {
        return fail(err.message);
    }
    vgg_model_get_info(model, &info);
    float *logits = malloc((size_t)images * (size_t)info.class_count * sizeof *logits);
    if (logits == NULL) {
        return fail("out of memory");
    }
    for (int i = 6; i < argc; i++) {
        char isa[32], conv[8] = "auto", plan[16] = "steady";
        vgg_session *session = NULL;
        struct vgg_session_options options = {.height = height, .width = width};
        if (sscanf(argv[i], "%31[^:]:%d:%d:%7[^:]:%15s", isa, &options.threads, &options.batch,
                   conv, plan) < 3 ||
            !vgg_isa_parse(isa, &options.isa) || !parse_conv(conv, &options.conv)) {
            return fail("bad CPU:THREADS:BATCH[:CONV[:PLAN]]");
        }
        options.one_shot = strcmp(plan, "one-shot") == 0;
        if (vgg_session_create(model, &options, &session, &err) != VGG_OK) {
            return fail(err.message);
        }
        for (int n = 0; n < images; n += options.batch) {
            const int now = images - n < options.batch ? images - n : options.batch;
            if (vgg_session_run(session, input + (size_t)n * image, now,
                                logits + (size_t)n * (size_t)info.class_count, &err) != VGG_OK) {
                return fail(err.message);
            }
        }
        vgg_session_destroy(session);
        const size_t values = (size_t)images * (size_t)info.class_count;
        if (fwrite(logits, sizeof *logits, values, output) != values) {
            return fail("cannot write the output");
        }
    }
    free(logits);
    free(input);
    vgg_model_destroy(model);
    vgg_checkpoint_close(checkpoint);
    return fclose(output) == 0 ? 0 : fail("cannot write the output");
}
