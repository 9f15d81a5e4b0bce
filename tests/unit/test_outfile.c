/* SPDX-License-Identifier: MIT */
/* base/outfile: what a file replaces, what it keeps, and what is written in place. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/outfile.h"

static char folder[UNIT_FOLDER_BYTES], path[UNIT_PATH_BYTES], other[UNIT_PATH_BYTES];

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(unit_temporary(folder, "vgg-outfile")));
    snprintf(path, sizeof path, "%s/out", folder);
    snprintf(other, sizeof other, "%s/other", folder);
}

static void remove_folder(void)
{
    unlink(path);
    unlink(other);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing else is left in it */
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void check_text(const char *name, const char *expected)
{
    char text[100] = "";
    FILE *file = fopen(name, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fread(text, 1, sizeof text - 1, file), strlen(expected));
    ck_assert_str_eq(text, expected);
    fclose(file);
}

static vgg_status write_new(const char *name, enum vgg_outfile_access access, struct vgg_error *err)
{
    struct vgg_outfile out;
    vgg_status status = vgg_outfile_open(name, access, NULL, &out, err);
    if (status != VGG_OK) {
        return status;
    }
    vgg_outfile_write(&out, "new", 3);
    if (access == VGG_OUTFILE_PATCH) {
        vgg_outfile_patch(&out, 0, "N", 1);
    }
    return vgg_outfile_commit(&out, err);
}

static struct stat look_at(const char *name)
{
    struct stat info;
    ck_assert_int_eq(lstat(name, &info), 0);
    return info;
}

START_TEST(keeps_the_mode)
{
    static const mode_t modes[] = {0600, 0640, 0755};
    make_folder();
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        put(path, "old text");
        ck_assert_int_eq(chmod(path, modes[i]), 0);
        const ino_t old = look_at(path).st_ino;
        ck_assert_int_eq(write_new(path, VGG_OUTFILE_PATCH, NULL), VGG_OK);
        check_text(path, "New");
        ck_assert_uint_eq(look_at(path).st_mode & 07777, modes[i]);
        ck_assert_uint_ne(look_at(path).st_ino, old);
    }
    if (geteuid() == 0) {
        ck_assert_int_eq(chown(path, 1, 2), 0);
        ck_assert_int_eq(write_new(path, VGG_OUTFILE_APPEND, NULL), VGG_OK);
        ck_assert_uint_eq(look_at(path).st_uid, 1);
        ck_assert_uint_eq(look_at(path).st_gid, 2);
    } else {
        ck_assert_int_eq(chmod(path, 0400), 0);
        ck_assert_int_eq(write_new(path, VGG_OUTFILE_APPEND, NULL), VGG_ERR_IO);
    }
    remove_folder();
}
END_TEST

/* Links: to a file, to another link, to nothing yet, to itself. */
START_TEST(replaces_what_a_link_leads_to)
{
    char link[UNIT_PATH_BYTES], second[UNIT_PATH_BYTES];
    struct vgg_error err = {0};
    make_folder();
    snprintf(link, sizeof link, "%s/link", folder);
    snprintf(second, sizeof second, "%s/second", folder);
    ck_assert_int_eq(symlink("out", link), 0); /* relative to the link's folder */
    ck_assert_int_eq(symlink(link, second), 0);
    ck_assert_int_eq(write_new(link, VGG_OUTFILE_APPEND, NULL), VGG_OK); /* nothing is there */
    check_text(path, "new");
    put(path, "old");
    ck_assert_int_eq(write_new(second, VGG_OUTFILE_PATCH, NULL), VGG_OK);
    check_text(path, "New");
    ck_assert(S_ISREG(look_at(path).st_mode));
    ck_assert(S_ISLNK(look_at(link).st_mode) && S_ISLNK(look_at(second).st_mode));
    unlink(link);
    unlink(second);
    ck_assert_int_eq(symlink("link", link), 0);
    ck_assert_int_eq(write_new(link, VGG_OUTFILE_APPEND, &err), VGG_ERR_IO);
    unlink(link);
    remove_folder();
}
END_TEST

