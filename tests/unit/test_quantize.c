/* SPDX-License-Identifier: MIT */
/* quantize: distributions, weights and grids; what is measured is what the saved net does; the order of calls;
 * every allocation failing in turn. */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pack/quantize/quantizer_types.h"
#include "vgg/vgg.h"
#include "writer.h"

enum { SIDE = 8, IMAGE_FLOATS = 3 * SIDE * SIDE, CLASSES = 10, IMAGES = 6 };

static struct vgg_error err;
static char folder[UNIT_FOLDER_BYTES], path[UNIT_PATH_BYTES];

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(unit_temporary(folder, "vgg-quantize")));
    snprintf(path, sizeof path, "%s/net.vgg", folder);
}

static void remove_folder(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

/* --- histograms ------------------------------------------------------------------------------- */

static uint64_t bins[VGG_HISTOGRAM_BINS];

START_TEST(a_histogram_grows_with_its_numbers)
{
    struct vgg_histogram histogram = {.bins = bins};
    float numbers[1000];
    uint64_t total = 0;
    ck_assert(vgg_histogram_add(&histogram, (const float[]){0, 0}, 2));
    ck_assert(histogram.top == 0);
    ck_assert(vgg_histogram_clip(&histogram, VGG_CLIP_MIN_MAX) == 1);
    for (int round = 0; round < 12; round++) { /* from 0.001 up to 2, to 4, …, to 4096 */
        for (int i = 0; i < 1000; i++) {
            numbers[i] = ldexpf((float)(i + 1) / 1000, round);
        }
        ck_assert(vgg_histogram_add(&histogram, numbers, 1000));
        ck_assert(histogram.top > 0.999 * ldexp(1, round) && histogram.top <= ldexp(2, round));
        total = 0;
        for (int i = 0; i < VGG_HISTOGRAM_BINS; i++) {
            total += bins[i];
        }
        ck_assert_uint_eq(total, 1000u * (unsigned)(round + 1));
    }
    ck_assert_uint_eq(histogram.count, total + 2);
    ck_assert_uint_eq(histogram.zeros, 2);
    ck_assert(histogram.largest == 2048);
    /* Half of them are below 32 or so: those of the first six rounds, and a part of the others. */
    uint64_t below = 0;
    for (int i = 0; i < VGG_HISTOGRAM_BINS / 128; i++) {
        below += bins[i];
    }
    ck_assert_int_eq((int)(below / 100), 69); /* 6 rounds, and 1/2 + 1/4 + … of the others */
    ck_assert(!vgg_histogram_add(&histogram, (const float[]){1, -1}, 2));
    ck_assert(!vgg_histogram_add(&histogram, (const float[]){1, NAN}, 2));
    ck_assert(!vgg_histogram_add(&histogram, (const float[]){1, INFINITY}, 2));
    ck_assert_uint_eq(histogram.count, total + 2);
}
END_TEST

/* Numbers of 0 to 1, and one in ten thousand of 10. */
static struct vgg_histogram with_outliers(void)
{
    struct vgg_histogram histogram = {.bins = bins};
    float numbers[10000];
    memset(bins, 0, sizeof bins);
    for (int i = 0; i < 10000; i++) {
        numbers[i] = i == 0 ? 10 : (float)i / 10000;
    }
    for (int round = 0; round < 10; round++) {
        ck_assert(vgg_histogram_add(&histogram, numbers, 10000));
    }
    return histogram;
}

START_TEST(every_method_clips_where_it_says)
{
    struct vgg_histogram histogram = with_outliers();
    static const struct {
        enum vgg_clip clip;
        float at;
        double clipped;
    } expected[] = {{VGG_CLIP_MIN_MAX, 10, 0},
                    {VGG_CLIP_99_999, 10, 0},
                    {VGG_CLIP_99_99, 1, 0.0001},
                    {VGG_CLIP_99_9, 0.999f, 0.001}};
    double clipped;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const float at = vgg_histogram_clip(&histogram, expected[i].clip);
        ck_assert_msg(fabsf(at - expected[i].at) <= 0.003f, "%s: %g",
                      vgg_clip_string(expected[i].clip), (double)at);
        vgg_histogram_error(&histogram, at, &clipped);
        ck_assert_double_eq_tol(clipped, expected[i].clipped, 0.001); /* bins of 0.002 */
    }
}
END_TEST

