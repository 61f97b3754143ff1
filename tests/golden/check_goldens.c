/* SPDX-License-Identifier: Apache-2.0
 * tests/golden/check_goldens.c - small networks of every head against the oracle's tensors.
 * usage: check_goldens [--kernels NAME | --device NAME] FOLDER...   each folder may hold NAME.safetensors with NAME.golden.safetensors
 * --kernels leaves out the precisions that other tables of kernels run; it fails where none is left.
 * --device runs the networks in fp32 and fp16 on a device (swin2sr_model_options.device), at one number of threads and
 * without taps, of which devices besides the CPU have none. Where the device cannot be used, the program says why and exits with
 * 77, which the test counts as skipped; with SWIN2SR_NEEDS_VULKAN in the environment that is a failure.
 * For each network, in fp32, bf16 and int8: the output and the taps inside the body at the kernel level in use (SWIN2SR_CPU),
 * the first layer out of bounds is printed; output bits at 1, 2 and 3 threads and 1, 2 and 5 rows per step. The aux
 * head's second image is compared too. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/precision.h"
#include "base/threads.h"
#include "engine/device_list.h"
#include "model/tensors.h"
#include "upscale/plan.h"
#include <swin2sr/swin2sr.h>

#define MAX_TAPS 16

typedef struct file_bytes {
    char *data;
    size_t size;
} file_bytes;

typedef struct plane {
    float *values; /* [height][width][channels] */
    int32_t height, width, channels;
} plane;

/* How far values are from a golden's. */
typedef struct distance {
    double worst;           /* largest difference; NaN sticks */
    double squares, energy; /* sums of the differences' squares and of the golden's */
} distance;

typedef struct tap_target {
    char name[64]; /* "tap.layer0.block1" */
    plane expected;
    distance distance;
} tap_target;

typedef struct golden {
    plane x, y;
    plane aux; /* the second image, padded; none: no values */
    tap_target taps[MAX_TAPS];
    int taps_count;
    int channels;
} golden;

static file_bytes read_file(const char *path) {
    file_bytes bytes = {0};
    FILE *file = fopen(path, "rb");
    if (!file)
        return bytes;
    fseek(file, 0, SEEK_END);
    bytes.size = (size_t)ftell(file);
    rewind(file);
    bytes.data = malloc(bytes.size);
    if (fread(bytes.data, 1, bytes.size, file) != bytes.size)
        bytes.size = 0;
    fclose(file);
    return bytes;
}

/* (1, C, H, W) to [H][W][C]. */
static plane plane_of_image(const swin2sr__tensor *tensor) {
    int32_t C = (int32_t)tensor->shape[1], H = (int32_t)tensor->shape[2], W = (int32_t)tensor->shape[3];
    float *raw = malloc(tensor->count * sizeof *raw);
    plane p = {malloc(tensor->count * sizeof *raw), H, W, C};
    swin2sr__tensor_to_float(tensor, raw);
    for (int32_t c = 0; c < C; c++) {
        for (int32_t i = 0; i < H * W; i++)
            p.values[i * C + c] = raw[c * H * W + i];
    }
    free(raw);
    return p;
}

static bool load_golden(const char *path, golden *g) {
    file_bytes bytes = read_file(path);
    swin2sr__tensors file;
    swin2sr_error error = {"unreadable"};
    memset(g, 0, sizeof *g);
    if (!bytes.size || swin2sr__safetensors_init(bytes.data, bytes.size, &file, &error) != SWIN2SR_OK) {
        printf("%s: %s\n", path, error.text);
        free(bytes.data);
        return false;
    }
    for (size_t i = 0; i < file.tensor_count; i++) {
        const swin2sr__tensor *tensor = &file.tensors[i];
        if (strcmp(tensor->name, "x") == 0) {
            g->x = plane_of_image(tensor);
        } else if (strcmp(tensor->name, "y") == 0) {
            g->y = plane_of_image(tensor);
        } else if (strcmp(tensor->name, "aux") == 0) {
            g->aux = plane_of_image(tensor);
        } else if (strncmp(tensor->name, "tap.", 4) == 0 && g->taps_count < MAX_TAPS) {
            tap_target *tap = &g->taps[g->taps_count++];
            snprintf(tap->name, sizeof tap->name, "%s", tensor->name);
            tap->expected = (plane){malloc(tensor->count * sizeof(float)), (int32_t)tensor->shape[1],
                                    (int32_t)tensor->shape[2], (int32_t)tensor->shape[3]};
            swin2sr__tensor_to_float(tensor, tap->expected.values);
        }
    }
    swin2sr__tensors_done(&file);
    free(bytes.data);
    return g->x.values && g->y.values;
}

