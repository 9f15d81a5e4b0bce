/* SPDX-License-Identifier: MIT */
/* The files that the library may read because they stand beside a checkpoint. */
#include "io/side_files.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define INDEX_END ".index.json"

/* What is read of a model's folder. */
struct beside {
    const char *model;
    int folder; /* bytes of the model's path up to its name */
    enum side_shards shards;
    side_file_fn *fn;
    void *user;
};

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static vgg_status call(const struct beside *beside, int stem, const char *name)
{
    char path[PATH_MAX];
    const int length = snprintf(path, sizeof path, "%.*s%.*s%s", beside->folder, beside->model,
                                stem, beside->model + beside->folder, name);
    return length < (int)sizeof path && access(path, F_OK) == 0 ? beside->fn(beside->user, path)
                                                                : VGG_OK;
}

/* The length of a name without its extension, as the library finds the description: that of the index of
 * model.safetensors, model.safetensors.index.json, is model.json, too. */
static int find_stem(const char *name)
{
    size_t length = strlen(name) - (ends_with(name, INDEX_END) ? sizeof INDEX_END - 1 : 0);
    size_t stem = length;
    while (stem > 0 && name[stem - 1] != '.') {
        stem--;
    }
    return (int)(stem > 1 ? stem - 1 : length);
}

static bool may_be_shard(const struct beside *beside, const char *name)
{
    return beside->shards == SIDE_SHARDS_ANY || ends_with(name, INDEX_END) ||
           strstr(name, "-of-") != NULL || ends_with(name, ".safetensors") ||
           ends_with(name, ".bin");
}

static vgg_status call_shards(const struct beside *beside)
{
    char folder[PATH_MAX];
    if (snprintf(folder, sizeof folder, "%.*s.", beside->folder, beside->model) >=
        (int)sizeof folder) {
        return VGG_OK;
    }
    DIR *stream = opendir(folder);
    vgg_status status = VGG_OK;
    if (stream == NULL) {
        return VGG_OK;
    }
    for (struct dirent *entry; status == VGG_OK && (entry = readdir(stream)) != NULL;) {
        status = may_be_shard(beside, entry->d_name) ? call(beside, 0, entry->d_name) : VGG_OK;
    }
    closedir(stream);
    return status;
}

vgg_status side_files_each(const char *model, enum side_shards shards, side_file_fn *fn, void *user)
{
    static const char *const names[] = {"config.json", "preprocessor_config.json"};
    const char *slash = strrchr(model, '/');
    const struct beside beside = {.model = model,
                                  .folder = slash != NULL ? (int)(slash + 1 - model) : 0,
                                  .shards = shards,
                                  .fn = fn,
                                  .user = user};
    const char *name = model + beside.folder;
    vgg_status status = call(&beside, find_stem(name), ".json");
    for (size_t i = 0; i < sizeof names / sizeof names[0] && status == VGG_OK; i++) {
        status = call(&beside, 0, names[i]);
    }
    const bool in_shards = ends_with(name, ".json") || strstr(name, "-of-") != NULL;
    return status == VGG_OK && in_shards ? call_shards(&beside) : status;
}
