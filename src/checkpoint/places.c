/* Everything in a checkpoint that can hold a net's tensors, and which of it is a VGG. */
#include "checkpoint/places.h"

#include "checkpoint/names.h"
#include "checkpoint/rebuild.h"

/* ---- where tensors can be ---- */

static void add_place(struct vgg_places *places, const struct vgg_place *parent,
                      struct vgg_value *value, struct vgg_span key)
{
    const int depth = parent != NULL ? parent->depth + 1 : 0;
    bool is_list = value->kind == VGG_VALUE_DICT || value->kind == VGG_VALUE_LIST ||
                   value->kind == VGG_VALUE_TUPLE;
    if ((!is_list && value->kind != VGG_VALUE_OBJECT) || value->seen ||
        depth > VGG_PLACE_DEPTH_MAX || places->count == VGG_PLACES_MAX ||
        key.length > VGG_PLACE_KEY_BYTES_MAX || !vgg_name_is_good(key)) {
        return;
    }
    enum vgg_source_kind kind = vgg_source_of(value);
    if (is_list || kind != VGG_SOURCE_NONE ||
        value->object.callee->global.entry->role == VGG_GLOBAL_OTHER) {
        value->seen = true;
        places->items[places->count++] = (struct vgg_place){
            .value = value, .kind = kind, .parent = parent, .key = key, .depth = depth};
    }
}

static void add_items(struct vgg_places *places, const struct vgg_place *place,
                      const struct vgg_value *list)
{
    if (list->kind == VGG_VALUE_DICT) {
        for (size_t i = 0; i < list->list.count; i += 2) {
            const struct vgg_value *key = list->list.items[i];
            if (key->kind == VGG_VALUE_TEXT) {
                add_place(places, place, list->list.items[i + 1], key->text);
            }
        }
        return;
    }
    for (size_t i = 0; i < list->list.count && places->count < VGG_PLACES_MAX; i++) {
        static const char digits[][3] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
        if (i < sizeof digits / sizeof digits[0]) { /* [model.state_dict(), optimizer, …] */
            add_place(places, place, list->list.items[i], (struct vgg_span){digits[i], 1});
        }
    }
}

/* Level by level, so that each value is found at its shortest path. */
static void find_all(struct vgg_places *places, struct vgg_value *root)
{
    add_place(places, NULL, root, (struct vgg_span){"", 0});
    for (size_t i = 0; i < places->count; i++) {
        const struct vgg_place *place = &places->items[i];
        const struct vgg_value *value = place->value;
        if (value->kind != VGG_VALUE_OBJECT) {
            add_items(places, place, value);
        } else if (place->kind == VGG_SOURCE_NONE && value->object.state != NULL &&
                   value->object.state->kind == VGG_VALUE_DICT) {
            add_items(places, place, value->object.state); /* an object's attributes */
        }
    }
}

