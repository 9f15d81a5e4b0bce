/* SPDX-License-Identifier: MIT */
/* checkpoint/container/zip, zip_directory: archives whole, cut, falsified, and readable in two ways. */
#include "unit.h"
#include "writer.h"

/* The good members; a test changes them and makes an archive of the first count. */
static struct bytes pickle;
static struct member members[GOOD_MEMBERS + 8];

static void begin(void)
{
    free(pickle.data);
    pickle = (struct bytes){0};
    memset(members, 0, sizeof members);
    good_members(&pickle, members);
}

static struct bytes good_zip(void)
{
    begin();
    return make_zip(members, GOOD_MEMBERS);
}

/* Data as deflate's stored block: an unpacker has to work, whatever it is given. */
static struct bytes deflate(const void *data, size_t size)
{
    struct bytes out = {0};
    PUT(&out, "\1");
    put_le(&out, size, 2);
    put_le(&out, ~size, 2);
    put(&out, data, size);
    return out;
}

START_TEST(reads_an_archive)
{
    struct bytes whole = good_zip();
    static struct vgg_error err;
    vgg_checkpoint *checkpoint;
    ck_assert_int_eq(open_bytes(whole.data, whole.size, NULL, &checkpoint, &err), VGG_OK);
    ck_assert_int_eq(vgg_checkpoint_get_container(checkpoint), VGG_CONTAINER_ZIP);
    const struct vgg_tensor *w = vgg_checkpoint_find_tensor(checkpoint, "w");
    ck_assert_mem_eq(whole.data + w->file_offset, good_bytes, 24);
    ck_assert_mem_eq(w->data, good_bytes, 24);
    ck_assert(vgg_checkpoint_owns(checkpoint, w->data));
    ck_assert(!vgg_checkpoint_owns(checkpoint, whole.data));
    vgg_checkpoint_close(checkpoint);
    accept_good(whole);
}
END_TEST

START_TEST(reads_other_layouts)
{
    begin();
    for (size_t i = 0; i < GOOD_MEMBERS; i++) {
        members[i].no_descriptor = true;
    }
    accept_good(make_zip(members, GOOD_MEMBERS));
    begin();
    members[0].flags = members[0].local_flags = 0x0006;
    members[GOOD_MEMBERS] = (struct member){.name = "good/byteorder", .data = "little", .size = 6};
    members[GOOD_MEMBERS + 1] = (struct member){.name = "good/data/", .data = "", .size = 0};
    accept_good(make_zip(members, GOOD_MEMBERS + 2));
    struct bytes plain = good_zip(); /* without the zip64 records */
    memmove(plain.data + plain.size - 98, plain.data + plain.size - 22, 22);
    plain.size -= 76;
    accept_good(plain);
    begin();
    accept_good(make_zip(members, GOOD_MEMBERS - 1)); /* without version */
}
END_TEST

START_TEST(reads_newer_and_older_members)
{
    begin(); /* torch 2.7 and later */
    const struct member newer[] = {
        {.name = "good/.format_version", .data = "1", .size = 1},
        {.name = "good/.storage_alignment", .data = "64", .size = 2},
        {.name = "good/byteorder", .data = "little", .size = 6},
        {.name = "good/.data/serialization_id",
         .data = "0123456789012345678901234567890123456789",
         .size = 40},
    };
    memcpy(members + GOOD_MEMBERS, newer, sizeof newer);
    accept_good(make_zip(members, GOOD_MEMBERS + 4));
    begin(); /* archives of version 6 and later */
    members[3].name = "good/.data/version";
    members[3].data = "6\n";
    accept_good(make_zip(members, GOOD_MEMBERS));
    begin(); /* torch 1.4 to 1.7: keys are addresses */
    struct sample old[2] = {good_samples[0], good_samples[1]};
    old[0].key = "94613285943296";
    old[1].key = "9461328594";
    free(pickle.data);
    pickle = (struct bytes){0};
    put_state_dict(&pickle, old, 2);
    members[0].data = pickle.data;
    members[0].size = pickle.size;
    members[1].name = "good/data/94613285943296";
    members[2].name = "good/data/9461328594";
    accept_good(make_zip(members, GOOD_MEMBERS));
    begin(); /* written without CRC */
    for (size_t i = 0; i < GOOD_MEMBERS; i++) {
        members[i].no_crc = true;
    }
    accept_good(make_zip(members, GOOD_MEMBERS));
}
END_TEST

