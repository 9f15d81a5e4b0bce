/* SPDX-License-Identifier: MIT */
/* Preprocessing in a checkpoint: buffers of a normalisation at the net's front, hyperparameters. */
#include "model/infer/found_values.h"

#include <stdio.h>
#include <string.h>

#include "checkpoint/facts.h"

enum { FACTS_MAX = 4, CHANNELS = 3 };

static bool are_same(const struct vgg_found_pair *a, const struct vgg_found_pair *b)
{
    return a->mean_count == b->mean_count && a->std_count == b->std_count &&
           memcmp(a->mean, b->mean, a->mean_count * sizeof a->mean[0]) == 0 &&
           memcmp(a->std, b->std, a->std_count * sizeof a->std[0]) == 0;
}

/* The pairs that were found, as long as they are the same. */
struct pairs {
    const struct vgg_load *load;
    struct vgg_found_pair first;
    bool differ;
};

static void add_pair(struct pairs *pairs, const struct vgg_found_pair *pair)
{
    if (pairs->first.where[0] == '\0') {
        pairs->first = *pair;
    } else if (!pairs->differ && !are_same(&pairs->first, pair)) {
        pairs->differ = true;
        vgg_log(pairs->load->arena->context, VGG_LOG_WARNING,
                "%s: mean and std: %s and %s differ; none is used", pairs->load->path,
                pairs->first.where, pair->where);
    }
}

static vgg_status take(const struct pairs *pairs, struct vgg_found *found)
{
    const struct vgg_found_pair *pair = &pairs->first;
    return pair->where[0] == '\0' || pairs->differ ? VGG_OK
                                                   : vgg_found_add_values(pairs->load, pair, found);
}

/* ---- buffers ---- */

/* Whether two names differ in this: one ends in "mean" where the other ends in "std". */
static bool are_partners(const char *mean, const char *std)
{
    static const char mean_leaf[] = "mean", std_leaf[] = "std";
    const size_t length = strlen(mean), head = length - (sizeof mean_leaf - 1);
    return length >= sizeof mean_leaf - 1 && strcmp(mean + head, mean_leaf) == 0 &&
           strncmp(mean, std, head) == 0 && strcmp(std + head, std_leaf) == 0;
}

static size_t read_buffer(const struct vgg_tensor *tensor, float out[CHANNELS])
{
    const size_t count = (size_t)vgg_tensor_get_count(tensor);
    vgg_tensor_read_f32(tensor, out);
    return count;
}

vgg_status vgg_found_read_buffers(const struct vgg_load *load,
                                  const struct vgg_tensor *const *constants, size_t count,
                                  struct vgg_found *found)
{
    enum { BUFFERS_MAX = 32 }; /* each is compared with each */
    struct pairs pairs = {.load = load};
    count = count < BUFFERS_MAX ? count : BUFFERS_MAX;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            struct vgg_found_pair pair;
            if (are_partners(constants[i]->name, constants[j]->name)) {
                pair.mean_count = read_buffer(constants[i], pair.mean);
                pair.std_count = read_buffer(constants[j], pair.std);
                snprintf(pair.where, sizeof pair.where, "%.150s, %.150s", constants[i]->name,
                         constants[j]->name);
                add_pair(&pairs, &pair);
            }
        }
    }
    return take(&pairs, found);
}

/* ---- hyperparameters ---- */

/* Reads a list of one or three numbers; the count is 0 where it is another thing. */
static vgg_status read_numbers(const struct vgg_load *load, const struct vgg_value *value,
                               float out[CHANNELS], size_t *count)
{
    struct vgg_fact_item *items;
    if (!vgg_fact_read_list(value, load->arena, &items, count)) {
        return vgg_load_fail_memory(load, 1, "the hyperparameters");
    }
    *count = *count == 1 || *count == CHANNELS ? *count : 0;
    for (size_t i = 0; i < *count; i++) {
        if (items[i].kind != VGG_ITEM_NUMBER) {
            *count = 0;
            break;
        }
        out[i] = (float)items[i].number;
    }
    return VGG_OK;
}

/* Whether two facts are of the same dict: their paths differ in the key alone. */
static bool are_beside(const struct vgg_fact *a, const char *key_a, const struct vgg_fact *b,
                       const char *key_b)
{
    const size_t head_a = strlen(a->path) - strlen(key_a);
    return head_a == strlen(b->path) - strlen(key_b) && memcmp(a->path, b->path, head_a) == 0;
}

