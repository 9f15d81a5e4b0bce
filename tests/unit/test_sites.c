/* SPDX-License-Identifier: MIT */
/* model/infer/sites, norm_sites and blocks: which modules there are, in which order, and what belongs together. */
#include "fake_net.h"

#include "model/infer/blocks.h"
#include "model/infer/sites.h"

static void add_conv(struct fake_net *net, const char *name, int in, int out)
{
    vgg_limits_init(&net->limits);
    fake_add(net, out, 0, 0, 0, "%s.bias", name);
    fake_add(net, out, in, 3, 3, "%s.weight", name);
}

static void add_norm(struct fake_net *net, const char *name, int channels)
{
    static const char *const leaves[] = {"weight", "bias", "running_mean", "running_var"};
    for (size_t i = 0; i < sizeof leaves / sizeof leaves[0]; i++) {
        fake_add(net, channels, 0, 0, 0, "%s.%s", name, leaves[i]);
    }
}

static void add_linear(struct fake_net *net, const char *name, int in, int out)
{
    fake_add(net, out, 0, 0, 0, "%s.bias", name);
    fake_add(net, out, in, 0, 0, "%s.weight", name);
}

static const char *name_or_none(const struct vgg_site *site)
{
    return site != NULL ? site->name : "-";
}

/* "conv+norm+prelu | norm_before+linear+norm": all layers in order. */
static const char *list(const struct vgg_sites *sites)
{
    static struct vgg_text text;
    text = (struct vgg_text){0};
    for (size_t i = 0; i < sites->conv_count; i++) {
        const struct vgg_weighted *conv = &sites->convs[i];
        vgg_text_add(&text, "%s%s+%s+%s", i > 0 ? " " : "", conv->site->name,
                     name_or_none(conv->norm), name_or_none(conv->prelu));
    }
    for (size_t i = 0; i < sites->linear_count; i++) {
        const struct vgg_weighted *linear = &sites->linears[i];
        vgg_text_add(&text, " %s+%s+%s", name_or_none(linear->norm_before), linear->site->name,
                     name_or_none(linear->norm));
    }
    return text.buffer;
}

static vgg_status find(struct fake_net *net, struct vgg_sites *out)
{
    return vgg_sites_find(FAKE_LOAD(net, "x.pth"), fake_list(net), out);
}

START_TEST(attaches_norms)
{
    struct fake_net beside = {0}, behind = {0}, before = {0}, stray = {0};
    struct vgg_sites sites;
    add_conv(&beside, "f.0", 3, 4);
    add_norm(&beside, "f.1", 4);
    add_conv(&beside, "f.4", 4, 6);
    fake_add(&beside, 6, 0, 0, 0, "f.5.weight");
    add_linear(&beside, "fc", 6, 5);
    ck_assert_int_eq(find(&beside, &sites), VGG_OK);
    ck_assert_str_eq(list(&sites), "f.0+f.1+- f.4+-+f.5 -+fc+-");
    fake_fini(&beside);

    /* All BatchNorms behind all convolutions: the n-th belongs to the n-th. */
    add_conv(&behind, "convs.0", 3, 4);
    add_conv(&behind, "convs.1", 4, 6);
    add_norm(&behind, "bns.0", 4);
    add_norm(&behind, "bns.1", 6);
    add_linear(&behind, "fc", 6, 5);
    ck_assert_int_eq(find(&behind, &sites), VGG_OK);
    ck_assert_str_eq(list(&sites), "convs.0+bns.0+- convs.1+bns.1+- -+fc+-");
    fake_fini(&behind);

    /* BatchNorm1d of the features, before the linear layer. */
    add_conv(&before, "f.0", 3, 4);
    add_norm(&before, "head.0", 16);
    add_linear(&before, "head.2", 16, 5);
    ck_assert_int_eq(find(&before, &sites), VGG_OK);
    ck_assert_str_eq(list(&sites), "f.0+-+- head.0+head.2+-");
    fake_fini(&before);

    add_conv(&stray, "f.0", 3, 4);
    add_norm(&stray, "f.1", 9);
    add_linear(&stray, "fc", 4, 5);
    ck_assert_int_eq(find(&stray, &sites), VGG_ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(stray.err.message, "(f.1 …) and 1 convolutions"));
    fake_fini(&stray);
}
END_TEST

