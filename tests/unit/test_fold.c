/* SPDX-License-Identifier: MIT */
/* checkpoint/locate/fold: weights in two parts, parts in two parts, and what only looks like it. */
#include "unit.h"

#include <string.h>

#include "checkpoint/locate/fold.h"

enum { MOST = 16 };
static struct vgg_arena arena;
static struct vgg_error err;
static struct vgg_tensor tensors[2 * MOST];
static struct vgg_fold folds[MOST];
static bool hidden[2 * MOST];
static struct vgg_fold_list list = {.tensors = tensors, .hidden = hidden, .folds = folds};
static const struct vgg_load load = {.path = "a.pth", .arena = &arena, .err = &err};

static void begin(void)
{
    vgg_arena_destroy(&arena);
    memset(tensors, 0, sizeof tensors);
    memset(hidden, 0, sizeof hidden);
    list.count = 0;
}

/* A matrix, row-major. */
static void add(const char *name, int64_t rows, int64_t columns, const float *data)
{
    tensors[list.count++] = (struct vgg_tensor){.name = name,
                                                .dtype = VGG_DTYPE_F32,
                                                .ndim = 2,
                                                .shape = {rows, columns},
                                                .stride = {columns, 1},
                                                .data = data};
}

static vgg_status find(void)
{
    err = (struct vgg_error){0};
    return vgg_folds_find(&load, &list);
}

static void compute(size_t fold, float *out)
{
    ck_assert_int_eq(vgg_fold_compute(&load, &folds[fold], tensors, out), VGG_OK);
    tensors[folds[fold].out].data = out;
}

static const float g[] = {10, 26}, v[] = {3, 4, 5, 12}, mask[] = {1, 0, 0, 1};

START_TEST(folds_each_kind)
{
    static const char *const names[][3] = {
        {"a.weight_g", "a.weight_v", "a.weight"},
        {"a.parametrizations.weight.original0", "a.parametrizations.weight.original1", "a.weight"}};
    float out[4];
    for (size_t i = 0; i < 2; i++) {
        begin();
        add(names[i][0], 2, 1, g);
        add(names[i][1], 2, 2, v);
        ck_assert_msg(find() == VGG_OK, "%s", err.message);
        ck_assert_uint_eq(list.fold_count, 1);
        ck_assert_uint_eq(list.count, 3);
        ck_assert(hidden[0] && hidden[1] && !hidden[2]);
        ck_assert_str_eq(tensors[2].name, names[i][2]);
        compute(0, out); /* rows of the lengths 5 and 13, made 10 and 26 long */
        ck_assert_mem_eq(out, ((const float[]){6, 8, 10, 24}), sizeof out);
    }
    begin();
    add("a.weight_mask", 2, 2, mask);
    add("a.weight_orig", 2, 2, v);
    ck_assert_int_eq(find(), VGG_OK);
    compute(0, out);
    ck_assert_mem_eq(out, ((const float[]){3, 0, 0, 12}), sizeof out);
}
END_TEST

START_TEST(folds_what_was_folded)
{
    float v_whole[4], weight[4];
    begin(); /* weight_norm, and then its v pruned */
    add("a.weight_g", 2, 1, g);
    add("a.weight_v_orig", 2, 2, v);
    add("a.weight_v_mask", 2, 2, mask);
    ck_assert_msg(find() == VGG_OK, "%s", err.message);
    ck_assert_uint_eq(list.fold_count, 2);
    ck_assert_uint_eq(list.count, 5);
    ck_assert_str_eq(tensors[3].name, "a.weight_v");
    ck_assert_str_eq(tensors[4].name, "a.weight");
    ck_assert(hidden[3] && !hidden[4]);
    compute(0, v_whole);
    compute(1, weight);
    ck_assert_mem_eq(weight, ((const float[]){10, 0, 0, 26}), sizeof weight);
}
END_TEST

START_TEST(leaves_single_parts_alone)
{
    begin();
    add("a.weight_g", 2, 1, g);
    add("b.weight_v", 2, 2, v);
    add("a.weight_mask", 2, 2, mask);
    add("_g", 2, 1, g); /* no stem */
    add("_v", 2, 2, v);
    ck_assert_msg(find() == VGG_OK, "%s", err.message);
    ck_assert_uint_eq(list.fold_count, 0);
    ck_assert_uint_eq(list.count, 5);
}
END_TEST

static void refuse(vgg_status expected, const char *message)
{
    ck_assert_int_eq(find(), expected);
    ck_assert_msg(strncmp(err.message, message, strlen(message)) == 0, "%s", err.message);
}

START_TEST(refuses_what_does_not_fit)
{
    begin();
    add("a.weight_g", 2, 2, v);
    add("a.weight_v", 2, 2, v); /* g has two elements on two axes */
    refuse(VGG_ERR_FORMAT, "a.pth: a.weight: weight_norm's g and v have incompatible shapes");
    begin();
    add("a.weight_g", 3, 1, v);
    add("a.weight_v", 2, 2, v);
    refuse(VGG_ERR_FORMAT, "a.pth: a.weight: weight_norm's g and v have incompatible shapes");
    begin();
    add("a.weight_orig", 2, 2, v);
    add("a.weight_mask", 4, 1, mask);
    refuse(VGG_ERR_FORMAT, "a.pth: a.weight: prune's orig and mask have different shapes");
    begin();
    add("a.weight_orig", 2, 2, v);
    add("a.weight_u", 2, 1, g);
    refuse(VGG_ERR_UNSUPPORTED, "a.pth: a.weight_orig: spectral_norm is not supported: call ");
    begin();
    add("a.parametrizations.weight.original", 2, 2, v);
    refuse(VGG_ERR_UNSUPPORTED, "a.pth: a.parametrizations.weight.original: spectral_norm or ");
}
END_TEST

UNIT_MAIN("fold", folds_each_kind, folds_what_was_folded, leaves_single_parts_alone,
          refuses_what_does_not_fit)
