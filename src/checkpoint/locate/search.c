/* SPDX-License-Identifier: MIT */
/* Searches a checkpoint for everything that can hold tensors, and for the VGGs in it. */
#include "checkpoint/locate/search.h"

#include "checkpoint/locate/tensor_names.h"
#include "checkpoint/locate/rebuild.h"

/* ---- sources ---- */

static void add_source(struct vgg_search *search, const struct vgg_source *parent,
                       struct vgg_value *value, struct vgg_span key)
{
    const int depth = parent != NULL ? parent->depth + 1 : 0;
    bool is_list = value->kind == VGG_VALUE_DICT || value->kind == VGG_VALUE_LIST ||
                   value->kind == VGG_VALUE_TUPLE;
    if ((!is_list && value->kind != VGG_VALUE_OBJECT) || value->seen ||
        depth > VGG_SOURCE_DEPTH_MAX || search->source_count == VGG_SOURCES_MAX ||
        key.length > VGG_SOURCE_KEY_BYTES_MAX || !vgg_span_is_name(key)) {
        return;
    }
    enum vgg_source_kind kind = vgg_source_of(value);
    if (is_list || kind != VGG_SOURCE_NONE ||
        value->object.callee->global.entry->role == VGG_GLOBAL_OTHER) {
        value->seen = true;
        search->sources[search->source_count++] = (struct vgg_source){
            .value = value, .kind = kind, .parent = parent, .key = key, .depth = depth};
    }
}

static void add_items(struct vgg_search *search, const struct vgg_source *source,
                      const struct vgg_value *list)
{
    if (list->kind == VGG_VALUE_DICT) {
        for (size_t i = 0; i < list->list.count; i += 2) {
            const struct vgg_value *key = list->list.items[i];
            if (key->kind == VGG_VALUE_TEXT) {
                add_source(search, source, list->list.items[i + 1], key->text);
            }
        }
        return;
    }
    for (size_t i = 0; i < list->list.count && search->source_count < VGG_SOURCES_MAX; i++) {
        static const char digits[][3] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
        if (i < sizeof digits / sizeof digits[0]) { /* [model.state_dict(), optimizer, …] */
            add_source(search, source, list->list.items[i], (struct vgg_span){digits[i], 1});
        }
    }
}

/* Breadth first, so that each value is found at its shortest path. */
static void find_all(struct vgg_search *search, struct vgg_value *root)
{
    add_source(search, NULL, root, (struct vgg_span){"", 0});
    for (size_t i = 0; i < search->source_count; i++) {
        const struct vgg_source *source = &search->sources[i];
        const struct vgg_value *value = source->value;
        if (value->kind != VGG_VALUE_OBJECT) {
            add_items(search, source, value);
        } else if (source->kind == VGG_SOURCE_NONE && value->object.state != NULL &&
                   value->object.state->kind == VGG_VALUE_DICT) {
            add_items(search, source, value->object.state); /* an object's attributes */
        }
    }
}

const char *vgg_source_get_label(const struct vgg_source *source, const char *prefix,
                                 vgg_source_label out)
{
    const struct vgg_source *chain[VGG_SOURCE_DEPTH_MAX + 1];
    int depth = 0;
    size_t used = 0;
    for (; source != NULL; source = source->parent) {
        chain[depth++] = source;
    }
    while (depth-- > 0) {
        if (chain[depth]->key.length > 0) {
            if (used > 0) {
                out[used++] = '.';
            }
            memcpy(out + used, chain[depth]->key.bytes, chain[depth]->key.length);
            used += chain[depth]->key.length;
        }
    }
    size_t length = strlen(prefix);
    if (length > 0) {
        if (used > 0) {
            out[used++] = '.';
        }
        memcpy(out + used, prefix, length - 1);
        used += length - 1;
    }
    if (used == 0) {
        out[used++] = '.';
    }
    out[used] = '\0';
    return out;
}

/* ---- candidates ---- */

