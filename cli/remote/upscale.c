/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/upscale.c - swin2sr remote upscale: have files, the images of folders, or standard input enlarged by a
 * service, one after another.
 * In: file names, and the address of a service.  Out: files that appear whole or not at all; the largest exit code.
 * A failed input does not stop the run; a signal does. */
#include <limits.h>
#include <signal.h>

#include "command/commands.h"
#include "command/interrupt.h"
#include "command/network.h"
#include "command/output.h"
#include "command/report.h"
#include "run.h"

#define DEFAULT_TIMEOUT_S 600

/* ---- usage ---- */

static bool take_format(void *state, const char *name) {
    return outputs_take_format(&((remote_run *)state)->names, name);
}

static bool take_task(void *state, const char *text) {
    return network_take_task(text, &((remote_run *)state)->task);
}

static const cli_option OPTIONS[] = {
    {"server", "URL", "the service, like https://HOST[:PORT] (default: SWIN2SR_SERVER)",
     .field = offsetof(remote_run, server)},
    {"key-file", "FILE", "a file with the API key (default: SWIN2SR_KEY has it, if any)",
     .field = offsetof(remote_run, key_file)},
    {"output", "OUT", "where to write", .letter = 'o', .field = offsetof(remote_run, names.output)},
    {"force", .help = "replace existing files", .letter = 'f', .field = offsetof(remote_run, may_replace)},
    {"skip-existing", .help = "leave inputs alone whose output exists", .field = offsetof(remote_run, skips_existing)},
    {"recursive", .help = "also take the images of folders inside folders", .letter = 'r',
     .field = offsetof(remote_run, names.is_recursive)},
    {"format", "F", " (default: by OUT's name, else png)", .words = outputs_format_word, .take = take_format},
    {"model", "NAME", "a network that the service has (default: the service's default)",
     .field = offsetof(remote_run, options.model)},
    {"task", "T", "\n(default: auto): use the service's best network for this task, instead of\n--model",
     .words = library_task_name, .take = take_task},
    {"timeout", "SECONDS", "give up after so long without progress, 1..86400 (default: 600)", .min = 1, .max = 86400,
     .field = offsetof(remote_run, timeout_s)},
    {"keep", .help = "leave the job and the upload on the service until they expire",
     .field = offsetof(remote_run, keeps_jobs)},
    {"cancel-on-interrupt", .help = "cancel the job on Ctrl-C; without it, the job goes on",
     .field = offsetof(remote_run, is_canceled_by_signals)},
    {"json-lines", .help = OPTIONS_JSON_LINES, .field = offsetof(remote_run, options.is_json_lines)},
    {0},
};

static bool parse(const cli_command *command, remote_run *run, int argc, char **argv, char ***ret_inputs) {
    if (!options_parse(command, run, argc, argv, ret_inputs))
        return false;
    bool needs_output = !run->names.output || !run->names.output[0];
    bool has_two_models = run->task && run->options.model;
    if (needs_output)
        report_error(NULL, "remote upscale needs -o OUT; see 'swin2sr help remote'");
    else if (has_two_models)
        report_error(NULL, "--task and --model exclude each other: --task chooses the model");
    else if (run->may_replace && run->skips_existing)
        report_error(NULL, "--force and --skip-existing exclude each other");
    else
        return options_check_json(&run->options) && picture_settle(&run->picture) && remote_settle_server(run);
    return false;
}

/* ---- all inputs ---- */

static int each_input(remote_run *run) {
    int worst = CLI_EXIT_OK;
    run->results = run->options.is_json ? json_array() : NULL;
    for (const found_input *input; (input = outputs_next(&run->names));) {
        int code = remote_image(run, input);
        worst = code > worst ? code : worst;
    }
    return outputs_finish(&run->names, &run->options, run->skipped, run->results, worst);
}

static int run_parsed(remote_run *run, char **inputs) {
    swin2sr_error error = {0};
    const char *json = run->options.is_json ? "json" : run->options.is_json_lines ? "json-lines" : NULL;
    if (!outputs_collect(&run->names, inputs, run->options.is_quiet))
        return CLI_EXIT_SYSTEM;
    if (!outputs_settle(&run->names, json))
        return CLI_EXIT_USAGE;
    if (inputs_usable(&run->names.inputs) == 0) /* only failures are reported */
        return each_input(run);
    interrupt_watch();
    signal(SIGPIPE, SIG_IGN); /* a TLS connection that breaks while something is sent would raise it */
    swin2sr_status status = remote_meet(run, &error);
    if (status == SWIN2SR_OK && run->names.is_folder)
        status = output_make_folder(run->names.output, &error);
    if (status != SWIN2SR_OK)
        return interrupt_exit_code(report_failure(NULL, status, &error));
    char suffix[TARGET_TEXT_BYTES];
    format_target_suffix(&run->picture.target, run->network.scale, suffix);
    if (!outputs_assign(&run->names, suffix))
        return CLI_EXIT_SYSTEM;
    return each_input(run);
}

static int run(const cli_command *command, int argc, char **argv) {
    remote_run run = {.names.format = FORMAT_PNG, .timeout_s = DEFAULT_TIMEOUT_S};
    int code = CLI_EXIT_USAGE;
    if (parse(command, &run, argc, argv, &argv))
        code = run_parsed(&run, argv);
    link_close(&run.link);
    outputs_done(&run.names);
    json_decref(run.results);
    return code;
}

const cli_command remote_upscale_command = {"upscale",
                                            "swin2sr remote upscale",
                                            NULL,
                                            "at least one input",
                                            1,
                                            INT_MAX,
                                            .groups = {OPTIONS, picture_table, options_common},
                                            .run = run};
