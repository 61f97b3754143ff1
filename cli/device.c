/* SPDX-License-Identifier: Apache-2.0
 * cli/device.c - swin2sr device list: the GPUs of this machine, and what --device would take. */
#include <stdio.h>
#include <string.h>

#include "command/commands.h"
#include "command/report.h"
#include "device.h"
#include "engine/device_list.h"

/* The first real GPU that can be used; count: none. */
static size_t choose(const swin2sr__device_info *infos, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (infos[i].is_gpu && !infos[i].problem)
            return i;
    return count;
}

static void print_device(const swin2sr__device_info *info, size_t index, bool is_chosen) {
    printf("vulkan:%zu  %s\n    %s, %.1f GiB, Vulkan %u.%u, %s\n    features: fp32%s%s%s%s\n    networks: heads of up "
           "to %d channels\n",
           index, info->name, info->type, (double)info->memory_bytes / (1 << 30), info->api_major, info->api_minor,
           info->driver, info->has_fp16 ? ", fp16" : "", info->has_int8 ? ", int8" : "",
           info->has_matrix ? ", cooperative matrix" : "", info->has_budget ? ", memory budget" : "", info->max_head);
    if (info->problem)
        printf("    cannot be used: %s\n", info->problem);
    else if (is_chosen)
        puts("    taken by --device auto, if it passes its self-test");
    else
        printf("    taken by --device vulkan:%zu only%s\n", index,
               info->is_gpu ? "" : ": it is not a GPU, and slower than the CPU's own kernels");
}

static json_t *device_json(const swin2sr__device_info *info, size_t index, bool is_chosen) {
    char name[32];
    snprintf(name, sizeof(name), "vulkan:%zu", index);
    return json_pack("{ss so ss so sI sI sI sb sb sb sb si so sb}", "device", name, "name",
                     report_json_text(info->name), "type", info->type, "driver", report_json_text(info->driver),
                     "memory_bytes", (json_int_t)info->memory_bytes, "vulkan_major", (json_int_t)info->api_major,
                     "vulkan_minor", (json_int_t)info->api_minor, "fp16", info->has_fp16, "int8", info->has_int8,
                     "cooperative_matrix", info->has_matrix, "memory_budget", info->has_budget, "max_head_channels",
                     (int)info->max_head, "problem", info->problem ? json_string(info->problem) : json_null(), "auto",
                     is_chosen);
}

static json_t *all_json(const swin2sr__device_info *infos, size_t count) {
    json_t *devices = json_array();
    size_t chosen = choose(infos, count);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(devices, device_json(&infos[i], i, i == chosen));
    return devices;
}

json_t *device_list_json(swin2sr_error *reterr) {
    swin2sr__device_info infos[SWIN2SR__MAX_DEVICES];
    size_t count = 0;
    return swin2sr__device_list(infos, &count, reterr) == SWIN2SR_OK ? all_json(infos, count) : json_array();
}

static int list(const cli_command *command, int argc, char **argv) {
    cli_options options = {0};
    swin2sr__device_info infos[SWIN2SR__MAX_DEVICES];
    size_t count = 0;
    swin2sr_error error = {""};
    if (!options_parse(command, &options, argc, argv, &argv))
        return CLI_EXIT_USAGE;
    if (swin2sr__device_list(infos, &count, &error) != SWIN2SR_OK && !options.is_quiet)
        report_note(NULL, "%s", error.text); /* a machine without a GPU is no failure */
    size_t chosen = choose(infos, count);
    if (options.is_json)
        return report_json(all_json(infos, count));
    for (size_t i = 0; i < count; i++)
        print_device(&infos[i], i, i == chosen);
    if (chosen == count)
        puts("--device auto takes the CPU");
    return CLI_EXIT_OK;
}

const cli_command device_list_command = {
    "list", "swin2sr device list", "", .groups = {options_common}, .run = list,
};

static const cli_command *const VERBS[] = {&device_list_command, NULL};

static int run(const cli_command *command, int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "list") == 0) {
        argv[1] = (char *)device_list_command.title;
        return device_list_command.run(&device_list_command, argc - 1, argv + 1);
    }
    report_error(NULL, "device takes list first; see 'swin2sr help device'");
    return CLI_EXIT_USAGE;
}

const cli_command device_command = {
    "device",
    "swin2sr device",
    "Usage: swin2sr device list [OPTION]...\n"
    "The Vulkan devices of this machine that 'swin2sr upscale --device' and 'swin2sr bench --device' can\n"
    "use, and which one --device auto takes: a GPU, never one that computes on the processor.\n\n"
    "  list      name, type, memory, driver and features of each\n\n",
    .groups = {options_common},
    .verbs = VERBS,
    .run = run,
};
