/* Which of the things in a checkpoint is the net, and its tensors by name. */
#include "checkpoint/contents.h"

#include "checkpoint/names.h"
#include "checkpoint/places.h"
#include "checkpoint/rebuild.h"

enum { LISTED_MAX = 20 }; /* in messages */

/* What training scripts call a net's tensors, the most telling first. */
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

/* "state_dict (32 tensors), state_dict_ema (32 tensors)": the VGGs, or if there are none all that has
 * tensors. */
static void list(const struct vgg_places *places, struct vgg_text *text)
{
    vgg_place_label name;
    size_t listed = 0;
    for (size_t i = 0; i < places->option_count && listed < LISTED_MAX; i++) {
        const struct vgg_option *option = &places->options[i];
        vgg_text_add(text, "%s%s (%zu tensors)", listed++ > 0 ? ", " : "",
                     vgg_place_get_label(option->place, option->prefix, name), option->tensors);
    }
    for (size_t i = 0; places->option_count == 0 && i < places->count && listed < LISTED_MAX; i++) {
        const struct vgg_place *place = &places->items[i];
        if (place->kind != VGG_SOURCE_NONE) {
            vgg_text_add(text, "%s%s (%zu tensors)", listed++ > 0 ? ", " : "",
                         vgg_place_get_label(place, "", name), place->tensors);
        }
    }
}

static vgg_status fail_no_key(const struct vgg_places *places, const char *key,
                              struct vgg_error *err)
{
    struct vgg_text text = {0};
    list(places, &text);
    return vgg_fail(err, VGG_ERR_MISMATCH, "%s: --key %.200s: no tensors there; there are %s",
                    places->path, key, text.buffer);
}

/* The only VGG there is, or that all the others are the same as; NULL when there is none.
 *   place  in which; NULL: anywhere */
static vgg_status choose_only(struct vgg_places *places, const struct vgg_place *place,
                              const struct vgg_option **out, struct vgg_error *err)
{
    *out = NULL;
    for (size_t i = 0; i < places->option_count; i++) {
        const struct vgg_option *option = &places->options[i];
        if (place != NULL && option->place != place) {
            continue;
        }
        bool same = true;
        if (*out != NULL && vgg_options_compare(places, *out, option, &same) != VGG_OK) {
            return vgg_fail_memory(err, places->path, sizeof *option, "the search");
        }
        if (!same) {
            struct vgg_text text = {0};
            list(places, &text);
            return vgg_fail(err, VGG_ERR_MISMATCH,
                            "%s: holds different VGGs: %s; choose one with --key NAME",
                            places->path, text.buffer);
        }
        *out = *out != NULL ? *out : option;
    }
    return VGG_OK;
}

/* The place whose path is the longest beginning of a key, and how much of the key that is. */
static const struct vgg_place *find_longest(const struct vgg_places *places, const char *key,
                                            size_t *used)
{
    const struct vgg_place *longest = NULL;
    *used = 0;
    for (size_t i = 0; i < places->count; i++) {
        const struct vgg_place *place = &places->items[i];
        vgg_place_label name;
        size_t length = strlen(vgg_place_get_label(place, "", name));
        if (place->kind == VGG_SOURCE_NONE) {
            continue;
        }
        if (place->parent == NULL && strcmp(key, ".") != 0) {
            length = 0;
        } else if (strncmp(key, name, length) != 0 || (key[length] != '.' && key[length] != '\0')) {
            continue;
        }
        if (longest == NULL || length > *used) {
            longest = place;
            *used = length;
        }
    }
    return longest;
}

/* What a key names.
 *   made  becomes *out where that is no VGG to be seen */