START_TEST(reads_64_bit_fields)
{
    begin();
    for (size_t i = 0; i < GOOD_MEMBERS; i++) {
        members[i].zip64 = true;
    }
    accept_good(make_zip(members, GOOD_MEMBERS));
    struct bytes packed = deflate(good_bytes, 24);
    members[1].unpacked = 24;
    members[1].crc = crc32_of((const uint8_t *)good_bytes, 24);
    members[1].method = 8;
    members[1].data = packed.data;
    members[1].size = packed.size;
    accept_good(make_zip(members, GOOD_MEMBERS));
    free(packed.data);
    begin();
    members[1].zip64 = true;
    members[1].zip64_missing = 8;
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "good/data/0: bad extra field");
    begin();
    members[1].zip64 = true;
    members[1].size_lie = INT64_MAX;
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "does not fit the file");
    begin();
    members[1].zip64 = true;
    members[1].offset_lie = -1;
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "good/data/0: ");
}
END_TEST

START_TEST(reads_the_other_byte_order)
{
    begin();
    uint8_t w[24], b[8];
    for (size_t i = 0; i < 24; i++) {
        w[i] = (uint8_t)good_bytes[i ^ 3];
    }
    for (size_t i = 0; i < 8; i++) {
        b[i] = (uint8_t)good_bytes[24 + (i ^ 3)];
    }
    members[1].data = w;
    members[2].data = b;
    members[GOOD_MEMBERS] = (struct member){.name = "good/byteorder", .data = "big", .size = 3};
    accept_good(make_zip(members, GOOD_MEMBERS + 1));
    begin();
    members[GOOD_MEMBERS] = (struct member){.name = "good/byteorder", .data = "middle", .size = 6};
    refuse_bytes(make_zip(members, GOOD_MEMBERS + 1), VGG_ERR_FORMAT, "found \"middle\"");
}
END_TEST

START_TEST(unpacks_deflated_members)
{
    begin();
    struct bytes packed[2] = {deflate(pickle.data, pickle.size), deflate(good_bytes, 24)};
    for (size_t i = 0; i < 2; i++) {
        members[i].method = 8;
        members[i].unpacked = members[i].size;
        members[i].crc = crc32_of(members[i].data, members[i].size);
        members[i].data = packed[i].data;
        members[i].size = packed[i].size;
    }
    accept_good(make_zip(members, GOOD_MEMBERS));

    members[1].crc ^= 1;
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "good/data/0: CRC error");
    members[1].crc ^= 1;
    members[0].crc ^= 1;
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "good/data.pkl: CRC error");
    members[0].crc ^= 1;
    members[1].unpacked = 20;
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "expected 24 bytes");
    members[1].unpacked = 24;
    packed[1].data[1] = 20; /* a block of 20 bytes, by its own header */
    packed[1].data[3] = (uint8_t)~20;
    ck_assert_int_ne(try_bytes(packed[1].data, 0), VGG_OK);
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "good/data/0: ");
    free(packed[0].data);
    free(packed[1].data);
}
END_TEST

START_TEST(refuses_deflate_bombs)
{
    begin();
    struct sample bomb = good_samples[0]; /* 4 GB, it says */
    struct bytes packed = deflate(good_bytes, 24);
    bomb.available = 1 << 30;
    free(pickle.data);
    pickle = (struct bytes){0};
    put_state_dict(&pickle, &bomb, 1);
    members[0].data = pickle.data;
    members[0].size = pickle.size;
    members[1].data = packed.data;
    members[1].size = packed.size;
    members[1].method = 8;
    members[1].unpacked = UINT32_MAX - 1;
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "storage 0: expected 4294967296");
    members[1].unpacked = UINT32_MAX - 3;
    bomb.available = (UINT32_MAX - 3) / 4;
    free(pickle.data);
    pickle = (struct bytes){0};
    put_state_dict(&pickle, &bomb, 1);
    members[0].data = pickle.data;
    members[0].size = pickle.size;
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "more than deflate can make");
    begin();
    members[0].method = 8;
    members[0].unpacked = 100 << 20;
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_LIMIT, "data.pkl is larger");
    free(packed.data);
}
END_TEST

