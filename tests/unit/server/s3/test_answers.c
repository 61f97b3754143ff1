/* SPDX-License-Identifier: Apache-2.0
 * Answers of stores in XML: those of real ones, and hostile ones. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "s3/answers.h"
#include "s3/xml.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define RESULT "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
#define ITEM(key, size)                                                                 \
    "<Contents><Key>" key "</Key><LastModified>2026-11-28T18:00:01.250Z</LastModified>" \
    "<ETag>&quot;9b2c&quot;</ETag><Size>" size "</Size><Owner><ID>t</ID><DisplayName/></Owner></Contents>"

typedef struct seen {
    char text[512];
    int64_t modified_s;
    int count, most;
} seen;

static bool visit(void *context, const s3_entry *entry) {
    seen *self = context;
    size_t length = strlen(self->text);
    snprintf(self->text + length, sizeof self->text - length, "%s=%llu=%s;", entry->key,
             (unsigned long long)entry->bytes, entry->etag);
    self->modified_s = entry->modified_s;
    return ++self->count < self->most;
}

static swin2sr_status list(const char *text, seen *ret_seen, char ret_token[S3_ANSWER_TOKEN_BYTES]) {
    *ret_seen = (seen){.most = 100};
    return s3_answer_list(text, strlen(text), "p/", visit, ret_seen, ret_token);
}

static void pages_of_a_list(void **state) {
    char token[S3_ANSWER_TOKEN_BYTES];
    seen found;
    assert_int_equal(list(HEAD RESULT
                          "<Name>b</Name><Prefix>p/</Prefix><IsTruncated>true</IsTruncated>" ITEM("p/a&amp;b", "12")
                              ITEM("p/c&#x20;d",
                                   "0") "<NextContinuationToken>p/c&#32;d</NextContinuationToken></ListBucketResult>\n",
                          &found, token),
                     SWIN2SR_OK);
    assert_string_equal(found.text, "a&b=12=\"9b2c\";c d=0=\"9b2c\";");
    assert_int_equal(found.modified_s, 1795888801);
    assert_string_equal(token, "p/c d");
    assert_int_equal(list(HEAD RESULT "<IsTruncated>false</IsTruncated></ListBucketResult>", &found, token),
                     SWIN2SR_OK);
    assert_int_equal(found.count, 0);
    assert_string_equal(token, "");
}

static void visitor_ends_a_list(void **state) {
    char token[S3_ANSWER_TOKEN_BYTES];
    seen found = {.most = 1};
    static const char text[] = RESULT ITEM("p/a", "1")
        ITEM("p/b",
             "1") "<IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken></ListBucketResult>";
    assert_int_equal(s3_answer_list(text, strlen(text), "p/", visit, &found, token), SWIN2SR_OK);
    assert_int_equal(found.count, 1);
    assert_string_equal(token, "");
}

static void what_is_no_list_is_refused(void **state) {
    static const char *const texts[] = {
        "",
        " ",
        "no list",
        HEAD,
        "<html><body>502</body></html>",
        "<ListBucketResult>",
        "<ListBucketResult></ListBucket>",
        "<ListBucketResult/>x",
        "<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\">]><ListBucketResult/>",
        "<ListBucketResult><![CDATA[x]]></ListBucketResult>",
        "<ListBucketResult><!-- no end</ListBucketResult>",
        "<ListBucketResult><?x</ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        RESULT "<Contents><Key>p/a</Key></Contents></ListBucketResult>",
        RESULT "<Contents><Size>1</Size></Contents></ListBucketResult>",
        RESULT ITEM("other/a", "1") "</ListBucketResult>",
        RESULT ITEM("p/a", "-1") "</ListBucketResult>",
        RESULT ITEM("p/a", "99999999999999999999") "</ListBucketResult>",
        RESULT ITEM("p/&a;", "1") "</ListBucketResult>",
        RESULT ITEM("p/&#0;", "1") "</ListBucketResult>",
        RESULT ITEM("p/&#xd800;", "1") "</ListBucketResult>",
        RESULT ITEM("p/&#x110000;", "1") "</ListBucketResult>",
        RESULT ITEM("p/&", "1") "</ListBucketResult>",
        RESULT "<a><b><c><d><e><f><g><h></h></g></f></e></d></c></b></a></ListBucketResult>",
        RESULT "<a b='<'></a></ListBucketResult>",
        RESULT "<a b=\"></a></ListBucketResult>",
        "<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/>",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char token[S3_ANSWER_TOKEN_BYTES];
        seen found;
        if (list(texts[i], &found, token) != SWIN2SR_CORRUPT)
            fail_msg("accepted: %s", texts[i]);
    }
}

/* Each prefix of an answer, in memory that ends with it, and each with one byte changed. */
static void cut_and_changed_answers(void **state) {
    static const char text[] = HEAD RESULT ITEM("p/a&amp;b", "12") "<a b=\"c\"/><!-- d --></ListBucketResult>";
    for (size_t size = 0; size < sizeof text - 1; size++) {
        char token[S3_ANSWER_TOKEN_BYTES], *copy = malloc(size + 1);
        memcpy(copy, text, size);
        char *exact = realloc(copy, size ? size : 1);
        assert_int_equal(s3_answer_list(exact, size, "p/", NULL, NULL, token), SWIN2SR_CORRUPT);
        free(exact);
    }
    for (size_t i = 0; i < sizeof text - 1; i++)
        for (int value = 0; value < 256; value += 5) {
            char token[S3_ANSWER_TOKEN_BYTES], *copy = malloc(sizeof text - 1);
            memcpy(copy, text, sizeof text - 1);
            copy[i] = (char)value;
            (void)(s3_answer_list(copy, sizeof text - 1, "p/", NULL, NULL, token) == SWIN2SR_OK);
            free(copy);
        }
}

