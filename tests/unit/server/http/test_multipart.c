/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/http/test_multipart.c - forms: the same parts however the body is cut; every fault is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/multipart.h"

/* The calls of the handler as text: "<name|data>" for each part. */
typedef struct seen {
    char text[4096];
    size_t size;
    int stop_at_part; /* 0: never */
    int parts;
} seen;

static void note(seen *self, const void *data, size_t size) {
    assert_true(size < sizeof self->text - self->size);
    memcpy(self->text + self->size, data, size);
    self->size += size;
    self->text[self->size] = '\0';
}

static bool on_part(void *context, const char *name, const char *file_name) {
    seen *self = context;
    note(self, "<", 1);
    note(self, name, strlen(name));
    note(self, "|", 1);
    return ++self->parts != self->stop_at_part;
}

static bool on_data(void *context, const void *data, size_t size) {
    assert_true(size > 0);
    note(context, data, size);
    return true;
}

static bool on_part_end(void *context) {
    note(context, ">", 1);
    return true;
}

static void start(multipart *parser, seen *self, const char *content_type) {
    multipart_handler handler = {on_part, on_data, on_part_end, self};
    *self = (seen){.size = 0};
    assert_true(multipart_init(parser, content_type, &handler));
}

static const char type[] = "multipart/form-data; boundary=AaB03x";

/* Data that resembles a delimiter in every way, an empty part, a preamble and an epilogue. */
static const char body[] = "preamble --AaB03x\r\n"
                           "--AaB03x\r\n"
                           "Content-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".png\"\r\n"
                           "Content-Type: image/png\r\n"
                           "\r\n"
                           "\r\n\r\n--AaB03\r\r\n--AaB03y--\r\n-\r\n--AaB\r\n\r\n--AaB03x \t\r\n"
                           "content-disposition:form-data;name=format\r\n"
                           "\r\n"
                           "png\r\n--AaB03x\r\n"
                           "Content-Disposition: form-data; name=\"empty\"\r\n"
                           "\r\n"
                           "\r\n--AaB03x--\r\nepilogue\r\n--AaB03x\r\n";
static const char parts[] = "<file|\r\n\r\n--AaB03\r\r\n--AaB03y--\r\n-\r\n--AaB\r\n><format|png><empty|>";

static void whole_body(void **state) {
    multipart parser;
    seen got;
    start(&parser, &got, type);
    assert_true(multipart_push(&parser, body, sizeof body - 1));
    assert_true(multipart_is_whole(&parser));
    assert_string_equal(got.text, parts);
}

static void every_pair_of_cuts(void **state) {
    size_t size = sizeof body - 1;
    for (size_t first = 0; first <= size; first++) {
        for (size_t second = first; second <= size; second++) {
            multipart parser;
            seen got;
            start(&parser, &got, type);
            assert_true(multipart_push(&parser, body, first));
            assert_true(multipart_push(&parser, body + first, second - first));
            assert_true(multipart_push(&parser, body + second, size - second));
            assert_true(multipart_is_whole(&parser));
            assert_string_equal(got.text, parts);
        }
    }
}

static void byte_by_byte(void **state) {
    multipart parser;
    seen got;
    start(&parser, &got, type);
    for (size_t i = 0; i < sizeof body - 1; i++)
        assert_true(multipart_push(&parser, body + i, 1));
    assert_string_equal(got.text, parts);
}

static void a_body_cut_short_is_not_whole(void **state) {
    size_t last = (size_t)(strstr(body, "--AaB03x--") - body) + 10;
    for (size_t size = 0; size < last; size++) {
        multipart parser;
        seen got;
        start(&parser, &got, type);
        assert_true(multipart_push(&parser, body, size));
        assert_false(multipart_is_whole(&parser));
    }
}

static void boundaries(void **state) {
    static const char *const good[] = {
        "multipart/form-data; boundary=x",
        "Multipart/Form-Data;boundary=\"a b\"",
        "multipart/form-data; charset=utf-8; Boundary=x",
        "multipart/form-data ; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
        "multipart/form-data; boundary=b1;",
        "multipart/form-data;; ;boundary=b1; ; charset=utf-8 ; ",
        "multipart/form-data; long=0123456789012345678901234567890123456789012345678901234567890123456789; boundary=x",
    };
    static const char *const bad[] = {
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"x",
        "multipart/form-data; boundary=\"x \"",
        "multipart/form-data; boundary=a\rb",
        "multipart/form-data; boundary=a@b",
        "multipart/form-data; boundary=x y",
        "multipart/form-data; boundary=x; y",
        "multipart/form-databoundary=x",
        "multipart/mixed; boundary=x",
        "multipart/form-data; boundary=01234567890123456789012345678901234567890123456789012345678901234567890",
    };
    multipart parser;
    multipart_handler handler = {on_part, on_data, on_part_end, NULL};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(multipart_init(&parser, good[i], &handler));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(multipart_init(&parser, bad[i], &handler));
}

