/* SPDX-License-Identifier: MIT */
/* checkpoint/facts, checkpoint/fact_items: what lies beside a net's tensors, and NumPy arrays that lie. */
#include "unit.h"
#include "writer.h"

#include "checkpoint/facts.h"
#include "checkpoint/locate/numpy.h"

static struct vgg_arena arena;
static struct vgg_checkpoint checkpoint;

/* Reads a pickle, whose bytes are freed, as what was saved. */
static void read_pickle(struct bytes bytes)
{
    static uint8_t *copy;
    struct vgg_error err = {0};
    struct vgg_limits limits;
    struct vgg_pickle pickle = {0};
    PUT(&bytes, ".");
    vgg_arena_destroy(&arena);
    free(copy);
    copy = copy_exactly(bytes.data, bytes.size);
    vgg_limits_init(&limits);
    const struct vgg_load load = {"a.pth", &limits, &arena, &err};
    const struct vgg_pickle_source source = {.data = copy, .size = bytes.size};
    free(bytes.data);
    ck_assert_msg(vgg_pickle_read(&load, &source, &pickle) == VGG_OK, "%s", err.message);
    checkpoint.root = pickle.root;
}

static struct bytes begin(void)
{
    struct bytes out = {0};
    PUT(&out, "\x80\x02");
    return out;
}

/* dtype(name, False, True) with a state, in which is its byte order */
static void put_dtype(struct bytes *out, const char *name, const char *order)
{
    put_global(out, "numpy", "dtype");
    put_text(out, name);
    PUT(out, "\x89\x88\x87R(K\3");
    put_text(out, order);
    PUT(out, "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb");
}

/* _codecs.encode(text, "latin1") */
static void put_encoded(struct bytes *out, const char *utf8, size_t length)
{
    put_global(out, "_codecs", "encode");
    PUT(out, "X");
    put_le(out, length, 4);
    put(out, utf8, length);
    put_text(out, "latin1");
    PUT(out, "\x86R");
}

/* An array of one dimension. */
static void put_array(struct bytes *out, int64_t count, const char *type, const char *utf8,
                      size_t length)
{
    put_global(out, "numpy.core.multiarray", "_reconstruct");
    put_global(out, "numpy", "ndarray");
    PUT(out, "K\0\x85");
    put_encoded(out, "b", 1);
    PUT(out, "\x87R(K\1");
    put_ints(out, &count, 1);
    put_dtype(out, type, "<");
    PUT(out, "\x89");
    put_encoded(out, utf8, length);
    PUT(out, "tb");
}

static struct vgg_fact_item *read_list(struct bytes bytes, size_t *count)
{
    struct vgg_fact_item *items;
    read_pickle(bytes);
    ck_assert(vgg_fact_read_list(checkpoint.root, &arena, &items, count));
    return items;
}

#define PUT_ARRAY(out, count, type, literal)                                                       \
    put_array(out, count, type, literal, sizeof(literal) - 1)