/* What an error is said to be is what quantising the numbers makes it. */
START_TEST(the_error_is_that_of_bytes)
{
    struct vgg_histogram histogram = {.bins = bins};
    enum { COUNT = 20000 };
    static float numbers[COUNT];
    double clipped, least = HUGE_VAL;
    float best = 0;
    memset(bins, 0, sizeof bins);
    for (int i = 0; i < COUNT; i++) { /* exponentially distributed, a third of them zeros */
        numbers[i] = i % 3 == 0 ? 0 : -logf((float)(i + 1) / (COUNT + 1));
    }
    ck_assert(vgg_histogram_add(&histogram, numbers, COUNT));
    for (float clip = 1; clip <= histogram.largest; clip += 0.05f) {
        double error = 0;
        for (int i = 0; i < COUNT; i++) {
            const float q = rintf(numbers[i] * 255 / clip);
            const double difference =
                (double)numbers[i] - (double)(q > 255 ? 255 : q) * (double)clip / 255;
            error += difference * difference;
        }
        const double said = vgg_histogram_error(&histogram, clip, &clipped);
        ck_assert_msg(fabs(said / error - 1) < 0.03, "at %g: %g, really %g", (double)clip, said,
                      error);
        if (error < least) {
            least = error;
            best = clip;
        }
    }
    const float found = vgg_histogram_clip(&histogram, VGG_CLIP_MSE);
    ck_assert_msg(fabsf(found - best) < 0.2f, "%g, really %g", (double)found, (double)best);
}
END_TEST

/* --- a net in memory -------------------------------------------------------------------------- */

struct opened {
    struct bytes file;
    vgg_checkpoint *checkpoint;
    vgg_model *model;
};

static void put_tensor_entry(struct bytes *header, const char *name, const char *shape,
                             size_t begin, size_t end)
{
    char text[160];
    snprintf(text, sizeof text,
             "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
             header->size > 1 ? "," : "", name, shape, begin, end);
    put(header, text, strlen(text));
}

/* conv channels->8, ReLU, pool, conv 8->20, ReLU, linear 320->16, ReLU, linear 16->10: a safetensors file. */
static struct bytes make_file_of(int channels)
{
    char first[16];
    snprintf(first, sizeof first, "8,%d,3,3", channels);
    const struct {
        const char *name, *shape;
        size_t count;
        float size;
    } tensors[] = {{"features.0.weight", first, 72 * (size_t)channels, 0.4f},
                   {"features.0.bias", "8", 8, 0.1f},
                   {"features.3.weight", "20,8,3,3", 1440, 0.25f},
                   {"features.3.bias", "20", 20, 0.1f},
                   {"classifier.0.weight", "16,320", 5120, 0.1f},
                   {"classifier.0.bias", "16", 16, 0.1f},
                   {"classifier.3.weight", "10,16", 160, 0.4f},
                   {"classifier.3.bias", "10", 10, 0.1f}};
    struct bytes header = {0}, data = {0}, file = {0};
    uint32_t random = 3;
    put(&header, "{", 1);
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++) {
        const size_t begin = data.size;
        for (size_t n = 0; n < tensors[i].count; n++) {
            random = random * 1664525u + 1013904223u;
            const float value = tensors[i].size * ((float)(random >> 8) * 0x1p-23f - 1);
            put_floats(&data, &value, 1);
        }
        put_tensor_entry(&header, tensors[i].name, tensors[i].shape, begin, data.size);
    }
    put(&header, "}", 1);
    put_le(&file, header.size, 8);
    put(&file, header.data, header.size);
    put(&file, data.data, data.size);
    free(header.data);
    free(data.data);
    return file;
}

static struct bytes make_file(void)
{
    return make_file_of(3);
}

static vgg_status open_net(struct opened *out, const char *preset,
                           const struct vgg_context *context)
{
    const struct vgg_model_options options = {.cfg = "8, M, 20", .preset = preset};
    vgg_status status = vgg_checkpoint_open_memory(
        out->file.data, out->file.size, "net.safetensors", NULL, context, &out->checkpoint, &err);
    return status == VGG_OK ? vgg_model_create(out->checkpoint, &options, &out->model, &err)
                            : status;
}

static void close_net(struct opened *net)
{
    vgg_model_destroy(net->model);
    vgg_checkpoint_close(net->checkpoint);
    net->model = NULL;
    net->checkpoint = NULL;
}

/* Images of 8-bit pixels, normalised as the model's preprocessing has it. */
static void make_images(const vgg_model *model, float made[IMAGES][IMAGE_FLOATS])
{
    const struct vgg_preprocess *preprocess = vgg_model_get_preprocess(model);
    uint32_t random = 11;
    for (int i = 0; i < IMAGES * IMAGE_FLOATS; i++) {
        const int c = i / (SIDE * SIDE) % 3;
        random = random * 1664525u + 1013904223u;
        const float pixel = (float)(random >> 24) / 255;
        made[i / IMAGE_FLOATS][i % IMAGE_FLOATS] =
            (pixel - preprocess->mean[c]) / preprocess->std[c];
    }
}

