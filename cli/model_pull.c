/* SPDX-License-Identifier: Apache-2.0
 * cli/model_pull.c - swin2sr model pull: fetch a published network, check it, import it.
 * In: a name, and a URL from the catalogue or the user.  Out: a network of the library, or nothing but NAME.part, which
 * the next pull goes on with. What was fetched is opened by the importer, which takes all of it for hostile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "exit_codes.h"
#include "interrupt.h"
#include "library/catalog.h"
#include "library/library.h"
#include "model_download.h"
#include "model_install.h"
#include "model_record.h"
#include "model_verbs.h"
#include "options.h"
#include "report.h"

#define DEFAULT_MAX_MIB 1024
#define DEFAULT_STALL_S 30

typedef struct pull_state {
    cli_options options;
    const char *name;
    const char *url; /* --url, then the catalogue's */
    char sha256[65]; /* --sha256, then the catalogue's; "": none */
    int64_t max_mib;
    int64_t stall_s;
    bool may_replace;
    catalog offers;
    const catalog_offer *offer; /* NULL: not in the catalogue */
} pull_state;

enum {
    URL_ID = OPTIONS_COMMAND_ID,
    SHA256_ID,
    MAX_MIB_ID,
    STALL_ID
};

/* ---- usage ---- */

static bool take_url(pull_state *state, const char *url) {
    state->url = url;
    if (strncasecmp(url, "https://", 8) == 0 || strncasecmp(url, "http://", 7) == 0)
        return true;
    report_error(NULL, "--url takes an http or https address; 'swin2sr model import FILE' reads files");
    return false;
}

static bool take_sha256(pull_state *state, const char *hex) {
    if (record_parse_hex(hex, state->sha256))
        return true;
    report_error(NULL, "--sha256 takes 64 hex digits, not '%s'", hex);
    return false;
}

static bool take_option(pull_state *state, int id) {
    switch (id) {
    case URL_ID:
        return take_url(state, optarg);
    case SHA256_ID:
        return take_sha256(state, optarg);
    case MAX_MIB_ID:
        return options_take_int("max-mib", optarg, 1, 4096, &state->max_mib);
    case STALL_ID:
        return options_take_int("stall", optarg, 1, 3600, &state->stall_s);
    case 'f':
        state->may_replace = true;
        return true;
    default:
        return options_take(&state->options, id);
    }
}

static bool parse(pull_state *state, int argc, char **argv) {
    static const struct option LIST[] = {{"url", required_argument, NULL, URL_ID},
                                         {"sha256", required_argument, NULL, SHA256_ID},
                                         {"max-mib", required_argument, NULL, MAX_MIB_ID},
                                         {"stall", required_argument, NULL, STALL_ID},
                                         {"force", no_argument, NULL, 'f'},
                                         OPTIONS_COMMON,
                                         {0}};
    int id;
    while ((id = getopt_long(argc, argv, "fq", LIST, NULL)) != -1)
        if (!take_option(state, id))
            return false;
    if (argc - optind == 1) {
        state->name = argv[optind];
        return true;
    }
    report_error(NULL, "model pull takes one name; see 'swin2sr help model'");
    return false;
}

/* What the user left out comes from the catalogue. */
static bool settle_origin(pull_state *state) {
    state->offer = catalog_find(&state->offers, state->name);
    if (state->offer && !state->url) {
        state->url = state->offer->url;
        if (!state->sha256[0] && state->offer->sha256)
            snprintf(state->sha256, sizeof(state->sha256), "%s", state->offer->sha256);
    }
    if (state->url)
        return true;
    report_error(state->name, "is not in the catalogue ('swin2sr model list'); --url says where it is");
    return false;
}

/* ---- one pull ---- */

