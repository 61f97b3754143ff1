/* SPDX-License-Identifier: Apache-2.0
 * cli/model/import.c - swin2sr model import: read a weight file into the library, or write it to another file. */
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "command/commands.h"
#include "command/interrupt.h"
#include "command/output.h"
#include "command/report.h"
#include "install.h"
#include "library/catalog.h"
#include "library/library.h"

typedef struct import_state {
    cli_options options;
    install_order order;
    char name[LIBRARY_MAX_NAME];
    catalog offers;
} import_state;

static bool parse(const cli_command *command, import_state *state, int argc, char **argv) {
    if (!options_parse(command, state, argc, argv, &argv))
        return false;
    if (state->order.out && strcmp(state->order.out, "-") == 0) {
        report_error(NULL, "-o -: must be a file; a network is not written to standard output");
        return false;
    }
    state->order.file = argv[0];
    return true;
}

/* Take what is not given from the catalogue if the file has the name of a published one, else from the path. */
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
    report_error(order->file, "not usable as a name: give --name, 1 to %d characters of a-z 0-9 . _ -",
                 LIBRARY_MAX_NAME - 1);
    return false;
}

static swin2sr_status run_order(const install_order *order, char hex[65], swin2sr_error *reterr) {
    swin2sr_status status = SWIN2SR_OK;
    if (!order->out)
        status = install_prepare(order->name, order->may_replace, reterr);
    else if (!order->may_replace && access(order->out, F_OK) == 0)
        status = swin2sr__error_set_path(reterr, SWIN2SR_IO, order->out, OUTPUT_EXISTS);
    return status == SWIN2SR_OK ? install(order, hex, reterr) : status;
}

static int run(const cli_command *command, int argc, char **argv) {
    import_state state = {0};
    swin2sr_error error = {0};
    char hex[65] = "";
    if (!parse(command, &state, argc, argv))
        return CLI_EXIT_USAGE;
    swin2sr_status status = catalog_open(&state.offers, &error);
    int code = CLI_EXIT_USAGE;
    if (status != SWIN2SR_OK || complete_order(&state)) {
        interrupt_watch(); /* so that a new file is either completed or removed */
        if (status == SWIN2SR_OK)
            status = run_order(&state.order, hex, &error);
        code = report_failure(state.order.file, status, &error);
        if (status == SWIN2SR_OK)
            code = install_report(&state.order, hex, state.options.is_json, state.options.is_quiet);
        else if (status == SWIN2SR_INVALID) /* not a name */
            code = CLI_EXIT_USAGE;
    }
    catalog_done(&state.offers);
    return interrupt_exit_code(code);
}

static const cli_option OPTIONS[] = {
    {"name", "NAME", "name in the library: 1 to 64 of a-z 0-9 . _ - (default: by FILE's name)",
     .field = offsetof(import_state, order.name)},
    {"source", "URL", "where the network comes from; kept in the file", .field = offsetof(import_state, order.source)},
    {"license", "L", "its licence, for example Apache-2.0; kept in the file",
     .field = offsetof(import_state, order.license)},
    {"output", "OUT", "write this file instead of one in the library", .letter = 'o',
     .field = offsetof(import_state, order.out)},
    {"force", .help = "replace a network or file of that name", .letter = 'f',
     .field = offsetof(import_state, order.may_replace)},
    {0},
};

const cli_command model_import_command = {
    "import", "swin2sr model import", NULL, "a file", 1, 1, .groups = {OPTIONS, options_common}, .run = run};
