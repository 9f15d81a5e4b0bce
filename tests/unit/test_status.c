/* SPDX-License-Identifier: MIT */
/* base/status: messages, printable names, growing lists. */
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
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
    static char name[3 * VGG_LONG_MESSAGE_BYTES];
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
        for (size_t i = 0; i < 1500; i++) {
            name[first + i] = "\xe2\x82\xac"[i % 3];
        }
        vgg_fail(&err, VGG_ERR_FORMAT, "%s", name);
        const size_t length = strlen(err.message);
        ck_assert_uint_gt(length, sizeof err.message - 9);
        ck_assert_mem_eq(err.message, name, first);
        size_t marks = 0;
        for (size_t i = first; i < length; i += 3) { /* whole characters, and one mark */
            const bool mark = memcmp(err.message + i, "\xe2\x80\xa6", 3) == 0;
            marks += mark;
            ck_assert(mark || memcmp(err.message + i, "\xe2\x82\xac", 3) == 0);
        }
        ck_assert_uint_eq(marks, 1);
    }
}
END_TEST

static void keep_log(void *user, enum vgg_log_level level, const char *message)
{
    ck_assert_int_eq(level, VGG_LOG_ERROR);
    snprintf(user, VGG_LONG_MESSAGE_BYTES, "%s", message);
}

/* The beginning and the end stay; a list is logged as a whole, and nothing is logged that the record holds. */
START_TEST(logs_what_the_record_does_not_hold)
{
    static char list[3000], logged[VGG_LONG_MESSAGE_BYTES];
    const struct vgg_context context = {.log = keep_log, .log_user = logged};
    struct vgg_error err;
    memset(list, 'x', sizeof list - 1);
    ck_assert_int_eq(
        vgg_fail_long(&context, &err, VGG_ERR_MISMATCH, VGG_HINT_KEY, "a.pth: %s: end", "short"),
        VGG_ERR_MISMATCH);
    ck_assert_str_eq(err.message, "a.pth: short: end");
    ck_assert_str_eq(logged, "");
    vgg_fail_long(&context, &err, VGG_ERR_MISMATCH, VGG_HINT_KEY, "a.pth: %s: end", list);
    ck_assert_int_eq(err.hint, VGG_HINT_KEY);
    ck_assert_uint_eq(strlen(logged), strlen("a.pth: : end") + sizeof list - 1);
    ck_assert_uint_eq(strlen(err.message), sizeof err.message - 1);
    const char *mark = strstr(err.message, "\xe2\x80\xa6");
    ck_assert_ptr_nonnull(mark);
    ck_assert_mem_eq(err.message, logged, (size_t)(mark - err.message));
    ck_assert_str_eq(err.message + strlen(err.message) - 5, ": end");
    vgg_fail_long(NULL, &err, VGG_ERR_MISMATCH, VGG_HINT_NONE, "%s", list);
    ck_assert_int_eq(err.hint, VGG_HINT_NONE);
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
          cuts_at_a_whole_character, logs_what_the_record_does_not_hold,
          shows_whole_characters_of_a_name, counts_what_does_not_fit_a_list)