/* The address without what may be secret in it: user, password, query. */
static void public_url(const char *url, char *text, size_t size) {
    const char *host = strstr(url, "://") + 3;
    const char *end = host + strcspn(host, "?#");
    const char *slash = host + strcspn(host, "/?#");
    for (const char *c = host; c < slash; c++)
        if (*c == '@')
            host = c + 1;
    snprintf(text, size, "%.*s%.*s", (int)(strstr(url, "://") + 3 - url), url, (int)(end - host), host);
}

static swin2sr_status check_hash(const pull_state *state, const char *path, swin2sr_error *reterr) {
    char hex[65];
    swin2sr_status status = record_hash_file(path, hex, reterr);
    if (status != SWIN2SR_OK || !state->sha256[0] || strcmp(hex, state->sha256) == 0)
        return status;
    return swin2sr__error_set(reterr, SWIN2SR_MODEL, "the file has sha256 %.64s, not %.64s; nothing was installed", hex,
                              state->sha256);
}

/* A complete download: install it, or throw it away. */
static swin2sr_status take_in(const pull_state *state, download *fetched, const install_order *order, char hex[65],
                              swin2sr_error *reterr) {
    swin2sr_status status = check_hash(state, fetched->part_path, reterr);
    if (status == SWIN2SR_OK)
        status = install(order, hex, reterr);
    if (status == SWIN2SR_OK || status == SWIN2SR_MODEL || status == SWIN2SR_UNSUPPORTED)
        download_discard(fetched);
    return status;
}

static swin2sr_status pull(const pull_state *state, const install_order *order, char hex[65], swin2sr_error *reterr) {
    download fetched = {.url = state->url,
                        .part_path = order->file,
                        .max_bytes = (uint64_t)state->max_mib << 20,
                        .stall_s = state->stall_s,
                        .is_quiet = state->options.is_quiet,
                        .fd = -1};
    swin2sr_status status = install_prepare(state->name, state->may_replace, reterr);
    if (status == SWIN2SR_OK)
        status = download_open(&fetched, reterr);
    if (status != SWIN2SR_OK)
        return status;
    status = install_prepare(state->name, state->may_replace, reterr); /* another pull may have been waited for */
    if (status == SWIN2SR_OK)
        status = download_fetch(&fetched, reterr);
    if (status == SWIN2SR_OK)
        status = take_in(state, &fetched, order, hex, reterr);
    else if (status == SWIN2SR_MODEL || status == SWIN2SR_TOO_LARGE)
        download_discard(&fetched);
    download_close(&fetched);
    return status;
}

static int run_parsed(const pull_state *state) {
    char part[LIBRARY_MAX_PATH], source[1024], hex[65] = "";
    swin2sr_error error = {0};
    install_order order = {.file = part, .name = state->name, .source = source, .may_replace = state->may_replace};
    if (state->offer)
        order.license = state->offer->license;
    public_url(state->url, source, sizeof(source));
    swin2sr_status status = library_path(state->name, PART_ENDING, part, sizeof(part), &error);
    if (status == SWIN2SR_OK)
        status = pull(state, &order, hex, &error);
    if (status == SWIN2SR_OK)
        return install_report(&order, hex, state->options.is_json, state->options.is_quiet);
    report_error(state->name, "%s", error.text);
    if (status == SWIN2SR_INVALID) /* not a name */
        return CLI_EXIT_USAGE;
    return interrupt_signal() ? CLI_EXIT_SIGNAL + interrupt_signal() : report_exit_code(status);
}

int model_pull_run(int argc, char **argv) {
    pull_state state = {.max_mib = DEFAULT_MAX_MIB, .stall_s = DEFAULT_STALL_S};
    swin2sr_error error = {0};
    if (!parse(&state, argc, argv))
        return CLI_EXIT_USAGE;
    int code = CLI_EXIT_SYSTEM;
    if (catalog_open(&state.offers, &error) != SWIN2SR_OK)
        report_error(NULL, "%s", error.text);
    else if (!settle_origin(&state))
        code = CLI_EXIT_USAGE;
    else {
        interrupt_watch();
        code = run_parsed(&state);
    }
    catalog_done(&state.offers);
    return code;
}
