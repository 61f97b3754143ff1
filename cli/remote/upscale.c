/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/upscale.c - swin2sr remote upscale: have files, the images of folders, or standard input enlarged by a
 * service, one after another.
 * In: file names, and the address of a service.  Out: files that appear whole or not at all; the largest exit code.
 * A failed input does not stop the run; a signal does. */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>

#include "command/commands.h"
#include "command/interrupt.h"
#include "command/output.h"
#include "command/report.h"
#include "run.h"
#include "upload.h"

#define DEFAULT_QUALITY 95
#define DEFAULT_TIMEOUT_S 600

/* ---- usage ---- */

static bool take_format(void *state, const char *name) {
    return outputs_take_format(&((remote_run *)state)->names, name);
}

static bool take_task(void *state, const char *text) {
    int32_t index;
    if (!options_take_word("task", library_task_name, text, &index))
        return false;
    ((remote_run *)state)->task = library_task_name((size_t)index);
    return true;
}

static const cli_option OPTIONS[] = {
    {"server", "URL", "the service, like https://HOST[:PORT] (default: SWIN2SR_SERVER)",
     .field = offsetof(remote_run, server)},
    {"key-file", "FILE", "a file with the API key (default: SWIN2SR_KEY has it, if any)",
     .field = offsetof(remote_run, key_file)},
    {"output", "OUT", "where to write", .letter = 'o', .field = offsetof(remote_run, names.output)},
    {"force", .help = "replace existing files", .letter = 'f', .field = offsetof(remote_run, may_replace)},
    {"format", "F", " (default: by OUT's name; png in folders and on standard output)", .words = outputs_format_word,
     .take = take_format},
    {"quality", "N", "JPEG quality, 1..100 (default: 95)", .min = 1, .max = 100,
     .field = offsetof(remote_run, quality)},
    {"strict", .help = "refuse damaged files even if all of their pixels can be read",
     .field = offsetof(remote_run, is_strict)},
    {"preserve-times", .help = "give each output the modification time of its input",
     .field = offsetof(remote_run, keeps_times)},
    {"model", "NAME", "a network that the service has (default: the service's default)",
     .field = offsetof(remote_run, options.model)},
    {"task", "T", ":\nuse the service's best network for this task, instead of --model", .words = library_task_name,
     .take = take_task},
    {"timeout", "SECONDS", "give up after so long without progress, 1..86400 (default: 600)", .min = 1, .max = 86400,
     .field = offsetof(remote_run, timeout_s)},
    {"keep", .help = "leave the job and the upload on the service until they expire",
     .field = offsetof(remote_run, keeps_jobs)},
    {"cancel-on-interrupt", .help = "cancel the job on Ctrl-C; without it, the job goes on",
     .field = offsetof(remote_run, is_canceled_by_signals)},
    {0},
};

/* false: reported. */
static bool settle_server(remote_run *run) {
    swin2sr_error error = {0};
    if (!run->server)
        run->server = getenv("SWIN2SR_SERVER");
    if (!run->server || !run->server[0]) {
        report_error(NULL, "which service? give --server URL, or set SWIN2SR_SERVER");
        return false;
    }
    if (address_parse(run->server, &run->link.address, &error) == SWIN2SR_OK)
        return true;
    report_error(NULL, "--server: %s", error.text); /* without the address, which may have a password */
    return false;
}

static bool parse(const cli_command *command, remote_run *run, int argc, char **argv, char ***ret_inputs) {
    if (!options_parse(command, run, argc, argv, ret_inputs))
        return false;
    bool needs_output = !run->names.output || !run->names.output[0];
    bool has_two_models = run->task && run->options.model;
    if (needs_output)
        report_error(NULL, "remote upscale needs -o OUT; see 'swin2sr help remote'");
    else if (has_two_models)
        report_error(NULL, "--task and --model exclude each other: --task chooses the model");
    return !needs_output && !has_two_models && settle_server(run);
}

/* ---- the service ---- */

/* Ask for the network until the service has loaded it. */
static swin2sr_status choose_network(remote_run *run, swin2sr_error *reterr) {
    remote_link *link = &run->link;
    for (;;) {
        remote_answer answer;
        link_request request = {.method = "GET", .path = "/v1/models", .is_question = true};
        swin2sr_status status = link_call(link, &request, &answer, reterr);
        if (status == SWIN2SR_OK && answer.code != 200)
            return answer_fail(&answer, link->address.host, reterr);
        if (status == SWIN2SR_OK)
            status = networks_choose(&answer, link->address.host, run->options.model, run->task, &run->network, reterr);
        if (status != SWIN2SR_OK || run->network.scale > 0)
            return status;
        status = link_pause(link, 0, "the service has not loaded the network yet", reterr);
        if (status != SWIN2SR_OK)
            return status;
    }
}

static swin2sr_status meet(remote_run *run, swin2sr_error *reterr) {
    swin2sr_status status = key_read(run->key_file, run->key, reterr);
    if (status != SWIN2SR_OK)
        return status;
    run->link.timeout_s = run->timeout_s;
    run->link.key = run->key[0] ? run->key : NULL;
    if (run->link.key && !run->link.address.is_https && !run->link.address.is_loopback && !run->options.is_quiet)
        report_note(NULL, "the key is sent to %s without encryption; https would protect it", run->link.address.host);
    status = link_open(&run->link, reterr);
    if (status == SWIN2SR_OK)
        status = choose_network(run, reterr);
    if (status == SWIN2SR_OK)
        status = upload_ask(&run->link, &run->has_jobs, reterr);
    if (status == SWIN2SR_OK && run->task && !run->options.is_quiet)
        report_note(NULL, "task %s: %s", run->task, run->network.name);
    return status;
}

/* ---- all inputs ---- */

static int worse(int code, int other) {
    return code > other ? code : other;
}

static int run_parsed(remote_run *run, char **inputs) {
    swin2sr_error error = {0};
    int worst = outputs_collect(&run->names, inputs);
    if (worst == CLI_EXIT_SYSTEM || run->names.inputs.count == 0)
        return worst;
    if (!outputs_settle(&run->names, run->options.is_json))
        return CLI_EXIT_USAGE;
    interrupt_watch();
    signal(SIGPIPE, SIG_IGN); /* a TLS connection that breaks while something is sent would raise it */
    swin2sr_status status = meet(run, &error);
    if (status == SWIN2SR_OK && run->names.is_folder)
        status = output_make_folder(run->names.output, &error);
    if (status != SWIN2SR_OK)
        return interrupt_exit_code(report_failure(NULL, status, &error));
    run->results = json_array();
    for (size_t i = 0; i < run->names.inputs.count && !interrupt_signal(); i++)
        worst = worse(worst, remote_image(run, run->names.inputs.list[i]));
    if (run->options.is_json && report_json(json_incref(run->results)) != CLI_EXIT_OK)
        return CLI_EXIT_SYSTEM;
    return interrupt_exit_code(worst);
}

static int run(const cli_command *command, int argc, char **argv) {
    remote_run run = {.names.format = FORMAT_PNG, .quality = DEFAULT_QUALITY, .timeout_s = DEFAULT_TIMEOUT_S};
    int code = CLI_EXIT_USAGE;
    if (parse(command, &run, argc, argv, &argv))
        code = run_parsed(&run, argv);
    link_close(&run.link);
    outputs_done(&run.names);
    json_decref(run.results);
    return code;
}

const cli_command remote_upscale_command = {
    "upscale", "swin2sr remote upscale", NULL, "at least one input", 1, INT_MAX, .groups = {OPTIONS, options_common},
    .run = run};
