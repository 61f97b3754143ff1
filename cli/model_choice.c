/* SPDX-License-Identifier: Apache-2.0
 * cli/model_choice.c - tasks and unknown names, answered from the library and the catalogue. */
#include <stdio.h>
#include <string.h>

#include "exit_codes.h"
#include "library/catalog.h"
#include "model_choice.h"
#include "report.h"

static bool is_task(const char *task) {
    if (library_task_find(task))
        return true;
    report_error(NULL, "--task takes photo, clean, compressed, jpeg or fast, not '%s'", task);
    return false;
}

static int choose(const char *task, bool is_quiet, const library_list *list, const catalog *offers,
                  char ret_name[LIBRARY_MAX_NAME]) {
    library_choice here = {0};
    library_choice_consider(&here, task, LIBRARY_BUILT_IN);
    for (size_t i = 0; i < list->count; i++)
        library_choice_consider(&here, task, list->entries[i].name);
    library_choice best = here;
    for (size_t i = 0; i < offers->count; i++)
        library_choice_consider(&best, task, offers->offers[i].name);
    if (!here.name) {
        report_error(NULL, "no network here for task %s; 'swin2sr model pull %s' fetches one", task, best.name);
        return CLI_EXIT_MODEL;
    }
    if (!is_quiet) {
        report_note(NULL, "task %s: %s", task, here.name);
        if (best.name != here.name)
            report_note(NULL, "%s fits task %s better; 'swin2sr model pull %s' fetches it", best.name, task, best.name);
    }
    snprintf(ret_name, LIBRARY_MAX_NAME, "%s", here.name);
    return CLI_EXIT_OK;
}

int choice_for_task(const char *task, bool is_quiet, char ret_name[LIBRARY_MAX_NAME]) {
    library_list list = {0};
    catalog offers = {0};
    swin2sr_error error = {0};
    if (!is_task(task))
        return CLI_EXIT_USAGE;
    swin2sr_status status = catalog_open(&offers, &error);
    if (status == SWIN2SR_OK)
        status = library_list_open(&list, &error);
    if (status == SWIN2SR_INVALID) /* nowhere to look: what is inside the program is still there */
        status = SWIN2SR_OK;
    int code = report_exit_code(status);
    if (status == SWIN2SR_OK)
        code = choose(task, is_quiet, &list, &offers, ret_name);
    else
        report_error(NULL, "%s", error.text);
    library_list_done(&list);
    catalog_done(&offers);
    return code;
}

void choice_report_unknown(const char *name) {
    char here[512] = LIBRARY_BUILT_IN;
    library_list list = {0};
    catalog offers = {0};
    bool is_offered = catalog_open(&offers, NULL) == SWIN2SR_OK && catalog_find(&offers, name);
    if (library_list_open(&list, NULL) == SWIN2SR_OK)
        for (size_t i = 0; i < list.count; i++) {
            size_t used = strlen(here);
            snprintf(here + used, sizeof(here) - used, ", %s", list.entries[i].name);
        }
    if (is_offered)
        report_error(name, "not on this machine; 'swin2sr model pull %s' fetches it; here: %s", name, here);
    else
        report_error(name, "no such model; here: %s; a file has a / or ends in .safetensors, .pth or .bin", here);
    library_list_done(&list);
    catalog_done(&offers);
}
