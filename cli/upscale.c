/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale.c - swin2sr upscale: files, the images of folders, or standard input, enlarged one after the other.
 * In: file names.  Out: files that appear whole or not at all; results as JSON; the worst exit code.
 * A failed input is reported and the next one is taken; a signal stops everything. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "commands.h"
#include "exit_codes.h"
#include "input.h"
#include "interrupt.h"
#include "model_choice.h"
#include "options.h"
#include "output.h"
#include "progress.h"
#include "report.h"
#include "enlarge/enlarge.h"
#include "probe/probe.h"

const char upscale_help[] =
    "Usage: swin2sr upscale [OPTION]... IN... -o OUT\n"
    "Enlarge PNG and JPEG images. IN is a file, a folder (its images are taken, not its\n"
    "folders), or - for standard input. OUT is a file, a folder when there are several\n"
    "inputs or it ends in / or is one (then <name>_x<scale>.<format> in it), or - for\n"
    "standard output.\n\n"
    "  -o, --output OUT        where to write; needed\n"
    "  -f, --force             replace existing files\n"
    "      --format F          png or jpeg (default: from OUT's name, png in folders and for -)\n"
    "      --quality N         of JPEG, 1..100 (default: 95)\n"
    "      --aux FILE          also write the second image of a model that has one (compressed\n"
    "                          photos: the input, cleaned); one input\n"
    "      --plan              say how each input would be done, and do nothing; no -o\n"
    "      --task T            the best network here for photo, clean, compressed, jpeg (no\n"
    "                          enlarging) or fast, instead of --model\n" OPTIONS_MODEL_HELP OPTIONS_ENGINE_HELP
        OPTIONS_COMMON_HELP "\nExit code: 0 done, 1 an input failed, 2 usage, 3 model, 4 a file could not be read or\n"
    "written, 5 out of memory, 130 interrupted. After a failed input the next one is taken.\n";

enum {
    FORMAT_ID = OPTIONS_COMMAND_ID,
    QUALITY_ID,
    PLAN_ID,
    AUX_ID,
    TASK_ID
};

typedef struct name_list {
    char **list;
    size_t count;
} name_list;

typedef struct upscale {
    cli_options options;
    enlarge_options enlarge;
    const char *output;
    const char *aux; /* where the second image goes; NULL: nowhere */
    bool is_format_given;
    bool may_replace;
    bool is_folder; /* output is one */
    bool is_plan;   /* only say what would be done */
    const char *task;
    char chosen[LIBRARY_MAX_NAME]; /* the network for task */
    swin2sr_model *model;
    name_list inputs;
    name_list outputs; /* of the inputs so far */
    json_t *results;
    int exit_code;
} upscale;

/* ---- names ---- */

/* Takes name, which may be NULL (out of memory). */
static bool names_take(name_list *names, char *name) {
    char **list = name ? realloc(names->list, (names->count + 1) * sizeof(*list)) : NULL;
    if (!list) {
        free(name);
        report_error(NULL, "out of memory");
        return false;
    }
    names->list = list;
    names->list[names->count++] = name;
    return true;
}

static void names_free(name_list *names) {
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i]);
    free(names->list);
}

