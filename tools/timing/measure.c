/* SPDX-License-Identifier: MIT */
/* Time one configuration of a net. */
#include "timing/measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/message.h"

enum { MAX_RUNS = 10000, WARM_UPS = 2 };

#define STABLE 0.01 /* a smaller error of the median ends the runs */
#define DRIFT 0.05  /* a larger difference of the two peaks is reported */

/* State that lives as long as the runs. */
struct runner {
    const struct measure_options *options;
    struct measurement *out;
    float *input;   /* [batch][channels][height][width] */
    float *logits;  /* [batch][classes] */
    double *run_ms; /* [capacity] */
    float *step_ms; /* [capacity][step_count][2]: running, prepacking */
    double *sorted; /* [capacity] */
    size_t capacity, count;
};

/* Random numbers from -2 to 2, the range of normalised pixels; the same in every process. */
static void fill_random(float *out, size_t count)
{
    uint64_t state = 0x9e3779b97f4a7c15;
    for (size_t i = 0; i < count; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out[i] = (float)(int32_t)(state >> 32) * 0x1p-30F;
    }
}

static vgg_status allocate(struct runner *runner, size_t classes, struct vgg_error *err)
{
    const struct measure_options *options = runner->options;
    const size_t batch = (size_t)options->batch;
    const size_t plane =
        (size_t)options->channels * (size_t)options->height * (size_t)options->width;
    runner->capacity = options->runs > 0 ? (size_t)options->runs : MAX_RUNS;
    runner->input = malloc(batch * plane * sizeof *runner->input);
    runner->logits = calloc(batch * classes, sizeof *runner->logits);
    runner->run_ms = calloc(runner->capacity, sizeof *runner->run_ms);
    runner->sorted = calloc(runner->capacity, sizeof *runner->sorted);
    if (runner->input == NULL || runner->logits == NULL || runner->run_ms == NULL ||
        runner->sorted == NULL) {
        return message_fail(err, VGG_ERR_MEMORY, "out of memory for %d images of %dx%d",
                            options->batch, options->width, options->height);
    }
    if (options->image == NULL) {
        fill_random(runner->input, batch * plane);
        return VGG_OK;
    }
    for (size_t n = 0; n < batch; n++) {
        memcpy(runner->input + n * plane, options->image, plane * sizeof *runner->input);
    }
    return VGG_OK;
}

static vgg_status create_session(struct runner *runner, const vgg_model *model,
                                 struct vgg_error *err)
{
    const struct measure_options *options = runner->options;
    struct measurement *out = runner->out;
    const struct vgg_session_options session_options = {
        .threads = options->threads,
        .isa = options->isa,
        .conv = options->conv,
        .one_shot = options->one_shot,
        .low_memory = options->low_memory,
        .batch = options->batch,
        .height = options->height,
        .width = options->width,
    };
    double start = timing_now_ms();
    vgg_status status = vgg_session_create(model, &session_options, &out->session, err);
    timing_lap(&start, &out->timing.prepack_ms);
    if (status != VGG_OK) {
        return status;
    }
    vgg_session_get_info(out->session, &out->info);
    out->step_count = vgg_session_get_step_count(out->session);
    out->steps = calloc(out->step_count, sizeof *out->steps);
    runner->step_ms = calloc(runner->capacity * out->step_count, 2 * sizeof *runner->step_ms);
    return out->steps != NULL && runner->step_ms != NULL
               ? VGG_OK
               : message_fail(err, VGG_ERR_MEMORY, "out of memory for the times of %zu steps",
                              out->step_count);
}

static vgg_status run_once(struct runner *runner, double *ms, struct vgg_error *err)
{
    const double start = timing_now_ms();
    vgg_status status = vgg_session_run(runner->out->session, runner->input, runner->options->batch,
                                        runner->logits, err);
    *ms = timing_now_ms() - start;
    return status;
}

