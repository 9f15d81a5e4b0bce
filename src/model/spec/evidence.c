/* SPDX-License-Identifier: MIT */
/* What is known of a net, property by property, and where each value comes from. */
#include "model/spec/evidence.h"

#include <string.h>

/* Copies a text into the arena; NULL stays NULL. */
static const char *copy(struct vgg_evidence_list *list, struct vgg_arena *arena, const char *text)
{
    const char *copied = text != NULL ? vgg_arena_copy_string(arena, text, strlen(text)) : NULL;
    list->failed = list->failed || (text != NULL && copied == NULL);
    return copied;
}

/* Makes the list longer by one record; false without memory. */
static bool grow(struct vgg_evidence_list *list, struct vgg_arena *arena)
{
    if (list->count < list->max) {
        return true;
    }
    const size_t max = list->max > 0 ? 2 * list->max : 16;
    struct vgg_evidence *items = vgg_arena_alloc(arena, max, sizeof *items);
    if (items == NULL) {
        list->failed = true;
        return false;
    }
    if (list->count > 0) {
        memcpy(items, list->items, list->count * sizeof *items);
    }
    list->items = items;
    list->max = max;
    return true;
}

struct vgg_evidence *vgg_evidence_find(const struct vgg_evidence_list *list, const char *property)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].property, property) == 0) {
            return &list->items[i];
        }
    }
    return NULL;
}

void vgg_evidence_add(struct vgg_evidence_list *list, struct vgg_arena *arena,
                      const struct vgg_evidence *evidence)
{
    struct vgg_evidence *known = vgg_evidence_find(list, evidence->property);
    if (known != NULL && known->source < evidence->source) {
        return;
    }
    if (known == NULL) {
        if (!grow(list, arena)) {
            return;
        }
        known = &list->items[list->count++];
    }
    *known = (struct vgg_evidence){
        .property = copy(list, arena, evidence->property),
        .value = copy(list, arena, evidence->value),
        .source = evidence->source,
        .why = copy(list, arena, evidence->why),
        .alternatives = copy(list, arena, evidence->alternatives),
    };
}

void vgg_evidence_strengthen(struct vgg_evidence_list *list, enum vgg_evidence_source source)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].source > source) {
            list->items[i].source = source;
        }
    }
}
