/* SPDX-License-Identifier: Apache-2.0
 * cli/model/install.c - import a weight file under a staged name, record its hash, rename it. */
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "command/output.h"
#include "command/report.h"
#include "install.h"
#include "library/library.h"
#include "record.h"
#include <swin2sr/model.h>

swin2sr_status install_prepare(const char *name, bool may_replace, swin2sr_error *reterr) {
    char path[LIBRARY_MAX_PATH];
    swin2sr_status status = library_path(name, "", path, sizeof(path), reterr);
    if (status != SWIN2SR_OK)
        return status;
    if (library_is_built_in(name))
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "%s is the name of a built-in network; choose another",
                                  name);
    if (!may_replace && library_find(name, path, sizeof(path), NULL) == SWIN2SR_OK)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "network %s is installed already; --force replaces it", name);
    status = library_folder(path, sizeof(path), reterr);
    return status == SWIN2SR_OK ? output_make_folder(path, reterr) : status;
}

/* Record the hash of a staged network, then give the network its name. After a failure the staged file is removed. */
static swin2sr_status settle(const char *name, const char *staged, char ret_hex[65], swin2sr_error *reterr) {
    char path[LIBRARY_MAX_PATH];
    swin2sr_status status = library_path(name, LIBRARY_ENDING, path, sizeof(path), reterr);
    if (status == SWIN2SR_OK)
        status = record_hash_file(staged, ret_hex, reterr);
    if (status == SWIN2SR_OK)
        status = record_write(name, ret_hex, reterr);
    if (status == SWIN2SR_OK && rename(staged, path) != 0)
        status = swin2sr__error_set_errno(reterr, path);
    if (status != SWIN2SR_OK)
        unlink(staged);
    return status;
}

swin2sr_status install(const install_order *order, char ret_hex[65], swin2sr_error *reterr) {
    const swin2sr_import_options options = {order->name, order->source, order->license};
    char staged[LIBRARY_MAX_PATH];
    swin2sr_status status;
    if (order->out) {
        status = swin2sr_model_import(order->file, order->out, &options, reterr);
        return status == SWIN2SR_OK ? record_hash_file(order->out, ret_hex, reterr) : status;
    }
    status = library_path(order->name, STAGED_ENDING, staged, sizeof(staged), reterr);
    if (status == SWIN2SR_OK)
        status = swin2sr_model_import(order->file, staged, &options, reterr);
    return status == SWIN2SR_OK ? settle(order->name, staged, ret_hex, reterr) : status;
}

int install_report(const install_order *order, const char hex[65], bool is_json, bool is_quiet) {
    char path[LIBRARY_MAX_PATH];
    model_facts facts = {0};
    swin2sr_error error = {0};
    swin2sr_status status = order->out ? SWIN2SR_OK : library_find(order->name, path, sizeof(path), &error);
    const char *where = order->out ? order->out : path;
    if (status == SWIN2SR_OK)
        status = model_facts_read(where, &facts, &error);
    if (status != SWIN2SR_OK)
        return report_failure(order->name, status, &error);
    if (is_json)
        return report_json(json_pack("{ss so ss ss so ss so}", "name", order->name, "path", report_json_text(where),
                                     "sha256", hex, "original_sha256", facts.original_sha256, "source",
                                     facts.source[0] ? report_json_text(facts.source) : json_null(), "license",
                                     facts.license, "scale", facts.scale ? json_integer(facts.scale) : json_null()));
    if (is_quiet)
        return CLI_EXIT_OK;
    report_line("%s: x%d, %s, sha256 %s", order->name, facts.scale,
                facts.license[0] ? facts.license : "licence not stated", hex);
    report_line("%s", where);
    return CLI_EXIT_OK;
}