static void free_golden(golden *g) {
    free(g->x.values);
    free(g->y.values);
    free(g->aux.values);
    for (int i = 0; i < g->taps_count; i++)
        free(g->taps[i].expected.values);
}

static void add_difference(distance *sum, float value, float expected) {
    double d = fabs((double)value - (double)expected);
    sum->worst = d <= sum->worst ? sum->worst : d;
    sum->squares += d * d;
    sum->energy += (double)expected * (double)expected;
}

/* What is judged: of fp32 the largest difference, else the share of the noise in the signal, both as amplitudes. */
static double error_of(const distance *sum, swin2sr_precision precision) {
    return precision == SWIN2SR_PRECISION_FP32 ? sum->worst : sqrt(sum->squares / sum->energy);
}

static void compare_tap(void *context, swin2sr__tap_layer layer, int32_t group, int32_t block, int32_t lanes,
                        const int32_t *y, const int32_t *x, const float *values) {
    golden *g = context;
    char name[64];
    if (layer == SWIN2SR__TAP_EMBED)
        snprintf(name, sizeof name, "tap.embed");
    else if (layer == SWIN2SR__TAP_GROUP)
        snprintf(name, sizeof name, "tap.layer%d", group);
    else
        snprintf(name, sizeof name, "tap.layer%d.block%d", group, block);
    for (int i = 0; i < g->taps_count; i++) {
        tap_target *tap = &g->taps[i];
        const plane *p = &tap->expected;
        if (strcmp(tap->name, name) != 0)
            continue;
        for (int32_t t = 0; t < lanes; t++) {
            for (int32_t c = 0; y[t] >= 0 && c < p->channels; c++)
                add_difference(&tap->distance, values[c * lanes + t],
                               p->values[(y[t] * p->width + x[t]) * p->channels + c]);
        }
    }
}

static swin2sr_status copy_rows(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    plane *out = context;
    for (int32_t i = 0; i < n; i++)
        memcpy(out->values + (size_t)(y + i) * (size_t)(out->width * out->channels),
               (const char *)rows + (size_t)i * stride_bytes, (size_t)(out->width * out->channels) * sizeof(float));
    return SWIN2SR_OK;
}

/* One pass through the engine itself, with taps and the second image where asked. */
static plane run_engine(const swin2sr_model *model, golden *g, int32_t rows, uint32_t threads, bool has_taps,
                        plane *aux) {
    const swin2sr__packed *network = swin2sr__model_packed(model);
    swin2sr_pixel pixel = g->x.channels == 3 ? SWIN2SR_PIXEL_RGBF32 : SWIN2SR_PIXEL_GREYF32;
    plane out = {NULL, g->y.height, g->y.width, g->y.channels};
    out.values = calloc((size_t)out.height * (size_t)out.width * (size_t)out.channels, sizeof *out.values);
    swin2sr__engine_options options = {.width_px = g->x.width,
                                       .height_px = g->x.height,
                                       .rows = rows,
                                       .threads = threads,
                                       .input_pixel = pixel,
                                       .output_pixel = pixel,
                                       .on_rows = copy_rows,
                                       .rows_context = &out,
                                       .on_aux_rows = aux ? copy_rows : NULL,
                                       .aux_context = aux,
                                       .tap = has_taps ? compare_tap : NULL,
                                       .tap_context = g};
    swin2sr_threads *set = NULL;
    swin2sr__engine *engine = NULL;
    int32_t latency;
    if (swin2sr__threads_start(threads, pthread_create, &set) != SWIN2SR_OK ||
        swin2sr__engine_open(network, set, network->device->measure(network, &options, &latency), &engine) !=
            SWIN2SR_OK ||
        swin2sr__engine_begin(engine, &options) != SWIN2SR_OK ||
        swin2sr__engine_push(engine, g->x.values, (size_t)(g->x.width * g->x.channels) * sizeof(float), g->x.height) !=
            SWIN2SR_OK)
        printf("  the engine failed\n");
    if (engine)
        engine->device->close(engine);
    swin2sr_threads_free(set);
    return out;
}

