/* SPDX-License-Identifier: Apache-2.0
 * s3/exchange.c - one request to the store.
 * In: method, key, body.  Out: the answer, or why there is none.
 * An attempt ends when no byte has moved for LIMIT_S3_STALL_S. All attempts together end request_s after the first, and
 * later where many bytes move. Between attempts is a random wait, of a range that doubles: servers that failed together
 * do not come back together. */
#include "s3/exchange.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/write.h"

#define REQUEST_HEADERS (S3_EXTRA_HEADERS + 4)
#define ERROR_TEXT_BYTES 8192u

/* One attempt, and what libcurl gives its callbacks. */
typedef struct attempt {
    s3_client *client;
    s3_exchange *exchange;
    uint64_t begun_us;            /* of the first attempt */
    uint32_t allowed_s;           /* for all attempts */
    int earlier_code;             /* of the last answer that came, in an earlier attempt; 0: none */
    uint64_t sent;                /* bytes of the body that libcurl has taken */
    uint64_t capacity;            /* of exchange->text */
    swin2sr__digest digest;       /* of the body of the answer */
    swin2sr_status status;        /* why a callback has ended it */
    char fault[ERROR_TEXT_BYTES]; /* the body of an error */
    size_t fault_size;
    CURLcode result;
    char detail[CURL_ERROR_SIZE];
} attempt;

/* ---- the body ---- */

static size_t on_read(char *data, size_t size, size_t count, void *context) {
    attempt *self = context;
    const s3_exchange *exchange = self->exchange;
    uint64_t left = exchange->in_size - self->sent;
    size_t wanted = left < size * count ? (size_t)left : size * count;
    ssize_t taken = (ssize_t)wanted;
    if (exchange->in_bytes)
        memcpy(data, (const char *)exchange->in_bytes + self->sent, wanted);
    else if (wanted > 0)
        taken = pread(exchange->in_fd, data, wanted, (off_t)(exchange->in_at + self->sent));
    if (taken < 0 || (taken == 0 && wanted > 0)) { /* the file is shorter than it was */
        self->status = SWIN2SR_IO;
        return CURL_READFUNC_ABORT;
    }
    self->sent += (uint64_t)taken;
    return (size_t)taken;
}

/* A connection that the store had closed is replaced, and the body begins again. */
static int on_seek(void *context, curl_off_t offset, int origin) {
    attempt *self = context;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > self->exchange->in_size)
        return CURL_SEEKFUNC_FAIL;
    self->sent = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* ---- the answer ---- */

/* The value of a header with this name, without blanks around it.  false: it has another name, or is too long. */
static bool take_header(const char *line, size_t size, const char *name, char *ret_value, size_t value_size) {
    size_t length = strlen(name);
    if (size <= length || strncasecmp(line, name, length) != 0 || line[length] != ':')
        return false;
    const char *begin = line + length + 1, *end = line + size;
    while (begin < end && (*begin == ' ' || *begin == '\t'))
        begin++;
    while (end > begin && strchr(" \t\r\n", end[-1]))
        end--;
    if ((size_t)(end - begin) >= value_size)
        return false;
    memcpy(ret_value, begin, (size_t)(end - begin));
    ret_value[end - begin] = '\0';
    return true;
}

static size_t on_header(char *data, size_t size, size_t count, void *context) {
    attempt *self = context;
    s3_exchange *exchange = self->exchange;
    size_t length = size * count;
    char number[24];
    if (length > 5 && strncmp(data, "HTTP/", 5) == 0) { /* of the answer itself, after those that announce it */
        const char *space = memchr(data, ' ', length);
        exchange->code = space && (size_t)(space - data) + 4 <= length ? atoi(space + 1) : 0;
        exchange->object = (s3_object){.bytes = 0};
        exchange->etag[0] = '\0';
    }
    take_header(data, length, "ETag", exchange->etag, sizeof exchange->etag);
    take_header(data, length, S3_META_SHA256, exchange->object.sha256, sizeof exchange->object.sha256);
    take_header(data, length, S3_META_WRITER, exchange->object.writer, sizeof exchange->object.writer);
    if (take_header(data, length, "Content-Length", number, sizeof number))
        exchange->object.bytes = strtoull(number, NULL, 10);
    return length;
}

static bool is_success(int code) {
    return code >= 200 && code < 300;
}