static void faults_of_a_boundary_are_named(void **state) {
    static const struct {
        const char *content_type, *fault;
        char bad_character;
    } rows[] = {
        {"multipart/form-data;boundary=*****", "the form's boundary has a character that is not allowed", '*'},
        {"multipart/form-data; boundary=\"a\xff\"", "the form's boundary has a character that is not allowed", '\xff'},
        {"multipart/form-data", "the form's Content-Type names no boundary", 0},
        {"multipart/form-data; boundary=\"\"", "the form's Content-Type names no boundary", 0},
        {"multipart/form-data; boundary=\"a", "the form's Content-Type has an unclosed quote", 0},
        {"multipart/form-data; boundary=\"a \"", "the form's boundary ends with a space", 0},
        {"multipart/form-data; boundary=a b", "the form's Content-Type has a malformed parameter", 0},
        {"multipart/form-data; boundary=01234567890123456789012345678901234567890123456789012345678901234567890",
         "the form's boundary is longer than 70 characters", 0},
        {"multipart/mixed; boundary=x", NULL, 0},
    };
    multipart parser;
    multipart_handler handler = {on_part, on_data, on_part_end, NULL};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_false(multipart_init(&parser, rows[i].content_type, &handler));
        assert_true(!rows[i].fault == !parser.fault);
        if (parser.fault)
            assert_string_equal(parser.fault, rows[i].fault);
        assert_int_equal(parser.bad_character, rows[i].bad_character);
    }
}

static bool keep_file_name(void *context, const char *name, const char *file_name) {
    strcpy(context, file_name);
    return true;
}

