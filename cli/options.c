/* SPDX-License-Identifier: Apache-2.0
 * cli/options.c - shared options: text to the library's option structs, and the model they name. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exit_codes.h"
#include "library/library.h"
#include "model_choice.h"
#include "options.h"
#include "report.h"

#define MAX_THREADS 256
#define MAX_ROWS 64
#define MAX_TILE_PX 65528
#define MAX_MEMORY_MIB ((int64_t)1 << 24)

bool options_parse_int(const char *text, int64_t min, int64_t max, int64_t *ret_value) {
    if (text[0] < '0' || text[0] > '9')
        return false;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < min || value > max)
        return false;
    *ret_value = value;
    return true;
}

bool options_take_int(const char *name, const char *text, int64_t min, int64_t max, int64_t *ret_value) {
    if (options_parse_int(text, min, max, ret_value))
        return true;
    report_error(NULL, "--%s takes a number from %lld to %lld, not '%s'", name, (long long)min, (long long)max, text);
    return false;
}

static bool take_precision(cli_options *options, const char *text) {
    for (int p = 0; p < SWIN2SR_PRECISION_COUNT; p++)
        if (strcmp(text, report_precision_name(p)) == 0) {
            options->load.precision = (swin2sr_precision)p;
            return true;
        }
    report_error(NULL, "--precision takes auto, fp32, bf16 or int8, not '%s'", text);
    return false;
}

static bool take_pad(cli_options *options, const char *text) {
    if (strcmp(text, "reflect") == 0) {
        options->engine.pad = SWIN2SR_PAD_REFLECT;
        return true;
    }
    if (strcmp(text, "symmetric-always") == 0) {
        options->engine.pad = SWIN2SR_PAD_SYMMETRIC_ALWAYS;
        return true;
    }
    report_error(NULL, "--pad takes reflect or symmetric-always, not '%s'", text);
    return false;
}

static bool take_engine_number(cli_options *options, int id, const char *text) {
    int64_t value;
    switch (id) {
    case OPTIONS_THREADS_ID:
        if (!options_take_int("threads", text, 1, MAX_THREADS, &value))
            return false;
        options->engine.threads = (int32_t)value;
        return true;
    case OPTIONS_ROWS_ID:
        if (!options_take_int("rows", text, 1, MAX_ROWS, &value))
            return false;
        options->engine.rows = (int32_t)value;
        return true;
    case OPTIONS_TILE_ID:
        if (!options_take_int("tile", text, 64, MAX_TILE_PX, &value))
            return false;
        options->engine.tile_px = (int32_t)value;
        return true;
    case OPTIONS_OVERLAP_ID:
        if (!options_take_int("overlap", text, 0, MAX_TILE_PX / 4, &value))
            return false;
        options->engine.overlap_px = value ? (int32_t)value : -1; /* 0 in the library: the default */
        return true;
    default:
        if (!options_take_int("memory", text, 1, MAX_MEMORY_MIB, &value))
            return false;
        options->engine.memory_bytes = (size_t)value << 20;
        return true;
    }
}

bool options_take(cli_options *options, int id) {
    switch (id) {
    case 'q':
        options->is_quiet = true;
        return true;
    case OPTIONS_JSON_ID:
        options->is_json = true;
        return true;
    case OPTIONS_MODEL_ID:
        options->model = optarg;
        return true;
    case OPTIONS_PRECISION_ID:
        return take_precision(options, optarg);
    case OPTIONS_PAD_ID:
        return take_pad(options, optarg);
    case OPTIONS_THREADS_ID:
    case OPTIONS_ROWS_ID:
    case OPTIONS_MEMORY_ID:
    case OPTIONS_TILE_ID:
    case OPTIONS_OVERLAP_ID:
        return take_engine_number(options, id, optarg);
    default:
        return false;
    }
}

int options_open_model(const cli_options *options, swin2sr_model **ret_model) {
    const char *model = options->model ? options->model : LIBRARY_BUILT_IN;
    char path[LIBRARY_MAX_PATH];
    swin2sr_error error = {0};
    swin2sr_status status;
    if (library_is_file_name(model)) {
        status = swin2sr_model_open(model, &options->load, ret_model, &error);
    } else if (strcmp(model, LIBRARY_BUILT_IN) == 0) {
        status = swin2sr_model_open_default(&options->load, ret_model, &error);
    } else {
        status = library_find(model, path, sizeof(path), &error);
        if (status == SWIN2SR_INVALID || status == SWIN2SR_MODEL) {
            choice_report_unknown(model);
            return CLI_EXIT_MODEL;
        }
        if (status == SWIN2SR_OK)
            status = swin2sr_model_open(path, &options->load, ret_model, &error);
    }
    if (status == SWIN2SR_OK)
        return CLI_EXIT_OK;
    report_error(model, "%s", error.text[0] ? error.text : swin2sr_status_name(status));
    return status == SWIN2SR_NOMEM ? CLI_EXIT_SYSTEM : CLI_EXIT_MODEL;
}