START_TEST(reads_arrays)
{
    size_t count;
    struct bytes out = begin();
    /* "cat", "ü" in UTF-32 */
    PUT_ARRAY(&out, 2, "U3", "c\0\0\0a\0\0\0t\0\0\0\xc3\xbc\0\0\0\0\0\0\0\0\0\0\0");
    struct vgg_fact_item *items = read_list(out, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(items[0].kind, VGG_ITEM_TEXT);
    ck_assert(vgg_span_equals(items[0].text, "cat"));
    ck_assert(vgg_span_equals(items[1].text, "\xc3\xbc"));
    out = begin();
    PUT_ARRAY(&out, 2, "i2", "\xc3\xbf\xc3\xbf\1\0");
    items = read_list(out, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_double_eq(items[0].number, -1);
    ck_assert_double_eq(items[1].number, 1);
    out = begin();
    PUT_ARRAY(&out, 1, "f4", "\0\0\0?");
    items = read_list(out, &count);
    ck_assert_double_eq(items[0].number, 0.5);
    out = begin();
    PUT_ARRAY(&out, 1, "f8", "\0\0\0\0\0\0\xc3\xa0?");
    items = read_list(out, &count);
    ck_assert_double_eq(items[0].number, 0.5);
}
END_TEST

/* Arrays whose shape, type or bytes contradict each other are no lists. */
START_TEST(refuses_arrays_that_lie)
{
    static const struct {
        int64_t count;
        const char *type;
    } lies[] = {{2, "U1"},        {3, "i4"}, {-1, "i4"}, {INT64_MAX, "i4"}, {1 << 20, "U4096"},
                {1, "U99999999"}, {1, "i"},  {1, "i0"},  {1, "i-4"},        {1, ""},
                {1, "i4x"},       {0, "U1"}, {1, "O8"},  {1, "U4294967297"}};
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        size_t count;
        struct bytes out = begin();
        PUT_ARRAY(&out, lies[i].count, lies[i].type, "a\0\0\0");
        ck_assert_ptr_null(read_list(out, &count));
        ck_assert_uint_eq(count, 0);
    }
}
END_TEST

START_TEST(takes_texts_that_are_none_for_what_they_are)
{
    size_t count;
    struct bytes out = begin();
    /* A surrogate, and a number past the last character. */
    PUT_ARRAY(&out, 2, "U1", "\0\xc3\x98\0\0\xc3\xbf\xc3\xbf\xc3\xbf\xc3\xbf");
    struct vgg_fact_item *items = read_list(out, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_eq(items[0].text.length, 3);
    ck_assert_uint_eq(items[1].text.length, 4);
    ck_assert(!vgg_span_is_name(items[0].text));
    ck_assert(!vgg_span_is_name(items[1].text));
}
END_TEST

static void put_key(struct bytes *out, const char *key, int64_t value)
{
    put_text(out, key);
    put_int(out, value);
}

START_TEST(finds_keys_two_levels_down)
{
    struct vgg_fact facts[4];
    struct bytes out = begin();
    PUT(&out, "}(");
    put_text(&out, "meta");
    PUT(&out, "}(");
    put_text(&out, "data");
    PUT(&out, "}(");
    put_text(&out, "deeper");
    PUT(&out, "}(");
    put_key(&out, "classes", 1);
    PUT(&out, "u");
    put_key(&out, "classes", 2);
    PUT(&out, "u");
    put_key(&out, "classes", 3);
    PUT(&out, "u");
    put_text(&out, "args");
    put_global(&out, "argparse", "Namespace");
    PUT(&out, ")\x81}(");
    put_key(&out, "classes", 4);
    PUT(&out, "ub");
    put_text(&out, "_hidden");
    PUT(&out, "}(");
    put_key(&out, "classes", 5);
    PUT(&out, "uu");
    read_pickle(out);
    ck_assert_uint_eq(vgg_checkpoint_find_facts(&checkpoint, "classes", facts, 4), 3);
    ck_assert_str_eq(facts[0].path, "meta.classes");
    ck_assert_str_eq(facts[1].path, "args.classes");
    ck_assert_str_eq(facts[2].path, "meta.data.classes");
    ck_assert_int_eq(facts[0].value->integer, 3);
    ck_assert_int_eq(facts[1].value->integer, 4);
    ck_assert_int_eq(facts[2].value->integer, 2);
    ck_assert_uint_eq(vgg_checkpoint_find_facts(&checkpoint, "classes", facts, 1), 1);
    ck_assert_uint_eq(vgg_checkpoint_find_facts(&checkpoint, "meta.classes", facts, 4), 0);
}
END_TEST

START_TEST(looks_into_omegaconf)
{
    struct vgg_fact facts[1];
    struct bytes out = begin();
    PUT(&out, "}(");
    put_text(&out, "cfg");
    put_global(&out, "omegaconf.dictconfig", "DictConfig");
    PUT(&out, ")\x81}(");
    put_text(&out, "_content");
    PUT(&out, "}(");
    put_text(&out, "size");
    put_global(&out, "omegaconf.nodes", "AnyNode");
    PUT(&out, ")\x81}(");
    put_key(&out, "_val", 64);
    PUT(&out, "ubuubu");
    read_pickle(out);
    ck_assert_uint_eq(vgg_checkpoint_find_facts(&checkpoint, "size", facts, 1), 1);
    ck_assert_str_eq(facts[0].path, "cfg.size");
    ck_assert_int_eq(facts[0].value->integer, 64);
}
END_TEST

/* Wrappers in a circle, and dicts that are shared by more dicts than are looked into. */
START_TEST(ends_in_loops)
{
    struct vgg_fact facts[4];
    char key[8];
    struct bytes out = begin();
    put_global(&out, "omegaconf.nodes", "AnyNode");
    PUT(&out, ")\x81q\0}(");
    put_text(&out, "_val");
    PUT(&out, "h\0ub");
    read_pickle(out);
    ck_assert_uint_eq(vgg_checkpoint_find_facts(&checkpoint, "x", facts, 4), 0);
    out = begin();
    PUT(&out, "}q\0(");
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "k%d", i);
        put_text(&out, key);
        PUT(&out, "}(");
        put_key(&out, "x", i);
        put_text(&out, "self");
        PUT(&out, "h\0u");
    }
    PUT(&out, "u");
    read_pickle(out);
    ck_assert_uint_eq(vgg_checkpoint_find_facts(&checkpoint, "x", facts, 4), 4);
    ck_assert_int_eq(facts[3].value->integer, 3);
}
END_TEST

