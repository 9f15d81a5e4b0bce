/* SPDX-License-Identifier: MIT */
/* What a compiled program relies on: the sizes of all structs it provides, and the version.
 *
 * A size here never changes once it is released: a new field takes its bytes from `reserved` (see
 * vgg/status.h). Before 0.1.0 is out, correct the number. tests/style/library.py finds a public struct that
 * is not here. */
#include "unit.h"

#include <stdio.h>

#include "vgg/vgg.h"

#if UINTPTR_MAX == UINT64_MAX
START_TEST(keeps_the_sizes_of_structs)
{
    ck_assert_uint_eq(sizeof(struct vgg_error), 1024);
    ck_assert_uint_eq(sizeof(struct vgg_limits), 176);
    ck_assert_uint_eq(sizeof(struct vgg_allocator), 24);
    ck_assert_uint_eq(sizeof(struct vgg_context), 96);
    ck_assert_uint_eq(sizeof(struct vgg_tensor), 200);
    ck_assert_uint_eq(sizeof(struct vgg_checkpoint_options), 80);
    ck_assert_uint_eq(sizeof(struct vgg_verified), 48);
    ck_assert_uint_eq(sizeof(struct vgg_ready_info), 80);
    ck_assert_uint_eq(sizeof(struct vgg_pack_options), 72);
    ck_assert_uint_eq(sizeof(struct vgg_model_options), 192);
    ck_assert_uint_eq(sizeof(struct vgg_evidence), 64);
    ck_assert_uint_eq(sizeof(struct vgg_model_info), 104);
    ck_assert_uint_eq(sizeof(struct vgg_model_verified), 40);
    ck_assert_uint_eq(sizeof(struct vgg_node_info), 120);
    ck_assert_uint_eq(sizeof(struct vgg_preprocess), 96);
    ck_assert_uint_eq(sizeof(struct vgg_image), 40);
    ck_assert_uint_eq(sizeof(struct vgg_session_options), 120);
    ck_assert_uint_eq(sizeof(struct vgg_session_info), 96);
    ck_assert_uint_eq(sizeof(struct vgg_step_info), 152);
    ck_assert_uint_eq(sizeof(struct vgg_peak), 64);
    ck_assert_uint_eq(sizeof(struct vgg_ranked), 16);
    ck_assert_uint_eq(sizeof(struct vgg_scan_finding), 88);
    ck_assert_uint_eq(sizeof(struct vgg_scan_opcode), 48);
    ck_assert_uint_eq(sizeof(struct vgg_scan_options), 72);
    ck_assert_uint_eq(sizeof(struct vgg_scan_result), 80);
    ck_assert_uint_eq(sizeof(struct vgg_quantizer_options), 72);
    ck_assert_uint_eq(sizeof(struct vgg_quantized_layer), 104);
    ck_assert_uint_eq(sizeof(struct vgg_quantized_totals), 80);
}
END_TEST
#else
START_TEST(keeps_the_sizes_of_structs)
{
}
END_TEST
#endif

START_TEST(leaves_room_to_grow)
{
    /* `reserved` is the last field, so that it can give up its beginning. */
#define IS_LAST(type) (offsetof(type, reserved) + sizeof((type){0}.reserved) == sizeof(type))
    ck_assert(IS_LAST(struct vgg_limits));
    ck_assert(IS_LAST(struct vgg_context));
    ck_assert(IS_LAST(struct vgg_tensor));
    ck_assert(IS_LAST(struct vgg_checkpoint_options));
    ck_assert(IS_LAST(struct vgg_verified));
    ck_assert(IS_LAST(struct vgg_ready_info));
    ck_assert(IS_LAST(struct vgg_pack_options));
    ck_assert(IS_LAST(struct vgg_model_options));
    ck_assert(IS_LAST(struct vgg_evidence));
    ck_assert(IS_LAST(struct vgg_model_info));
    ck_assert(IS_LAST(struct vgg_model_verified));
    ck_assert(IS_LAST(struct vgg_node_info));
    ck_assert(IS_LAST(struct vgg_preprocess));
    ck_assert(IS_LAST(struct vgg_session_options));
    ck_assert(IS_LAST(struct vgg_session_info));
    ck_assert(IS_LAST(struct vgg_step_info));
    ck_assert(IS_LAST(struct vgg_peak));
    ck_assert(IS_LAST(struct vgg_scan_finding));
    ck_assert(IS_LAST(struct vgg_scan_options));
    ck_assert(IS_LAST(struct vgg_scan_result));
    ck_assert(IS_LAST(struct vgg_quantizer_options));
    ck_assert(IS_LAST(struct vgg_quantized_layer));
    ck_assert(IS_LAST(struct vgg_quantized_totals));
}
END_TEST

START_TEST(tells_its_version)
{
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", VGG_VERSION_MAJOR, VGG_VERSION_MINOR,
             VGG_VERSION_PATCH);
    ck_assert_str_eq(text, VGG_VERSION_STRING);
    ck_assert_str_eq(text, vgg_version());
}
END_TEST

UNIT_MAIN("abi", keeps_the_sizes_of_structs, leaves_room_to_grow, tells_its_version)
