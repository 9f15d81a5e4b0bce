/* From the chain that weights make to the description of the net: above all, where the pools are. */
#include "model/infer/chain_describe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/spec/builtin.h"
#include "model/spec/defaults.h"

/* What is known of the room between a convolution and the next. */
enum room { ROOM_UNKNOWN, ROOM_NONE, ROOM_POOL };

/* Where a module is: "block1.0" is number 0 in "block1"; "conv1_2" is in "" and has no number. */
struct place {
    size_t parent; /* length of its name */
    int number;    /* -1: it is called otherwise */
};

struct describer {
    const char *path;
    const struct vgg_chain *chain;
    const struct vgg_tensor_list *tensors;
    struct vgg_arena *arena;
    enum room *rooms; /* [conv_count]: after each convolution */
    struct vgg_text assumed;
    struct vgg_error *err;
};

static const char digits[] = "0123456789";

static struct place place_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    const char *last = dot != NULL ? dot + 1 : name;
    const size_t length = strspn(last, digits);
    return (struct place){.parent = dot != NULL ? (size_t)(dot - name) : 0,
                          .number =
                              length > 0 && length < 7 && last[length] == '\0' ? atoi(last) : -1};
}

static bool same_parent(const char *a, const char *b)
{
    const struct place x = place_of(a), y = place_of(b);
    return x.parent == y.parent && memcmp(a, b, x.parent) == 0;
}

/* ---- what places in a Sequential tell ---- */

/* False if modules lie between the two that names do not tell of. */
static bool look_between(const struct vgg_chain_layer *conv, const struct vgg_chain_layer *next,
                         enum room *room)
{
    const struct place a = place_of(conv->name), b = place_of(next->name);
    *room = ROOM_UNKNOWN;
    if (a.number < 0 || b.number < 0) {
        return true;
    }
    if (!same_parent(conv->name, next->name)) {
        /* A block that begins with something before its first convolution. */
        *room = b.number == 1 ? ROOM_POOL : ROOM_UNKNOWN;
        return b.number <= 1;
    }
    const bool norm = conv->norm != NULL && same_parent(conv->name, conv->norm);
    const int more = b.number - a.number - (norm ? 3 : 2);
    *room = more == 0 ? ROOM_NONE : more == 1 ? ROOM_POOL : ROOM_UNKNOWN;
    return more <= 1; /* less than none: there are no modules for what lies between */
}

static vgg_status look_at_places(struct describer *d)
{
    for (size_t i = 0; i + 1 < d->chain->conv_count; i++) {
        const struct vgg_chain_layer *conv = &d->chain->convs[i];
        if (!look_between(conv, conv + 1, &d->rooms[i])) {
            return vgg_fail_hint(
                d->err, VGG_ERR_UNSUPPORTED, VGG_HINT_LAYERS,
                "%s: expected ReLU and at most one pool between the convolutions %s and %s, got "
                "more modules, whose kinds the file does not tell",
                d->path, conv->name, conv[1].name);
        }
    }
    return VGG_OK;
}

static bool all_known(const struct describer *d)
{
    for (size_t i = 0; i + 1 < d->chain->conv_count; i++) {
        if (d->rooms[i] == ROOM_UNKNOWN) {
            return false;
        }
    }
    return true;
}

/* ---- what published nets tell ---- */

/* Whether the convolutions are the description's, and its pools not against what is known. On true, the rooms
 * are known. */
static bool take_pools_of(struct describer *d, const struct vgg_spec *spec)
{
    size_t conv = 0;
    for (int pass = 0; pass < 2; pass++) {
        conv = 0;
        for (size_t i = 0; i < spec->layer_count; i++) {
            if (spec->layers[i].kind != VGG_LAYER_CONV) {
                continue;
            }
            const bool pool =
                i + 1 < spec->layer_count && spec->layers[i + 1].kind == VGG_LAYER_MAX_POOL;
            const enum room room = pool ? ROOM_POOL : ROOM_NONE;
            if (conv == d->chain->conv_count ||
                d->chain->convs[conv].weight->shape[0] != spec->layers[i].channels ||
                (d->rooms[conv] != ROOM_UNKNOWN && d->rooms[conv] != room)) {
                return false;
            }
            if (pass == 1) {
                d->rooms[conv] = room;
            }
            conv++;
        }
        if (conv != d->chain->conv_count) {
            return false;
        }
    }
    return true;
}

static vgg_status look_at_builtins(struct describer *d, const struct vgg_limits *limits,
                                   bool *found)
{
    *found = false;
    for (const struct vgg_builtin *file = vgg_builtins; file->name != NULL && !*found; file++) {
        struct vgg_spec spec;
        const size_t length = strlen(file->name);
        if (strncmp(file->name, "vgg", 3) != 0 || strcmp(file->name + length - 5, ".json") != 0) {
            continue;
        }
        vgg_status status =
            vgg_spec_parse(file->name, file->data, file->size, limits, d->arena, &spec, d->err);
        if (status != VGG_OK) {
            return status;
        }
        *found = take_pools_of(d, &spec);
        if (*found) {
            vgg_text_add(&d->assumed, "pools as in %s, whose convolutions these are", spec.name);
        }
    }
    return VGG_OK;
}

