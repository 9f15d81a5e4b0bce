/* SPDX-License-Identifier: MIT */
/* tools/io/message: the advice of the command for each hint of the library. */
#include "unit.h"

#include <string.h>

#include "io/message.h"

START_TEST(names_an_option_for_every_hint)
{
    static const struct {
        enum vgg_hint hint;
        const char *option;
    } cases[] = {
        {VGG_HINT_KEY, "--key NAME"},          {VGG_HINT_LAYERS, "--cfg LIST or --spec FILE"},
        {VGG_HINT_SPEC, "--spec FILE"},        {VGG_HINT_SIZE, "--size"},
        {VGG_HINT_PACK, "--for any"},          {VGG_HINT_MAX_PIXELS, "--max-pixels"},
        {VGG_HINT_MAX_MEMORY, "--max-memory"}, {VGG_HINT_BESIDE, "--spec FILE"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct vgg_error err = {.hint = cases[i].hint};
        const char *text = message_get_hint(&err);
        ck_assert_ptr_nonnull(text);
        ck_assert_ptr_nonnull(strstr(text, cases[i].option));
    }
}
END_TEST

START_TEST(has_none_for_other_errors)
{
    struct vgg_error err = {.hint = VGG_HINT_KEY};
    message_fail(&err, VGG_ERR_IO, "a.png: cannot write");
    ck_assert_ptr_null(message_get_hint(&err));
    err.hint = (enum vgg_hint)1000; /* of a later library */
    ck_assert_ptr_null(message_get_hint(&err));
}
END_TEST

UNIT_MAIN("hint", names_an_option_for_every_hint, has_none_for_other_errors)
