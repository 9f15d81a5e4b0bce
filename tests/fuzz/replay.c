/* SPDX-License-Identifier: MIT */
/* Runs a target once on each file of a folder, without libFuzzer.
 *
 *     replay_NAME FOLDER        each file as it is
 *     replay_NAME_fault FOLDER  each file as often as it makes allocations, of which another one fails
 *                               each time
 * Ends with "N passed, 0 failed", N being the runs: what fails aborts. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* A block of exactly the file's size, so that a sanitizer sees reads past its end. */
static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    long end = file != NULL && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    uint8_t *data = end >= 0 ? malloc((size_t)end + (end == 0)) : NULL;
    if (data == NULL || fseek(file, 0, SEEK_SET) != 0 ||
        fread(data, 1, (size_t)end, file) != (size_t)end) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    fclose(file);
    *size = (size_t)end;
    return data;
}

#ifdef FUZZ_FAULT
/* A failed allocation must do no harm, or be told as what it is. */
static unsigned run(const uint8_t *data, size_t size)
{
    fault_arm(0);
    const vgg_status expected = fuzz_one(data, size);
    const uint64_t total = fault_disarm();
    for (uint64_t nth = 1; nth <= total; nth++) {
        fault_arm(nth);
        const vgg_status status = fuzz_one(data, size);
        fault_disarm();
        if (status != expected && status != VGG_ERR_MEMORY) {
            fprintf(stderr, "allocation %" PRIu64 " failed: expected \"%s\", found \"%s\"\n", nth,
                    vgg_status_string(VGG_ERR_MEMORY), vgg_status_string(status));
            abort();
        }
    }
    return (unsigned)total;
}
#else
static unsigned run(const uint8_t *data, size_t size)
{
    LLVMFuzzerTestOneInput(data, size);
    return 1;
}
#endif

int main(int argc, char **argv)
{
    struct dirent **entries = NULL;
    int count = argc == 2 ? scandir(argv[1], &entries, NULL, alphasort) : -1;
    unsigned passed = 0;
    if (count < 0) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    for (int i = 0; i < count; i++) {
        char path[4096];
        size_t size;
        snprintf(path, sizeof path, "%s/%s", argv[1], entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            uint8_t *data = read_file(path, &size);
            fprintf(stderr, "%s\n", entries[i]->d_name); /* the last one named is the culprit */
            passed += run(data, size);
            free(data);
        }
        free(entries[i]);
    }
    free(entries);
    printf("%u passed, 0 failed\n", passed);
    return passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
