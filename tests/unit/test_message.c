/* SPDX-License-Identifier: MIT */
/* tools/io: message, progress, sigbus: one call of write for each message, however long, and only whole characters. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/sigbus.h"
#include "io/message.h"
#include "io/progress.h"

/* The linker puts it in the place of isatty: progress is shown to terminals alone. */
int __wrap_isatty(int fd);
int __wrap_isatty(int fd)
{
    (void)fd;
    return 1;
}

/* Standard error is one end of a socket that keeps the bounds of every write; this is the other end. */
static int reader;

static void catch_standard_error(void)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    reader = ends[0];
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
}

/* The bytes of the next call of write. */
static const char *take(void)
{
    static char text[2 * MESSAGE_LINE_BYTES];
    const ssize_t length = recv(reader, text, sizeof text - 1, MSG_DONTWAIT);
    ck_assert_msg(length >= 0, "nothing was written: %s", strerror(errno));
    text[length] = '\0';
    return text;
}

static void expect_no_more(void)
{
    char byte;
    ck_assert_int_lt(recv(reader, &byte, 1, MSG_DONTWAIT), 0);
}

/* A name of 0 … bytes-1: of characters of three bytes after `first` of one. */
static char *make_name(char *out, size_t bytes, size_t first)
{
    memset(out, 'a', first);
    for (size_t i = first; i < bytes - 1; i++) {
        out[i] = "\xe2\x82\xac"[(i - first) % 3];
    }
    out[bytes - 1] = '\0';
    return out;
}

/* Whether the text ends in a whole euro sign. */
static void expect_whole_end(const char *text, size_t length)
{
    ck_assert_uint_gt(length, 3);
    ck_assert_mem_eq(text + length - 3, "\xe2\x82\xac", 3);
}

START_TEST(writes_a_message_at_once)
{
    catch_standard_error();
    message_print("%s: %d of %d", "a.jpg", 1, 2);
    message_print("%s", "a\nb\x1b[31m \xc3\xbc \x7f");
    ck_assert_str_eq(take(), "vgg-infer: a.jpg: 1 of 2\n");
    ck_assert_str_eq(take(), "vgg-infer: a\\x0ab\\x1b[31m \xc3\xbc \\x7f\n");
    expect_no_more();
}
END_TEST

/* The longest path, all of it control characters, and the longest message of an error. */
START_TEST(writes_a_long_message_at_once)
{
    static char path[PATH_MAX], message[VGG_ERROR_MESSAGE_BYTES];
    memset(path, '\n', sizeof path - 1);
    memset(message, 'm', sizeof message - 1);
    catch_standard_error();
    message_print("%s%s", path, message);
    const char *line = take();
    ck_assert_uint_eq(strlen(line), strlen("vgg-infer: \n") + 4 * strlen(path) + strlen(message));
    ck_assert_str_eq(line + strlen(line) - 3, "mm\n");
    expect_no_more();
}
END_TEST

START_TEST(cuts_at_a_whole_character)
{
    static char name[4 * MESSAGE_LINE_BYTES];
    catch_standard_error();
    for (size_t first = 0; first < 3; first++) {
        message_print("%s", make_name(name, sizeof name, first));
        const char *line = take();
        const size_t length = strlen(line);
        ck_assert_uint_le(length, MESSAGE_LINE_BYTES);
        ck_assert_uint_gt(length, MESSAGE_LINE_BYTES - 6);
        ck_assert_int_eq(line[length - 1], '\n');
        expect_whole_end(line, length - 1);
    }
    memset(name, 0x80, sizeof name - 1); /* no character begins: it is cut all the same */
    message_print("%s", name);
    ck_assert_uint_gt(strlen(take()), MESSAGE_LINE_BYTES - 8);
    expect_no_more();
}
END_TEST

START_TEST(cuts_an_error_at_a_whole_character)
{
    static char name[2 * VGG_ERROR_MESSAGE_BYTES];
    for (size_t first = 0; first < 3; first++) {
        const size_t bytes = sizeof name - (sizeof name - 1 - first) % 3; /* of whole characters */
        struct vgg_error err = {0};
        message_fail(&err, VGG_ERR_FORMAT, "%s", make_name(name, bytes, first));
        ck_assert_uint_gt(strlen(err.message), sizeof err.message - 5);
        expect_whole_end(err.message, strlen(err.message));
        const char *mark = strstr(err.message, "\xe2\x80\xa6");
        ck_assert_ptr_nonnull(mark);
        expect_whole_end(err.message, (size_t)(mark - err.message));
        ck_assert_mem_eq(mark + 3, "\xe2\x82\xac", 3);
    }
}
END_TEST

