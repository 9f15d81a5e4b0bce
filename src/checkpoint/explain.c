/* SPDX-License-Identifier: MIT */
/* Better messages for files and folders that people take for a checkpoint, known by their names. */
#include "checkpoint/explain.h"

#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

#define CONVERT                                                                                    \
    "make one file of the folder with python -m torch.distributed.checkpoint.format_utils "        \
    "dcp_to_torch FOLDER FILE"

/* Files in a folder that show which kind of checkpoint it is, the most telling first. */
static const struct {
    const char *name;
    bool is_checkpoint;
} contents[] = {
    {"model.safetensors.index.json", true},
    {"pytorch_model.bin.index.json", true},
    {"model.safetensors", true},
    {"pytorch_model.bin", true},
    {"data/model.pth", true},
    {".metadata", false},
    {"mp_rank_00_model_states.pt", true},
};

static bool is_there(const struct vgg_load *load, const char *name)
{
    const size_t length = strlen(load->path);
    struct stat info;
    char *path = vgg_mem_alloc(vgg_load_allocator(load), length + strlen(name) + sizeof "/", 1);
    if (path == NULL) {
        return false;
    }
    memcpy(path, load->path, length);
    path[length] = '/';
    strcpy(path + length + 1, name);
    const bool there = stat(path, &info) == 0 && S_ISREG(info.st_mode);
    vgg_mem_free(vgg_load_allocator(load), path);
    return there;
}

static vgg_status explain_folder(const struct vgg_load *load, vgg_status status)
{
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        if (!is_there(load, contents[i].name)) {
            continue;
        }
        return contents[i].is_checkpoint
                   ? vgg_fail(load->err, status,
                              "%s: expected a regular file, found a folder: name the file in it, "
                              "%s/%s",
                              load->path, load->path, contents[i].name)
                   : vgg_fail(load->err, status,
                              "%s: expected a regular file, found a folder of "
                              "torch.distributed.checkpoint: " CONVERT,
                              load->path);
    }
    return status;
}

vgg_status vgg_explain_failure(const struct vgg_load *load, vgg_status status)
{
    const char *slash = strrchr(load->path, '/');
    const char *name = slash != NULL ? slash + 1 : load->path;
    struct stat info;
    if (status == VGG_ERR_MEMORY || stat(load->path, &info) != 0) {
        return status;
    }
    if (S_ISDIR(info.st_mode)) {
        return explain_folder(load, status);
    }
    if (vgg_ends_with(name, strlen(name), ".distcp") || strcmp(name, ".metadata") == 0) {
        return vgg_fail(load->err, VGG_ERR_UNSUPPORTED,
                        "%s: a part of a checkpoint of torch.distributed.checkpoint: " CONVERT,
                        load->path);
    }
    return status;
}
