/* SPDX-License-Identifier: MIT */
/* Writes the assumptions in a description. */
#include "model/spec/write_assumed.h"

#include <string.h>

static void add(struct vgg_bytes *json, const char *text)
{
    vgg_bytes_add(json, text, strlen(text));
}

/* Writes a text; control characters, which names of tensors and files can have, are no part of a description. */
static void add_text(const char *key, const char *text, struct vgg_bytes *json)
{
    if (text == NULL) {
        return;
    }
    add(json, key);
    const size_t start = json->size;
    vgg_bytes_add_string(json, text);
    for (size_t i = start; json->ok && i < json->size; i++) {
        const unsigned char byte = (unsigned char)json->data[i];
        json->data[i] = byte < 0x20 || byte == 0x7f ? '?' : json->data[i];
    }
}

static void add_record(const struct vgg_evidence *evidence, struct vgg_bytes *json)
{
    add_text("{\"property\":", evidence->property, json);
    add_text(",\"value\":", evidence->value, json);
    add_text(",\"why\":", evidence->why, json);
    add_text(",\"alternatives\":", evidence->alternatives, json);
    add(json, "}");
}

void vgg_spec_write_assumed(const struct vgg_spec *spec, struct vgg_bytes *json)
{
    bool any = false;
    for (size_t i = 0; i < spec->evidence.count; i++) {
        if (spec->evidence.items[i].source == VGG_EVIDENCE_CONVENTION) {
            add(json, any ? "," : ",\"assumed\":[");
            add_record(&spec->evidence.items[i], json);
            any = true;
        }
    }
    if (any) {
        add(json, "]");
    }
    if (vgg_spec_assumes_average_pool(spec) && vgg_spec_count(spec, VGG_LAYER_ADAPTIVE_POOL) > 0) {
        add(json, ",\"average_pool_assumed\":true");
    }
}
