/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/job/test_record.c - records of this version and of earlier ones are read as they were written, and
 * nothing else is accepted as a record. */
#include "job/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sha256.h"
#include "format/note.h"

static job_record sample(void) {
    return (job_record){
        .version = RECORD_VERSION,
        .id = "n1-01m8gj31jbpcw1nm4fj5ektd0q",
        .status = RECORD_SUCCEEDED,
        .created_ms = 1795850974923,
        .started_ms = 1795850974964,
        .finished_ms = 1795850975851,
        .expires_ms = 1795937375851,
        .attempts = 2,
        .token = "50182f2dddb936b840e0e1b22c877baf",
        .idempotency_key = "order 17 \"quoted\"",
        .body_sha256 = "03ed4ecef051d5cf5f095c04f67412284d35a2a477abc457746548637e15de37",
        .etag = "\"2f52f7c38d0e3bb966f53e489ee5ee91\"",
        .spec = {.version = JOB_SPEC_VERSION,
                 .owner = "k1",
                 .request_id = "56c763618aa6aaefdb929b7b8039babb",
                 .model = "swin2sr-lightweight-x4",
                 .format = FORMAT_PNG,
                 .quality = 95,
                 .compression = FORMAT_COMPRESSION_BEST,
                 .metadata = 5,
                 .target = {.width_px = 900,
                            .height_px = 700,
                            .is_fit = 1,
                            .crop_width_px = 9,
                            .crop_height_px = 8,
                            .plain_parts = 300},
                 .in_bytes = 31369,
                 .in_pixels_max = 50000000,
                 .out_pixels_max = 800000000,
                 .preview_side_px = 2048,
                 .limit_us = 3600000000,
                 .is_strict = true},
        .cost_us = 1007449,
        .frames = 1,
        .result_name = "2026-11-28-n1-01m8gj31jbpcw1nm4fj5ektd0q.png",
        .queue_us = 12,
        .done = {.out_bytes = 333688,
                 .preview_bytes = 1234,
                 .in_width_px = 128,
                 .in_height_px = 128,
                 .out_width_px = 512,
                 .out_height_px = 512,
                 .decode_us = 879,
                 .infer_us = 820028,
                 .encode_us = 63682,
                 .plan_memory_bytes = 24003648,
                 .plan_columns = 1,
                 .plan_bands = 1,
                 .notes = NOTE_DAMAGED},
    };
}

static void check_equal(const job_record *self, const job_record *other) {
    char *text = record_to_text(self), *other_text = record_to_text(other);
    assert_string_equal(text, other_text);
    free(text);
    free(other_text);
}

static void a_record_comes_back(void **state) {
    job_record written = sample(), found;
    written.spec.width_px = 128;
    written.spec.height_px = 96;
    written.spec.sample_bytes = 4;
    strcpy(written.tried, "whole");
    strcpy(written.spec.undamaged_model, "clean");
    strcpy(written.webhook, "https://hooks.example/a?b=%20");
    written.is_webhook_owed = true;
    written.done.choice = CHOICE_UNDAMAGED;
    memset(written.input_sha256, 'a', 64);
    memset(written.result_sha256, 'b', 64);
    memset(written.preview_sha256, 'c', 64);
    char *text = record_to_text(&written);
    assert_true(strlen(text) < RECORD_MAX_BYTES);
    assert_int_equal(record_from_text(text, strlen(text), &found), SWIN2SR_OK);
    check_equal(&found, &written);
    assert_int_equal(found.done.notes, NOTE_DAMAGED);
    assert_string_equal(record_model(&found), "clean");
    found.done.choice = CHOICE_SMALL;
    assert_string_equal(record_model(&found), "swin2sr-lightweight-x4");
    found.status = RECORD_RUNNING;
    found.done.choice = CHOICE_NONE;
    assert_string_equal(record_model(&found), LIBRARY_TASK_AUTO);
    assert_int_equal(found.expires_ms, written.expires_ms);
    assert_true(found.spec.is_strict);
    assert_true(found.spec.width_px == 128 && found.spec.height_px == 96 && found.spec.sample_bytes == 4);
    assert_string_equal(found.tried, "whole");
    assert_true(found.is_webhook_owed);
    assert_string_equal(found.webhook, "https://hooks.example/a?b=%20");
    assert_string_equal(found.preview_sha256, written.preview_sha256);
    free(text);
}

