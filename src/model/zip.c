/* SPDX-License-Identifier: Apache-2.0
 * model/zip.c - check a zip file's directory and list its entries.
 * The file must end with the directory. zip64 is used where the numbers need it, and by PyTorch always.
 * Every number is bounded before use; memory grows with the number of entries only, which has a limit. */
#include "model/zip.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum {
    LOCAL_BYTES = 30,
    CENTRAL_BYTES = 46,
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR_BYTES = 20,
    FLAG_ENCRYPTED = 1 << 0,
    FLAG_SIZES_FOLLOW = 1 << 3, /* the local header has zeros for the sizes and the checksum */
    EXTRA_ZIP64 = 1,
};

#define SATURATED_16 0xffffu
#define SATURATED_32 0xffffffffu

static uint64_t read_le(const unsigned char *at, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

static bool is_signed(const unsigned char *at, char third, char fourth) {
    return at[0] == 'P' && at[1] == 'K' && at[2] == (unsigned char)third && at[3] == (unsigned char)fourth;
}

typedef struct directory {
    const unsigned char *data; /* of the whole file */
    size_t begin, end;         /* of the directory in it */
    uint64_t entry_count;
    swin2sr_error *reterr;
} directory;

static swin2sr_status refuse(const directory *in, const char *what) {
    return swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "not a valid zip file: %s", what);
}

/* True if a number of the short end record is saturated or equals that of the long one. */
static bool is_agreed(uint64_t short_value, uint64_t saturated, uint64_t long_value) {
    return short_value == saturated || short_value == long_value;
}

/* The long end record is directly before its locator, which is directly before the short end record. */
static swin2sr_status read_end64(directory *in, const unsigned char *end, size_t locator) {
    const unsigned char *at = in->data + locator;
    uint64_t begin = read_le(at + 8, 8);
    if (read_le(at + 4, 4) != 0 || read_le(at + 16, 4) != 1 || locator < END64_BYTES || begin > locator - END64_BYTES)
        return refuse(in, "its zip64 locator points outside of the file");
    at = in->data + begin;
    if (!is_signed(at, 6, 6) || read_le(at + 4, 8) != locator - begin - 12)
        return refuse(in, "its zip64 end record is not where the locator says");
    uint64_t count = read_le(at + 32, 8), bytes = read_le(at + 40, 8), offset = read_le(at + 48, 8);
    if (read_le(at + 16, 4) != 0 || read_le(at + 20, 4) != 0 || read_le(at + 24, 8) != count)
        return refuse(in, "it is part of a multi-disk archive");
    if (!is_agreed(read_le(end + 10, 2), SATURATED_16, count) ||
        !is_agreed(read_le(end + 12, 4), SATURATED_32, bytes) || !is_agreed(read_le(end + 16, 4), SATURATED_32, offset))
        return refuse(in, "its two end records do not agree");
    if (offset > begin || bytes != begin - offset)
        return refuse(in, "its directory does not reach to the zip64 end record");
    in->begin = (size_t)offset;
    in->end = (size_t)begin;
    in->entry_count = count;
    return SWIN2SR_OK;
}

/* Find the directory. */
static swin2sr_status read_end(directory *in, size_t size) {
    if (size < END_BYTES || !is_signed(in->data + size - END_BYTES, 5, 6))
        return refuse(in, "it does not end with an end record: it is cut short, or something follows it");
    size_t at = size - END_BYTES;
    const unsigned char *end = in->data + at;
    if (read_le(end + 20, 2) != 0)
        return refuse(in, "it has a comment");
    if (at >= LOCATOR_BYTES && is_signed(end - LOCATOR_BYTES, 6, 7))
        return read_end64(in, end, at - LOCATOR_BYTES);
    uint64_t count = read_le(end + 10, 2), bytes = read_le(end + 12, 4), offset = read_le(end + 16, 4);
    if (read_le(end + 4, 2) != 0 || read_le(end + 6, 2) != 0 || read_le(end + 8, 2) != count)
        return refuse(in, "it is part of a multi-disk archive");
    if (offset > at || bytes != at - offset)
        return refuse(in, "its directory does not reach to the end record");
    in->begin = (size_t)offset;
    in->end = at;
    in->entry_count = count;
    return SWIN2SR_OK;
}

/* The numbers of a directory header that do not fit 32 bits are in its extra field, in this order. */
typedef struct wide {
    uint64_t bytes, stored_bytes, begin;
} wide;

