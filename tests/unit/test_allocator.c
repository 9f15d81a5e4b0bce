/* SPDX-License-Identifier: MIT */
/* vgg/context.h: the caller's allocator, and the system's, every allocation failing in turn. */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jpeglib.h>

#include "vgg/vgg.h"

#if defined(__has_feature)
#define HAS_FEATURE(feature) __has_feature(feature)
#else
#define HAS_FEATURE(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
    HAS_FEATURE(address_sanitizer) || HAS_FEATURE(thread_sanitizer) ||                             \
    HAS_FEATURE(memory_sanitizer)
#define OWN_MALLOC 0 /* the sanitizer's own takes its place */
#else
#define OWN_MALLOC 1
#endif

enum { CLASSES = 10 };

/* ---- the main job ---- */

/* From two files to logits, on two threads. */
static vgg_status classify(const char *model_path, const char *image_path,
                           const struct vgg_context *context, float logits[CLASSES],
                           struct vgg_error *err)
{
    const struct vgg_session_options options = {
        .threads = 2, .isa = VGG_ISA_SCALAR, .one_shot = true};
    static float input[3 * 28 * 28];
    vgg_checkpoint *checkpoint = NULL;
    vgg_model *model = NULL;
    vgg_session *session = NULL;
    struct vgg_image image = {0};
    vgg_status status = vgg_checkpoint_open(model_path, context, &checkpoint, err);
    status = status ? status : vgg_model_create(checkpoint, NULL, &model, err);
    status = status ? status : vgg_session_create(model, &options, &session, err);
    status = status ? status : vgg_image_open(image_path, context, &image, err);
    if (status == VGG_OK) {
        status = vgg_image_to_tensor(&image, vgg_model_get_preprocess(model), NULL, input, err);
    }
    status = status ? status : vgg_session_run(session, input, 1, logits, err);
    vgg_image_destroy(&image);
    vgg_session_destroy(session);
    vgg_model_destroy(model);
    vgg_checkpoint_close(checkpoint);
    return status;
}

/* ---- the caller's allocator ---- */

/* Blocks carry a mark before them, so that a block of other origin is noticed. */
struct lender {
    atomic_long live, calls;
    long fails_at; /* the call that fails; 0: none */
};

struct mark {
    uint64_t magic;
    void *whole;
};

static const uint64_t magic = 0x6c656e646572;

static void *lend(void *user, size_t bytes, size_t alignment)
{
    struct lender *lender = user;
    ck_assert_uint_gt(bytes, 0);
    ck_assert(alignment > 0 && alignment <= 64 && (alignment & (alignment - 1)) == 0);
    if (++lender->calls == lender->fails_at) {
        return NULL;
    }
    char *whole = malloc(bytes + alignment + sizeof(struct mark));
    ck_assert_ptr_nonnull(whole);
    uintptr_t at = ((uintptr_t)whole + sizeof(struct mark) + alignment - 1) & ~(alignment - 1);
    struct mark mark = {magic, whole};
    char *block = whole + (at - (uintptr_t)whole);
    memcpy(block - sizeof mark, &mark, sizeof mark);
    memset(block, 0xa5, bytes); /* nobody may rely on cleared memory */
    lender->live++;
    return block;
}

static void take_back(void *user, void *block)
{
    struct lender *lender = user;
    struct mark mark;
    ck_assert_ptr_nonnull(block);
    memcpy(&mark, (char *)block - sizeof mark, sizeof mark);
    ck_assert_uint_eq(mark.magic, magic);
    memset((char *)block - sizeof mark, 0, sizeof mark);
    free(mark.whole);
    lender->live--;
}

static struct vgg_context lent_by(struct lender *lender)
{
    return (struct vgg_context){
        .allocator = {.allocate = lend, .release = take_back, .user = lender}};
}

START_TEST(takes_all_memory_from_the_caller)
{
    float expected[CLASSES], logits[CLASSES];
    struct vgg_error err = {0};
    const char *model = unit_model_path("fashion_vgg8_bn.pth"),
               *image = unit_model_path("images/bag_18.png");
    ck_assert_int_eq(classify(model, image, NULL, expected, &err), VGG_OK);
    struct lender lender = {0};
    struct vgg_context context = lent_by(&lender);
    ck_assert_int_eq(classify(model, image, &context, logits, &err), VGG_OK);
    ck_assert_mem_eq(logits, expected, sizeof logits);
    ck_assert_int_eq(lender.live, 0);
    const long calls = lender.calls;
    ck_assert_int_gt(calls, 30);
    for (long i = 1; i <= calls; i++) {
        lender = (struct lender){.fails_at = i};
        memset(&err, 0, sizeof err);
        vgg_status status = classify(model, image, &context, logits, &err);
        ck_assert_msg(status == VGG_ERR_MEMORY && err.code == status, "%ld: %s", i, err.message);
        ck_assert_ptr_nonnull(strstr(err.message, "out of memory"));
        ck_assert_msg(lender.live == 0, "%ld of %ld: %ld blocks leaked after: %s", i, calls,
                      (long)lender.live, err.message);
    }
}
END_TEST

