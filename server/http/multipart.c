/* SPDX-License-Identifier: Apache-2.0
 * http/multipart.c - streaming parser for multipart/form-data (stage 1 of 9, request).
 * In: pieces of a body.  Out: calls to the handler.
 * A counter is enough to match "\r\n--boundary" across pieces: a boundary has no '\r', so after a mismatch only the
 * byte that did not match can begin the next match, and the bytes matched before are those of the delimiter. */
#include "http/multipart.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

static bool fail(multipart *self, const char *fault) {
    self->state = MULTIPART_BAD;
    self->fault = fault;
    return false;
}

/* RFC 2046 section 5.1.1; spaces are allowed, but not at the end. */
static bool is_boundary_character(char character) {
    return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
           (character >= 'A' && character <= 'Z') || (character && strchr("'()+_,-./:=? ", character));
}

static const char *skip_blanks(const char *text) {
    return text + strspn(text, " \t");
}

/* Read the value of a parameter, quoted or not, and move *text past it.
 * value    Receives as much as fits, terminated. NULL: the value is skipped.
 * ends     What an unquoted value ends with: a file name may have blanks in it ("filename=my photo.png").
 * returns  The length of the whole value; SIZE_MAX: a quote is not closed. */
static size_t read_value(const char **text, const char *ends, char *value, size_t value_bytes) {
    const char *at = *text;
    bool is_quoted = *at == '"';
    size_t length = 0;
    for (at += is_quoted; is_quoted ? *at != '"' : *at && !strchr(ends, *at); at++, length++) {
        if (is_quoted && *at == '\\' && (at[1] == '"' || at[1] == '\\'))
            at++;
        if (*at == '\0')
            return SIZE_MAX;
        if (value && length + 1 < value_bytes)
            value[length] = *at;
    }
    if (value)
        value[length < value_bytes ? length : value_bytes - 1] = '\0';
    *text = at + is_quoted;
    return length;
}

/* Read the key of the next parameter "; key=value", cut to fit, and move *text to its value. Empty parameters are
 * skipped (RFC 9110 section 5.6.6).  false: there is none; unless *text is then at the end, the text is malformed. */
static bool next_parameter(const char **text, char *key, size_t key_bytes) {
    const char *at = skip_blanks(*text);
    if (*at != ';')
        return false;
    while (*at == ';')
        at = skip_blanks(at + 1);
    if (*at == '\0')
        *text = at;
    size_t length = strcspn(at, "=; \t\"");
    if (at[length] != '=')
        return false;
    size_t kept = length < key_bytes ? length : key_bytes - 1;
    memcpy(key, at, kept);
    key[kept] = '\0';
    *text = at + length + 1;
    return true;
}

/* Take the boundary from the parameters of the Content-Type. */
static bool read_boundary(multipart *self, const char *parameters) {
    char key[16], *boundary = self->delimiter + 4;
    size_t length = 0;
    const char *at = parameters;
    while (next_parameter(&at, key, sizeof key)) {
        bool is_boundary = strcasecmp(key, "boundary") == 0;
        size_t bytes =
            read_value(&at, is_boundary ? "; \t" : ";", is_boundary ? boundary : NULL, LIMIT_BOUNDARY_BYTES + 1);
        if (bytes == SIZE_MAX)
            return fail(self, "the form's Content-Type has an unclosed quote");
        length = is_boundary ? bytes : length;
    }
    if (*skip_blanks(at))
        return fail(self, "the form's Content-Type has a malformed parameter");
    if (length == 0)
        return fail(self, "the form's Content-Type names no boundary");
    if (length > LIMIT_BOUNDARY_BYTES)
        return fail(self, "the form's boundary is longer than 70 characters");
    for (size_t i = 0; i < length; i++)
        if (!is_boundary_character(boundary[i])) {
            self->bad_character = boundary[i];
            return fail(self, "the form's boundary has a character that is not allowed");
        }
    if (boundary[length - 1] == ' ')
        return fail(self, "the form's boundary ends with a space");
    memcpy(self->delimiter, "\r\n--", 4);
    self->delimiter_bytes = 4 + length;
    return true;
}

