/* base/status: messages, printable names, growing lists. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "base/status.h"

START_TEST(fills_the_record)
{
    struct vgg_error err = {0};
    ck_assert_int_eq(vgg_fail(&err, VGG_ERR_FORMAT, "%s: expected %d", "a.pth", 3), VGG_ERR_FORMAT);
    ck_assert_int_eq(err.code, VGG_ERR_FORMAT);
    ck_assert_str_eq(err.message, "a.pth: expected 3");
    ck_assert_int_eq(vgg_fail(NULL, VGG_ERR_IO, "x"), VGG_ERR_IO);
}
END_TEST

START_TEST(tells_errno_and_position)
{
    struct vgg_error err = {0};
    vgg_fail_errno(&err, ENOENT, "%s: cannot open", "a.pth");
    ck_assert_int_eq(err.sys_errno, ENOENT);
    ck_assert_str_eq(err.message, "a.pth: cannot open: No such file or directory");
    vgg_fail_at(&err, VGG_ERR_FORMAT, 17, "a.pth: bad opcode");
    ck_assert_uint_eq(err.byte_offset, 17);
    ck_assert_str_eq(err.message, "a.pth: bad opcode (at byte 17)");
}
END_TEST

START_TEST(gives_a_hint_that_the_next_error_forgets)
{
    struct vgg_error err;
    memset(&err, 0xff, sizeof err);
    ck_assert_int_eq(vgg_fail_hint(&err, VGG_ERR_LIMIT, VGG_HINT_SIZE, "%s: too large", "a.pth"),
                     VGG_ERR_LIMIT);
    ck_assert_int_eq(err.hint, VGG_HINT_SIZE);
    ck_assert_uint_eq(err.reserved, 0);
    ck_assert_str_eq(err.message, "a.pth: too large");
    vgg_fail(&err, VGG_ERR_FORMAT, "a.pth: bad");
    ck_assert_int_eq(err.hint, VGG_HINT_NONE);
}
END_TEST

START_TEST(shows_control_characters)
{
    struct vgg_error err = {0};
    vgg_fail(&err, VGG_ERR_FORMAT, "key '%s'", "a\nb\x1b[31m");
    ck_assert_str_eq(err.message, "key 'a\\x0ab\\x1b[31m'");
}
END_TEST

START_TEST(cuts_what_is_too_long)
{
    static char name[3 * VGG_ERROR_MESSAGE_BYTES];
    struct vgg_error err = {0};
    memset(name, '\n', sizeof name - 1);
    vgg_fail_at(&err, VGG_ERR_FORMAT, 5, "%s", name);
    ck_assert_uint_lt(strlen(err.message), sizeof err.message);
}
END_TEST

/* Whatever the place of the cut in a character of three bytes. */
START_TEST(cuts_at_a_whole_character)
{
    static char name[2 * VGG_ERROR_MESSAGE_BYTES];
    for (size_t first = 0; first < 3; first++) {
        struct vgg_error err = {0};
        memset(name, 'a', first);
        for (size_t i = first; i < sizeof name - 1; i++) {
            name[i] = "\xe2\x82\xac"[(i - first) % 3];
        }
        vgg_fail(&err, VGG_ERR_FORMAT, "%s", name);
        const size_t length = strlen(err.message);
        ck_assert_uint_gt(length, sizeof err.message - 5);
        ck_assert_mem_eq(err.message + length - 3, "\xe2\x82\xac", 3);
    }
}
END_TEST

START_TEST(shows_whole_characters_of_a_name)
{
    char text[16];
    ck_assert_int_eq(vgg_shown_length("abc", 3, 200), 3);
    ck_assert_int_eq(vgg_shown_length("abc", 3, 2), 2);
    ck_assert_int_eq(vgg_shown_length("a\xc3\xbc", 3, 2), 1);
    ck_assert_int_eq(vgg_shown_length("a\xf0\x9f\x98\x80z", 6, 4), 1);
    ck_assert_int_eq(vgg_shown_length("a\xf0\x9f\x98\x80z", 6, 5), 5);
    ck_assert_int_eq(vgg_shown_length("\x80\x80\x80\x80\x80\x80\x80\x80", 8, 6), 3); /* no UTF-8 */
    snprintf(text, sizeof text, "%.*s", VGG_SHOWN_TEXT("a\xc3\xbc", 2));
    ck_assert_str_eq(text, "a");
}
END_TEST

START_TEST(counts_what_does_not_fit_a_list)
{
    struct vgg_text text = {0};
    for (int i = 0; i < 10000; i++) {
        vgg_text_add(&text, " item%d", i);
    }
    ck_assert_uint_eq(strlen(text.buffer), text.length);
    ck_assert_uint_gt(text.dropped, 0);
    ck_assert_uint_lt(text.length, sizeof text.buffer);
}
END_TEST

UNIT_MAIN("status", fills_the_record, tells_errno_and_position,
          gives_a_hint_that_the_next_error_forgets, shows_control_characters, cuts_what_is_too_long,
          cuts_at_a_whole_character, shows_whole_characters_of_a_name,
          counts_what_does_not_fit_a_list)