/* Make room for the text and a zero byte. */
static bool reserve(attempt *self, uint64_t bytes) {
    if (bytes + 1 <= self->capacity)
        return true;
    uint64_t capacity = 2 * bytes < 4096 ? 4096 : 2 * bytes;
    char *text = realloc(self->exchange->text, capacity);
    if (!text)
        return false;
    self->exchange->text = text;
    self->capacity = capacity;
    return true;
}

static swin2sr_status take_bytes(attempt *self, const char *data, size_t size) {
    s3_exchange *exchange = self->exchange;
    if (exchange->out_max_bytes - exchange->received < size)
        return SWIN2SR_TOO_LARGE;
    if (exchange->out_fd >= 0) {
        if (swin2sr__write_at(exchange->out_fd, data, size, exchange->received) < size)
            return SWIN2SR_IO;
    } else {
        if (!reserve(self, exchange->received + size))
            return SWIN2SR_NOMEM;
        memcpy(exchange->text + exchange->received, data, size);
    }
    exchange->received += size;
    swin2sr__digest_add(&self->digest, data, size);
    return SWIN2SR_OK;
}

static size_t on_body(char *data, size_t size, size_t count, void *context) {
    attempt *self = context;
    size_t length = size * count;
    if (!is_success(self->exchange->code)) {
        size_t room = sizeof self->fault - self->fault_size;
        size_t taken = length < room ? length : room;
        memcpy(self->fault + self->fault_size, data, taken);
        self->fault_size += taken;
        return length;
    }
    self->status = take_bytes(self, data, length);
    return self->status == SWIN2SR_OK ? length : 0;
}

/* ---- time ---- */

/* false: request_s have passed, or less while the store is away, and the time that its bytes may take. */
static bool has_time(const attempt *self, uint64_t more_us) {
    uint64_t moved = self->sent + self->exchange->received;
    uint64_t allowed_us = (uint64_t)self->allowed_s * 1000000 + moved * 1000000 / LIMIT_S3_SLOWEST_BYTES;
    return swin2sr__clock_us() - self->begun_us + more_us < allowed_us;
}

static int on_progress(void *context, curl_off_t in_all, curl_off_t in, curl_off_t out_all, curl_off_t out) {
    const attempt *self = context;
    return self->client->is_interrupted || !has_time(self, 0);
}

/* A random time up to 0.1 s, 0.2 s, ..., LIMIT_S3_DELAY_MAX_MS. */
static uint64_t delay_us(int attempts) {
    uint64_t most = (uint64_t)LIMIT_S3_DELAY_FIRST_MS << (attempts < 16 ? attempts - 1 : 15), random = 0;
    most = 1000 * (most < LIMIT_S3_DELAY_MAX_MS ? most : LIMIT_S3_DELAY_MAX_MS);
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        random = swin2sr__clock_us();
    return random % (most + 1);
}

/* ---- sending ---- */

/* Put the headers of every request beside those of this one, in the order of their names. */
static size_t collect_headers(const attempt *self, const s3_address *address, const char *time, const s3_keys *keys,
                              s3_header ret_headers[REQUEST_HEADERS]) {
    const s3_exchange *exchange = self->exchange;
    const char *sha256 = exchange->in_sha256 ? exchange->in_sha256 : S3_EMPTY_SHA256;
    const s3_header common[] = {{"host", address->host},
                                {"x-amz-content-sha256", sha256},
                                {"x-amz-date", time},
                                {"x-amz-security-token", keys->token}};
    size_t count = 0;
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        if (common[i].value[0])
            ret_headers[count++] = common[i];
    for (size_t i = 0; i < exchange->header_count; i++) {
        size_t at = count++;
        for (; at > 0 && strcmp(ret_headers[at - 1].name, exchange->headers[i].name) > 0; at--)
            ret_headers[at] = ret_headers[at - 1];
        ret_headers[at] = exchange->headers[i];
    }
    return count;
}

/* Append "name: value".  false: out of memory; *list is still the caller's. */
static bool append_header(const curl_api *curl, struct curl_slist **list, const char *name, const char *value) {
    char line[S3_TOKEN_BYTES + 64];
    int length = snprintf(line, sizeof line, "%s: %s", name, value);
    struct curl_slist *longer = (size_t)length < sizeof line ? curl->slist_append(*list, line) : NULL;
    explicit_bzero(line, sizeof line);
    *list = longer ? longer : *list;
    return longer;
}