/* From the top left part of a golden that may be larger. */
static distance distance_between(const plane *a, const plane *larger) {
    distance sum = {0};
    for (int32_t y = 0; y < a->height; y++) {
        for (int32_t x = 0; x < a->width * a->channels; x++)
            add_difference(&sum, a->values[y * a->width * a->channels + x],
                           larger->values[y * larger->width * larger->channels + x]);
    }
    return sum;
}

static bool check_bits(const swin2sr_model *model, golden *g, const plane *first) {
    static const struct {
        int32_t rows;
        uint32_t threads;
    } variants[] = {{2, 1}, {5, 1}, {1, 2}, {2, 3}, {5, 2}};
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        if (swin2sr_model_get_info(model)->device[0] && variants[i].threads > 1)
            continue;
        plane other = run_engine(model, g, variants[i].rows, variants[i].threads, false, NULL);
        size_t bytes = (size_t)(other.height * other.width * other.channels) * sizeof(float);
        bool is_same = memcmp(first->values, other.values, bytes) == 0;
        free(other.values);
        if (!is_same) {
            printf("  bits differ at rows %d, threads %u\n", variants[i].rows, variants[i].threads);
            return false;
        }
    }
    return true;
}

static bool check_network(const char *name, const swin2sr_model *model, golden *g) {
    const swin2sr_model_info *info = swin2sr_model_get_info(model);
    swin2sr_precision precision = info->precision;
    bool is_plain = strcmp(info->kernels, "c") == 0, is_good = true;
    double y_bound = is_plain ? 2e-5 : 5e-5, tap_bound = is_plain ? 5e-5 : 1e-4, worst_tap = 0.0;
    if (precision == SWIN2SR_PRECISION_BF16)
        y_bound = 0.01, tap_bound = 0.02;
    if (precision == SWIN2SR_PRECISION_INT8)
        y_bound = 0.04, tap_bound = 0.06; /* every linear layer adds about half a percent */
    if (precision == SWIN2SR_PRECISION_FP16)
        y_bound = 0.002;
    plane aux = {NULL, g->x.height, g->x.width, g->x.channels};
    if (g->aux.values)
        aux.values = calloc((size_t)aux.height * (size_t)aux.width * (size_t)aux.channels, sizeof *aux.values);
    plane y = run_engine(model, g, 1, 1, true, aux.values ? &aux : NULL);
    for (int i = 0; i < g->taps_count && !info->device[0]; i++) {
        tap_target *tap = &g->taps[i];
        double error = error_of(&tap->distance, precision);
        if (is_good && !(error <= tap_bound)) {
            printf("  first layer out of bounds: %s, error %.2e, bound %.0e\n", tap->name, error, tap_bound);
            is_good = false;
        }
        worst_tap = fmax(worst_tap, error);
    }
    distance distance_of_y = distance_between(&y, &g->y);
    double worst = error_of(&distance_of_y, precision);
    if (aux.values) {
        distance distance_of_aux = distance_between(&aux, &g->aux);
        double worst_aux = error_of(&distance_of_aux, precision);
        printf("  second image %.2e (bound %.0e)\n", worst_aux, y_bound);
        worst = worst_aux <= worst ? worst : worst_aux;
    }
    is_good = worst <= y_bound && is_good && check_bits(model, g, &y);
    printf("%s %s (%s, %s): y %.2e (bound %.0e), taps %.2e (bound %.0e)\n", is_good ? "ok  " : "FAIL", name,
           info->kernels, swin2sr__precision_name((size_t)precision), worst, y_bound, worst_tap, tap_bound);
    free(y.values);
    free(aux.values);
    return is_good;
}

