/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/names.c - list names, find the images of a folder, name outputs. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command/report.h"
#include "names.h"

bool names_take(name_list *names, char *name) {
    char **list = name ? realloc(names->list, (names->count + 1) * sizeof(*list)) : NULL;
    if (!list) {
        free(name);
        report_no_memory();
        return false;
    }
    names->list = list;
    names->list[names->count++] = name;
    return true;
}

bool names_has(const name_list *names, const char *name) {
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->list[i], name) == 0)
            return true;
    return false;
}

void names_free(name_list *names) {
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i]);
    free(names->list);
}

bool names_is_folder(const char *path) {
    struct stat info;
    return strcmp(path, "-") != 0 && stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Pipes and devices in a folder are left out, because reading them may block. A dangling link is kept and reported. */
static bool is_no_file(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

/* The separator between a folder and the name of a file in it. */
static const char *slash_after(const char *folder) {
    return folder[0] && folder[strlen(folder) - 1] == '/' ? "" : "/";
}

static int is_image_entry(const struct dirent *entry) {
    return entry->d_name[0] != '.' && format_get(format_by_path(entry->d_name))->can_read;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name); /* in every locale */
}

static int add_folder(name_list *inputs, const char *folder) {
    struct dirent **entries;
    size_t before = inputs->count;
    int n = scandir(folder, &entries, is_image_entry, by_name);
    if (n < 0) {
        report_error(folder, "%s", strerror(errno));
        return CLI_EXIT_IO;
    }
    bool is_ok = true;
    for (int i = 0; i < n; i++) {
        char *path;
        if (asprintf(&path, "%s%s%s", folder, slash_after(folder), entries[i]->d_name) < 0)
            path = NULL;
        if (is_ok && (!path || !is_no_file(path)))
            is_ok = names_take(inputs, path);
        else
            free(path);
        free(entries[i]);
    }
    free(entries);
    if (!is_ok)
        return CLI_EXIT_SYSTEM;
    if (inputs->count > before)
        return CLI_EXIT_OK;
    report_error(folder, "has no PNG or JPEG files");
    return CLI_EXIT_INPUT;
}

int names_add_input(name_list *inputs, const char *path) {
    if (names_is_folder(path))
        return add_folder(inputs, path);
    return names_take(inputs, strdup(path)) ? CLI_EXIT_OK : CLI_EXIT_SYSTEM;
}

char *names_in_folder(const char *folder, const char *input, int32_t scale, format_id format) {
    const char *base = strcmp(input, "-") == 0 ? "stdin" : basename(input);
    size_t stem = strlen(base) - strlen(format_ending(base));
    if (stem > 0 && base[stem - 1] == '.' && base[stem])
        stem--;
    char *path;
    int length = asprintf(&path, "%s%s%.*s_x%d.%s", folder, slash_after(folder), (int)stem, base, scale,
                          format_get(format)->endings[0]);
    return length < 0 ? NULL : path;
}
