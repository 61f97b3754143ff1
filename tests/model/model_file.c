/* SPDX-License-Identifier: Apache-2.0
 * tests/model/model_file.c - one weight file through the public API, for tests written in Python.
 * usage: model_file run FILE                             print a hash of the numbers that it makes of a known picture
 *        model_file import FILE TO [NAME SOURCE LICENSE] write TO
 *        model_file refuse FILE...                       open each in every way; all must refuse it, in the same words
 * Exit status: 0 done, 2 usage, 3 refused with "STATUS: DETAIL" on the standard output. For refuse always 0, and a line
 * for each file: the milliseconds of processor time that it took, a space, and "STATUS: DETAIL" or "check: WHAT". */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/sha256.h"
#include <swin2sr/swin2sr.h>

enum {
    WIDTH_PX = 27,
    HEIGHT_PX = 21,
    MAX_BYTES = 100 << 20,
    EXIT_USAGE = 2,
    EXIT_REFUSED = 3
};

static int refused(swin2sr_status status, const swin2sr_error *error) {
    printf("%s: %s\n", swin2sr_status_name(status), error->text);
    return EXIT_REFUSED;
}

/* A picture without symmetry: its numbers follow from their place. */
static swin2sr_status make_picture(int32_t channels, swin2sr_image *picture) {
    swin2sr_pixel pixel = channels == 1 ? SWIN2SR_PIXEL_GREYF32 : SWIN2SR_PIXEL_RGBF32;
    swin2sr_status status = swin2sr_image_alloc(WIDTH_PX, HEIGHT_PX, pixel, picture);
    for (int32_t y = 0; status == SWIN2SR_OK && y < HEIGHT_PX; y++) {
        float *row = (float *)((char *)picture->data + (size_t)y * picture->stride_bytes);
        for (int32_t i = 0; i < WIDTH_PX * channels; i++)
            row[i] = (float)((y * 37 + i * 11 + y * i) % 256) / 255.0f;
    }
    return status;
}

static int print_hash(const swin2sr_image *image) {
    size_t row_bytes = (size_t)image->width_px * swin2sr_pixel_bytes(image->pixel);
    char *numbers = malloc(row_bytes * (size_t)image->height_px), hex[65];
    for (int32_t y = 0; numbers && y < image->height_px; y++)
        memcpy(numbers + (size_t)y * row_bytes, (char *)image->data + (size_t)y * image->stride_bytes, row_bytes);
    if (!numbers)
        return EXIT_REFUSED;
    swin2sr__sha256_hex(numbers, row_bytes * (size_t)image->height_px, hex);
    printf("%s\n", hex);
    free(numbers);
    return 0;
}

static int run(const char *path) {
    swin2sr_model *model = NULL;
    swin2sr_image in = {0}, out = {0};
    swin2sr_error error = {""};
    swin2sr_status status = swin2sr_model_open(path, NULL, &model, &error);
    if (status != SWIN2SR_OK)
        return refused(status, &error);
    swin2sr_options options = {.threads = 1};
    status = make_picture(swin2sr_model_get_info(model)->channels, &in);
    options.output_pixel = in.pixel;
    if (status == SWIN2SR_OK)
        status = swin2sr_upscale(model, &in, &options, &out, &error);
    int result = status == SWIN2SR_OK ? print_hash(&out) : refused(status, &error);
    swin2sr_image_free(&in);
    swin2sr_image_free(&out);
    swin2sr_model_unref(model);
    return result;
}

static int import(int count, char **arguments) {
    swin2sr_import_options options = {0};
    swin2sr_error error = {""};
    if (count == 5)
        options = (swin2sr_import_options){.name = arguments[2], .source = arguments[3], .license = arguments[4]};
    swin2sr_status status = swin2sr_model_import(arguments[0], arguments[1], count == 5 ? &options : NULL, &error);
    return status == SWIN2SR_OK ? 0 : refused(status, &error);
}

/* The bytes of a file that is no larger than a caller would read into memory; anything else gives none. */
static void *read_bytes(const char *path, size_t *ret_size) {
    struct stat facts;
    FILE *file =
        stat(path, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size <= MAX_BYTES ? fopen(path, "rb") : NULL;
    void *bytes = file ? malloc((size_t)facts.st_size + 1) : NULL;
    if (bytes)
        *ret_size = fread(bytes, 1, (size_t)facts.st_size, file);
    if (file)
        fclose(file);
    return bytes;
}

/* What lies beside a file counts when it is opened by its path, and only then. */
static bool has_config(const char *path) {
    char config[4096];
    const char *slash = strrchr(path, '/');
    snprintf(config, sizeof(config), "%.*sconfig.json", slash ? (int)(slash + 1 - path) : 0, path);
    return access(config, F_OK) == 0;
}

/* NULL when every way refuses the file in these words, else what does not. */
static const char *check_refusal(const char *path, swin2sr_status *ret_status, swin2sr_error *ret_error) {
    swin2sr_model *model = NULL;
    swin2sr_error imported = {""};
    char to[4096];
    *ret_status = swin2sr_model_open(path, NULL, &model, ret_error);
    snprintf(to, sizeof(to), "%s.imported", path);
    if (*ret_status == SWIN2SR_OK || model || !ret_error->text[0])
        return "opened, or refused without a word";
    if (swin2sr_model_import(path, to, NULL, &imported) != *ret_status || strcmp(imported.text, ret_error->text) != 0)
        return "import says something else";
    if (access(to, F_OK) == 0)
        return "import left a file";
    size_t size = 0;
    void *bytes = read_bytes(path, &size);
    bool is_open = bytes && swin2sr_model_open_memory(bytes, size, NULL, NULL, &model, NULL) == SWIN2SR_OK;
    free(bytes);
    if (!is_open)
        return NULL;
    swin2sr_model_unref(model);
    return has_config(path) ? NULL : "opened from memory";
}

static int refuse(int count, char **paths) {
    for (int i = 0; i < count; i++) {
        swin2sr_error error = {""};
        swin2sr_status status;
        clock_t start = clock();
        const char *complaint = check_refusal(paths[i], &status, &error);
        printf("%ld %s: %s\n", (long)((clock() - start) / (CLOCKS_PER_SEC / 1000)),
               complaint ? "check" : swin2sr_status_name(status), complaint ? complaint : error.text);
        fflush(stdout); /* so that a crash names its file: the first without a line */
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "run") == 0)
        return run(argv[2]);
    if (argc >= 3 && strcmp(argv[1], "refuse") == 0)
        return refuse(argc - 2, argv + 2);
    if ((argc == 4 || argc == 7) && strcmp(argv[1], "import") == 0)
        return import(argc - 2, argv + 2);
    fprintf(stderr, "usage: model_file run FILE | import FILE TO [NAME SOURCE LICENSE] | refuse FILE...\n");
    return EXIT_USAGE;
}
