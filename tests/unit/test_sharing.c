/* SPDX-License-Identifier: MIT */
/* session/shared_plan: sessions of a model with the same options share a plan, prepacked weights included, and nothing
 * else; at once, in any order. */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "vgg/vgg.h"

enum { CLASSES = 10, SESSIONS = 8, IMAGE = 3 * 28 * 28 };

/* Bytes that the library holds. */
static atomic_size_t held;

/* A cache line before each block has its size. */
static void *allocate(void *user, size_t bytes, size_t alignment)
{
    (void)user;
    (void)alignment;
    char *whole = aligned_alloc(64, (bytes + 64 + 63) / 64 * 64);
    ck_assert_ptr_nonnull(whole);
    memcpy(whole, &bytes, sizeof bytes);
    held += bytes;
    return whole + 64;
}

static void release(void *user, void *block)
{
    (void)user;
    char *whole = (char *)block - 64;
    size_t bytes;
    memcpy(&bytes, whole, sizeof bytes);
    held -= bytes;
    free(whole);
}

struct fixture {
    vgg_checkpoint *checkpoint;
    vgg_model *model;
    float input[IMAGE], logits[CLASSES]; /* those of a session of its own */
};

static void set_up(struct fixture *f)
{
    const struct vgg_context context = {.allocator = {allocate, release, NULL}};
    vgg_session *session;
    ck_assert_int_eq(
        vgg_checkpoint_open(unit_model_path("fashion_vgg8_bn.pth"), &context, &f->checkpoint, NULL),
        VGG_OK);
    ck_assert_int_eq(vgg_model_create(f->checkpoint, NULL, &f->model, NULL), VGG_OK);
    for (int i = 0; i < IMAGE; i++) {
        f->input[i] = (float)(i * 37 % 101) / 50 - 1;
    }
    const struct vgg_session_options options = {.threads = 1};
    ck_assert_int_eq(vgg_session_create(f->model, &options, &session, NULL), VGG_OK);
    ck_assert_int_eq(vgg_session_run(session, f->input, 1, f->logits, NULL), VGG_OK);
    vgg_session_destroy(session);
}

static void tear_down(struct fixture *f)
{
    vgg_model_destroy(f->model);
    vgg_checkpoint_close(f->checkpoint);
    ck_assert_uint_eq(held, 0);
}

static vgg_session *create(const struct fixture *f, const struct vgg_session_options *options)
{
    vgg_session *session;
    ck_assert_int_eq(vgg_session_create(f->model, options, &session, NULL), VGG_OK);
    return session;
}

static void check_run(const struct fixture *f, vgg_session *session)
{
    float logits[CLASSES];
    ck_assert_int_eq(vgg_session_run(session, f->input, 1, logits, NULL), VGG_OK);
    ck_assert_mem_eq(logits, f->logits, sizeof logits);
}

/* What a session takes beside the plan and its activations: threads, descriptions. */
enum { SMALL_BYTES = 64 << 10 };

START_TEST(further_sessions_add_no_weights)
{
    struct fixture f;
    const struct vgg_session_options options = {.threads = 1};
    vgg_session *sessions[SESSIONS];
    struct vgg_session_info info;
    set_up(&f);
    const size_t before = held;
    sessions[0] = create(&f, &options);
    vgg_session_get_info(sessions[0], &info);
    ck_assert_uint_gt(info.weight_bytes, 4 * SMALL_BYTES); /* so that they would be noticed */
    ck_assert_uint_ge(held - before, info.weight_bytes + info.activation_bytes);
    for (int i = 1; i < SESSIONS; i++) {
        const size_t last = held;
        sessions[i] = create(&f, &options);
        ck_assert_uint_ge(held - last, info.activation_bytes);
        ck_assert_uint_le(held - last, info.activation_bytes + SMALL_BYTES);
    }
    /* The first one made the plan, and is not needed for it. */
    for (int i = 0; i < SESSIONS; i++) {
        vgg_session_destroy(sessions[i]);
        if (i + 1 < SESSIONS) {
            check_run(&f, sessions[i + 1]);
        }
    }
    ck_assert_uint_eq(held, before);
    tear_down(&f);
}
END_TEST

