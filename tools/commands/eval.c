/* SPDX-License-Identifier: MIT */
/* vgg-infer eval: accuracy and loss of a net on labelled images.
 *
 * Batch by batch: all threads decode, then all run the net. */
#include "report/eval_report.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands/commands.h"
#include "commands/eval_scores.h"
#include "io/message.h"
#include "io/plural.h"
#include "commands/net.h"
#include "io/read_image.h"
#include "io/progress.h"
#include "timing/timing.h"
#include "vgg/vgg.h"

enum { BATCH = 8, MAX_THREADS = 64 };

struct evaluation {
    const struct cli_options *options;
    const char *model_path, *folder;
    char bundled_path[PATH_MAX];

    struct net net;
    struct eval_scores scores;
    struct image_reader reader;
    const char **labels; /* [classes] */
    struct ground_truth_classes classes;
    struct ground_truth truth;
    vgg_session *session;
    int batch, threads;
    float *inputs;               /* [batch][channels][height][width] */
    float *outputs;              /* [batch][outputs] */
    size_t *order;               /* [batch] which image each input is of */
    struct vgg_error *problems;  /* [batch] why an image could not be read; code OK: it could */
    struct eval_answer *answers; /* [truth.count] */
    struct eval_outcome outcome;
    bool out_of_memory; /* for one image at least */
    bool bad_weights;
};

static vgg_status choose_operands(struct evaluation *v, struct vgg_error *err)
{
    const struct cli_options *options = v->options;
    const int before = options->model == NULL && options->operand_count > 1 ? 1 : 0;
    if (options->operand_count == before) {
        return message_fail(err, VGG_ERR_ARGUMENT, "no FOLDER given");
    }
    if (options->operand_count > before + 1) {
        return message_fail(err, VGG_ERR_ARGUMENT, "expected one FOLDER, got '%s' after it",
                            options->operands[before + 1]);
    }
    v->model_path = before == 1 ? options->operands[0] : options->model;
    v->folder = options->operands[before];
    struct stat info;
    if (stat(v->folder, &info) != 0) {
        return message_fail_errno(err, "%s: cannot read the folder", v->folder);
    }
    if (!S_ISDIR(info.st_mode)) {
        return message_fail(err, VGG_ERR_ARGUMENT, "%s: expected a folder of images, found a file",
                            v->folder);
    }
    return net_check_options(options, err);
}

static vgg_status open_model(struct evaluation *v, struct vgg_error *err)
{
    vgg_status status = VGG_OK;
    if (v->model_path == NULL) {
        status = net_find_bundled(v->bundled_path, sizeof v->bundled_path, err);
        v->model_path = v->bundled_path;
    }
    if (status == VGG_OK) {
        status = net_open(v->model_path, v->options, &v->net, err);
    }
    if (status == VGG_OK) {
        v->net.about.folded = v->net.about.info.batch_norm;
        status = vgg_model_check_classifier(v->net.model, err);
    }
    if (status == VGG_OK) {
        status = eval_scores_init(&v->net.about.info, (enum vgg_scores)v->options->scores,
                                  &v->scores, err);
        v->net.about.scores = vgg_scores_string(v->scores.kind);
    }
    return status;
}

static vgg_status read_ground_truth(struct evaluation *v, struct vgg_error *err)
{
    const int count = v->scores.count;
    v->reader = net_get_reader(&v->net);
    v->labels = calloc((size_t)count, sizeof *v->labels);
    if (v->labels == NULL) {
        return message_fail(err, VGG_ERR_MEMORY, "out of memory for %d labels", count);
    }
    for (int i = 0; i < count; i++) {
        v->labels[i] = vgg_model_get_label(v->net.model, i);
    }
    v->classes = (struct ground_truth_classes){.labels = v->labels, .count = count};
    return ground_truth_read(v->folder, v->options->labels_file, &v->classes, &v->truth, err);
}

/* Floats of one input. */
static size_t input_size(const struct evaluation *v)
{
    const struct vgg_model_info *info = &v->net.about.info;
    return (size_t)info->channels * (size_t)info->height * (size_t)info->width;
}

