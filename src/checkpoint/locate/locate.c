/* SPDX-License-Identifier: MIT */
/* Chooses the net among the candidates in a checkpoint and lists its tensors by name. */
#include "checkpoint/locate/locate.h"

#include "checkpoint/locate/beside.h"
#include "checkpoint/locate/tensor_names.h"
#include "checkpoint/locate/search.h"
#include "checkpoint/locate/rebuild.h"

enum { LISTED_MAX = 20 }; /* in messages */

/* Names that training scripts give to a state dict, the most specific first. */
static const char *const usual_keys[] = {
    "state_dict", "model_state_dict", "model_state",    "model", "net",
    "network",    "weights",          "params",         "state", "module",
    "ema",        "model_ema",        "state_dict_ema",
};
enum { USUAL_COUNT = sizeof usual_keys / sizeof usual_keys[0] };

static bool starts_with(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* ---- choosing ---- */

/* Lists the VGGs, or if there are none all sources with tensors: "state_dict (32 tensors), state_dict_ema (32
 * tensors)". */
static void list(const struct vgg_search *search, struct vgg_text *text)
{
    vgg_source_label name;
    size_t listed = 0;
    for (size_t i = 0; i < search->candidate_count && listed < LISTED_MAX; i++) {
        const struct vgg_candidate *candidate = &search->candidates[i];
        vgg_text_add(text, "%s%s (%zu tensors)", listed++ > 0 ? ", " : "",
                     vgg_source_get_label(candidate->source, candidate->prefix, name),
                     candidate->tensors);
    }
    for (size_t i = 0;
         search->candidate_count == 0 && i < search->source_count && listed < LISTED_MAX; i++) {
        const struct vgg_source *source = &search->sources[i];
        if (source->kind != VGG_SOURCE_NONE) {
            vgg_text_add(text, "%s%s (%zu tensors)", listed++ > 0 ? ", " : "",
                         vgg_source_get_label(source, "", name), source->tensors);
        }
    }
}

static vgg_status fail_no_key(const struct vgg_search *search, const char *key)
{
    struct vgg_text text = {0};
    list(search, &text);
    return vgg_fail_long(search->load->arena->context, search->load->err, VGG_ERR_MISMATCH,
                         VGG_HINT_KEY, "%s: key %.*s: expected the path of tensors, one of %s",
                         search->load->path, VGG_SHOWN_TEXT(key, 200), text.buffer);
}

/* The only VGG, or the first of several that are the same tensors; NULL when there is none.
 *   source  where to search; NULL: everywhere */
static vgg_status choose_only(struct vgg_search *search, const struct vgg_source *source,
                              const struct vgg_candidate **out)
{
    *out = NULL;
    for (size_t i = 0; i < search->candidate_count; i++) {
        const struct vgg_candidate *candidate = &search->candidates[i];
        if (source != NULL && candidate->source != source) {
            continue;
        }
        bool same = true;
        if (*out != NULL && vgg_candidates_compare(search, *out, candidate, &same) != VGG_OK) {
            return vgg_load_fail_memory(search->load, sizeof *candidate, "the search");
        }
        if (!same) {
            struct vgg_text text = {0};
            list(search, &text);
            return vgg_fail_long(search->load->arena->context, search->load->err, VGG_ERR_MISMATCH,
                                 VGG_HINT_KEY,
                                 "%s: expected one VGG, got several different ones: %s",
                                 search->load->path, text.buffer);
        }
        *out = *out != NULL ? *out : candidate;
    }
    return VGG_OK;
}

/* The source with the longest path that a key begins with; *used receives the length of that path. */
static const struct vgg_source *find_longest(const struct vgg_search *search, const char *key,
                                             size_t *used)
{
    const struct vgg_source *longest = NULL;
    *used = 0;
    for (size_t i = 0; i < search->source_count; i++) {
        const struct vgg_source *source = &search->sources[i];
        vgg_source_label name;
        size_t length = strlen(vgg_source_get_label(source, "", name));
        if (source->kind == VGG_SOURCE_NONE) {
            continue;
        }
        if (source->parent == NULL && strcmp(key, ".") != 0) {
            length = 0;
        } else if (strncmp(key, name, length) != 0 || (key[length] != '.' && key[length] != '\0')) {
            continue;
        }
        if (longest == NULL || length > *used) {
            longest = source;
            *used = length;
        }
    }
    return longest;
}

/* The candidate that a key names.
 *   made  memory for *out if the key names a source or prefix that is not a candidate */
static vgg_status choose_by_key(struct vgg_search *search, const char *key,
                                struct vgg_candidate *made, const struct vgg_candidate **out)
{
    vgg_source_label name;
    size_t used;
    for (size_t i = 0; i < search->candidate_count; i++) {
        const struct vgg_candidate *candidate = &search->candidates[i];
        if (strcmp(vgg_source_get_label(candidate->source, candidate->prefix, name), key) == 0) {
            *out = candidate;
            return VGG_OK;
        }
    }
    const struct vgg_source *source = find_longest(search, key, &used);
    if (source == NULL || strlen(key) - used > VGG_NAME_BYTES_MAX) {
        return fail_no_key(search, key);
    }
    *made = (struct vgg_candidate){.source = source};
    if (key[used] == '\0') {
        vgg_status status = choose_only(search, source, out);
        *out = *out != NULL ? *out : made;
        return status;
    }
    /* The rest of the key is a prefix of names. */
    key += used + (key[used] == '.' && used > 0);
    const size_t length = strlen(key);
    char *prefix = vgg_load_alloc(search->load, length + 2, 1);
    if (prefix == NULL) {
        return vgg_load_fail_memory(search->load, length, "the key");
    }
    memcpy(prefix, key, length);
    prefix[length] = '.';
    made->prefix = prefix;
    *out = made;
    return VGG_OK;
}

/* The choice when there is no VGG: a source with a usual name, then the root, then the largest number of tensors. */
static const struct vgg_source *choose_likely(const struct vgg_search *search)
{
    const struct vgg_source *best = NULL;
    size_t best_rank = USUAL_COUNT + 2;
    for (size_t i = 0; i < search->source_count; i++) {
        const struct vgg_source *source = &search->sources[i];
        size_t rank = 0;
        if (source->kind == VGG_SOURCE_NONE) {
            continue;
        }
        while (rank < USUAL_COUNT && !vgg_span_equals(source->key, usual_keys[rank])) {
            rank++;
        }
        rank += rank == USUAL_COUNT && source->parent != NULL;
        if (rank < best_rank || (rank == best_rank && source->tensors > best->tensors)) {
            best = source;
            best_rank = rank;
        }
    }
    return best;
}

/* ---- listing the tensors ---- */

/* What is taken: a candidate, or a candidate and the layers on top of it. */
struct taken {
    const struct vgg_search *search;
    const struct vgg_candidate *candidate;
    const char *prefix;
    bool layers;
};

/* Whether a tensor or module is taken, and the part of its name before the rest. */
static bool is_taken(const struct taken *taken, const char *name, size_t *skip)
{
    const size_t length = strlen(taken->prefix);
    const enum vgg_beside beside = vgg_beside_get(taken->search, taken->candidate, name);
    *skip = length;
    if (beside == VGG_BESIDE_CONSTANT) {
        /* What a script does with a constant is in its code, which needs the whole module. */
        const bool has_prefix = starts_with(name, taken->prefix);
        *skip = has_prefix ? length : 0;
        return has_prefix || taken->candidate->source->kind != VGG_SOURCE_SCRIPT;
    }
    if (beside == VGG_BESIDE_NONE || (beside == VGG_BESIDE_LAYER && taken->layers)) {
        return starts_with(name, taken->prefix);
    }
    return false;
}

/* Keeps the names that are taken, less their prefix. Returns how many are not. */
static size_t strip(const struct taken *taken, struct vgg_named_list *list)
{
    const size_t count = list->count, length = strlen(taken->prefix);
    size_t kept = 0, skip;
    for (size_t i = 0; i < count; i++) {
        struct vgg_named named = list->items[i];
        if (strlen(named.name) + 1 == length && starts_with(taken->prefix, named.name)) {
            skip = length - 1; /* the module that the prefix is the path of */
        } else if (!is_taken(taken, named.name, &skip)) {
            continue;
        }
        named.name += skip;
        list->items[kept++] = named;
    }
    list->count = kept;
    return count - kept;
}

static bool clean(struct vgg_named_list *list, struct vgg_arena *arena)
{
    bool good = true;
    for (size_t i = 0; i < list->count && good; i++) {
        list->items[i].name = vgg_name_clean(list->items[i].name, arena);
        good = list->items[i].name != NULL;
    }
    return good;
}

/* The prefixes of wrappers that all names have, but for constants and what is not taken; NULL without memory. */
static const char *find_common_prefix(const struct taken *taken,
                                      const struct vgg_named_list *tensors)
{
    struct vgg_arena *arena = taken->search->load->arena;
    const struct vgg_allocator *allocator = vgg_allocator_of(arena->context);
    const char **names = vgg_mem_alloc(allocator, tensors->count + 1, sizeof *names);
    size_t count = 0;
    if (names == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < tensors->count; i++) {
        const char *name = tensors->items[i].name;
        const enum vgg_beside beside = vgg_beside_get(taken->search, taken->candidate, name);
        if (beside == VGG_BESIDE_NONE || beside == VGG_BESIDE_LAYER) {
            names[count++] = name;
        }
    }
    size_t length = vgg_names_common_prefix(names, count);
    const char *prefix = vgg_arena_copy_string(arena, length > 0 ? names[0] : "", length);
    vgg_mem_free(allocator, names);
    return prefix;
}

/* Finds the prefix of a candidate's tensors, and of the layers on top of it if there are some.
 *   alone  whether the caller wants the candidate alone */
static vgg_status find_prefix(struct taken *taken, bool alone, const struct vgg_named_list *tensors)
{
    vgg_status status =
        alone ? VGG_OK
              : vgg_beside_find_layers(taken->search, taken->candidate, tensors, &taken->layers);
    if (status != VGG_OK) {
        return status;
    }
    taken->prefix = taken->candidate->prefix != NULL && !taken->layers
                        ? taken->candidate->prefix
                        : find_common_prefix(taken, tensors);
    return taken->prefix != NULL
               ? VGG_OK
               : vgg_load_fail_memory(taken->search->load, tensors->count, "the tensors' names");
}

static vgg_status take(const struct vgg_search *search, const struct vgg_candidate *candidate,
                       bool alone, struct vgg_location *out)
{
    vgg_source_label name;
    struct vgg_location location = {.source = candidate->source->value,
                                    .kind = candidate->source->kind};
    struct taken taken = {.search = search, .candidate = candidate};
    struct vgg_walk_budget budget = vgg_walk_budget_make(search->load->limits);
    vgg_status status =
        vgg_walk(search->load, location.source, &budget, &location.tensors, &location.modules);
    status = status ? status : find_prefix(&taken, alone, &location.tensors);
    if (status != VGG_OK) {
        return status;
    }
    vgg_source_get_label(candidate->source, "", name);
    location.key = vgg_arena_copy_string(search->load->arena, name,
                                         candidate->source->parent == NULL ? 0 : strlen(name));
    location.prefix = taken.prefix;
    location.skipped = strip(&taken, &location.tensors);
    strip(&taken, &location.modules);
    const bool good = location.key != NULL && (candidate->prefix == NULL ||
                                               (clean(&location.tensors, search->load->arena) &&
                                                clean(&location.modules, search->load->arena)));
    if (!good) {
        return vgg_load_fail_memory(search->load, sizeof name, "the tensors' names");
    }
    *out = location;
    return VGG_OK;
}

/* ---- when there are no tensors ---- */

/* Whether a dict is optimizer.state_dict(), or holds it as "optimizer". */
static bool is_optimizer(const struct vgg_value *dict)
{
    return vgg_value_get(dict, "param_groups") != NULL || vgg_value_get(dict, "optimizer") != NULL;
}

static bool has_array(const struct vgg_value *dict)
{
    for (size_t i = 1; i < dict->list.count; i += 2) {
        if (vgg_value_is_array(dict->list.items[i])) {
            return true;
        }
    }
    return false;
}

static vgg_status fail_nothing(const struct vgg_search *search, const struct vgg_value *root)
{
    const char *path = search->load->path;
    struct vgg_text keys = {0};
    if (vgg_value_is_tensor(root)) {
        return vgg_fail(search->load->err, VGG_ERR_UNSUPPORTED,
                        "%s: holds one tensor, expected a state dict", path);
    }
    if (root->kind == VGG_VALUE_OBJECT || root->kind == VGG_VALUE_GLOBAL) {
        bool object = root->kind == VGG_VALUE_OBJECT;
        const struct vgg_value *global = object ? root->object.callee : root;
        struct vgg_span module = global->global.module, name = global->global.name;
        if (vgg_is_torchscript(module)) {
            return vgg_fail(
                search->load->err, VGG_ERR_UNSUPPORTED,
                "%s: a TorchScript module (%.*s) without weights: if torch.jit.freeze or "
                "optimize_for_inference made them constants of its code, save the module as it was "
                "before, or its state_dict()",
                path, VGG_SHOWN(name.bytes, name.length, 200));
        }
        return vgg_fail(search->load->err, VGG_ERR_UNSUPPORTED,
                        "%s: holds %s (%.*s.%.*s) without weights, expected a state dict; save "
                        "model.state_dict() instead",
                        path, object ? "a whole object" : "a name",
                        VGG_SHOWN(module.bytes, module.length, 200),
                        VGG_SHOWN(name.bytes, name.length, 200));
    }
    if (root->kind != VGG_VALUE_DICT) {
        return vgg_fail(search->load->err, VGG_ERR_UNSUPPORTED,
                        "%s: expected a state dict, found %s", path,
                        vgg_value_kind_string(root->kind));
    }
    for (size_t i = 0; i < root->list.count && i < 2 * LISTED_MAX; i += 2) {
        const struct vgg_value *key = root->list.items[i];
        if (key->kind == VGG_VALUE_TEXT) {
            vgg_text_add(&keys, "%s'%.*s'", keys.length > 0 ? ", " : "",
                         VGG_SHOWN(key->text.bytes, key->text.length, 64));
        }
    }
    return vgg_fail_long(search->load->arena->context, search->load->err, VGG_ERR_FORMAT,
                         VGG_HINT_NONE, "%s: no tensors in the checkpoint's dict (keys: %s%s)%s",
                         path, keys.length > 0 ? keys.buffer : "none",
                         root->list.count > 2 * LISTED_MAX ? ", …" : "",
                         is_optimizer(root) ? ": an optimizer's state, expected model.state_dict()"
                         : has_array(root)  ? ": arrays of NumPy whose names are no layer's "
                                              "parameters, expected a state dict"
                                            : ", expected a state dict");
}

/* Whether a key names a candidate in its source, and not only the source. */
static bool is_named(const struct vgg_candidate *candidate, const char *key)
{
    vgg_source_label name;
    return key != NULL && candidate->prefix != NULL && candidate->prefix[0] != '\0' &&
           strcmp(vgg_source_get_label(candidate->source, candidate->prefix, name), key) == 0;
}

vgg_status vgg_locate(const struct vgg_load *load, const struct vgg_pickle *pickle, const char *key,
                      struct vgg_location *out)
{
    struct vgg_search search;
    const struct vgg_candidate *candidate = NULL;
    vgg_status status = vgg_search_run(load, pickle->root, &search);
    if (status != VGG_OK) {
        return status;
    }
    struct vgg_candidate made = {.source = choose_likely(&search)};
    if (made.source == NULL) {
        status = fail_nothing(&search, pickle->root);
    } else if (key != NULL) {
        status = choose_by_key(&search, key, &made, &candidate);
    } else {
        status = choose_only(&search, NULL, &candidate);
        candidate = candidate != NULL ? candidate : &made;
    }
    if (status == VGG_OK) {
        /* The code of a script says what runs beside the VGG in it. */
        const bool alone = is_named(candidate, key) || candidate->source->kind == VGG_SOURCE_SCRIPT;
        status = take(&search, candidate, alone, out);
    }
    if (status == VGG_OK && key == NULL && out->kind == VGG_SOURCE_SCRIPT && out->skipped > 0) {
        made.source = candidate->source;
        search.candidate_count = 0;
        status = take(&search, &made, true, out);
    }
    if (status == VGG_OK && out->tensors.count == 0) {
        status = key != NULL ? fail_no_key(&search, key) : fail_nothing(&search, pickle->root);
    }
    vgg_search_fini(&search);
    return status;
}