/* ---- what names of blocks tell ---- */

/* What the names of all convolutions begin with, up to a number. */
static size_t find_common(const struct vgg_chain *chain)
{
    const char *first = chain->convs[0].name;
    size_t common = strlen(first);
    for (size_t i = 1; i < chain->conv_count; i++) {
        size_t length = 0;
        while (length < common && chain->convs[i].name[length] == first[length]) {
            length++;
        }
        common = length;
    }
    while (common > 0 && strchr(digits, first[common - 1]) != NULL) {
        common--;
    }
    return common;
}

/* The block of a convolution: up to the first of two numbers in its name, "conv1" of conv1_2, or the Sequential
 * that it is in. Returns the length; 0: the name tells of none. */
static size_t block_of(const char *name, size_t common)
{
    const struct place place = place_of(name);
    const char *number = strpbrk(name + common, digits);
    if (number != NULL) {
        number += strspn(number, digits);
        if (strpbrk(number, digits) != NULL) {
            return (size_t)(number - name);
        }
    }
    return place.number >= 0 ? place.parent : 0;
}

static bool same_block(const char *a, const char *b, size_t common)
{
    const size_t length = block_of(a, common);
    return length > 0 && length == block_of(b, common) && memcmp(a, b, length) == 0;
}

/* One pool after each block, if blocks have several convolutions. */
static bool look_at_blocks(struct describer *d)
{
    const struct vgg_chain_layer *convs = d->chain->convs;
    const size_t count = d->chain->conv_count, common = find_common(d->chain);
    size_t blocks = 1;
    for (size_t i = 0; i < count; i++) {
        if (block_of(convs[i].name, common) == 0) {
            return false;
        }
        blocks += i > 0 && !same_block(convs[i - 1].name, convs[i].name, common);
    }
    if (blocks == 1 || blocks == count) { /* one of them all, or one each: these are no blocks */
        return false;
    }
    for (size_t i = 0; i + 1 < count; i++) {
        if (d->rooms[i] == ROOM_UNKNOWN) {
            const bool same = same_block(convs[i].name, convs[i + 1].name, common);
            d->rooms[i] = same ? ROOM_NONE : ROOM_POOL;
        }
    }
    vgg_text_add(&d->assumed, "a 2x2 max pool after each of the %zu blocks (%.*s …)", blocks,
                 (int)block_of(convs[0].name, common), convs[0].name);
    return true;
}

static vgg_status fail_no_pools(const struct describer *d)
{
    struct vgg_text list = {0};
    const size_t count = d->chain->conv_count;
    for (size_t i = 0; i < count; i++) {
        vgg_text_add(&list, "%s%lld", i > 0 ? "," : "",
                     (long long)d->chain->convs[i].weight->shape[0]);
    }
    return vgg_fail_long(d->arena->context, d->err, VGG_ERR_UNSUPPORTED, VGG_HINT_LAYERS,
                         "%s: the names %s … %s do not tell where the pools are: expected the list "
                         "of layers \"%s\" with an M for each 2x2 max pool",
                         d->path, d->chain->convs[0].name, d->chain->convs[count - 1].name,
                         list.buffer);
}

static vgg_status find_pools(struct describer *d, const struct vgg_limits *limits)
{
    const char *last = d->chain->convs[d->chain->conv_count - 1].name;
    bool found = false;
    vgg_status status = look_at_places(d);
    if (status != VGG_OK) {
        return status;
    }
    if (all_known(d)) {
        vgg_text_add(&d->assumed, "a 2x2 max pool after %s", last);
    } else {
        status = look_at_builtins(d, limits, &found);
        if (status == VGG_OK && !found && !look_at_blocks(d)) {
            status = fail_no_pools(d);
        }
    }
    d->rooms[d->chain->conv_count - 1] = ROOM_POOL;
    return status;
}

/* ---- all of it ---- */

static bool has_bias(const struct describer *d, const struct vgg_chain_layer *layer)
{
    return vgg_tensor_list_findf(d->tensors, "%s.bias", layer->name) != NULL;
}

static struct vgg_layer make_conv(const struct describer *d, const struct vgg_chain_layer *layer)
{
    const int kernel = (int)layer->weight->shape[2];
    return (struct vgg_layer){
        .kind = VGG_LAYER_CONV,
        .name = layer->name,
        .norm = layer->norm,
        .channels = (int)layer->weight->shape[0],
        .kernel = kernel,
        .stride = 1,
        .padding = kernel / 2,
        .bias = has_bias(d, layer),
        .batch_norm = layer->norm != NULL,
    };
}

