/* SPDX-License-Identifier: Apache-2.0
 * cli/batch/batch.c - swin2sr batch: enlarge all images of a folder and of those in it, in as many runs as it takes.
 * In: a folder.  Out: a folder with the same folders in it, the manifest of what made each output, the largest exit code.
 * A failed image does not stop the run; a signal, a full disk and a service that has gone do. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "command/commands.h"
#include "command/interrupt.h"
#include "command/network.h"
#include "command/report.h"
#include "library/library.h"
#include "run.h"

#define DEFAULT_TIMEOUT_S 600

/* ---- usage ---- */

static bool take_format(void *state, const char *name) {
    return outputs_take_format(&((batch_run *)state)->local.names, name);
}

static bool take_task(void *state, const char *text) {
    return network_take_task(text, &((batch_run *)state)->local.task);
}

static const cli_option OPTIONS[] = {
    {"output", "OUT", "the folder for outputs", .letter = 'o', .field = offsetof(batch_run, local.names.output)},
    {"force", .help = "replace existing files; what is finished with the same options stays", .letter = 'f',
     .field = offsetof(batch_run, local.may_replace)},
    {"skip-existing", .help = "leave inputs alone whose output exists, whatever made it",
     .field = offsetof(batch_run, local.skips_existing)},
    {"dry-run", .help = "print what would be done, how long it would take and how much room it needs",
     .field = offsetof(batch_run, is_dry)},
    {"format", "F", " (default: png)", .words = outputs_format_word, .take = take_format},
    {"task", "T",
     "\n(default: auto): use the best network here for this task, instead of\n"
     "--model; auto decides by the picture between photo and clean",
     .words = library_task_name, .take = take_task},
    {"server", "URL", "have a service do the work, like https://HOST[:PORT]",
     .field = offsetof(batch_run, remote.server)},
    {"key-file", "FILE", "with --server: a file with the API key (default: SWIN2SR_KEY has it, if any)",
     .field = offsetof(batch_run, remote.key_file)},
    {"timeout", "SECONDS", "with --server: give up an image after so long without progress,\n1..86400 (default: 600)",
     .min = 1, .max = 86400, .field = offsetof(batch_run, remote.timeout_s)},
    {"json-lines", .help = OPTIONS_JSON_LINES, .field = offsetof(batch_run, local.options.is_json_lines)},
    {0},
};

/* Why the options cannot be used together; NULL: they can. */
static const char *find_contradiction(const batch_run *run) {
    const cli_options *options = &run->local.options;
    const swin2sr_options no_engine = {.pad = SWIN2SR_PAD_AROUND};
    if (!run->local.names.output || !run->local.names.output[0] || strcmp(run->local.names.output, "-") == 0)
        return "batch needs -o OUT, a folder; see 'swin2sr help batch'";
    if (run->local.task && options->model)
        return "--task and --model exclude each other: --task chooses the model";
    if (run->local.may_replace && run->local.skips_existing)
        return "--force and --skip-existing exclude each other";
    if (run->is_remote && (memcmp(&options->engine, &no_engine, sizeof(no_engine)) != 0 || options->load.precision))
        return "--threads, --memory, --rows, --tile, --overlap, --pad and --precision are not for --server";
    if (!run->is_remote && (run->remote.key_file || run->remote.timeout_s != DEFAULT_TIMEOUT_S))
        return "--key-file and --timeout need --server";
    return NULL;
}

static bool parse(const cli_command *command, batch_run *run, int argc, char **argv) {
    if (!options_parse(command, run, argc, argv, &argv))
        return false;
    run->folder = argv[0];
    run->is_remote = run->remote.server;
    const char *contradiction = find_contradiction(run);
    if (contradiction)
        report_error(NULL, "%s", contradiction);
    else if (!inputs_is_folder(run->folder))
        report_error(run->folder, "is not a folder; swin2sr upscale enlarges files");
    else
        return options_check_json(&run->local.options) && picture_settle(&run->local.picture) &&
               (!run->is_remote || remote_settle_server(&run->remote));
    return false;
}

/* ---- before the first image ---- */

/* What was parsed for both kinds of work. */
static void share_options(batch_run *run) {
    remote_run *remote = &run->remote;
    remote->options = run->local.options;
    remote->task = run->local.task;
    remote->picture = run->local.picture;
    remote->names.format = run->local.names.format;
    run->local.enlarge.out.format = run->local.names.format;
    picture_apply(&run->local.picture, &run->local.enlarge);
    run->local.enlarge.engine = run->local.options.engine;
}

static int open_network(batch_run *run) {
    swin2sr_error error = {0};
    upscale_run *local = &run->local;
    if (run->is_remote) {
        int code = report_failure(NULL, remote_meet(&run->remote, &error), &error);
        run->network = run->remote.network.name;
        run->scale = run->remote.network.scale;
        return interrupt_exit_code(code);
    }
    int code = network_open_chosen(&local->options, local->task, &local->model, &local->undamaged);
    if (code == CLI_EXIT_OK) {
        local->enlarge.undamaged_model = local->undamaged;
        run->network = local->undamaged ? LIBRARY_TASK_AUTO : swin2sr_model_get_info(local->model)->name;
        run->scale = swin2sr_model_get_info(local->model)->scale;
    }
    return code;
}

