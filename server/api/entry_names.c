/* SPDX-License-Identifier: Apache-2.0
 * api/entry_names.c - names of files from clients as names in a ZIP (stage 1 of 9, request).
 * In: bytes of any kind.  Out: UTF-8 names of bounded length, without a path. */
#include "api/entry_names.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ENDING_BYTES 12 /* of a name that is cut, so much is kept after its last dot */
#define NUMBER_BYTES 8  /* kept free for "_64" and a longer ending */
#define NO_NAME "image"

/* The bytes of the character at the beginning of a text, by its first byte and those that follow it.
 * returns  0: it is not UTF-8. */
static size_t character_bytes(const unsigned char *at, uint32_t *ret_code) {
    static const struct {
        unsigned char mask, mark;
        uint32_t least;
    } kinds[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t length = 1; length <= 4; length++) {
        if ((at[0] & kinds[length - 1].mask) != kinds[length - 1].mark)
            continue;
        uint32_t code = at[0] & (uint32_t)(unsigned char)~kinds[length - 1].mask;
        for (size_t i = 1; i < length; i++) {
            if ((at[i] & 0xc0) != 0x80)
                return 0;
            code = code << 6 | (at[i] & 0x3f);
        }
        *ret_code = code;
        return code >= kinds[length - 1].least && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? length : 0;
    }
    return 0;
}

/* Characters that no name may have on some system, and those that change how the others are shown. */
static bool is_forbidden(uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code < 0x80 && strchr("<>:\"|?*/\\", (int)code)) ||
           code == 0x61c || (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || (code >= 0xfff0 && code <= 0xffff);
}

/* Devices of Windows, whatever their ending. */
static bool is_device(const char *name) {
    static const char *const devices[] = {"con", "prn", "aux", "nul"};
    size_t length = strcspn(name, ". ");
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
        if (length == 3 && strncasecmp(name, devices[i], 3) == 0)
            return true;
    return length == 4 && (strncasecmp(name, "com", 3) == 0 || strncasecmp(name, "lpt", 3) == 0) && name[3] >= '0' &&
           name[3] <= '9';
}

/* The dot of the ending; the end of the text: it has none, or a long one. */
static char *ending_of(char *name) {
    char *dot = strrchr(name, '.'), *end = name + strlen(name);
    return dot && dot > name && end - dot <= ENDING_BYTES ? dot : end;
}

/* Copy the characters of a text that a name may have, as many as fit. */
static void copy(const char *from, size_t size, char *to) {
    size_t used = 0;
    for (const unsigned char *at = (const unsigned char *)from; *at;) {
        uint32_t code = 0;
        size_t bytes = character_bytes(at, &code);
        bool is_good = bytes > 0 && !is_forbidden(code);
        size_t added = is_good ? bytes : 1;
        if (used + added >= size)
            break;
        memcpy(to + used, is_good ? (const char *)at : "_", added);
        used += added;
        at += bytes ? bytes : 1;
    }
    to[used] = '\0';
}

/* Cut a text to less than `size` bytes, at a character. */
static void cut(char *text, size_t size) {
    size_t length = strlen(text);
    if (length < size)
        return;
    length = size - 1;
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    text[length] = '\0';
}

/* Put a text between a name and its ending; the name is cut where both do not fit. */
static void insert(char name[BUNDLE_NAME_BYTES], const char *ending, const char *text) {
    char tail[ENDING_BYTES + 2 * NUMBER_BYTES];
    snprintf(tail, sizeof tail, "%s%s", text, ending);
    name[strlen(name) - strlen(ending)] = '\0';
    cut(name, BUNDLE_NAME_BYTES - strlen(tail));
    strcat(name, tail);
}

void entry_name_clean(const char *sent, char ret_name[BUNDLE_NAME_BYTES]) {
    char clean[1024];
    const char *slash = strrchr(sent, '/'), *last = slash ? slash + 1 : sent;
    const char *back = strrchr(last, '\\');
    last = back ? back + 1 : last;
    copy(last + strspn(last, ". "), sizeof clean, clean);
    size_t length = strlen(clean);
    while (length > 0 && (clean[length - 1] == ' ' || clean[length - 1] == '.'))
        clean[--length] = '\0';
    char *ending = ending_of(clean), kept[ENDING_BYTES + 1];
    snprintf(kept, sizeof kept, "%s", ending);
    *ending = '\0';
    cut(clean, BUNDLE_NAME_BYTES - strlen(kept) - NUMBER_BYTES);
    snprintf(ret_name, BUNDLE_NAME_BYTES, "%s%s%s", is_device(clean) ? "_" : "", clean[0] ? clean : NO_NAME, kept);
}

void entry_name_of_result(const char *name, format_id format, char ret_name[BUNDLE_NAME_BYTES]) {
    char stem[BUNDLE_NAME_BYTES];
    strcpy(stem, name);
    char *ending = ending_of(stem);
    if (*ending && format_by_name(ending + 1) != FORMAT_UNKNOWN)
        *ending = '\0';
    cut(stem, BUNDLE_NAME_BYTES - NUMBER_BYTES - ENDING_BYTES);
    snprintf(ret_name, BUNDLE_NAME_BYTES, "%.*s.%s", BUNDLE_NAME_BYTES - ENDING_BYTES, stem,
             format_get(format)->endings[0]);
}

static char *name_at(const bundle_file *file, size_t offset) {
    return (char *)file + offset;
}

void entry_name_make_unique(const bundle *files, size_t index, size_t offset) {
    char *name = name_at(&files->files[index], offset), first[BUNDLE_NAME_BYTES], number[NUMBER_BYTES];
    char ending[ENDING_BYTES + 1];
    strcpy(first, name);
    snprintf(ending, sizeof ending, "%s", ending_of(first));
    unsigned int next = 2;
    for (size_t i = 0; i < index; i++) {
        if (strcasecmp(name_at(&files->files[i], offset), name) != 0)
            continue;
        snprintf(number, sizeof number, "_%u", next++);
        strcpy(name, first);
        insert(name, ending, number);
        i = (size_t)-1; /* look at all again */
    }
}