/* Whether there is no place for a ReLU between two layers of a Sequential. */
static bool is_adjacent(const struct vgg_chain_layer *a, const struct vgg_chain_layer *b)
{
    const struct place x = place_of(a->name), y = place_of(b->name);
    return same_parent(a->name, b->name) && x.number >= 0 && y.number >= 0 &&
           y.number - x.number < (a->norm != NULL ? 3 : 2);
}

static vgg_status describe_classifier(const struct describer *d, struct vgg_spec *spec)
{
    const struct vgg_chain *chain = d->chain;
    const int64_t channels = chain->convs[chain->conv_count - 1].weight->shape[0];
    const int64_t pixels = chain->linears[0].weight->shape[1] / channels;
    int64_t side = 1;
    while (side * side < pixels) {
        side++;
    }
    if (side * side != pixels) {
        return vgg_fail(d->err, VGG_ERR_MISMATCH,
                        "%s: %s: expected as in_features the %lld channels of %s times a square "
                        "number of pixels, found %lld times %lld",
                        d->path, chain->linears[0].weight->name, (long long)channels,
                        chain->convs[chain->conv_count - 1].weight->name, (long long)channels,
                        (long long)pixels);
    }
    for (size_t i = 1; i < chain->linear_count; i++) {
        const struct vgg_chain_layer *layer = &chain->linears[i];
        if (is_adjacent(layer - 1, layer)) {
            return vgg_fail(
                d->err, VGG_ERR_UNSUPPORTED,
                "%s: expected ReLU between the linear layers %s and %s, found no place for it",
                d->path, layer[-1].name, layer->name);
        }
    }
    spec->avgpool = (int)side;
    spec->head_count = chain->linear_count;
    spec->head = vgg_arena_alloc(d->arena, spec->head_count, sizeof *spec->head);
    for (size_t i = 0; spec->head != NULL && i < spec->head_count; i++) {
        const struct vgg_chain_layer *layer = &chain->linears[i];
        spec->head[i] = (struct vgg_head){.name = layer->name,
                                          .norm = layer->norm,
                                          .features = (int)layer->weight->shape[0],
                                          .bias = has_bias(d, layer),
                                          .batch_norm = layer->norm != NULL,
                                          .index = 3 * (int)i};
    }
    return spec->head != NULL
               ? VGG_OK
               : vgg_fail_memory(d->err, d->path, spec->head_count * sizeof *spec->head,
                                 "the layers");
}

static vgg_status check_sizes(const struct describer *d, const struct vgg_limits *limits)
{
    char shape[VGG_SHAPE_TEXT_BYTES];
    const struct vgg_chain *chain = d->chain;
    const size_t count = chain->conv_count + chain->linear_count;
    if (count > limits->layers) {
        return vgg_fail(d->err, VGG_ERR_LIMIT, "%s: the net has %zu layers, limit is %u", d->path,
                        count, limits->layers);
    }
    for (size_t i = 0; i < count; i++) {
        const struct vgg_tensor *weight = i < chain->conv_count
                                              ? chain->convs[i].weight
                                              : chain->linears[i - chain->conv_count].weight;
        if (weight->shape[0] > VGG_MAX_CHANNELS || weight->shape[1] > VGG_MAX_CHANNELS) {
            return vgg_fail(d->err, VGG_ERR_LIMIT, "%s: %s: expected sides of 1 to %d, found %s",
                            d->path, weight->name, VGG_MAX_CHANNELS,
                            vgg_shape_text(weight->shape, weight->ndim, shape));
        }
        if (weight->ndim == 4 && (weight->shape[2] != weight->shape[3] ||
                                  (weight->shape[2] != 3 && weight->shape[2] != 1))) {
            return vgg_fail(d->err, VGG_ERR_UNSUPPORTED,
                            "%s: %s: expected a convolution of 3x3 or 1x1, as a VGG has, found %s",
                            d->path, weight->name,
                            vgg_shape_text(weight->shape, weight->ndim, shape));
        }
    }
    return VGG_OK;
}

