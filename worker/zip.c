/* SPDX-License-Identifier: Apache-2.0
 * zip.c - a ZIP file of stored entries (stage 8 of 9, encode).
 * In: names and bytes.  Out: the file, at a descriptor. Field by field as in APPNOTE 6.3.3, sections 4.3.7, .12 and .16. */
#include "zip.h"

#include <stdlib.h>
#include <string.h>

#include "base/write.h"

enum {
    LOCAL_BYTES = 30,
    CENTRAL_BYTES = 46,
    END_BYTES = 22,
    VERSION = 20,           /* 2.0: of the format */
    MADE_BY = 3 << 8 | 20,  /* Unix, for the permissions */
    FLAG_UTF8 = 1 << 11,    /* of the name */
    FIRST_DAY = 1 << 5 | 1, /* 1 January 1980 */
};
#define MODE (0100644u << 16)
#define MOST_BYTES 0xfffffffeu

swin2sr_status zip_open(zip_file *self, int fd, size_t most) {
    *self = (zip_file){.fd = fd, .most = most};
    swin2sr__crc32_init(&self->crc);
    self->entries = calloc(most, sizeof *self->entries);
    return self->entries ? SWIN2SR_OK : SWIN2SR_NOMEM;
}

void zip_done(zip_file *self) {
    free(self->entries);
    self->entries = NULL;
}

static bool write_at(zip_file *self, const void *bytes, size_t size, uint64_t at) {
    self->is_full |= swin2sr__write_at(self->fd, bytes, size, at) < size;
    return !self->is_full;
}

static bool append(zip_file *self, const void *bytes, size_t size) {
    self->is_long |= size > MOST_BYTES - self->bytes;
    if (self->is_long || !write_at(self, bytes, size, self->bytes))
        return false;
    self->bytes += size;
    return true;
}

/* Add a little-endian number to a header. */
static void put(uint8_t **at, uint32_t value, int bytes) {
    for (int i = 0; i < bytes; i++)
        *(*at)++ = (uint8_t)(value >> 8 * i);
}

/* What local header and directory have in common: from the version to the length of the extra field. */
static void put_common(uint8_t **at, const zip_entry *entry) {
    put(at, VERSION, 2);
    put(at, FLAG_UTF8, 2);
    put(at, 0, 2); /* stored */
    put(at, 0, 2); /* midnight */
    put(at, FIRST_DAY, 2);
    put(at, entry->crc, 4);
    put(at, entry->bytes, 4);
    put(at, entry->bytes, 4);
    put(at, (uint32_t)strlen(entry->name), 2);
    put(at, 0, 2);
}

static void make_local(const zip_entry *entry, uint8_t header[LOCAL_BYTES]) {
    put(&header, 0x04034b50, 4);
    put_common(&header, entry);
}

static void make_central(const zip_entry *entry, uint8_t header[CENTRAL_BYTES]) {
    put(&header, 0x02014b50, 4);
    put(&header, MADE_BY, 2);
    put_common(&header, entry);
    put(&header, 0, 2); /* of a comment */
    put(&header, 0, 2); /* disk */
    put(&header, 0, 2); /* binary */
    put(&header, MODE, 4);
    put(&header, entry->at, 4);
}

bool zip_begin(zip_file *self, const char *name) {
    zip_entry *entry = &self->entries[self->count];
    uint8_t header[LOCAL_BYTES];
    self->is_long |= self->count == self->most || strlen(name) >= ZIP_NAME_BYTES;
    if (self->is_long)
        return false;
    *entry = (zip_entry){.at = (uint32_t)self->bytes};
    strcpy(entry->name, name);
    make_local(entry, header);
    return append(self, header, sizeof header) && append(self, entry->name, strlen(entry->name));
}

bool zip_write(void *context, const void *bytes, size_t size) {
    zip_file *self = context;
    zip_entry *entry = &self->entries[self->count];
    if (!append(self, bytes, size))
        return false;
    entry->crc = swin2sr__crc32_add(&self->crc, entry->crc, bytes, size);
    entry->bytes += (uint32_t)size;
    return true;
}

bool zip_end(zip_file *self) {
    const zip_entry *entry = &self->entries[self->count++];
    uint8_t header[LOCAL_BYTES];
    make_local(entry, header);
    return write_at(self, header, sizeof header, entry->at);
}

void zip_drop(zip_file *self) {
    self->bytes = self->entries[self->count].at;
}

bool zip_finish(zip_file *self) {
    uint64_t begin = self->bytes;
    uint8_t central[CENTRAL_BYTES], end[END_BYTES], *at = end;
    bool is_written = true;
    for (const zip_entry *each = self->entries; each < self->entries + self->count && is_written; each++) {
        make_central(each, central);
        is_written = append(self, central, sizeof central) && append(self, each->name, strlen(each->name));
    }
    put(&at, 0x06054b50, 4);
    put(&at, 0, 4); /* disks */
    put(&at, (uint32_t)self->count, 2);
    put(&at, (uint32_t)self->count, 2);
    put(&at, (uint32_t)(self->bytes - begin), 4);
    put(&at, (uint32_t)begin, 4);
    put(&at, 0, 2); /* of a comment */
    return is_written && append(self, end, sizeof end);
}
