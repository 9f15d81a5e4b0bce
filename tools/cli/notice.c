/* SPDX-License-Identifier: MIT */
/* The licenses are stored compressed: they would be two percent of the static executable. */
#include "cli/notice.h"

#include <stdlib.h>
#include <zlib.h>

int notice_write(FILE *file)
{
    unsigned long bytes = notice_text_bytes;
    unsigned char *text = malloc(bytes);
    const int is_read =
        text != NULL && uncompress(text, &bytes, notice_text, notice_text_compressed) == Z_OK;
    if (is_read) {
        fwrite(text, 1, bytes, file);
    }
    free(text);
    return is_read;
}