static vgg_status create_session(struct evaluation *v, struct vgg_error *err)
{
    const struct vgg_model_info *info = &v->net.about.info;
    v->batch = v->options->batch > 0 ? v->options->batch : BATCH;
    v->batch = (size_t)v->batch < v->truth.count ? v->batch : (int)v->truth.count;
    const struct vgg_session_options options = {
        .threads = v->options->threads,
        .isa = (enum vgg_isa)v->options->isa,
        .conv = (enum vgg_conv_algorithm)v->options->conv,
        .low_memory = v->options->low_memory,
        .batch = v->batch,
    };
    vgg_status status = vgg_session_create(v->net.model, &options, &v->session, err);
    if (status != VGG_OK) {
        return status;
    }
    struct vgg_session_info session;
    vgg_session_get_info(v->session, &session);
    v->threads = session.threads < MAX_THREADS ? session.threads : MAX_THREADS;
    const size_t batch = (size_t)v->batch;
    v->inputs = calloc(batch, input_size(v) * sizeof *v->inputs);
    v->outputs = calloc(batch * (size_t)info->class_count, sizeof *v->outputs);
    v->order = calloc(batch, sizeof *v->order);
    v->problems = calloc(batch, sizeof *v->problems);
    v->answers = calloc(v->truth.count, sizeof *v->answers);
    if (v->inputs == NULL || v->outputs == NULL || v->order == NULL || v->problems == NULL ||
        v->answers == NULL) {
        return message_fail(err, VGG_ERR_MEMORY, "%s: out of memory for a batch of %d",
                            v->model_path, v->batch);
    }
    return VGG_OK;
}

/* --- a batch ---------------------------------------------------------------------------------- */

/* Images first … first + count - 1, which threads take one by one. */
struct decoding {
    struct evaluation *v;
    size_t first;
    int count;
    atomic_int next;
};

static void *decode(void *argument)
{
    struct decoding *d = argument;
    struct evaluation *v = d->v;
    const struct report_model *about = &v->net.about;
    for (int i; (i = atomic_fetch_add(&d->next, 1)) < d->count;) {
        v->problems[i] = (struct vgg_error){0};
        const struct image_input input = {
            .tensor = v->inputs + (size_t)i * input_size(v),
            .height = about->info.height,
            .width = about->info.width,
        };
        (void)image_read_sized(v->truth.images[d->first + (size_t)i].path, &v->reader, &input,
                               &v->problems[i]);
    }
    return NULL;
}