static bool is_folder(const char *path) {
    struct stat info;
    return strcmp(path, "-") != 0 && stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* A pipe or a device in a folder would be waited for; a link to nothing is left to be reported. */
static bool is_no_file(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static char *joined(const char *folder, const char *name) {
    bool has_slash = folder[0] && folder[strlen(folder) - 1] == '/';
    char *path;
    return asprintf(&path, "%s%s%s", folder, has_slash ? "" : "/", name) < 0 ? NULL : path;
}

static int is_image_entry(const struct dirent *entry) {
    return entry->d_name[0] != '.' && format_get(format_by_path(entry->d_name))->can_read;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name); /* the same order in every locale */
}

static int add_folder(name_list *inputs, const char *folder) {
    struct dirent **entries;
    size_t before = inputs->count;
    int n = scandir(folder, &entries, is_image_entry, by_name);
    if (n < 0) {
        report_error(folder, "%s", strerror(errno));
        return CLI_EXIT_IO;
    }
    bool is_ok = true;
    for (int i = 0; i < n; i++) {
        char *path = joined(folder, entries[i]->d_name);
        if (is_ok && (!path || !is_no_file(path)))
            is_ok = names_take(inputs, path);
        else
            free(path);
        free(entries[i]);
    }
    free(entries);
    if (!is_ok)
        return CLI_EXIT_SYSTEM;
    if (inputs->count > before)
        return CLI_EXIT_OK;
    report_error(folder, "no PNG or JPEG files in this folder");
    return CLI_EXIT_INPUT;
}

static void note_exit_code(upscale *run, int code) {
    if (code > run->exit_code)
        run->exit_code = code;
}

static void collect_inputs(upscale *run, int count, char **arguments) {
    for (int i = 0; i < count; i++) {
        if (is_folder(arguments[i])) {
            run->is_folder = true;
            note_exit_code(run, add_folder(&run->inputs, arguments[i]));
        } else if (!names_take(&run->inputs, strdup(arguments[i]))) {
            note_exit_code(run, CLI_EXIT_SYSTEM);
        }
    }
}

/* FOLDER/<stem>_x4.png */
static char *output_in_folder(const upscale *run, const char *input) {
    const char *base = strcmp(input, "-") == 0 ? "stdin" : base_name(input);
    size_t stem = strlen(base) - strlen(format_ending(base));
    if (stem > 0 && base[stem - 1] == '.' && base[stem])
        stem--;
    const char *end = format_get(run->enlarge.out.format)->endings[0];
    char *name;
    if (asprintf(&name, "%.*s_x%d.%s", (int)stem, base, swin2sr_model_get_info(run->model)->scale, end) < 0)
        return NULL;
    char *path = joined(run->output, name);
    free(name);
    return path;
}

/* ---- usage ---- */

static bool take_format(upscale *run, const char *name) {
    format_id format = format_by_name(name);
    run->is_format_given = format_get(format)->can_write;
    if (run->is_format_given)
        run->enlarge.out.format = format;
    if (!run->is_format_given)
        report_error(NULL, "--format takes png or jpeg, not '%s'", name);
    return run->is_format_given;
}

static bool take_quality(upscale *run, const char *text) {
    int64_t quality;
    if (!options_take_int("quality", text, 1, 100, &quality))
        return false;
    run->enlarge.out.quality = (int32_t)quality;
    return true;
}

static bool take_option(upscale *run, int id) {
    switch (id) {
    case 'o':
        run->output = optarg;
        return true;
    case 'f':
        run->may_replace = true;
        return true;
    case FORMAT_ID:
        return take_format(run, optarg);
    case QUALITY_ID:
        return take_quality(run, optarg);
    case PLAN_ID:
        run->is_plan = true;
        return true;
    case AUX_ID:
        run->aux = optarg;
        return true;
    case TASK_ID:
        run->task = optarg;
        return true;
    default:
        return options_take(&run->options, id);
    }
}

static bool parse(upscale *run, int argc, char **argv) {
    static const struct option LIST[] = {{"output", required_argument, NULL, 'o'},
                                         {"force", no_argument, NULL, 'f'},
                                         {"format", required_argument, NULL, FORMAT_ID},
                                         {"quality", required_argument, NULL, QUALITY_ID},
                                         {"plan", no_argument, NULL, PLAN_ID},
                                         {"aux", required_argument, NULL, AUX_ID},
                                         {"task", required_argument, NULL, TASK_ID},
                                         OPTIONS_COMMON,
                                         OPTIONS_MODEL,
                                         OPTIONS_ENGINE,
                                         {0}};
    int id;
    while ((id = getopt_long(argc, argv, "o:fq", LIST, NULL)) != -1)
        if (!take_option(run, id))
            return false;
    if (optind == argc || (!run->is_plan && (!run->output || !run->output[0]))) {
        report_error(NULL, "upscale needs %s; see 'swin2sr help upscale'",
                     optind == argc ? "at least one input" : "-o OUT");
        return false;
    }
    if (run->task && run->options.model)
        report_error(NULL, "--task chooses a model; it does not go with --model");
    return !run->task || !run->options.model;
}

/* What kind of place the output is, and the format it asks for; reported when it makes no sense. */
static bool settle_output(upscale *run) {
    const char *out = run->output;
    bool is_stdout = strcmp(out, "-") == 0;
    run->is_folder |= run->inputs.count > 1 || out[strlen(out) - 1] == '/' || is_folder(out);
    if (is_stdout && (run->is_folder || run->options.is_json)) {
        report_error(NULL, "-o - takes one image%s", run->options.is_json ? " and excludes --json" : "");
        return false;
    }
    if (run->aux && (run->is_folder || strcmp(run->aux, "-") == 0 || strcmp(run->aux, out) == 0)) {
        report_error(NULL, "--aux takes a file of its own, and one input");
        return false;
    }
    if (is_stdout && isatty(STDOUT_FILENO)) {
        report_error(NULL, "not writing an image to a terminal");
        return false;
    }
    if (run->is_folder || is_stdout || run->is_format_given)
        return true;
    format_id format = format_by_path(out);
    if (format_get(format)->can_write) {
        run->enlarge.out.format = format;
        return true;
    }
    report_error(out, "the name does not say png or jpeg; use --format");
    return false;
}

static bool make_folder(const char *path) {
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && is_folder(path)))
        return true;
    report_error(path, "%s", strerror(errno));
    return false;
}