static bool read_extra(const unsigned char *extra, size_t extra_bytes, wide *numbers) {
    uint64_t *const values[] = {&numbers->bytes, &numbers->stored_bytes, &numbers->begin};
    bool is_saturated =
        numbers->bytes == SATURATED_32 || numbers->stored_bytes == SATURATED_32 || numbers->begin == SATURATED_32;
    while (is_saturated && extra_bytes >= 4) {
        size_t field = (size_t)read_le(extra + 2, 2), at = 0;
        if (field > extra_bytes - 4)
            return false;
        if (read_le(extra, 2) == EXTRA_ZIP64) {
            for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
                if (*values[i] != SATURATED_32)
                    continue;
                if (field - at < 8)
                    return false;
                *values[i] = read_le(extra + 4 + at, 8);
                at += 8;
            }
            return true;
        }
        extra += 4 + field;
        extra_bytes -= 4 + field;
    }
    return !is_saturated;
}

/* An error about an entry; its name is cut to 100 characters. */
static swin2sr_status refuse_entry(const directory *in, const swin2sr__zip_entry *entry, const char *what) {
    return swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "entry %.*s of the zip file %s",
                              entry->name_bytes < 100 ? (int)entry->name_bytes : 100, entry->name, what);
}

/* The local header must agree with the directory; the data follow it. */
static swin2sr_status read_local(const directory *in, const unsigned char *central, uint64_t begin,
                                 swin2sr__zip_entry *entry) {
    if (begin > in->begin || in->begin - begin < LOCAL_BYTES)
        return refuse_entry(in, entry, "begins outside of the file");
    const unsigned char *local = in->data + begin;
    size_t room = in->begin - (size_t)begin - LOCAL_BYTES;
    size_t name_bytes = (size_t)read_le(local + 26, 2), extra_bytes = (size_t)read_le(local + 28, 2);
    if (!is_signed(local, 3, 4) || name_bytes + extra_bytes > room)
        return refuse_entry(in, entry, "has no local header where the directory says");
    if (name_bytes != entry->name_bytes || memcmp(local + LOCAL_BYTES, entry->name, name_bytes) != 0)
        return refuse_entry(in, entry, "has another name in its local header");
    room -= name_bytes + extra_bytes;
    if (entry->bytes > room)
        return refuse_entry(in, entry, "ends outside of the file");
    uint64_t flags = read_le(local + 6, 2), bytes = read_le(local + 22, 4), stored_bytes = read_le(local + 18, 4);
    bool is_same = memcmp(local + 8, central + 10, 2) == 0 && flags == read_le(central + 8, 2);
    if (!(flags & FLAG_SIZES_FOLLOW))
        is_same = is_same && is_agreed(bytes, SATURATED_32, entry->bytes) &&
                  is_agreed(stored_bytes, SATURATED_32, entry->bytes) && read_le(local + 14, 4) == entry->crc32;
    if (!is_same)
        return refuse_entry(in, entry, "has different numbers in its local header and in the directory");
    entry->begin = (size_t)begin;
    entry->data = local + LOCAL_BYTES + name_bytes + extra_bytes;
    return SWIN2SR_OK;
}

static bool is_printable(const char *name, size_t name_bytes) {
    for (size_t i = 0; i < name_bytes; i++)
        if (name[i] < '!' || name[i] > '~')
            return false;
    return name_bytes > 0;
}

/* Read one header of the directory and advance *at. */
static swin2sr_status read_central(const directory *in, size_t *at, swin2sr__zip_entry *entry) {
    const unsigned char *central = in->data + *at;
    size_t room = in->end - *at;
    if (room < CENTRAL_BYTES || !is_signed(central, 1, 2))
        return refuse(in, "its directory has fewer entries than it claims");
    room -= CENTRAL_BYTES;
    size_t name_bytes = (size_t)read_le(central + 28, 2), extra_bytes = (size_t)read_le(central + 30, 2);
    size_t comment_bytes = (size_t)read_le(central + 32, 2);
    if (name_bytes + extra_bytes + comment_bytes > room)
        return refuse(in, "a header of its directory is cut short");
    entry->name = (const char *)central + CENTRAL_BYTES;
    entry->name_bytes = name_bytes;
    if (name_bytes > SWIN2SR__MAX_ZIP_NAME_BYTES || !is_printable(entry->name, name_bytes))
        return refuse(in, "an entry's name is too long or not printable ASCII");
    if (read_le(central + 8, 2) & FLAG_ENCRYPTED)
        return refuse_entry(in, entry, "is encrypted");
    if (read_le(central + 10, 2) != 0)
        return refuse_entry(in, entry, "is compressed, which PyTorch never does; unpack and store it");
    wide numbers = {
        .stored_bytes = read_le(central + 20, 4), .bytes = read_le(central + 24, 4), .begin = read_le(central + 42, 4)};
    if (!read_extra(central + CENTRAL_BYTES + name_bytes, extra_bytes, &numbers))
        return refuse_entry(in, entry, "has no zip64 numbers where it needs them");
    if (numbers.bytes != numbers.stored_bytes || numbers.bytes > SIZE_MAX)
        return refuse_entry(in, entry, "is stored, but with two different sizes");
    entry->bytes = (size_t)numbers.bytes;
    entry->crc32 = (uint32_t)read_le(central + 16, 4);
    *at += CENTRAL_BYTES + name_bytes + extra_bytes + comment_bytes;
    return read_local(in, central, numbers.begin, entry);
}