/* From images to the file at `path`. */
static vgg_status quantize(const vgg_model *model, float used[][IMAGE_FLOATS], int count,
                           struct vgg_quantized_totals *totals)
{
    const struct vgg_quantizer_options options = {.threads = 2};
    vgg_quantizer *quantizer;
    vgg_status status = vgg_quantizer_create(model, &options, &quantizer, &err);
    for (int i = 0; i < count && status == VGG_OK; i++) {
        status = vgg_quantizer_add(quantizer, used[i], &err);
    }
    status = status ? status : vgg_quantizer_choose(quantizer, NULL, NULL, &err);
    for (int i = 0; i < count && status == VGG_OK; i++) {
        status = vgg_quantizer_measure(quantizer, used[i], &err);
    }
    status = status ? status : vgg_quantizer_save(quantizer, path, &err);
    if (status == VGG_OK && totals != NULL) {
        vgg_quantizer_get_totals(quantizer, totals);
    }
    vgg_quantizer_destroy(quantizer);
    return status;
}

static void run(const vgg_model *model, const float *input, int count, float *logits)
{
    const struct vgg_session_options options = {.threads = 2, .batch = count};
    vgg_session *session;
    ck_assert_msg(vgg_session_create(model, &options, &session, &err) == VGG_OK, "%s", err.message);
    ck_assert_int_eq(vgg_session_run(session, input, count, logits, &err), VGG_OK);
    vgg_session_destroy(session);
}

static float images[IMAGES][IMAGE_FLOATS];

START_TEST(the_saved_net_does_what_was_measured)
{
    struct opened net = {.file = make_file()}, packed = {0};
    struct vgg_quantized_totals totals;
    struct vgg_model_info info;
    float expected[IMAGES][CLASSES], found[IMAGES][CLASSES];
    double signal = 0, noise = 0, largest = 0;
    make_folder();
    ck_assert_msg(open_net(&net, NULL, NULL) == VGG_OK, "%s", err.message);
    make_images(net.model, images);
    ck_assert_msg(quantize(net.model, images, IMAGES, &totals) == VGG_OK, "%s", err.message);
    ck_assert_msg(vgg_checkpoint_open(path, NULL, &packed.checkpoint, &err) == VGG_OK, "%s",
                  err.message);
    ck_assert_int_eq(vgg_checkpoint_verify(packed.checkpoint, NULL, &err), VGG_OK);
    ck_assert_msg(vgg_model_create(packed.checkpoint, NULL, &packed.model, &err) == VGG_OK, "%s",
                  err.message);
    struct vgg_model_verified verified;
    ck_assert_msg(vgg_model_verify(packed.model, &verified, &err) == VGG_OK, "%s", err.message);
    ck_assert_uint_gt(verified.compared, 2);
    vgg_model_get_info(packed.model, &info);
    ck_assert(info.int8 && !info.batch_norm && info.height == SIDE);
    ck_assert_str_eq(info.spec_source, "the packed file");
    run(net.model, images[0], IMAGES, expected[0]);
    run(packed.model, images[0], IMAGES, found[0]);
    for (int n = 0; n < IMAGES; n++) {
        for (int i = 0; i < CLASSES; i++) {
            const double difference = (double)found[n][i] - (double)expected[n][i];
            signal += (double)expected[n][i] * (double)expected[n][i];
            noise += difference * difference;
            largest = fmax(largest, fabs(difference));
        }
    }
    ck_assert_int_eq(totals.added, IMAGES);
    ck_assert_int_eq(totals.measured, IMAGES);
    ck_assert_double_eq_tol(totals.snr_db, 10 * log10(signal / noise), 0.01);
    ck_assert_double_eq_tol(totals.max_abs, largest, 1e-5);
    ck_assert_msg(totals.snr_db > 35, "%g dB", totals.snr_db);

    /* What an int8 net is not. */
    vgg_session *session;
    vgg_quantizer *quantizer;
    vgg_model *dense;
    const struct vgg_session_options exact = {.conv = VGG_CONV_EXACT};
    const struct vgg_model_options wide = {.dense = true};
    ck_assert_int_eq(vgg_session_create(packed.model, &exact, &session, &err), VGG_ERR_ARGUMENT);
    ck_assert_int_eq(vgg_quantizer_create(packed.model, NULL, &quantizer, &err), VGG_ERR_ARGUMENT);
    ck_assert_int_eq(vgg_model_pack(packed.model, path, NULL, &err), VGG_ERR_ARGUMENT);
    ck_assert_int_eq(vgg_model_create(packed.checkpoint, &wide, &dense, &err), VGG_ERR_UNSUPPORTED);
    setenv("VGG_ISA", "pentium", 1);
    ck_assert_int_eq(vgg_quantizer_create(net.model, NULL, &quantizer, &err), VGG_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(err.message, "VGG_ISA: "));
    unsetenv("VGG_ISA");
    close_net(&packed);
    close_net(&net);
    free(net.file.data);
    remove_folder();
}
END_TEST

