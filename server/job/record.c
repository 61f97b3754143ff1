/* SPDX-License-Identifier: Apache-2.0
 * job/record.c - a job's state as text, and back.
 * In: a record, or bytes of a file, which may be damaged.  Out: text, or a record whose every field is in its range.
 * One table names every field, for both directions. */
#include "job/record.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json_text.h"
#include "base/sha256.h"
#include "format/format.h"

typedef enum field_kind {
    KIND_TEXT = 0, /* printable ASCII; size: of the array */
    KIND_U32,
    KIND_I32,
    KIND_64, /* int64_t and uint64_t, 0 or more */
    KIND_BOOL,
    KIND_STATUS,
    KIND_FORMAT,
    KIND_COMPRESSION,
} field_kind;

typedef struct field {
    const char *name;
    field_kind kind;
    size_t offset, size;
} field;

#define FIELD(name, member, kind) \
    { name, kind, offsetof(job_record, member), sizeof((job_record){.version = 0}.member) }

static const field fields[] = {
    FIELD("version", version, KIND_U32),
    FIELD("id", id, KIND_TEXT),
    FIELD("status", status, KIND_STATUS),
    FIELD("created_ms", created_ms, KIND_64),
    FIELD("started_ms", started_ms, KIND_64),
    FIELD("finished_ms", finished_ms, KIND_64),
    FIELD("expires_ms", expires_ms, KIND_64),
    FIELD("is_expired", is_expired, KIND_BOOL),
    FIELD("attempts", attempts, KIND_U32),
    FIELD("owner", spec.owner, KIND_TEXT),
    FIELD("token", token, KIND_TEXT),
    FIELD("idempotency_key", idempotency_key, KIND_TEXT),
    FIELD("body_sha256", body_sha256, KIND_TEXT),
    FIELD("input_sha256", input_sha256, KIND_TEXT),
    FIELD("etag", etag, KIND_TEXT),
    FIELD("spec_version", spec.version, KIND_U32),
    FIELD("request_id", spec.request_id, KIND_TEXT),
    FIELD("trace", spec.trace, KIND_TEXT),
    FIELD("model", spec.model, KIND_TEXT),
    FIELD("undamaged_model", spec.undamaged_model, KIND_TEXT),
    FIELD("format", spec.format, KIND_FORMAT),
    FIELD("quality", spec.quality, KIND_U32),
    FIELD("compression", spec.compression, KIND_COMPRESSION),
    FIELD("metadata", spec.metadata, KIND_U32),
    FIELD("target_scale_milli", spec.target.scale_milli, KIND_U32),
    FIELD("target_width_px", spec.target.width_px, KIND_U32),
    FIELD("target_height_px", spec.target.height_px, KIND_U32),
    FIELD("target_is_fit", spec.target.is_fit, KIND_U32),
    FIELD("crop_x_px", spec.target.crop_x_px, KIND_U32),
    FIELD("crop_y_px", spec.target.crop_y_px, KIND_U32),
    FIELD("crop_width_px", spec.target.crop_width_px, KIND_U32),
    FIELD("crop_height_px", spec.target.crop_height_px, KIND_U32),
    FIELD("plain_parts", spec.target.plain_parts, KIND_U32),
    FIELD("in_bytes", spec.in_bytes, KIND_64),
    FIELD("list_bytes", spec.list_bytes, KIND_U32),
    FIELD("in_pixels_max", spec.in_pixels_max, KIND_64),
    FIELD("out_pixels_max", spec.out_pixels_max, KIND_64),
    FIELD("tile_px", spec.tile_px, KIND_U32),
    FIELD("shrink_px", spec.shrink_px, KIND_U32),
    FIELD("memory_bytes", spec.memory_bytes, KIND_64),
    FIELD("width_px", spec.width_px, KIND_U32),
    FIELD("height_px", spec.height_px, KIND_U32),
    FIELD("sample_bytes", spec.sample_bytes, KIND_U32),
    FIELD("preview_side_px", spec.preview_side_px, KIND_U32),
    FIELD("frames_max", spec.frames_max, KIND_U32),
    FIELD("limit_us", spec.limit_us, KIND_64),
    FIELD("is_strict", spec.is_strict, KIND_BOOL),
    FIELD("cost_us", cost_us, KIND_64),
    FIELD("frames", frames, KIND_U32),
    FIELD("webhook", webhook, KIND_TEXT),
    FIELD("is_webhook_owed", is_webhook_owed, KIND_BOOL),
    FIELD("result_name", result_name, KIND_TEXT),
    FIELD("result_sha256", result_sha256, KIND_TEXT),
    FIELD("preview_sha256", preview_sha256, KIND_TEXT),
    FIELD("queue_us", queue_us, KIND_64),
    FIELD("out_bytes", done.out_bytes, KIND_64),
    FIELD("preview_bytes", done.preview_bytes, KIND_64),
    FIELD("in_width_px", done.in_width_px, KIND_U32),
    FIELD("in_height_px", done.in_height_px, KIND_U32),
    FIELD("out_width_px", done.out_width_px, KIND_U32),
    FIELD("out_height_px", done.out_height_px, KIND_U32),
    FIELD("in_pixels", done.in_pixels, KIND_64),
    FIELD("out_pixels", done.out_pixels, KIND_64),
    FIELD("files", done.files, KIND_U32),
    FIELD("files_failed", done.files_failed, KIND_U32),
    FIELD("decode_us", done.decode_us, KIND_64),
    FIELD("infer_us", done.infer_us, KIND_64),
    FIELD("encode_us", done.encode_us, KIND_64),
    FIELD("plan_memory_bytes", done.plan_memory_bytes, KIND_64),
    FIELD("plan_columns", done.plan_columns, KIND_U32),
    FIELD("plan_bands", done.plan_bands, KIND_U32),
    FIELD("frames_reused", done.frames_reused, KIND_U32),
    FIELD("notes", done.notes, KIND_U32),
    FIELD("choice", done.choice, KIND_U32),
    FIELD("maker", done.maker, KIND_U32),
    FIELD("outcome", outcome, KIND_I32),
    FIELD("detail", detail, KIND_TEXT),
    FIELD("tried", tried, KIND_TEXT),
};
#define FIELD_COUNT (sizeof fields / sizeof fields[0])

