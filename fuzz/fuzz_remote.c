/* SPDX-License-Identifier: Apache-2.0
 * fuzz/fuzz_remote.c - the answer of a service, as `swin2sr remote` reads it: lines of a header, an empty line, a body.
 * The body is read as a job, as a list of networks and as a problem document, whatever it is. */
#include <stdlib.h>
#include <string.h>

#include "remote/address.h"
#include "remote/answer.h"
#include "remote/job.h"
#include "remote/networks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_body(const remote_answer *answer) {
    remote_job job;
    remote_network network;
    swin2sr_error error;
    char path[200] = "/v1/jobs";
    if (job_parse(answer, &job) &&
        (!(job.progress >= 0 && job.progress <= 1) || strpbrk(job.id, "/.?%") || (job.has_result && !job.result_bytes)))
        abort();
    if (networks_choose(answer, "host", NULL, "photo", &network, &error) == SWIN2SR_OK &&
        (network.scale < 0 || network.scale > 16 || !address_add_query(path, sizeof(path), "model", network.name)))
        abort();
    networks_choose(answer, "host", "photo", NULL, &network, &error);
    networks_choose(answer, "host", NULL, NULL, &network, &error);
    answer_is_transient(answer);
    if (answer_fail(answer, "host", &error) == SWIN2SR_OK || !memchr(error.text, '\0', sizeof(error.text)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const long CODES[] = {200, 202, 401, 409, 413, 422, 500, 503, 504};
    const char *at = (const char *)data, *end = at + size;
    uint64_t first, last;
    char id[ADDRESS_ID_BYTES];
    remote_address address;
    remote_answer *answer = calloc(1, sizeof(*answer));
    if (!answer || size == 0)
        goto done;
    answer->code = CODES[(unsigned char)*at++ % (sizeof(CODES) / sizeof(CODES[0]))];
    while (at < end && *at != '\n') {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        size_t length = line_end ? (size_t)(line_end - at) + 1 : (size_t)(end - at);
        answer_take_line(answer, at, length);
        at += length;
    }
    at += at < end;
    if (!answer_take_text(answer, at, (size_t)(end - at)))
        goto done;
    answer_parse_range(answer->range, &first, &last);
    answer_retry_after_s(answer);
    address_take_id(answer->location, id);
    if (address_parse(answer->location, &address, NULL) == SWIN2SR_OK &&
        (strpbrk(address.base, "?# \r\n") || strchr(address.host, '@')))
        abort();
    read_body(answer);
done:
    free(answer);
    return 0;
}