/* Two calls that have one text, and that text. */
static struct vgg_value **read_shared(const char *utf8, size_t length)
{
    struct bytes out = begin();
    for (int i = 0; i < 2; i++) {
        put_global(&out, "_codecs", "encode");
        if (i == 0) {
            PUT(&out, "X");
            put_le(&out, length, 4);
            put(&out, utf8, length);
            PUT(&out, "q\0");
        } else {
            PUT(&out, "h\0");
        }
        put_text(&out, "latin1");
        PUT(&out, "\x86R");
    }
    PUT(&out, "h\0\x87");
    read_pickle(out);
    struct vgg_value **items = checkpoint.root->list.items;
    for (int i = 0; i < 2; i++) {
        ck_assert(vgg_array_decode(items[i], &arena));
        ck_assert_int_eq(items[i]->kind, VGG_VALUE_BYTES);
        ck_assert_uint_eq(items[i]->text.length, length / 2);
        ck_assert_int_eq((uint8_t)items[i]->text.bytes[length / 2 - 1], 0xfc);
    }
    return items;
}

/* A file with many calls that have one text must not take the memory of its bytes for each of them. */
START_TEST(decodes_a_long_text_once)
{
    char utf8[512];
    for (size_t i = 0; i < sizeof utf8; i += 2) {
        memcpy(utf8 + i, "\xc3\xbc", 2);
    }
    struct vgg_value **items = read_shared(utf8, sizeof utf8);
    ck_assert_ptr_eq(items[0]->text.bytes, items[1]->text.bytes);
}
END_TEST

/* A text of one character can be a key as well, because Python has one object for all of them. */
START_TEST(keeps_a_short_text)
{
    struct vgg_value **items = read_shared("\xc3\xbc", 2);
    ck_assert_int_eq(items[2]->kind, VGG_VALUE_TEXT);
}
END_TEST

/* Python does not encode a character above 255 as Latin-1. */
START_TEST(leaves_a_text_that_has_no_bytes)
{
    struct bytes out = begin();
    put_encoded(&out, "a\xe2\x82\xac", 4);
    PUT(&out, "\x85");
    read_pickle(out);
    struct vgg_value *call = checkpoint.root->list.items[0];
    ck_assert(vgg_array_decode(call, &arena));
    ck_assert_int_ne(call->kind, VGG_VALUE_BYTES);
}
END_TEST

UNIT_MAIN("facts", reads_arrays, decodes_a_long_text_once, keeps_a_short_text,
          leaves_a_text_that_has_no_bytes, refuses_arrays_that_lie,
          takes_texts_that_are_none_for_what_they_are, finds_keys_two_levels_down,
          looks_into_omegaconf, ends_in_loops)
