/* SPDX-License-Identifier: Apache-2.0
 * ipc/bundle.c - the list of several pictures in one input (stage 3 of 9, dispatch).
 * In: a list in memory, or its text.  Out: the other one.
 *   bundle 1
 *   file BYTES COST FORMAT FRAMES TILE SHRINK MEMORY FAULT-BYTES NAME <tab> RESULT     then the fault and a line end
 *   problem STATUS BYTES                                                               then the text and a line end */
#include "ipc/bundle.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/write.h"
#include "format/format.h"

#define FIRST_LINE "bundle 1\n"

/* ---- to text ---- */

static void write_text(FILE *out, bundle_text text) {
    fwrite(text.text, 1, text.bytes, out);
    fputc('\n', out);
}

static void write_file(FILE *out, const bundle_file *file) {
    fprintf(out,
            "file %" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu64 " %zu %s\t%s\n",
            file->bytes, file->cost_us, file->format, file->frames_max, file->tile_px, file->shrink_px,
            file->memory_bytes, file->fault.bytes, file->name, file->result);
    if (file->fault.bytes)
        write_text(out, file->fault);
}

char *bundle_write(const bundle *self, size_t *ret_size) {
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_size);
    if (!out)
        return NULL;
    fputs(FIRST_LINE, out);
    for (size_t i = 0; i < self->count; i++)
        write_file(out, &self->files[i]);
    for (int i = 0; i < BUNDLE_STATUSES; i++)
        if (self->problems[i].text) {
            fprintf(out, "problem %d %zu\n", i, self->problems[i].bytes);
            write_text(out, self->problems[i]);
        }
    return swin2sr__text_end(out, &text);
}

/* ---- from text ---- */

typedef struct cursor {
    const char *at, *end;
    bool is_bad; /* stays set */
} cursor;

/* true, and past it: this word is next. */
static bool take_word(cursor *c, const char *word) {
    size_t length = strlen(word);
    if (c->is_bad || (size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0)
        return false;
    c->at += length;
    return true;
}

/* A number and the character after it. */
static uint64_t take_number(cursor *c, uint64_t most, char after) {
    uint64_t value = 0;
    int digits = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9' && digits < 19; digits++)
        value = value * 10 + (uint64_t)(*c->at++ - '0');
    c->is_bad |= digits == 0 || value > most || c->at == c->end || *c->at != after;
    c->at += !c->is_bad;
    return c->is_bad ? 0 : value;
}

static void take_name(cursor *c, char after, char ret_name[BUNDLE_NAME_BYTES]) {
    const char *end = memchr(c->at, after, (size_t)(c->end - c->at));
    size_t length = end ? (size_t)(end - c->at) : 0;
    c->is_bad |= length == 0 || length >= BUNDLE_NAME_BYTES;
    for (size_t i = 0; i < length && !c->is_bad; i++)
        c->is_bad |= (unsigned char)c->at[i] < ' ' || c->at[i] == '/' || c->at[i] == '\\';
    if (c->is_bad)
        return;
    memcpy(ret_name, c->at, length);
    ret_name[length] = '\0';
    c->at = end + 1;
}

/* So many bytes and a line end. */
static bundle_text take_text(cursor *c, uint64_t bytes) {
    bundle_text text = {.text = c->at, .bytes = (size_t)bytes};
    c->is_bad |= bytes >= (uint64_t)(c->end - c->at) || c->at[bytes] != '\n';
    c->at += c->is_bad ? 0 : bytes + 1;
    return text;
}

static void take_file(cursor *c, bundle_file *file) {
    file->bytes = take_number(c, INT64_MAX, ' ');
    file->cost_us = take_number(c, INT64_MAX, ' ');
    file->format = (uint32_t)take_number(c, FORMAT_COUNT - 1, ' ');
    file->frames_max = (uint32_t)take_number(c, INT32_MAX, ' ');
    file->tile_px = (uint32_t)take_number(c, INT32_MAX, ' ');
    file->shrink_px = (uint32_t)take_number(c, INT32_MAX, ' ');
    file->memory_bytes = take_number(c, INT64_MAX, ' ');
    uint64_t fault_bytes = take_number(c, BUNDLE_LIST_MAX_BYTES, ' ');
    take_name(c, '\t', file->name);
    take_name(c, '\n', file->result);
    if (fault_bytes && !c->is_bad)
        file->fault = take_text(c, fault_bytes);
    c->is_bad |= !fault_bytes && !format_get((format_id)file->format)->can_write;
}

static bool holds(bundle_text text, const char *word) {
    for (size_t i = 0; i + strlen(word) <= text.bytes; i++)
        if (memcmp(text.text + i, word, strlen(word)) == 0)
            return true;
    return false;
}

static void take_problem(cursor *c, bundle *self) {
    uint64_t status = take_number(c, BUNDLE_STATUSES - 1, ' ');
    bundle_text text = take_text(c, take_number(c, BUNDLE_LIST_MAX_BYTES, '\n'));
    c->is_bad |= !holds(text, BUNDLE_DETAIL);
    self->problems[status] = text;
}

swin2sr_status bundle_read(const char *list, size_t size, uint64_t files_bytes, bundle *ret_bundle) {
    cursor c = {.at = list, .end = list + size};
    uint64_t bytes = 0;
    memset(ret_bundle, 0, sizeof *ret_bundle);
    c.is_bad = size > BUNDLE_LIST_MAX_BYTES || !take_word(&c, FIRST_LINE);
    while (take_word(&c, "file ")) {
        c.is_bad |= ret_bundle->count == BUNDLE_FILES_MAX;
        if (c.is_bad)
            break;
        bundle_file *file = &ret_bundle->files[ret_bundle->count++];
        take_file(&c, file);
        c.is_bad |= file->bytes > files_bytes - bytes;
        bytes += c.is_bad ? 0 : file->bytes;
    }
    while (take_word(&c, "problem "))
        take_problem(&c, ret_bundle);
    return c.is_bad || c.at != c.end || bytes != files_bytes || !ret_bundle->count ? SWIN2SR_CORRUPT : SWIN2SR_OK;
}
