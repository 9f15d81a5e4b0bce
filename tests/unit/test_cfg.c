/* SPDX-License-Identifier: MIT */
/* model/spec/cfg: configurations as text. */
#include "unit.h"

#include <string.h>

#include "model/spec/cfg.h"

static struct vgg_arena arena;
static struct vgg_error err;

static vgg_status parse(const char *text, struct vgg_cfg *cfg)
{
    struct vgg_limits limits;
    vgg_limits_init(&limits);
    limits.layers = 8;
    return vgg_cfg_parse(text, &limits, &arena, cfg, &err);
}

START_TEST(reads_what_may_be_pasted)
{
    static const char *const same[] = {
        "64,M,128,D,256,M",
        " 64 M 128 D 256 M ",
        "[64, 'M', 128, 'D', 256, 'M']",
        "(64,\"m\",128,\"d\",256,\"m\",)",
        "64\n\tM; 128 D\r\n256 M",
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        struct vgg_cfg cfg;
        ck_assert_msg(parse(same[i], &cfg) == VGG_OK, "%s", err.message);
        ck_assert_uint_eq(cfg.count, 6);
        ck_assert_uint_eq(cfg.conv_count, 3);
        ck_assert_int_eq(cfg.entries[2].kind, VGG_CFG_CONV);
        ck_assert_int_eq(cfg.entries[2].channels, 128);
        ck_assert_int_eq(cfg.entries[3].kind, VGG_CFG_DROPOUT);
        ck_assert_int_eq(cfg.entries[5].kind, VGG_CFG_MAX_POOL);
        vgg_arena_destroy(&arena);
    }
}
END_TEST

START_TEST(tells_pools_apart)
{
    struct vgg_cfg cfg;
    ck_assert_msg(parse("[8, 'A', 16, 'M', 'a']", &cfg) == VGG_OK, "%s", err.message);
    ck_assert_uint_eq(cfg.count, 5);
    ck_assert_uint_eq(cfg.conv_count, 2);
    ck_assert_int_eq(cfg.entries[1].kind, VGG_CFG_AVG_POOL);
    ck_assert_int_eq(cfg.entries[3].kind, VGG_CFG_MAX_POOL);
    ck_assert_int_eq(cfg.entries[4].kind, VGG_CFG_AVG_POOL);
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(says_what_is_wrong)
{
    static const struct {
        const char *text;
        vgg_status code;
        const char *message;
    } wrong[] = {
        {"", VGG_ERR_ARGUMENT, "cfg: expected a convolution's channels first, found nothing"},
        {" ,[] ", VGG_ERR_ARGUMENT, "found nothing"},
        {"M,64", VGG_ERR_ARGUMENT, "found another layer"},
        {"64,X", VGG_ERR_ARGUMENT,
         "cfg: expected channels from 1 to 16777216, M (a 2x2 max pool), A (a 2x2 average pool) or "
         "D (Dropout), found 'X'; other layers need a description in JSON"},
        {"A,64", VGG_ERR_ARGUMENT, "found another layer"},
        {"64,AA", VGG_ERR_ARGUMENT, "found 'AA'"},
        {"64,MM", VGG_ERR_ARGUMENT, "found 'MM'"},
        {"0", VGG_ERR_ARGUMENT, "found '0'"},
        {"-64", VGG_ERR_ARGUMENT, "found '-64'"},
        {"64.0", VGG_ERR_ARGUMENT, "found '64.0'"},
        {"16777217", VGG_ERR_ARGUMENT, "found '16777217'"},
        {"99999999999999999999", VGG_ERR_ARGUMENT, "found '99999999999999999999'"},
        {"1,1,1,1,1,1,1,1,1", VGG_ERR_LIMIT, "cfg: 9 layers, limit is 8"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct vgg_cfg cfg;
        ck_assert_int_eq(parse(wrong[i].text, &cfg), wrong[i].code);
        ck_assert_msg(strstr(err.message, wrong[i].message) != NULL, "%s\n%s", wrong[i].message,
                      err.message);
        vgg_arena_destroy(&arena);
    }
}
END_TEST

UNIT_MAIN("cfg", reads_what_may_be_pasted, tells_pools_apart, says_what_is_wrong)
