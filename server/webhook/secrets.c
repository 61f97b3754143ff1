/* SPDX-License-Identifier: Apache-2.0
 * webhook/secrets.c - the secrets of webhooks, and signatures with them.
 * In: a file, messages.  Out: the header field webhook-signature. With two secrets in the file, receivers that have one
 * of them accept a message, so a secret is replaced without a gap. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/hmac.h"
#include "webhook/webhook.h"

#define PREFIX "whsec_"
#define FILE_BYTES 4096

static bool take_line(const char *line, size_t length, webhook_secrets *secrets) {
    const size_t prefix = strlen(PREFIX);
    if (secrets->count == LIMIT_WEBHOOK_SECRETS || length < prefix || strncmp(line, PREFIX, prefix) != 0)
        return false;
    size_t size = swin2sr__base64_decode(line + prefix, length - prefix, secrets->bytes[secrets->count],
                                         LIMIT_WEBHOOK_SECRET_BYTES);
    secrets->sizes[secrets->count] = size;
    secrets->count++;
    return size >= LIMIT_WEBHOOK_SECRET_MIN_BYTES && size <= LIMIT_WEBHOOK_SECRET_BYTES;
}

swin2sr_status webhook_parse_secrets(const char *text, webhook_secrets *ret_secrets, swin2sr_error *reterr) {
    webhook_secrets found = {.count = 0};
    bool is_good = true;
    int number = 0;
    for (size_t length; is_good && *text; text += length + (text[length] != '\0')) {
        length = strcspn(text, "\n");
        size_t end = length;
        number++;
        while (end > 0 && strchr(" \t\r", text[end - 1]))
            end--;
        is_good = end == 0 || text[0] == '#' || take_line(text, end, &found);
    }
    bool has_one = found.count > 0;
    if (is_good && has_one)
        *ret_secrets = found;
    explicit_bzero(&found, sizeof found);
    if (!is_good)
        return swin2sr__error_set(
            reterr, SWIN2SR_INVALID, "line %d: must be whsec_ and the base64 of %d to %u bytes, on at most %d lines",
            number, LIMIT_WEBHOOK_SECRET_MIN_BYTES, LIMIT_WEBHOOK_SECRET_BYTES, LIMIT_WEBHOOK_SECRETS);
    return has_one ? SWIN2SR_OK : swin2sr__error_set(reterr, SWIN2SR_INVALID, "has no line with whsec_BASE64");
}

swin2sr_status webhook_read_secrets(const char *path, webhook_secrets *ret_secrets, swin2sr_error *reterr) {
    char text[FILE_BYTES + 1];
    FILE *file = fopen(path, "re");
    errno = file ? 0 : errno;
    size_t size = file ? fread(text, 1, FILE_BYTES, file) : 0;
    bool is_read = file && !ferror(file);
    swin2sr_status status = SWIN2SR_OK;
    if (!is_read)
        status = swin2sr__error_set(reterr, SWIN2SR_IO, "cannot be read: %s", strerror(errno));
    if (file)
        fclose(file);
    text[size] = '\0';
    webhook_secrets found = {.count = 0};
    if (status == SWIN2SR_OK)
        status = webhook_parse_secrets(text, &found, reterr);
    if (status == SWIN2SR_OK)
        *ret_secrets = found;
    explicit_bzero(text, sizeof text);
    explicit_bzero(&found, sizeof found);
    return status;
}

void webhook_sign(const webhook_secrets *secrets, const char *id, int64_t sent_s, const char *body,
                  char ret_text[WEBHOOK_SIGNATURES_BYTES]) {
    char head[LIMIT_JOB_ID_BYTES + 24], *at = ret_text;
    int length = snprintf(head, sizeof head, "%s.%lld.", id, (long long)sent_s);
    *at = '\0';
    for (size_t i = 0; i < secrets->count; i++) {
        unsigned char bytes[SWIN2SR__HMAC_BYTES];
        swin2sr__hmac hmac = swin2sr__hmac_begin(secrets->bytes[i], secrets->sizes[i]);
        swin2sr__digest_add(&hmac.inner, head, (size_t)length);
        swin2sr__digest_add(&hmac.inner, body, strlen(body));
        swin2sr__hmac_end(&hmac, bytes);
        at += sprintf(at, "%sv1,", i > 0 ? " " : "");
        swin2sr__base64_encode(bytes, sizeof bytes, at);
        at += strlen(at);
    }
}
