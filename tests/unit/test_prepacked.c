/* SPDX-License-Identifier: MIT */
/* checkpoint/tensor/prepacked_order, plan/stored and plan/pack_file: weights that lie in a file as kernels read them. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/tensor/tensor.h"
#include "kernels/dispatch.h"
#include "vgg/vgg.h"

enum { CLASSES = 10, SIDE = 28 };

/* Kernels can read what lies in the file only in this byte order. */
static const bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
static const char not_little[] =
    "can be read only where the file begins at a multiple of 64 bytes of a "
    "little-endian memory";

static struct vgg_error err;
static char folder[UNIT_FOLDER_BYTES], path[UNIT_PATH_BYTES];

static const enum vgg_isa all_cpus[] = {VGG_ISA_SCALAR, VGG_ISA_AVX2, VGG_ISA_AVX512, VGG_ISA_AMX,
                                        VGG_ISA_NEON};
enum { CPU_COUNT = sizeof all_cpus / sizeof all_cpus[0] };

/* The bundled net, and a file in a folder of its own to pack into. */
struct fixture {
    vgg_checkpoint *checkpoint;
    vgg_model *model;
};

static struct fixture setup(void)
{
    struct fixture fixture;
    char bundled[512];
    ck_assert_ptr_nonnull(mkdtemp(unit_temporary(folder, "vgg-prepacked")));
    snprintf(path, sizeof path, "%s/net.vgg", folder);
    snprintf(bundled, sizeof bundled, "%s/fashion_vgg8_bn.pth", getenv("VGG_TEST_MODELS"));
    ck_assert_int_eq(vgg_checkpoint_open(bundled, NULL, &fixture.checkpoint, &err), VGG_OK);
    ck_assert_int_eq(vgg_model_create(fixture.checkpoint, NULL, &fixture.model, &err), VGG_OK);
    return fixture;
}

static void expect_refusal(vgg_status status, const char *reason)
{
    ck_assert_int_eq(status, VGG_ERR_UNSUPPORTED);
    ck_assert_msg(strstr(err.message, reason) != NULL, "'%s' not in '%s'", reason, err.message);
}

static void close_fixture(struct fixture *fixture)
{
    vgg_model_destroy(fixture->model);
    vgg_checkpoint_close(fixture->checkpoint);
}