/* ---- one image ---- */

typedef struct file_result {
    const char *input;
    const char *output;
    enlarge_report report;
    double seconds;
    swin2sr_status status;
    swin2sr_error error;
} file_result;

static bool on_progress(void *context, double done) {
    progress_update(context, done);
    return interrupt_signal() == 0;
}

static double pixels_of(const input_file *input) {
    probe_info info;
    size_t need;
    if (probe_bytes(input->bytes, input->size, true, &info, &need) != SWIN2SR_OK)
        return 0;
    return (double)info.width_px * info.height_px;
}

static swin2sr_status commit(output_file *output, swin2sr_status status, swin2sr_error *reterr) {
    if (status != SWIN2SR_OK && output->error)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "%s: %s", output->path, strerror(output->error));
    return status == SWIN2SR_OK ? output_commit(output, reterr) : status;
}

/* aux may be NULL. */
static swin2sr_status enlarge_to(upscale *run, const input_file *input, output_file *output, output_file *aux,
                                 file_result *result) {
    progress_line progress;
    progress_init(&progress, !run->options.is_quiet, run->outputs.count, run->inputs.count, pixels_of(input));
    enlarge_options options = run->enlarge;
    options.on_progress = on_progress;
    options.progress_context = &progress;
    options.aux_sink = aux ? output_sink : NULL;
    options.aux_context = aux;
    swin2sr_status status = enlarge_bytes(run->model, input->bytes, input->size, &options, output_sink, output,
                                          &result->report, &result->error);
    progress_done(&progress);
    if (aux && (status == SWIN2SR_OK || aux->error))
        status = commit(aux, status, &result->error);
    return commit(output, status, &result->error);
}

static swin2sr_status read_and_enlarge(upscale *run, output_file *output, output_file *aux, file_result *result) {
    input_file input;
    swin2sr_status status = input_read(result->input, &input, &result->error);
    if (status != SWIN2SR_OK)
        return status;
    status = enlarge_to(run, &input, output, aux, result);
    input_done(&input);
    return status;
}

static swin2sr_status upscale_file(upscale *run, file_result *result) {
    output_file output, aux;
    swin2sr_status status = output_open(result->output, run->may_replace, &output, &result->error);
    if (status != SWIN2SR_OK)
        return status;
    if (run->aux) {
        status = output_open(run->aux, run->may_replace, &aux, &result->error);
        if (status == SWIN2SR_OK) {
            status = read_and_enlarge(run, &output, &aux, result);
            output_done(&aux);
        }
    } else {
        status = read_and_enlarge(run, &output, NULL, result);
    }
    output_done(&output);
    return status;
}

/* ---- results ---- */

static void report_notes(const file_result *result) {
    if (result->report.is_reduced_16)
        report_note(result->input, "16-bit samples are read down to 8 bits");
    if (result->report.is_alpha_dropped)
        report_note(result->input, "JPEG holds no transparency: laid over white");
}

