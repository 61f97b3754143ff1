/* SPDX-License-Identifier: Apache-2.0
 * cli/batch/recipe.c - the options that decide what outputs are like: with others, an output has to be made again.
 * Threads, rows and the memory budget are left out, and the version of the program: they are not meant to change what a
 * picture looks like. */
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "base/precision.h"
#include "base/sha256.h"
#include "command/report.h"
#include "format/metadata.h"
#include "run.h"

static json_t *local_recipe(const batch_run *batch) {
    const upscale_run *run = &batch->local;
    const swin2sr_model_info *network = swin2sr_model_get_info(run->model);
    const char *undamaged = run->undamaged ? swin2sr_model_get_info(run->undamaged)->sha256 : NULL;
    const swin2sr_options *engine = &run->options.engine;
    return json_pack("{so ss ss* ss si si si}", "network", report_json_text(batch->network), "sha256", network->sha256,
                     "sha256_undamaged", undamaged, "precision", swin2sr__precision_name((int)network->precision),
                     "tile", engine->tile_px, "overlap", engine->overlap_px, "pad", (int)engine->pad);
}

static json_t *remote_recipe(const remote_run *run) {
    return json_pack("{ss ss}", "server", run->link.address.base, "network", run->network.name);
}

bool batch_make_recipe(batch_run *run) {
    const format_info *format = format_get(run->local.names.format);
    const picture_options *picture = &run->local.picture;
    int32_t quality = picture->quality ? picture->quality : PICTURE_QUALITY;
    uint32_t bits = format_metadata_bits(picture->colour, picture->metadata, picture->has_provenance);
    char plain[TARGET_TEXT_BYTES], target[TARGET_TEXT_BYTES];
    format_target_suffix(&(format_target){0}, run->scale, plain);
    format_target_suffix(&picture->target, run->scale, target);
    json_t *recipe = run->is_remote ? remote_recipe(&run->remote) : local_recipe(run);
    bool is_ok = recipe && json_object_set_new(recipe, "format", json_string(format->name)) == 0 &&
                 json_object_set_new(recipe, "scale", json_integer(run->scale)) == 0 &&
                 (strcmp(plain, target) == 0 || json_object_set_new(recipe, "target", json_string(target)) == 0) &&
                 (!picture->is_animation || json_object_set_new(recipe, "animation", json_true()) == 0) &&
                 (!bits || json_object_set_new(recipe, "metadata", json_integer(bits)) == 0) &&
                 (!format->has_quality || json_object_set_new(recipe, "quality", json_integer(quality)) == 0);
    char hash[MANIFEST_HASH_BYTES];
    run->recipe_json = is_ok ? swin2sr__json_text(recipe, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(recipe);
    if (!run->recipe_json) {
        report_no_memory();
        return false;
    }
    swin2sr__sha256_hex(run->recipe_json, strlen(run->recipe_json), hash);
    memcpy(run->recipe, hash, MANIFEST_RECIPE_BYTES - 1);
    run->recipe[MANIFEST_RECIPE_BYTES - 1] = '\0';
    return true;
}
