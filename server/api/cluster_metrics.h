/* SPDX-License-Identifier: Apache-2.0
 * api/cluster_metrics.h - what GET /metrics says of a cluster (stage 9 of 9, respond). */
#pragma once

#include <stdio.h>

#include "backlog/backlog.h"

/* Write the metrics of a server with --cluster; of others nothing. */
void cluster_metrics_write(const backlog *jobs, FILE *out);