static int open_manifest(batch_run *run) {
    swin2sr_error error = {0};
    const char *out = run->local.names.output;
    swin2sr_status status = run->is_dry ? SWIN2SR_OK : output_make_folder(out, &error);
    if (status == SWIN2SR_OK)
        status = manifest_open(out, run->is_dry, run->recipe, &run->manifest, &error);
    if (status == SWIN2SR_OK && run->manifest.damaged && !run->local.options.is_quiet)
        report_note(out, "%zu damaged line%s of " MANIFEST_NAME " %s ignored", run->manifest.damaged,
                    run->manifest.damaged == 1 ? "" : "s", run->manifest.damaged == 1 ? "is" : "are");
    report_failure(NULL, status, &error);
    return status == SWIN2SR_BUSY ? CLI_EXIT_IO : report_exit_code(status);
}

/* Outputs of other options are probably a mistake, about which one message is enough. */
static int refuse_other_options(const batch_run *run) {
    size_t count = 0;
    for (size_t i = 0; i < run->count; i++)
        count += run->items[i].has_other_options && run->items[i].state == BATCH_REFUSED;
    if (count == 0 || run->is_dry)
        return CLI_EXIT_OK;
    report_error(run->local.names.output,
                 "%zu output%s made with other options than these (" MANIFEST_NAME
                 " has them); --force makes %s again, --skip-existing keeps %s, another -o leaves %s alone",
                 count, count == 1 ? " was" : "s were", count == 1 ? "it" : "them", count == 1 ? "it" : "them",
                 count == 1 ? "it" : "them");
    return CLI_EXIT_IO;
}

/* ---- all images ---- */

static int each_item(batch_run *run) {
    int worst = CLI_EXIT_OK;
    uint64_t start_us = swin2sr__clock_us();
    batch_sweep(run);
    progress_init(&run->progress, !run->local.options.is_quiet, 1, batch_count(run, BATCH_TODO), run->todo_px);
    for (size_t i = 0; i < run->count && !interrupt_signal() && !run->stopped; i++) {
        int code = batch_item_run(run, &run->items[i]);
        worst = code > worst ? code : worst;
    }
    progress_done(&run->progress);
    if (run->stopped || interrupt_signal())
        report_error(NULL, "stopped: %s; the same command goes on", interrupt_signal() ? "interrupted" : run->stopped);
    int code = batch_summary(run, (double)(swin2sr__clock_us() - start_us) / 1e6);
    return interrupt_exit_code(code > worst ? code : worst);
}

static int run_parsed(batch_run *run) {
    output_names *names = &run->local.names;
    char *operands[] = {(char *)run->folder, NULL};
    names->is_recursive = true;
    share_options(run);
    if (!outputs_collect(names, operands, run->local.options.is_quiet))
        return CLI_EXIT_SYSTEM;
    interrupt_watch();
    signal(SIGPIPE, SIG_IGN); /* a TLS connection that breaks while something is sent would raise it */
    int code = open_network(run);
    if (code != CLI_EXIT_OK)
        return code;
    char suffix[TARGET_TEXT_BYTES];
    format_target_suffix(&run->local.picture.target, run->scale, suffix);
    if (!names_assign(&names->inputs, names->output, suffix, names->format) || !batch_make_recipe(run))
        return CLI_EXIT_SYSTEM;
    code = open_manifest(run);
    if (code == CLI_EXIT_OK && !batch_decide(run))
        code = CLI_EXIT_SYSTEM;
    if (code == CLI_EXIT_OK)
        code = refuse_other_options(run);
    if (code != CLI_EXIT_OK)
        return code;
    return run->is_dry ? batch_preview(run) : each_item(run);
}

static int run_batch(const cli_command *command, int argc, char **argv) {
    batch_run run = {.local = {.names.format = FORMAT_PNG, .options.engine.pad = SWIN2SR_PAD_AROUND},
                     .remote.timeout_s = DEFAULT_TIMEOUT_S,
                     .manifest.fd = -1};
    int code = parse(command, &run, argc, argv) ? run_parsed(&run) : CLI_EXIT_USAGE;
    manifest_close(&run.manifest);
    link_close(&run.remote.link);
    outputs_done(&run.local.names);
    swin2sr_model_unref(run.local.model);
    swin2sr_model_unref(run.local.undamaged);
    free(run.items);
    free(run.recipe_json);
    return code;
}

const cli_command batch_command = {
    "batch",
    "swin2sr batch",
    "Usage: swin2sr batch [OPTION]... DIR -o OUT\n"
    "Enlarge the images of DIR and of the folders in it, into the same folders below OUT. The\n"
    "same command again goes on where a run has ended, however it has ended: OUT has a\n"
    "manifest of what made each output, and what is finished is not made again.\n\n",
    "a folder",
    1,
    1,
    {OPTIONS, picture_table, options_model, options_engine, options_common},
    "\nExit code: 0 done, 1 an image failed, 2 usage, 3 model, 4 a file could not be read or\n"
    "written, outputs of other options are in the way, another batch writes to OUT, or the\n"
    "service failed, 5 out of memory, 130 interrupted. A failed image does not stop the others.\n",
    .run = run_batch,
};