bool multipart_init(multipart *self, const char *content_type, const multipart_handler *handler) {
    static const char type[] = "multipart/form-data";
    memset(self, 0, sizeof *self);
    if (strncasecmp(content_type, type, sizeof type - 1) != 0 || !read_boundary(self, content_type + sizeof type - 1))
        return false;
    self->matched = 2; /* the body begins as if after a line's end */
    self->handler = *handler;
    return true;
}

static bool give_data(multipart *self, const char *data, size_t size) {
    if (self->state != MULTIPART_DATA || size == 0)
        return true;
    return self->handler.on_data(self->handler.context, data, size) || fail(self, NULL);
}

static bool end_of_data(multipart *self) {
    bool is_part = self->state == MULTIPART_DATA;
    self->state = MULTIPART_DELIMITER;
    self->matched = 0;
    self->line_bytes = 0;
    return !is_part || self->handler.on_part_end(self->handler.context) || fail(self, NULL);
}

/* Preamble or data up to the next delimiter. The data of one piece is given in one call, however many line ends it has,
 * after the bytes with which earlier pieces seemed to begin a delimiter.  returns how many bytes were used. */
static size_t push_data(multipart *self, const char *data, size_t size) {
    size_t at = 0, carried = self->matched; /* at the end of earlier pieces */
    while (at < size && self->matched < self->delimiter_bytes) {
        if (data[at] == self->delimiter[self->matched]) {
            at++;
            self->matched++;
        } else if (self->matched > 0) {
            self->matched = 0;
            if (!give_data(self, self->delimiter, carried))
                return at;
            carried = 0;
        } else {
            const char *next = memchr(data + at, '\r', size - at);
            at = next ? (size_t)(next - data) : size;
        }
    }
    if (!give_data(self, data, at - (self->matched - carried)))
        return at;
    if (self->matched == self->delimiter_bytes)
        end_of_data(self);
    return at;
}

