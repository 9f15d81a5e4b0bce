/* SPDX-License-Identifier: MIT */
/* vgg/context.h: files in memory; messages; many sessions on one model. */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "vgg/vgg.h"
#include "writer.h"

enum { CLASSES = 10 };

/* ---- files in memory ---- */

static void read_file(const char *name, struct bytes *out)
{
    char block[65536];
    FILE *file = fopen(unit_model_path(name), "rb");
    ck_assert_ptr_nonnull(file);
    *out = (struct bytes){0};
    for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0;) {
        put(out, block, got);
    }
    fclose(file);
}

START_TEST(opens_a_checkpoint_in_memory)
{
    struct bytes file;
    struct vgg_error err = {0};
    vgg_checkpoint *mapped, *checkpoint;
    vgg_model *model;
    const char *path = unit_model_path("fashion_vgg8_bn.pth");
    read_file("fashion_vgg8_bn.pth", &file);
    ck_assert_int_eq(vgg_checkpoint_open(path, NULL, &mapped, &err), VGG_OK);
    for (size_t shift = 0; shift < 2; shift++) { /* at an odd address too */
        uint8_t *bytes = malloc(file.size + shift);
        ck_assert_ptr_nonnull(bytes);
        memcpy(bytes + shift, file.data, file.size);
        ck_assert_int_eq(vgg_checkpoint_open_memory(bytes + shift, file.size, path, NULL, NULL,
                                                    &checkpoint, &err),
                         VGG_OK);
        ck_assert_str_eq(vgg_checkpoint_get_path(checkpoint), path);
        ck_assert_uint_eq(vgg_checkpoint_get_file_bytes(checkpoint), file.size);
        const size_t count = vgg_checkpoint_get_tensor_count(mapped);
        ck_assert_uint_eq(vgg_checkpoint_get_tensor_count(checkpoint), count);
        for (size_t i = 0; i < count; i++) {
            const struct vgg_tensor *a = vgg_checkpoint_get_tensor(mapped, i);
            const struct vgg_tensor *b = vgg_checkpoint_get_tensor(checkpoint, i);
            ck_assert_str_eq(a->name, b->name);
            ck_assert_uint_eq(a->file_offset, b->file_offset);
            ck_assert_ptr_eq(b->data, bytes + shift + b->file_offset);
            ck_assert_mem_eq(a->data, b->data,
                             (size_t)vgg_tensor_get_count(a) * vgg_dtype_get_bytes(a->dtype));
        }
        ck_assert_int_eq(vgg_model_create(checkpoint, NULL, &model, &err), VGG_OK);
        vgg_model_destroy(model);
        vgg_checkpoint_close(checkpoint);
        free(bytes);
    }
    vgg_checkpoint_close(mapped);
    free(file.data);
}
END_TEST

START_TEST(runs_from_any_address)
{
    struct bytes file;
    float logits[2][CLASSES], input[3 * 28 * 28];
    for (size_t i = 0; i < sizeof input / sizeof input[0]; i++) {
        input[i] = (float)(i % 17) / 8 - 1;
    }
    read_file("fashion_vgg8_bn.pth", &file);
    for (size_t shift = 0; shift < 2; shift++) {
        vgg_checkpoint *checkpoint;
        vgg_model *model;
        vgg_session *session;
        uint8_t *bytes = malloc(file.size + shift);
        ck_assert_ptr_nonnull(bytes);
        memcpy(bytes + shift, file.data, file.size);
        ck_assert_int_eq(vgg_checkpoint_open_memory(bytes + shift, file.size,
                                                    unit_model_path("fashion_vgg8_bn.pth"), NULL,
                                                    NULL, &checkpoint, NULL),
                         VGG_OK);
        ck_assert_int_eq(vgg_model_create(checkpoint, NULL, &model, NULL), VGG_OK);
        ck_assert_int_eq(vgg_session_create(model, NULL, &session, NULL), VGG_OK);
        ck_assert_int_eq(vgg_session_run(session, input, 1, logits[shift], NULL), VGG_OK);
        vgg_session_destroy(session);
        vgg_model_destroy(model);
        vgg_checkpoint_close(checkpoint);
        free(bytes);
    }
    ck_assert_mem_eq(logits[0], logits[1], sizeof logits[0]);
    free(file.data);
}
END_TEST

