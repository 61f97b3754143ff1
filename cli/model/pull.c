/* SPDX-License-Identifier: Apache-2.0
 * cli/model/pull.c - swin2sr model pull: fetch a published network, check its hash, import it.
 * In: a name, and a URL from the catalogue or the user.  Out: an installed network, or only NAME.part, from which the
 * next pull resumes. The importer treats the fetched file as hostile. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "command/commands.h"
#include "command/interrupt.h"
#include "command/report.h"
#include "download.h"
#include "install.h"
#include "library/catalog.h"
#include "library/library.h"
#include "record.h"

#define DEFAULT_MAX_MIB 1024
#define DEFAULT_STALL_S 30

typedef struct pull_state {
    cli_options options;
    const char *name;
    const char *url; /* --url, then the catalogue's */
    char sha256[65]; /* --sha256, then the catalogue's; "": none */
    int32_t max_mib;
    int32_t stall_s;
    bool may_replace;
    catalog offers;
    const catalog_offer *offer; /* NULL: not in the catalogue */
} pull_state;

static bool take_url(void *state, const char *url) {
    ((pull_state *)state)->url = url;
    if (strncasecmp(url, "https://", 8) == 0 || strncasecmp(url, "http://", 7) == 0)
        return true;
    report_error(NULL, "--url %s: must be an http or https address; 'swin2sr model import FILE' reads files", url);
    return false;
}

static bool take_sha256(void *state, const char *hex) {
    if (record_parse_hex(hex, ((pull_state *)state)->sha256))
        return true;
    report_error(NULL, "--sha256 %s: must be 64 hex digits", hex);
    return false;
}

static const cli_option OPTIONS[] = {
    {"url", "URL", "fetch from here instead of the catalogue's address; http or https", .take = take_url},
    {"sha256", "HEX", "hash that the downloaded file must have (default: the catalogue's, if any)",
     .take = take_sha256},
    {"max-mib", "N", "refuse files over N MiB, 1..4096 (default: 1024)", .min = 1, .max = 4096,
     .field = offsetof(pull_state, max_mib)},
    {"stall", "SECONDS", "give up after so long under 1 KiB/s, 1..3600 (default: 30)", .min = 1, .max = 3600,
     .field = offsetof(pull_state, stall_s)},
    {"force", .help = "replace a network of that name", .letter = 'f', .field = offsetof(pull_state, may_replace)},
    {0},
};

/* Take what is not given from the catalogue. */
static bool settle_origin(pull_state *state) {
    state->offer = catalog_find(&state->offers, state->name);
    if (state->offer && !state->url) {
        state->url = state->offer->url;
        if (!state->sha256[0] && state->offer->sha256)
            snprintf(state->sha256, sizeof(state->sha256), "%s", state->offer->sha256);
    }
    if (state->url)
        return true;
    report_error(state->name, "not in the catalogue, which 'swin2sr model list' shows; give its address by --url");
    return false;
}

/* The address without its parts that may be secret: user, password, query. */
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
    return swin2sr__error_set(reterr, SWIN2SR_MODEL, "the file has sha256 %.64s, expected %.64s; nothing was installed",
                              hex, state->sha256);
}

/* Install a complete download, or discard it. */
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
    status = install_prepare(state->name, state->may_replace,
                             reterr); /* another pull may have installed it during the wait */
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
    int code = report_failure(state->name, status, &error);
    return status == SWIN2SR_INVALID ? CLI_EXIT_USAGE /* not a name */ : interrupt_exit_code(code);
}

static int run(const cli_command *command, int argc, char **argv) {
    pull_state state = {.max_mib = DEFAULT_MAX_MIB, .stall_s = DEFAULT_STALL_S};
    swin2sr_error error = {0};
    if (!options_parse(command, &state, argc, argv, &argv))
        return CLI_EXIT_USAGE;
    state.name = argv[0];
    int code = report_failure(NULL, catalog_open(&state.offers, &error), &error);
    if (code == CLI_EXIT_OK && !settle_origin(&state))
        code = CLI_EXIT_USAGE;
    if (code == CLI_EXIT_OK) {
        interrupt_watch();
        code = run_parsed(&state);
    }
    catalog_done(&state.offers);
    return code;
}

const cli_command model_pull_command = {
    "pull", "swin2sr model pull", NULL, "the name of a network", 1, 1, .groups = {OPTIONS, options_common}, .run = run};