static void note_steps(struct runner *runner)
{
    const size_t steps = runner->out->step_count;
    for (size_t s = 0; s < steps; s++) {
        struct vgg_step_info info;
        vgg_session_get_step(runner->out->session, s, &info);
        float *ms = runner->step_ms + 2 * (runner->count * steps + s);
        ms[0] = (float)(1e-6 * (double)info.last_ns);
        ms[1] = (float)(1e-6 * (double)info.prepack_ns);
    }
}

static void summarise(struct runner *runner)
{
    memcpy(runner->sorted, runner->run_ms, runner->count * sizeof *runner->sorted);
    stats_compute(runner->sorted, runner->count, &runner->out->run);
    runner->out->stable = runner->out->run.median_error <= STABLE;
}

/* Whether the median is known well enough, or time is up. Checked only after each tenth
 * more runs, since the check sorts all of them. */
static bool is_done(struct runner *runner, double begin, double runs_begin, size_t *next_look)
{
    const struct measure_options *options = runner->options;
    const double now = timing_now_ms();
    if (runner->count == runner->capacity) {
        return true;
    }
    if (options->runs > 0) {
        return false;
    }
    if (now - begin >= options->max_ms) {
        return true;
    }
    if (runner->count < *next_look || now - runs_begin < options->min_ms) {
        return false;
    }
    *next_look = runner->count + runner->count / 10 + 1;
    summarise(runner);
    if (options->progress != NULL) {
        options->progress(options->user, runner->count);
    }
    return runner->out->stable;
}

static vgg_status run_many(struct runner *runner, double begin, struct vgg_error *err)
{
    const double runs_begin = timing_now_ms();
    size_t next_look = 6;
    do {
        vgg_status status = run_once(runner, &runner->run_ms[runner->count], err);
        if (status != VGG_OK) {
            return status;
        }
        note_steps(runner);
        runner->count++;
    } while (!is_done(runner, begin, runs_begin, &next_look));
    summarise(runner);
    return VGG_OK;
}

/* The mean of a step's running (0) or prepacking (1) over the middle quarter of the runs, which take from
 * min_ms to max_ms: unlike the medians of steps, these means add up to a run on a disturbed machine too. */
static double get_step_ms(const struct runner *runner, size_t step, size_t kind, double min_ms,
                          double max_ms)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < runner->count; i++) {
        if (runner->run_ms[i] >= min_ms && runner->run_ms[i] <= max_ms) {
            sum += (double)runner->step_ms[2 * (i * runner->out->step_count + step) + kind];
            count++;
        }
    }
    return sum / (double)count;
}

/* After summarise, which sorts the runs. */
static void summarise_steps(struct runner *runner)
{
    struct measurement *out = runner->out;
    const size_t last = runner->count - 1, below = (3 * last + 4) / 8; /* of 3 and 5 the median */
    const double min_ms = runner->sorted[below], max_ms = runner->sorted[last - below];
    for (size_t s = 0; s < out->step_count; s++) {
        vgg_session_get_step(out->session, s, &out->steps[s].info);
        out->steps[s].ms = get_step_ms(runner, s, 0, min_ms, max_ms);
        out->steps[s].prepack_ms = get_step_ms(runner, s, 1, min_ms, max_ms);
    }
}

vgg_status measure_run(const vgg_model *model, const struct measure_options *options,
                       struct measurement *out, struct vgg_error *err)
{
    struct vgg_model_info model_info;
    struct runner runner = {.options = options, .out = out};
    const double begin = timing_now_ms();
    double ignored;
    *out = (struct measurement){.one_shot = options->one_shot || options->low_memory};
    vgg_model_get_info(model, &model_info);
    timing_reset_memory();
    vgg_status status = allocate(&runner, (size_t)model_info.class_count, err);
    if (status == VGG_OK) {
        status = create_session(&runner, model, err);
    }
    if (status == VGG_OK) {
        status = run_once(&runner, &out->first_ms, err);
    }
    if (status != VGG_OK) {
        goto done;
    }
    timing_sample_memory(&out->timing);
    vgg_session_measure_peak(out->session, &out->begin);
    for (int i = 0; i < WARM_UPS && status == VGG_OK; i++) {
        status = run_once(&runner, &ignored, err);
    }
    if (status == VGG_OK) {
        status = run_many(&runner, begin, err);
    }
    if (status == VGG_OK) {
        vgg_session_measure_peak(out->session, &out->end);
        timing_sample_memory(&out->timing);
        summarise_steps(&runner);
    }
done:
    free(runner.input);
    free(runner.logits);
    free(runner.run_ms);
    free(runner.step_ms);
    free(runner.sorted);
    return status;
}

