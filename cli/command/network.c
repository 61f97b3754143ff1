/* SPDX-License-Identifier: Apache-2.0
 * cli/command/network.c - find a network by name, file or task: built in, in the library, in the catalogue. */
#include <stdio.h>
#include <string.h>

#include "library/catalog.h"
#include "library/library.h"
#include "network.h"
#include "report.h"

bool network_take_task(const char *text, const char **ret_task) {
    int32_t index;
    if (!options_take_word("task", library_task_name, text, &index))
        return false;
    *ret_task = library_task_name((size_t)index);
    return true;
}

/* Append a name to a list of names, as far as it fits. */
static void append(char *list, size_t size, const char *name) {
    size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s", used ? ", " : "", name);
}

/* Report an unknown name: which networks are installed, and how to fetch this one if the catalogue offers it. */
static void report_unknown(const char *name) {
    char here[512] = "";
    library_list list = {0};
    catalog offers = {0};
    const char *successor = swin2sr__built_in_successor(name);
    bool is_offered = catalog_open(&offers, NULL) == SWIN2SR_OK && catalog_find(&offers, name);
    for (size_t i = 0; i < swin2sr__built_in_count(); i++)
        append(here, sizeof(here), swin2sr__built_in_get(i)->name);
    if (library_list_open(&list, NULL) == SWIN2SR_OK)
        for (size_t i = 0; i < list.count; i++)
            append(here, sizeof(here), list.entries[i].name);
    if (successor)
        report_error(name,
                     "is no longer inside the program; '--model %s' took its place, and photo and clean are better",
                     successor);
    else if (is_offered)
        report_error(name, "not installed; 'swin2sr model pull %s' fetches it; installed are %s", name, here);
    else
        report_error(name,
                     "no model of this name is installed; installed are %s; a file needs a / or an ending like "
                     ".safetensors or .pth",
                     here);
    library_list_done(&list);
    catalog_done(&offers);
}

static const char *name_of(const cli_options *options) {
    return options->model ? options->model : LIBRARY_BUILT_IN;
}

swin2sr_status network_try(const cli_options *options, swin2sr_model **ret_model, bool *ret_is_unknown,
                           swin2sr_error *reterr) {
    const char *model = name_of(options);
    char path[LIBRARY_MAX_PATH];
    *ret_is_unknown = false;
    if (library_is_file_name(model))
        return swin2sr_model_open(model, &options->load, ret_model, reterr);
    if (library_is_built_in(model))
        return swin2sr_model_open_built_in(model, &options->load, ret_model, reterr);
    swin2sr_status status = library_find(model, path, sizeof(path), reterr);
    *ret_is_unknown = status == SWIN2SR_INVALID || status == SWIN2SR_MODEL;
    return status == SWIN2SR_OK ? swin2sr_model_open(path, &options->load, ret_model, reterr) : status;
}

int network_open(const cli_options *options, swin2sr_model **ret_model) {
    const char *model = name_of(options);
    bool is_unknown;
    swin2sr_error error = {0};
    swin2sr_status status = network_try(options, ret_model, &is_unknown, &error);
    if (is_unknown) {
        report_unknown(model);
        return CLI_EXIT_MODEL;
    }
    int code = report_failure(model, status, &error);
    if (status == SWIN2SR_OK && !options->is_quiet && swin2sr_model_get_info(*ret_model)->kernels_note[0])
        report_note(NULL, "%s", swin2sr_model_get_info(*ret_model)->kernels_note);
    if (status == SWIN2SR_OK && !options->is_quiet && swin2sr_model_get_info(*ret_model)->device_note[0])
        report_note(NULL, "%s", swin2sr_model_get_info(*ret_model)->device_note);
    if (status == SWIN2SR_INVALID) /* SWIN2SR_CPU or --device has an unknown value */
        return CLI_EXIT_USAGE;
    return status == SWIN2SR_OK || status == SWIN2SR_NOMEM ? code : CLI_EXIT_MODEL;
}

/* Choose among the installed networks. NULL: none suits the task, which has been reported. */
static const char *choose(const char *task, bool is_quiet, const library_list *list, const catalog *offers) {
    library_choice here = {0};
    for (size_t i = 0; i < swin2sr__built_in_count(); i++)
        library_choice_consider(&here, task, swin2sr__built_in_get(i)->name);
    for (size_t i = 0; i < list->count; i++)
        library_choice_consider(&here, task, list->entries[i].name);
    library_choice best = here;
    for (size_t i = 0; i < offers->count; i++)
        library_choice_consider(&best, task, offers->offers[i].name);
    if (!here.name) {
        report_error(NULL, "task %s: no network here suits it; 'swin2sr model pull %s' fetches one", task, best.name);
    } else if (!is_quiet) {
        report_note(NULL, "task %s: %s", task, here.name);
        if (best.name != here.name)
            report_note(NULL, "%s suits task %s better; 'swin2sr model pull %s' fetches it", best.name, task,
                        best.name);
    }
    return here.name;
}

int network_open_for_task(const cli_options *options, const char *task, swin2sr_model **ret_model) {
    cli_options chosen = *options;
    library_list list = {0};
    catalog offers = {0};
    swin2sr_error error = {0};
    swin2sr_status status = catalog_open(&offers, &error);
    if (status == SWIN2SR_OK)
        status = library_list_open(&list, &error);
    if (status == SWIN2SR_INVALID) /* no library; the built-in networks remain */
        status = SWIN2SR_OK;
    int code = report_failure(NULL, status, &error);
    if (code == CLI_EXIT_OK) {
        chosen.model = choose(task, options->is_quiet, &list, &offers);
        code = chosen.model ? network_open(&chosen, ret_model) : CLI_EXIT_MODEL;
    }
    library_list_done(&list);
    catalog_done(&offers);
    return code;
}

static int open_role(const cli_options *options, swin2sr__role role, swin2sr_model **ret_model) {
    cli_options chosen = *options;
    chosen.model = swin2sr__built_in_get(swin2sr__built_in_find_role(role))->name;
    return network_open(&chosen, ret_model);
}

static bool is_auto(const char *text) {
    return text && strcmp(text, LIBRARY_TASK_AUTO) == 0;
}

int network_open_chosen(const cli_options *options, const char *task, swin2sr_model **ret_model,
                        swin2sr_model **ret_undamaged) {
    *ret_undamaged = NULL;
    if (task ? !is_auto(task) : options->model && !is_auto(options->model))
        return task ? network_open_for_task(options, task, ret_model) : network_open(options, ret_model);
    cli_options quiet = *options;
    quiet.is_quiet = true; /* what there is to note was noted for the first */
    int code = open_role(options, SWIN2SR__ROLE_DOUBT, ret_model);
    return code == CLI_EXIT_OK ? open_role(&quiet, SWIN2SR__ROLE_UNDAMAGED, ret_undamaged) : code;
}
