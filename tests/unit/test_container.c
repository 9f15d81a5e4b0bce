/* SPDX-License-Identifier: MIT */
/* checkpoint/container, checkpoint, verify: what other files are called; hashes in names; arguments. */
#include "unit.h"
#include "writer.h"

#include <fcntl.h>
#include <sys/stat.h>

START_TEST(names_other_files)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *reason;
    } cases[] = {
#define FILE_OF(bytes, reason) {bytes, sizeof(bytes) - 1, reason}
        FILE_OF("", "the file is empty"),
        FILE_OF("P", "not a PyTorch checkpoint"),
        FILE_OF("\x80", "truncated"),
        FILE_OF("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46", "truncated"),
        FILE_OF("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "empty zip"),
        FILE_OF("PK\3\4", "truncated"),
        FILE_OF("<!DOCTYPE html><html>", "HTML"),
        FILE_OF("\xef\xbb\xbf \r\n<?xml version", "HTML or XML"),
        FILE_OF("version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        FILE_OF("\x1f\x8b\x08\0", "gzip"),
        FILE_OF("7z\xbc\xaf\x27\x1c\0\4", "7z"),
        FILE_OF("\xfd"
                "7zXZ\0",
                "xz"),
        FILE_OF("\x89HDF\r\n\x1a\n", "HDF5"),
        FILE_OF("\x93NUMPY\1\0", "NumPy"),
        FILE_OF("GGUF\3\0\0\0", "GGUF"),
        FILE_OF("PYTORCH1", "1.0 preview"),
        FILE_OF("\x89PNG\r\n\x1a\n", "PNG image"),
        FILE_OF("\xff\xd8\xff\xe0", "JPEG image"),
        FILE_OF("\x08\x07\x12\x07pytorch\x1a\x03"
                "1.9\"\x10",
                "ONNX"),
        FILE_OF("\x80\x02}q\0(X\1\0\0\0aK\1X\1\0\0\0bK\2X\1\0\0\0cK\3u.", "bare pickle"),
        FILE_OF("features.0.weight 1 2 3", "not a PyTorch checkpoint"),
        FILE_OF("\4\0\0\0\1\0\0\0\3\0\0\0V 1\x0d\0\0\0nn.Sequential", "Torch7"),
        FILE_OF("\3\0\0\0\1\0\0\0\2\0\0\0", "Torch7"),
        FILE_OF("4\n1\n3\nV 1\n13\nnn.Sequential\n", "Torch7"),
        FILE_OF("lmgg\1\0\0\0", "GGML"),
        FILE_OF("\x1c\0\0\0TFL3\x14\0\x20\0", "TensorFlow Lite"),
        FILE_OF("\x18\0\0\0PTMF\0\0", "PyTorch Mobile"),
        FILE_OF("\x20\0\0\0ET12\0\0", "ExecuTorch"),
        FILE_OF("MATLAB 5.0 MAT-file, Platform: GLNXA64", "MATLAB"),
        FILE_OF("\x0a\x14VGG_ILSVRC_16_layers\x1a\4data........................................."
                "....................",
                "Caffe"),
        FILE_OF("{\"schema\": 1}", "a JSON text, expected a checkpoint"),
        FILE_OF("BZh91AY", "bzip2"),
        FILE_OF("\x28\xb5\x2f\xfd\4", "zstd"),
        FILE_OF("Rar!\x1a\7", "RAR"),
        FILE_OF("%PDF-1.7", "PDF"),
        FILE_OF("\177ELF\2\1\1", "a program"),
        FILE_OF("\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "begins with zeros"),
#undef FILE_OF
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes bytes = {copy_exactly(cases[i].bytes, cases[i].size), cases[i].size, 0};
        vgg_status expected =
            strcmp(cases[i].bytes, "PK\3\4") == 0 ? VGG_ERR_FORMAT : VGG_ERR_UNSUPPORTED;
        refuse_bytes(bytes, expected, cases[i].reason);
    }
    uint8_t *tar = calloc(1, 300);
    ck_assert_ptr_nonnull(tar);
    memcpy(tar + 257, "ustar", 5);
    refuse_bytes((struct bytes){tar, 300, 0}, VGG_ERR_UNSUPPORTED, "beginning of a tar archive");
}
END_TEST

START_TEST(names_other_zip_archives)
{
    static const struct {
        const char *first, *second, *reason;
    } cases[] = {
        {"readme.txt", "net/vgg16.pth", "holds net/vgg16.pth: unpack it first"},
        {"model.safetensors", "config.json", "holds model.safetensors: unpack it first"},
        {"checkpoint.pth.tar", "b", "holds checkpoint.pth.tar"},
        {"[Content_Types].xml", "word/document.xml", "an Office document"},
        {"META-INF/MANIFEST.MF", "a/b.class", "a Java archive"},
        {"AndroidManifest.xml", "classes.dex", "an Android app"},
        {"metadata.json", "model.weights.h5", "a Keras model"},
        {"net/model.json", "net/tensors/0", "TorchScript archive of PyTorch 1.0 or 1.1"},
        {"w.npy", "b.npy", "NumPy arrays (.npz)"},
        {"a.txt", "b.txt", "without FOLDER/data.pkl (it begins with \"a.txt\")"},
        {"data.pkl", "data/0", "without FOLDER/data.pkl (it begins with \"data.pkl\")"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct member members[] = {{.name = cases[i].first, .data = "1", .size = 1},
                                         {.name = cases[i].second, .data = "2", .size = 1}};
        refuse_bytes(make_zip(members, 2), VGG_ERR_UNSUPPORTED, cases[i].reason);
    }
}
END_TEST

START_TEST(hints_at_what_a_description_is_for)
{
    static struct vgg_error err;
    vgg_checkpoint *checkpoint;
    ck_assert_int_eq(open_bytes("{\"schema\": 1}", 13, NULL, &checkpoint, &err),
                     VGG_ERR_UNSUPPORTED);
    ck_assert_int_eq(err.hint, VGG_HINT_SPEC);
    ck_assert_int_eq(open_bytes("%PDF-1.7", 8, NULL, &checkpoint, &err), VGG_ERR_UNSUPPORTED);
    ck_assert_int_eq(err.hint, VGG_HINT_NONE);
}
END_TEST

/* Each is refused at once, a FIFO without waiting for a writer. */
START_TEST(refuses_other_kinds_of_file)
{
    static struct vgg_error err;
    char folder[UNIT_FOLDER_BYTES], path[UNIT_PATH_BYTES];
    vgg_checkpoint *checkpoint;
    ck_assert_ptr_nonnull(mkdtemp(unit_temporary(folder, "vgg-files")));
    ck_assert_int_eq(vgg_checkpoint_open(folder, NULL, &checkpoint, &err), VGG_ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.message, "found a folder: name the file in it"));
    snprintf(path, sizeof path, "%s/fifo", folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(vgg_checkpoint_open(path, NULL, &checkpoint, &err), VGG_ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.message, "pipe or device: copy it to a file first"));
    unlink(path);
    if (geteuid() != 0) { /* root reads everything */
        int fd = creat(path, 0000);
        ck_assert_int_ge(fd, 0);
        close(fd);
        ck_assert_int_eq(vgg_checkpoint_open(path, NULL, &checkpoint, &err), VGG_ERR_IO);
        ck_assert_ptr_nonnull(strstr(err.message, "Permission denied"));
        unlink(path);
    }
    rmdir(folder);
}
END_TEST

START_TEST(refuses_what_is_no_file)
{
    struct vgg_error err = {0};
    vgg_checkpoint *checkpoint;
    ck_assert_int_eq(vgg_checkpoint_open("/", NULL, &checkpoint, &err), VGG_ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.message, "folder"));
    ck_assert_int_eq(vgg_checkpoint_open("/dev/zero", NULL, &checkpoint, &err),
                     VGG_ERR_UNSUPPORTED);
    ck_assert_int_eq(vgg_checkpoint_open("/no/such.pth", NULL, &checkpoint, &err), VGG_ERR_IO);
    ck_assert_ptr_null(checkpoint);
    ck_assert_int_eq(vgg_checkpoint_open(NULL, NULL, &checkpoint, &err), VGG_ERR_ARGUMENT);
    ck_assert_int_eq(vgg_checkpoint_open("/", NULL, NULL, &err), VGG_ERR_ARGUMENT);
    vgg_checkpoint_close(NULL);
}
END_TEST

/* Writes the good checkpoint under a name, opens and verifies it. */
static vgg_status verify_bytes_as(struct bytes bytes, const char *name, struct vgg_verified *out,
                                  struct vgg_error *err)
{
    char folder[UNIT_FOLDER_BYTES], path[UNIT_PATH_BYTES];
    vgg_checkpoint *checkpoint;
    ck_assert_ptr_nonnull(mkdtemp(unit_temporary(folder, "vgg-verify")));
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    fclose(file);
    ck_assert_int_eq(vgg_checkpoint_open(path, NULL, &checkpoint, err), VGG_OK);
    ck_assert_str_eq(vgg_checkpoint_get_path(checkpoint), path);
    vgg_status status = vgg_checkpoint_verify(checkpoint, out, err);
    vgg_checkpoint_close(checkpoint);
    unlink(path);
    rmdir(folder);
    free(bytes.data);
    return status;
}

static vgg_status verify_as(const char *name, bool *checked, struct vgg_error *err)
{
    struct vgg_verified verified = {0};
    vgg_status status = verify_bytes_as(good_legacy(), name, &verified, err);
    if (checked != NULL) {
        *checked = verified.sha256;
    }
    ck_assert_uint_eq(verified.crc_checked + verified.crc_missing, 0);
    ck_assert_uint_eq(verified.unverified, status == VGG_OK && !verified.sha256);
    return status;
}

START_TEST(verifies_the_hash_in_the_name)
{
    static struct vgg_error err;
    char name[128], whole[65];
    bool checked;
    ck_assert_int_eq(verify_as("vgg16-00000000.pth", &checked, &err), VGG_ERR_MISMATCH);
    ck_assert(!checked);
    const char *found = strstr(err.message, "found ");
    ck_assert_ptr_nonnull(strstr(err.message, "expected 00000000"));
    ck_assert_ptr_nonnull(found);
    snprintf(whole, sizeof whole, "%s", found + strlen("found "));
    ck_assert_uint_eq(strlen(whole), 64);
    snprintf(name, sizeof name, "vgg16_bn-%.8s.pth", whole);
    ck_assert_int_eq(verify_as(name, &checked, &err), VGG_OK);
    ck_assert(checked);
    snprintf(name, sizeof name, "my-net-v2-%s.pth", whole);
    ck_assert_int_eq(verify_as(name, NULL, &err), VGG_OK);
    static const char *const unhashed[] = {"vgg16.pth", "vgg-bad.pth", "vgg-DEADBEEF.pth",
                                           "vgg-0123456x.pth", "vgg-01234567"};
    for (size_t i = 0; i < sizeof unhashed / sizeof unhashed[0]; i++) {
        ck_assert_int_eq(verify_as(unhashed[i], &checked, &err), VGG_OK);
        ck_assert(!checked);
    }
}
END_TEST

START_TEST(verifies_the_sums_of_a_zip)
{
    static struct vgg_error err;
    struct bytes pickle = {0};
    struct member members[GOOD_MEMBERS + 1] = {{0}};
    struct vgg_verified verified;
    good_members(&pickle, members);
    members[GOOD_MEMBERS] = (struct member){.name = "good/data/", .data = "", .size = 0};
    struct bytes whole = make_zip(members, GOOD_MEMBERS + 1);
    struct bytes copy = {copy_exactly(whole.data, whole.size), whole.size, 0};
    ck_assert_msg(verify_bytes_as(copy, "a.pth", &verified, &err) == VGG_OK, "%s", err.message);
    ck_assert_uint_eq(verified.crc_checked, GOOD_MEMBERS);
    ck_assert_uint_eq(verified.crc_missing, 0);
    ck_assert(!verified.sha256);
    uint8_t *weight = memmem(whole.data, whole.size, good_bytes, 24);
    ck_assert_ptr_nonnull(weight);
    for (size_t i = 0; i < 24; i++) { /* any changed weight is seen */
        copy = (struct bytes){copy_exactly(whole.data, whole.size), whole.size, 0};
        copy.data[(size_t)(weight - whole.data) + i] ^= (uint8_t)(1u << i % 8);
        ck_assert_int_eq(verify_bytes_as(copy, "a.pth", NULL, &err), VGG_ERR_FORMAT);
        ck_assert_ptr_nonnull(strstr(err.message, "zip member good/data/0: CRC error"));
    }
    free(whole.data);
    members[2].no_crc = members[0].no_crc = true; /* torch.save can be set not to compute them */
    ck_assert_int_eq(verify_bytes_as(make_zip(members, GOOD_MEMBERS), "a.pth", NULL, &err),
                     VGG_ERR_FORMAT);
    ck_assert_ptr_nonnull(
        strstr(err.message, "expected a CRC-32 of all members or of none, found none of 2 of 4"));
    members[1].no_crc = members[3].no_crc = true;
    ck_assert_int_eq(verify_bytes_as(make_zip(members, GOOD_MEMBERS), "a.pth", &verified, &err),
                     VGG_OK);
    ck_assert_uint_eq(verified.crc_checked, 0);
    ck_assert_uint_eq(verified.crc_missing, GOOD_MEMBERS);
    ck_assert_uint_eq(verified.unverified, 1);
    free(pickle.data);
}
END_TEST

START_TEST(names_its_kinds)
{
    ck_assert_str_eq(vgg_container_string(VGG_CONTAINER_ZIP), "zip");
    ck_assert_str_eq(vgg_container_string(VGG_CONTAINER_LEGACY), "legacy");
    ck_assert_str_eq(vgg_container_string(VGG_CONTAINER_TAR), "tar");
    ck_assert_str_eq(vgg_container_string(VGG_CONTAINER_SAFETENSORS), "safetensors");
}
END_TEST

UNIT_MAIN("container", names_other_files, names_other_zip_archives,
          hints_at_what_a_description_is_for, refuses_other_kinds_of_file, refuses_what_is_no_file,
          verifies_the_hash_in_the_name, verifies_the_sums_of_a_zip, names_its_kinds)
