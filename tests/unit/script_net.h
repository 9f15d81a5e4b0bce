/* SPDX-License-Identifier: MIT */
/* A TorchScript module with code that a test writes. */
#ifndef VGG_TESTS_SCRIPT_NET_H
#define VGG_TESTS_SCRIPT_NET_H

#include "checkpoint/script/script.h"

/* Follows the code of a module of class __torch__.Net, which has
 *   conv, conv2  modules of class __torch__.Conv with a weight and a bias
 *   act          a module of class __torch__.Act without tensors
 *   scale        2.5
 *   sizes        (3, 3)
 *   training     True
 *   code   of code/__torch__.py; no other file is there
 *   arena  owns the result */
vgg_status script_net_follow(const char *code, size_t size, struct vgg_arena *arena,
                             struct vgg_script *out);

#endif
