/* SPDX-License-Identifier: Apache-2.0
 * http/router.c - match a method and a path against the table of routes (stage 1 of 9, request).
 * In: a decoded path from a client.  Out: a route, or the methods for Allow. No allocation. */
#include "http/router.h"

#include <stdio.h>
#include <string.h>

/* Match a path against a pattern. The part in braces matches everything up to the next slash of the path. */
static bool fits(const char *pattern, const char *path, char part[LIMIT_PATH_PART_BYTES]) {
    size_t before = strcspn(pattern, "{");
    part[0] = '\0';
    if (!pattern[before])
        return strcmp(pattern, path) == 0;
    if (strncmp(pattern, path, before) != 0)
        return false;
    const char *value = path + before, *rest = strchr(pattern + before, '}') + 1;
    size_t length = strcspn(value, "/");
    if (length == 0 || length >= LIMIT_PATH_PART_BYTES || strcmp(rest, value + length) != 0)
        return false;
    memcpy(part, value, length);
    part[length] = '\0';
    return true;
}

static bool takes(const http_route *route, const char *method) {
    return strcmp(route->method, method) == 0 || (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

static void allow(http_match *match, const http_route *route) {
    size_t used = strlen(match->allow);
    snprintf(match->allow + used, sizeof match->allow - used, "%s%s%s", used ? ", " : "", route->method,
             strcmp(route->method, "GET") == 0 ? ", HEAD" : "");
}

static bool is_served(const http_route *route, http_side side) {
    return side == HTTP_SIDE_ALL || route->side == HTTP_SIDE_PROBES || route->side == side;
}

http_match router_find(const http_route *routes, size_t count, http_side side, const char *method, const char *override,
                       const char *path) {
    http_match match = {.route = NULL};
    for (const http_route *route = routes; route < routes + count; route++) {
        if (!is_served(route, side) || !fits(route->path, path, match.part))
            continue;
        if (takes(route, route->is_overridable && override ? override : method)) {
            match.route = route;
            match.allow[0] = '\0';
            return match;
        }
        allow(&match, route);
    }
    match.part[0] = '\0';
    return match;
}

size_t router_label_index(const http_route *routes, const http_route *route) {
    size_t index = 0;
    while (strcmp(routes[index].label, route->label) != 0)
        index++;
    return index;
}
