/* SPDX-License-Identifier: MIT */
/* Opens checkpoints while another thread writes to them.
 *
 *     race OPENS FILE [OTHER]...
 *
 * OPENS times for each FILE: it is opened, verified, made a model and run with random weights of its own, while a thread
 * writes to it through a shared mapping. In one half of the runs it changes one byte to and fro, mostly of the first or
 * last pages; in the other it writes all of OTHER and all of FILE in turn. Where the argument OTHER is "-", or is
 * not there, all runs are of the first kind. Any status is right: a sanitizer, or a signal, shows what is wrong. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vgg/vgg.h"

struct file {
    const char *path;
    size_t size;
    uint8_t *shared;      /* [size] what a program that opens the file sees */
    uint8_t *own, *other; /* [size] the contents to write; other may be NULL */
    atomic_size_t at;     /* of the byte to change; size: write `other` and `own` */
    atomic_uint flip;     /* bits of the byte */
    atomic_bool stop;
    atomic_ulong writes;
};

static void *must(void *memory)
{
    if (memory == NULL) {
        perror("race");
        exit(2);
    }
    return memory;
}

/* xorshift32 */
static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void wait_some(uint32_t *random, uint32_t max)
{
    for (volatile uint32_t i = next_random(random) % max; i > 0; i--) {}
}

static void *write_to_file(void *argument)
{
    enum { LONG = 100000, SHORT = 10000 };
    struct file *file = argument;
    uint32_t random = 12345;
    while (!atomic_load(&file->stop)) {
        const size_t at = atomic_load(&file->at);
        if (at < file->size) {
            *(volatile uint8_t *)&file->shared[at] ^= (uint8_t)atomic_load(&file->flip);
            wait_some(&random, SHORT);
            *(volatile uint8_t *)&file->shared[at] = file->own[at];
        } else {
            memcpy(file->shared, file->other, file->size);
            wait_some(&random, SHORT);
            memcpy(file->shared, file->own, file->size);
            wait_some(&random, LONG); /* long enough for a checksum to agree */
        }
        wait_some(&random, SHORT);
        atomic_fetch_add(&file->writes, 1);
    }
    return NULL;
}

/* Chooses what the thread changes during the next run. */
static void choose_change(struct file *file, unsigned run, uint32_t *random)
{
    enum { EDGE_BYTES = 1024 };
    size_t at = next_random(random) % file->size;
    const size_t edge = file->size < EDGE_BYTES ? file->size : EDGE_BYTES;
    switch (run % 4) {
    case 0:
    case 2:
        at = file->other != NULL ? file->size : at;
        break;
    case 1:
        at = next_random(random) % edge;
        break;
    default:
        at = file->size - 1 - next_random(random) % edge;
        break;
    }
    atomic_store(&file->flip, 1 + next_random(random) % 255);
    atomic_store(&file->at, at);
}

static vgg_status run_model(const vgg_model *model)
{
    enum { VALUES_MAX = 1 << 16 };
    static float input[VALUES_MAX], logits[VALUES_MAX];
    const struct vgg_session_options options = {.threads = 1};
    struct vgg_model_info info;
    vgg_session *session = NULL;
    vgg_model_get_info(model, &info);
    const int64_t values = (int64_t)info.height * info.width * 3;
    if (values > VALUES_MAX || info.class_count > VALUES_MAX) {
        return VGG_ERR_LIMIT;
    }
    vgg_status status = vgg_session_create(model, &options, &session, NULL);
    if (status == VGG_OK) {
        status = vgg_session_run(session, input, 1, logits, NULL);
    }
    vgg_session_destroy(session);
    return status;
}

static vgg_status use(const char *path)
{
    enum { ELEMENTS_MAX = 1 << 16 };
    static float elements[ELEMENTS_MAX];
    static struct vgg_error err;
    vgg_checkpoint *checkpoint = NULL;
    vgg_model *model = NULL;
    vgg_status status = vgg_checkpoint_open(path, NULL, &checkpoint, &err);
    if (status != VGG_OK) {
        return status;
    }
    (void)vgg_checkpoint_verify(checkpoint, NULL, &err);
    for (size_t i = 0; i < vgg_checkpoint_get_tensor_count(checkpoint); i++) {
        const struct vgg_tensor *tensor = vgg_checkpoint_get_tensor(checkpoint, i);
        if (vgg_tensor_get_count(tensor) <= ELEMENTS_MAX) {
            vgg_tensor_read_f32(tensor, elements);
        }
    }
    status = vgg_model_create(checkpoint, NULL, &model, &err);
    if (status == VGG_OK) {
        status = run_model(model);
    }
    vgg_model_destroy(model);
    vgg_checkpoint_close(checkpoint);
    return status;
}

static uint8_t *read_bytes(const char *path, size_t size)
{
    uint8_t *bytes = must(malloc(size));
    FILE *in = must(fopen(path, "rb"));
    if (fread(bytes, 1, size, in) != size) {
        fprintf(stderr, "race: %s: expected %zu bytes\n", path, size);
        exit(2);
    }
    fclose(in);
    return bytes;
}

static void open_file(const char *path, const char *other, struct file *file)
{
    struct stat info;
    const int fd = open(path, O_RDWR);
    if (fd < 0 || fstat(fd, &info) != 0) {
        perror(path);
        exit(2);
    }
    file->path = path;
    file->size = (size_t)info.st_size;
    file->own = read_bytes(path, file->size);
    file->other = strcmp(other, "-") != 0 ? read_bytes(other, file->size) : NULL;
    file->shared = mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (file->shared == MAP_FAILED) {
        perror(path);
        exit(2);
    }
    close(fd);
}

/* Whether the thread wrote at all. */
static bool race(const char *path, const char *other, unsigned opens)
{
    struct file file = {0};
    pthread_t thread;
    uint32_t random = 1;
    unsigned good = 0;
    open_file(path, other, &file);
    const bool whole = use(path) == VGG_OK;
    choose_change(&file, 0, &random);
    if (pthread_create(&thread, NULL, write_to_file, &file) != 0) {
        perror("race");
        exit(2);
    }
    for (unsigned i = 0; i < opens; i++) {
        choose_change(&file, i, &random);
        good += use(path) == VGG_OK;
    }
    atomic_store(&file.stop, true);
    pthread_join(thread, NULL);
    const unsigned long writes = atomic_load(&file.writes);
    printf("%s: %s as it is; %u of %u opens gave an answer, %lu changes meanwhile\n", path,
           whole ? "good" : "refused", good, opens, writes);
    fflush(stdout);
    munmap(file.shared, file.size);
    free(file.own);
    free(file.other);
    return writes > 0;
}

int main(int argc, char **argv)
{
    const int opens = argc > 1 ? atoi(argv[1]) : 0;
    unsigned passed = 0, failed = 0;
    if (opens <= 0 || argc < 3) {
        fprintf(stderr, "usage: race OPENS FILE [OTHER]...\n");
        return 2;
    }
    for (int i = 2; i < argc; i += 2) {
        const bool good = race(argv[i], i + 1 < argc ? argv[i + 1] : "-", (unsigned)opens);
        passed += good;
        failed += !good;
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed > 0;
}