/* Sign the request and write its headers.  errors _NOMEM, _TOO_LARGE. */
static swin2sr_status sign(const attempt *self, const s3_address *address, struct curl_slist **ret_list) {
    s3_header headers[REQUEST_HEADERS];
    s3_keys keys;
    char now[S3_TIME_BYTES], authorization[S3_AUTHORIZATION_BYTES];
    const s3_exchange *exchange = self->exchange;
    const curl_api *curl = &self->client->curl;
    s3_credentials_take(&self->client->credentials, &keys);
    s3_write_time((int64_t)time(NULL), now);
    const s3_signing signing = {.method = exchange->method,
                                .path = address->path,
                                .query = exchange->query ? exchange->query : "",
                                .headers = headers,
                                .header_count = collect_headers(self, address, now, &keys, headers),
                                .payload_sha256 = exchange->in_sha256 ? exchange->in_sha256 : S3_EMPTY_SHA256,
                                .region = self->client->settings.region,
                                .time = now,
                                .access_key = keys.access,
                                .secret_key = keys.secret};
    swin2sr_status status = s3_sign(&signing, authorization);
    struct curl_slist *list = status == SWIN2SR_OK ? curl->slist_append(NULL, "Expect:") : NULL;
    bool has_all = list && append_header(curl, &list, "Authorization", authorization);
    for (size_t i = 0; i < signing.header_count && has_all; i++)
        has_all = append_header(curl, &list, headers[i].name, headers[i].value);
    explicit_bzero(&keys, sizeof keys);
    if (has_all) {
        *ret_list = list;
        return SWIN2SR_OK;
    }
    curl->slist_free_all(list);
    return status == SWIN2SR_OK ? SWIN2SR_NOMEM : status;
}

static void set_method(attempt *self, CURL *handle) {
    const curl_api *curl = &self->client->curl;
    const s3_exchange *exchange = self->exchange;
    bool has_body = strcmp(exchange->method, "PUT") == 0 || strcmp(exchange->method, "POST") == 0;
    if (strcmp(exchange->method, "HEAD") == 0)
        curl->easy_setopt(handle, CURLOPT_NOBODY, 1L);
    else
        curl->easy_setopt(handle, CURLOPT_CUSTOMREQUEST, exchange->method);
    if (!has_body)
        return;
    curl->easy_setopt(handle, CURLOPT_UPLOAD, 1L);
    curl->easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, (curl_off_t)exchange->in_size);
    curl->easy_setopt(handle, CURLOPT_READFUNCTION, on_read);
    curl->easy_setopt(handle, CURLOPT_READDATA, self);
    curl->easy_setopt(handle, CURLOPT_SEEKFUNCTION, on_seek);
    curl->easy_setopt(handle, CURLOPT_SEEKDATA, self);
}

/* Send the request once.  errors _NOMEM, _TOO_LARGE; otherwise self->result says how it went. */
static swin2sr_status send_once(attempt *self, CURL *handle) {
    const curl_api *curl = &self->client->curl;
    s3_exchange *exchange = self->exchange;
    const curl_taker taker = {.on_header = on_header, .on_body = on_body, .on_progress = on_progress, .context = self};
    s3_address address;
    struct curl_slist *headers;
    swin2sr_status status =
        s3_address_make(&self->client->place, exchange->key, exchange->query ? exchange->query : "", &address);
    if (status == SWIN2SR_OK)
        status = sign(self, &address, &headers);
    if (status != SWIN2SR_OK)
        return status;
    self->sent = self->fault_size = 0;
    self->status = SWIN2SR_OK;
    self->digest = swin2sr__sha256_begin();
    self->detail[0] = exchange->error[0] = '\0';
    exchange->received = 0;
    self->earlier_code = exchange->code ? exchange->code : self->earlier_code;
    exchange->code = 0;
    curl->easy_reset(handle);
    curl_prepare(curl, handle, address.url, headers, self->detail, &taker);
    curl->easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
    curl->easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl->easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, (long)LIMIT_S3_CONNECT_S);
    if (!exchange->is_patient) {
        curl->easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl->easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, (long)LIMIT_S3_STALL_S);
    }
    set_method(self, handle);
    self->result = curl->easy_perform(handle);
    curl->easy_setopt(handle, CURLOPT_HTTPHEADER, NULL);
    curl->slist_free_all(headers);
    return SWIN2SR_OK;
}

/* ---- judging ---- */

typedef enum verdict {
    VERDICT_DONE = 0, /* as the status says */
    VERDICT_AGAIN,    /* the same request may succeed later */
} verdict;

