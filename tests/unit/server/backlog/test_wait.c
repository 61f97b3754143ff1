/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/backlog/test_wait.c - the predicted wait of a new job counts the jobs and workers of all processes
 * that show signs of life, and nothing else. */
#include "backlog/cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

typedef struct fixture {
    served_model served[2];
    pool_set pools;
    server_config config;
    data_folder data;
    backlog backlog;
    cluster cluster;
    peer peers[4];
} fixture;

static void add_pool(fixture *self, int index, const char *name, int workers) {
    network *made = &self->pools.networks[index];
    pool *owner = &self->pools.pools[index];
    strcpy(self->served[index].name, name);
    *made = (network){.served = &self->served[index], .owner = owner};
    owner->networks[owner->network_count++] = made;
    owner->worker_count = workers;
    self->pools.network_count = self->pools.pool_count = index + 1;
}

static int set_up(void **state) {
    fixture *self = calloc(1, sizeof *self);
    add_pool(self, 0, "photo", 2);
    add_pool(self, 1, "classical", 1);
    self->backlog.config = &self->config;
    self->backlog.data = &self->data;
    self->backlog.pools = &self->pools;
    self->backlog.cluster = &self->cluster;
    self->cluster.owner = &self->backlog;
    self->cluster.peers = self->peers;
    self->cluster.lease_us = 60000000;
    strcpy(self->cluster.name, "b-1");
    *state = self;
    return 0;
}

static int tear_down(void **state) {
    fixture *self = *state;
    for (int i = 0; i < 2; i++)
        assert_true(self->backlog.costs[i].queued_us == 0 && self->backlog.costs[i].running_us == 0);
    free(self);
    return 0;
}

static void add_peer(fixture *self, const char *name, const char *text, bool is_listed, uint64_t age_us) {
    peer *made = &self->peers[self->cluster.peer_count++];
    *made = (peer){.is_listed = is_listed, .changed_us = swin2sr__clock_us() - age_us};
    strcpy(made->name, name);
    cluster_read_workers(&self->pools, text, made);
}

static kept_job *add_job(fixture *self, const char *model, record_status status, uint64_t cost_us) {
    kept_job *made = calloc(1, sizeof *made);
    made->record.status = status;
    made->record.cost_us = cost_us;
    strcpy(made->record.spec.model, model);
    backlog_link(&self->backlog, made);
    return made;
}

static uint64_t wait_us(const fixture *self, int index) {
    return backlog_wait_us(&self->backlog, &self->pools.pools[index]);
}

static void jobs_of_each_pool(void **state) {
    fixture *self = *state;
    kept_job *jobs[] = {add_job(self, "photo", RECORD_QUEUED, 1000), add_job(self, "photo", RECORD_RUNNING, 400),
                        add_job(self, "classical", RECORD_QUEUED, 70), add_job(self, "unknown", RECORD_QUEUED, 9999),
                        add_job(self, "photo", RECORD_SUCCEEDED, 5555)};
    assert_int_equal(wait_us(self, 0), (1000 + 200) / 2);
    assert_int_equal(wait_us(self, 1), 70);
    kept_count(jobs[0], -1);
    jobs[0]->record.status = RECORD_RUNNING;
    kept_count(jobs[0], 1);
    assert_int_equal(wait_us(self, 0), (500 + 200) / 2);
    self->backlog.cluster = NULL;
    assert_int_equal(wait_us(self, 0), 0);
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++) {
        backlog_unlink(jobs[i]);
        free(jobs[i]);
    }
}

static void jobs_of_a_network_that_left_the_program(void **state) {
    fixture *self = *state;
    strcpy(self->served[1].name, "fast");
    kept_job *waiting = add_job(self, "swin2sr-lightweight-x4", RECORD_QUEUED, 6000);
    assert_int_equal(wait_us(self, 0), 0);
    assert_int_equal(wait_us(self, 1), 6000);
    backlog_unlink(waiting);
    free(waiting);
}

