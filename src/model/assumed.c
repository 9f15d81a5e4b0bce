/* SPDX-License-Identifier: MIT */
/* Lists what a model assumes because neither its files nor the caller specify it. */
#include "model/assumed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The size that an adaptive pool before the classifier changes the features to; false: it changes nothing. */
static bool find_pooled(const vgg_model *model, const struct vgg_shape *shapes,
                        struct vgg_pixels *out)
{
    for (size_t i = 1; i < model->graph.count; i++) {
        const struct vgg_shape before = shapes[i - 1], after = shapes[i];
        if (model->graph.nodes[i].op == VGG_OP_ADAPTIVE_AVG_POOL) {
            *out = (struct vgg_pixels){after.h, after.w};
            return before.h != after.h || before.w != after.w;
        }
    }
    return false;
}

/* Adds where the average of all places is taken. */
static void add_moving_filters(vgg_model *model)
{
    vgg_evidence_add(&model->spec.evidence, &model->arena,
                     &(struct vgg_evidence){.property = "average pool",
                                            .value =
                                                "after the classifier, whose filters move over "
                                                "the features",
                                            .source = VGG_EVIDENCE_CONVENTION});
}

/* Adds the average pool, which only matters where the features have another size than the classifier takes. */
static void add_average_pool(vgg_model *model, const struct vgg_shape *shapes)
{
    struct vgg_evidence_list *list = &model->spec.evidence;
    struct vgg_pixels size;
    char value[64];
    if (model->moves_filters) {
        add_moving_filters(model);
    }
    if (!vgg_spec_assumes_average_pool(&model->spec) || model->dense ||
        !find_pooled(model, shapes, &size)) {
        return;
    }
    snprintf(value, sizeof value, "to %dx%d before the classifier", size.h, size.w);
    vgg_evidence_add(list, &model->arena,
                     &(struct vgg_evidence){.property = "average pool",
                                            .value = value,
                                            .source = VGG_EVIDENCE_CONVENTION});
}

/* Alternatives that the line of assumptions shows of each property; the evidence has all. */
enum { SHOWN_ALTERNATIVES = 2 };

static const char separator[] = "; ";

/* The length of the alternatives that are shown, and the number of those that are not. */
static size_t cut_alternatives(const char *alternatives, int *more)
{
    const char *end = alternatives;
    size_t length = strlen(alternatives);
    *more = 0;
    for (int count = 1; (end = strstr(end, separator)) != NULL; count++) {
        if (count == SHOWN_ALTERNATIVES) {
            length = (size_t)(end - alternatives);
        }
        *more += count >= SHOWN_ALTERNATIVES;
        end += sizeof separator - 1;
    }
    return length;
}

static size_t get_length(const struct vgg_evidence *evidence)
{
    return strlen(evidence->property) + strlen(evidence->value) +
           (evidence->alternatives != NULL ? strlen(evidence->alternatives) + 3 : 0);
}

/* Shortest first; the order of the list where two have the same length. */
static int compare(const void *a, const void *b)
{
    const struct vgg_evidence *const *x = a, *const *y = b;
    const size_t left = get_length(*x), right = get_length(*y);
    return left != right ? (left > right) - (left < right) : (*x > *y) - (*x < *y);
}

static void add(struct vgg_text *text, const struct vgg_evidence *evidence)
{
    vgg_text_add(text, "%s%s %s", text->length > 0 ? separator : "", evidence->property,
                 evidence->value);
    if (evidence->alternatives == NULL) {
        return;
    }
    int more;
    const int length = (int)cut_alternatives(evidence->alternatives, &more);
    if (more > 0) {
        vgg_text_add(text, " (%.*s; %d more)", length, evidence->alternatives, more);
    } else {
        vgg_text_add(text, " (%.*s)", length, evidence->alternatives);
    }
}

vgg_status vgg_model_list_assumed(vgg_model *model, const struct vgg_shape *shapes,
                                  struct vgg_error *err)
{
    const struct vgg_evidence_list *list = &model->spec.evidence;
    struct vgg_text text = {0};
    add_average_pool(model, shapes);
    const struct vgg_evidence **sorted =
        vgg_arena_alloc(&model->arena, list->count + 1, sizeof *sorted);
    if (sorted == NULL || list->failed) {
        return vgg_fail_memory(err, model->path, list->count * sizeof *sorted,
                               "the list of assumptions");
    }
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].source == VGG_EVIDENCE_CONVENTION) {
            sorted[count++] = &list->items[i];
        }
    }
    qsort(sorted, count, sizeof *sorted, compare);
    for (size_t i = 0; i < count; i++) {
        add(&text, sorted[i]);
    }
    model->assumed = vgg_arena_copy_string(&model->arena, text.buffer, text.length);
    return model->assumed != NULL
               ? VGG_OK
               : vgg_fail_memory(err, model->path, text.length, "the list of assumptions");
}