/* The entries of cfg, with what the weights say of its convolutions. */
static vgg_status describe_as_cfg(const struct describer *d, const struct vgg_cfg *cfg,
                                  struct vgg_spec *spec)
{
    const struct vgg_chain *chain = d->chain;
    if (cfg->conv_count != chain->conv_count) {
        return vgg_fail(d->err, VGG_ERR_MISMATCH,
                        "%s: expected %zu convolutions as cfg has, found %zu: %s … %s", d->path,
                        cfg->conv_count, chain->conv_count, chain->convs[0].name,
                        chain->convs[chain->conv_count - 1].name);
    }
    for (size_t i = 0, conv = 0; i < cfg->count; i++) {
        const struct vgg_layer *entry = &cfg->layers[i];
        if (entry->kind != VGG_LAYER_CONV) {
            spec->layers[spec->layer_count++] = *entry;
            continue;
        }
        const struct vgg_chain_layer *layer = &chain->convs[conv++];
        if (layer->weight->shape[0] != entry->channels) {
            char shape[VGG_SHAPE_TEXT_BYTES];
            return vgg_fail(d->err, VGG_ERR_MISMATCH,
                            "%s: %s: expected %d output channels, entry %zu of cfg, found %s",
                            d->path, layer->weight->name, entry->channels, i + 1,
                            vgg_shape_text(layer->weight->shape, layer->weight->ndim, shape));
        }
        spec->layers[spec->layer_count++] = make_conv(d, layer);
    }
    return VGG_OK;
}

static vgg_status describe_features(struct describer *d, const struct vgg_limits *limits,
                                    struct vgg_spec *spec)
{
    static const struct vgg_layer pool = {.kind = VGG_LAYER_MAX_POOL, .kernel = 2, .stride = 2};
    vgg_status status = find_pools(d, limits);
    for (size_t i = 0; status == VGG_OK && i < d->chain->conv_count; i++) {
        spec->layers[spec->layer_count++] = make_conv(d, &d->chain->convs[i]);
        if (d->rooms[i] == ROOM_POOL) {
            spec->layers[spec->layer_count++] = pool;
        }
    }
    return status;
}

vgg_status vgg_chain_describe(const char *path, const struct vgg_chain *chain,
                              const struct vgg_tensor_list *tensors, const struct vgg_cfg *cfg,
                              const struct vgg_limits *limits, struct vgg_arena *arena,
                              struct vgg_spec *out, struct vgg_error *err)
{
    struct describer d = {
        .path = path, .chain = chain, .tensors = tensors, .arena = arena, .err = err};
    struct vgg_spec spec = {0};
    const size_t places = 2 * chain->conv_count + (cfg != NULL ? cfg->count : 0);
    vgg_status status = check_sizes(&d, limits);
    if (status != VGG_OK) {
        return status;
    }
    vgg_text_add(&d.assumed, "layers in the order of %s (%s … %s); ",
                 chain->by_number ? "their numbers" : "the file", chain->convs[0].name,
                 chain->linears[chain->linear_count - 1].name);
    d.rooms = vgg_arena_alloc(arena, chain->conv_count, sizeof *d.rooms);
    spec.layers = vgg_arena_alloc(arena, places, sizeof *spec.layers);
    if (d.rooms == NULL || spec.layers == NULL) {
        return vgg_fail_memory(err, path, places * sizeof *spec.layers, "the layers");
    }
    memset(d.rooms, 0, chain->conv_count * sizeof *d.rooms);
    status = cfg != NULL ? describe_as_cfg(&d, cfg, &spec) : describe_features(&d, limits, &spec);
    status = status ? status : describe_classifier(&d, &spec);
    if (status != VGG_OK) {
        return status;
    }
    /* Without an end of its own, a cfg leaves nothing but the order to say. */
    const size_t length = cfg != NULL ? d.assumed.length - 2 : d.assumed.length;
    spec.assumed = vgg_arena_copy_string(arena, d.assumed.buffer, length);
    if (spec.assumed == NULL) {
        return vgg_fail_memory(err, path, length, "the layers");
    }
    spec.input = vgg_spec_natural_input(&spec);
    spec.assumed_input = true;
    spec.assumed_avgpool = true;
    *out = spec;
    return VGG_OK;
}

vgg_status vgg_chain_name(const char *path, const struct vgg_chain *chain, struct vgg_spec *spec,
                          struct vgg_error *err)
{
    size_t conv = 0;
    for (size_t i = 0; i < spec->layer_count; i++) {
        conv += spec->layers[i].kind == VGG_LAYER_CONV;
    }
    if (conv != chain->conv_count || spec->head_count != chain->linear_count) {
        return vgg_fail(
            err, VGG_ERR_MISMATCH,
            "%s: expected %zu convolutions and %zu linear layers as described, found %zu "
            "(%s …) and %zu (%s …)",
            path, conv, spec->head_count, chain->conv_count, chain->convs[0].name,
            chain->linear_count, chain->linears[0].name);
    }
    conv = 0;
    for (size_t i = 0; i < spec->layer_count; i++) {
        if (spec->layers[i].kind == VGG_LAYER_CONV) {
            spec->layers[i].name = chain->convs[conv].name;
            spec->layers[i].norm = chain->convs[conv++].norm;
        }
    }
    for (size_t i = 0; i < spec->head_count; i++) {
        spec->head[i].name = chain->linears[i].name;
        spec->head[i].norm = chain->linears[i].norm;
    }
    return VGG_OK;
}
