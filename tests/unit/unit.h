/* SPDX-License-Identifier: MIT */
/* What every unit test needs: Check, and a main() that runs one test case. */
#ifndef VGG_TESTS_UNIT_H
#define VGG_TESTS_UNIT_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* Runs the tests of one module, in-process children as Check does it, and prints each one's name. */
static inline int unit_main(const char *module, const TTest *const *tests, size_t count)
{
    Suite *suite = suite_create(module);
    TCase *tcase = tcase_create(module);
    for (size_t i = 0; i < count; i++) {
        tcase_add_test(tcase, tests[i]);
    }
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_VERBOSE);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

enum {
    UNIT_FOLDER_BYTES = 256,
    UNIT_PATH_BYTES = 512
}; /* of a temporary name; of a file under it */

/* A template for mkdtemp or mkstemp where temporary files belong.
 *   out  [UNIT_FOLDER_BYTES] */
static inline char *unit_temporary(char *out, const char *name)
{
    const char *folder = getenv("TMPDIR");
    const int length = snprintf(out, UNIT_FOLDER_BYTES, "%s/%s-XXXXXX",
                                folder != NULL && folder[0] != '\0' ? folder : "/tmp", name);
    ck_assert_int_lt(length, UNIT_FOLDER_BYTES);
    return out;
}

/* The path of a file in models/; two of them are valid at a time. */
static inline const char *unit_model_path(const char *name)
{
    static _Thread_local char paths[2][512];
    static _Thread_local int next;
    const char *models = getenv("VGG_TEST_MODELS");
    ck_assert_msg(models != NULL, "VGG_TEST_MODELS is not set");
    next = !next;
    snprintf(paths[next], sizeof paths[0], "%s/%s", models, name);
    return paths[next];
}

#define UNIT_MAIN(module, ...)                                                                     \
    int main(void)                                                                                 \
    {                                                                                              \
        const TTest *const tests[] = {__VA_ARGS__};                                                \
        return unit_main(module, tests, sizeof tests / sizeof tests[0]);                           \
    }

#endif
