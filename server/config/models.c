/* SPDX-License-Identifier: Apache-2.0
 * config/models.c - the networks to serve.
 * In: the value of --models.  Out: names, paths and numbers of workers, or what is wrong with which entry. */
#include "config/config.h"

#include "base/error.h"
#include "library/catalog.h"

static swin2sr_status wrong(swin2sr_error *reterr, const char *entry, const char *why) {
    return swin2sr__error_set(reterr, SWIN2SR_INVALID, "%.100s: %s", entry, why);
}

/* Cut off the number of workers, if there is one: it follows the last colon, unless that is part of a path. */
static bool take_workers(char *entry, int32_t *ret_workers) {
    char *colon = strrchr(entry, ':');
    if (!colon || strchr(colon, '/'))
        return true;
    size_t digits = strspn(colon + 1, "0123456789");
    int32_t workers = 0;
    for (size_t i = 1; i <= digits && workers <= LIMIT_WORKERS; i++)
        workers = workers * 10 + (colon[i] - '0');
    *ret_workers = workers;
    bool is_number = digits > 0 && !colon[1 + digits];
    *colon = '\0';
    return is_number && workers >= 1 && workers <= LIMIT_WORKERS;
}

static swin2sr_status find_file(const catalog *offers, const char *entry, served_model *model, swin2sr_error *reterr) {
    if (library_is_file_name(entry)) {
        memcpy(model->path, entry, strlen(entry) + 1);
        catalog_name_file(offers, entry, model->name);
        return library_is_name(model->name) ? SWIN2SR_OK
                                            : wrong(reterr, entry, "name the file with letters, digits, . _ - only");
    }
    if (!library_is_name(entry))
        return wrong(reterr, entry, "neither the name of a model nor a file, which has a / or ends in .safetensors");
    memcpy(model->name, entry, strlen(entry) + 1);
    if (library_is_built_in(entry) || library_find(entry, model->path, sizeof model->path, NULL) == SWIN2SR_OK)
        return SWIN2SR_OK;
    const char *successor = swin2sr__built_in_successor(entry);
    if (successor)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "%s: no longer inside the program; name %s in its place",
                                  entry, successor);
    return wrong(reterr, entry, "no such model in the library; 'swin2sr model list' shows what is there");
}

static swin2sr_status add(served_models *models, const catalog *offers, const char *text, size_t length,
                          swin2sr_error *reterr) {
    char entry[LIBRARY_MAX_PATH];
    if (length >= sizeof entry || models->count == LIMIT_MODELS)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "more than %d models, or one with a very long path",
                                  LIMIT_MODELS);
    memcpy(entry, text, length);
    entry[length] = '\0';
    served_model *model = &models->rows[models->count];
    if (!take_workers(entry, &model->workers))
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "%.100s: not 1 to %d workers after the colon", entry,
                                  LIMIT_WORKERS);
    swin2sr_status status = find_file(offers, entry, model, reterr);
    for (int32_t i = 0; status == SWIN2SR_OK && i < models->count; i++)
        if (strcmp(models->rows[i].name, model->name) == 0)
            status = wrong(reterr, model->name, "two models of that name");
    models->count += status == SWIN2SR_OK;
    return status;
}

static void count_pools(served_models *models) {
    int32_t shared = 0, built_in_count = 0;
    for (served_model *model = models->rows; model < models->rows + models->count; model++)
        if (!model->path[0]) {
            shared = model->workers > shared ? model->workers : shared;
            built_in_count++;
        }
    for (served_model *model = models->rows; model < models->rows + models->count; model++)
        model->workers = model->path[0] ? model->workers : shared;
    models->pool_count = models->count - built_in_count + (built_in_count > 0);
}

swin2sr_status models_parse(const char *text, served_models *ret_models, swin2sr_error *reterr) {
    catalog offers;
    swin2sr_status status = catalog_open(&offers, reterr);
    if (status != SWIN2SR_OK)
        return status;
    memset(ret_models, 0, sizeof *ret_models);
    for (size_t length; status == SWIN2SR_OK && (length = config_next_entry(&text)) > 0; text += length)
        status = add(ret_models, &offers, text, length, reterr);
    catalog_done(&offers);
    if (status == SWIN2SR_OK && ret_models->count == 0)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "names no model");
    count_pools(ret_models);
    return status;
}
