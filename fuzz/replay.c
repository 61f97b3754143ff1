/* SPDX-License-Identifier: Apache-2.0
 * fuzz/replay.c - run a fuzz target on files, without libFuzzer: `make test` runs each target on its folder in
 * fuzz/corpus, so that no target stops compiling unseen, and bugs that were found once stay fixed.
 * In: folders.  Out: the exit code; a target that finds a bug ends the program. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_BYTES (16u << 20) /* of one file */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak)); /* not every target has one */

/* false: the file cannot be read. */
static bool run_file(const char *path) {
    FILE *file = fopen(path, "re");
    uint8_t *data = file ? malloc(MAX_BYTES) : NULL;
    size_t size = data ? fread(data, 1, MAX_BYTES, file) : 0;
    bool is_read = data && !ferror(file) && size < MAX_BYTES;
    if (file)
        fclose(file);
    uint8_t *fitting = is_read ? realloc(data, size > 0 ? size : 1) : NULL; /* reading beyond its end is an error */
    if (fitting)
        LLVMFuzzerTestOneInput(fitting, size);
    free(fitting ? fitting : data);
    return fitting;
}

/* The number of files; -1: one of them, or the folder, cannot be read. */
static int run_folder(const char *folder) {
    struct dirent **names;
    int count = scandir(folder, &names, NULL, alphasort), files = 0;
    for (int i = 0; i < count; i++) {
        char path[4096];
        bool is_file = names[i]->d_name[0] != '.';
        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        if (is_file && files >= 0)
            files = run_file(path) ? files + 1 : -1;
        if (files < 0)
            fprintf(stderr, "%s: cannot be read\n", path);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    return count < 0 ? -1 : files;
}

int main(int argc, char **argv) {
    if (LLVMFuzzerInitialize && LLVMFuzzerInitialize(&argc, &argv) != 0)
        return 1;
    for (int i = 1; i < argc; i++) {
        int files = run_folder(argv[i]);
        if (files <= 0) {
            fprintf(stderr, "%s: there must be files in it\n", argv[i]);
            return 1;
        }
        printf("%s: %d files\n", argv[i], files);
    }
    return argc > 1 ? 0 : 2;
}