/* tests/fixtures/jobs/ has a record written by each version. */
static void stored_records_are_read(void **state) {
    job_record found, expected = sample();
    char path[300], bytes[RECORD_MAX_BYTES];
    for (int version = 1; version <= RECORD_VERSION; version++) {
        snprintf(path, sizeof path, "%s/jobs/record-%d.json", FIXTURES, version);
        FILE *file = fopen(path, "re");
        assert_non_null(file);
        size_t size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        assert_int_equal(record_from_text(bytes, size, &found), SWIN2SR_OK);
        assert_int_equal(found.version, version);
        found.version = RECORD_VERSION;
        found.spec.version = JOB_SPEC_VERSION;
        assert_int_equal(found.spec.compression, FORMAT_COMPRESSION_DEFAULT); /* the fixture is older than the field */
        assert_memory_equal(&found.spec.target, &(format_target){0}, sizeof(format_target));
        found.spec.compression = expected.spec.compression;
        assert_int_equal(found.spec.metadata, 0); /* the fixture is older than this field, too */
        found.spec.metadata = expected.spec.metadata;
        found.spec.target = expected.spec.target;
        check_equal(&found, &expected);
    }
}

static void every_changed_byte_is_found(void **state) {
    job_record written = sample(), found = {.version = 77};
    char *text = record_to_text(&written);
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++) {
        text[i] ^= 1;
        assert_int_equal(record_from_text(text, size, &found), SWIN2SR_CORRUPT);
        text[i] ^= 1;
    }
    for (size_t length = 0; length < size; length++)
        assert_int_equal(record_from_text(text, length, &found), SWIN2SR_CORRUPT);
    assert_int_equal(found.version, 77);
    free(text);
}

/* Whatever a byte becomes, the record is one that can be written and read, of this job. */
static void a_damaged_record_is_salvaged(void **state) {
    const char *id = "n1-01m8gj31jbpcw1nm4fj5ektd0q";
    job_record written = sample(), found, back;
    char *text = record_to_text(&written);
    size_t size = strlen(text);
    char *number = strstr(text, "\"quality\":95");
    number[10] = '7';
    assert_int_equal(record_from_text(text, size, &found), SWIN2SR_CORRUPT);
    record_salvage(text, size, id, &found);
    assert_string_equal(found.spec.owner, "k1");
    assert_string_equal(found.token, written.token);
    assert_string_equal(found.idempotency_key, written.idempotency_key);
    assert_int_equal(found.created_ms, written.created_ms);
    assert_int_equal(found.status, RECORD_QUEUED);
    number[10] = '9';
    for (size_t i = 0; i <= size; i++) {
        text[i < size ? i : 0] ^= 0x11;
        record_salvage(i < size ? text : NULL, size, id, &found);
        text[i < size ? i : 0] ^= 0x11;
        assert_string_equal(found.id, id);
        char *again = record_to_text(&found);
        assert_int_equal(record_from_text(again, strlen(again), &back), SWIN2SR_OK);
        free(again);
    }
    for (size_t length = 0; length < size; length += 7)
        record_salvage(text, length, id, &found);
    free(text);
}

/* A text with a correct checksum. */
static swin2sr_status read_signed(const char *json, job_record *ret_record) {
    char text[RECORD_MAX_BYTES], hex[65];
    swin2sr__sha256_hex(json, strlen(json), hex);
    snprintf(text, sizeof text, "sha256 %s\n%s\n", hex, json);
    return record_from_text(text, strlen(text), ret_record);
}

#define GOOD                                                                                                        \
    "\"version\":1,\"id\":\"n1-01m8gj31jbpcw1nm4fj5ektd0q\",\"model\":\"clean\",\"format\":\"png\",\"quality\":95," \
    "\"in_bytes\":1,\"in_pixels_max\":1,\"out_pixels_max\":1"