static int hex_digit(char digit) {
    const char *digits = "0123456789abcdef", *at = digit ? strchr(digits, tolower((unsigned char)digit)) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* The value of filename* is UTF-8''NAME, with bytes as %XX (RFC 5987): some clients send it although RFC 7578 says not
 * to. It is decoded in place. false: it is of another kind, and not used. */
static bool decode_file_name(char *name) {
    static const char kind[] = "utf-8''";
    if (strncasecmp(name, kind, sizeof kind - 1) != 0)
        return false;
    char *to = name;
    for (const char *at = name + sizeof kind - 1; *at; at++) {
        int high = *at == '%' ? hex_digit(at[1]) : -1, low = high >= 0 ? hex_digit(at[2]) : -1;
        bool is_byte = low >= 0 && high + low > 0;
        *to++ = is_byte ? (char)(high * 16 + low) : *at;
        at += is_byte ? 2 : 0;
    }
    *to = '\0';
    return true;
}

/* The parameters but `name`. returns  As read_value. */
static size_t read_file_name(multipart *self, const char *key, const char **text) {
    char value[LIMIT_FILE_NAME_BYTES];
    bool is_coded = strcasecmp(key, "filename*") == 0;
    if (!is_coded && (strcasecmp(key, "filename") != 0 || self->has_coded_name))
        return read_value(text, ";", NULL, 0);
    size_t length = read_value(text, ";", value, sizeof value);
    if (length != SIZE_MAX && (!is_coded || decode_file_name(value))) {
        strcpy(self->file_name, value);
        self->has_coded_name = is_coded;
    }
    return length;
}

/* Content-Disposition: form-data; name="..."; filename="..." */
static bool read_disposition(multipart *self, const char *value) {
    static const char form_data[] = "form-data";
    char key[16];
    if (strncasecmp(value, form_data, sizeof form_data - 1) != 0)
        return fail(self, "a part is not form-data");
    const char *at = value + sizeof form_data - 1;
    while (next_parameter(&at, key, sizeof key)) {
        bool is_name = strcasecmp(key, "name") == 0;
        if (is_name && self->has_name)
            return fail(self, "a part has two names");
        size_t length =
            is_name ? read_value(&at, "; \t", self->name, sizeof self->name) : read_file_name(self, key, &at);
        if (length == SIZE_MAX)
            return fail(self, "a part's header has an unclosed quote");
        if (is_name && length >= sizeof self->name)
            return fail(self, "a part's name is too long");
        self->has_name |= is_name;
    }
    return *skip_blanks(at) == '\0' || fail(self, "a part's header is malformed");
}

static bool begin_part(multipart *self) {
    if (!self->has_name)
        return fail(self, "a part has no name");
    if (++self->part_count > LIMIT_PARTS)
        return fail(self, "too many parts");
    self->state = MULTIPART_DATA;
    self->matched = 0;
    return self->handler.on_part(self->handler.context, self->name, self->file_name) || fail(self, NULL);
}

/* One line of a part's header, without its line end. */
static bool take_header_line(multipart *self) {
    static const char field[] = "content-disposition:";
    if (self->line_bytes == 0)
        return begin_part(self);
    if (++self->header_lines > LIMIT_PART_HEADER_LINES)
        return fail(self, "a part's header has too many lines");
    for (size_t i = 0; i < self->line_bytes; i++)
        if ((unsigned char)self->line[i] < 0x20 && self->line[i] != '\t')
            return fail(self, "a control character in a part's header");
    self->line[self->line_bytes] = '\0';
    self->line_bytes = 0;
    if (strncasecmp(self->line, field, sizeof field - 1) != 0)
        return true;
    return read_disposition(self, skip_blanks(self->line + sizeof field - 1));
}

/* The rest of a delimiter's line: blanks only. */
static bool take_delimiter_line(multipart *self) {
    for (size_t i = 0; i < self->line_bytes; i++)
        if (self->line[i] != ' ' && self->line[i] != '\t')
            return fail(self, "text after a boundary");
    self->state = MULTIPART_HEADER;
    self->line_bytes = 0;
    self->header_lines = 0;
    self->has_name = self->has_coded_name = false;
    self->file_name[0] = '\0';
    return true;
}

/* Collect a line up to its "\r\n".  returns how many bytes of the piece were used. */
static size_t push_line(multipart *self, const char *data, size_t size) {
    size_t at = 0;
    while (at < size) {
        char character = data[at++];
        bool is_end = character == '\n' && self->line_bytes > 0 && self->line[self->line_bytes - 1] == '\r';
        if (is_end) {
            self->line_bytes--;
            self->state == MULTIPART_HEADER ? take_header_line(self) : take_delimiter_line(self);
            return at;
        }
        if (self->line_bytes + 1 >= sizeof self->line) { /* one byte is kept for the terminator */
            fail(self, "a line of a part's header is too long");
            return at;
        }
        self->line[self->line_bytes++] = character;
        if (self->state == MULTIPART_DELIMITER && self->line_bytes == 2 && memcmp(self->line, "--", 2) == 0) {
            self->state = MULTIPART_END;
            return at;
        }
    }
    return at;
}

bool multipart_push(multipart *self, const void *data, size_t size) {
    const char *at = data;
    while (size > 0 && self->state < MULTIPART_END) {
        bool is_line = self->state == MULTIPART_DELIMITER || self->state == MULTIPART_HEADER;
        size_t used = is_line ? push_line(self, at, size) : push_data(self, at, size);
        at += used;
        size -= used;
    }
    return self->state != MULTIPART_BAD;
}

bool multipart_is_whole(const multipart *self) {
    return self->state == MULTIPART_END;
}
