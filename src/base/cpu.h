/* What the kernels and the pool need to know of the CPU beyond vgg/cpu.h. */
#ifndef VGG_BASE_CPU_H
#define VGG_BASE_CPU_H

#include <stdint.h>

#include "vgg/cpu.h"

/* Flush-to-zero and denormals-are-zero for the calling thread, and back. Denormal operands cost up to
 * a hundred times an ordinary one, and none of them moves a logit. */
uint64_t vgg_denormals_off(void);
void vgg_denormals_restore(uint64_t saved);

#endif
