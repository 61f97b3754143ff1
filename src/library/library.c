/* SPDX-License-Identifier: Apache-2.0
 * library/library.c - the folder of the model library: where it is and which networks are in it. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "library/library.h"

static bool ends_in(const char *text, const char *ending) {
    size_t length = strlen(text), n = strlen(ending);
    return length >= n && strcmp(text + length - n, ending) == 0;
}

bool library_is_file_name(const char *text) {
    static const char *const ENDINGS[] = {LIBRARY_ENDING, ".pth", ".pt", ".bin", ".ckpt"};
    for (size_t i = 0; i < sizeof(ENDINGS) / sizeof(ENDINGS[0]); i++)
        if (ends_in(text, ENDINGS[i]))
            return true;
    return strchr(text, '/') != NULL;
}

void library_name_of_path(const char *path, char ret_name[LIBRARY_MAX_NAME]) {
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    size_t length = strlen(base);
    if (slash && (strcmp(base, "model.safetensors") == 0 || strcmp(base, "pytorch_model.bin") == 0)) {
        for (base = slash; base > path && base[-1] != '/';)
            base--;
        length = (size_t)(slash - base);
    } else if (strrchr(base, '.')) {
        length = (size_t)(strrchr(base, '.') - base);
    }
    snprintf(ret_name, LIBRARY_MAX_NAME, "%.*s", (int)(length < LIBRARY_MAX_NAME ? length : 0), base);
    for (char *c = ret_name; *c; c++)
        *c = *c == ' ' ? '-' : (char)tolower((unsigned char)*c);
}

bool library_is_name(const char *text) {
    static const char ALLOWED[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t length = strnlen(text, LIBRARY_MAX_NAME);
    if (length == 0 || length == LIBRARY_MAX_NAME || strspn(text, ALLOWED) != length)
        return false;
    return strchr("._-", text[0]) == NULL && !library_is_file_name(text);
}

bool library_is_built_in(const char *name) {
    return swin2sr__built_in_find(name) < swin2sr__built_in_count();
}

static const char *not_empty(const char *variable) {
    const char *value = getenv(variable);
    return value && value[0] ? value : NULL;
}

static swin2sr_status too_long(size_t size, swin2sr_error *reterr) {
    return swin2sr__error_set(reterr, SWIN2SR_INVALID, "the path of the library must be shorter than %zu bytes", size);
}

swin2sr_status library_folder(char *ret_path, size_t size, swin2sr_error *reterr) {
    const char *own = not_empty("SWIN2SR_MODELS"), *data = not_empty("XDG_DATA_HOME"), *home = not_empty("HOME");
    bool is_data = !own && data && data[0] == '/'; /* as XDG requires, a relative path counts as not set */
    const char *root = own ? own : is_data ? data : home;
    const char *rest = own ? "" : is_data ? "/swin2sr/models" : "/.local/share/swin2sr/models";
    if (!root)
        return swin2sr__error_set(
            reterr, SWIN2SR_INVALID,
            "SWIN2SR_MODELS, XDG_DATA_HOME and HOME are not set: set SWIN2SR_MODELS to a folder for models");
    if (strlen(root) + strlen(rest) >= size)
        return too_long(size, reterr);
    snprintf(ret_path, size, "%s%s", root, rest);
    return SWIN2SR_OK;
}

swin2sr_status library_path(const char *name, const char *ending, char *ret_path, size_t size, swin2sr_error *reterr) {
    char folder[LIBRARY_MAX_PATH];
    if (!library_is_name(name))
        return swin2sr__error_set(
            reterr, SWIN2SR_INVALID,
            "not a model's name: must be 1 to %d characters of a-z 0-9 . _ -, the first a letter or digit",
            LIBRARY_MAX_NAME - 1);
    swin2sr_status status = library_folder(folder, sizeof(folder), reterr);
    if (status != SWIN2SR_OK)
        return status;
    size_t length = strlen(folder) + strlen(name) + strlen(ending) + 1;
    if (length >= size || snprintf(ret_path, size, "%s/%s%s", folder, name, ending) != (int)length)
        return too_long(size, reterr);
    return SWIN2SR_OK;
}

swin2sr_status library_find(const char *name, char *ret_path, size_t size, swin2sr_error *reterr) {
    char path[LIBRARY_MAX_PATH];
    struct stat facts;
    swin2sr_status status = library_path(name, LIBRARY_ENDING, path, sizeof(path), reterr);
    if (status != SWIN2SR_OK)
        return status;
    if (stat(path, &facts) != 0 && errno != ENOENT && errno != ENOTDIR)
        return swin2sr__error_set_errno(reterr, path);
    if (stat(path, &facts) != 0 || !S_ISREG(facts.st_mode))
        return swin2sr__error_set_path(reterr, SWIN2SR_MODEL, path, "no such model is installed");
    if (strlen(path) >= size)
        return too_long(size, reterr);
    memcpy(ret_path, path, strlen(path) + 1);
    return SWIN2SR_OK;
}

/* The name of NAME.safetensors, or false. */
static bool name_of_file(const char *file, char ret_name[LIBRARY_MAX_NAME]) {
    size_t length = strlen(file), ending = strlen(LIBRARY_ENDING);
    if (length <= ending || length - ending >= LIBRARY_MAX_NAME || !ends_in(file, LIBRARY_ENDING))
        return false;
    char name[LIBRARY_MAX_NAME] = "";
    memcpy(name, file, length - ending);
    if (!library_is_name(name))
        return false;
    memcpy(ret_name, name, sizeof(name));
    return true;
}

static bool list_add(library_list *list, const library_entry *entry) {
    library_entry *entries = realloc(list->entries, (list->count + 1) * sizeof(*entries));
    if (!entries)
        return false;
    entries[list->count++] = *entry;
    list->entries = entries;
    return true;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const library_entry *)a)->name, ((const library_entry *)b)->name);
}

swin2sr_status library_list_open(library_list *ret_list, swin2sr_error *reterr) {
    char folder[LIBRARY_MAX_PATH];
    library_list list = {0};
    bool is_ok = true;
    swin2sr_status status = library_folder(folder, sizeof(folder), reterr);
    if (status != SWIN2SR_OK)
        return status;
    DIR *opened = opendir(folder);
    if (!opened && errno != ENOENT)
        return swin2sr__error_set_errno(reterr, folder);
    for (const struct dirent *found; opened && is_ok && (found = readdir(opened));) {
        library_entry entry;
        struct stat facts;
        if (name_of_file(found->d_name, entry.name) && fstatat(dirfd(opened), found->d_name, &facts, 0) == 0 &&
            S_ISREG(facts.st_mode)) {
            entry.bytes = (uint64_t)facts.st_size;
            is_ok = list_add(&list, &entry);
        }
    }
    if (opened)
        closedir(opened);
    if (!is_ok) {
        library_list_done(&list);
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
    }
    if (list.count > 0)
        qsort(list.entries, list.count, sizeof(*list.entries), by_name);
    *ret_list = list;
    return SWIN2SR_OK;
}

void library_list_done(library_list *list) {
    free(list->entries);
    *list = (library_list){0};
}
