/* SPDX-License-Identifier: MIT */
/* base/json: trees of values, strictness and bounds. */
#include "unit.h"

#include <string.h>

#include "base/json.h"

static struct vgg_error err;

static vgg_status parse_within(const char *text, size_t size, uint32_t depth, uint32_t values,
                               struct vgg_json **out)
{
    const struct vgg_json_bounds bounds = {.depth = depth, .values = values};
    char *exact = malloc(size > 0 ? size : 1); /* so that a sanitizer sees reads past the end */
    ck_assert_ptr_nonnull(exact);
    memcpy(exact, text, size);
    err = (struct vgg_error){0};
    struct vgg_arena arena = {0};
    const struct vgg_load load = {.path = "n.json", .arena = &arena, .err = &err};
    vgg_status status = vgg_json_parse(&load, exact, size, &bounds, out);
    ck_assert_ptr_null(arena.chunks);
    free(exact);
    return status;
}

static void refuse(const char *text, size_t size, vgg_status expected, const char *reason)
{
    struct vgg_json *root;
    vgg_status status = parse_within(text, size, 4, 20, &root);
    ck_assert_msg(status == expected && strstr(err.message, reason) != NULL,
                  "%s: expected \"%s\", found \"%s\" (%s)", text, reason, err.message,
                  vgg_status_string(status));
    ck_assert_ptr_null(root);
}
#define REFUSE(text, expected, reason) refuse(text, sizeof(text) - 1, expected, reason)

START_TEST(reads_values)
{
    static const char text[] =
        " {\"n\": -2.5e1, \"t\" : \"a\\\"\\u00e9\", \"b\":true,\"z\":null,\r\n"
        "\t\"l\":[1,[],{}], \"o\":{\"n\":1}} \n";
    struct vgg_json *root;
    char shown[VGG_JSON_SHOWN_BYTES];
    ck_assert_int_eq(parse_within(text, sizeof text - 1, 4, 20, &root), VGG_OK);
    ck_assert(vgg_json_is(root, VGG_JSON_OBJECT) && !vgg_json_is(root, VGG_JSON_LIST));
    ck_assert_uint_eq(vgg_json_count(root), 6);
    ck_assert(vgg_json_number(vgg_json_get(root, "n")) == -25);
    ck_assert_str_eq(vgg_json_text(vgg_json_get(root, "t")), "a\"\xc3\xa9");
    ck_assert(vgg_json_bool(vgg_json_get(root, "b")));
    ck_assert(vgg_json_is(vgg_json_get(root, "z"), VGG_JSON_NULL));
    const struct vgg_json *list = vgg_json_get(root, "l");
    ck_assert_uint_eq(vgg_json_count(list), 3);
    const struct vgg_json *second = vgg_json_next(vgg_json_first(list));
    ck_assert(vgg_json_is(second, VGG_JSON_LIST));
    ck_assert_ptr_null(vgg_json_first(second));
    ck_assert_str_eq(vgg_json_key(vgg_json_first(root)), "n");
    ck_assert_ptr_null(vgg_json_get(root, "N"));
    ck_assert_ptr_null(vgg_json_get(list, "n"));
    ck_assert(!vgg_json_is(NULL, VGG_JSON_NULL));
    static const char *const keys[] = {"n", "t", "b", "z", "l", "o", "none"};
    static const char *const expected[] = {"-25",    "\"a\"\xc3\xa9\"", "true",   "null",
                                           "a list", "an object",       "nothing"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        vgg_json_show(vgg_json_get(root, keys[i]), shown);
        ck_assert_str_eq(shown, expected[i]);
    }
    vgg_json_free(root);
    vgg_json_free(NULL);
}
END_TEST

START_TEST(refuses_what_is_not_json)
{
    static const char *const texts[] = {
        "",   "x",    "{",     "}",       "[1,]",      "{\"a\":1,}",    "{\"a\" 1}",
        "[1", "[1]]", "[1] 2", "\"a",     "\"a\\",     "{'a':1}",       "[\"a\nb\"]",
        "{]", "[1}",  "tru",   "\"\\x\"", "\"\\u00\"", "[\"\\u0000\"]",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        refuse(texts[i], strlen(texts[i]), VGG_ERR_FORMAT, "n.json: this is not JSON (at byte");
    }
    REFUSE("[1]\0", VGG_ERR_FORMAT, "at byte 3");
    REFUSE("[\0\x31]", VGG_ERR_FORMAT, "at byte 1");
    REFUSE("\"\\\\\\u0000\"", VGG_ERR_FORMAT, "at byte 3");
    struct vgg_json *root;
    ck_assert_int_eq(parse_within("\"\\\\u0000\"", 9, 1, 1, &root), VGG_OK);
    ck_assert_str_eq(vgg_json_text(root), "\\u0000");
    vgg_json_free(root);
}
END_TEST

START_TEST(refuses_a_key_twice)
{
    REFUSE("{\"a\":1,\"b\":2,\"a\":3}", VGG_ERR_FORMAT, "n.json: a: the key is given twice");
    REFUSE("[1,{},{\"b\":{\"x\":1,\"\\u0078\":2}}]", VGG_ERR_FORMAT, "x: the key is given twice");
    REFUSE("{\"a\":[],\"c\":[{}],\"d\":{\"k\":1,\"k\":1}}", VGG_ERR_FORMAT, "k: the key is given");
    struct vgg_json *root;
    static const char good[] = "{\"a\":{\"a\":1},\"A\":[{\"a\":1},{\"a\":2}]}";
    ck_assert_int_eq(parse_within(good, sizeof good - 1, 4, 20, &root), VGG_OK);
    vgg_json_free(root);
}
END_TEST

START_TEST(keeps_the_bounds)
{
    struct vgg_json *root;
    ck_assert_int_eq(parse_within("[[[[]]]]", 8, 4, 20, &root), VGG_OK);
    vgg_json_free(root);
    REFUSE("[[[[[]]]]]", VGG_ERR_LIMIT, "deeply than the limit of 4 (at byte 4)");
    REFUSE("[{\"a\":[{\"b\":[]}]}]", VGG_ERR_LIMIT, "deeply than the limit of 4");
    REFUSE("[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]", VGG_ERR_LIMIT, "the limit of 20");
    static const char quoted[] = "[\"[[[[[[[[,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\\\"[,\"]";
    ck_assert_int_eq(parse_within(quoted, sizeof quoted - 1, 1, 3, &root), VGG_OK);
    vgg_json_free(root);
    size_t size = 10 << 20; /* deep: no recursion, whatever the bound */
    char *deep = malloc(size);
    ck_assert_ptr_nonnull(deep);
    memset(deep, '[', size);
    ck_assert_int_eq(parse_within(deep, size, VGG_JSON_DEPTH_MAX, 1000, &root), VGG_ERR_LIMIT);
    free(deep);
    char most[2 * VGG_JSON_DEPTH_MAX];
    memset(most, '[', VGG_JSON_DEPTH_MAX);
    memset(most + VGG_JSON_DEPTH_MAX, ']', VGG_JSON_DEPTH_MAX);
    ck_assert_int_eq(parse_within(most, sizeof most, VGG_JSON_DEPTH_MAX, 1000, &root), VGG_OK);
    vgg_json_free(root);
}
END_TEST

UNIT_MAIN("json", reads_values, refuses_what_is_not_json, refuses_a_key_twice, keeps_the_bounds)