static void ignore_node(void *user, const char *name, const int64_t *shape, int ndim,
                        const float *data)
{
    (void)name;
    (void)shape;
    (void)ndim;
    (void)data;
    ++*(int *)user;
}

START_TEST(other_options_make_other_plans)
{
    struct fixture f;
    int nodes = 0;
    const struct vgg_session_options usual = {.threads = 1};
    const struct vgg_session_options others[] = {
        {.threads = 2},
        {.threads = 1, .batch = 2},
        {.threads = 1, .isa = VGG_ISA_SCALAR},
        {.threads = 1, .conv = VGG_CONV_DIRECT},
        {.threads = 1, .height = 56},
        {.threads = 1, .width = 56},
        {.threads = 1, .on_node = ignore_node, .on_node_user = &nodes},
    };
    set_up(&f);
    vgg_session *session = create(&f, &usual);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct vgg_session_info info;
        const size_t before = held;
        if (others[i].isa == vgg_isa_detect()) {
            continue; /* the usual one, on a CPU that has nothing better */
        }
        vgg_session *other = create(&f, &others[i]);
        vgg_session_get_info(other, &info);
        ck_assert_uint_ge(held - before, info.weight_bytes + info.activation_bytes);
        vgg_session_destroy(other);
        ck_assert_uint_eq(held, before);
    }
    vgg_session *one_shot =
        create(&f, &(struct vgg_session_options){.threads = 1, .one_shot = true});
    struct vgg_session_info info;
    vgg_session_get_info(one_shot, &info);
    ck_assert_uint_lt(info.weight_bytes, SMALL_BYTES); /* biases */
    ck_assert_int_eq(nodes, 0);
    vgg_session_destroy(one_shot);
    check_run(&f, session);
    vgg_session_destroy(session);
    tear_down(&f);
}
END_TEST

/* Each listens for itself, though they share the plan. */
START_TEST(listeners_are_not_shared)
{
    struct fixture f;
    int nodes[2] = {0};
    vgg_session *sessions[2];
    set_up(&f);
    for (int i = 0; i < 2; i++) {
        sessions[i] =
            create(&f, &(struct vgg_session_options){
                           .threads = 1, .on_node = ignore_node, .on_node_user = &nodes[i]});
    }
    float logits[CLASSES];
    ck_assert_int_eq(vgg_session_run(sessions[1], f.input, 1, logits, NULL), VGG_OK);
    ck_assert_int_eq(nodes[0], 0);
    ck_assert_int_gt(nodes[1], 0);
    vgg_session_destroy(sessions[0]);
    vgg_session_destroy(sessions[1]);
    tear_down(&f);
}
END_TEST

/* What the last run took and counted is the session's own. */
START_TEST(results_are_not_shared)
{
    struct fixture f;
    struct vgg_step_info info;
    const struct vgg_session_options options = {.threads = 1};
    set_up(&f);
    vgg_session *first = create(&f, &options), *second = create(&f, &options);
    check_run(&f, first);
    vgg_session_get_step(first, 0, &info);
    ck_assert_uint_gt(info.last_ns, 0);
    vgg_session_get_step(second, 0, &info);
    ck_assert_uint_eq(info.last_ns, 0);
    vgg_session_destroy(first);
    vgg_session_destroy(second);
    tear_down(&f);
}
END_TEST

static void *use(void *argument)
{
    const struct fixture *f = argument;
    for (int i = 0; i < 4; i++) {
        vgg_session *session = create(f, &(struct vgg_session_options){.threads = 1});
        check_run(f, session);
        check_run(f, session);
        vgg_session_destroy(session);
    }
    return NULL;
}

START_TEST(many_threads_share_a_model)
{
    static struct fixture f;
    pthread_t threads[SESSIONS];
    set_up(&f);
    for (int i = 0; i < SESSIONS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, use, &f), 0);
    }
    for (int i = 0; i < SESSIONS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    }
    tear_down(&f);
}
END_TEST

UNIT_MAIN("sharing", further_sessions_add_no_weights, other_options_make_other_plans,
          listeners_are_not_shared, results_are_not_shared, many_threads_share_a_model)
