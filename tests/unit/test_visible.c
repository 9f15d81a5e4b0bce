/* SPDX-License-Identifier: MIT */
/* base/visible: what is shown of each kind of character; tests/golden/command.py has all of them. */
#include "unit.h"

#include <string.h>

#include "vgg/status.h"

static void expect(const char *text, size_t taken, const char *shown)
{
    char out[VGG_SHOWN_BYTES];
    ck_assert_uint_eq(vgg_text_show(text, out), taken);
    ck_assert_str_eq(out, shown);
}

START_TEST(shows_characters)
{
    expect("", 0, "");
    expect("ab", 1, "a");
    expect("\xc3\xbc!", 2, "\xc3\xbc");
    expect("\xe6\xbc\xa2", 3, "\xe6\xbc\xa2");
    expect("\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80");
    expect("\x1b[2J", 1, "\\x1b");
    expect("\x7f", 1, "\\x7f");
    expect("\xc2\x9b", 2, "\\u009b");
    expect("\xe2\x80\xae", 3, "\\u202e");
    expect("\xe2\x80\xa8", 3, "\\u2028");
    expect("\xf3\xa0\x80\x81", 4, "\\U000e0001");
}
END_TEST

/* Stray and missing bytes, longer forms than needed, surrogates, and what is past Unicode. */
START_TEST(shows_what_is_no_text)
{
    static const char *const bad[] = {"\x80",
                                      "\xff",
                                      "\xc3",
                                      "\xe2\x80",
                                      "\xe2(\xa1",
                                      "\xc0\x80",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xf0\x80\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char shown[VGG_SHOWN_BYTES];
        snprintf(shown, sizeof shown, "\\x%02x", (unsigned char)bad[i][0]);
        expect(bad[i], 1, shown);
    }
}
END_TEST

UNIT_MAIN("visible", shows_characters, shows_what_is_no_text)
