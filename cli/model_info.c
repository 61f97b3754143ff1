/* SPDX-License-Identifier: Apache-2.0
 * cli/model_info.c - swin2sr model info: what a network is, as text or JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "exit_codes.h"
#include "model_verbs.h"
#include "options.h"
#include "report.h"

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
    printf("precision    %s\n", report_precision_name(info->precision));
    printf("kernels      %s\n", info->kernels);
    printf("licence      %s\n", info->license[0] ? info->license : "not stated");
    printf("sha256       %s\n", info->sha256);
}

static json_t *info_json(const swin2sr_model_info *info) {
    return json_pack("{so ss ss so ss si si si si si si si sf sI sI ss}", "name", report_json_text(info->name), "head",
                     info->head, "kernels", info->kernels, "license", report_json_text(info->license), "precision",
                     report_precision_name(info->precision), "scale", info->scale, "channels", info->channels, "window",
                     info->window_px, "embed_dim", info->embed_dim, "groups", info->groups, "blocks", info->blocks,
                     "heads", info->heads, "img_range", (double)info->img_range, "parameters",
                     (json_int_t)info->parameters, "weights_bytes", (json_int_t)info->weights_bytes, "sha256",
                     info->sha256);
}

int model_info_run(int argc, char **argv) {
    static const struct option LIST[] = {OPTIONS_COMMON, OPTIONS_MODEL, {0}};
    cli_options options = {0};
    int id;
    while ((id = getopt_long(argc, argv, "q", LIST, NULL)) != -1)
        if (!options_take(&options, id))
            return CLI_EXIT_USAGE;
    if (argc - optind > 1 || (argc > optind && options.model)) {
        report_error(NULL, "model info takes one model; see 'swin2sr help model'");
        return CLI_EXIT_USAGE;
    }
    if (argc > optind)
        options.model = argv[optind];
    swin2sr_model *model;
    int code = options_open_model(&options, &model);
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