/* On all threads; if some cannot be started, the others decode all images. */
static void decode_batch(struct evaluation *v, size_t first, int count)
{
    struct decoding decoding = {.v = v, .first = first, .count = count};
    pthread_t threads[MAX_THREADS];
    int started = 0;
    const int wanted = (v->threads < count ? v->threads : count) - 1;
    while (started < wanted && pthread_create(&threads[started], NULL, decode, &decoding) == 0) {
        started++;
    }
    (void)decode(&decoding);
    for (int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void fail_image(struct evaluation *v, size_t image, const struct vgg_error *problem)
{
    const char *path = v->truth.images[image].path;
    v->answers[image].best = -1;
    v->outcome.failed++;
    v->out_of_memory |= message_is_memory(problem);
    progress_clear();
    message_file_error(path, problem);
}

/* Moves the inputs that are there together; returns how many. */
static int pack_inputs(struct evaluation *v, size_t first, int count)
{
    const size_t size = input_size(v);
    int good = 0;
    for (int i = 0; i < count; i++) {
        if (v->problems[i].code != VGG_OK) {
            fail_image(v, first + (size_t)i, &v->problems[i]);
            continue;
        }
        if (good < i) {
            memcpy(v->inputs + (size_t)good * size, v->inputs + (size_t)i * size,
                   size * sizeof *v->inputs);
        }
        v->order[good++] = first + (size_t)i;
    }
    return good;
}

/* One image's outputs to its answer; false when an output is not finite. */
static bool judge(struct evaluation *v, size_t image, const float *outputs)
{
    struct eval_judgement judgement;
    if (!eval_scores_judge(&v->scores, outputs, v->truth.images[image].class_index, &judgement)) {
        return false;
    }
    v->answers[image] = (struct eval_answer){.best = judgement.best, .rank = judgement.rank};
    v->outcome.images++;
    v->outcome.best += judgement.rank == 0;
    v->outcome.among += judgement.rank < v->outcome.topk;
    v->outcome.loss += judgement.loss;
    return true;
}

static vgg_status run_batch(struct evaluation *v, size_t first, int count, struct vgg_error *err)
{
    decode_batch(v, first, count);
    const int good = pack_inputs(v, first, count);
    vgg_status status =
        good == 0 ? VGG_OK : vgg_session_run(v->session, v->inputs, good, v->outputs, err);
    for (int i = 0; i < good && status == VGG_OK; i++) {
        if (judge(v, v->order[i], v->outputs + (size_t)i * (size_t)v->net.about.info.class_count)) {
            continue;
        }
        status = vgg_model_check_weights(v->net.model, err);
        v->bad_weights = status != VGG_OK;
        if (status == VGG_OK) {
            struct vgg_error problem = {0};
            (void)message_fail(&problem, VGG_ERR_UNSUPPORTED,
                               "the logits are not finite: the net overflows on this image");
            fail_image(v, v->order[i], &problem);
        }
    }
    return status;
}

static vgg_status run_all(struct evaluation *v, struct vgg_error *err)
{
    const double start = timing_now_ms();
    const size_t batch = (size_t)v->batch;
    for (size_t first = 0; first < v->truth.count; first += batch) {
        const size_t left = v->truth.count - first, count = left < batch ? left : batch;
        vgg_status status = run_batch(v, first, (int)count, err);
        if (status != VGG_OK) {
            return status;
        }
        progress_show("images", first + count, v->truth.count);
    }
    v->outcome.seconds = 1e-3 * (timing_now_ms() - start);
    if (v->outcome.images == 0) {
        return message_fail(err, VGG_ERR_IO,
                            "%s: expected images, got %zu file%s that cannot be used", v->folder,
                            v->truth.count, plural_s(v->truth.count));
    }
    v->outcome.loss /= (double)v->outcome.images;
    return VGG_OK;
}

/* --- the command ------------------------------------------------------------------------------ */

static vgg_status write_report(const struct evaluation *v, FILE *out, struct vgg_error *err)
{
    const bool json = v->options->format == FORMAT_JSON;
    if (!(json ? eval_write_json : eval_write_text)(&v->outcome, out)) {
        return message_fail(err, VGG_ERR_MEMORY, "out of memory for the report");
    }
    if (fflush(out) != 0 || ferror(out) != 0) {
        return message_fail_errno(err, "cannot write the results");
    }
    if (eval_is_chance(&v->outcome)) {
        message_print("%s: no better than guessing; check the order of the classes and --preset %s",
                      v->folder, v->net.about.preprocess->name);
    }
    return VGG_OK;
}

static void free_validation(struct evaluation *v)
{
    vgg_session_destroy(v->session);
    net_close(&v->net);
    ground_truth_free(&v->truth);
    free(v->labels);
    free(v->inputs);
    free(v->outputs);
    free(v->order);
    free(v->problems);
    free(v->answers);
}

static struct eval_outcome begin_outcome(const struct evaluation *v)
{
    const struct cli_options *options = v->options;
    return (struct eval_outcome){
        .model = &v->net.about,
        .folder = v->folder,
        .list = options->labels_file,
        .truth = &v->truth,
        .classes = &v->classes,
        .answers = v->answers,
        .loss_name = eval_scores_name_loss(&v->scores),
        .topk = options->topk < v->classes.count ? options->topk : v->classes.count,
    };
}

int command_eval(const struct cli_options *options, struct command_outputs *outputs)
{
    struct vgg_error err = {0};
    struct evaluation v = {.options = options};
    int exit_code = EXIT_USAGE;
    vgg_status status = choose_operands(&v, &err);
    if (status != VGG_OK) {
        goto done;
    }
    status = open_model(&v, &err);
    if (status != VGG_OK) {
        exit_code = net_exit_code(&err);
        goto done;
    }
    exit_code = EXIT_FAILED;
    status = read_ground_truth(&v, &err);
    if (status == VGG_OK) {
        status = create_session(&v, &err);
    }
    if (status != VGG_OK) {
        goto done;
    }
    v.outcome = begin_outcome(&v);
    status = run_all(&v, &err);
    if (status == VGG_OK) {
        status = write_report(&v, outputs->results.file, &err);
    }
done:
    status = outputs_finish(&outputs->all, status, &err);
    if (status != VGG_OK && err.sys_errno != EPIPE) {
        message_error(&err);
    }
    const bool failed = v.outcome.failed > 0;
    free_validation(&v);
    if (message_is_memory(&err) || v.out_of_memory) {
        return EXIT_MEMORY;
    }
    if (status != VGG_OK) {
        return v.bad_weights ? EXIT_MODEL : exit_code;
    }
    return failed ? EXIT_FAILED : EXIT_GOOD;
}
