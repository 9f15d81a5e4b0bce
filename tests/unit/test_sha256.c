/* SPDX-License-Identifier: MIT */
/* checkpoint/sha256: the examples of FIPS 180-4, and every length around a block. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "checkpoint/sha256.h"

static const char *hex(const void *data, size_t size)
{
    static char text[2 * VGG_SHA256_BYTES + 1];
    uint8_t digest[VGG_SHA256_BYTES];
    vgg_sha256(data, size, digest);
    for (size_t i = 0; i < VGG_SHA256_BYTES; i++) {
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
    return text;
}

START_TEST(hashes_the_standards_examples)
{
    ck_assert_str_eq(hex("abc", 3),
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const char *two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    ck_assert_str_eq(hex(two_blocks, strlen(two_blocks)),
                     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    ck_assert_str_eq(hex(NULL, 0),
                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
END_TEST

START_TEST(hashes_a_million_a)
{
    static char text[1000000];
    memset(text, 'a', sizeof text);
    ck_assert_str_eq(hex(text, sizeof text),
                     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

/* The hash of the hashes of 0, 1, … 130 bytes; the expected value is sha256sum's. */
START_TEST(pads_every_length)
{
    uint8_t text[131], digests[131 * VGG_SHA256_BYTES];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (uint8_t)i;
    }
    for (size_t i = 0; i < sizeof text; i++) {
        vgg_sha256(text, i, digests + i * VGG_SHA256_BYTES);
    }
    ck_assert_str_eq(hex(digests, sizeof digests),
                     "e5bbbecd60c3632a3455f465bfd8b079c30ef608d2bcc34227f4e5573029020e");
}
END_TEST

UNIT_MAIN("sha256", hashes_the_standards_examples, hashes_a_million_a, pads_every_length)
