/* SPDX-License-Identifier: Apache-2.0
 * cli/key/revoke.c - swin2sr key revoke: mark a key, whose line stays so that its id is never given again. */
#include "base/error.h"
#include "command/commands.h"
#include "command/report.h"
#include "file.h"

static swin2sr_status revoke(const char *path, const char *id, api_key *ret_key, swin2sr_error *reterr) {
    key_file file;
    swin2sr_status status = key_file_open(path, &file, reterr);
    if (status != SWIN2SR_OK)
        return status;
    api_key *key = key_list_find(&file.list, id);
    if (!key) {
        status = swin2sr__error_set_path(reterr, SWIN2SR_INVALID, path, "no key has the id %s", id);
    } else if (!key->revoked[0]) {
        keys_now(key->revoked);
        status = key_file_write(&file, reterr);
    }
    if (status == SWIN2SR_OK)
        *ret_key = *key;
    key_file_done(&file);
    return status;
}

static int run(const cli_command *command, int argc, char **argv) {
    key_options options = {.path = NULL};
    api_key key;
    swin2sr_error error = {""};
    if (!options_parse(command, &options, argc, argv, &argv) || !key_file_name(&options.path))
        return CLI_EXIT_USAGE;
    swin2sr_status status = revoke(options.path, argv[0], &key, &error);
    if (status != SWIN2SR_OK)
        return report_failure(NULL, status, &error);
    if (options.common.is_json)
        return report_json(json_pack("{ss ss}", "id", key.id, "revoked", key.revoked));
    if (!options.common.is_quiet)
        report_note(key.id, "revoked at %s; a server that runs takes the key until SIGHUP", key.revoked);
    return CLI_EXIT_OK;
}

const cli_command key_revoke_command = {
    "revoke",  "swin2sr key revoke", NULL, "the id of a key", 1, 1, .groups = {options_common, key_file_options},
    .run = run};
