/* SPDX-License-Identifier: Apache-2.0
 * cli/model/verify.c - swin2sr model verify and remove: check or delete installed networks. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "command/commands.h"
#include "command/report.h"
#include "download.h"
#include "install.h"
#include "library/library.h"
#include "record.h"

/* Parse the arguments of either verb. *ret_name stays NULL if there is no name, which verify allows. */
static bool parse(const cli_command *command, int argc, char **argv, cli_options *options, const char **ret_name) {
    if (!options_parse(command, options, argc, argv, &argv))
        return false;
    *ret_name = argv[0];
    bool is_name = !argv[0] || library_is_name(argv[0]), is_built_in = argv[0] && library_is_built_in(argv[0]);
    if (!is_name)
        report_error(argv[0], "not a model's name: must be 1 to %d characters of a-z 0-9 . _ -", LIBRARY_MAX_NAME - 1);
    else if (is_built_in)
        report_error(argv[0], "is built in, so it has no file");
    return is_name && !is_built_in;
}

typedef struct verification {
    char sha256[65];   /* now; "": unreadable */
    char recorded[65]; /* when it was installed; "": not recorded */
    swin2sr_status status;
    swin2sr_error error;
} verification;

static swin2sr_status check_file(const char *name, verification *found) {
    char path[LIBRARY_MAX_PATH];
    swin2sr_model *model = NULL;
    swin2sr_status status = library_find(name, path, sizeof(path), &found->error);
    if (status == SWIN2SR_OK)
        status = record_hash_file(path, found->sha256, &found->error);
    if (status != SWIN2SR_OK)
        return status;
    if (record_read(name, found->recorded) && strcmp(found->recorded, found->sha256) != 0)
        return swin2sr__error_set(&found->error, SWIN2SR_MODEL, "the file has changed: sha256 %.12s..., was %.12s...",
                                  found->sha256, found->recorded);
    status = swin2sr_model_open(path, NULL, &model, &found->error);
    swin2sr_model_unref(model);
    return status;
}

static json_t *verification_json(const char *name, const verification *found) {
    return json_pack("{ss sb so so so}", "name", name, "ok", found->status == SWIN2SR_OK, "sha256",
                     found->sha256[0] ? json_string(found->sha256) : json_null(), "recorded",
                     found->recorded[0] ? json_string(found->recorded) : json_null(), "error",
                     found->status == SWIN2SR_OK ? json_null() : report_json_text(found->error.text));
}

/* Check one model, and print the result or append it to rows, which is NULL without --json.  returns  An exit code. */
static int verify(const char *name, json_t *rows, bool is_quiet) {
    verification found = {0};
    found.status = check_file(name, &found);
    if (rows && json_array_append_new(rows, verification_json(name, &found)) != 0)
        return CLI_EXIT_SYSTEM;
    if (found.status == SWIN2SR_OK && !rows && !is_quiet)
        report_line("%-26s ok  %s%s", name, found.sha256, found.recorded[0] ? "" : "  (opens; no hash was recorded)");
    return report_failure(name, found.status, &found.error);
}

static int verify_all(json_t *rows, bool is_quiet) {
    library_list list = {0};
    swin2sr_error error = {0};
    int worst = report_failure(NULL, library_list_open(&list, &error), &error);
    for (size_t i = 0; i < list.count; i++) {
        int code = verify(list.entries[i].name, rows, is_quiet);
        worst = code > worst ? code : worst;
    }
    library_list_done(&list);
    return worst;
}

static int run_verify(const cli_command *command, int argc, char **argv) {
    cli_options options = {0};
    const char *name = NULL;
    if (!parse(command, argc, argv, &options, &name))
        return CLI_EXIT_USAGE;
    json_t *rows = options.is_json ? json_array() : NULL;
    int code = name ? verify(name, rows, options.is_quiet) : verify_all(rows, options.is_quiet);
    if (rows && report_json(rows) != CLI_EXIT_OK)
        code = CLI_EXIT_SYSTEM;
    return code;
}

const cli_command model_verify_command = {"verify", "swin2sr model verify", .most = 1, .groups = {options_common},
                                          .run = run_verify};

/* Remove one file of a model, if it is there. */
static bool remove_file(const char *name, const char *ending, json_t *removed) {
    char path[LIBRARY_MAX_PATH];
    if (library_path(name, ending, path, sizeof(path), NULL) != SWIN2SR_OK)
        return true; /* too long to exist */
    if (unlink(path) == 0)
        return json_array_append_new(removed, report_json_text(path)) == 0;
    int error = errno; /* a read-only file system gives EROFS whether the file exists or not */
    if (error == ENOENT || error == ENOTDIR || faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
        return true;
    report_error(path, "%s", strerror(error));
    return false;
}

static int run_remove(const cli_command *command, int argc, char **argv) {
    static const char *const ENDINGS[] = {LIBRARY_ENDING, RECORD_ENDING, STAGED_ENDING, PART_ENDING,
                                          PART_ENDING DOWNLOAD_FROM_ENDING};
    cli_options options = {0};
    const char *name;
    swin2sr_error error = {0};
    char path[LIBRARY_MAX_PATH];
    if (!parse(command, argc, argv, &options, &name))
        return CLI_EXIT_USAGE;
    if (library_path(name, LIBRARY_ENDING, path, sizeof(path), &error) != SWIN2SR_OK)
        return report_failure(NULL, SWIN2SR_INVALID, &error);
    json_t *removed = json_array();
    bool is_ok = true;
    size_t index;
    json_t *value;
    for (size_t i = 0; i < sizeof(ENDINGS) / sizeof(ENDINGS[0]); i++)
        is_ok &= remove_file(name, ENDINGS[i], removed);
    int code = is_ok ? CLI_EXIT_OK : CLI_EXIT_IO;
    if (is_ok && json_array_size(removed) == 0) {
        report_error(name, "no such model is installed: there is no %s", path);
        code = CLI_EXIT_MODEL;
    } else if (options.is_json) {
        code =
            report_json(json_pack("{ss sO}", "name", name, "removed", removed)) == CLI_EXIT_OK ? code : CLI_EXIT_SYSTEM;
    } else if (!options.is_quiet) {
        json_array_foreach(removed, index, value) report_line("removed %s", json_string_value(value));
    }
    json_decref(removed);
    return code;
}

const cli_command model_remove_command = {
    "remove",         "swin2sr model remove", NULL, "the name of a network", 1, 1, .groups = {options_common},
    .run = run_remove};
