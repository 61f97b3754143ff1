/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/upscale.c - swin2sr upscale: enlarge files, the images of folders, or standard input, one after another.
 * In: file names.  Out: files that appear whole or not at all; results as JSON; the largest exit code.
 * A failed input does not stop the run; a signal does. */
#include <limits.h>
#include <string.h>

#include "command/commands.h"
#include "command/interrupt.h"
#include "command/network.h"
#include "command/output.h"
#include "command/report.h"
#include "library/library.h"
#include "pace.h"
#include "run.h"

static bool take_format(void *state, const char *name) {
    return outputs_take_format(&((upscale_run *)state)->names, name);
}

static bool take_task(void *state, const char *text) {
    return network_take_task(text, &((upscale_run *)state)->task);
}

static const cli_option OPTIONS[] = {
    {"output", "OUT", "where to write (needed without --plan)", .letter = 'o',
     .field = offsetof(upscale_run, names.output)},
    {"force", .help = "replace existing files", .letter = 'f', .field = offsetof(upscale_run, may_replace)},
    {"skip-existing", .help = "leave inputs alone whose output exists", .field = offsetof(upscale_run, skips_existing)},
    {"recursive", .help = "also take the images of folders inside folders", .letter = 'r',
     .field = offsetof(upscale_run, names.is_recursive)},
    {"format", "F", " (default: by OUT's name, else png)", .words = outputs_format_word, .take = take_format},
    {"aux", "FILE",
     "also write the second image of a model that has one (compressed\n"
     "photos: the cleaned input); for one input",
     .field = offsetof(upscale_run, aux)},
    {"ensemble",
     .help = "the mean of eight runs, turned and mirrored: eight times the time, and\nmemory for the whole picture",
     .field = offsetof(upscale_run, enlarge.is_ensemble)},
    {"plan", .help = "print how each input would be processed, and do nothing else; needs no -o",
     .field = offsetof(upscale_run, is_plan)},
    {"task", "T",
     "\n(default: auto): use the best network here for this task, instead of\n"
     "--model; auto decides by the picture between photo and clean, jpeg removes\n"
     "JPEG damage without enlarging",
     .words = library_task_name, .take = take_task},
    {"json-lines", .help = OPTIONS_JSON_LINES, .field = offsetof(upscale_run, options.is_json_lines)},
    {0},
};

static bool parse(const cli_command *command, upscale_run *run, int argc, char **argv, char ***ret_inputs) {
    if (!options_parse(command, run, argc, argv, ret_inputs))
        return false;
    bool needs_output = !run->is_plan && (!run->names.output || !run->names.output[0]);
    bool has_two_models = run->task && run->options.model;
    if (needs_output)
        report_error(NULL, "upscale needs -o OUT; see 'swin2sr help upscale'");
    else if (has_two_models)
        report_error(NULL, "--task and --model exclude each other: --task chooses the model");
    else if (run->picture.is_animation && run->aux)
        report_error(NULL, "--animation and --aux exclude each other: only a still picture has a second image");
    else if (run->enlarge.is_ensemble && run->aux)
        report_error(NULL, "--ensemble and --aux exclude each other: the second image is not averaged");
    else if (run->enlarge.is_ensemble && run->options.engine.tile_px)
        report_error(NULL, "--ensemble and --tile exclude each other: an ensemble needs the whole picture");
    else if (run->may_replace && run->skips_existing)
        report_error(NULL, "--force and --skip-existing exclude each other");
    else if (options_check_json(&run->options) && picture_settle(&run->picture)) {
        picture_apply(&run->picture, &run->enlarge);
        return true;
    }
    return false;
}

/* false: the options contradict each other, which has been reported. */
static bool settle_output(upscale_run *run) {
    const char *out = run->names.output;
    const char *json = run->options.is_json ? "json" : run->options.is_json_lines ? "json-lines" : NULL;
    if (!outputs_settle(&run->names, json))
        return false;
    if (run->aux && (run->names.is_folder || strcmp(run->aux, "-") == 0 || strcmp(run->aux, out) == 0)) {
        report_error(NULL, "--aux %s: must be a file other than OUT, and there must be one input", run->aux);
        return false;
    }
    run->enlarge.out.format = run->names.format;
    return true;
}