static void wrong_fields_are_refused(void **state) {
    static const char *const wrong[] = {
        "\"id\":\"../../etc/passwd\"",
        "\"id\":7",
        "\"status\":\"lost\"",
        "\"status\":\"succeeded\"",
        "\"result_name\":\"a.png\"",
        "\"created_ms\":-1",
        "\"quality\":0",
        "\"quality\":101",
        "\"quality\":1.5",
        "\"format\":\"exe\"",
        "\"compression\":\"9\"",
        "\"compression\":9",
        "\"plain_parts\":1001",
        "\"target_is_fit\":1",
        "\"in_bytes\":0",
        "\"outcome\":3",
        "\"model\":\"\"",
        "\"token\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
        "\"detail\":\"\\u0007\"",
        "\"attempts\":4294967296",
        "\"is_strict\":1",
        "\"input_sha256\":\"0123\"",
        "\"result_sha256\":\"XYZ4567890123456789012345678901234567890123456789012345678901234\"",
    };
    job_record found;
    assert_int_equal(read_signed("{" GOOD "}", &found), SWIN2SR_OK);
    assert_int_equal(found.status, RECORD_QUEUED);
    assert_int_equal(read_signed("{" GOOD ",\"a_later_field\":[1]}", &found), SWIN2SR_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char json[1000], name[40];
        snprintf(name, sizeof name, "%.*s:", (int)strcspn(wrong[i], ":"), wrong[i]);
        const char *old = strstr(GOOD, name); /* replace the field, so that no name appears twice */
        int before = old ? (int)(old - GOOD) : (int)strlen(GOOD);
        const char *after = old ? old + strcspn(old, ",") : "";
        snprintf(json, sizeof json, "{%.*s%s%s%s}", before, GOOD, old ? "" : ",", wrong[i], after);
        assert_int_equal(read_signed(json, &found), SWIN2SR_CORRUPT);
    }
    assert_int_equal(read_signed("{" GOOD ",\"version\":1}", &found), SWIN2SR_CORRUPT);
    assert_int_equal(
        read_signed("{\"version\":1,\"id\":\"n1-01m8gj31jbpcw1nm4fj5ektd0q\",\"model\":\"clean\",\"quality\":95,"
                    "\"in_bytes\":1,\"in_pixels_max\":1,\"out_pixels_max\":1}",
                    &found),
        SWIN2SR_CORRUPT); /* without a format it could not be written again */
    assert_int_equal(read_signed("{}", &found), SWIN2SR_CORRUPT);
    assert_int_equal(read_signed("[]", &found), SWIN2SR_CORRUPT);
    assert_int_equal(read_signed("{\"version\":2}", &found), SWIN2SR_UNSUPPORTED);
}

static void ids_sort_by_time(void **state) {
    char first[LIMIT_JOB_ID_BYTES], second[LIMIT_JOB_ID_BYTES];
    const uint8_t high[10] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255}, low[10] = {0};
    record_make_id("n1", 1795850974923, high, first);
    record_make_id("n1", 1795850974924, low, second);
    assert_string_equal(first + 13, "zzzzzzzzzzzzzzzz");
    assert_string_equal(second + 13, "0000000000000000");
    assert_true(strcmp(first, second) < 0);
    assert_true(record_is_id(first));
    assert_true(record_is_id("abcdefghijklmno1-00000000000000000000000000"));
    static const char *const others[] = {"",
                                         "-",
                                         "n1-",
                                         "n1-0",
                                         "n1-0000000000000000000000000u",
                                         "../../0000000000000000000",
                                         "N1-00000000000000000000000000",
                                         "n1-000000000000000000000000000",
                                         "abcdefghijklmnop1-00000000000000000000000000",
                                         "n1-0000000000000/000000000000"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(record_is_id(others[i]));
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--write") == 0) { /* write the fixture of this version */
        job_record record = sample();
        char *text = record_to_text(&record);
        fputs(text, stdout);
        free(text);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_comes_back),         cmocka_unit_test(stored_records_are_read),
        cmocka_unit_test(every_changed_byte_is_found), cmocka_unit_test(a_damaged_record_is_salvaged),
        cmocka_unit_test(wrong_fields_are_refused),    cmocka_unit_test(ids_sort_by_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
