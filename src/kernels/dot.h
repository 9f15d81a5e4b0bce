/* SPDX-License-Identifier: MIT */
/* The vocabulary of the int8 kernels for the ISA that a template is being compiled for.
 *
 * It computes 16 output channels at a time, a group of int8.h, whatever number of registers that takes. A word is four
 * input channels: four bytes of a pixel, or 64 bytes of weights. Each dot_<isa>.h defines the types
 *   vs   a sum for each of the 16 channels while it grows     vi   16 int32     vf   16 float32
 *   vx   VX_WORDS words of one pixel     vw   VW_WORDS words of weights     vb   64 bytes
 * and
 *   vs_zero()
 *   vx_load(p)  vx_load_word(p)           VX_WORDS words, any byte alignment; one word, the others 0
 *   vx_hide(x)                            hides the value of x from the compiler
 *   vw_load(p)  vw_load_word(p)           VW_WORDS words, likewise
 *   vs_dot(sum, w, x, at)                 sum + w * words at … at + VW_WORDS - 1 of x, exactly
 *   vs_total(sum, bias, weight_sum)       vi: sum + bias[16]; weight_sum[16] as in int8.h
 *   vf_from(i)                            float32 of int32
 *   vf_load(p)  vf_set1(s)  vf_store(p, a)  vf_sub(a, b)  vf_mul(a, b)
 *   vi_byte(f)                            clamp(round(f), 0, 255), ties to even; NaN becomes 0
 *   vi_put(a, b, n)                       a | b << 8 n
 *   vi_store(p, a)                        64 bytes, the lowest byte of each int32 first on any machine: what vi_put put
 *                                         at n = 0 is the first channel of a pixel
 *   vf_store_bytes(p, f)                  the 16 bytes of vi_byte(f)
 *   vf_store_block(p, f)                  the 64 bytes of f[4]
 *   vb_load(p)  vb_store(p, a)  vb_max(a, b)
 * and the tile sizes that suit its registers:
 *   DOT_GROUPS, DOT_PIXELS                accumulators of the convolution: groups × pixels
 *   DOT_STREAMS                           groups that the fully connected layer reads at once, for one image
 *   DOT_ROWS, DOT_IMAGES                  accumulators of the fully connected layer for a batch: groups × images
 *   DOT_SKIPS                             not 0: a word of zeros adds nothing to a sum
 * A header refuses to compile without its ISA's flags. */
#ifndef VGG_KERNELS_DOT_H
#define VGG_KERNELS_DOT_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/inline.h"

/* Bytes of a word of one pixel, bytes of a word of weights, words of a block of 64 channels. */
enum { DOT_WORD = 4, DOT_WEIGHTS = 64, DOT_BLOCK_WORDS = 16 };

#include VGG_DOT_HEADER

/* The `pixels` of the ISA's table. */
#ifndef DOT_CALL_PIXELS
#define DOT_CALL_PIXELS DOT_PIXELS
#endif

#endif
