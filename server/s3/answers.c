/* SPDX-License-Identifier: Apache-2.0
 * s3/answers.c - the answers of a store, read with s3/xml.h.
 * In: XML that nobody has checked.  Out: its few facts; everything else in it is skipped. */
#include "s3/answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "s3/xml.h"

/* Find the text of ROOT/NAME.  errors as xml_next. */
static swin2sr_status find(const char *text, size_t size, const char *root, const char *name, char *ret_text,
                           size_t text_size) {
    xml_reader reader;
    swin2sr_status status;
    xml_begin(&reader, text, size);
    while ((status = xml_next(&reader, ret_text, text_size)) == SWIN2SR_OK || status == SWIN2SR_TOO_LARGE)
        if (xml_is(&reader, 2, root, name))
            return status;
    return status;
}

bool s3_answer_code(const char *text, size_t size, char ret_code[S3_CODE_BYTES]) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
    char code[S3_CODE_BYTES];
    if (find(text, size, "Error", "Code", code, sizeof code) != SWIN2SR_OK || !code[0] || code[strspn(code, allowed)])
        return false;
    memcpy(ret_code, code, sizeof code);
    return true;
}

swin2sr_status s3_answer_upload_id(const char *text, size_t size, char ret_id[S3_UPLOAD_ID_BYTES]) {
    char id[S3_UPLOAD_ID_BYTES];
    if (find(text, size, "InitiateMultipartUploadResult", "UploadId", id, sizeof id) != SWIN2SR_OK || !id[0])
        return SWIN2SR_CORRUPT;
    memcpy(ret_id, id, sizeof id);
    return SWIN2SR_OK;
}

/* ---- lists ---- */

typedef struct list_page {
    const char *prefix;
    bool (*visit)(void *context, const s3_entry *entry);
    void *context;
    char key[LIMIT_S3_KEY_BYTES + LIMIT_S3_PREFIX_BYTES]; /* of the object that is read; "": none yet */
    char etag[64];
    s3_entry entry;
    bool has_size, is_stopped, is_truncated;
    char token[S3_ANSWER_TOKEN_BYTES];
} list_page;

static bool parse_size(const char *text, uint64_t *ret_bytes) {
    size_t length = strlen(text);
    if (length == 0 || length > 18 || strspn(text, "0123456789") != length)
        return false;
    *ret_bytes = strtoull(text, NULL, 10);
    return true;
}

/* "2026-11-28T18:00:00.000Z", whose fraction is skipped. */
static bool parse_time(const char *text, int64_t *ret_s) {
    struct tm parts = {.tm_sec = 0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (!rest || (*rest != '.' && *rest != 'Z'))
        return false;
    *ret_s = timegm(&parts);
    return true;
}

/* The object is complete.  false: it is not an object of such a list. */
static bool end_object(list_page *page) {
    size_t prefix = strlen(page->prefix);
    if (!page->key[0] || !page->has_size || strncmp(page->key, page->prefix, prefix) != 0)
        return false;
    page->entry.key = page->key + prefix;
    page->entry.etag = page->etag;
    if (page->visit && !page->is_stopped)
        page->is_stopped = !page->visit(page->context, &page->entry);
    page->entry = (s3_entry){.key = NULL};
    page->key[0] = page->etag[0] = '\0';
    page->has_size = false;
    return true;
}

/* Take an element of a list, which has ended.  false: it is not as it must be. */
static bool take_element(list_page *page, const xml_reader *reader, const char *text) {
    if (xml_is(reader, 3, "Contents", "Key")) {
        int length = snprintf(page->key, sizeof page->key, "%s", text);
        return (size_t)length < sizeof page->key;
    }
    if (xml_is(reader, 3, "Contents", "Size"))
        return page->has_size = parse_size(text, &page->entry.bytes);
    if (xml_is(reader, 3, "Contents", "LastModified"))
        return parse_time(text, &page->entry.modified_s);
    if (xml_is(reader, 3, "Contents", "ETag") && strlen(text) < sizeof page->etag)
        strcpy(page->etag, text);
    if (xml_is(reader, 2, "ListBucketResult", "Contents"))
        return end_object(page);
    if (xml_is(reader, 2, "ListBucketResult", "IsTruncated"))
        page->is_truncated = strcmp(text, "true") == 0;
    if (xml_is(reader, 2, "ListBucketResult", "NextContinuationToken"))
        strcpy(page->token, text);
    return true;
}

swin2sr_status s3_answer_list(const char *text, size_t size, const char *prefix,
                              bool (*visit)(void *context, const s3_entry *entry), void *context,
                              char ret_token[S3_ANSWER_TOKEN_BYTES]) {
    list_page page = {.prefix = prefix, .visit = visit, .context = context};
    char value[S3_ANSWER_TOKEN_BYTES];
    xml_reader reader;
    swin2sr_status status;
    xml_begin(&reader, text, size);
    while ((status = xml_next(&reader, value, sizeof value)) == SWIN2SR_OK)
        if (strcmp(reader.names[0], "ListBucketResult") != 0 || !take_element(&page, &reader, value))
            return SWIN2SR_CORRUPT;
    bool has_next = page.is_truncated && !page.is_stopped;
    if (status != SWIN2SR_INVALID || !reader.names[0][0] || (has_next && !page.token[0]))
        return SWIN2SR_CORRUPT;
    strcpy(ret_token, has_next ? page.token : "");
    return SWIN2SR_OK;
}
