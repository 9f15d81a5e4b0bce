/* SPDX-License-Identifier: MIT */
/* Reads a configuration such as torchvision's make_layers takes, as text. */
#include "model/spec/cfg.h"

#include <stdlib.h>
#include <string.h>

static const char separators[] = " \t\r\n,;()[]{}\"'";

/* Reads one entry of `length` characters. */
static vgg_status read_entry(const char *entry, size_t length, struct vgg_cfg_entry *out,
                             struct vgg_error *err)
{
    const size_t digits = strspn(entry, "0123456789");
    const int channels = digits == length && length <= 8 ? atoi(entry) : 0;
    if (channels >= 1 && channels <= VGG_MAX_CHANNELS) {
        *out = (struct vgg_cfg_entry){.kind = VGG_CFG_CONV, .channels = channels};
    } else if (length == 1 && strchr("Mm", entry[0]) != NULL) {
        *out = (struct vgg_cfg_entry){.kind = VGG_CFG_MAX_POOL};
    } else if (length == 1 && strchr("Aa", entry[0]) != NULL) {
        *out = (struct vgg_cfg_entry){.kind = VGG_CFG_AVG_POOL};
    } else if (length == 1 && strchr("Dd", entry[0]) != NULL) {
        *out = (struct vgg_cfg_entry){.kind = VGG_CFG_DROPOUT};
    } else {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "cfg: expected channels from 1 to %d, M (a 2x2 max pool), A (a 2x2 average "
                        "pool) or D (Dropout), "
                        "found '%.*s'; other layers need a description in JSON",
                        VGG_MAX_CHANNELS, VGG_SHOWN(entry, length, 40));
    }
    return VGG_OK;
}

vgg_status vgg_cfg_parse(const char *text, const struct vgg_limits *limits, struct vgg_arena *arena,
                         struct vgg_cfg *out, struct vgg_error *err)
{
    size_t count = 0;
    for (const char *p = text + strspn(text, separators); *p != '\0';) {
        p += strcspn(p, separators);
        p += strspn(p, separators);
        count++;
    }
    if (count > limits->layers) {
        return vgg_fail(err, VGG_ERR_LIMIT, "cfg: %zu layers, limit is %u", count, limits->layers);
    }
    *out = (struct vgg_cfg){.entries = vgg_arena_alloc(arena, count + 1, sizeof *out->entries)};
    if (out->entries == NULL) {
        return vgg_fail_memory(err, "cfg", count * sizeof *out->entries, "the layers");
    }
    for (const char *p = text + strspn(text, separators); *p != '\0';) {
        const size_t length = strcspn(p, separators);
        struct vgg_cfg_entry *layer = &out->entries[out->count++];
        vgg_status status = read_entry(p, length, layer, err);
        if (status != VGG_OK) {
            return status;
        }
        out->conv_count += layer->kind == VGG_CFG_CONV;
        p += length;
        p += strspn(p, separators);
    }
    if (count == 0 || out->entries[0].kind != VGG_CFG_CONV) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "cfg: expected a convolution's channels first, found %s",
                        count == 0 ? "nothing" : "another layer");
    }
    return VGG_OK;
}
