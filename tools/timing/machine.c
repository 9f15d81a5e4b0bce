/* SPDX-License-Identifier: MIT */
/* The machine and the build that a record of a benchmark comes from. */
#include "timing/machine.h"

#include <stdio.h>
#include <string.h>

#include "commit.h"

#if defined(__clang__)
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* The first line of a file that begins with key, from behind the ": " on; with key "" the first line. */
static void read_value(const char *path, const char *key, char *out, size_t bytes)
{
    char line[256];
    FILE *file = fopen(path, "re");
    out[0] = '\0';
    while (file != NULL && out[0] == '\0' && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) {
            const char *colon = key[0] != '\0' ? strchr(line, ':') : NULL;
            const char *value = colon != NULL ? colon + 1 : line;
            value += strspn(value, " \t");
            snprintf(out, bytes, "%.*s", (int)strcspn(value, "\n"), value);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

void machine_describe(struct machine *out)
{
    *out = (struct machine){.commit = TOOLS_COMMIT, .compiler = COMPILER};
    read_value("/proc/cpuinfo", "model name", out->model, sizeof out->model);
    if (out->model[0] == '\0') {
        snprintf(out->model, sizeof out->model, "unknown");
    }
    read_value("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "", out->governor,
               sizeof out->governor);
}