static int compare_names(const void *left, const void *right) {
    const swin2sr__zip_entry *a = left, *b = right;
    int order = memcmp(a->name, b->name, a->name_bytes < b->name_bytes ? a->name_bytes : b->name_bytes);
    return order ? order : (a->name_bytes > b->name_bytes) - (a->name_bytes < b->name_bytes);
}

static int compare_places(const void *left, const void *right) {
    const swin2sr__zip_entry *a = left, *b = right;
    return (a->begin > b->begin) - (a->begin < b->begin);
}

/* Check that no entries overlap, as in a zip bomb, or have the same name. Sorts them by name. */
static swin2sr_status check_entries(const directory *in, swin2sr__zip *zip) {
    qsort(zip->entries, zip->entry_count, sizeof(zip->entries[0]), compare_places);
    for (size_t i = 1; i < zip->entry_count; i++) {
        const swin2sr__zip_entry *before = &zip->entries[i - 1];
        if (before->data + before->bytes > in->data + zip->entries[i].begin)
            return refuse_entry(in, &zip->entries[i], "overlaps another");
    }
    qsort(zip->entries, zip->entry_count, sizeof(zip->entries[0]), compare_names);
    for (size_t i = 1; i < zip->entry_count; i++)
        if (compare_names(&zip->entries[i - 1], &zip->entries[i]) == 0)
            return refuse_entry(in, &zip->entries[i], "exists twice");
    return SWIN2SR_OK;
}

swin2sr_status swin2sr__zip_init(const void *data, size_t size, swin2sr__zip *ret_zip, swin2sr_error *reterr) {
    directory in = {.data = data, .reterr = reterr};
    swin2sr__zip zip = {0};
    swin2sr_status status = read_end(&in, size);
    if (status != SWIN2SR_OK)
        return status;
    if (in.entry_count > SWIN2SR__MAX_ZIP_ENTRIES || in.entry_count > (in.end - in.begin) / CENTRAL_BYTES)
        return refuse(&in, "its directory claims more entries than fit into it");
    zip.entries = calloc(in.entry_count ? (size_t)in.entry_count : 1, sizeof(zip.entries[0]));
    if (!zip.entries)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "no memory for the entries of a zip file");
    size_t at = in.begin;
    for (; status == SWIN2SR_OK && zip.entry_count < in.entry_count; zip.entry_count++)
        status = read_central(&in, &at, &zip.entries[zip.entry_count]);
    if (status == SWIN2SR_OK && at != in.end)
        status = refuse(&in, "its directory has more than the entries that it claims");
    if (status == SWIN2SR_OK)
        status = check_entries(&in, &zip);
    if (status != SWIN2SR_OK) {
        swin2sr__zip_done(&zip);
        return status;
    }
    swin2sr__crc32_init(&zip.crc);
    *ret_zip = zip;
    return SWIN2SR_OK;
}

void swin2sr__zip_done(swin2sr__zip *zip) {
    free(zip->entries);
    *zip = (swin2sr__zip){0};
}

swin2sr__zip_entry *swin2sr__zip_find(const swin2sr__zip *zip, const char *name, size_t name_bytes) {
    swin2sr__zip_entry key = {.name = name, .name_bytes = name_bytes};
    return bsearch(&key, zip->entries, zip->entry_count, sizeof(key), compare_names);
}

swin2sr_status swin2sr__zip_prove(const swin2sr__zip *zip, swin2sr__zip_entry *entry, swin2sr_error *reterr) {
    if (!entry->is_proved && entry->crc32 &&
        swin2sr__crc32_add(&zip->crc, 0, entry->data, entry->bytes) != entry->crc32)
        return swin2sr__error_set(reterr, SWIN2SR_MODEL, "entry %.*s does not match its checksum: the file is damaged",
                                  entry->name_bytes < 100 ? (int)entry->name_bytes : 100, entry->name);
    entry->is_proved = true;
    return SWIN2SR_OK;
}
