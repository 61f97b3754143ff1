/* SPDX-License-Identifier: Apache-2.0
 * cli/model/list.c - swin2sr model list: built-in, installed and available networks.
 * No network is loaded: the rows come from the headers of the files and from the catalogue. */
#include <stdio.h>
#include <string.h>

#include "command/commands.h"
#include "command/report.h"
#include "library/catalog.h"
#include "library/library.h"
#include "record.h"

typedef struct list_row {
    const char *name;
    const char *state; /* "built-in", "installed", "available" */
    const char *task;  /* "": none in particular */
    const char *license;
    const char *origin; /* URL; "": unknown */
    int32_t scale;      /* 0: unknown */
    uint64_t bytes;     /* 0: unknown */
    bool is_default;
    const char *summary; /* NULL: none */
} list_row;

static void print_row(const list_row *row) {
    char scale[16] = "-", size[32] = "-";
    if (row->scale)
        snprintf(scale, sizeof(scale), "x%d", row->scale);
    if (row->bytes)
        snprintf(size, sizeof(size), "%.1f MiB", (double)row->bytes / (1 << 20));
    printf("%-26s %-10s %-5s %-11s %10s  %s%s\n", row->name, row->state, scale, row->task[0] ? row->task : "-", size,
           row->license[0] ? row->license : "licence not stated", row->is_default ? "  (default)" : "");
    if (row->summary)
        printf("    %s\n", row->summary);
}

static json_t *row_json(const list_row *row) {
    return json_pack("{ss ss so so so so so sb ss?}", "name", row->name, "state", row->state, "scale",
                     row->scale ? json_integer(row->scale) : json_null(), "task",
                     row->task[0] ? json_string(row->task) : json_null(), "bytes",
                     row->bytes ? json_integer((json_int_t)row->bytes) : json_null(), "license",
                     report_json_text(row->license), "source",
                     row->origin[0] ? report_json_text(row->origin) : json_null(), "default", (int)row->is_default,
                     "summary", row->summary);
}

/* Print a row, or add it to rows under --json. */
static bool show(json_t *rows, const list_row *row) {
    if (rows)
        return json_array_append_new(rows, row_json(row)) == 0;
    print_row(row);
    return true;
}

static bool show_built_in(json_t *rows, size_t index) {
    const char *name = swin2sr_model_built_in_name(index);
    const char *task = library_task_of(name);
    size_t bytes = 0;
    swin2sr_model_built_in_bytes(name, &bytes);
    return show(rows, &(list_row){.name = name,
                                  .state = "built-in",
                                  .task = task ? task : "",
                                  .license = "Apache-2.0",
                                  .origin = "",
                                  .scale = 4,
                                  .bytes = bytes,
                                  .is_default = index == 0,
                                  .summary = swin2sr_model_built_in_summary(index)});
}

static bool show_installed(json_t *rows, const catalog *offers, const library_entry *entry) {
    char path[LIBRARY_MAX_PATH];
    model_facts facts = {0};
    swin2sr_error error = {0};
    const catalog_offer *offer = catalog_find(offers, entry->name);
    swin2sr_status status = library_find(entry->name, path, sizeof(path), &error);
    if (status == SWIN2SR_OK)
        status = model_facts_read(path, &facts, &error);
    if (status != SWIN2SR_OK)
        report_note(entry->name, "%s", error.text);
    return show(rows, &(list_row){.name = entry->name,
                                  .state = "installed",
                                  .task = offer ? offer->task : "",
                                  .license = facts.license,
                                  .origin = facts.source,
                                  .scale = facts.scale ? facts.scale
                                           : offer     ? offer->scale
                                                       : 0,
                                  .bytes = entry->bytes});
}

static bool is_installed(const library_list *list, const char *name) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->entries[i].name, name) == 0)
            return true;
    return false;
}

static bool show_available(json_t *rows, const library_list *list, const catalog_offer *offer) {
    return is_installed(list, offer->name) || show(rows, &(list_row){.name = offer->name,
                                                                     .state = "available",
                                                                     .task = offer->task,
                                                                     .license = offer->license,
                                                                     .origin = offer->url,
                                                                     .scale = offer->scale});
}

static int list_all(json_t *rows, const library_list *list, const catalog *offers) {
    bool is_ok = true;
    for (size_t i = 0; is_ok && i < swin2sr_model_built_in_count(); i++)
        is_ok = show_built_in(rows, i);
    for (size_t i = 0; is_ok && i < list->count; i++)
        is_ok = show_installed(rows, offers, &list->entries[i]);
    for (size_t i = 0; is_ok && i < offers->count; i++)
        is_ok = show_available(rows, list, &offers->offers[i]);
    if (rows)
        return report_json(is_ok ? json_incref(rows) : NULL);
    return CLI_EXIT_OK;
}

static int run(const cli_command *command, int argc, char **argv) {
    cli_options options = {0};
    library_list list = {0};
    catalog offers = {0};
    swin2sr_error error = {0};
    if (!options_parse(command, &options, argc, argv, &argv))
        return CLI_EXIT_USAGE;
    swin2sr_status status = catalog_open(&offers, &error);
    if (status == SWIN2SR_OK)
        status = library_list_open(&list, &error);
    int code = report_failure(NULL, status, &error);
    if (code == CLI_EXIT_OK) {
        json_t *rows = options.is_json ? json_array() : NULL;
        code = list_all(rows, &list, &offers);
        json_decref(rows);
    }
    library_list_done(&list);
    catalog_done(&offers);
    return code;
}

const cli_command model_list_command = {"list", "swin2sr model list", .groups = {options_common}, .run = run};
