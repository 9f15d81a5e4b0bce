/* SPDX-License-Identifier: MIT */
/* model/infer/found and label_table: class names and mean and std that a file has. */
#include "fake_net.h"

#include "model/infer/found.h"
#include "model/infer/label_table.h"

START_TEST(orders_names_by_index)
{
    static const struct {
        size_t count;
        struct {
            double index;
            const char *name;
        } names[3];
        size_t given;
        const char *problem;
    } cases[] = {
        {3, {{2, "c"}, {0, "a"}, {1, "b"}}, 3, NULL},
        {2, {{0, "a"}}, 1, "expected 2 names, found 1"},
        {2, {{0, "a"}, {2, "b"}}, 2, "expected indices from 0 to 1, found 2"},
        {2, {{0, "a"}, {0.5, "b"}}, 2, "expected indices from 0 to 1, found 0.5"},
        {2, {{-1, "a"}}, 1, "expected indices from 0 to 1, found -1"},
        {2, {{1, "a"}, {1, "b"}}, 2, "name 1 is there twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake_net net = {0};
        struct vgg_label_table table;
        struct vgg_found found = {0};
        const struct vgg_load load = fake_load(&net, "x");
        vgg_label_table_begin(&table, &load, cases[i].count);
        for (size_t n = 0; n < cases[i].given; n++) {
            const char *name = cases[i].names[n].name;
            vgg_label_table_add(&table, cases[i].names[n].index, name, strlen(name));
        }
        ck_assert_int_eq(vgg_label_table_end(&table, "classes", true, &found), VGG_OK);
        ck_assert_uint_eq(found.label_count, 1);
        ck_assert_pstr_eq(found.labels[0].problem, cases[i].problem);
        for (size_t n = 0; n < cases[i].count && cases[i].problem == NULL; n++) {
            ck_assert_int_eq(found.labels[0].labels.names[n][0], "abc"[n]);
        }
        fake_fini(&net);
    }
}
END_TEST

START_TEST(reads_indices)
{
    static const struct {
        const char *text;
        double index;
    } cases[] = {{"0", 0}, {"17", 17}, {"", -1}, {"1a", -1}, {"-1", -1}, {"1234567890", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_double_eq(vgg_label_parse_index(cases[i].text, strlen(cases[i].text)),
                            cases[i].index);
    }
}
END_TEST

START_TEST(takes_mean_and_std)
{
    static const struct {
        struct vgg_found_pair pair;
        bool taken, unscaled;
        float last_mean;
    } cases[] = {
        {{.mean = {0.1f, 0.2f, 0.3f}, .std = {1, 1, 1}, .mean_count = 3, .std_count = 3},
         true,
         false,
         0.3f},
        {{.mean = {0.5f}, .std = {0.25f}, .mean_count = 1, .std_count = 1}, true, false, 0.5f},
        {{.mean = {123, 117, 104}, .std = {1}, .mean_count = 3, .std_count = 1}, true, true, 104},
        {{.mean = {0.5f}, .std = {0}, .mean_count = 1, .std_count = 1}, false, false, 0},
        {{.mean = {0.5f}, .std = {-1}, .mean_count = 1, .std_count = 1}, false, false, 0},
        {{.mean = {1e9f}, .std = {1}, .mean_count = 1, .std_count = 1}, false, false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake_net net = {0};
        struct vgg_context context = {0};
        struct vgg_found found = {0};
        struct vgg_found_pair pair = cases[i].pair;
        const struct vgg_load load = fake_load(&net, "x");
        net.arena.context = &context;
        strcpy(pair.where, "mean, std");
        ck_assert_int_eq(vgg_found_add_values(&load, &pair, &found), VGG_OK);
        ck_assert((found.values != NULL) == cases[i].taken);
        if (cases[i].taken) {
            ck_assert(found.unscaled == cases[i].unscaled);
            ck_assert(found.mean[2] == cases[i].last_mean);
            /* The first has precedence. */
            pair.mean[2] = 7;
            ck_assert_int_eq(vgg_found_add_values(&load, &pair, &found), VGG_OK);
            ck_assert(found.mean[2] == cases[i].last_mean);
        }
        fake_fini(&net);
    }
}
END_TEST

UNIT_MAIN("found", orders_names_by_index, reads_indices, takes_mean_and_std)