static vgg_status look_at_pair(struct pairs *pairs, const struct vgg_fact *mean,
                               const struct vgg_fact *std)
{
    struct vgg_found_pair pair;
    vgg_status status = read_numbers(pairs->load, mean->value, pair.mean, &pair.mean_count);
    status = status ? status : read_numbers(pairs->load, std->value, pair.std, &pair.std_count);
    if (status == VGG_OK && pair.mean_count > 0 && pair.std_count > 0) {
        snprintf(pair.where, sizeof pair.where, "%s, %s", mean->path, std->path);
        add_pair(pairs, &pair);
    }
    return status;
}

static vgg_status look_for(struct pairs *pairs, const struct vgg_checkpoint *checkpoint,
                           const char *mean_key, const char *std_key)
{
    struct vgg_fact means[FACTS_MAX], stds[FACTS_MAX];
    const size_t mean_count = vgg_checkpoint_find_facts(checkpoint, mean_key, means, FACTS_MAX);
    const size_t std_count =
        mean_count > 0 ? vgg_checkpoint_find_facts(checkpoint, std_key, stds, FACTS_MAX) : 0;
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < mean_count; i++) {
        for (size_t j = 0; j < std_count && status == VGG_OK; j++) {
            if (are_beside(&means[i], mean_key, &stds[j], std_key)) {
                status = look_at_pair(pairs, &means[i], &stds[j]);
            }
        }
    }
    return status;
}

/* Reads a side, [height, width] or [channels, height, width]. */
static vgg_status read_size(const struct vgg_load *load, const struct vgg_value *value,
                            struct vgg_pixels *out, bool *is_size)
{
    struct vgg_fact_item *items, single;
    size_t count;
    *is_size = false;
    if (!vgg_fact_read_list(value, load->arena, &items, &count) ||
        !vgg_fact_read_item(value, load->arena, &single)) {
        return vgg_load_fail_memory(load, 1, "the hyperparameters");
    }
    if (items == NULL) {
        items = &single;
        count = 1;
    }
    double sides[2] = {0, 0};
    for (size_t i = 0; i < 2 && count >= 1 && count <= 3; i++) {
        const struct vgg_fact_item *item = &items[count == 1 ? 0 : count - 2 + i];
        sides[i] = item->kind == VGG_ITEM_NUMBER ? item->number : 0;
    }
    *is_size = sides[0] >= 1 && sides[1] >= 1 && sides[0] <= VGG_MAX_SIDE &&
               sides[1] <= VGG_MAX_SIDE && sides[0] == (int)sides[0] && sides[1] == (int)sides[1];
    if (*is_size) {
        *out = (struct vgg_pixels){(int)sides[0], (int)sides[1]};
    }
    return VGG_OK;
}

/* Takes the size under a key unless several differ. */
static vgg_status look_for_size(const struct vgg_load *load,
                                const struct vgg_checkpoint *checkpoint, const char *key,
                                struct vgg_found *found)
{
    struct vgg_fact facts[FACTS_MAX];
    const size_t count = vgg_checkpoint_find_facts(checkpoint, key, facts, FACTS_MAX);
    const char *where = NULL;
    for (size_t i = 0; i < count; i++) {
        struct vgg_pixels size;
        bool is_size;
        vgg_status status = read_size(load, facts[i].value, &size, &is_size);
        if (status != VGG_OK) {
            return status;
        }
        if (is_size && where != NULL && (size.h != found->size.h || size.w != found->size.w)) {
            return VGG_OK;
        }
        if (is_size) {
            found->size = size;
            where = facts[i].path;
        }
    }
    if (where != NULL) {
        found->input = vgg_arena_copy_string(load->arena, where, strlen(where));
        return found->input != NULL ? VGG_OK : vgg_load_fail_memory(load, 1, "a name");
    }
    return VGG_OK;
}

vgg_status vgg_found_read_hyperparameters(const struct vgg_load *load,
                                          const struct vgg_checkpoint *checkpoint,
                                          struct vgg_found *found)
{
    static const char *const values[][2] = {
        {"mean", "std"},           {"image_mean", "image_std"},
        {"img_mean", "img_std"},   {"pixel_mean", "pixel_std"},
        {"norm_mean", "norm_std"}, {"data_mean", "data_std"},
        {"rgb_mean", "rgb_std"},   {"MEAN", "STD"},
    };
    /* The input's size after the crop, the most telling first. */
    static const char *const sizes[] = {"crop_size", "input_size", "img_size", "image_size"};
    struct pairs pairs = {.load = load};
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < sizeof values / sizeof values[0] && status == VGG_OK; i++) {
        status = look_for(&pairs, checkpoint, values[i][0], values[i][1]);
    }
    status = status ? status : take(&pairs, found);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (status == VGG_OK && found->input == NULL) {
            status = look_for_size(load, checkpoint, sizes[i], found);
        }
    }
    return status;
}
