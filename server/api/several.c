/* SPDX-License-Identifier: Apache-2.0
 * api/several.c - several images in one request (stages 1 request and 2 admit).
 * In: the files of a form.  Out: one input with a list of them (ipc/bundle.h), which goes the way of one image; or a
 * problem. A file that cannot be enlarged is a problem document in the result. What is wrong with the service, or with
 * all files together, is a problem of the request. */
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/entry_names.h"
#include "api/status_map.h"

/* The document of a problem, to be freed. */
static bool write_problem(const upscale_call *self, const problem *what, bundle_text *ret_text) {
    char *text = problem_to_json(what, self->request->id);
    *ret_text = (bundle_text){text, text ? strlen(text) : 0};
    return text != NULL;
}

/* What a worker says of a file that fails. */
static bool write_problems(const upscale_call *self, bundle *files) {
    for (int i = 1; i < BUNDLE_STATUSES; i++) {
        problem what = problem_of(status_map((swin2sr_status)-i), BUNDLE_DETAIL);
        if (!write_problem(self, &what, &files->problems[i]))
            return false;
    }
    return true;
}

static void free_texts(bundle *files) {
    for (size_t i = 0; i < files->count; i++) {
        free((char *)files->files[i].fault.text);
        files->files[i].fault = (bundle_text){NULL, 0};
    }
    for (int i = 0; i < BUNDLE_STATUSES; i++) {
        free((char *)files->problems[i].text);
        files->problems[i] = (bundle_text){NULL, 0};
    }
}

static void set_plan(const upscale_call *self, const admit_work *work, bundle_file *file) {
    file->cost_us = work->us;
    file->format = work->format;
    file->frames_max = work->is_animation ? (uint32_t)self->service->config->frames_max : 0;
    file->tile_px = work->tile_px;
    file->shrink_px = work->shrink_px;
    file->memory_bytes = work->memory_bytes;
}

/* The largest image stands for all where a cheaper plan is looked for. */
static void keep_largest(probe_info *largest, const probe_info *info) {
    uint64_t here = (uint64_t)info->width_px * (uint64_t)info->height_px;
    if (here > (uint64_t)largest->width_px * (uint64_t)largest->height_px)
        *largest = *info;
    largest->frames = 1;
}

/* Admit one file, or write the problem that takes its place.
 * ret_fault  That problem.
 * returns    false: the request is answered. */
static bool admit_file(upscale_call *self, size_t index, uint64_t at, const admit_terms *terms, admit_sum *sum,
                       problem *ret_fault) {
    bundle *files = self->intake.files;
    bundle_file *file = &files->files[index];
    const admit_input input = {.fd = self->intake.upload.fd, .at = at, .bytes = file->bytes};
    probe_info info;
    admit_work work = {.format = terms->format};
    problem what = problem_of(PROBLEM_MISSING_FILE, "the file is empty");
    bool is_admitted =
        file->bytes > 0 && admit_chosen(self->network, self->undamaged, &input, terms, &info, &work, &what);
    if (!is_admitted && problem_code(&what) >= 500)
        return call_refuse(self, &what);
    if (is_admitted) {
        set_plan(self, &work, file);
        keep_largest(&self->image, &info);
        admit_sum_add(sum, self->network, &info, &work);
    } else if (!write_problem(self, &what, &file->fault)) {
        what = problem_of(PROBLEM_MEMORY, "no memory for several files");
        return call_refuse(self, &what);
    }
    *ret_fault = what;
    entry_name_of_result(file->name, is_admitted ? work.format : terms->format, file->result);
    entry_name_make_unique(files, index, offsetof(bundle_file, result));
    return true;
}

/* All have failed before any work, the last one with this fault. */
static bool refuse_all(upscale_call *self, const problem *fault) {
    const bundle *files = self->intake.files;
    problem what = problem_of(PROBLEM_IMPOSSIBLE, "none of the %zu files can be enlarged; the last one, %.60s: %.150s",
                              files->count, files->files[files->count - 1].name, fault->detail);
    return call_refuse(self, &what);
}

static bool append_list(upscale_call *self) {
    size_t size = 0;
    char *list = write_problems(self, self->intake.files) ? bundle_write(self->intake.files, &size) : NULL;
    problem what = problem_of(PROBLEM_MEMORY, "no memory for several files");
    bool is_made = list != NULL, is_added = is_made && intake_append_list(&self->intake, list, size);
    free(list);
    if (is_added) {
        self->list_bytes = (uint32_t)size;
        return true;
    }
    return call_refuse(self, is_made ? &self->intake.problem : &what);
}

static bool admit_all(upscale_call *self, const admit_terms *terms) {
    const bundle *files = self->intake.files;
    admit_sum sum = {.work = {.format = terms->format, .target = terms->target}};
    uint64_t at = 0;
    size_t refused = 0;
    problem what, fault;
    self->image = (probe_info){.frames = 1, .orientation = 1};
    for (size_t i = 0; i < files->count; i++) {
        if (!admit_file(self, i, at, terms, &sum, &fault))
            return false;
        at += files->files[i].bytes;
        refused += files->files[i].fault.bytes > 0;
    }
    self->work = sum.work;
    if (refused == files->count)
        return refuse_all(self, &fault);
    if (!admit_sum_check(&sum, self->network, terms->limit_us, &what))
        return call_refuse(self, &what);
    return self->kind == CALL_ESTIMATE || append_list(self);
}

bool several_admit(upscale_call *self, const admit_terms *terms) {
    bool is_admitted = admit_all(self, terms);
    free_texts(self->intake.files);
    return is_admitted;
}
