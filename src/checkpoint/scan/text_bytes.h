/* SPDX-License-Identifier: MIT */
/* Bytes that a pickle holds as a text, one character each. */
#ifndef VGG_CHECKPOINT_SCAN_TEXT_BYTES_H
#define VGG_CHECKPOINT_SCAN_TEXT_BYTES_H

#include "checkpoint/pickle/value.h"

/* Encodes a text in Latin-1; returns the number of bytes. A character that has none becomes 0xff.
 *   line  as protocol 0 has it: Latin-1 with escapes; else UTF-8
 *   out   [text.length] */
size_t vgg_text_to_bytes(struct vgg_span text, bool line, uint8_t *out);

#endif