/* What is tested. */
typedef struct selection {
    const char *kernels; /* the table of kernels that counts; NULL: every one */
    const char *device;  /* NULL: the CPU */
} selection;

/* 1 passed, 0 failed, -1 skipped, -2 left out. */
static int check_golden(const char *folder, const char *name, swin2sr_precision precision, const selection *only) {
    char path[1024];
    golden g;
    swin2sr_model *model = NULL;
    swin2sr_error error = {""};
    snprintf(path, sizeof path, "%s/%s.safetensors", folder, name);
    swin2sr_model_options options = {.precision = precision, .device = only->device};
    bool is_for_gpu = precision == SWIN2SR_PRECISION_FP16;
    if (is_for_gpu ? !only->device : only->device && precision != SWIN2SR_PRECISION_FP32)
        return -2;
    swin2sr_status status = swin2sr_model_open(path, &options, &model, &error);
    if (status == SWIN2SR_UNSUPPORTED && !only->device) {
        printf("skip %s: %s\n", name, error.text);
        return -1;
    }
    if (status == SWIN2SR_OK && only->kernels && strcmp(only->kernels, swin2sr_model_get_info(model)->kernels) != 0) {
        swin2sr_model_unref(model);
        return -2;
    }
    if (status == SWIN2SR_OK && is_for_gpu && swin2sr_model_get_info(model)->precision != precision) {
        printf("skip %s: %s\n", name, swin2sr_model_get_info(model)->kernels_note);
        swin2sr_model_unref(model);
        return -1;
    }
    snprintf(path, sizeof path, "%s/%s.golden.safetensors", folder, name);
    if (status != SWIN2SR_OK || !load_golden(path, &g)) {
        printf("FAIL %s: %s\n", name, error.text);
        swin2sr_model_unref(model);
        return 0;
    }
    bool is_good = check_network(name, model, &g);
    free_golden(&g);
    swin2sr_model_unref(model);
    return is_good;
}

/* Whether there is a device to test at all. */
static bool has_device(void) {
    swin2sr__device_info devices[SWIN2SR__MAX_DEVICES];
    swin2sr_error error = {""};
    size_t count = 0;
    if (swin2sr__device_list(devices, &count, &error) != SWIN2SR_OK) {
        printf("skip all: %s\n", error.text);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        printf("vulkan:%zu is %s, %s\n", i, devices[i].name, devices[i].driver);
    return true;
}

int main(int argc, char **argv) {
    static const swin2sr_precision precisions[] = {SWIN2SR_PRECISION_FP32, SWIN2SR_PRECISION_BF16,
                                                   SWIN2SR_PRECISION_INT8, SWIN2SR_PRECISION_FP16};
    int passed = 0, failed = 0, skipped = 0;
    selection only = {0};
    if (argc > 2 && strcmp(argv[1], "--kernels") == 0)
        only.kernels = argv[2];
    if (argc > 2 && strcmp(argv[1], "--device") == 0)
        only.device = argv[2];
    if (only.device && !has_device())
        return getenv("SWIN2SR_NEEDS_VULKAN") ? 1 : 77;
    for (int i = only.kernels || only.device ? 3 : 1; i < argc; i++) {
        struct dirent **entries = NULL;
        int count = scandir(argv[i], &entries, NULL, alphasort);
        if (count < 0)
            printf("skip %s: not there\n", argv[i]);
        for (int j = 0; j < count; j++) {
            char *suffix = strstr(entries[j]->d_name, ".golden.safetensors");
            for (size_t k = 0; suffix && k < sizeof precisions / sizeof precisions[0]; k++) {
                *suffix = 0;
                int result = check_golden(argv[i], entries[j]->d_name, precisions[k], &only);
                passed += result == 1;
                failed += result == 0;
                skipped += result == -1;
            }
            free(entries[j]);
        }
        free(entries);
    }
    printf("goldens: %d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed || !passed;
}
