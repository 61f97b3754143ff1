/* SPDX-License-Identifier: Apache-2.0
 * base/cores.h - how many processor cores this process may use. */
#pragma once

/* The cores of the affinity mask, or fewer if a cgroup (v1 or v2) allows less processor time; at least 1. */
int swin2sr__cores_usable(void);
