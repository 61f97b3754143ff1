/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/networks.c - read the list of networks and choose one. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "networks.h"

#define MAX_NETWORKS 100
#define MAX_SCALE 16

/* The name of one entry; NULL: it is not a name of a network. */
static const char *name_of(const json_t *entry) {
    const char *name = json_string_value(json_object_get(entry, "name"));
    return name && library_is_name(name) ? name : NULL;
}

static const json_t *find(const json_t *models, const char *name) {
    const json_t *entry, *found = NULL;
    size_t i;
    json_array_foreach(models, i, entry) if (name && name_of(entry) && strcmp(name_of(entry), name) == 0) found = entry;
    return found;
}

static const json_t *find_default(const json_t *models) {
    const json_t *entry, *found = NULL;
    size_t i;
    json_array_foreach(models, i, entry) if (json_is_true(json_object_get(entry, "default"))) found = entry;
    return found;
}

static bool is_for_auto(const json_t *entry) {
    return json_is_true(json_object_get(entry, "auto"));
}

/* For task=auto: one of those that the picture decides between, which have one scale; else the default. */
static const json_t *find_for_auto(const json_t *models) {
    const json_t *entry, *found = NULL;
    size_t i;
    json_array_foreach(models, i, entry) if (is_for_auto(entry) && !found) found = entry;
    return found ? found : find_default(models);
}

static const json_t *find_for_task(const json_t *models, const char *task) {
    const json_t *entry;
    size_t i;
    library_choice best = {0};
    json_array_foreach(models, i, entry) if (name_of(entry)) library_choice_consider(&best, task, name_of(entry));
    return find(models, best.name);
}

static void list_names(const json_t *models, char *ret_list, size_t size) {
    const json_t *entry;
    size_t i, used = 0;
    ret_list[0] = '\0';
    json_array_foreach(models, i, entry) if (name_of(entry) && used < size) used +=
        (size_t)snprintf(ret_list + used, size - used, "%s%s", used ? ", " : "", name_of(entry));
}

/* ret_network is filled where entry is a network. */
static bool take(const json_t *entry, remote_network *ret_network) {
    const char *name = name_of(entry);
    json_int_t scale = json_integer_value(json_object_get(entry, "scale"));
    if (!name || scale < 0 || scale > MAX_SCALE)
        return false;
    snprintf(ret_network->name, sizeof(ret_network->name), "%s", name);
    ret_network->scale = (int32_t)scale;
    return true;
}

swin2sr_status networks_choose(const remote_answer *answer, const char *host, const char *model, const char *task,
                               remote_network *ret_network, swin2sr_error *reterr) {
    char list[128];
    swin2sr_status status = SWIN2SR_OK;
    json_t *root = json_loadb(answer->text, answer->text_bytes, 0, NULL);
    const json_t *models = json_object_get(root, "models");
    const char *named = task ? task : model;
    bool is_auto = named && strcmp(named, LIBRARY_TASK_AUTO) == 0;
    const json_t *chosen = is_auto ? find_for_auto(models)
                           : model ? find(models, model)
                           : task  ? find_for_task(models, task)
                                   : find_default(models);
    list_names(models, list, sizeof(list));
    if (!list[0] || json_array_size(models) > MAX_NETWORKS)
        status = swin2sr__error_set(reterr, SWIN2SR_IO, "%.60s is not a Swin2SR service: it lists no networks", host);
    else if (!chosen)
        status = swin2sr__error_set(reterr, SWIN2SR_MODEL, "%.64s: not served by %.60s, which has %s",
                                    model  ? model
                                    : task ? task
                                           : "default",
                                    host, list);
    else if (!take(chosen, ret_network))
        status = swin2sr__error_set(reterr, SWIN2SR_IO, "%.60s: the scale of a network must be 1..%d", host, MAX_SCALE);
    else if (is_for_auto(chosen) && (is_auto || !named))
        snprintf(ret_network->name, sizeof(ret_network->name), "%s", LIBRARY_TASK_AUTO);
    json_decref(root);
    return status;
}