/* Call one for each input until a signal arrives.  returns  The largest exit code. */
static int each_input(upscale_run *run, int (*one)(upscale_run *, const found_input *)) {
    int worst = CLI_EXIT_OK;
    run->results = run->options.is_json ? json_array() : NULL;
    for (const found_input *input; (input = outputs_next(&run->names));) {
        int code = one(run, input);
        worst = code > worst ? code : worst;
    }
    return outputs_finish(&run->names, &run->options, run->skipped, run->results, worst);
}

static int plan_all(upscale_run *run) {
    swin2sr_error error = {0};
    upscale_pace pace;
    swin2sr_status status = pace_measure(run, &pace, &error);
    run->pace = &pace;
    return status == SWIN2SR_OK ? each_input(run, upscale_plan) : report_failure(NULL, status, &error);
}

static int enlarge_all(upscale_run *run) {
    swin2sr_error error = {0};
    swin2sr_status status = SWIN2SR_OK;
    char suffix[TARGET_TEXT_BYTES];
    format_target_suffix(&run->enlarge.target, swin2sr_model_get_info(run->model)->scale, suffix);
    if (!outputs_assign(&run->names, suffix))
        return CLI_EXIT_SYSTEM;
    if (run->names.is_folder)
        status = output_make_folder(run->names.output, &error);
    if (status != SWIN2SR_OK)
        return report_failure(NULL, status, &error);
    run->enlarge.engine = run->options.engine;
    if (!run->options.is_quiet)
        pace_tell(run);
    interrupt_watch();
    return each_input(run, upscale_image);
}

static int run_parsed(upscale_run *run, char **inputs) {
    if (!outputs_collect(&run->names, inputs, run->options.is_quiet))
        return CLI_EXIT_SYSTEM;
    if (!run->is_plan && !settle_output(run))
        return CLI_EXIT_USAGE;
    if (inputs_usable(&run->names.inputs) == 0) /* only failures are reported */
        return each_input(run, run->is_plan ? upscale_plan : upscale_image);
    int code = network_open_chosen(&run->options, run->task, &run->model, &run->undamaged);
    if (code != CLI_EXIT_OK)
        return code;
    run->enlarge.undamaged_model = run->undamaged;
    return run->is_plan ? plan_all(run) : enlarge_all(run);
}

static int run_upscale(const cli_command *command, int argc, char **argv) {
    upscale_run run = {.names.format = FORMAT_PNG, .options.engine.pad = SWIN2SR_PAD_AROUND};
    int code = CLI_EXIT_USAGE;
    if (parse(command, &run, argc, argv, &argv))
        code = run_parsed(&run, argv);
    outputs_done(&run.names);
    json_decref(run.results);
    swin2sr_model_unref(run.model);
    swin2sr_model_unref(run.undamaged);
    return code;
}

const cli_command upscale_command = {
    "upscale",
    "swin2sr upscale",
    "Usage: swin2sr upscale [OPTION]... IN... -o OUT\n"
    "Enlarge images. IN is a file, a folder (whose images are taken; -r: also those of folders\n"
    "in it), or - for standard input. OUT is a file, or - for standard output. It is a folder\n"
    "if there are several inputs, if it ends in / or if it exists as one; then the outputs are\n"
    "named <name>_x<scale>.<format>.\n\n",
    "at least one input",
    1,
    INT_MAX,
    {OPTIONS, picture_table, options_model, options_device, options_engine, options_common},
    "\nExit code: 0 done, 1 an input failed, 2 usage, 3 model, 4 a file could not be read or\n"
    "written, 5 out of memory, 130 interrupted. A failed input does not stop the others.\n",
    .run = run_upscale,
};
