/* SPDX-License-Identifier: MIT */
/* Errors of the pickle machine. */
#include "checkpoint/pickle/machine.h"

#include <stdio.h>

vgg_status vgg_pickle_fail(struct vgg_pickle_machine *m, vgg_status code, const char *format, ...)
{
    const struct vgg_pickle_source *source = m->source;
    uint64_t base = source->file_offset == VGG_NO_OFFSET ? 0 : source->file_offset;
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return vgg_fail_at(m->load->err, code, base + m->opcode_offset, "%s: pickle: %s", m->load->path,
                       text);
}
