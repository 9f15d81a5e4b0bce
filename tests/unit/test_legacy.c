/* SPDX-License-Identifier: MIT */
/* checkpoint/container/legacy: the stream of pickles and storages, whole, cut and falsified. */
#include "unit.h"
#include "writer.h"

START_TEST(reads_a_stream)
{
    struct bytes whole = good_legacy();
    static struct vgg_error err;
    vgg_checkpoint *checkpoint;
    ck_assert_int_eq(open_bytes(whole.data, whole.size, NULL, &checkpoint, &err), VGG_OK);
    ck_assert_int_eq(vgg_checkpoint_get_container(checkpoint), VGG_CONTAINER_LEGACY);
    ck_assert_uint_eq(vgg_checkpoint_get_file_bytes(checkpoint), whole.size);
    const struct vgg_tensor *b = vgg_checkpoint_find_tensor(checkpoint, "b");
    ck_assert_uint_eq(b->file_offset, whole.size - 8);
    ck_assert_mem_eq(b->data, good_bytes + 24, 8);
    vgg_checkpoint_close(checkpoint);
    accept_good(whole);
}
END_TEST

START_TEST(reads_storages_in_any_order)
{
    struct bytes out = {0};
    put_legacy_header(&out);
    put_state_dict(&out, good_samples, 2);
    put_legacy_keys(&out, (const char *const[]){"1", "0"}, 2);
    put_legacy_storage(&out, good_values + 6, 2);
    put_legacy_storage(&out, good_values, 6);
    accept_good(out);
}
END_TEST

START_TEST(recognises_protocol_4)
{
    struct bytes out = {0};
    PUT(&out, "\x80\x04\x95\x0d\0\0\0\0\0\0\0\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.");
    PUT(&out, "\x80\x04M\xe9\x03.\x80\x04}.");
    put_state_dict(&out, good_samples, 2);
    put_legacy_keys(&out, (const char *const[]){"0", "1"}, 2);
    put_legacy_storage(&out, good_values, 6);
    put_legacy_storage(&out, good_values + 6, 2);
    accept_good(out);
}
END_TEST

START_TEST(survives_every_cut)
{
    try_cuts(good_legacy());
}
END_TEST

START_TEST(survives_every_changed_byte)
{
    try_changed_bits(good_legacy());
}
END_TEST

START_TEST(tells_how_much_is_missing)
{
    char expected[64];
    struct bytes out = good_legacy();
    snprintf(expected, sizeof expected, "truncated: %zu of %zu bytes", out.size - 10, out.size);
    out.size -= 10;
    refuse_bytes(out, VGG_ERR_FORMAT, expected);

    struct sample big = good_samples[0]; /* 400 MB, of which only the pickles are there */
    big.available = 100 << 20;
    out = (struct bytes){0};
    put_legacy_header(&out);
    put_state_dict(&out, &big, 1);
    put_legacy_keys(&out, (const char *const[]){"0"}, 1);
    refuse_bytes(out, VGG_ERR_FORMAT, "truncated: 272 bytes of 400 MB");

    out = (struct bytes){0}; /* cut inside the list of keys */
    put_legacy_header(&out);
    put_state_dict(&out, &big, 1);
    PUT(&out, "\x80\x02](X");
    refuse_bytes(out, VGG_ERR_FORMAT, "truncated: 265 bytes of about 400 MB");
}
END_TEST

/* The good stream up to the keys. */
static struct bytes begin_stream(void)
{
    struct bytes out = {0};
    put_legacy_header(&out);
    put_state_dict(&out, good_samples, 2);
    return out;
}

static struct bytes end_stream(struct bytes out)
{
    put_legacy_storage(&out, good_values, 6);
    put_legacy_storage(&out, good_values + 6, 2);
    return out;
}

START_TEST(refuses_other_keys)
{
    struct bytes out = begin_stream();
    put_legacy_keys(&out, (const char *const[]){"0"}, 1);
    refuse_bytes(end_stream(out), VGG_ERR_FORMAT, "expected a list of 2, found a list of 1");
    out = begin_stream();
    put_legacy_keys(&out, (const char *const[]){"0", "2"}, 2);
    refuse_bytes(end_stream(out), VGG_ERR_FORMAT, "storage keys: 2 belongs to no tensor");
    out = begin_stream();
    put_legacy_keys(&out, (const char *const[]){"0", "0"}, 2);
    refuse_bytes(end_stream(out), VGG_ERR_FORMAT, "storage keys: 0 is listed twice");
    out = begin_stream();
    PUT(&out, "\x80\x02}.");
    refuse_bytes(end_stream(out), VGG_ERR_FORMAT, "found a dict");
    out = begin_stream();
    PUT(&out, "\x80\x02]K\0aK\1a.");
    refuse_bytes(end_stream(out), VGG_ERR_FORMAT, "expected texts, found an integer");
    out = begin_stream();
    PUT(&out, "\x80\x02(NNtQ.");
    refuse_bytes(end_stream(out), VGG_ERR_FORMAT, "storages in the stream's header");
}
END_TEST

START_TEST(refuses_other_sizes)
{
    struct bytes out = good_legacy();
    set_le(&out, out.size - 16, 1, 8);
    refuse_bytes(out, VGG_ERR_FORMAT, "storage 1: expected 2 elements, found 1");
    out = good_legacy();
    set_le(&out, out.size - 16, UINT64_MAX, 8);
    refuse_bytes(out, VGG_ERR_FORMAT, "storage 1: expected 2 elements");
    out = good_legacy();
    PUT(&out, "PK");
    refuse_bytes(out, VGG_ERR_FORMAT, "2 bytes after the last storage");
}
END_TEST

START_TEST(refuses_strange_headers)
{
    struct bytes out = {0};
    PUT(&out, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe8\x03.");
    refuse_bytes(out, VGG_ERR_UNSUPPORTED, "protocol 1001");
    out = (struct bytes){0};
    PUT(&out,
        "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02].");
    refuse_bytes(out, VGG_ERR_FORMAT, "dict about the writing system");
    out = (struct bytes){0}; /* the magic number made by a call */
    PUT(&out, "\x80\x02"
              "cbuiltins\neval\nU\x18"
              "0x1950a86a20f9469cfc6c  \x85R.\x80\x02M\xe9\x03.");
    refuse_bytes(out, VGG_ERR_UNSUPPORTED, "a bare pickle");
    out = (struct bytes){0}; /* a call in the header's dict */
    PUT(&out, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02"
              "cos\nsystem\nU\x02id\x85R.");
    refuse_bytes(out, VGG_ERR_UNSUPPORTED, "os.system");
}
END_TEST

UNIT_MAIN("legacy", reads_a_stream, reads_storages_in_any_order, recognises_protocol_4,
          survives_every_cut, survives_every_changed_byte, tells_how_much_is_missing,
          refuses_other_keys, refuses_other_sizes, refuses_strange_headers)
