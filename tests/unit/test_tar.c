/* SPDX-License-Identifier: MIT */
/* checkpoint/container/tar, tar_members: archives whole, cut and falsified in any detail. */
#include "unit.h"
#include "tar_writer.h"

static struct entry entries[GOOD_ENTRIES + 2];

static struct bytes make(size_t count)
{
    return make_tar(entries, count);
}

static void begin(void)
{
    for (size_t i = 0; i < GOOD_ENTRIES; i++) {
        free(entries[i].content.data);
    }
    memset(entries, 0, sizeof entries);
    static const char *const names[] = {"sys_info", "pickle", "tensors", "storages"};
    for (size_t i = 0; i < GOOD_ENTRIES; i++) {
        entries[i].name = names[i];
    }
    entries[PICKLE].records = "30 mtime=1488000000.123456789\n";
    put_sys_info(&entries[SYS_INFO].content);
    struct bytes *out = &entries[PICKLE].content;
    PUT(out, "\x80\x02}(");
    put_text(out, "w");
    put_text(out, "11");
    PUT(out, "Q");
    put_text(out, "b");
    PUT(out, "U\x02"
             "12Qu.");
    out = &entries[TENSORS].content;
    put_count(out, 2);
    put_tensor_record(out, 11, 21, "FloatTensor", 2, (const int64_t[]){2, 3, 3, 1, 0});
    put_tensor_record(out, 12, 22, "FloatTensor", 1, (const int64_t[]){2, 1, 0});
    out = &entries[STORAGES].content;
    put_count(out, 2);
    put_storage_record(out, 21, "FloatStorage", good_values, 6);
    put_storage_record(out, 22, "FloatStorage", good_values + 6, 2);
    put_views(out, NULL, 0);
}

static struct bytes good(void)
{
    begin();
    return make(GOOD_ENTRIES);
}

/* Writes a member anew. */
static struct bytes *clear(size_t i)
{
    entries[i].content.size = 0;
    return &entries[i].content;
}

START_TEST(reads_an_archive)
{
    struct bytes whole = good();
    static struct vgg_error err;
    vgg_checkpoint *checkpoint;
    ck_assert_msg(open_bytes(whole.data, whole.size, NULL, &checkpoint, &err) == VGG_OK, "%s",
                  err.message);
    ck_assert_int_eq(vgg_checkpoint_get_container(checkpoint), VGG_CONTAINER_TAR);
    ck_assert_str_eq(vgg_checkpoint_get_writer(checkpoint),
                     "PyTorch 0.1.9 or earlier, tar protocol 1000, byteorder little, "
                     "pickle protocol 2");
    const struct vgg_tensor *b = vgg_checkpoint_find_tensor(checkpoint, "b");
    ck_assert_mem_eq(whole.data + b->file_offset, good_bytes + 24, 8);
    vgg_checkpoint_close(checkpoint);
    accept_good(whole);
    whole = good(); /* up to a full record of tar */
    while (whole.size % 10240 != 0) {
        PUT(&whole, "\0");
    }
    accept_good(whole);
    begin(); /* members in another order */
    struct entry first = entries[SYS_INFO];
    entries[SYS_INFO] = entries[STORAGES];
    entries[STORAGES] = first;
    accept_good(make(GOOD_ENTRIES));
    begin();
    entries[PICKLE].records = NULL;
    entries[TENSORS].type = '\0';
    entries[STORAGES].records = "10 uid=77\n";
    accept_good(make(GOOD_ENTRIES));
}
END_TEST

START_TEST(reads_views)
{
    begin(); /* one storage with both, the second tensor in a view of it */
    struct bytes *out = clear(STORAGES);
    put_count(out, 1);
    put_storage_record(out, 21, "FloatStorage", good_values, 8);
    put_views(out, (const int64_t[]){22, 21, 6, 2}, 1);
    accept_good(make(GOOD_ENTRIES));
    begin();
    out = clear(STORAGES);
    put_count(out, 1);
    put_storage_record(out, 21, "FloatStorage", good_values, 8);
    put_views(out, (const int64_t[]){22, 21, 6, 3}, 1);
    refuse_bytes(make(GOOD_ENTRIES), VGG_ERR_FORMAT, "a view exceeds its storage");
    begin();
    out = clear(STORAGES);
    put_count(out, 1);
    put_storage_record(out, 21, "FloatStorage", good_values, 8);
    put_views(out, (const int64_t[]){22, 20, 6, 2}, 1);
    refuse_bytes(make(GOOD_ENTRIES), VGG_ERR_FORMAT, "views (key, root, offset, count) of");
    begin(); /* a tensor that leaves its view, yet not the storage */
    out = clear(STORAGES);
    put_count(out, 1);
    put_storage_record(out, 21, "FloatStorage", good_values, 8);
    put_views(out, (const int64_t[]){22, 21, 5, 1}, 1);
    refuse_bytes(make(GOOD_ENTRIES), VGG_ERR_FORMAT, "b: bad tensor: elements outside");
}
END_TEST