static vgg_status choose_by_key(struct vgg_places *places, const char *key, struct vgg_option *made,
                                const struct vgg_option **out, struct vgg_error *err)
{
    vgg_place_label name;
    size_t used;
    for (size_t i = 0; i < places->option_count; i++) {
        const struct vgg_option *option = &places->options[i];
        if (strcmp(vgg_place_get_label(option->place, option->prefix, name), key) == 0) {
            *out = option;
            return VGG_OK;
        }
    }
    const struct vgg_place *place = find_longest(places, key, &used);
    if (place == NULL || strlen(key) - used > VGG_NAME_BYTES_MAX) {
        return fail_no_key(places, key, err);
    }
    *made = (struct vgg_option){.place = place};
    if (key[used] == '\0') {
        vgg_status status = choose_only(places, place, out, err);
        *out = *out != NULL ? *out : made;
        return status;
    }
    /* The rest of the key is the beginning of names. */
    key += used + (key[used] == '.' && used > 0);
    const size_t length = strlen(key);
    char *prefix = vgg_arena_alloc(places->arena, length + 2, 1);
    if (prefix == NULL) {
        return vgg_fail_memory(err, places->path, length, "the key");
    }
    memcpy(prefix, key, length);
    prefix[length] = '.';
    made->prefix = prefix;
    *out = made;
    return VGG_OK;
}

/* Where nothing is a VGG: what is called like one, then the root, then what holds most. */
static const struct vgg_place *choose_likely(const struct vgg_places *places)
{
    const struct vgg_place *best = NULL;
    size_t best_rank = USUAL_COUNT + 2;
    for (size_t i = 0; i < places->count; i++) {
        const struct vgg_place *place = &places->items[i];
        size_t rank = 0;
        if (place->kind == VGG_SOURCE_NONE) {
            continue;
        }
        while (rank < USUAL_COUNT && !vgg_span_equals(place->key, usual_keys[rank])) {
            rank++;
        }
        rank += rank == USUAL_COUNT && place->parent != NULL;
        if (rank < best_rank || (rank == best_rank && place->tensors > best->tensors)) {
            best = place;
            best_rank = rank;
        }
    }
    return best;
}

/* ---- taking ---- */