static void report_result(const upscale *run, const file_result *result) {
    if (result->status != SWIN2SR_OK) {
        report_error(result->input, "%s", result->error.text);
        return;
    }
    if (run->options.is_quiet)
        return;
    report_notes(result);
    if (progress_is_terminal())
        report_note(result->output, "%dx%d in %.2f s", result->report.out_width_px, result->report.out_height_px,
                    result->seconds);
}

static json_t *result_json(const upscale *run, const file_result *result) {
    bool is_ok = result->status == SWIN2SR_OK;
    return json_pack("{so so so so sf so so}", "input", report_json_text(result->input), "output",
                     is_ok ? report_json_text(result->output) : json_null(), "width",
                     is_ok ? json_integer(result->report.out_width_px) : json_null(), "height",
                     is_ok ? json_integer(result->report.out_height_px) : json_null(), "seconds", result->seconds,
                     "model", report_json_text(swin2sr_model_get_info(run->model)->name), "error",
                     is_ok ? json_null() : report_json_text(result->error.text));
}

static void keep_result(upscale *run, file_result *result) {
    int code = report_exit_code(result->status);
    if (result->status != SWIN2SR_OK && interrupt_signal()) {
        swin2sr__error_set(&result->error, result->status, "interrupted");
        code = CLI_EXIT_SIGNAL + interrupt_signal();
    } else if (result->status != SWIN2SR_OK && !result->error.text[0]) {
        swin2sr__error_set(&result->error, result->status, "%s", swin2sr_status_name(result->status));
    }
    note_exit_code(run, code);
    report_result(run, result);
    if (run->options.is_json && json_array_append_new(run->results, result_json(run, result)) != 0)
        run->exit_code = CLI_EXIT_SYSTEM;
}

static bool is_output_taken(const upscale *run, const char *path) {
    for (size_t i = 0; i + 1 < run->outputs.count; i++)
        if (strcmp(run->outputs.list[i], path) == 0)
            return true;
    return false;
}

static bool upscale_next(upscale *run, const char *input) {
    if (!names_take(&run->outputs, run->is_folder ? output_in_folder(run, input) : strdup(run->output))) {
        run->exit_code = CLI_EXIT_SYSTEM;
        return false;
    }
    file_result result = {.input = input, .output = run->outputs.list[run->outputs.count - 1]};
    uint64_t start_us = swin2sr__clock_us();
    if (is_output_taken(run, result.output))
        result.status =
            swin2sr__error_set(&result.error, SWIN2SR_IO, "%s: already the output of another input", result.output);
    else
        result.status = upscale_file(run, &result);
    result.seconds = (double)(swin2sr__clock_us() - start_us) / 1e6;
    keep_result(run, &result);
    return interrupt_signal() == 0;
}

static void upscale_all(upscale *run) {
    for (size_t i = 0; i < run->inputs.count; i++)
        if (!upscale_next(run, run->inputs.list[i]))
            break;
    if (interrupt_signal())
        run->exit_code = CLI_EXIT_SIGNAL + interrupt_signal();
}

static int open_model(upscale *run) {
    int code = run->task ? choice_for_task(run->task, run->options.is_quiet, run->chosen) : CLI_EXIT_OK;
    if (code != CLI_EXIT_OK)
        return code;
    if (run->task)
        run->options.model = run->chosen;
    return options_open_model(&run->options, &run->model);
}

/* ---- --plan ---- */

static const char *plan_name(const swin2sr_plan *plan, const swin2sr_options *engine) {
    return plan->columns * plan->bands == 1 ? "whole" : engine->tile_px ? "tiles" : "strips";
}

typedef struct plan_result {
    int32_t width_px, height_px; /* of the input, upright */
    size_t reader_bytes;         /* what the decoder holds beside the engine */
    swin2sr_plan plan;
} plan_result;

