/* SPDX-License-Identifier: MIT */
/* model/spec/evidence: what is known of a net, and from where. */
#include "unit.h"

#include "model/spec/evidence.h"

static void add(struct vgg_evidence_list *list, struct vgg_arena *arena, const char *property,
                const char *value, enum vgg_evidence_source source)
{
    char copied[32];
    snprintf(copied, sizeof copied, "%s", value);
    vgg_evidence_add(
        list, arena,
        &(struct vgg_evidence){.property = property, .value = copied, .source = source});
    copied[0] = '?'; /* the list has its own */
}

START_TEST(keeps_the_stronger_source)
{
    static const struct {
        enum vgg_evidence_source first, second;
        const char *kept;
    } cases[] = {
        {VGG_EVIDENCE_CONVENTION, VGG_EVIDENCE_USER, "second"},
        {VGG_EVIDENCE_USER, VGG_EVIDENCE_CONVENTION, "first"},
        {VGG_EVIDENCE_FILE, VGG_EVIDENCE_FILE, "second"},
        {VGG_EVIDENCE_MODULES, VGG_EVIDENCE_SHAPES, "first"},
        {VGG_EVIDENCE_SHAPES, VGG_EVIDENCE_PUBLISHED, "second"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct vgg_arena arena = {0};
        struct vgg_evidence_list list = {0};
        add(&list, &arena, "eps", "first", cases[i].first);
        add(&list, &arena, "eps", "second", cases[i].second);
        ck_assert_uint_eq(list.count, 1);
        ck_assert_str_eq(vgg_evidence_find(&list, "eps")->value, cases[i].kept);
        vgg_arena_destroy(&arena);
    }
}
END_TEST

START_TEST(grows_and_strengthens)
{
    struct vgg_arena arena = {0};
    struct vgg_evidence_list list = {0};
    char name[16];
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "p%d", i);
        add(&list, &arena, name, name, i % 2 == 0 ? VGG_EVIDENCE_USER : VGG_EVIDENCE_CONVENTION);
    }
    ck_assert_uint_eq(list.count, 50);
    ck_assert_str_eq(vgg_evidence_find(&list, "p33")->value, "p33");
    ck_assert_ptr_null(vgg_evidence_find(&list, "p50"));
    vgg_evidence_strengthen(&list, VGG_EVIDENCE_PUBLISHED);
    ck_assert_int_eq(vgg_evidence_find(&list, "p33")->source, VGG_EVIDENCE_PUBLISHED);
    ck_assert_int_eq(vgg_evidence_find(&list, "p32")->source, VGG_EVIDENCE_USER);
    ck_assert(!list.failed);
    vgg_arena_destroy(&arena);
}
END_TEST

UNIT_MAIN("evidence", keeps_the_stronger_source, grows_and_strengthens)
