/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/inputs.c - list names, walk folders. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command/report.h"
#include "format/format.h"
#include "inputs.h"

#define FORMATS_BYTES 128

/* What a walk leaves out. */
typedef struct left_out {
    size_t others;   /* files whose names do not end like those of images */
    size_t enlarged; /* outputs of an earlier run, beside what they were made from */
    size_t folders;  /* without --recursive */
    size_t links;    /* to folders: they could lead in a circle */
    size_t specials; /* pipes and devices, because reading them may block */
    size_t outputs;  /* the folder for outputs */
} left_out;

typedef struct walker {
    input_list *inputs;
    const input_walk *walk;
    size_t inner_at; /* where the part below the operand begins in a path */
    struct stat output;
    bool has_output;
    left_out left;
} walker;

/* ---- the list ---- */

/* Append path and own it; NULL means that memory ran out. */
static bool take(input_list *self, char *path, size_t inner_at) {
    found_input *list = path ? realloc(self->list, (self->count + 1) * sizeof(*list)) : NULL;
    if (!list) {
        free(path);
        report_no_memory();
        return false;
    }
    self->list = list;
    self->list[self->count++] = (found_input){.path = path, .inner = path + inner_at};
    return true;
}

static bool take_problem(input_list *self, const char *path, int code, const char *text) {
    char *copy = strdup(text);
    if (!copy || !take(self, strdup(path), 0)) {
        free(copy);
        return false;
    }
    self->list[self->count - 1].problem = copy;
    self->list[self->count - 1].problem_code = code;
    return true;
}

size_t inputs_usable(const input_list *self) {
    size_t count = 0;
    for (size_t i = 0; i < self->count; i++)
        count += !self->list[i].problem;
    return count;
}

void inputs_done(input_list *self) {
    for (size_t i = 0; i < self->count; i++) {
        free(self->list[i].path);
        free(self->list[i].output);
        free(self->list[i].problem);
    }
    free(self->list);
    *self = (input_list){0};
}

/* ---- names ---- */

bool inputs_is_folder(const char *path) {
    struct stat info;
    return strcmp(path, "-") != 0 && stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

size_t inputs_stem(const char *base) {
    size_t stem = strlen(base) - strlen(format_ending(base));
    return stem > 0 && base[stem] && base[stem - 1] == '.' ? stem - 1 : stem;
}

static bool is_image(const char *name) {
    return format_get(format_by_path(name))->can_read;
}

/* "png, jpeg": the formats that are read. */
static void list_formats(char text[FORMATS_BYTES]) {
    size_t used = 0;
    text[0] = '\0';
    for (int id = FORMAT_UNKNOWN + 1; id < FORMAT_COUNT && used < FORMATS_BYTES; id++)
        if (format_get((format_id)id)->can_read)
            used += (size_t)snprintf(text + used, FORMATS_BYTES - used, "%s%s", used ? ", " : "",
                                     format_get((format_id)id)->name);
}

/* The first of n sorted entries that is not before a name. */
static int find_place(struct dirent **entries, int n, const char *name, size_t length) {
    int from = 0;
    while (from < n) {
        int middle = from + (n - from) / 2;
        if (strncmp(entries[middle]->d_name, name, length) < 0)
            from = middle + 1;
        else
            n = middle;
    }
    return from;
}

/* Whether the folder has an image STEM.*, where name begins with STEM. */
static bool has_image(struct dirent **entries, int n, const char *name, size_t stem) {
    char wanted[NAME_MAX + 2];
    snprintf(wanted, sizeof(wanted), "%.*s.", (int)stem, name);
    for (int i = find_place(entries, n, wanted, stem + 1); i < n; i++) {
        if (strncmp(entries[i]->d_name, wanted, stem + 1) != 0)
            return false;
        if (inputs_stem(entries[i]->d_name) == stem && is_image(entries[i]->d_name))
            return true;
    }
    return false;
}

/* Whether name is NAME_x4.png, NAME_x1.5.png, NAME_w4000.png or NAME_jpg_x4.png beside an image NAME.* or NAME.jpg, as names.c makes it. */
static bool is_enlarged(struct dirent **entries, int n, const char *name) {
    size_t stem = inputs_stem(name), digits = stem;
    while (digits > 0 && ((name[digits - 1] >= '0' && name[digits - 1] <= '9') || name[digits - 1] == '.'))
        digits--;
    if (digits == stem || digits < 3 || !memchr("xwh", name[digits - 1], 3) || name[digits - 2] != '_')
        return false;
    size_t source = digits - 2, ending = source;
    if (has_image(entries, n, name, source))
        return true;
    while (ending > 1 && name[ending - 1] != '_')
        ending--;
    char whole[NAME_MAX + 1];
    snprintf(whole, sizeof(whole), "%.*s", (int)source, name);
    if (ending < 2)
        return false;
    whole[ending - 1] = '.';
    int at = find_place(entries, n, whole, source);
    return is_image(whole) && at < n && strcmp(entries[at]->d_name, whole) == 0;
}

/* ---- folders ---- */

static int is_shown(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name); /* in every locale */
}