START_TEST(survives_every_cut)
{
    struct bytes whole = good_zip();
    for (size_t size = 0; size < whole.size; size++) {
        ck_assert_int_ne(try_bytes(whole.data, size), VGG_OK);
    }
    whole.size -= 10;
    refuse_bytes(whole, VGG_ERR_FORMAT, "truncated");
}
END_TEST

START_TEST(tells_how_much_is_missing)
{
    begin();
    struct sample big = good_samples[0]; /* 400 MB, of which only the beginning is there */
    big.available = 100 << 20;
    free(pickle.data);
    pickle = (struct bytes){0};
    put_state_dict(&pickle, &big, 1);
    members[0].data = pickle.data;
    members[0].size = pickle.size;
    struct bytes out = make_zip(members, GOOD_MEMBERS);
    out.size = pickle.size + 100;
    refuse_bytes(out, VGG_ERR_FORMAT, "truncated: 315 bytes of about 400 MB");
    out = make_zip(members, GOOD_MEMBERS);
    out.size = pickle.size; /* inside the pickle */
    refuse_bytes(out, VGG_ERR_FORMAT, "bytes of a zip archive, and no directory");
}
END_TEST

START_TEST(survives_every_changed_byte)
{
    try_changed_bits(good_zip());
}
END_TEST

START_TEST(refuses_two_readings)
{
    static const char disagree[] = "local header does not agree with the directory";
    begin();
    members[0].local_name = "good/datap.kl";
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, disagree);
    begin();
    members[1].local_method = 8;
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, disagree);
    static const uint16_t bad_flags[] = {0x1, 0x20, 0x40, 0x2000};
    for (size_t i = 0; i < 4; i++) {
        begin();
        members[0].local_flags = bad_flags[i];
        refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, disagree);
        members[0].flags = bad_flags[i];
        refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_UNSUPPORTED,
                     "encrypted or of an unk");
    }
    static const uint16_t methods[] = {1, 9, 12, 14, 93, 99};
    for (size_t i = 0; i < 6; i++) {
        begin();
        members[0].method = methods[i];
        refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_UNSUPPORTED, "other than deflate");
    }
    begin();
    members[2].offset_lie = 1;
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "does not fit the file");
    begin();
    members[1].size_lie = 1000;
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "does not fit the file");
    begin();
    members[1].size_lie = 40;
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "overlaps another member");
    begin();
    members[2] = members[1];
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "is given twice");
    static const char *const names[] = {"/etc/passwd", "a/../b", "..", "a\\b"};
    for (size_t i = 0; i < 4; i++) {
        begin();
        members[3].name = names[i];
        refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "bad name");
    }
}
END_TEST

