/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/upload.c - tus, as a client. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "upload.h"

#define PIECE_BYTES ((size_t)4 << 20)
#define MAX_UPLOADS 3 /* that vanish before the image counts as refused */
#define TUS "Tus-Resumable: 1.0.0"

typedef struct upload {
    remote_link *link;
    const unsigned char *data;
    size_t size;
    ticket *note;
    bool knows_offset;
    uint64_t offset; /* where the upload goes on */
    uint64_t best;   /* the highest offset so far */
    int begun;       /* uploads made by this run */
} upload;

swin2sr_status upload_ask(remote_link *link, bool *ret_has_jobs, swin2sr_error *reterr) {
    remote_answer answer;
    swin2sr_status status =
        link_call(link, &(link_request){.method = "OPTIONS", .path = "/v1/uploads"}, &answer, reterr);
    if (status != SWIN2SR_OK)
        return status;
    *ret_has_jobs = answer.code >= 200 && answer.code < 300;
    return *ret_has_jobs || answer.code == 501 ? SWIN2SR_OK : answer_fail(&answer, link->address.host, reterr);
}

static void path_of(const upload *self, char path[128]) {
    snprintf(path, 128, "/v1/uploads/%s", self->note->upload);
}

static void set_offset(upload *self, uint64_t offset) {
    self->knows_offset = true;
    self->offset = offset;
    if (offset > self->best) {
        self->best = offset;
        link_progress(self->link);
    }
}

static swin2sr_status not_tus(const upload *self, swin2sr_error *reterr) {
    return swin2sr__error_set(reterr, SWIN2SR_IO, "%.60s does not answer like a service with resumable uploads",
                              self->link->address.host);
}

/* The upload has expired or was removed. */
static swin2sr_status forget(upload *self, const remote_answer *answer, swin2sr_error *reterr) {
    self->note->upload[0] = '\0';
    self->best = 0;
    return self->begun < MAX_UPLOADS ? SWIN2SR_OK : answer_fail(answer, self->link->address.host, reterr);
}

static swin2sr_status create(upload *self, swin2sr_error *reterr) {
    char length[64];
    remote_answer answer;
    link_request request = {.method = "POST", .path = "/v1/uploads", .headers = {TUS, length}};
    snprintf(length, sizeof(length), "Upload-Length: %zu", self->size);
    swin2sr_status status = link_call(self->link, &request, &answer, reterr);
    if (status != SWIN2SR_OK)
        return status;
    const char *slash = strrchr(answer.location, '/');
    if (answer.code != 201)
        return answer_fail(&answer, self->link->address.host, reterr);
    if (!address_take_id(slash ? slash + 1 : answer.location, self->note->upload))
        return not_tus(self, reterr);
    self->begun++;
    ticket_write(self->note);
    set_offset(self, 0);
    return SWIN2SR_OK;
}

static swin2sr_status ask_offset(upload *self, swin2sr_error *reterr) {
    char path[128];
    uint64_t offset;
    remote_answer answer;
    link_request request = {.method = "HEAD", .path = path, .headers = {TUS}, .is_question = true};
    path_of(self, path);
    swin2sr_status status = link_call(self->link, &request, &answer, reterr);
    if (status != SWIN2SR_OK)
        return status;
    if (answer.code == 404 || answer.code == 410)
        return forget(self, &answer, reterr);
    if (answer.code != 200)
        return answer_fail(&answer, self->link->address.host, reterr);
    if (!answer_parse_number(answer.upload_offset, self->size, &offset))
        return not_tus(self, reterr);
    set_offset(self, offset);
    return SWIN2SR_OK;
}

/* Send one piece. After a failure that may pass, the offset is not known any more. */
static swin2sr_status send_piece(upload *self, swin2sr_error *reterr) {
    char path[128], at[64];
    uint64_t offset, left = self->size - self->offset;
    remote_answer answer;
    swin2sr_error failure = {0};
    link_request request = {.method = "PATCH",
                            .path = path,
                            .headers = {TUS, "Content-Type: application/offset+octet-stream", at},
                            .body = self->data + self->offset,
                            .body_bytes = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES,
                            .done_bytes = self->offset,
                            .total_bytes = self->size};
    path_of(self, path);
    snprintf(at, sizeof(at), "Upload-Offset: %" PRIu64, self->offset);
    swin2sr_status status = link_once(self->link, &request, &answer, &failure);
    if (status != SWIN2SR_OK && status != SWIN2SR_BUSY)
        return swin2sr__error_set(reterr, status, "%s", failure.text);
    if (status == SWIN2SR_OK && (answer.code == 200 || answer.code == 204)) {
        if (!answer_parse_number(answer.upload_offset, self->size, &offset) || offset <= self->offset)
            return not_tus(self, reterr);
        set_offset(self, offset);
        return SWIN2SR_OK;
    }
    if (status == SWIN2SR_OK && (answer.code == 404 || answer.code == 410))
        return forget(self, &answer, reterr);
    if (status == SWIN2SR_OK && answer.code != 409 && !answer_is_transient(&answer))
        return answer_fail(&answer, self->link->address.host, reterr);
    if (status == SWIN2SR_OK)
        answer_fail(&answer, self->link->address.host, &failure);
    self->knows_offset = false;
    return link_pause(self->link, answer_retry_after_s(&answer), failure.text, reterr);
}

swin2sr_status upload_send(remote_link *link, const void *data, size_t size, ticket *note, swin2sr_error *reterr) {
    upload self = {.link = link, .data = data, .size = size, .note = note};
    swin2sr_status status = SWIN2SR_OK;
    while (status == SWIN2SR_OK && !(self.knows_offset && note->upload[0] && self.offset == size)) {
        if (!note->upload[0])
            status = create(&self, reterr);
        else if (!self.knows_offset)
            status = ask_offset(&self, reterr);
        else
            status = send_piece(&self, reterr);
    }
    return status;
}

void upload_remove(remote_link *link, ticket *note) {
    char path[128];
    remote_answer answer;
    if (!note->upload[0])
        return;
    snprintf(path, sizeof(path), "/v1/uploads/%s", note->upload);
    if (link_once(link, &(link_request){.method = "DELETE", .path = path, .headers = {TUS}}, &answer, NULL) ==
        SWIN2SR_OK)
        note->upload[0] = '\0';
}
