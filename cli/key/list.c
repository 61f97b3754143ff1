/* SPDX-License-Identifier: Apache-2.0
 * cli/key/list.c - swin2sr key list: what the keys file has, without any secret. */
#include <stdio.h>

#include "command/commands.h"
#include "command/report.h"
#include "file.h"

static json_t *limit_json(int32_t limit) {
    return limit ? json_integer(limit) : json_null();
}

static json_t *key_json(const api_key *key) {
    return json_pack("{ss ss so so sb ss?}", "id", key->id, "created", key->created, "concurrency",
                     limit_json(key->concurrency), "per_minute", limit_json(key->per_minute), "admin", key->is_admin,
                     "revoked", key->revoked[0] ? key->revoked : NULL);
}

static int list_json(const key_list *list) {
    json_t *rows = json_array();
    bool is_ok = rows;
    for (size_t i = 0; is_ok && i < list->count; i++)
        is_ok = json_array_append_new(rows, key_json(&list->keys[i])) == 0;
    int code = report_json(is_ok ? json_incref(rows) : NULL);
    json_decref(rows);
    return code;
}

static void print_key(const api_key *key) {
    char concurrency[16] = "-", per_minute[16] = "-";
    if (key->concurrency)
        snprintf(concurrency, sizeof concurrency, "%d", key->concurrency);
    if (key->per_minute)
        snprintf(per_minute, sizeof per_minute, "%d", key->per_minute);
    report_line("%-32s %-20s %11s %10s  %-5s  %s", key->id, key->created, concurrency, per_minute,
                key->is_admin ? "yes" : "-", key->revoked[0] ? key->revoked : "-");
}

static int run(const cli_command *command, int argc, char **argv) {
    key_options options = {.path = NULL};
    key_list list;
    swin2sr_error error = {""};
    if (!options_parse(command, &options, argc, argv, &argv) || !key_file_name(&options.path))
        return CLI_EXIT_USAGE;
    swin2sr_status status = key_list_read(options.path, &list, &error);
    if (status != SWIN2SR_OK)
        return report_failure(NULL, status, &error);
    int code = CLI_EXIT_OK;
    if (options.common.is_json)
        code = list_json(&list);
    else
        report_line("%-32s %-20s %11s %10s  %-5s  %s", "id", "created", "concurrency", "per minute", "admin",
                    "revoked");
    for (size_t i = 0; !options.common.is_json && i < list.count; i++)
        print_key(&list.keys[i]);
    key_list_done(&list);
    return code;
}

const cli_command key_list_command = {"list", "swin2sr key list", .groups = {options_common, key_file_options},
                                      .run = run};