static void file_names(void **state) {
    static const struct {
        const char *parameters, *expected;
    } rows[] = {
        {"", ""},
        {"; filename=\"a b.png\"", "a b.png"},
        {"; filename=my photo.png; x=y", "my photo.png"},
        {"; filename=\"a \\\"b\\\" \\c.png\"", "a \"b\" \\c.png"},
        {"; FileName*=UTF-8''%e7%8C%ab%20x.png", "\xe7\x8c\xab x.png"},
        {"; filename=plain.png; filename*=utf-8''%e7%8c%ab.png", "\xe7\x8c\xab.png"},
        {"; filename*=utf-8''%e7%8c%ab.png; filename=plain.png", "\xe7\x8c\xab.png"},
        {"; filename=plain.png; filename*=iso-8859-1''%e7.png", "plain.png"},
        {"; filename*=utf-8''%00%4%zz%.png", "%00%4%zz%.png"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char found[LIMIT_FILE_NAME_BYTES] = "none", text[400];
        const multipart_handler handler = {keep_file_name, on_data, on_part_end, found};
        multipart parser;
        snprintf(text, sizeof text, "--x\r\nContent-Disposition: form-data%s; name=a\r\n\r\n", rows[i].parameters);
        assert_true(multipart_init(&parser, "multipart/form-data; boundary=x", &handler));
        assert_true(multipart_push(&parser, text, strlen(text)));
        assert_string_equal(found, rows[i].expected);
    }
}

#define PART(header) "--x\r\n" header "\r\n\r\n"

static void faults_are_named(void **state) {
    static const struct {
        const char *body, *fault;
    } rows[] = {
        {PART("Content-Type: a/b"), "a part has no name"},
        {PART("Content-Disposition: form-data"), "a part has no name"},
        {PART("Content-Disposition: attachment; name=a"), "a part is not form-data"},
        {PART("Content-Disposition: form-data; name=a; name=b"), "a part has two names"},
        {PART("Content-Disposition: form-data; name=\"a"), "a part's header has an unclosed quote"},
        {PART("Content-Disposition: form-data; name=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
         "a part's name is too long"},
        {PART("Content-Disposition: form-data; name=a rest"), "a part's header is malformed"},
        {PART("Content-Disposition: form-data; name=a\001"), "a control character in a part's header"},
        {PART("Content-Disposition: form-data; name=a\nX: y"), "a control character in a part's header"},
        {"--x and more\r\n", "text after a boundary"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        multipart parser;
        seen got;
        start(&parser, &got, "multipart/form-data; boundary=x");
        assert_false(multipart_push(&parser, rows[i].body, strlen(rows[i].body)));
        assert_string_equal(parser.fault, rows[i].fault);
        assert_false(multipart_push(&parser, body, sizeof body - 1));
        assert_string_equal(got.text, "");
    }
}

/* Clients send a file's name in two forms, each with as many characters of three bytes as file systems allow. */
static void long_file_names_are_read_over(void **state) {
    char text[LIMIT_PART_LINE_BYTES + 200] = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"";
    for (int i = 0; i < 255; i++)
        strcat(text, "\xe5\x9b\xbe");
    strcat(text, "\"; filename*=UTF-8''");
    for (int i = 0; i < 255; i++)
        strcat(text, "%E5%9B%BE");
    strcat(text, ";\r\n\r\nDATA\r\n--x--");
    multipart parser;
    seen got;
    start(&parser, &got, "multipart/form-data; boundary=x");
    assert_true(multipart_push(&parser, text, strlen(text)));
    assert_string_equal(got.text, "<file|DATA>");
}

/* Clients that do not quote a file's name send its blanks unchanged. */
static void file_names_without_quotes_are_read_over(void **state) {
    static const char *const rows[] = {
        PART("Content-Disposition: form-data; name=file; filename=my photo 1.png") "\r\n--x--",
        PART("Content-Disposition: form-data; filename=a b ; name=file") "\r\n--x--"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        multipart parser;
        seen got;
        start(&parser, &got, "multipart/form-data; boundary=x");
        assert_true(multipart_push(&parser, rows[i], strlen(rows[i])));
        assert_string_equal(got.text, "<file|>");
    }
}

static int data_calls;

static bool count_data(void *context, const void *data, size_t size) {
    data_calls++;
    return on_data(context, data, size);
}

/* Each call is a write to a file, so a body of line ends must not cause one call per byte. */
static void line_ends_do_not_cut_data(void **state) {
    char text[2000] = "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n";
    size_t before = strlen(text);
    memset(text + before, '\r', sizeof text - before);
    multipart parser;
    seen got = {.size = 0};
    multipart_handler handler = {on_part, count_data, on_part_end, &got};
    assert_true(multipart_init(&parser, "multipart/form-data; boundary=x", &handler));
    data_calls = 0;
    assert_true(multipart_push(&parser, text, sizeof text));
    assert_true(multipart_push(&parser, "\r\r\r\n-\r", 6));
    assert_true(multipart_push(&parser, "\n--x--", 6));
    assert_in_range(data_calls, 1, 4);
    assert_int_equal(got.size, 3 + (sizeof text - before) + 5 + 1);
}

/* Push the same bytes until the parser fails.  returns how many times it accepted them. */
static int push_until_refused(multipart *parser, const char *text) {
    int count = 0;
    while (count < 100000 && multipart_push(parser, text, strlen(text)))
        count++;
    return count;
}

static void everything_is_bounded(void **state) {
    multipart parser;
    seen got;
    start(&parser, &got, "multipart/form-data; boundary=x");
    assert_int_equal(push_until_refused(&parser, PART("Content-Disposition: form-data; name=a") "\r\n"), LIMIT_PARTS);
    assert_string_equal(parser.fault, "too many parts");

    start(&parser, &got, "multipart/form-data; boundary=x");
    assert_true(multipart_push(&parser, "--x\r\n", 5));
    assert_int_equal(push_until_refused(&parser, "A: b\r\n"), LIMIT_PART_HEADER_LINES);
    assert_string_equal(parser.fault, "a part's header has too many lines");

    start(&parser, &got, "multipart/form-data; boundary=x");
    assert_true(multipart_push(&parser, "--x\r\n", 5));
    assert_int_equal(push_until_refused(&parser, "a"), LIMIT_PART_LINE_BYTES - 1);
    assert_string_equal(parser.fault, "a line of a part's header is too long");
}

static void a_handler_that_stops_has_no_fault(void **state) {
    multipart parser;
    seen got;
    start(&parser, &got, type);
    got.stop_at_part = 2;
    assert_false(multipart_push(&parser, body, sizeof body - 1));
    assert_int_equal(parser.state, MULTIPART_BAD);
    assert_null(parser.fault);
    assert_int_equal(got.parts, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_body),
        cmocka_unit_test(every_pair_of_cuts),
        cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(a_body_cut_short_is_not_whole),
        cmocka_unit_test(boundaries),
        cmocka_unit_test(faults_of_a_boundary_are_named),
        cmocka_unit_test(file_names),
        cmocka_unit_test(faults_are_named),
        cmocka_unit_test(long_file_names_are_read_over),
        cmocka_unit_test(file_names_without_quotes_are_read_over),
        cmocka_unit_test(line_ends_do_not_cut_data),
        cmocka_unit_test(everything_is_bounded),
        cmocka_unit_test(a_handler_that_stops_has_no_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
