/* SPDX-License-Identifier: MIT */
/* A checkpoint in several files, as the Hugging Face Hub has large ones: model-00001-of-00002.safetensors … and
 * model.safetensors.index.json, whose "weight_map" has the shard of each tensor. */
#ifndef VGG_CHECKPOINT_SHARDS_H
#define VGG_CHECKPOINT_SHARDS_H

#include "base/file.h"
#include "base/load.h"

struct vgg_json;

/* An index, and the files that it names. */
struct vgg_shards {
    /* [count] paths; the arena's */
    const char **paths;
    size_t count;
    /* "model.safetensors.index.json"; the arena's */
    const char *index_path;
    struct vgg_json *index;
};

/* Finds the shards of a checkpoint if load->path is an index, or one of several shards; out->count is 0 otherwise.
 *   file  of load->path
 * Errors: FORMAT (a broken index), UNSUPPORTED (a shard without an index beside it, or that the index does not name; an
 * index that is no regular file), IO, LIMIT, MEMORY. */
vgg_status vgg_shards_find(const struct vgg_load *load, const struct vgg_file *file,
                           struct vgg_shards *out);
void vgg_shards_close(struct vgg_shards *shards);

/* Calls check for each tensor of the weight map until it returns false. Returns whether all were good. */
bool vgg_shards_each(const struct vgg_shards *shards,
                     bool (*check)(void *user, const char *tensor, const char *shard), void *user);

#endif
