/* SPDX-License-Identifier: MIT */
/* The CPU time that the control groups of this process allow. */
#ifndef VGG_BASE_CGROUP_H
#define VGG_BASE_CGROUP_H

/* The number of CPUs whose time the process may use: the minimum over control groups of version 1 and 2 and
 * over all levels up to the root; 0 for no limit.
 *   membership  /proc/self/cgroup
 *   mount       /sys/fs/cgroup */
double vgg_cgroup_quota(const char *membership, const char *mount);

#endif