START_TEST(refuses_other_members)
{
    static const struct {
        size_t entry;
        struct entry change;
        vgg_status status;
        const char *reason;
    } cases[] = {
        {0,
         {.name = "vgg16.pth"},
         VGG_ERR_UNSUPPORTED,
         "holds vgg16.pth, not a checkpoint: unpack"},
        {3, {.name = "../storages"}, VGG_ERR_UNSUPPORTED, "holds ../storages"},
        {3, {.name = "/storages"}, VGG_ERR_UNSUPPORTED, "holds /storages"},
        {3, {.prefix = "etc"}, VGG_ERR_UNSUPPORTED, "not a checkpoint"},
        {3, {.records = "21 path=../../passwd\n"}, VGG_ERR_UNSUPPORTED, "holds ../../passwd"},
        {3, {.name = "tensors"}, VGG_ERR_FORMAT, "tensors is given twice"},
        {1, {.type = '2'}, VGG_ERR_FORMAT, "pickle is a link or a special file"},
        {1, {.type = '1'}, VGG_ERR_FORMAT, "a link"},
        {1, {.type = '5'}, VGG_ERR_FORMAT, "a special file"},
        {1, {.type = 'S'}, VGG_ERR_FORMAT, "a special file"},
        {1, {.type = 'g'}, VGG_ERR_FORMAT, "a special file"},
        {1, {.records = "22 GNU.sparse.major=1\n"}, VGG_ERR_FORMAT, "a sparse file"},
        {1, {.magic = "ustar  "}, VGG_ERR_FORMAT, "another format"},
        {0, {.magic = "ustar  ", .name = "net.pth"}, VGG_ERR_UNSUPPORTED, "holds net.pth"},
        {1, {.sum_lie = 1}, VGG_ERR_FORMAT, "wrong checksum"},
        {1, {.size = "77777777777"}, VGG_ERR_FORMAT, "truncated: 5120 bytes of about 8192 MB"},
        {1, {.size = "-0000000001"}, VGG_ERR_FORMAT, "not an octal number"},
        {1, {.size = "\x80\0\0\0\0\0\0\0\0\0\1"}, VGG_ERR_FORMAT, "not an octal number"},
        {1, {.records = "29 size=18446744073709551615\n"}, VGG_ERR_FORMAT, "size"},
        {1, {.records = "28 size=9223372036854775807\n"}, VGG_ERR_FORMAT, "truncated"},
        {1, {.records = "10 size=1\n10 size=2\n"}, VGG_ERR_FORMAT, "bad size"},
        {1, {.records = "10 path=p\n10 path=p\n"}, VGG_ERR_FORMAT, "two paths"},
        {1, {.records = "99 mtime=1\n"}, VGG_ERR_FORMAT, "bad record"},
        {1, {.records = "11 mtime=1"}, VGG_ERR_FORMAT, "bad record"},
        {1, {.records = "9 mtime=1\n"}, VGG_ERR_FORMAT, "bad record"},
        {1, {.records = "8 mtime\n"}, VGG_ERR_FORMAT, "bad record"},
        {1, {.records = "4 =\n"}, VGG_ERR_FORMAT, "bad record"},
        {1, {.records = "99999999999999999999999 a=b\n"}, VGG_ERR_FORMAT, "bad record"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin();
        struct entry *entry = &entries[cases[i].entry], change = cases[i].change;
        change.name = change.name != NULL ? change.name : entry->name;
        change.content = entry->content;
        *entry = change;
        refuse_bytes(make(GOOD_ENTRIES), cases[i].status, cases[i].reason);
    }
    begin();
    refuse_bytes(make(GOOD_ENTRIES - 1), VGG_ERR_FORMAT, "tar archive without storages");
    struct bytes out = good();
    PUT(&out, "PK");
    refuse_bytes(out, VGG_ERR_FORMAT, "1026 bytes after the last tar member");
    out = good();
    out.data[out.size - 1] = 1;
    refuse_bytes(out, VGG_ERR_FORMAT, "expected zeros up to a full record");
    out = good();
    out.size -= 1;
    refuse_bytes(out, VGG_ERR_FORMAT, "truncated");
}
END_TEST

START_TEST(refuses_other_tensors)
{
    static const struct {
        int64_t key, storage;
        const char *class;
        int ndim;
        int64_t numbers[17];
        vgg_status status;
        const char *reason;
    } cases[] = {
        {12, 22, "FloatTensor", INT32_MAX, {0}, VGG_ERR_UNSUPPORTED, "2147483647 dimensions"},
        {12, 22, "FloatTensor", -1, {0}, VGG_ERR_UNSUPPORTED, "dimensions, at most 8"},
        {12, 22, "FloatTensor", 9, {0}, VGG_ERR_UNSUPPORTED, "9 dimensions, at most 8"},
        {12, 22, "FloatTensor", 1, {3, 1, 0}, VGG_ERR_FORMAT, "b: bad tensor: elements outside"},
        {12, 22, "FloatTensor", 1, {2, 2, 0}, VGG_ERR_FORMAT, "elements outside its storage"},
        {12, 22, "FloatTensor", 1, {2, 1, 1}, VGG_ERR_FORMAT, "elements outside its storage"},
        {12, 22, "FloatTensor", 1, {-2, 1, 0}, VGG_ERR_FORMAT, "size 0 is negative"},
        {12, 22, "FloatTensor", 1, {2, -1, 0}, VGG_ERR_FORMAT, "stride 0 is negative"},
        {12, 22, "FloatTensor", 1, {2, 1, -1}, VGG_ERR_FORMAT, "offset is negative"},
        {12, 22, "FloatTensor", 1, {2, INT64_MAX, 0}, VGG_ERR_FORMAT, "elements outside"},
        {12, 23, "FloatTensor", 1, {2, 1, 0}, VGG_ERR_FORMAT, "that is not in the archive"},
        {12, 22, "DoubleTensor", 1, {2, 1, 0}, VGG_ERR_FORMAT, "a DoubleTensor in a FloatStorage"},
        {12, 22, "FloatStorage", 1, {2, 1, 0}, VGG_ERR_FORMAT, "expected (key, storage, class)"},
        {13, 22, "FloatTensor", 1, {2, 1, 0}, VGG_ERR_FORMAT, "tensor 12 is not in the archive"},
        {11, 22, "FloatTensor", 1, {2, 1, 0}, VGG_ERR_FORMAT, "tensor 11 is given twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin();
        struct bytes *out = clear(TENSORS);
        bool huge = cases[i].ndim < 0 || cases[i].ndim > 8;
        put_count(out, 2);
        put_tensor_record(out, 11, 21, "FloatTensor", 2, (const int64_t[]){2, 3, 3, 1, 0});
        put_tensor_record(out, cases[i].key, cases[i].storage, cases[i].class,
                          huge ? 0 : cases[i].ndim, cases[i].numbers);
        if (huge) {
            set_le(out, out->size - 16, (uint64_t)cases[i].ndim, 8);
        }
        refuse_bytes(make(GOOD_ENTRIES), cases[i].status, cases[i].reason);
    }
    static const int64_t counts[] = {-1, 1, 3, 1 << 30, INT64_MAX};
    static const char *const reasons[] = {"a count that does not fit", "bytes after its last entry",
                                          "truncated: no STOP", "does not fit", "does not fit"};
    for (size_t i = 0; i < 5; i++) {
        begin();
        set_le(&entries[TENSORS].content, 4, (uint64_t)counts[i], 8);
        refuse_bytes(make(GOOD_ENTRIES), VGG_ERR_FORMAT, reasons[i]);
    }
}
END_TEST

START_TEST(refuses_other_storages)
{
    static const struct {
        int64_t key;
        const char *class;
        uint64_t count;
        const char *reason;
    } cases[] = {
        {22, "FloatStorage", 1ull << 61, "storage of 2305843009213693952 x Float"},
        {22, "FloatStorage", UINT64_MAX, "expected at most"},
        {22, "FloatStorage", 1000, "storage of 1000 x Float, expected at most"},
        {22, "FloatStorage", 1, "pickle: "},
        {22, "FloatTensor", 2, "expected (key, location, class)"},
        {21, "FloatStorage", 2, "storage 21 is given twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin();
        struct bytes *out = clear(STORAGES);
        put_count(out, 2);
        put_storage_record(out, 21, "FloatStorage", good_values, 6);
        put_storage_record(out, cases[i].key, cases[i].class, good_values + 6, 2);
        set_le(out, out->size - 16, cases[i].count, 8);
        put_views(out, NULL, 0);
        refuse_bytes(make(GOOD_ENTRIES), VGG_ERR_FORMAT, cases[i].reason);
    }
}
END_TEST

START_TEST(refuses_other_pickles)
{
    static const struct {
        size_t entry;
        const char *pickle;
        size_t size;
        vgg_status status;
        const char *reason;
    } cases[] = {
#define CASE(entry, pickle, status, reason) {entry, pickle, sizeof(pickle) - 1, status, reason}
        CASE(SYS_INFO, "\x80\x02].", VGG_ERR_FORMAT, "sys_info: expected a dict, found a list"),
        CASE(SYS_INFO, "\x80\x02}.", VGG_ERR_UNSUPPORTED, "protocol 1000"),
        CASE(SYS_INFO, "\x80\x02}(U\x10protocol_versionM\xe8\x03U\x0dlittle_endian\x89u.",
             VGG_ERR_UNSUPPORTED, "big-endian"),
        CASE(SYS_INFO, "\x80\x02}U\x10protocol_versionM\xe8\x03s..", VGG_ERR_FORMAT, "bytes after"),
        CASE(SYS_INFO,
             "\x80\x02"
             "cos\nsystem\nU\2id\x85R.",
             VGG_ERR_UNSUPPORTED, "os.system"),
        CASE(PICKLE,
             "\x80\x02}U\1wU\2"
             "11Qs..",
             VGG_ERR_FORMAT, "1 bytes after the pickle's end"),
        CASE(PICKLE,
             "\x80\x02}U\1wU\2"
             "99Qs.",
             VGG_ERR_FORMAT, "tensor 99 is not in the arch"),
        CASE(PICKLE, "\x80\x02}U\1wU\0Qs.", VGG_ERR_FORMAT, "not the key of a tensor"),
        CASE(PICKLE, "\x80\x02}U\1wU\1xQs.", VGG_ERR_FORMAT, "not the key of a tensor"),
        CASE(PICKLE,
             "\x80\x02}U\1wU\3"
             "1-1Qs.",
             VGG_ERR_FORMAT, "not the key of a tensor"),
        CASE(PICKLE, "\x80\x02}U\1wK\x0bQs.", VGG_ERR_FORMAT, "is an integer, expected a key"),
        CASE(PICKLE,
             "\x80\x02}U\1wU\2"
             "11NN\x87Qs.",
             VGG_ERR_FORMAT, "id without a class"),
        CASE(PICKLE,
             "\x80\x02}U\1wU\2"
             "21Qs.",
             VGG_ERR_FORMAT, "no tensors"),
#undef CASE
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin();
        put(clear(cases[i].entry), cases[i].pickle, cases[i].size);
        refuse_bytes(make(GOOD_ENTRIES), cases[i].status, cases[i].reason);
    }
}
END_TEST

START_TEST(survives_every_cut)
{
    try_cuts(good());
}
END_TEST

START_TEST(survives_every_changed_byte)
{
    struct bytes whole = good();
    for (size_t i = 0; i < whole.size; i++) {
        whole.data[i] ^= (uint8_t)(1u << i % 8);
        try_bytes(whole.data, whole.size);
        whole.data[i] ^= (uint8_t)(1u << i % 8);
    }
    free(whole.data);
}
END_TEST

START_TEST(keeps_the_limits)
{
    struct bytes whole = good();
    struct vgg_limits limits;
    vgg_checkpoint *checkpoint;
    vgg_limits_init(&limits);
    limits.tensors = 1;
    ck_assert_int_eq(open_bytes(whole.data, whole.size, &limits, &checkpoint, NULL), VGG_ERR_LIMIT);
    free(whole.data);
}
END_TEST

UNIT_MAIN("tar", reads_an_archive, reads_views, refuses_other_members, refuses_other_tensors,
          refuses_other_storages, refuses_other_pickles, survives_every_cut,
          survives_every_changed_byte, keeps_the_limits)