static bool is_passing_result(CURLcode result) {
    static const CURLcode passing[] = {CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY,
                                       CURLE_COULDNT_CONNECT,      CURLE_OPERATION_TIMEDOUT,
                                       CURLE_SEND_ERROR,           CURLE_RECV_ERROR,
                                       CURLE_GOT_NOTHING,          CURLE_PARTIAL_FILE,
                                       CURLE_SSL_CONNECT_ERROR,    CURLE_WEIRD_SERVER_REPLY,
                                       CURLE_SEND_FAIL_REWIND};
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
        if (passing[i] == result)
            return true;
    return false;
}

/* Refusals that have nothing to do with the request itself: bytes were damaged on their way, or writes met. */
static bool is_passing_answer(const s3_exchange *exchange) {
    static const char *const codes[] = {"RequestTimeout",   "IncompleteBody",
                                        "BadDigest",        "XAmzContentSHA256Mismatch",
                                        "OperationAborted", "ConditionalRequestConflict"};
    int code = exchange->code;
    if (code == 408 || code == 429 || (code >= 500 && code != 501))
        return true;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (strcmp(codes[i], exchange->error) == 0)
            return true;
    return false;
}

/* The code of an error of the store, which may also be in an answer that began before the work was done. */
static void find_error(attempt *self) {
    s3_exchange *exchange = self->exchange;
    if (!is_success(exchange->code))
        (void)s3_answer_code(self->fault, self->fault_size, exchange->error);
    else if (strcmp(exchange->method, "POST") == 0 && exchange->text &&
             s3_answer_code(exchange->text, exchange->received, exchange->error))
        exchange->code = 500;
}

/* true: the body that came is that which was put. */
static bool is_intact(attempt *self) {
    const s3_exchange *exchange = self->exchange;
    unsigned char bytes[SWIN2SR__DIGEST_MAX_BYTES];
    char sha256[65];
    if (!exchange->is_compared)
        return true;
    swin2sr__digest_end(&self->digest, bytes);
    swin2sr__hex(bytes, sizeof bytes, sha256);
    return strcmp(sha256, exchange->object.sha256) == 0;
}

static bool is_missing(const s3_exchange *exchange) {
    return exchange->key && exchange->code == 404 && strcmp(exchange->error, "NoSuchBucket") != 0;
}

static bool is_taken(const s3_exchange *exchange) {
    return exchange->code == 412 || strcmp(exchange->error, "FileAlreadyExists") == 0;
}

static verdict judge(attempt *self, swin2sr_status *ret_status) {
    s3_exchange *exchange = self->exchange;
    *ret_status = SWIN2SR_IO;
    if (self->client->is_interrupted) {
        *ret_status = SWIN2SR_CANCELLED;
        return VERDICT_DONE;
    }
    if (self->status != SWIN2SR_OK) { /* a callback ended it */
        *ret_status = self->status;
        return VERDICT_DONE;
    }
    if (self->result != CURLE_OK)
        return is_passing_result(self->result) ? VERDICT_AGAIN : VERDICT_DONE;
    find_error(self);
    if (is_passing_answer(exchange))
        return VERDICT_AGAIN;
    if (!is_success(exchange->code)) {
        *ret_status = is_missing(exchange) || is_taken(exchange) ? SWIN2SR_INVALID : SWIN2SR_IO;
        return VERDICT_DONE;
    }
    *ret_status = is_intact(self) ? SWIN2SR_OK : SWIN2SR_CORRUPT;
    return *ret_status == SWIN2SR_OK ? VERDICT_DONE : VERDICT_AGAIN;
}

/* ---- the detail of a failure ---- */

/* What an operator can do about an error of the store; "": nothing that is known here. */
static const char *advice(const char *error, int code) {
    static const struct {
        const char *error, *advice;
    } rows[] = {
        {"SignatureDoesNotMatch", ": the secret key or the region is wrong"},
        {"InvalidAccessKeyId", ": the store does not know the access key"},
        {"AccessDenied", ": the access key may not do this"},
        {"ExpiredToken", ": the keys have expired"},
        {"NoSuchBucket", ": make the bucket, or correct its name"},
        {"RequestTimeTooSkewed", ": set the clock of this machine"},
        {"AuthorizationHeaderMalformed", ": the region is wrong"},
        {"PermanentRedirect", ": the bucket has another endpoint"},
        {"NotImplemented", ": the store cannot do this; see the settings for this store in docs/storage.md"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].error, error) == 0)
            return rows[i].advice;
    return code == 403 ? ": the access key or its secret is wrong, or may not do this" : "";
}