/* In the order of the file, unless it is sorted; then numbers sort as numbers. */
START_TEST(finds_the_order)
{
    struct fake_net file = {0}, sorted = {0}, broken = {0};
    struct vgg_sites sites;
    add_conv(&file, "b", 3, 4);
    add_conv(&file, "a", 4, 6);
    add_linear(&file, "z", 6, 8);
    add_linear(&file, "c", 8, 5);
    ck_assert_int_eq(find(&file, &sites), VGG_OK);
    ck_assert_str_eq(list(&sites), "b+-+- a+-+- -+z+- -+c+-");
    ck_assert(!sites.by_number && !sites.unordered);
    fake_fini(&file);

    add_conv(&sorted, "conv1", 3, 4);
    add_conv(&sorted, "conv10", 4, 4);
    add_conv(&sorted, "conv2", 4, 4);
    add_linear(&sorted, "fc", 4, 5);
    ck_assert_int_eq(find(&sorted, &sites), VGG_OK);
    ck_assert_str_eq(list(&sites), "conv1+-+- conv2+-+- conv10+-+- -+fc+-");
    ck_assert(sites.by_number);
    fake_fini(&sorted);

    add_conv(&broken, "f.0", 3, 4);
    add_conv(&broken, "f.2", 5, 6);
    add_linear(&broken, "fc", 6, 5);
    ck_assert_int_eq(find(&broken, &sites), VGG_ERR_FORMAT);
    ck_assert_ptr_nonnull(
        strstr(broken.err.message, "f.2.weight [6,5,3,3] cannot follow f.0.weight [4,3,3,3]"));
    fake_fini(&broken);
}
END_TEST

START_TEST(counts_places)
{
    static const struct {
        const char *first, *second;
        int between;
    } cases[] = {
        {"f.0", "f.1", 0},       {"f.0", "f.4", 3},           {"f.0", "g.4", -1},
        {"f.b0.0", "f.b0.2", 1}, {"f.b0.0", "f.b1.2", -1},    {"conv1", "conv2", -1},
        {"0", "2", 1},           {"f.0.conv", "f.2.conv", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake_net net = {0};
        struct vgg_sites sites;
        add_conv(&net, cases[i].first, 3, 4);
        add_conv(&net, cases[i].second, 4, 4);
        add_linear(&net, "last", 4, 5);
        ck_assert_int_eq(find(&net, &sites), VGG_OK);
        ck_assert_msg(vgg_site_count_between(sites.convs[0].site, sites.convs[1].site) ==
                          cases[i].between,
                      "%s and %s", cases[i].first, cases[i].second);
        ck_assert_int_eq(vgg_site_count_between(sites.convs[1].site, sites.convs[0].site), -1);
        fake_fini(&net);
    }
}
END_TEST

START_TEST(says_what_features_a_classifier_was_made_for)
{
    char origin[VGG_ORIGIN_BYTES];
    ck_assert_str_eq(vgg_sites_show_origin(25088, 256, origin),
                     ", which is 512 x 7x7: made for features that end in 512 channels");
    ck_assert_str_eq(vgg_sites_show_origin(1009, 256, origin), "");
}
END_TEST

/* A pool after each block of convolutions, if names show several of them. */
START_TEST(finds_blocks)
{
    static const struct {
        const char *names[4];
        size_t blocks;
        const char *gaps;
    } cases[] = {
        {{"conv1_1", "conv1_2", "conv2_1", "conv2_2"}, 2, "NPN"},
        {{"block1.0", "block2.0", "block2.2", "block3.0"}, 3, "PNP"},
        {{"a.0", "a.3", "b.0", "b.3"}, 2, "?P?"},
        {{"conv1", "conv2", "conv3", "conv4"}, 0, "???"},
        {{"one", "two", "three", "four"}, 0, "???"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake_net net = {0};
        struct vgg_sites sites;
        struct vgg_outline outline;
        struct vgg_blocks blocks = {0};
        for (int c = 0; c < 4; c++) {
            add_conv(&net, cases[i].names[c], c > 0 ? 4 + c - 1 : 3, 4 + c);
        }
        add_linear(&net, "z", 7, 5);
        ck_assert_int_eq(find(&net, &sites), VGG_OK);
        ck_assert_int_eq(vgg_outline_read(FAKE_LOAD(&net, "x"), &sites, NULL, &outline), VGG_OK);
        ck_assert(vgg_outline_has_unknown(&outline));
        ck_assert(vgg_blocks_take_pools(&outline, &blocks) == (cases[i].blocks > 0));
        ck_assert_uint_eq(blocks.count, cases[i].blocks);
        for (int c = 0; c < 3; c++) {
            /* '?': what the numbers show, or nothing. */
            const enum vgg_gap gap = outline.convs[c].gap;
            const char expected = cases[i].gaps[c];
            ck_assert_msg(expected == '?' || gap == (expected == 'P' ? VGG_GAP_POOL : VGG_GAP_NONE),
                          "%s: %d", cases[i].names[c], gap);
        }
        fake_fini(&net);
    }
}
END_TEST

UNIT_MAIN("sites", attaches_norms, finds_the_order, counts_places,
          says_what_features_a_classifier_was_made_for, finds_blocks)