static void long_texts_are_refused(void **state) {
    char *text = malloc(8192), token[S3_ANSWER_TOKEN_BYTES];
    memset(text, 'k', 8192);
    memcpy(text, "<ListBucketResult><Contents><Key>", 33);
    static const char tail[] = "</Key><Size>1</Size></Contents></ListBucketResult>";
    memcpy(text + 8192 - sizeof tail, tail, sizeof tail);
    assert_int_equal(s3_answer_list(text, strlen(text), "", NULL, NULL, token), SWIN2SR_CORRUPT);
    free(text);
}

static void errors_and_uploads(void **state) {
    char code[S3_CODE_BYTES] = "", id[S3_UPLOAD_ID_BYTES];
    static const char error[] =
        HEAD "<Error>\n <Code>NoSuchKey</Code><Message>a &lt; b</Message><HostId></HostId></Error>";
    static const char upload[] = HEAD "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key>"
                                      "<UploadId>2~abc</UploadId></InitiateMultipartUploadResult>";
    assert_true(s3_answer_code(error, strlen(error), code));
    assert_string_equal(code, "NoSuchKey");
    assert_false(s3_answer_code("<html/>", 7, code));
    static const char hostile[] = "<Error><Code>a\nb</Code></Error>";
    assert_false(s3_answer_code(hostile, strlen(hostile), code));
    assert_int_equal(s3_answer_upload_id(upload, strlen(upload), id), SWIN2SR_OK);
    assert_string_equal(id, "2~abc");
    assert_int_equal(s3_answer_upload_id(error, strlen(error), id), SWIN2SR_CORRUPT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_of_a_list),
        cmocka_unit_test(visitor_ends_a_list),
        cmocka_unit_test(what_is_no_list_is_refused),
        cmocka_unit_test(cut_and_changed_answers),
        cmocka_unit_test(long_texts_are_refused),
        cmocka_unit_test(errors_and_uploads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
