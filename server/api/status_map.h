/* SPDX-License-Identifier: Apache-2.0
 * api/status_map.h - from a status of the library to a problem of the HTTP API. */
#pragma once

#include "http/problem.h"
#include <swin2sr/status.h>

/* The problem for a failure. Unknown values are internal errors. */
problem_kind status_map(swin2sr_status status);