static swin2sr_status find_plan(const upscale *run, const char *path, plan_result *ret_result, swin2sr_error *reterr) {
    input_file input;
    image_reader *reader = NULL;
    swin2sr_status status = input_read(path, &input, reterr);
    if (status != SWIN2SR_OK)
        return status;
    status = image_reader_open(input.bytes, input.size, &run->enlarge.limits, &reader, reterr);
    if (status == SWIN2SR_OK) {
        const image_info *info = image_reader_info(reader);
        swin2sr_options engine = run->options.engine;
        bool is_grey = swin2sr_model_get_info(run->model)->channels == 1;
        engine.input_pixel = engine.output_pixel = is_grey ? SWIN2SR_PIXEL_GREY8 : SWIN2SR_PIXEL_RGB8;
        *ret_result = (plan_result){info->width_px, info->height_px, info->memory_bytes, {0}};
        status = swin2sr_stream_plan(run->model, &engine, info->width_px, info->height_px, &ret_result->plan, reterr);
        image_reader_close(reader);
    }
    input_done(&input);
    return status;
}

static json_t *plan_json(const upscale *run, const char *path, const plan_result *found) {
    const swin2sr_plan *plan = &found->plan;
    int32_t scale = swin2sr_model_get_info(run->model)->scale;
    return json_pack("{so so si si si si ss si si si sI sI si sf}", "input", report_json_text(path), "model",
                     report_json_text(swin2sr_model_get_info(run->model)->name), "width", found->width_px * scale,
                     "height", found->height_px * scale, "input_width", found->width_px, "input_height",
                     found->height_px, "plan", plan_name(plan, &run->options.engine), "columns", plan->columns, "bands",
                     plan->bands, "rows", plan->rows, "memory_bytes", (json_int_t)plan->memory_bytes, "decoder_bytes",
                     (json_int_t)found->reader_bytes, "latency_rows", plan->latency_rows, "gmac", plan->gmac);
}

static void plan_next(upscale *run, const char *path) {
    plan_result found = {0};
    swin2sr_error error = {0};
    const swin2sr_plan *plan = &found.plan;
    swin2sr_status status = find_plan(run, path, &found, &error);
    if (status != SWIN2SR_OK) {
        report_error(path, "%s", error.text[0] ? error.text : swin2sr_status_name(status));
        note_exit_code(run, report_exit_code(status));
    } else if (run->options.is_json) {
        if (json_array_append_new(run->results, plan_json(run, path, &found)) != 0)
            run->exit_code = CLI_EXIT_SYSTEM;
    } else {
        printf("%s: %dx%d, %s", path, found.width_px, found.height_px, plan_name(plan, &run->options.engine));
        if (plan->columns * plan->bands > 1)
            printf(" (%d x %d)", plan->columns, plan->bands);
        printf(", %d rows of windows a step, %.1f MiB, %.0f GMAC\n", plan->rows,
               (double)(plan->memory_bytes + found.reader_bytes) / 1048576.0, plan->gmac);
    }
}

static int plan_all(upscale *run) {
    int code = open_model(run);
    if (code != CLI_EXIT_OK)
        return code;
    run->results = json_array();
    for (size_t i = 0; i < run->inputs.count; i++)
        plan_next(run, run->inputs.list[i]);
    if (run->options.is_json && report_json(json_incref(run->results)) != CLI_EXIT_OK)
        return CLI_EXIT_SYSTEM;
    return run->exit_code;
}

static int run_parsed(upscale *run, int count, char **arguments) {
    collect_inputs(run, count, arguments);
    if (run->exit_code == CLI_EXIT_SYSTEM || run->inputs.count == 0)
        return run->exit_code;
    if (run->is_plan)
        return plan_all(run);
    if (!settle_output(run))
        return CLI_EXIT_USAGE;
    int code = open_model(run);
    if (code != CLI_EXIT_OK)
        return code;
    if (run->is_folder && !make_folder(run->output))
        return CLI_EXIT_IO;
    run->enlarge.engine = run->options.engine;
    run->results = json_array();
    interrupt_watch();
    upscale_all(run);
    if (run->options.is_json && report_json(json_incref(run->results)) != CLI_EXIT_OK)
        return CLI_EXIT_SYSTEM;
    return run->exit_code;
}

int upscale_run(int argc, char **argv) {
    upscale run = {.enlarge.out.format = FORMAT_PNG};
    int code = CLI_EXIT_USAGE;
    if (parse(&run, argc, argv))
        code = run_parsed(&run, argc - optind, argv + optind);
    names_free(&run.inputs);
    names_free(&run.outputs);
    json_decref(run.results);
    swin2sr_model_unref(run.model);
    return code;
}
