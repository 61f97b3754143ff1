/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/service.c - which service and which of its networks a run uses, and whether it keeps jobs. */
#include <stdlib.h>

#include "command/report.h"
#include "run.h"
#include "upload.h"

bool remote_settle_server(remote_run *run) {
    swin2sr_error error = {0};
    if (!run->server)
        run->server = getenv("SWIN2SR_SERVER");
    if (!run->server || !run->server[0]) {
        report_error(NULL, "which service? give --server URL, or set SWIN2SR_SERVER");
        return false;
    }
    if (address_parse(run->server, &run->link.address, &error) == SWIN2SR_OK)
        return true;
    report_error(NULL, "--server: %s", error.text); /* without the address, which may have a password */
    return false;
}

/* Ask for the network until the service has loaded it. */
static swin2sr_status choose_network(remote_run *run, swin2sr_error *reterr) {
    remote_link *link = &run->link;
    for (;;) {
        remote_answer answer;
        link_request request = {.method = "GET", .path = "/v1/models", .is_question = true};
        swin2sr_status status = link_call(link, &request, &answer, reterr);
        if (status == SWIN2SR_OK && answer.code != 200)
            return answer_fail(&answer, link->address.host, reterr);
        if (status == SWIN2SR_OK)
            status = networks_choose(&answer, link->address.host, run->options.model, run->task, &run->network, reterr);
        if (status != SWIN2SR_OK || run->network.scale > 0)
            return status;
        status = link_pause(link, 0, "the service has not loaded the network yet", reterr);
        if (status != SWIN2SR_OK)
            return status;
    }
}

swin2sr_status remote_meet(remote_run *run, swin2sr_error *reterr) {
    swin2sr_status status = key_read(run->key_file, run->key, reterr);
    if (status != SWIN2SR_OK)
        return status;
    run->link.timeout_s = run->timeout_s;
    run->link.key = run->key[0] ? run->key : NULL;
    if (run->link.key && !run->link.address.is_https && !run->link.address.is_loopback && !run->options.is_quiet)
        report_note(NULL, "the key is sent to %s without encryption; https would protect it", run->link.address.host);
    status = link_open(&run->link, reterr);
    if (status == SWIN2SR_OK)
        status = choose_network(run, reterr);
    if (status == SWIN2SR_OK)
        status = upload_ask(&run->link, &run->has_jobs, reterr);
    if (status == SWIN2SR_OK && run->has_jobs)
        tickets_sweep();
    if (status == SWIN2SR_OK && run->task && !run->options.is_quiet)
        report_note(NULL, "task %s: %s", run->task, run->network.name);
    return status;
}