START_TEST(writes_streams_in_place)
{
    char text[10] = "";
    struct vgg_error err = {0};
    make_folder();
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    const int fd = open(path, O_RDWR);
    ck_assert_int_eq(write_new(path, VGG_OUTFILE_APPEND, NULL), VGG_OK);
    ck_assert_int_eq(read(fd, text, sizeof text), 3);
    ck_assert_str_eq(text, "new");
    ck_assert_int_eq(write_new(path, VGG_OUTFILE_PATCH, &err), VGG_ERR_IO);
    ck_assert_ptr_nonnull(strstr(err.message, "expected a file, found a pipe or device"));
    ck_assert(S_ISFIFO(look_at(path).st_mode));
    close(fd);
    unlink(path);
    ck_assert_int_eq(symlink("/dev/null", path), 0);
    ck_assert_int_eq(write_new(path, VGG_OUTFILE_PATCH, NULL), VGG_OK);
    ck_assert(S_ISLNK(look_at(path).st_mode) && S_ISCHR(look_at("/dev/null").st_mode));
    ck_assert_int_eq(write_new("/dev/full", VGG_OUTFILE_PATCH, &err), VGG_ERR_IO);
    ck_assert_int_eq(err.sys_errno, ENOSPC);
    remove_folder();
}
END_TEST

/* A file that is open already keeps what is in it: the shell's >>. */
START_TEST(writes_open_files_in_place)
{
    char name[32];
    make_folder();
    put(path, "old ");
    const ino_t inode = look_at(path).st_ino;
    const int fd = open(path, O_WRONLY | O_APPEND);
    snprintf(name, sizeof name, "/dev/fd/%d", fd);
    ck_assert_int_eq(symlink(name, other), 0);
    ck_assert_int_eq(write_new(other, VGG_OUTFILE_APPEND, NULL), VGG_OK);
    check_text(path, "old new");
    ck_assert_int_eq(write_new(name, VGG_OUTFILE_PATCH, NULL), VGG_ERR_IO);
    close(fd);
    const int reading = open(path, O_RDONLY);
    snprintf(name, sizeof name, "/dev/fd/%d", reading);
    ck_assert_int_eq(write_new(name, VGG_OUTFILE_APPEND, NULL), VGG_ERR_IO);
    close(reading);
    check_text(path, "old new");
    ck_assert_uint_eq(look_at(path).st_ino, inode);
    remove_folder();
}
END_TEST

START_TEST(refuses_what_is_no_file)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct vgg_error err = {0};
    make_folder();
    ck_assert_int_eq(write_new(folder, VGG_OUTFILE_APPEND, &err), VGG_ERR_IO);
    ck_assert_ptr_nonnull(strstr(err.message, "expected a file to write, found a folder"));
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_uint_lt(strlen(path), sizeof address.sun_path);
    strcpy(address.sun_path, path);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(write_new(path, VGG_OUTFILE_APPEND, &err), VGG_ERR_IO);
    close(fd);
    ck_assert(S_ISSOCK(look_at(path).st_mode));
    unlink(path);
    snprintf(other, sizeof other, "%s/no/out", folder);
    ck_assert_int_eq(write_new(other, VGG_OUTFILE_APPEND, &err), VGG_ERR_IO);
    ck_assert_int_eq(err.sys_errno, ENOENT);
    remove_folder();
}
END_TEST

START_TEST(leaves_nothing_when_aborted)
{
    struct vgg_outfile out;
    make_folder();
    put(path, "old");
    ck_assert_int_eq(vgg_outfile_open(path, VGG_OUTFILE_APPEND, NULL, &out, NULL), VGG_OK);
    vgg_outfile_write(&out, "new", 3);
    ck_assert_int_eq(vgg_outfile_sync(&out, NULL), VGG_OK);
    check_text(path, "old");
    vgg_outfile_abort(&out);
    check_text(path, "old");
    remove_folder();
}
END_TEST

UNIT_MAIN("outfile", keeps_the_mode, replaces_what_a_link_leads_to, writes_streams_in_place,
          writes_open_files_in_place, refuses_what_is_no_file, leaves_nothing_when_aborted)