/* A dict of two nets, each of one convolution and one linear layer. */
static struct bytes two_nets(void)
{
    struct bytes pickle = {0};
    const struct sample samples[] = {
        {.name = "a.features.0.weight", .key = "0", .available = 1, .ndim = 1, .shape = {1}},
        {.name = "a.classifier.0.weight", .key = "0", .available = 1, .ndim = 1, .shape = {1}},
        {.name = "b.features.0.weight", .key = "1", .available = 1, .ndim = 1, .shape = {1}},
        {.name = "b.classifier.0.weight", .key = "1", .available = 1, .ndim = 1, .shape = {1}},
    };
    static const char *const keys[] = {"0", "1"};
    static const float values[] = {1, 2};
    struct bytes out = {0};
    put_state_dict(&pickle, samples, 4);
    put_legacy_header(&out);
    put(&out, pickle.data, pickle.size);
    put_legacy_keys(&out, keys, 2);
    put_legacy_storage(&out, values, 1);
    put_legacy_storage(&out, values + 1, 1);
    free(pickle.data);
    return out;
}

START_TEST(chooses_a_net_in_memory)
{
    struct vgg_error err = {0};
    vgg_checkpoint *checkpoint;
    struct bytes file = two_nets();
    const struct vgg_checkpoint_options b = {.key = "b"}, c = {.key = "c"};
    float value = 0;
    ck_assert_int_eq(
        vgg_checkpoint_open_memory(file.data, file.size, "two.pth", NULL, NULL, &checkpoint, &err),
        VGG_ERR_MISMATCH);
    ck_assert_str_eq(err.message, "two.pth: expected one VGG, got several different ones: "
                                  "a (2 tensors), b (2 tensors)");
    ck_assert_int_eq(err.hint, VGG_HINT_KEY);
    ck_assert_int_eq(
        vgg_checkpoint_open_memory(file.data, file.size, "two.pth", &c, NULL, &checkpoint, &err),
        VGG_ERR_MISMATCH);
    ck_assert_str_eq(
        err.message,
        "two.pth: key c: expected the path of tensors, one of a (2 tensors), b (2 tensors)");
    ck_assert_int_eq(err.hint, VGG_HINT_KEY);
    ck_assert_int_eq(
        vgg_checkpoint_open_memory(file.data, file.size, "two.pth", &b, NULL, &checkpoint, &err),
        VGG_OK);
    ck_assert_uint_eq(vgg_checkpoint_get_tensor_count(checkpoint), 2);
    vgg_tensor_read_f32(vgg_checkpoint_find_tensor(checkpoint, "features.0.weight"), &value);
    ck_assert(value == 2);
    vgg_checkpoint_close(checkpoint);
    free(file.data);
}
END_TEST

START_TEST(refuses_what_is_no_checkpoint_in_memory)
{
    struct vgg_error err = {0};
    struct vgg_limits limits;
    const struct vgg_context context = {.limits = &limits};
    vgg_checkpoint *checkpoint;
    vgg_limits_init(&limits);
    limits.file_bytes = 3;
    ck_assert_int_eq(vgg_checkpoint_open_memory("GIF8", 4, "x", NULL, NULL, &checkpoint, &err),
                     VGG_ERR_UNSUPPORTED);
    ck_assert_ptr_null(checkpoint);
    ck_assert_int_eq(vgg_checkpoint_open_memory("GIF8", 4, "x", NULL, &context, &checkpoint, &err),
                     VGG_ERR_LIMIT);
    ck_assert_str_eq(err.message, "x: file has 4 bytes, limit is 3");
    ck_assert_int_eq(vgg_checkpoint_open_memory(NULL, 0, "x", NULL, NULL, &checkpoint, &err),
                     VGG_ERR_UNSUPPORTED);
    ck_assert_str_eq(err.message, "x: the file is empty: download or save it again");
    ck_assert_int_eq(vgg_checkpoint_open_memory(NULL, 1, "x", NULL, NULL, &checkpoint, &err),
                     VGG_ERR_ARGUMENT);
    ck_assert_int_eq(vgg_checkpoint_open_memory("", 0, NULL, NULL, NULL, &checkpoint, &err),
                     VGG_ERR_ARGUMENT);
    ck_assert_int_eq(vgg_checkpoint_open_memory("", 0, "x", NULL, NULL, NULL, &err),
                     VGG_ERR_ARGUMENT);
}
END_TEST