const char *vgg_place_get_label(const struct vgg_place *place, const char *prefix,
                                vgg_place_label out)
{
    const struct vgg_place *chain[VGG_PLACE_DEPTH_MAX + 1];
    int depth = 0;
    size_t used = 0;
    for (; place != NULL; place = place->parent) {
        chain[depth++] = place;
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

/* ---- which of them are VGGs ---- */

static bool starts_with(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Finds or makes the option for names of a place that begin so; NULL without room. Errors: MEMORY. */
static vgg_status get_option(struct vgg_places *places, const struct vgg_place *place,
                             const char *name, size_t prefix_length, struct vgg_option **out)
{
    *out = NULL;
    for (size_t i = 0; i < places->option_count; i++) {
        struct vgg_option *option = &places->options[i];
        if (option->place == place && strlen(option->prefix) == prefix_length &&
            memcmp(option->prefix, name, prefix_length) == 0) {
            *out = option;
            return VGG_OK;
        }
    }
    if (places->option_count == VGG_OPTIONS_MAX) {
        return VGG_OK;
    }
    const char *prefix = vgg_arena_copy_string(places->arena, name, prefix_length);
    if (prefix == NULL) {
        return VGG_ERR_MEMORY;
    }
    *out = &places->options[places->option_count++];
    **out = (struct vgg_option){.place = place, .prefix = prefix};
    return VGG_OK;
}

/* Lists a place's tensors for a look. A place that cannot be walked has none: if it is taken in the end,
 * the same error comes again. Errors: MEMORY. */
static vgg_status look(struct vgg_places *places, const struct vgg_place *place,
                       struct vgg_arena *scratch, struct vgg_named_list *tensors)
{
    vgg_status status = vgg_walk(place->value, places->path, places->limits, &places->budget,
                                 scratch, tensors, NULL, NULL);
    if (status != VGG_OK) {
        *tensors = (struct vgg_named_list){0};
    }
    return status == VGG_ERR_MEMORY ? status : VGG_OK;
}

bool vgg_option_has(const struct vgg_places *places, const struct vgg_option *option,
                    const char *name)
{
    const size_t length = option->prefix != NULL ? strlen(option->prefix) : 0;
    if (length > 0 && !starts_with(name, option->prefix)) {
        return false;
    }
    for (size_t i = 0; i < places->option_count; i++) {
        const struct vgg_option *other = &places->options[i];
        if (other->place == option->place && strlen(other->prefix) > length &&
            starts_with(name, other->prefix)) {
            return false;
        }
    }
    return true;
}

/* Finds the VGGs in a place. Errors: MEMORY. */
static vgg_status find_options(struct vgg_places *places, struct vgg_place *place)
{
    struct vgg_arena scratch = {.context = places->arena->context};
    struct vgg_named_list tensors = {0};
    const size_t first = places->option_count;
    vgg_status status = look(places, place, &scratch, &tensors);
    place->tensors = tensors.count;
    for (size_t i = 0; i < tensors.count && status == VGG_OK; i++) {
        size_t length;
        enum vgg_name_part part = vgg_name_find_part(tensors.items[i].name, &length);
        struct vgg_option *option = NULL;
        if (part != VGG_NAME_OTHER) {
            status = get_option(places, place, tensors.items[i].name, length, &option);
        }
        if (option != NULL) {
            option->features = option->features || part == VGG_NAME_FEATURES;
            option->classifier = option->classifier || part == VGG_NAME_CLASSIFIER;
        }
    }
    for (size_t o = first; o < places->option_count; o++) {
        for (size_t i = 0; i < tensors.count; i++) {
            places->options[o].tensors +=
                vgg_option_has(places, &places->options[o], tensors.items[i].name);
        }
    }
    vgg_arena_destroy(&scratch);
    return status;
}

/* Keeps what has convolutions, and of these those with a classifier if there is one. */
static void keep_nets(struct vgg_places *places)
{
    bool any = false;
    size_t kept = 0;
    for (size_t i = 0; i < places->option_count; i++) {
        any = any || (places->options[i].features && places->options[i].classifier);
    }
    for (size_t i = 0; i < places->option_count; i++) {
        if (places->options[i].features && (places->options[i].classifier || !any)) {
            places->options[kept++] = places->options[i];
        }
    }
    places->option_count = kept;
}

/* ---- whether two are the same ---- */

static bool same_view(const struct vgg_places *places, const struct vgg_value *a,
                      const struct vgg_value *b)
{
    struct vgg_tensor x = {0}, y = {0};
    struct vgg_placement p, q;
    return a == b || (vgg_tensor_rebuild(a, "", "", places->limits, &x, &p, NULL) == VGG_OK &&
                      vgg_tensor_rebuild(b, "", "", places->limits, &y, &q, NULL) == VGG_OK &&
                      p.storage == q.storage && p.offset == q.offset && x.ndim == y.ndim &&
                      memcmp(x.shape, y.shape, sizeof x.shape) == 0 &&
                      memcmp(x.stride, y.stride, sizeof x.stride) == 0);
}

/* The next tensor of an option from *i on; NULL at the end. */
static const struct vgg_named *next_of(const struct vgg_places *places,
                                       const struct vgg_option *option,
                                       const struct vgg_named_list *list, size_t *i)
{
    while (*i < list->count && !vgg_option_has(places, option, list->items[*i].name)) {
        ++*i;
    }
    return *i < list->count ? &list->items[(*i)++] : NULL;
}

vgg_status vgg_options_compare(struct vgg_places *places, const struct vgg_option *a,
                               const struct vgg_option *b, bool *same)
{
    struct vgg_arena scratch = {.context = places->arena->context};
    struct vgg_named_list x = {0}, y = {0};
    size_t i = 0, j = 0;
    *same = a->tensors == b->tensors;
    vgg_status status = look(places, a->place, &scratch, &x);
    if (status == VGG_OK) {
        status = look(places, b->place, &scratch, &y);
    }
    while (*same && status == VGG_OK) {
        const struct vgg_named *left = next_of(places, a, &x, &i);
        const struct vgg_named *right = next_of(places, b, &y, &j);
        if (left == NULL || right == NULL) {
            *same = left == right && i > 0;
            break;
        }
        *same = strcmp(left->name + strlen(a->prefix), right->name + strlen(b->prefix)) == 0 &&
                same_view(places, left->value, right->value);
    }
    vgg_arena_destroy(&scratch);
    return status;
}

/* ---- all of it ---- */

vgg_status vgg_places_find(const char *path, struct vgg_value *root,
                           const struct vgg_limits *limits, struct vgg_arena *arena,
                           struct vgg_places *out, struct vgg_error *err)
{
    *out = (struct vgg_places){.path = path,
                               .limits = limits,
                               .arena = arena,
                               .budget = vgg_walk_budget_make(limits),
                               .items = vgg_mem_alloc_cleared(vgg_allocator_of(arena->context),
                                                              VGG_PLACES_MAX, sizeof *out->items)};
    if (out->items == NULL) {
        return vgg_fail_memory(err, path, VGG_PLACES_MAX * sizeof *out->items, "the search");
    }
    find_all(out, root);
    for (size_t i = 0; i < out->count; i++) {
        if (out->items[i].kind != VGG_SOURCE_NONE && find_options(out, &out->items[i]) != VGG_OK) {
            vgg_places_fini(out);
            return vgg_fail_memory(err, path, sizeof *out->items, "the search");
        }
    }
    keep_nets(out);
    return VGG_OK;
}

void vgg_places_fini(struct vgg_places *places)
{
    vgg_mem_free(vgg_allocator_of(places->arena->context), places->items);
    places->items = NULL;
}