static void teardown(struct fixture *fixture)
{
    close_fixture(fixture);
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static struct fixture pack(const vgg_model *model, uint32_t isas, bool plain)
{
    struct fixture packed;
    const struct vgg_pack_options options = {.isas = isas, .plain = plain};
    ck_assert_msg(vgg_model_pack(model, path, &options, &err) == VGG_OK, "%s", err.message);
    ck_assert_msg(vgg_checkpoint_open(path, NULL, &packed.checkpoint, &err) == VGG_OK, "%s",
                  err.message);
    ck_assert_int_eq(vgg_model_create(packed.checkpoint, NULL, &packed.model, &err), VGG_OK);
    return packed;
}

/* Logits of a made-up image; how many convolutions read the file's own weights, and the session's memory for
 * weights, if not NULL. */
static vgg_status run(const vgg_model *model, const struct vgg_session_options *options,
                      float logits[CLASSES], int *in_place, uint64_t *weight_bytes)
{
    vgg_session *session;
    struct vgg_session_info info;
    float *input = malloc(3 * SIDE * SIDE * sizeof *input);
    for (int i = 0; i < 3 * SIDE * SIDE; i++) {
        input[i] = (float)(i * 7919 % 1000) / 500 - 1;
    }
    vgg_status status = vgg_session_create(model, options, &session, &err);
    if (status == VGG_OK) {
        ck_assert_int_eq(vgg_session_run(session, input, 1, logits, &err), VGG_OK);
        vgg_session_get_info(session, &info);
        for (size_t i = 0; in_place != NULL && i < vgg_session_get_step_count(session); i++) {
            struct vgg_step_info step;
            vgg_session_get_step(session, i, &step);
            *in_place += strncmp(step.nodes, "Conv2d", 6) == 0 &&
                         strstr(step.algorithm, ", in place") != NULL;
        }
        if (weight_bytes != NULL) {
            *weight_bytes = info.weight_bytes;
        }
        vgg_session_destroy(session);
    }
    free(input);
    return status;
}

/* What one machine prepares is what any other would. */
START_TEST(filters_have_the_same_bits)
{
    enum { CHANNELS = 11, OUTPUTS = 32, STRIDE = 9 * CHANNELS };
    static float g[OUTPUTS * STRIDE], u[2][64 * CHANNELS * OUTPUTS];
    for (int i = 0; i < OUTPUTS * STRIDE; i++) {
        g[i] = (float)(i * 7919 % 2003 - 1001) / 3000;
    }
    for (int m = 2; m <= 6; m += 2) {
        for (int c = 0; c < CPU_COUNT; c++) {
            const struct vgg_kernels *kernels = vgg_kernels_find(all_cpus[c], NULL);
            if (kernels == NULL) {
                continue;
            }
            float *out = u[c > 0];
            for (int lane = 0; lane < OUTPUTS; lane += kernels->lanes) {
                kernels->winograd_filter(&(struct vgg_winograd_filter_args){
                    .m = m,
                    .g = g + lane * STRIDE,
                    .g_stride = STRIDE,
                    .count = CHANNELS,
                    .u = out + lane,
                    .u_f_stride = CHANNELS * OUTPUTS,
                    .u_c_stride = OUTPUTS,
                });
            }
            ck_assert_mem_eq(out, u[0],
                             (size_t)((m + 2) * (m + 2) * CHANNELS * OUTPUTS) * sizeof *out);
        }
    }
}
END_TEST

/* The numbers of instruction sets that are not here are those of the kernels where they are. */
START_TEST(describes_kernels)
{
    for (int c = 0; c < CPU_COUNT; c++) {
        const struct vgg_kernels *known = vgg_kernels_describe(all_cpus[c]);
        const struct vgg_kernels *real = vgg_kernels_find(all_cpus[c], NULL);
        ck_assert_ptr_nonnull(known);
        ck_assert_str_eq(known->isa, vgg_isa_string(all_cpus[c]));
        if (real != NULL) {
            ck_assert_int_eq(known->lanes, real->lanes);
            ck_assert_int_eq(known->conv_blocks, real->conv_blocks);
            ck_assert_int_eq(known->fused, real->fused);
            ck_assert_int_eq(known->v_blocks, real->v_blocks);
            ck_assert_int_eq(known->v_lanes, real->v_lanes);
            ck_assert_int_eq(known->v_terms, real->v_terms);
            ck_assert_int_eq(known->tile_group, real->tile_group);
        }
        for (int other = 0; other < CPU_COUNT; other++) {
            const int group = known->lanes * known->conv_blocks;
            ck_assert_int_eq(group % vgg_kernels_find_packer(group)->lanes, 0);
        }
    }
}
END_TEST

/* The numbers of a section as the file holds them, little-endian. */
static float *read_section(const struct vgg_file *file, const struct vgg_prepacked *prepacked)
{
    const uint8_t *bytes = file->data + prepacked->file_offset;
    float *numbers = malloc(prepacked->bytes);
    for (size_t i = 0; i < prepacked->bytes / 4; i++, bytes += 4) {
        const uint32_t bits = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                              (uint32_t)bytes[3] << 24;
        memcpy(&numbers[i], &bits, sizeof bits);
    }
    return numbers;
}

/* A section against its definition, element by element. */
static void check_section(const struct vgg_tensor *plain, const struct vgg_prepacked *prepacked,
                          const float *data)
{
    const struct vgg_kernels *scalar = vgg_kernels_find(VGG_ISA_SCALAR, NULL);
    const struct vgg_order_info *info = &prepacked->info;
    const int64_t oc = plain->shape[0], ic = plain->shape[1], k = plain->shape[2];
    const int64_t group = info->group, groups = (oc + group - 1) / group;
    const bool direct = info->order == VGG_ORDER_DIRECT;
    const int64_t channels =
        direct ? (ic + info->channels - 1) / info->channels * info->channels : info->channels;
    const int64_t f_count = direct ? k * k : (int64_t)(info->m + 2) * (info->m + 2);
    float *weights = malloc((size_t)(oc * ic * k * k) * sizeof *weights);
    vgg_tensor_read_f32(plain, weights);
    ck_assert_uint_eq(prepacked->bytes, (uint64_t)(groups * group * channels * f_count) * 4);
    for (int64_t o = 0; o < groups * group; o++) {
        for (int64_t i = 0; i < channels; i++) {
            float taps[4 * 9] = {0}, u[64 * 4] = {0}; /* lane 0 of the four that are transformed */
            if (o < oc && i < ic) {
                memcpy(taps, weights + (o * ic + i) * k * k, (size_t)(k * k) * sizeof *taps);
            }
            if (!direct) {
                scalar->winograd_filter(&(struct vgg_winograd_filter_args){
                    .m = info->m, .g = taps, .g_stride = 9, .count = 1, .u = u, .u_f_stride = 4});
            }
            for (int64_t f = 0; f < f_count; f++) {
                const int64_t b = info->channels;
                const int64_t at =
                    direct ? (((o / group * (channels / b) + i / b) * f_count + f) * b + i % b) *
                                     group +
                                 o % group
                           : ((f * groups + o / group) * channels + i) * group + o % group;
                ck_assert(data[at] == (direct ? taps[f] : u[4 * f]));
            }
        }
    }
    free(weights);
}

START_TEST(lays_out_for_every_instruction_set)
{
    struct fixture source = setup();
    int orders[2] = {0, 0};
    struct vgg_file file;
    struct fixture packed = pack(source.model, 0x3e, true);
    ck_assert_int_eq(vgg_file_read(path, 1 << 28, NULL, &file, &err), VGG_OK);
    ck_assert_int_eq(vgg_checkpoint_verify(packed.checkpoint, NULL, &err), VGG_OK);
    struct vgg_model_verified verified;
    ck_assert_msg(vgg_model_verify(packed.model, &verified, &err) == VGG_OK, "%s", err.message);
    ck_assert_uint_eq(little ? verified.compared : verified.unverified,
                      vgg_checkpoint_get_ready_count(packed.checkpoint));
    for (size_t i = 0; i < vgg_checkpoint_get_tensor_count(packed.checkpoint); i++) {
        const struct vgg_tensor *tensor = vgg_checkpoint_get_tensor(packed.checkpoint, i);
        size_t count;
        const struct vgg_prepacked *prepacked =
            vgg_checkpoint_find_prepacked(packed.checkpoint, tensor->name, &count);
        ck_assert((count > 0) == (tensor->ndim == 4));
        for (size_t p = 0; p < count; p++) {
            orders[prepacked[p].info.order]++;
            float *numbers = read_section(&file, &prepacked[p]);
            check_section(tensor, &prepacked[p], numbers);
            free(numbers);
            ck_assert((prepacked[p].data != NULL) == little);
        }
    }
    ck_assert_uint_eq(vgg_checkpoint_get_ready_count(packed.checkpoint),
                      (size_t)(orders[0] + orders[1]));
    for (size_t i = 0; i < vgg_checkpoint_get_ready_count(packed.checkpoint); i++) {
        struct vgg_ready_info info;
        vgg_checkpoint_get_ready(packed.checkpoint, i, &info);
        ck_assert_ptr_nonnull(vgg_checkpoint_find_tensor(packed.checkpoint, info.name));
        ck_assert_str_eq(info.order, info.m > 0 ? "winograd" : "direct");
        ck_assert(info.group % 8 == 0 && info.file_offset % 4096 == 0 && info.bytes > 0);
    }
    ck_assert_int_ge(orders[VGG_ORDER_DIRECT], 3); /* the first layer, in groups of 8, 16, 32 */
    ck_assert_int_ge(orders[VGG_ORDER_WINOGRAD], 9);
    vgg_file_close(&file);
    close_fixture(&packed);
    teardown(&source);
}
END_TEST

/* Nothing is prepacked, and the logits are those of plain weights in a plan for many runs, to the bit. A big-endian
 * machine prepares plain weights as it does those of the reference, and refuses a file without them by name. */
START_TEST(is_used_in_place)
{
    struct fixture source = setup();
    struct vgg_model_info info;
    struct fixture reference = pack(source.model, 0, true);
    vgg_model_get_info(source.model, &info);
    for (int plain = 0; plain < 2; plain++) {
        for (int c = 0; c < CPU_COUNT; c++) {
            struct fixture packed = pack(source.model, 1u << all_cpus[c], plain != 0);
            for (int one_shot = 0; one_shot < 2 && vgg_isa_is_available(all_cpus[c]); one_shot++) {
                float expected[CLASSES], found[CLASSES];
                int in_place = 0;
                uint64_t weight_bytes;
                const struct vgg_session_options options = {.threads = 2, .isa = all_cpus[c]};
                struct vgg_session_options own = options;
                own.one_shot = one_shot != 0;
                ck_assert_int_eq(
                    run(reference.model, little ? &options : &own, expected, NULL, NULL), VGG_OK);
                const vgg_status status = run(packed.model, &own, found, &in_place, &weight_bytes);
                if (!little && plain == 0) {
                    expect_refusal(status, not_little);
                    continue;
                }
                ck_assert_msg(status == VGG_OK, "%s", err.message);
                ck_assert_mem_eq(found, expected, sizeof found);
                ck_assert_int_eq(in_place, little ? info.conv_count : 0);
                ck_assert(!little || weight_bytes < 16384); /* biases */
            }
            close_fixture(&packed);
        }
    }
    close_fixture(&reference);
    teardown(&source);
}
END_TEST

/* A file for one instruction set, asked for something else. */
START_TEST(says_what_it_is_for)
{
    struct fixture source = setup();
    float logits[CLASSES], expected[CLASSES];
    struct vgg_session_options options = {.threads = 1, .isa = VGG_ISA_SCALAR};
    const struct vgg_session_options direct = {
        .threads = 1, .isa = VGG_ISA_SCALAR, .conv = VGG_CONV_DIRECT};
    struct fixture packed = pack(source.model, 1u << VGG_ISA_AVX512, false);
    expect_refusal(run(packed.model, &options, logits, NULL, NULL),
                   little
                       ? "features.0: expected plain weights or weights prepacked for scalar, got "
                         "weights prepacked only for amx as direct, avx512 as direct"
                       : not_little);
    ck_assert_int_eq(err.hint, VGG_HINT_PACK);
    ck_assert_int_eq(vgg_checkpoint_save(packed.checkpoint, "/nowhere/x.pth", &err),
                     VGG_ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(
        strstr(err.message, "features.0.weight: expected plain weights, got only "));
    ck_assert_int_eq(err.hint, VGG_HINT_PACK);
    const struct vgg_tensor *tensor =
        vgg_checkpoint_find_tensor(packed.checkpoint, "features.0.weight");
    ck_assert_int_eq(tensor->layout, VGG_LAYOUT_PREPACKED);
    ck_assert_ptr_null(tensor->data);
    vgg_tensor_read_range(tensor, 0, 1, logits);
    ck_assert(logits[0] != logits[0]);
    ck_assert_int_eq(vgg_model_pack(packed.model, path, NULL, &err), VGG_ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.message, "only weights prepacked for some CPUs"));
    const struct vgg_pack_options other = {.isas = 1u << VGG_ISA_SCALAR};
    ck_assert_int_eq(vgg_model_pack(packed.model, path, &other, &err), VGG_ERR_UNSUPPORTED);
    close_fixture(&packed);

    packed = pack(source.model, 1u << VGG_ISA_SCALAR, false);
    if (little) {
        ck_assert_int_eq(run(packed.model, &options, logits, NULL, NULL), VGG_OK);
        expect_refusal(run(packed.model, &direct, logits, NULL, NULL),
                       "for scalar with the requested algorithm");
        options.conv = VGG_CONV_EXACT; /* F(4) and F(6) are what it has */
        expect_refusal(run(packed.model, &options, logits, NULL, NULL),
                       "with direct and F(2) alone");
    } else {
        expect_refusal(run(packed.model, &options, logits, NULL, NULL), not_little);
    }
    close_fixture(&packed);

    /* With plain weights too, all of that prepares from them. */
    packed = pack(source.model, 1u << VGG_ISA_AVX512, true);
    ck_assert_int_eq(run(packed.model, &direct, logits, NULL, NULL), VGG_OK);
    struct fixture reference = pack(source.model, 0, true);
    ck_assert_int_eq(run(reference.model, &direct, expected, NULL, NULL), VGG_OK);
    close_fixture(&reference);
    ck_assert_mem_eq(logits, expected, sizeof logits);
    close_fixture(&packed);

    const struct vgg_pack_options nothing = {0}, unknown = {.isas = 1u << 20};
    ck_assert_int_eq(vgg_model_pack(source.model, path, &nothing, &err), VGG_ERR_ARGUMENT);
    ck_assert_int_eq(vgg_model_pack(source.model, path, &unknown, &err), VGG_ERR_ARGUMENT);
    teardown(&source);
}
END_TEST

/* What is packed already is packed to the same bytes, whether it has plain weights or not. */
START_TEST(packs_a_pack)
{
    struct fixture source = setup();
    for (int plain = 0; plain < 2; plain++) {
        struct vgg_file once, twice;
        struct fixture packed = pack(source.model, 0x3e, plain != 0);
        if (!little && plain == 0) {
            const struct vgg_pack_options same = {.isas = 0x3e};
            expect_refusal(vgg_model_pack(packed.model, path, &same, &err), not_little);
            close_fixture(&packed);
            continue;
        }
        ck_assert_int_eq(vgg_file_read(path, 1 << 28, NULL, &once, &err), VGG_OK);
        struct fixture again = pack(packed.model, 0x3e, plain != 0);
        ck_assert_int_eq(vgg_file_read(path, 1 << 28, NULL, &twice, &err), VGG_OK);
        ck_assert_uint_eq(once.size, twice.size);
        ck_assert_mem_eq(once.data, twice.data, once.size);
        vgg_file_close(&once);
        vgg_file_close(&twice);
        close_fixture(&packed);
        close_fixture(&again);
    }
    teardown(&source);
}
END_TEST

/* Where the bytes are not aligned, plain weights are prepacked, and without any the message says so. */
START_TEST(needs_aligned_memory)
{
    struct fixture source = setup();
    for (int plain = 0; plain < 2; plain++) {
        struct vgg_file file;
        struct fixture packed = pack(source.model, 1u << VGG_ISA_SCALAR, plain != 0), moved;
        close_fixture(&packed);
        ck_assert_int_eq(vgg_file_read(path, 1 << 28, NULL, &file, &err), VGG_OK);
        char *bytes = malloc(file.size + 128);
        char *odd = bytes + (64 - (uintptr_t)bytes % 64) + 4;
        memcpy(odd, file.data, file.size);
        ck_assert_int_eq(vgg_checkpoint_open_memory(odd, file.size, "odd.vgg", NULL, NULL,
                                                    &moved.checkpoint, &err),
                         VGG_OK);
        ck_assert_int_eq(vgg_model_create(moved.checkpoint, NULL, &moved.model, &err), VGG_OK);
        float logits[CLASSES];
        int in_place = 0;
        const struct vgg_session_options options = {.threads = 1, .isa = VGG_ISA_SCALAR};
        const vgg_status status = run(moved.model, &options, logits, &in_place, NULL);
        ck_assert_int_eq(in_place, 0);
        ck_assert_int_eq(status, plain != 0 ? VGG_OK : VGG_ERR_UNSUPPORTED);
        ck_assert(status == VGG_OK || strstr(err.message, "a multiple of 64 bytes") != NULL);
        close_fixture(&moved);
        free(bytes);
        vgg_file_close(&file);
    }
    teardown(&source);
}
END_TEST

UNIT_MAIN("prepacked", filters_have_the_same_bits, describes_kernels,
          lays_out_for_every_instruction_set, is_used_in_place, says_what_it_is_for, packs_a_pack,
          needs_aligned_memory)