/* All 256 values of a pixel are bytes of the grid, whatever the preprocessing. */
START_TEST(pixels_are_the_grid)
{
    static const char *const presets[] = {"imagenet", "features", "cifar", "caffe", "vgg-face"};
    struct opened net = {.file = make_file()};
    for (size_t p = 0; p < sizeof presets / sizeof presets[0]; p++) {
        vgg_quantizer *quantizer;
        ck_assert_msg(open_net(&net, presets[p], NULL) == VGG_OK, "%s", err.message);
        const struct vgg_preprocess *preprocess = vgg_model_get_preprocess(net.model);
        ck_assert_msg(vgg_quantizer_create(net.model, NULL, &quantizer, &err) == VGG_OK, "%s",
                      err.message);
        for (int plane = 0; plane < 3; plane++) {
            const int c = preprocess->bgr ? 2 - plane : plane;
            const float scale = preprocess->unscaled ? 1.0f : 255.0f;
            const float low = quantizer->grid.low[plane],
                        inverse = 1.0f / quantizer->grid.step[plane];
            for (int v = 0; v < 256; v++) {
                const float x = ((float)v / scale - preprocess->mean[c]) / preprocess->std[c];
                ck_assert_int_eq((int)rintf((x - low) * inverse), v);
                ck_assert(fabsf((x - low) * inverse - (float)v) < 1e-3f);
            }
        }
        vgg_quantizer_destroy(quantizer);
        close_net(&net);
    }
    free(net.file.data);
}
END_TEST

START_TEST(other_inputs_have_the_range_there_was)
{
    struct opened net = {.file = make_file()};
    vgg_quantizer *quantizer;
    float input[IMAGE_FLOATS];
    ck_assert_int_eq(open_net(&net, NULL, NULL), VGG_OK);
    ck_assert_int_eq(vgg_quantizer_create(net.model, NULL, &quantizer, &err), VGG_OK);
    for (int i = 0; i < IMAGE_FLOATS; i++) { /* -10 … 10 in each channel */
        input[i] = (float)(i % (SIDE * SIDE)) * 20 / (SIDE * SIDE - 1) - 10;
    }
    ck_assert_int_eq(vgg_quantizer_add(quantizer, input, &err), VGG_OK);
    ck_assert_int_eq(vgg_quantizer_choose(quantizer, NULL, NULL, &err), VGG_OK);
    for (int c = 0; c < 3; c++) {
        ck_assert(fabsf(quantizer->grid.low[c] + 10) < 1e-5f);
        ck_assert(fabsf(quantizer->grid.step[c] - 20.0f / 255) < 1e-6f);
    }
    vgg_quantizer_destroy(quantizer);
    close_net(&net);
    free(net.file.data);
}
END_TEST

static void count_steps(void *user, int done, int total)
{
    int *last = user;
    ck_assert_int_eq(done, *last + 1);
    ck_assert_int_le(done, total);
    *last = done;
}