/* ---- messages ---- */

struct listener {
    char text[4096];
    int count[2];
};

static void listen(void *user, enum vgg_log_level level, const char *message)
{
    struct listener *listener = user;
    const size_t used = strlen(listener->text);
    listener->count[level]++;
    snprintf(listener->text + used, sizeof listener->text - used, "%d %s\n", (int)level, message);
}

START_TEST(tells_what_it_found)
{
    struct listener listener = {0};
    const struct vgg_context context = {.log = listen, .log_user = &listener};
    const struct vgg_session_options options = {.threads = 200, .isa = VGG_ISA_SCALAR};
    vgg_checkpoint *checkpoint;
    vgg_model *model;
    vgg_session *session;
    ck_assert_int_eq(
        vgg_checkpoint_open(unit_model_path("fashion_vgg8_bn.pth"), &context, &checkpoint, NULL),
        VGG_OK);
    ck_assert_ptr_nonnull(strstr(listener.text, "0 "));
    ck_assert_ptr_nonnull(
        strstr(listener.text, "fashion_vgg8_bn.pth: zip checkpoint, 48 tensors in 48 storages\n"));
    ck_assert_int_eq(vgg_model_create(checkpoint, NULL, &model, NULL), VGG_OK);
    ck_assert_ptr_nonnull(strstr(listener.text, "fashion_vgg8_bn.json; input 28x28"));
    ck_assert_int_eq(listener.count[VGG_LOG_INFO], 2);
    /* The same file under another name has no description beside it. */
    struct listener other = {0};
    const struct vgg_context other_context = {.log = listen, .log_user = &other};
    struct bytes file;
    vgg_checkpoint *copy;
    vgg_model *guess;
    read_file("fashion_vgg8_bn.pth", &file);
    ck_assert_int_eq(vgg_checkpoint_open_memory(file.data, file.size, "net.pth", NULL,
                                                &other_context, &copy, NULL),
                     VGG_OK);
    ck_assert_int_eq(vgg_model_create(copy, NULL, &guess, NULL), VGG_OK);
    ck_assert_ptr_nonnull(strstr(other.text, "net.pth: assumed: "));
    vgg_model_destroy(guess);
    vgg_checkpoint_close(copy);
    free(file.data);
    setenv("VGG_ISA", "abacus\n", 1);
    struct vgg_error err;
    ck_assert_int_eq(vgg_session_create(model, &options, &session, &err), VGG_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(err.message, "got 'abacus\\x0a'"));
    unsetenv("VGG_ISA");
    ck_assert_int_eq(vgg_session_create(model, &options, &session, NULL), VGG_OK);
    ck_assert_ptr_nonnull(strstr(listener.text, ": 200 threads share "));
    ck_assert_int_eq(listener.count[VGG_LOG_INFO], 3);
    ck_assert_int_eq(listener.count[VGG_LOG_WARNING], 1);
    vgg_session_destroy(session);
    vgg_model_destroy(model);
    vgg_checkpoint_close(checkpoint);
}
END_TEST

/* ---- threads ---- */

enum { SESSIONS = 8, ROUNDS = 5 };