static bool starts_with(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Finds or makes the candidate for a prefix of names in a source; NULL when there are too many. Errors: MEMORY. */
static vgg_status get_candidate(struct vgg_search *search, const struct vgg_source *source,
                                const char *name, size_t prefix_length, struct vgg_candidate **out)
{
    *out = NULL;
    for (size_t i = 0; i < search->candidate_count; i++) {
        struct vgg_candidate *candidate = &search->candidates[i];
        if (candidate->source == source && strlen(candidate->prefix) == prefix_length &&
            memcmp(candidate->prefix, name, prefix_length) == 0) {
            *out = candidate;
            return VGG_OK;
        }
    }
    if (search->candidate_count == VGG_CANDIDATES_MAX) {
        return VGG_OK;
    }
    const char *prefix = vgg_arena_copy_string(search->load->arena, name, prefix_length);
    if (prefix == NULL) {
        return VGG_ERR_MEMORY;
    }
    *out = &search->candidates[search->candidate_count++];
    **out = (struct vgg_candidate){.source = source, .prefix = prefix};
    return VGG_OK;
}

/* Lists the tensors of a source in scratch memory. A source that cannot be walked has none: if it is chosen, the same
 * error is reported then. Errors: MEMORY. */
static vgg_status list_tensors(struct vgg_search *search, const struct vgg_source *source,
                               struct vgg_arena *scratch, struct vgg_named_list *tensors)
{
    struct vgg_load load = vgg_load_quietly(search->load);
    load.arena = scratch;
    vgg_status status = vgg_walk(&load, source->value, &search->budget, tensors, NULL);
    if (status != VGG_OK) {
        *tensors = (struct vgg_named_list){0};
    }
    return status == VGG_ERR_MEMORY ? status : VGG_OK;
}

bool vgg_candidate_has(const struct vgg_search *search, const struct vgg_candidate *candidate,
                       const char *name)
{
    const size_t length = candidate->prefix != NULL ? strlen(candidate->prefix) : 0;
    if (length > 0 && !starts_with(name, candidate->prefix)) {
        return false;
    }
    for (size_t i = 0; i < search->candidate_count; i++) {
        const struct vgg_candidate *other = &search->candidates[i];
        if (other->source == candidate->source && strlen(other->prefix) > length &&
            starts_with(name, other->prefix)) {
            return false;
        }
    }
    return true;
}

/* Finds the VGGs in a source. Errors: MEMORY. */
static vgg_status find_candidates(struct vgg_search *search, struct vgg_source *source)
{
    struct vgg_arena scratch = {.context = search->load->arena->context};
    struct vgg_named_list tensors = {0};
    const size_t first = search->candidate_count;
    vgg_status status = list_tensors(search, source, &scratch, &tensors);
    source->tensors = tensors.count;
    for (size_t i = 0; i < tensors.count && status == VGG_OK; i++) {
        size_t length;
        enum vgg_name_part part = vgg_name_find_part(tensors.items[i].name, &length);
        struct vgg_candidate *candidate = NULL;
        if (part != VGG_NAME_OTHER) {
            status = get_candidate(search, source, tensors.items[i].name, length, &candidate);
        }
        if (candidate != NULL) {
            candidate->features = candidate->features || part == VGG_NAME_FEATURES;
            candidate->classifier = candidate->classifier || part == VGG_NAME_CLASSIFIER;
        }
    }
    for (size_t o = first; o < search->candidate_count; o++) {
        for (size_t i = 0; i < tensors.count; i++) {
            search->candidates[o].tensors +=
                vgg_candidate_has(search, &search->candidates[o], tensors.items[i].name);
        }
    }
    vgg_arena_destroy(&scratch);
    return status;
}

/* Drops candidates without convolutions, and those without a classifier if any has one. */
static void drop_others(struct vgg_search *search)
{
    bool any = false;
    size_t used = 0;
    for (size_t i = 0; i < search->candidate_count; i++) {
        any = any || (search->candidates[i].features && search->candidates[i].classifier);
    }
    for (size_t i = 0; i < search->candidate_count; i++) {
        if (search->candidates[i].features && (search->candidates[i].classifier || !any)) {
            search->candidates[used++] = search->candidates[i];
        }
    }
    search->candidate_count = used;
}

/* ---- comparison ---- */

static bool same_view(const struct vgg_search *search, const struct vgg_value *a,
                      const struct vgg_value *b)
{
    struct vgg_tensor x = {0}, y = {0};
    struct vgg_placement p, q;
    const struct vgg_load load = vgg_load_quietly(search->load);
    return a == b || (vgg_tensor_rebuild(&load, a, "", &x, &p) == VGG_OK &&
                      vgg_tensor_rebuild(&load, b, "", &y, &q) == VGG_OK &&
                      p.storage == q.storage && p.offset == q.offset && x.ndim == y.ndim &&
                      memcmp(x.shape, y.shape, sizeof x.shape) == 0 &&
                      memcmp(x.stride, y.stride, sizeof x.stride) == 0);
}

/* The next tensor of a candidate from *i on; NULL at the end. */
static const struct vgg_named *next_of(const struct vgg_search *search,
                                       const struct vgg_candidate *candidate,
                                       const struct vgg_named_list *list, size_t *i)
{
    while (*i < list->count && !vgg_candidate_has(search, candidate, list->items[*i].name)) {
        ++*i;
    }
    return *i < list->count ? &list->items[(*i)++] : NULL;
}

vgg_status vgg_candidates_compare(struct vgg_search *search, const struct vgg_candidate *a,
                                  const struct vgg_candidate *b, bool *same)
{
    struct vgg_arena scratch = {.context = search->load->arena->context};
    struct vgg_named_list x = {0}, y = {0};
    size_t i = 0, j = 0;
    *same = a->tensors == b->tensors;
    vgg_status status = list_tensors(search, a->source, &scratch, &x);
    if (status == VGG_OK) {
        status = list_tensors(search, b->source, &scratch, &y);
    }
    while (*same && status == VGG_OK) {
        const struct vgg_named *left = next_of(search, a, &x, &i);
        const struct vgg_named *right = next_of(search, b, &y, &j);
        if (left == NULL || right == NULL) {
            *same = left == right && i > 0;
            break;
        }
        *same = strcmp(left->name + strlen(a->prefix), right->name + strlen(b->prefix)) == 0 &&
                same_view(search, left->value, right->value);
    }
    vgg_arena_destroy(&scratch);
    return status;
}

/* ---- the search ---- */

vgg_status vgg_search_run(const struct vgg_load *load, struct vgg_value *root,
                          struct vgg_search *out)
{
    *out =
        (struct vgg_search){.load = load,
                            .budget = vgg_walk_budget_make(load->limits),
                            .sources = vgg_mem_alloc_cleared(
                                vgg_load_allocator(load), VGG_SOURCES_MAX, sizeof *out->sources)};
    if (out->sources == NULL) {
        return vgg_load_fail_memory(load, VGG_SOURCES_MAX * sizeof *out->sources, "the search");
    }
    find_all(out, root);
    for (size_t i = 0; i < out->source_count; i++) {
        if (out->sources[i].kind != VGG_SOURCE_NONE &&
            find_candidates(out, &out->sources[i]) != VGG_OK) {
            vgg_search_fini(out);
            return vgg_load_fail_memory(load, sizeof *out->sources, "the search");
        }
    }
    drop_others(out);
    return VGG_OK;
}

void vgg_search_fini(struct vgg_search *search)
{
    vgg_mem_free(vgg_load_allocator(search->load), search->sources);
    search->sources = NULL;
}