/* Of a path that the record does not hold, the beginning; of the message, the end. */
START_TEST(keeps_the_end_of_an_error)
{
    static const char end[] = ": expected a file, found \xc3\xa9";
    char path[PATH_MAX];
    for (size_t length = 900; length < sizeof path; length = 2 * length + 1) {
        struct vgg_error err = {0};
        memset(path, length % 2 ? 'p' : '\n', length);
        path[length] = '\0';
        message_fail(&err, VGG_ERR_FORMAT, "%s%s", path, end);
        ck_assert_ptr_nonnull(strstr(err.message, end));
        ck_assert_mem_eq(err.message, length % 2 ? "ppp" : "\\x0", 3);
        errno = ENOENT;
        message_fail_errno(&err, "%s: cannot open", path);
        ck_assert_int_eq(err.sys_errno, ENOENT);
        ck_assert_ptr_nonnull(strstr(err.message, ": cannot open: No such file or directory"));
    }
}
END_TEST

/* A path that the message has shortened is not written once more in front of it. */
START_TEST(names_a_file_once)
{
    char path[PATH_MAX];
    struct vgg_error err = {0};
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    catch_standard_error();
    message_fail(&err, VGG_ERR_MISMATCH, "%s: expected one net, found two", path);
    err.hint = VGG_HINT_KEY;
    message_file_error(path, &err);
    const char *line = take();
    ck_assert_uint_lt(strlen(line), VGG_ERROR_MESSAGE_BYTES + 100);
    ck_assert_ptr_nonnull(
        strstr(line, "pp: expected one net, found two; choose one with --key NAME\n"));
    message_fail(&err, VGG_ERR_FORMAT, "expected one net, found two");
    message_file_error("a.pth", &err);
    ck_assert_str_eq(take(), "vgg-infer: a.pth: expected one net, found two\n");
    message_fail(&err, VGG_ERR_FORMAT, "description of a.pth: expected one net, found two");
    message_file_error("a.pth", &err);
    ck_assert_str_eq(take(), "vgg-infer: description of a.pth: expected one net, found two\n");
    expect_no_more();
}
END_TEST

START_TEST(passes_warnings_on_at_once)
{
    catch_standard_error();
    const struct vgg_context quiet = message_context(false), verbose = message_context(true);
    quiet.log(quiet.log_user, VGG_LOG_INFO, "unheard");
    quiet.log(quiet.log_user, VGG_LOG_WARNING, "heard");
    verbose.log(verbose.log_user, VGG_LOG_INFO, "heard");
    ck_assert_str_eq(take(), "vgg-infer: warning: heard\n");
    ck_assert_str_eq(take(), "vgg-infer: heard\n");
    expect_no_more();
}
END_TEST

START_TEST(shows_progress_at_once)
{
    catch_standard_error();
    progress_show("images", 1, 2);
    progress_show("images", 2, 2);
    progress_clear();
    ck_assert_str_eq(take(), "\rimages: 1 of 2 ");
    ck_assert_str_eq(take(), "\rimages: 2 of 2 \r\033[K");
    ck_assert_str_eq(take(), "\r\033[K");
    expect_no_more();
}
END_TEST

/* Even of a path that leaves hardly a byte for the reason. */
START_TEST(explains_a_bus_error_at_once)
{
    static char path[PATH_MAX];
    static const char reason[] = "or its disk fails\n";
    memset(path, '\n', sizeof path - 1);
    catch_standard_error();
    const pid_t child = fork();
    if (child == 0) {
        sigbus_begin(path);
        raise(SIGBUS);
        _exit(EXIT_GOOD);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), EXIT_MODEL);
    const char *line = take();
    ck_assert_uint_gt(strlen(line), 4 * strlen(path));
    ck_assert_str_eq(line + strlen(line) - strlen(reason), reason);
    expect_no_more();
}
END_TEST

UNIT_MAIN("message", writes_a_message_at_once, writes_a_long_message_at_once,
          cuts_at_a_whole_character, cuts_an_error_at_a_whole_character, keeps_the_end_of_an_error,
          names_a_file_once, passes_warnings_on_at_once, shows_progress_at_once,
          explains_a_bus_error_at_once)