struct customer {
    pthread_t thread;
    const vgg_model *model;
    const float *input, *expected;
    int index;
    bool same;
};

/* A session of one's own on the shared model: made, used and destroyed while others do the same. */
static void *use_model(void *argument)
{
    struct customer *customer = argument;
    customer->same = true;
    for (int round = 0; round < ROUNDS; round++) {
        const struct vgg_session_options options = {.threads = 1 + customer->index % 2,
                                                    .isa = VGG_ISA_SCALAR,
                                                    .batch = 2,
                                                    .one_shot = true};
        float logits[2 * CLASSES], input[2][3 * 28 * 28];
        vgg_session *session;
        struct vgg_image image;
        bool ok = vgg_session_create(customer->model, &options, &session, NULL) == VGG_OK;
        ok = ok &&
             vgg_image_open(unit_model_path("images/bag_18.png"), NULL, &image, NULL) == VGG_OK;
        if (!ok) {
            customer->same = false;
            return NULL;
        }
        memcpy(input[0], customer->input, sizeof input[0]);
        vgg_image_to_tensor(&image, vgg_model_get_preprocess(customer->model), NULL, input[1],
                            NULL);
        ok = vgg_session_run(session, input[0], 2, logits, NULL) == VGG_OK;
        customer->same &= ok && memcmp(logits, customer->expected, sizeof logits) == 0;
        vgg_image_destroy(&image);
        vgg_session_destroy(session);
    }
    return NULL;
}

START_TEST(serves_many_sessions_at_once)
{
    static float input[3 * 28 * 28];
    float expected[2 * CLASSES] = {0};
    struct customer customers[SESSIONS];
    vgg_checkpoint *checkpoint;
    vgg_model *model;
    for (size_t i = 0; i < sizeof input / sizeof input[0]; i++) {
        input[i] = (float)(i % 29) / 14 - 1;
    }
    ck_assert_int_eq(
        vgg_checkpoint_open(unit_model_path("fashion_vgg8_bn.pth"), NULL, &checkpoint, NULL),
        VGG_OK);
    ck_assert_int_eq(vgg_model_create(checkpoint, NULL, &model, NULL), VGG_OK);
    struct customer first = {.model = model, .input = input, .expected = expected};
    /* Alone first, for what all must get. */
    const struct vgg_session_options options = {
        .threads = 2, .isa = VGG_ISA_SCALAR, .batch = 2, .one_shot = true};
    float both[2][3 * 28 * 28];
    vgg_session *session;
    struct vgg_image image;
    ck_assert_int_eq(vgg_session_create(model, &options, &session, NULL), VGG_OK);
    ck_assert_int_eq(vgg_image_open(unit_model_path("images/bag_18.png"), NULL, &image, NULL),
                     VGG_OK);
    memcpy(both[0], input, sizeof both[0]);
    ck_assert_int_eq(
        vgg_image_to_tensor(&image, vgg_model_get_preprocess(model), NULL, both[1], NULL), VGG_OK);
    ck_assert_int_eq(vgg_session_run(session, both[0], 2, expected, NULL), VGG_OK);
    vgg_image_destroy(&image);
    vgg_session_destroy(session);
    for (int i = 0; i < SESSIONS; i++) {
        customers[i] = first;
        customers[i].index = i;
        ck_assert_int_eq(pthread_create(&customers[i].thread, NULL, use_model, &customers[i]), 0);
    }
    for (int i = 0; i < SESSIONS; i++) {
        pthread_join(customers[i].thread, NULL);
        ck_assert_msg(customers[i].same, "session %d got other logits", i);
    }
    vgg_model_destroy(model);
    vgg_checkpoint_close(checkpoint);
}
END_TEST

UNIT_MAIN("context", opens_a_checkpoint_in_memory, runs_from_any_address, chooses_a_net_in_memory,
          refuses_what_is_no_checkpoint_in_memory, tells_what_it_found,
          serves_many_sessions_at_once)
