/* SPDX-License-Identifier: Apache-2.0
 * cli/key/new.c - swin2sr key new: make a key, print it once, keep its hash. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/digest.h"
#include "base/error.h"
#include "command/commands.h"
#include "command/report.h"
#include "file.h"

#define KEY_PREFIX "swin2sr_" /* by which scanners for leaked secrets can find a key */

/* size hex digits of random bytes, and a zero. */
static bool random_hex(char *ret_text, size_t size) {
    unsigned char bytes[KEYS_HASH_BYTES];
    if (getrandom(bytes, size / 2, 0) != (ssize_t)(size / 2))
        return false;
    swin2sr__hex(bytes, size / 2, ret_text);
    return true;
}

/* An id that no key of the list has had, and the text of the key. */
static bool fill(const key_list *list, const char *name, api_key *key, char ret_text[KEYS_TEXT_BYTES]) {
    char digits[7];
    do {
        if (!random_hex(digits, 6))
            return false;
        snprintf(key->id, sizeof key->id, "%.*s-%s", KEYS_NAME_BYTES - 1, name, digits);
    } while (key_list_find(list, key->id));
    strcpy(ret_text, KEY_PREFIX);
    if (!random_hex(ret_text + strlen(KEY_PREFIX), 2 * KEYS_HASH_BYTES))
        return false;
    keys_hash(ret_text, key->hash);
    keys_now(key->created);
    return true;
}

static swin2sr_status add(const key_options *options, const char *name, api_key *key, char ret_text[KEYS_TEXT_BYTES],
                          swin2sr_error *reterr) {
    key_file file;
    swin2sr_status status = key_file_open(options->path, &file, reterr);
    if (status != SWIN2SR_OK)
        return status;
    if (file.list.count == KEYS_MAX)
        status = swin2sr__error_set_path(reterr, SWIN2SR_INVALID, options->path,
                                         "has %d keys, the most there can be; delete lines of revoked ones", KEYS_MAX);
    else if (!fill(&file.list, name, key, ret_text))
        status = swin2sr__error_set(reterr, SWIN2SR_INTERNAL, "the system gives no random bytes");
    if (status == SWIN2SR_OK) {
        file.list.keys[file.list.count++] = *key;
        status = key_file_write(&file, reterr);
    }
    key_file_done(&file);
    return status;
}

static int show(const key_options *options, const api_key *key, const char *text) {
    if (options->common.is_json)
        return report_json(json_pack("{ss ss}", "id", key->id, "key", text));
    report_line("%s", text);
    if (!options->common.is_quiet)
        report_note(key->id, "this key is shown only now; a server that runs takes it after SIGHUP");
    return CLI_EXIT_OK;
}

static int run(const cli_command *command, int argc, char **argv) {
    key_options options = {.path = NULL};
    swin2sr_error error = {""};
    char text[KEYS_TEXT_BYTES];
    if (!options_parse(command, &options, argc, argv, &argv) || !key_file_name(&options.path))
        return CLI_EXIT_USAGE;
    if (!keys_is_name(argv[0])) {
        report_error(argv[0], "not a name for a key: 1 to 40 of a-z 0-9 . _ -, the first a letter or digit");
        return CLI_EXIT_USAGE;
    }
    api_key key = {.concurrency = options.concurrency, .per_minute = options.per_minute, .is_admin = options.is_admin};
    swin2sr_status status = add(&options, argv[0], &key, text, &error);
    return status == SWIN2SR_OK ? show(&options, &key, text) : report_failure(NULL, status, &error);
}

static const cli_option OPTIONS[] = {
    {"concurrency", "N", "requests that may be at work at a time, 1..10000 (default: no limit)", .min = 1,
     .max = KEYS_CONCURRENCY_MAX, .field = offsetof(key_options, concurrency)},
    {"per-minute", "N", "requests per minute, 1..1000000 (default: no limit)", .min = 1, .max = KEYS_PER_MINUTE_MAX,
     .field = offsetof(key_options, per_minute)},
    {"admin", .help = "a key for operators, which also sees /status of the service",
     .field = offsetof(key_options, is_admin)},
    {0},
};

const cli_command key_new_command = {"new",
                                     "swin2sr key new",
                                     NULL,
                                     "a name for the key",
                                     1,
                                     1,
                                     .groups = {OPTIONS, options_common, key_file_options},
                                     .run = run};
