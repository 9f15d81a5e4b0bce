/* SPDX-License-Identifier: MIT */
/* The CPU time that control groups allow. A machine may have version 1, version 2, or both with the cpu controller in
 * either, so each line of the membership file is used. */
#include "base/cgroup.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first two numbers of a file; "max" and a missing number are -1. False when it cannot be read. */
static bool read_numbers(const char *path, long long out[2])
{
    char line[128], first[64];
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    bool ok = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    out[0] = out[1] = -1;
    if (!ok || sscanf(line, "%63s %lld", first, &out[1]) < 1) {
        return false;
    }
    out[0] = strcmp(first, "max") == 0 ? -1 : atoll(first);
    return true;
}

static double ratio(long long quota, long long period)
{
    return quota > 0 && period > 0 ? (double)quota / (double)period : 0;
}

/* The limit of one folder below a version's mount, or 0. */
static double folder_quota(const char *mount, bool version2, const char *folder)
{
    char path[1200];
    long long quota[2], period[2];
    if (version2) {
        snprintf(path, sizeof path, "%s%s/cpu.max", mount, folder);
        return read_numbers(path, quota) ? ratio(quota[0], quota[1]) : 0;
    }
    snprintf(path, sizeof path, "%s/cpu%s/cpu.cfs_quota_us", mount, folder);
    if (!read_numbers(path, quota)) {
        return 0;
    }
    snprintf(path, sizeof path, "%s/cpu%s/cpu.cfs_period_us", mount, folder);
    return read_numbers(path, period) ? ratio(quota[0], period[0]) : 0;
}

/* Whether "cpu" is in a list such as "cpu,cpuacct". */
static bool has_cpu(char *controllers)
{
    char *rest = NULL;
    for (char *one = strtok_r(controllers, ",", &rest); one != NULL;
         one = strtok_r(NULL, ",", &rest)) {
        if (strcmp(one, "cpu") == 0) {
            return true;
        }
    }
    return false;
}

double vgg_cgroup_quota(const char *membership, const char *mount)
{
    char line[512];
    double minimum = 0;
    FILE *file = fopen(membership, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        /* "number:controllers:folder"; version 2 has no controllers. */
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *folder = controllers == NULL ? NULL : strchr(controllers + 1, ':');
        if (folder == NULL) {
            continue;
        }
        *folder++ = '\0';
        const bool version2 = controllers[1] == '\0';
        if (!version2 && !has_cpu(controllers + 1)) {
            continue;
        }
        for (char *slash = folder + strlen(folder); slash != NULL; slash = strrchr(folder, '/')) {
            *slash = '\0';
            const double quota = folder_quota(mount, version2, folder);
            if (quota > 0 && (minimum <= 0 || quota < minimum)) {
                minimum = quota;
            }
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return minimum;
}