/* Why the last attempt was the last, without an answer that says so. */
static void explain_silence(const attempt *self, char *ret_text, size_t size) {
    const char *reason = self->detail[0] ? self->detail : self->client->curl.easy_strerror(self->result);
    if (self->result != CURLE_ABORTED_BY_CALLBACK)
        snprintf(ret_text, size, "no answer of the store: %s", reason);
    else if (self->earlier_code)
        snprintf(ret_text, size, "its time has passed; the store answered %d before", self->earlier_code);
    else
        snprintf(ret_text, size, "no answer of the store, and its time has passed");
}

static swin2sr_status explain(const attempt *self, swin2sr_status status, int attempts, swin2sr_error *reterr) {
    const s3_exchange *exchange = self->exchange;
    const s3_place *place = &self->client->place;
    char what[LIMIT_S3_KEY_BYTES + S3_HOST_BYTES + 96], why[CURL_ERROR_SIZE + 128], count[32] = "";
    snprintf(what, sizeof what, "%s %.*s in bucket %s at %s", exchange->method, (int)LIMIT_S3_KEY_BYTES,
             exchange->key ? exchange->key : "the list", place->bucket, place->host);
    if (attempts > 1)
        snprintf(count, sizeof count, " (%d attempts)", attempts);
    if (status == SWIN2SR_CANCELLED || status == SWIN2SR_NOMEM)
        return status;
    if (status == SWIN2SR_CORRUPT)
        snprintf(why, sizeof why, "the store sent other bytes than were put");
    else if (status == SWIN2SR_TOO_LARGE)
        snprintf(why, sizeof why, "is larger than %" PRIu64 " bytes", exchange->out_max_bytes);
    else if (self->status != SWIN2SR_OK)
        snprintf(why, sizeof why, "a file on this machine cannot be %s",
                 exchange->in_size > 0 ? "read, or has become shorter" : "written");
    else if (self->result == CURLE_OK)
        snprintf(why, sizeof why, "the store answered %d%s%s%s", exchange->code, exchange->error[0] ? " " : "",
                 exchange->error, advice(exchange->error, exchange->code));
    else
        explain_silence(self, why, sizeof why);
    return swin2sr__error_set(reterr, status, "%s: %s%s", what, why, count);
}

/* ---- the exchange ---- */

/* Attempt until one is final, the time has passed, or damaged bytes have come twice. */
static swin2sr_status run_attempts(attempt *self, CURL *handle, int *ret_attempts) {
    swin2sr_status status;
    for (int damaged = 0;; damaged += status == SWIN2SR_CORRUPT) {
        status = send_once(self, handle);
        ++*ret_attempts;
        if (status != SWIN2SR_OK || judge(self, &status) == VERDICT_DONE || damaged > 0)
            return status;
        uint64_t wait_us = delay_us(*ret_attempts);
        if (!has_time(self, wait_us))
            return status;
        if (!s3_sleep(self->client, wait_us))
            return SWIN2SR_CANCELLED;
    }
}

/* true: no answer came that says what is wrong with this request. */
static bool is_unanswered(const attempt *self, swin2sr_status status) {
    return status == SWIN2SR_IO && self->status == SWIN2SR_OK &&
           (self->result != CURLE_OK || is_passing_answer(self->exchange));
}

swin2sr_status s3_exchange_run(s3_client *client, s3_exchange *exchange, swin2sr_error *reterr) {
    CURL *handle = s3_take_handle(client);
    attempt *self = handle ? calloc(1, sizeof *self) : NULL;
    swin2sr_status status = SWIN2SR_NOMEM;
    int attempts = 0;
    if (self) {
        self->client = client;
        self->exchange = exchange;
        self->begun_us = swin2sr__clock_us();
        self->allowed_s = client->settings.request_s;
        if (client->is_away && self->allowed_s > LIMIT_S3_AWAY_S)
            self->allowed_s = LIMIT_S3_AWAY_S;
        status = run_attempts(self, handle, &attempts);
        client->is_away = is_unanswered(self, status);
        if (status == SWIN2SR_OK && exchange->out_fd < 0 && !reserve(self, exchange->received))
            status = SWIN2SR_NOMEM;
        if (status != SWIN2SR_OK)
            (void)explain(self, status, attempts, reterr);
    }
    if (status == SWIN2SR_OK && exchange->text)
        exchange->text[exchange->received] = '\0';
    else if (status != SWIN2SR_OK) {
        free(exchange->text);
        exchange->text = NULL;
    }
    free(self);
    if (handle)
        s3_return_handle(client, handle);
    return status;
}
