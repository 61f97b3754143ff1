/* SPDX-License-Identifier: Apache-2.0
 * fuzz/fuzz_multipart.c - parse any body as a form, once whole and once in pieces.
 * Checks that both give the same parts, the same data and the same verdict.
 * The first byte chooses the cuts; the rest is the body. The boundary is "x". */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_true) {
    if (!is_true)
        abort();
}

/* A hash of all calls of the handler so far. */
typedef struct seen {
    uint64_t hash;
    bool is_in_part;
} seen;

static void note(seen *self, const void *data, size_t size) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        self->hash = (self->hash ^ bytes[i]) * 0x100000001b3u;
}

static bool on_part(void *context, const char *name, const char *file_name) {
    seen *self = context;
    check(!self->is_in_part && strlen(name) < LIMIT_FIELD_NAME_BYTES);
    self->is_in_part = true;
    note(self, "<", 1);
    note(self, name, strlen(name));
    return true;
}

static bool on_data(void *context, const void *data, size_t size) {
    seen *self = context;
    check(self->is_in_part && size > 0);
    note(self, data, size);
    return true;
}

static bool on_part_end(void *context) {
    seen *self = context;
    check(self->is_in_part);
    self->is_in_part = false;
    note(self, ">", 1);
    return true;
}

static void run(const uint8_t *data, size_t size, size_t piece, seen *ret_seen, multipart *ret_parser) {
    multipart_handler handler = {on_part, on_data, on_part_end, ret_seen};
    *ret_seen = (seen){.hash = 0xcbf29ce484222325u};
    check(multipart_init(ret_parser, "multipart/form-data; boundary=x", &handler));
    for (size_t at = 0; at < size; at += piece)
        multipart_push(ret_parser, data + at, size - at < piece ? size - at : piece);
    check(!multipart_is_whole(ret_parser) || !ret_seen->is_in_part);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    multipart whole, cut;
    seen of_whole, of_cut;
    if (size < 1)
        return 0;
    run(data + 1, size - 1, size, &of_whole, &whole);
    run(data + 1, size - 1, (size_t)data[0] % 32 + 1, &of_cut, &cut);
    check(of_whole.hash == of_cut.hash && whole.state == cut.state);

    char content_type[512] = "multipart/form-data";
    size_t length = size < 400 ? size : 400, prefix = strlen(content_type);
    memcpy(content_type + prefix, data, length);
    content_type[prefix + length] = '\0';
    multipart_handler handler = {on_part, on_data, on_part_end, &of_whole};
    if (multipart_init(&whole, content_type, &handler))
        check(whole.delimiter_bytes > 4 && whole.delimiter_bytes <= sizeof whole.delimiter);
    return 0;
}
