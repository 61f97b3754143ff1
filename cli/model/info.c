/* SPDX-License-Identifier: Apache-2.0
 * cli/model/info.c - swin2sr model info: what a network is, as text or JSON. */
#include <inttypes.h>
#include <stdio.h>

#include "base/precision.h"
#include "command/commands.h"
#include "command/network.h"
#include "command/report.h"

static void print_info(const swin2sr_model_info *info) {
    printf("name         %s\n", info->name);
    printf("scale        %d\n", info->scale);
    printf("channels     %d\n", info->channels);
    printf("head         %s\n", info->head[0] ? info->head : "none");
    printf("shape        width %d, %d groups, %d blocks, %d heads, window %d\n", info->embed_dim, info->groups,
           info->blocks, info->heads, info->window_px);
    printf("range        %g\n", (double)info->img_range);
    printf("parameters   %" PRIu64 "\n", info->parameters);
    printf("weights      %.1f MiB in memory\n", (double)info->weights_bytes / (1 << 20));
    printf("precision    %s\n", swin2sr__precision_name(info->precision));
    printf("kernels      %s\n", info->kernels);
    printf("licence      %s\n", info->license[0] ? info->license : "not stated");
    printf("sha256       %s\n", info->sha256);
}

static json_t *info_json(const swin2sr_model_info *info) {
    return json_pack("{so ss ss so ss si si si si si si si sf sI sI ss}", "name", report_json_text(info->name), "head",
                     info->head, "kernels", info->kernels, "license", report_json_text(info->license), "precision",
                     swin2sr__precision_name(info->precision), "scale", info->scale, "channels", info->channels,
                     "window", info->window_px, "embed_dim", info->embed_dim, "groups", info->groups, "blocks",
                     info->blocks, "heads", info->heads, "img_range", (double)info->img_range, "parameters",
                     (json_int_t)info->parameters, "weights_bytes", (json_int_t)info->weights_bytes, "sha256",
                     info->sha256);
}

static int run(const cli_command *command, int argc, char **argv) {
    cli_options options = {0};
    if (!options_parse(command, &options, argc, argv, &argv))
        return CLI_EXIT_USAGE;
    if (argv[0] && options.model) {
        report_error(NULL, "model info: --model and %s exclude each other", argv[0]);
        return CLI_EXIT_USAGE;
    }
    if (argv[0])
        options.model = argv[0];
    swin2sr_model *model;
    int code = network_open(&options, &model);
    if (code != CLI_EXIT_OK)
        return code;
    const swin2sr_model_info *info = swin2sr_model_get_info(model);
    if (options.is_json)
        code = report_json(info_json(info));
    else
        print_info(info);
    swin2sr_model_unref(model);
    return code;
}

const cli_command model_info_command = {"info", "swin2sr model info", .most = 1,
                                        .groups = {options_model, options_common}, .run = run};