static const char *const status_names[RECORD_STATUS_COUNT] = {"queued", "running", "succeeded", "failed", "canceled"};

const char *record_status_name(record_status status) {
    return status_names[status];
}

/* ---- ids ---- */

#define ID_TIME 10
#define ID_RANDOM 16
static const char id_digits[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* Crockford's base 32 */

void record_make_id(const char *node, int64_t now_ms, const uint8_t random[10], char ret_id[LIMIT_JOB_ID_BYTES]) {
    char *at = ret_id + snprintf(ret_id, LIMIT_NODE_BYTES + 1, "%s-", node);
    for (int i = ID_TIME - 1; i >= 0; i--)
        *at++ = id_digits[(uint64_t)now_ms >> 5 * i & 31];
    for (int i = 0; i < ID_RANDOM; i++) {
        int bit = i * 5;
        uint32_t two = (uint32_t)random[bit / 8] << 8 | (bit / 8 + 1 < 10 ? random[bit / 8 + 1] : 0);
        *at++ = id_digits[two >> (11 - bit % 8) & 31];
    }
    *at = '\0';
}

bool record_is_id(const char *text) {
    const char *dash = strchr(text, '-');
    size_t node = dash ? (size_t)(dash - text) : 0;
    return node > 0 && node < LIMIT_NODE_BYTES && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789") == node &&
           strlen(dash + 1) == ID_TIME + ID_RANDOM && strspn(dash + 1, id_digits) == ID_TIME + ID_RANDOM;
}

/* ---- to text ---- */

const char *record_write_time(int64_t ms, char text[RECORD_TIME_BYTES]) {
    time_t seconds = ms / 1000;
    struct tm utc;
    if (ms == 0 || !gmtime_r(&seconds, &utc))
        return NULL;
    size_t length = strftime(text, RECORD_TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + length, RECORD_TIME_BYTES - length, ".%03dZ", (int)(ms % 1000));
    return text;
}

static json_t *to_json(const field *self, const void *at) {
    switch (self->kind) {
    case KIND_TEXT:
        return json_string(at);
    case KIND_U32:
        return json_integer(*(const uint32_t *)at);
    case KIND_I32:
        return json_integer(*(const int32_t *)at);
    case KIND_64:
        return json_integer(*(const int64_t *)at);
    case KIND_BOOL:
        return json_boolean(*(const bool *)at);
    case KIND_STATUS:
        return json_string(status_names[*(const record_status *)at]);
    case KIND_COMPRESSION:
        return json_string(format_compression_name(*(const format_compression *)at));
    default:
        return json_string(format_get(*(const format_id *)at)->name);
    }
}

char *record_to_text(const job_record *self) {
    json_t *document = json_object();
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (json_object_set_new(document, fields[i].name, to_json(&fields[i], (const char *)self + fields[i].offset)) !=
            0) {
            json_decref(document);
            return NULL;
        }
    char *json = swin2sr__json_text(document, JSON_COMPACT), *text = NULL, hex[65];
    json_decref(document);
    if (!json)
        return NULL;
    swin2sr__sha256_hex(json, strlen(json), hex);
    if (asprintf(&text, "sha256 %s\n%s\n", hex, json) < 0)
        text = NULL;
    free(json);
    return text;
}

/* ---- from text ---- */

static bool take_text(const field *self, const json_t *value, char *at) {
    const char *text = json_string_value(value);
    if (!text || json_string_length(value) >= self->size)
        return false;
    for (const char *each = text; *each; each++)
        if (*each < 0x20 || *each > 0x7e)
            return false;
    strcpy(at, text);
    return true;
}

static bool take_number(const json_t *value, int64_t low, int64_t high, int64_t *ret_number) {
    *ret_number = json_integer_value(value);
    return json_is_integer(value) && *ret_number >= low && *ret_number <= high;
}

static bool take_status(const json_t *value, record_status *ret_status) {
    const char *text = json_string_value(value);
    int i = 0;
    while (text && i < RECORD_STATUS_COUNT && strcmp(status_names[i], text) != 0)
        i++;
    *ret_status = (record_status)i;
    return text && i < RECORD_STATUS_COUNT;
}

static bool take_format(const json_t *value, format_id *ret_format) {
    const char *text = json_string_value(value);
    *ret_format = text ? format_by_name(text) : FORMAT_UNKNOWN;
    return text && format_get(*ret_format)->can_write;
}

static bool take(const field *self, const json_t *value, void *at) {
    int64_t number = 0;
    bool is_good;
    switch (self->kind) {
    case KIND_TEXT:
        return take_text(self, value, at);
    case KIND_U32:
        is_good = take_number(value, 0, UINT32_MAX, &number);
        *(uint32_t *)at = (uint32_t)number;
        return is_good;
    case KIND_I32:
        is_good = take_number(value, INT32_MIN, INT32_MAX, &number);
        *(int32_t *)at = (int32_t)number;
        return is_good;
    case KIND_64:
        is_good = take_number(value, 0, INT64_MAX, &number);
        *(int64_t *)at = number;
        return is_good;
    case KIND_BOOL:
        *(bool *)at = json_is_true(value);
        return json_is_boolean(value);
    case KIND_STATUS:
        return take_status(value, at);
    case KIND_COMPRESSION:
        return json_is_string(value) && format_compression_find(json_string_value(value), at);
    default:
        return take_format(value, at);
    }
}

static bool is_sha256(const char *text) {
    return !text[0] || (strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64);
}

/* Conditions that later code relies on, beyond the range of each field. */
static bool is_sound(const job_record *self) {
    return record_is_id(self->id) && self->spec.model[0] && self->spec.quality >= 1 && self->spec.quality <= 100 &&
           format_get(self->spec.format)->can_write && self->spec.in_bytes > self->spec.list_bytes &&
           self->spec.in_pixels_max > 0 && self->spec.out_pixels_max > 0 && self->outcome <= 0 &&
           format_target_is_sound(&self->spec.target) && !strchr(self->result_name, '/') &&
           self->done.choice < CHOICE_COUNT && self->result_name[0] != '.' && is_sha256(self->input_sha256) &&
           is_sha256(self->result_sha256) && is_sha256(self->preview_sha256) &&
           (self->status == RECORD_SUCCEEDED) == (self->result_name[0] != '\0');
}

static const field *find_field(const char *name) {
    size_t i = 0;
    while (strcmp(fields[i].name, name) != 0)
        i++;
    return &fields[i];
}

/* A field whose value cannot be is left out. */
void record_salvage(const char *text, size_t size, const char *id, job_record *ret_record) {
    static const char *const names[] = {"created_ms", "finished_ms",     "expires_ms", "owner",      "token",
                                        "request_id", "idempotency_key", "webhook",    "body_sha256"};
    job_record found = {.version = RECORD_VERSION,
                        .spec = {.version = JOB_SPEC_VERSION,
                                 .request_id = "-",
                                 .model = LIBRARY_TASK_AUTO,
                                 .format = FORMAT_PNG,
                                 .quality = 95,
                                 .in_bytes = 1,
                                 .in_pixels_max = 1,
                                 .out_pixels_max = 1}};
    const char *json = text ? memchr(text, '\n', size) : NULL;
    json_t *document =
        json ? json_loadb(json, size - (size_t)(json - text), JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, NULL)
             : NULL;
    snprintf(found.id, sizeof found.id, "%s", id);
    for (size_t i = 0; document && i < sizeof names / sizeof names[0]; i++) {
        job_record tried = found;
        const field *row = find_field(names[i]);
        const json_t *value = json_object_get(document, row->name);
        if (value && take(row, value, (char *)&tried + row->offset))
            found = tried;
    }
    json_decref(document);
    *ret_record = found;
}

/* The JSON between the line of the checksum and the last line break; NULL: the checksum is wrong. */
static const char *check(const char *text, size_t size, size_t *ret_size) {
    const size_t head = strlen("sha256 ") + 64 + 1;
    char hex[65];
    if (size < head + 1 || memcmp(text, "sha256 ", 7) != 0 || text[head - 1] != '\n' || text[size - 1] != '\n')
        return NULL;
    *ret_size = size - head - 1;
    swin2sr__sha256_hex(text + head, *ret_size, hex);
    return memcmp(text + 7, hex, 64) == 0 ? text + head : NULL;
}

swin2sr_status record_from_text(const char *text, size_t size, job_record *ret_record) {
    size_t json_size;
    const char *json = check(text, size, &json_size);
    json_t *document = json ? json_loadb(json, json_size, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (!document)
        return SWIN2SR_CORRUPT;
    job_record found = {.version = 0};
    swin2sr_status status = SWIN2SR_OK;
    for (size_t i = 0; i < FIELD_COUNT && status == SWIN2SR_OK; i++) {
        const json_t *value = json_object_get(document, fields[i].name);
        if (value && !take(&fields[i], value, (char *)&found + fields[i].offset))
            status = SWIN2SR_CORRUPT;
        else if (i == 0 && found.version > RECORD_VERSION)
            status = SWIN2SR_UNSUPPORTED;
    }
    json_decref(document);
    if (status == SWIN2SR_OK && (found.version == 0 || !is_sound(&found)))
        status = SWIN2SR_CORRUPT;
    if (status == SWIN2SR_OK)
        *ret_record = found;
    return status;
}