static void workers_of_others(void **state) {
    fixture *self = *state;
    kept_job *waiting = add_job(self, "photo", RECORD_QUEUED, 6000);
    add_peer(self, "b-1", "photo 50\n", true, 0); /* this process counts as it is now */
    assert_int_equal(wait_us(self, 0), 3000);
    add_peer(self, "a-2", "photo 4\nother 9\nclassical 1\n", true, 1000);
    assert_int_equal(wait_us(self, 0), 1000);
    add_peer(self, "c-3", "photo 4\n", false, 1000);
    add_peer(self, "d-4", "photo 4\n", true, self->cluster.lease_us + 1);
    assert_int_equal(wait_us(self, 0), 1000); /* they are gone */
    assert_int_equal(cluster_node_count(&self->cluster), 2);
    backlog_unlink(waiting);
    free(waiting);
}

static void set_status(kept_job *kept, record_status status) {
    kept_count(kept, -1);
    kept->record.status = status;
    kept_count(kept, 1);
}

/* Two workers: half of what runs, and all that came before. */
static void what_a_job_still_takes(void **state) {
    fixture *self = *state;
    kept_job *jobs[] = {add_job(self, "photo", RECORD_RUNNING, 400), add_job(self, "photo", RECORD_QUEUED, 1000),
                        add_job(self, "photo", RECORD_QUEUED, 2000), add_job(self, "classical", RECORD_QUEUED, 50),
                        add_job(self, "photo", RECORD_QUEUED, 3000), add_job(self, "unknown", RECORD_QUEUED, 9)};
    assert_int_equal(backlog_left_us(jobs[0]), 400);
    jobs[0]->progress = IPC_PROGRESS_DONE / 4;
    assert_int_equal(backlog_left_us(jobs[0]), 300);
    assert_int_equal(backlog_left_us(jobs[1]), 100 + 1000);
    assert_int_equal(backlog_left_us(jobs[2]), (200 + 1000) / 2 + 2000);
    assert_int_equal(backlog_left_us(jobs[3]), 50);
    assert_int_equal(backlog_left_us(jobs[4]), (200 + 3000) / 2 + 3000);
    assert_int_equal(backlog_left_us(jobs[5]), 0);
    set_status(jobs[2], RECORD_QUEUED); /* a change that leaves it where it is */
    assert_int_equal(backlog_left_us(jobs[2]), (200 + 1000) / 2 + 2000);
    assert_int_equal(backlog_left_us(jobs[4]), (200 + 3000) / 2 + 3000);
    set_status(jobs[1], RECORD_RUNNING);
    assert_int_equal(backlog_left_us(jobs[4]), (700 + 2000) / 2 + 3000);
    set_status(jobs[1], RECORD_QUEUED); /* its server was shut down */
    assert_int_equal(backlog_left_us(jobs[1]), 100 + 1000);
    assert_int_equal(backlog_left_us(jobs[4]), (200 + 3000) / 2 + 3000);
    set_status(jobs[0], RECORD_SUCCEEDED);
    assert_int_equal(backlog_left_us(jobs[2]), 1000 / 2 + 2000);
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++) {
        backlog_unlink(jobs[i]);
        free(jobs[i]);
    }
}

static void what_is_written_is_read(void **state) {
    fixture *self = *state;
    char text[BEAT_BYTES];
    peer seen;
    cluster_write_workers(&self->pools, text);
    assert_string_equal(text, "photo 2\nclassical 1\n");
    cluster_read_workers(&self->pools, text, &seen);
    assert_int_equal(seen.workers[0], 2);
    assert_int_equal(seen.workers[1], 1);
    static const char *const strange[] = {
        "", "7\n", "photo", "photo \n", "photo x\nclassical", "phot 3\nphotos 3\n\n\n"};
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        cluster_read_workers(&self->pools, strange[i], &seen);
        assert_true(seen.workers[0] == 0 && seen.workers[1] == 0);
    }
    cluster_read_workers(&self->pools, "12\nphoto 99999999999\n", &seen);
    assert_int_equal(seen.workers[0], LIMIT_WORKERS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(jobs_of_each_pool, set_up, tear_down),
        cmocka_unit_test_setup_teardown(jobs_of_a_network_that_left_the_program, set_up, tear_down),
        cmocka_unit_test_setup_teardown(workers_of_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_job_still_takes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_written_is_read, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
