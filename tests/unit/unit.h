/* What every unit test needs: Check, and a main() that runs one test case. */
#ifndef VGG_TESTS_UNIT_H
#define VGG_TESTS_UNIT_H

#include <check.h>
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

#define UNIT_MAIN(module, ...)                                                                     \
    int main(void)                                                                                 \
    {                                                                                              \
        const TTest *const tests[] = {__VA_ARGS__};                                                \
        return unit_main(module, tests, sizeof tests / sizeof tests[0]);                           \
    }

#endif