static bool walk_folder(walker *self, const char *folder);

static bool walk_inner(walker *self, const char *path, const struct stat *info) {
    struct stat link;
    if (!self->walk->is_recursive) {
        self->left.folders++;
        return true;
    }
    if (lstat(path, &link) == 0 && S_ISLNK(link.st_mode)) {
        self->left.links++;
        return true;
    }
    if (self->has_output && info->st_dev == self->output.st_dev && info->st_ino == self->output.st_ino) {
        self->left.outputs++;
        return true;
    }
    return walk_folder(self, path);
}

/* Take one entry of a folder; owns path. A link that leads nowhere is taken and fails when it is read. */
static bool walk_entry(walker *self, struct dirent **entries, int n, int i, char *path) {
    struct stat info;
    const char *name = entries[i]->d_name;
    bool is_there = path && stat(path, &info) == 0, is_ok = true;
    size_t *left = NULL;
    if (is_there && S_ISDIR(info.st_mode)) {
        is_ok = walk_inner(self, path, &info);
        free(path);
        return is_ok;
    }
    if (is_there && !S_ISREG(info.st_mode))
        left = &self->left.specials;
    else if (!is_image(name))
        left = &self->left.others;
    else if (is_enlarged(entries, n, name))
        left = &self->left.enlarged;
    if (!left)
        return take(self->inputs, path, self->inner_at);
    ++*left;
    free(path);
    return true;
}

static bool walk_folder(walker *self, const char *folder) {
    struct dirent **entries;
    int n = scandir(folder, &entries, is_shown, by_name);
    if (n < 0)
        return take_problem(self->inputs, folder, CLI_EXIT_IO, strerror(errno));
    const char *slash = folder[strlen(folder) - 1] == '/' ? "" : "/";
    bool is_ok = true;
    for (int i = 0; i < n && is_ok; i++) {
        char *path;
        if (asprintf(&path, "%s%s%s", folder, slash, entries[i]->d_name) < 0)
            path = NULL;
        is_ok = walk_entry(self, entries, n, i, path);
    }
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    return is_ok;
}

static void tell_left_out(const left_out *left, const char *folder) {
    char text[512] = "";
    report_add_count(text, sizeof(text), left->others, "file of another kind", "files of other kinds");
    report_add_count(text, sizeof(text), left->enlarged, "file that an earlier run has made of another",
                     "files that an earlier run has made of others");
    report_add_count(text, sizeof(text), left->folders, "folder (-r walks it)", "folders (-r walks them)");
    report_add_count(text, sizeof(text), left->links, "link to a folder", "links to folders");
    report_add_count(text, sizeof(text), left->specials, "pipe or device", "pipes or devices");
    report_add_count(text, sizeof(text), left->outputs, "folder for outputs", "folders for outputs");
    if (text[0])
        report_note(folder, "left out: %s", text);
}

static bool add_folder(input_list *self, const char *folder, const input_walk *walk) {
    size_t before = self->count;
    walker state = {.inputs = self, .walk = walk, .inner_at = strlen(folder) + (folder[strlen(folder) - 1] != '/')};
    state.has_output = walk->output && strcmp(walk->output, "-") != 0 && stat(walk->output, &state.output) == 0;
    if (!walk_folder(&state, folder))
        return false;
    if (!walk->is_quiet)
        tell_left_out(&state.left, folder);
    if (self->count > before)
        return true;
    char formats[FORMATS_BYTES], text[FORMATS_BYTES + 64];
    list_formats(formats);
    snprintf(text, sizeof(text), "has no images to enlarge (%s)", formats);
    return take_problem(self, folder, CLI_EXIT_INPUT, text);
}

bool inputs_add(input_list *self, const char *operand, const input_walk *walk) {
    if (inputs_is_folder(operand))
        return add_folder(self, operand, walk);
    return take(self, strdup(operand), (size_t)(basename(operand) - operand));
}
