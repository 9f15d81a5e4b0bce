/* SPDX-License-Identifier: MIT */
/* vgg-infer in a process that the scripts of this folder time: it runs one inference for each line that it reads, so that
 * it can take turns with other engines. It writes one line of JSON when it is ready (instruction set, threads, the work
 * of a run) and then, for each line that it reads, the nanoseconds of one run. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vgg/vgg.h"

static const char usage[] =
    "usage: time_model [options] MODEL\n"
    "  --batch N, --threads N, --height N, --width N   of the session (1, all, the model's)\n"
    "  --isa ISA                     auto, scalar, avx2, avx512, amx, neon\n"
    "  --conv ALGORITHM              auto, exact, direct, f2, f4, f6\n"
    "  --input FILE, --output FILE   raw float32: the net's input (default: generated); the first\n"
    "                                run's logits\n";

static const char *const conv_names[] = {
    [VGG_CONV_AUTO] = "auto", [VGG_CONV_EXACT] = "exact", [VGG_CONV_DIRECT] = "direct",
    [VGG_CONV_F2] = "f2",     [VGG_CONV_F4] = "f4",       [VGG_CONV_F6] = "f6",
};

struct arguments {
    const char *model;
    /* Or NULL. */
    const char *input, *output;
    struct vgg_session_options session;
};

static long long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool parse_conv(const char *name, enum vgg_conv_algorithm *out)
{
    for (size_t i = 0; i < sizeof conv_names / sizeof *conv_names; i++) {
        if (strcmp(name, conv_names[i]) == 0) {
            *out = (enum vgg_conv_algorithm)i;
            return true;
        }
    }
    return false;
}

static bool parse_count(const char *text, int *out)
{
    char *end;
    errno = 0;
    const long value = strtol(text, &end, 10);
    *out = (int)value;
    return errno == 0 && end != text && *end == '\0' && value > 0 && value <= 1 << 16;
}

static bool parse_arguments(int argc, char **argv, struct arguments *out)
{
    static const struct option names[] = {
        {"batch", required_argument, NULL, 'b'},
        {"threads", required_argument, NULL, 't'},
        {"height", required_argument, NULL, 'h'},
        {"width", required_argument, NULL, 'w'},
        {"isa", required_argument, NULL, 'c'},
        {"conv", required_argument, NULL, 'a'},
        {"input", required_argument, NULL, 'i'},
        {"output", required_argument, NULL, 'o'},
        {0},
    };
    bool ok = true;
    out->session.batch = 1;
    for (int option; ok && (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
        case 'b':
            ok = parse_count(optarg, &out->session.batch);
            break;
        case 't':
            ok = parse_count(optarg, &out->session.threads);
            break;
        case 'h':
            ok = parse_count(optarg, &out->session.height);
            break;
        case 'w':
            ok = parse_count(optarg, &out->session.width);
            break;
        case 'c':
            ok = vgg_isa_parse(optarg, &out->session.isa);
            break;
        case 'a':
            ok = parse_conv(optarg, &out->session.conv);
            break;
        case 'i':
            out->input = optarg;
            break;
        case 'o':
            out->output = optarg;
            break;
        default:
            ok = false;
        }
    }
    if (!ok || optind + 1 != argc) {
        fputs(usage, stderr);
        return false;
    }
    out->model = argv[optind];
    return true;
}

/* Fills `input` from the file, or with numbers in the range of normalised images. */
static bool get_input(const char *path, float *input, size_t count)
{
    if (path == NULL) {
        for (size_t i = 0; i < count; i++) {
            input[i] = (float)(i * 2654435761u % 1000) / 250.0f - 2.0f;
        }
        return true;
    }
    FILE *file = fopen(path, "rb");
    const bool ok = file != NULL && fread(input, sizeof *input, count, file) == count;
    if (!ok) {
        fprintf(stderr, "%s: not a file of %zu float32\n", path, count);
    }
    if (file != NULL) {
        fclose(file);
    }
    return ok;
}

