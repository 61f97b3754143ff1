/* SPDX-License-Identifier: Apache-2.0
 * s3/xml.c - a reader of XML without document types, attributes' values and CDATA.
 * In: an answer.  Out: one element after the other. Each byte is read once, but for texts, which are read twice. */
#include "s3/xml.h"

#include <stdint.h>
#include <string.h>

#define SPACES " \t\r\n"

void xml_begin(xml_reader *self, const char *text, size_t size) {
    *self = (xml_reader){.at = text, .end = text + size};
}

static bool begins_with(const xml_reader *self, const char *text) {
    size_t size = strlen(text);
    return (size_t)(self->end - self->at) >= size && memcmp(self->at, text, size) == 0;
}

static bool is_space(char c) {
    return c && strchr(SPACES, c);
}

/* Move past the next occurrence of text.  false: there is none. */
static bool skip_past(xml_reader *self, const char *text) {
    const char *found = memmem(self->at, (size_t)(self->end - self->at), text, strlen(text));
    if (found)
        self->at = found + strlen(text);
    return found;
}

/* ---- tags ---- */

static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_-.", c));
}

/* Read a name without its prefix. */
static bool take_name(xml_reader *self, char ret_name[XML_NAME_BYTES]) {
    const char *begin = self->at;
    for (; self->at < self->end && (is_name(*self->at) || *self->at == ':'); self->at++)
        if (*self->at == ':')
            begin = self->at + 1;
    size_t size = (size_t)(self->at - begin);
    if (size == 0 || size >= XML_NAME_BYTES)
        return false;
    memcpy(ret_name, begin, size);
    ret_name[size] = '\0';
    return true;
}

/* Move past attributes and the end of the tag.  false: it has no end. */
static bool skip_attributes(xml_reader *self, bool *ret_is_empty) {
    char quote = '\0';
    for (; self->at < self->end; self->at++) {
        char c = *self->at;
        if (c == '<')
            return false;
        if (quote)
            quote = c == quote ? '\0' : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '>') {
            *ret_is_empty = self->at[-1] == '/';
            self->at++;
            return true;
        }
    }
    return false;
}

static bool open_element(xml_reader *self, bool *ret_is_empty) {
    self->at++;
    if (self->depth == XML_MAX_DEPTH || self->is_over || !take_name(self, self->names[self->depth]))
        return false;
    self->depth++;
    return skip_attributes(self, ret_is_empty);
}

static bool close_element(xml_reader *self) {
    char name[XML_NAME_BYTES];
    bool is_empty;
    self->at += 2;
    return self->depth > 0 && take_name(self, name) && strcmp(name, self->names[self->depth - 1]) == 0 &&
           skip_attributes(self, &is_empty);
}

/* ---- texts ---- */

/* Write a character as UTF-8.  returns its size; 0: it is none. */
static size_t write_character(uint32_t code, char ret_bytes[4]) {
    if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size - 1; i > 0; i--, code >>= 6)
        ret_bytes[i] = (char)(0x80 | (code & 0x3f));
    ret_bytes[0] = (char)(first[size] | code);
    return size;
}

/* The number of a reference like #65 or #x41.  0: it is none. */
static uint32_t character_code(const char *text, size_t size) {
    bool is_hex = size > 2 && text[1] == 'x';
    uint32_t code = 0;
    for (size_t i = is_hex ? 2 : 1; i < size; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = text[i] ? strchr(digits, text[i] | (text[i] >= 'A' ? 0x20 : 0)) : NULL;
        if (!digit || (!is_hex && digit >= digits + 10) || code > 0x10ffff)
            return 0;
        code = code * (is_hex ? 16 : 10) + (uint32_t)(digit - digits);
    }
    return code;
}

/* Resolve the reference at `at`, after its '&'.  returns its size with the ';'; 0: it is none. */
static size_t resolve(const char *at, const char *end, char ret_bytes[4], size_t *ret_size) {
    static const struct {
        const char *name;
        char character;
    } names[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    size_t limit = (size_t)(end - at) < 10 ? (size_t)(end - at) : 10;
    const char *semicolon = memchr(at, ';', limit);
    size_t size = semicolon ? (size_t)(semicolon - at) : 0;
    if (size == 0)
        return 0;
    if (at[0] == '#') {
        *ret_size = write_character(character_code(at, size), ret_bytes);
        return *ret_size ? size + 1 : 0;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i].name) == size && memcmp(names[i].name, at, size) == 0) {
            ret_bytes[0] = names[i].character;
            *ret_size = 1;
            return size + 1;
        }
    return 0;
}

/* Copy a text, its references resolved. */
static swin2sr_status copy_text(const char *at, const char *end, char *ret_text, size_t text_size) {
    size_t length = 0;
    while (at < end) {
        char bytes[4] = {*at};
        size_t size = 1, step = 1;
        if (*at == '&')
            step = 1 + resolve(at + 1, end, bytes, &size);
        if ((*at == '&' && step == 1) || *at == '\0')
            return SWIN2SR_CORRUPT;
        if (length + size >= text_size)
            return SWIN2SR_TOO_LARGE;
        memcpy(ret_text + length, bytes, size);
        length += size;
        at += step;
    }
    ret_text[length] = '\0';
    return SWIN2SR_OK;
}

/* ---- elements ---- */

/* Skip what is neither an element nor its text.  false: it has no end, or is refused. */
static bool skip_other(xml_reader *self) {
    if (begins_with(self, "<?"))
        return skip_past(self, "?>");
    return begins_with(self, "<!--") && skip_past(self, "-->");
}

/* true: only blanks are left, and every element has ended. */
static bool is_at_end(xml_reader *self) {
    while (self->at < self->end && is_space(*self->at))
        self->at++;
    return self->at == self->end && self->depth == 0;
}

swin2sr_status xml_next(xml_reader *self, char *ret_text, size_t text_size) {
    const char *text = NULL; /* after the last opening tag, while no other element has ended */
    bool is_empty = false;
    if (self->is_over && self->depth > 0)
        self->depth--; /* the element that the last call returned */
    self->is_over = false;
    for (;;) {
        if (self->depth == 0 && is_at_end(self))
            return SWIN2SR_INVALID;
        const char *tag = memchr(self->at, '<', (size_t)(self->end - self->at));
        if (!tag || (self->depth == 0 && tag != self->at))
            return SWIN2SR_CORRUPT;
        self->at = tag;
        if (begins_with(self, "</")) {
            if (!close_element(self))
                return SWIN2SR_CORRUPT;
        } else if (begins_with(self, "<!") || begins_with(self, "<?")) {
            if (!skip_other(self))
                return SWIN2SR_CORRUPT;
            text = NULL; /* a text with a comment in it is not read */
            continue;
        } else {
            if (!open_element(self, &is_empty))
                return SWIN2SR_CORRUPT;
            text = tag = self->at;
            if (!is_empty)
                continue;
        }
        self->is_over = true;
        if (!ret_text)
            return SWIN2SR_OK;
        return copy_text(text ? text : tag, tag, ret_text, text_size);
    }
}

bool xml_is(const xml_reader *self, int depth, const char *parent, const char *name) {
    return self->depth == depth && depth >= 2 && strcmp(self->names[depth - 1], name) == 0 &&
           strcmp(self->names[depth - 2], parent) == 0;
}
