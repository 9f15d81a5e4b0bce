/* SPDX-License-Identifier: MIT */
/* The folder that tools/scripts/golden.py writes: what torchvision computed. */
#ifndef TOOLS_IO_GOLDEN_H
#define TOOLS_IO_GOLDEN_H

#include "vgg/status.h"

/* The content of golden.json. Each member may be missing, and so may the file. */
struct golden {
    struct cJSON *json;              /* owns the rest */
    const char *torch, *torchvision; /* versions, or NULL */
    const char *net;                 /* "vgg16_bn", or NULL */
    const char *preset;              /* or NULL */
    const char **images;             /* [image_count], paths */
    int image_count;
};

/* Reads DIR/golden.json if it is there.
 *   out  to be freed with golden_close, even if the file is missing
 * Errors: IO, FORMAT, LIMIT, MEMORY. */
vgg_status golden_open(const char *folder, struct golden *out, struct vgg_error *err);
void golden_close(struct golden *golden);

#endif