/* ---- the system's allocator, which the other libraries use too ---- */

#if OWN_MALLOC
#pragma GCC visibility push(default) /* the other libraries must see them */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *block);

static atomic_long system_live, system_calls;
static long system_fails_at;

static bool refuse(void)
{
    if (++system_calls == system_fails_at) {
        errno = ENOMEM;
        return true;
    }
    return false;
}

static void *count_block(void *block)
{
    system_live += block != NULL;
    return block;
}

void *malloc(size_t bytes)
{
    return refuse() ? NULL : count_block(__libc_malloc(bytes));
}
void *calloc(size_t count, size_t bytes)
{
    return refuse() ? NULL : count_block(__libc_calloc(count, bytes));
}
void *realloc(void *block, size_t bytes)
{
    if (refuse()) {
        return NULL;
    }
    system_live -= block != NULL;
    return count_block(__libc_realloc(block, bytes));
}
void *aligned_alloc(size_t alignment, size_t bytes)
{
    return refuse() ? NULL : count_block(__libc_memalign(alignment, bytes));
}
int posix_memalign(void **block, size_t alignment, size_t bytes)
{
    *block = refuse() ? NULL : count_block(__libc_memalign(alignment, bytes));
    return *block == NULL ? ENOMEM : 0;
}
void free(void *block)
{
    system_live -= block != NULL;
    __libc_free(block);
}
#pragma GCC visibility pop

/* Twice as large, so that it must be resized. */
static void write_jpeg(const struct vgg_image *image, int fd)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct vgg_image large;
    FILE *file = fdopen(fd, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(vgg_image_resize(image, 56, 56, &large, NULL), VGG_OK);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = (JDIMENSION)large.width;
    jpeg.image_height = (JDIMENSION)large.height;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW row = large.rgb + (size_t)jpeg.next_scanline * 3 * (size_t)large.width;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    fclose(file);
    vgg_image_destroy(&large);
}

static void check_system(const char *image)
{
    float expected[CLASSES], logits[CLASSES];
    struct vgg_error err = {0};
    const char *model = unit_model_path("fashion_vgg8_bn.pth");
    /* The second time nothing is allocated that stays: buffers of the C library, of threads. */
    ck_assert_msg(classify(model, image, NULL, expected, &err) == VGG_OK, "%s", err.message);
    const long before = system_calls;
    ck_assert_int_eq(classify(model, image, NULL, expected, NULL), VGG_OK);
    const long calls = system_calls - before;
    ck_assert_int_gt(calls, 50);
    long refused = 0;
    for (long i = 1; i <= calls; i++) {
        /* The C library may make a buffer that it keeps, but only once: a leak comes again. */
        long leaked = LONG_MAX;
        for (int round = 0; round < 2 && leaked > 0; round++) {
            memset(&err, 0, sizeof err);
            const long live = system_live;
            system_fails_at = system_calls + i;
            vgg_status status = classify(model, image, NULL, logits, &err);
            system_fails_at = 0;
            leaked = system_live - live < leaked ? system_live - live : leaked;
            if (status == VGG_OK) { /* qsort and the look at the cgroup do without */
                ck_assert_mem_eq(logits, expected, sizeof logits);
            } else {
                bool thread = status == VGG_ERR_IO && err.sys_errno == EAGAIN;
                ck_assert_msg(status == VGG_ERR_MEMORY || thread, "%ld: %s", i, err.message);
                refused++;
            }
        }
        /* libzip 1.7.3 loses one of its layers of a member when the next one fails. */
        const long theirs = strstr(err.message, "(libzip)") != NULL;
        ck_assert_msg(leaked <= theirs, "%ld of %ld: %ld blocks leaked after: %s", i, calls, leaked,
                      err.message);
    }
    ck_assert_int_gt(refused, calls * 3 / 4);
}
#endif

/* A JPEG and a PNG, both resized. */
START_TEST(survives_a_system_without_memory)
{
#if OWN_MALLOC
    char jpeg[UNIT_FOLDER_BYTES];
    struct vgg_image image;
    ck_assert_int_eq(vgg_image_open(unit_model_path("images/bag_18.png"), NULL, &image, NULL),
                     VGG_OK);
    write_jpeg(&image, mkstemp(unit_temporary(jpeg, "vgg-context")));
    vgg_image_destroy(&image);
    check_system(unit_model_path("images/bag_18.png"));
    check_system(jpeg);
    unlink(jpeg);
#endif
}
END_TEST

UNIT_MAIN("allocator", takes_all_memory_from_the_caller, survives_a_system_without_memory)