/* Keeps the names that are an option's, less its prefix. Returns how many are not. */
static size_t strip(const struct vgg_places *places, const struct vgg_option *option,
                    const char *prefix, struct vgg_named_list *list)
{
    const size_t length = strlen(prefix), count = list->count;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct vgg_named named = list->items[i];
        if (vgg_option_has(places, option, named.name) && starts_with(named.name, prefix)) {
            named.name += length;
        } else if (strlen(named.name) == length - 1 && starts_with(prefix, named.name)) {
            named.name += length - 1; /* the module that the prefix is the path of */
        } else {
            continue;
        }
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

/* The prefixes of wrappers that all names have; NULL without memory. */
static const char *find_common_prefix(const struct vgg_named_list *tensors, struct vgg_arena *arena)
{
    const struct vgg_allocator *allocator = vgg_allocator_of(arena->context);
    const char **names = vgg_mem_alloc(allocator, tensors->count + 1, sizeof *names);
    if (names == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < tensors->count; i++) {
        names[i] = tensors->items[i].name;
    }
    size_t length = vgg_names_common_prefix(names, tensors->count);
    const char *prefix = vgg_arena_copy_string(arena, length > 0 ? names[0] : "", length);
    vgg_mem_free(allocator, names);
    return prefix;
}

static vgg_status take(const struct vgg_places *places, const struct vgg_option *option,
                       struct vgg_contents *out, struct vgg_error *err)
{
    vgg_place_label name;
    struct vgg_contents contents = {.source = option->place->value, .kind = option->place->kind};
    struct vgg_walk_budget budget = vgg_walk_budget_make(places->limits);
    vgg_status status = vgg_walk(contents.source, places->path, places->limits, &budget,
                                 places->arena, &contents.tensors, &contents.modules, err);
    if (status != VGG_OK) {
        return status;
    }
    vgg_place_get_label(option->place, "", name);
    contents.key = vgg_arena_copy_string(places->arena, name,
                                         option->place->parent == NULL ? 0 : strlen(name));
    contents.prefix = option->prefix != NULL ? option->prefix
                                             : find_common_prefix(&contents.tensors, places->arena);
    bool good = contents.key != NULL && contents.prefix != NULL;
    if (good) {
        contents.outside = strip(places, option, contents.prefix, &contents.tensors);
        strip(places, option, contents.prefix, &contents.modules);
        good = option->prefix == NULL ||
               (clean(&contents.tensors, places->arena) && clean(&contents.modules, places->arena));
    }
    if (!good) {
        return vgg_fail_memory(err, places->path, sizeof name, "the tensors' names");
    }
    *out = contents;
    return VGG_OK;
}

/* ---- when there is nothing ---- */

/* What optimizer.state_dict() gives, or {"optimizer": that}. */
static bool is_optimizer(const struct vgg_value *dict)
{
    return vgg_value_get(dict, "param_groups") != NULL || vgg_value_get(dict, "optimizer") != NULL;
}

static vgg_status fail_nothing(const struct vgg_value *root, const char *path,
                               struct vgg_error *err)
{
    struct vgg_text keys = {0};
    if (vgg_value_is_tensor(root)) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED, "%s: holds one tensor, expected a state dict",
                        path);
    }
    if (root->kind == VGG_VALUE_OBJECT || root->kind == VGG_VALUE_GLOBAL) {
        bool object = root->kind == VGG_VALUE_OBJECT;
        const struct vgg_value *global = object ? root->object.callee : root;
        struct vgg_span module = global->global.module, name = global->global.name;
        return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                        "%s: holds %s (%.*s.%.*s) without weights, expected a state dict; save "
                        "model.state_dict() instead",
                        path, object ? "a whole object" : "a name",
                        module.length > 200 ? 200 : (int)module.length, module.bytes,
                        name.length > 200 ? 200 : (int)name.length, name.bytes);
    }
    if (root->kind != VGG_VALUE_DICT) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED, "%s: expected a state dict, found %s", path,
                        vgg_value_kind_string(root->kind));
    }
    for (size_t i = 0; i < root->list.count && i < 2 * LISTED_MAX; i += 2) {
        const struct vgg_value *key = root->list.items[i];
        if (key->kind == VGG_VALUE_TEXT) {
            vgg_text_add(&keys, "%s'%.*s'", keys.length > 0 ? ", " : "",
                         key->text.length > 64 ? 64 : (int)key->text.length, key->text.bytes);
        }
    }
    return vgg_fail(err, VGG_ERR_FORMAT, "%s: no tensors in the checkpoint's dict (keys: %s%s)%s",
                    path, keys.length > 0 ? keys.buffer : "none",
                    root->list.count > 2 * LISTED_MAX ? ", …" : "",
                    is_optimizer(root) ? ": an optimizer's state, expected model.state_dict()"
                                       : ", expected a state dict");
}

vgg_status vgg_contents_find(const struct vgg_pickle *pickle, const char *path, const char *key,
                             const struct vgg_limits *limits, struct vgg_arena *arena,
                             struct vgg_contents *out, struct vgg_error *err)
{
    struct vgg_places places;
    const struct vgg_option *option = NULL;
    vgg_status status = vgg_places_find(path, pickle->root, limits, arena, &places, err);
    if (status != VGG_OK) {
        return status;
    }
    struct vgg_option made = {.place = choose_likely(&places)};
    if (made.place == NULL) {
        status = fail_nothing(pickle->root, path, err);
    } else if (key != NULL) {
        status = choose_by_key(&places, key, &made, &option, err);
    } else {
        status = choose_only(&places, NULL, &option, err);
        option = option != NULL ? option : &made;
    }
    if (status == VGG_OK) {
        status = take(&places, option, out, err);
    }
    if (status == VGG_OK && out->tensors.count == 0) {
        status =
            key != NULL ? fail_no_key(&places, key, err) : fail_nothing(pickle->root, path, err);
    }
    vgg_places_fini(&places);
    return status;
}
