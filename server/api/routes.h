/* SPDX-License-Identifier: Apache-2.0
 * api/routes.h - every path the service answers. The metrics count by place in this table. */
#ifndef SWIN2SR_SERVER_ROUTES_H
#define SWIN2SR_SERVER_ROUTES_H

#include "http/router.h"

extern const http_route routes[];
extern const size_t routes_count;

#endif