void measurement_free(struct measurement *measurement)
{
    vgg_session_destroy(measurement->session);
    free(measurement->steps);
    *measurement = (struct measurement){0};
}

struct vgg_peak measurement_get_peak(const struct measurement *measurement)
{
    const struct vgg_peak *a = &measurement->begin, *b = &measurement->end;
    return (struct vgg_peak){
        .flops_per_second = fmax(a->flops_per_second, b->flops_per_second),
        .bytes_per_second = fmax(a->bytes_per_second, b->bytes_per_second),
        .winograd_flops_per_second =
            fmax(a->winograd_flops_per_second, b->winograd_flops_per_second),
    };
}

static bool differ(double a, double b)
{
    return fabs(a - b) > DRIFT * fmax(a, b);
}

bool measurement_has_drifted(const struct measurement *measurement)
{
    const struct vgg_peak *a = &measurement->begin, *b = &measurement->end;
    return differ(a->flops_per_second, b->flops_per_second) ||
           differ(a->bytes_per_second, b->bytes_per_second);
}

/* Milliseconds to read the weights; 0 where nothing is known of it. Convolutions' weights may well
 * stay in a cache from run to run, so that only fully connected layers are held against memory. */
static double get_read_ms(const struct vgg_step_info *info, const struct vgg_peak *peak)
{
    const bool linear = strncmp(info->nodes, "Linear", 6) == 0;
    return linear && peak->bytes_per_second > 0
               ? 1e3 * (double)info->read_bytes / peak->bytes_per_second
               : 0;
}

double measure_get_product_ms(const struct vgg_step_info *info, const struct vgg_peak *peak)
{
    const bool winograd = strncmp(info->algorithm, "F(", 2) == 0;
    return 2e3 * info->products /
           (winograd ? peak->winograd_flops_per_second : peak->flops_per_second);
}

double measure_get_roofline_ms(const struct vgg_step_info *info, const struct vgg_peak *peak)
{
    return fmax(measure_get_product_ms(info, peak), get_read_ms(info, peak));
}

bool measure_is_read_bound(const struct vgg_step_info *info, const struct vgg_peak *peak)
{
    return get_read_ms(info, peak) > measure_get_product_ms(info, peak);
}

struct measure_total measurement_sum(const struct measurement *measurement)
{
    const struct vgg_peak peak = measurement_get_peak(measurement);
    struct measure_total total = {0};
    for (size_t s = 0; s < measurement->step_count; s++) {
        const struct measure_step *step = &measurement->steps[s];
        total.ms += step->ms;
        total.prepack_ms += step->prepack_ms;
        total.multiply_adds += step->info.multiply_adds;
        total.products += step->info.products;
        total.product_ms += measure_get_product_ms(&step->info, &peak);
        total.roofline_ms += measure_get_roofline_ms(&step->info, &peak);
        total.predicted_ms += step->info.predicted_ms;
        total.predicted_steps_ms += step->info.predicted_ms > 0 ? step->ms : 0;
        total.weight_bytes += step->info.weight_bytes;
        total.read_bytes += step->info.read_bytes;
        total.activation_bytes += step->info.input_bytes + step->info.output_bytes;
    }
    total.run_ms = total.ms + (measurement->one_shot ? total.prepack_ms : 0);
    return total;
}