static bool put_output(const char *path, const float *logits, size_t count)
{
    FILE *file = fopen(path, "wb");
    bool ok = file != NULL && fwrite(logits, sizeof *logits, count, file) == count;
    ok = file != NULL && fclose(file) == 0 && ok;
    if (!ok) {
        fprintf(stderr, "%s: cannot be written\n", path);
    }
    return ok;
}

static void print_ready(const vgg_session *session)
{
    struct vgg_session_info info;
    double multiply_adds = 0, products = 0;
    vgg_session_get_info(session, &info);
    for (size_t i = 0; i < vgg_session_get_step_count(session); i++) {
        struct vgg_step_info step;
        vgg_session_get_step(session, i, &step);
        multiply_adds += step.multiply_adds;
        products += step.products;
    }
    printf("{\"version\": \"%s\", \"isa\": \"%s\", \"threads\": %d, \"height\": %d, \"width\": %d, "
           "\"multiply_adds\": %.0f, \"products\": %.0f, \"weight_bytes\": %llu, "
           "\"activation_bytes\": %llu}\n",
           vgg_version(), vgg_isa_string(info.isa), info.threads, info.height, info.width,
           multiply_adds, products, (unsigned long long)info.weight_bytes,
           (unsigned long long)info.activation_bytes);
    fflush(stdout);
}

/* Does one run for each line. `output` is NULL, or receives the logits of the first run. */
static bool serve(vgg_session *session, const float *input, int batch, float *logits, size_t count,
                  const char *output)
{
    struct vgg_error err = {0};
    for (int c = getchar(); c != EOF; c = getchar()) {
        if (c != '\n') {
            continue;
        }
        const long long start = now_ns();
        if (vgg_session_run(session, input, batch, logits, &err) != VGG_OK) {
            fprintf(stderr, "%s\n", err.message);
            return false;
        }
        const long long elapsed = now_ns() - start;
        if (output != NULL && !put_output(output, logits, count)) {
            return false;
        }
        output = NULL;
        printf("%lld\n", elapsed);
        fflush(stdout);
    }
    return true;
}

int main(int argc, char **argv)
{
    struct arguments args = {0};
    struct vgg_error err = {0};
    vgg_checkpoint *checkpoint = NULL;
    vgg_model *model = NULL;
    vgg_session *session = NULL;
    float *input = NULL, *logits = NULL;
    struct vgg_model_info model_info;
    struct vgg_session_info info;
    int exit_code = 1;
    if (!parse_arguments(argc, argv, &args)) {
        return 2;
    }
    if (vgg_checkpoint_open(args.model, NULL, &checkpoint, &err) != VGG_OK ||
        vgg_model_create(checkpoint, NULL, &model, &err) != VGG_OK ||
        vgg_session_create(model, &args.session, &session, &err) != VGG_OK) {
        fprintf(stderr, "%s\n", err.message);
        goto done;
    }
    vgg_model_get_info(model, &model_info);
    vgg_session_get_info(session, &info);
    const size_t batch = (size_t)args.session.batch;
    const size_t inputs = batch * 3 * (size_t)info.height * (size_t)info.width;
    const size_t outputs = batch * (size_t)model_info.class_count;
    input = malloc(inputs * sizeof *input);
    logits = malloc(outputs * sizeof *logits);
    if (input == NULL || logits == NULL) {
        fprintf(stderr, "out of memory\n");
        goto done;
    }
    if (!get_input(args.input, input, inputs)) {
        goto done;
    }
    print_ready(session);
    exit_code = serve(session, input, args.session.batch, logits, outputs, args.output) ? 0 : 1;
done:
    free(logits);
    free(input);
    vgg_session_destroy(session);
    vgg_model_destroy(model);
    vgg_checkpoint_close(checkpoint);
    return exit_code;
}
