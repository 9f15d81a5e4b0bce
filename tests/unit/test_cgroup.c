/* SPDX-License-Identifier: MIT */
/* base/cgroup: what version 1, version 2 and both at once grant, at every level. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cgroup.h"

static char root[UNIT_FOLDER_BYTES];

/* Writes root/name; its folders are made as needed. */
static void put(const char *name, const char *text)
{
    char path[UNIT_PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *p = strchr(path + strlen(root) + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
        *p = '\0';
        mkdir(path, 0700);
        *p = '/';
    }
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static double quota(const char *membership)
{
    char path[UNIT_PATH_BYTES];
    put("cgroup", membership);
    snprintf(path, sizeof path, "%s/cgroup", root);
    return vgg_cgroup_quota(path, root);
}

START_TEST(reads_every_kind_of_limit)
{
    ck_assert_ptr_nonnull(mkdtemp(unit_temporary(root, "vgg-cgroup")));
    ck_assert_double_eq(quota("0::/\n"), 0);
    ck_assert_double_eq(vgg_cgroup_quota("/nonexistent", root), 0);

    /* Version 2: the least of all levels, "max" being none. */
    put("pod/box/cpu.max", "max 100000\n");
    ck_assert_double_eq(quota("0::/pod/box\n"), 0);
    put("pod/cpu.max", "150000 100000\n");
    ck_assert_double_eq(quota("0::/pod/box\n"), 1.5);
    put("pod/box/cpu.max", "50000 100000\n");
    ck_assert_double_eq(quota("0::/pod/box\n"), 0.5);
    put("cpu.max", "25000 100000\n"); /* a container sees its own group as the root */
    ck_assert_double_eq(quota("0::/\n"), 0.25);
    put("cpu.max", "max 100000\n");

    /* Version 1, the controller anywhere in the list, but not cpuacct or cpuset. */
    put("cpu/box/cpu.cfs_quota_us", "300000\n");
    put("cpu/box/cpu.cfs_period_us", "100000\n");
    ck_assert_double_eq(quota("4:cpu:/box\n"), 3);
    ck_assert_double_eq(quota("4:cpu,cpuacct:/box\n"), 3);
    ck_assert_double_eq(quota("4:cpuacct,cpu:/box\n"), 3);
    ck_assert_double_eq(quota("4:cpuset:/box\n3:cpuacct:/box\n"), 0);
    put("cpu/box/cpu.cfs_quota_us", "-1\n");
    ck_assert_double_eq(quota("4:cpu:/box\n"), 0);

    /* Both at once: neither line hides the other. */
    put("cpu/box/cpu.cfs_quota_us", "300000\n");
    ck_assert_double_eq(quota("1:cpu:/box\n0::/\n"), 3);
    ck_assert_double_eq(quota("1:cpu:/box\n0::/pod\n"), 1.5);
    put("cpu.max", "garbage\n");
    ck_assert_double_eq(quota("no colon\n:\n0::/\n"), 0);
}
END_TEST

UNIT_MAIN("cgroup", reads_every_kind_of_limit)
