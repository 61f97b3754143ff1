/* SPDX-License-Identifier: Apache-2.0
 * cli/model_import.c - swin2sr model import: any weight file into the library, and what pull shares with it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "exit_codes.h"
#include "interrupt.h"
#include "library/catalog.h"
#include "library/library.h"
#include "model_install.h"
#include "model_record.h"
#include "model_verbs.h"
#include "options.h"
#include "report.h"

/* ---- shared with pull ---- */

/* The folder and those above it. */
static swin2sr_status make_folders(const char *folder, swin2sr_error *reterr) {
    char path[LIBRARY_MAX_PATH];
    snprintf(path, sizeof(path), "%s", folder);
    for (char *slash = path + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        mkdir(path, 0777); /* the last one's answer counts */
    }
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return SWIN2SR_OK;
    return swin2sr__error_set(reterr, SWIN2SR_IO, "%.180s: %s", folder, strerror(errno));
}

swin2sr_status install_prepare(const char *name, bool may_replace, swin2sr_error *reterr) {
    char path[LIBRARY_MAX_PATH];
    swin2sr_status status = library_path(name, "", path, sizeof(path), reterr);
    if (status != SWIN2SR_OK)
        return status;
    if (strcmp(name, LIBRARY_BUILT_IN) == 0)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "%s is the name of the network inside the program", name);
    if (!may_replace && library_find(name, path, sizeof(path), NULL) == SWIN2SR_OK)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "network %s is installed already; --force replaces it", name);
    status = library_folder(path, sizeof(path), reterr);
    return status == SWIN2SR_OK ? make_folders(path, reterr) : status;
}

/* Give a new network its name, once its hash is written down; without that it does not stay. */
static swin2sr_status settle(const char *name, const char *staged, char ret_hex[65], swin2sr_error *reterr) {
    char path[LIBRARY_MAX_PATH];
    swin2sr_status status = library_path(name, LIBRARY_ENDING, path, sizeof(path), reterr);
    if (status == SWIN2SR_OK)
        status = record_hash_file(staged, ret_hex, reterr);
    if (status == SWIN2SR_OK)
        status = record_write(name, ret_hex, reterr);
    if (status == SWIN2SR_OK && rename(staged, path) != 0)
        status = swin2sr__error_set(reterr, SWIN2SR_IO, "%.150s: %s", path, strerror(errno));
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
    if (status != SWIN2SR_OK) {
        report_error(order->name, "%s", error.text);
        return report_exit_code(status);
    }
    if (is_json)
        return report_json(json_pack("{ss so ss ss so ss so}", "name", order->name, "path", report_json_text(where),
                                     "sha256", hex, "original_sha256", facts.original_sha256, "source",
                                     facts.source[0] ? report_json_text(facts.source) : json_null(), "license",
                                     facts.license, "scale", facts.scale ? json_integer(facts.scale) : json_null()));
    if (!is_quiet)
        printf("%s: x%d, %s, sha256 %s\n%s\n", order->name, facts.scale,
               facts.license[0] ? facts.license : "licence not stated", hex, where);
    return CLI_EXIT_OK;
}

/* ---- import ---- */

typedef struct import_state {
    cli_options options;
    install_order order;
    char name[LIBRARY_MAX_NAME];
    catalog offers;
} import_state;

enum {
    NAME_ID = OPTIONS_COMMAND_ID,
    SOURCE_ID,
    LICENSE_ID
};

static bool take_option(import_state *state, int id) {
    switch (id) {
    case NAME_ID:
        state->order.name = optarg;
        return true;
    case SOURCE_ID:
        state->order.source = optarg;
        return true;
    case LICENSE_ID:
        state->order.license = optarg;
        return true;
    case 'o':
        state->order.out = optarg;
        return true;
    case 'f':
        state->order.may_replace = true;
        return true;
    default:
        return options_take(&state->options, id);
    }
}

static bool parse(import_state *state, int argc, char **argv) {
    static const struct option LIST[] = {{"name", required_argument, NULL, NAME_ID},
                                         {"source", required_argument, NULL, SOURCE_ID},
                                         {"license", required_argument, NULL, LICENSE_ID},
                                         {"output", required_argument, NULL, 'o'},
                                         {"force", no_argument, NULL, 'f'},
                                         OPTIONS_COMMON,
                                         {0}};
    int id;
    while ((id = getopt_long(argc, argv, "o:fq", LIST, NULL)) != -1)
        if (!take_option(state, id))
            return false;
    if (argc - optind != 1) {
        report_error(NULL, "model import takes one file; see 'swin2sr help model'");
        return false;
    }
    if (state->order.out && strcmp(state->order.out, "-") == 0) {
        report_error(NULL, "-o takes a file; a network is not written to standard output");
        return false;
    }
    state->order.file = argv[optind];
    return true;
}

/* What is left out is taken from the catalogue when the file has a published one's name, else from the path. */
static bool complete_order(import_state *state) {
    install_order *order = &state->order;
    const catalog_offer *offer = catalog_find_file(&state->offers, order->file);
    if (offer && !order->source)
        order->source = offer->url;
    if (offer && !order->license)
        order->license = offer->license;
    if (!order->name) {
        catalog_name_file(&state->offers, order->file, state->name);
        order->name = state->name;
    }
    if (library_is_name(order->name))
        return true;
    report_error(order->file, "needs --name, 1 to %d of a-z 0-9 . _ -", LIBRARY_MAX_NAME - 1);
    return false;
}

static swin2sr_status run_order(const install_order *order, char hex[65], swin2sr_error *reterr) {
    swin2sr_status status = SWIN2SR_OK;
    if (!order->out)
        status = install_prepare(order->name, order->may_replace, reterr);
    else if (!order->may_replace && access(order->out, F_OK) == 0)
        status = swin2sr__error_set(reterr, SWIN2SR_IO, "%.180s exists already; --force replaces it", order->out);
    return status == SWIN2SR_OK ? install(order, hex, reterr) : status;
}

int model_import_run(int argc, char **argv) {
    import_state state = {0};
    swin2sr_error error = {0};
    char hex[65] = "";
    if (!parse(&state, argc, argv))
        return CLI_EXIT_USAGE;
    swin2sr_status status = catalog_open(&state.offers, &error);
    int code = CLI_EXIT_USAGE;
    if (status != SWIN2SR_OK || complete_order(&state)) {
        interrupt_watch(); /* a new file is finished or removed, whatever comes */
        if (status == SWIN2SR_OK)
            status = run_order(&state.order, hex, &error);
        if (status == SWIN2SR_OK) {
            code = install_report(&state.order, hex, state.options.is_json, state.options.is_quiet);
        } else {
            report_error(state.order.file, "%s", error.text);
            code = status == SWIN2SR_INVALID ? CLI_EXIT_USAGE : report_exit_code(status);
        }
    }
    catalog_done(&state.offers);
    return interrupt_signal() ? CLI_EXIT_SIGNAL + interrupt_signal() : code;
}