START_TEST(calls_in_the_wrong_order_are_refused)
{
    struct opened net = {.file = make_file()};
    vgg_quantizer *quantizer;
    float input[IMAGE_FLOATS] = {NAN};
    int steps = 0;
    ck_assert_int_eq(open_net(&net, NULL, NULL), VGG_OK);
    make_images(net.model, images);
    ck_assert_int_eq(vgg_quantizer_create(net.model, NULL, &quantizer, &err), VGG_OK);
    ck_assert_int_eq(vgg_quantizer_choose(quantizer, NULL, NULL, &err), VGG_ERR_ARGUMENT);
    ck_assert_int_eq(vgg_quantizer_measure(quantizer, images[0], &err), VGG_ERR_ARGUMENT);
    ck_assert_int_eq(vgg_quantizer_save(quantizer, "/nowhere/x.vgg", &err), VGG_ERR_ARGUMENT);
    ck_assert_int_eq(vgg_quantizer_add(quantizer, images[0], &err), VGG_OK);
    ck_assert_int_eq(vgg_quantizer_choose(quantizer, count_steps, &steps, &err), VGG_OK);
    ck_assert_int_eq(steps,
                     4 + 5 + 3 * 4); /* layers; methods; layers without the last, other methods */
    ck_assert_int_eq(vgg_quantizer_add(quantizer, images[0], &err), VGG_ERR_ARGUMENT);
    ck_assert_int_eq(vgg_quantizer_choose(quantizer, NULL, NULL, &err), VGG_ERR_ARGUMENT);
    ck_assert_int_eq(vgg_quantizer_save(quantizer, NULL, &err), VGG_ERR_ARGUMENT);
    ck_assert_int_eq(vgg_quantizer_save(quantizer, "/nowhere/x.vgg", &err), VGG_ERR_IO);
    vgg_quantizer_destroy(quantizer);
    ck_assert_int_eq(vgg_quantizer_create(net.model, NULL, &quantizer, &err), VGG_OK);
    ck_assert_int_eq(vgg_quantizer_add(quantizer, input, &err), VGG_ERR_UNSUPPORTED);
    vgg_quantizer_destroy(quantizer);
    close_net(&net);
    free(net.file.data);
}
END_TEST

/* The input's bytes are a grid of three channels. */
START_TEST(nets_of_other_channels_are_refused)
{
    static const int channels[] = {1, 2, 4};
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++) {
        struct opened net = {.file = make_file_of(channels[i])};
        vgg_quantizer *quantizer;
        ck_assert_msg(open_net(&net, NULL, NULL) == VGG_OK, "%s", err.message);
        ck_assert_int_eq(vgg_quantizer_create(net.model, NULL, &quantizer, &err),
                         VGG_ERR_UNSUPPORTED);
        ck_assert_msg(strstr(err.message, "expected a net for images of 3 channels") != NULL, "%s",
                      err.message);
        ck_assert_ptr_null(quantizer);
        close_net(&net);
        free(net.file.data);
    }
}
END_TEST

/* --- memory ----------------------------------------------------------------------------------- */

struct lender {
    long live, calls, fails_at;
};

static void *lend(void *user, size_t bytes, size_t alignment)
{
    struct lender *lender = user;
    if (++lender->calls == lender->fails_at) {
        return NULL;
    }
    lender->live++;
    return aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

static void take_back(void *user, void *block)
{
    struct lender *lender = user;
    lender->live--;
    free(block);
}

/* Everything from the float32 file to logits of the int8 one. */
static vgg_status do_all(const struct vgg_context *context)
{
    struct opened net = {.file = make_file()}, packed = {0};
    vgg_session *session = NULL;
    const struct vgg_session_options options = {.threads = 2};
    float logits[CLASSES];
    vgg_status status = open_net(&net, NULL, context);
    if (status == VGG_OK) {
        make_images(net.model, images);
        status = quantize(net.model, images, 1, NULL);
    }
    status = status ? status : vgg_checkpoint_open(path, context, &packed.checkpoint, &err);
    status = status ? status : vgg_model_create(packed.checkpoint, NULL, &packed.model, &err);
    status = status ? status : vgg_session_create(packed.model, &options, &session, &err);
    status = status ? status : vgg_session_run(session, images[0], 1, logits, &err);
    vgg_session_destroy(session);
    close_net(&packed);
    close_net(&net);
    free(net.file.data);
    return status;
}

START_TEST(every_allocation_may_fail)
{
    struct lender lender = {0};
    const struct vgg_context context = {
        .allocator = {.allocate = lend, .release = take_back, .user = &lender}};
    make_folder();
    ck_assert_msg(do_all(&context) == VGG_OK, "%s", err.message);
    ck_assert_int_eq(lender.live, 0);
    const long calls = lender.calls;
    ck_assert_int_gt(calls, 100);
    for (long i = 1; i <= calls; i++) {
        lender = (struct lender){.fails_at = i};
        memset(&err, 0, sizeof err);
        vgg_status status = do_all(&context);
        ck_assert_msg(status == VGG_ERR_MEMORY && err.code == status, "%ld of %ld: %d, %s", i,
                      calls, status, err.message);
        ck_assert_msg(lender.live == 0, "%ld: %ld blocks leaked after: %s", i, lender.live,
                      err.message);
    }
    remove_folder();
}
END_TEST

UNIT_MAIN("quantize", a_histogram_grows_with_its_numbers, every_method_clips_where_it_says,
          the_error_is_that_of_bytes, the_saved_net_does_what_was_measured, pixels_are_the_grid,
          other_inputs_have_the_range_there_was, calls_in_the_wrong_order_are_refused,
          nets_of_other_channels_are_refused, every_allocation_may_fail)