START_TEST(refuses_lying_end_records)
{
    /* From the end of the file: where a field is, its size, and a lie. */
    static const struct {
        size_t from_end;
        unsigned bytes;
        uint64_t value;
        const char *reason;
    } lies[] = {
        {2, 2, 5, "a comment"},      {18, 2, 1, "several disks"},
        {14, 2, 3, "several disks"}, {12, 2, 3, "several disks"},
        {10, 4, 1, "do not agree"},  {6, 4, 1, "do not agree"},
        {34, 8, 1, "zip64 locator"}, {34, 8, UINT64_MAX, "zip64 locator"},
        {38, 4, 1, "zip64 locator"}, {26, 4, 2, "zip64 locator"},
        {94, 8, 1000, "bad zip64"},  {66, 8, 1000, "bad zip64"},
        {58, 8, 10, "do not agree"}, {50, 8, UINT64_MAX, "do not agree"},
        {98, 4, 0, "bad zip64"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct bytes out = good_zip();
        set_le(&out, out.size - lies[i].from_end, lies[i].value, lies[i].bytes);
        refuse_bytes(out, VGG_ERR_FORMAT, lies[i].reason);
    }
    struct bytes out = good_zip(); /* 2^32 members, in both records */
    set_le(&out, out.size - 74, UINT32_MAX, 8);
    set_le(&out, out.size - 66, UINT32_MAX, 8);
    set_le(&out, out.size - 12, UINT16_MAX, 2);
    set_le(&out, out.size - 14, UINT16_MAX, 2);
    refuse_bytes(out, VGG_ERR_FORMAT, "does not fit the file");
    out = good_zip();
    PUT(&out, "appended");
    refuse_bytes(out, VGG_ERR_FORMAT, "8 bytes after the zip archive's end");
    out = good_zip(); /* an archive in another's comment */
    set_le(&out, out.size - 2, out.size, 2);
    put(&out, out.data, 30);
    refuse_bytes(out, VGG_ERR_FORMAT, "30 bytes after the zip archive's end");
}
END_TEST

START_TEST(refuses_other_archives)
{
    begin();
    members[0].name = "data.pkl";
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_UNSUPPORTED, "without FOLDER/data.pkl");
    begin();
    members[0].name = "a/b/data.pkl";
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "exactly one pickle");
    begin();
    members[3] = members[0];
    members[3].name = "evil/data.pkl";
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "exactly one pickle");
    begin();
    members[3].name = "good/constants.pkl";
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT,
                 "a TorchScript archive (constants.pkl) without a module");
    begin();
    members[0].name = "good/model.json";
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_UNSUPPORTED, "TorchScript");
    begin();
    members[0].name = "vgg16.pth";
    refuse_bytes(make_zip(members, 1), VGG_ERR_UNSUPPORTED, "holds vgg16.pth: unpack it");
    static const char *const versions[] = {"99", "0", "x", "-3"};
    for (size_t i = 0; i < 4; i++) {
        begin();
        members[3].data = versions[i];
        members[3].size = strlen(versions[i]);
        refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_UNSUPPORTED,
                     "version: expected a number from 1 to 10, found");
    }
    begin();
    members[3].size = 0;
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "expected a short text");
}
END_TEST

START_TEST(refuses_other_storages)
{
    begin();
    members[1].name = "good/data/7";
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "storage 0 is not in the arch");
    begin();
    members[2].size = 4;
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "expected 8 bytes (2 x Float)");
    begin();
    members[2].data = good_bytes;
    members[2].size = 32;
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "found 32");
    begin();
    PUT(&pickle, "x");
    members[0].data = pickle.data;
    members[0].size = pickle.size;
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "1 bytes after the pickle's end");
    begin();
    members[0].crc = 1;
    refuse_bytes(make_zip(members, GOOD_MEMBERS), VGG_ERR_FORMAT, "good/data.pkl: CRC error");
}
END_TEST

START_TEST(keeps_the_limits)
{
    struct bytes whole = good_zip();
    struct vgg_limits limits;
    vgg_checkpoint *checkpoint;
    vgg_limits_init(&limits);
    limits.zip_entries = GOOD_MEMBERS - 1;
    ck_assert_int_eq(open_bytes(whole.data, whole.size, &limits, &checkpoint, NULL), VGG_ERR_LIMIT);
    vgg_limits_init(&limits);
    limits.file_bytes = whole.size - 1;
    ck_assert_int_eq(open_bytes(whole.data, whole.size, &limits, &checkpoint, NULL), VGG_ERR_LIMIT);
    limits.file_bytes = whole.size;
    ck_assert_int_eq(open_bytes(whole.data, whole.size, &limits, &checkpoint, NULL), VGG_OK);
    vgg_checkpoint_close(checkpoint);
    free(whole.data);
}
END_TEST

UNIT_MAIN("zip", reads_an_archive, reads_other_layouts, reads_newer_and_older_members,
          reads_64_bit_fields, reads_the_other_byte_order, unpacks_deflated_members,
          refuses_deflate_bombs, survives_every_cut, tells_how_much_is_missing,
          survives_every_changed_byte, refuses_two_readings, refuses_lying_end_records,
          refuses_other_archives, refuses_other_storages, keeps_the_limits)
