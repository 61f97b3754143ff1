/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/store/test_partial.c - resumable uploads: bytes, end, budget, and what a new process finds.
 * The I/O thread is not started, so every commit has completed when it returns. */
#include "store/partial.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define HOUR_S 3600

typedef struct fixture {
    char path[40];
    int folder;
    data_folder data;
    store spool;
    io_thread io;
    event_loop loop;
    partial_set set;
} fixture;

static int set_up(void **state) {
    fixture *self = calloc(1, sizeof *self);
    strcpy(self->path, "/tmp/swin2sr-partial-XXXXXX");
    assert_non_null(mkdtemp(self->path));
    self->folder = open(self->path, O_RDONLY | O_DIRECTORY);
    assert_true(self->folder > 0 && loop_init(&self->loop));
    self->data = (data_folder){.uploads = self->folder, .lock = self->folder};
    assert_int_equal(store_use_folder(&self->spool, self->path, 0), SWIN2SR_OK);
    assert_int_equal(partial_set_open(&self->set, &self->data, &self->spool, &self->io, &self->loop, HOUR_S),
                     SWIN2SR_OK);
    *state = self;
    return 0;
}

static int tear_down(void **state) {
    fixture *self = *state;
    while (self->set.first)
        partial_remove(self->set.first);
    assert_int_equal(self->spool.used_bytes, 0);
    assert_int_equal(self->set.bytes, 0);
    partial_set_close(&self->set);
    loop_done(&self->loop);
    close(self->folder);
    assert_int_equal(rmdir(self->path), 0); /* no file was left behind */
    free(self);
    return 0;
}

/* The state after the end of the process. */
static void reopen(fixture *self) {
    partial_set_close(&self->set);
    assert_int_equal(self->spool.used_bytes, 0);
    assert_int_equal(partial_set_open(&self->set, &self->data, &self->spool, &self->io, &self->loop, HOUR_S),
                     SWIN2SR_OK);
}

static void note_status(void *context, swin2sr_status status) {
    *(swin2sr_status *)context = status;
}

static partial *create(fixture *self, uint64_t length_bytes) {
    partial_facts facts = {.length_bytes = length_bytes, .client = "192.0.2.1", .metadata = "name \"aGk=\""};
    partial *upload = NULL;
    assert_int_equal(partial_create(&self->set, &facts, false, &upload), SWIN2SR_OK);
    return upload;
}

static void commit(partial *upload) {
    swin2sr_status status = SWIN2SR_INTERNAL;
    partial_commit(upload, note_status, &status);
    assert_int_equal(status, SWIN2SR_OK);
}

static partial *make(fixture *self, uint64_t length_bytes, const char *text) {
    partial *upload = create(self, length_bytes);
    assert_int_equal(partial_append(upload, text, strlen(text)), SWIN2SR_OK);
    commit(upload);
    return upload;
}

static void assert_file(const partial *upload, const char *expected) {
    char name[64], text[64] = "";
    snprintf(name, sizeof name, "%s.part", upload->id);
    int fd = openat(upload->owner->folder, name, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, text, sizeof text - 1), strlen(expected));
    assert_string_equal(text, expected);
    close(fd);
}

static bool has_file(const fixture *self, const char *name) {
    return faccessat(self->folder, name, F_OK, 0) == 0;
}

static void put_file(const fixture *self, const char *name, const char *text) {
    int fd = openat(self->folder, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void bytes_come_in_several_requests(void **state) {
    fixture *self = *state;
    partial *upload = make(self, 11, "hello");
    assert_false(partial_is_whole(upload));
    assert_ptr_equal(partial_find(&self->set, upload->id), upload);
    assert_int_equal(partial_begin(upload, false), SWIN2SR_OK);
    assert_int_equal(partial_append(upload, " ", 1), SWIN2SR_OK);
    partial_end(upload); /* the request broke off */
    assert_int_equal(upload->offset_bytes, 6);
    assert_int_equal(partial_begin(upload, false), SWIN2SR_OK);
    assert_int_equal(partial_append(upload, "world!", 6), SWIN2SR_TOO_LARGE);
    assert_int_equal(partial_append(upload, "world", 5), SWIN2SR_OK);
    assert_false(partial_is_whole(upload)); /* not before the commit */
    commit(upload);
    assert_true(partial_is_whole(upload));
    assert_file(upload, "hello world");
    assert_int_equal(self->spool.used_bytes, 11);
}

static void a_request_that_breaks_off_before_the_record_leaves_nothing(void **state) {
    fixture *self = *state;
    partial *upload = create(self, 5);
    char id[PARTIAL_ID_BYTES];
    strcpy(id, upload->id);
    assert_int_equal(partial_append(upload, "he", 2), SWIN2SR_OK);
    assert_null(partial_find(&self->set, id));
    partial_end(upload);
    assert_int_equal(self->set.count, 0);
    assert_int_equal(self->spool.used_bytes, 0);
}

static void an_upload_that_nobody_knows_is_removed(void **state) {
    fixture *self = *state;
    partial *upload = create(self, 0);
    partial_commit(upload, NULL, NULL); /* the client left in the meantime: partial_leave */
    assert_int_equal(self->set.count, 0);
}

static void bytes_with_a_checksum_count_from_the_commit_on(void **state) {
    fixture *self = *state;
    partial *upload = make(self, 11, "hello");
    assert_int_equal(partial_begin(upload, true), SWIN2SR_OK);
    assert_int_equal(partial_append(upload, " wor", 4), SWIN2SR_OK);
    assert_int_equal(upload->offset_bytes, 5);
    assert_file(upload, "hello");
    partial_end(upload); /* the checksum was wrong */
    assert_int_equal(self->spool.used_bytes, 5);
    assert_int_equal(partial_begin(upload, true), SWIN2SR_OK);
    assert_int_equal(partial_append(upload, " world", 6), SWIN2SR_OK);
    assert_int_equal(partial_append(upload, "!", 1), SWIN2SR_TOO_LARGE);
    commit(upload);
    assert_file(upload, "hello world");
    assert_int_equal(self->spool.used_bytes, 11);
}

/* A pipe cannot be flushed. */
static void a_failed_commit_takes_its_bytes_back(void **state) {
    fixture *self = *state;
    partial *upload = make(self, 11, "hello");
    for (int is_checked = 0; is_checked < 2; is_checked++) {
        swin2sr_status status = SWIN2SR_OK;
        int pipe_fds[2];
        assert_int_equal(pipe(pipe_fds), 0);
        assert_int_equal(partial_begin(upload, is_checked), SWIN2SR_OK);
        assert_int_equal(partial_append(upload, " world", 6), SWIN2SR_OK);
        assert_int_equal(dup2(pipe_fds[1], upload->fd), upload->fd);
        partial_commit(upload, note_status, &status);
        assert_int_equal(status, SWIN2SR_IO);
        assert_int_equal(upload->offset_bytes, 5);
        assert_int_equal(self->spool.used_bytes, 5);
        close(pipe_fds[0]);
        close(pipe_fds[1]);
    }
    partial *new = create(self, 1);
    swin2sr_status status = SWIN2SR_OK;
    close(new->fd);
    new->fd = open("/dev/null", O_RDONLY);
    partial_commit(new, note_status, &status);
    assert_int_equal(status, SWIN2SR_IO);
    assert_int_equal(self->set.count, 1);
}

static void a_new_process_goes_on(void **state) {
    fixture *self = *state;
    char id[PARTIAL_ID_BYTES];
    partial *upload = make(self, 11, "hello");
    strcpy(id, upload->id);
    assert_int_equal(partial_begin(upload, false), SWIN2SR_OK);
    assert_int_equal(partial_append(upload, " w", 2), SWIN2SR_OK);
    reopen(self);
    upload = partial_find(&self->set, id);
    assert_non_null(upload);
    assert_int_equal(upload->offset_bytes, 7);
    assert_int_equal(upload->facts.length_bytes, 11);
    assert_string_equal(upload->facts.client, "192.0.2.1");
    assert_string_equal(upload->facts.metadata, "name \"aGk=\"");
    assert_int_equal(self->spool.used_bytes, 7);
    assert_int_equal(partial_begin(upload, false), SWIN2SR_OK);
    assert_int_equal(partial_append(upload, "orld", 4), SWIN2SR_OK);
    commit(upload);
    assert_file(upload, "hello world");
}

/* Files with other names are kept: this folder also holds files of jobs. */
static void what_cannot_go_on_is_removed(void **state) {
    static const char record[] =
        "{\"version\":1,\"length\":9,\"expires\":%s,\"owner\":\"\",\"client\":\"\",\"metadata\":\"\"}";
    static const struct {
        const char *id, *record, *bytes; /* NULL: no such file */
        bool is_kept;
    } rows[] = {
        {"00000000000000000000000000000001", record, "123456789", true},
        {"00000000000000000000000000000002", record, "1234567890", false}, /* more than its length */
        {"00000000000000000000000000000003", record, NULL, false},
        {"00000000000000000000000000000004", NULL, "1", false},
        {"00000000000000000000000000000005", "", "1", false},
        {"00000000000000000000000000000006", "{\"version\":1}", "1", false},
        {"00000000000000000000000000000007",
         "{\"version\":1,\"length\":-1,\"expires\":%s,\"owner\":\"\",\"client\":\"\",\"metadata\":\"\"}", "", false},
        {"00000000000000000000000000000008",
         "{\"version\":2,\"length\":9,\"expires\":%s,\"owner\":\"\",\"client\":\"\",\"metadata\":\"\"}", "1", false},
        {"00000000000000000000000000000009",
         "{\"version\":1,\"length\":9,\"expires\":1000,\"owner\":\"\",\"client\":\"\",\"metadata\":\"\"}", "1", false},
        {"n1-0123", NULL, "1", true},
        {"0000000000000000000000000000000a0", NULL, "1", true},
    };
    fixture *self = *state;
    char name[80], text[200];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(name, sizeof name, "%s.info", rows[i].id);
        const char *moment = rows[i].record ? strstr(rows[i].record, "%s") : NULL;
        if (moment)
            snprintf(text, sizeof text, "%.*s9999999999%s", (int)(moment - rows[i].record), rows[i].record, moment + 2);
        if (rows[i].record)
            put_file(self, name, moment ? text : rows[i].record);
        snprintf(name, sizeof name, "%s.part", rows[i].id);
        if (rows[i].bytes)
            put_file(self, name, rows[i].bytes);
    }
    reopen(self);
    assert_int_equal(self->set.count, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(name, sizeof name, "%s.part", rows[i].id);
        assert_int_equal(has_file(self, name), rows[i].is_kept);
        snprintf(name, sizeof name, "%s.info", rows[i].id);
        assert_int_equal(has_file(self, name), rows[i].is_kept && rows[i].record);
    }
    for (size_t i = sizeof rows / sizeof rows[0] - 2; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(name, sizeof name, "%s.part", rows[i].id);
        unlinkat(self->folder, name, 0);
    }
}

static void uploads_expire_unless_a_request_has_them(void **state) {
    fixture *self = *state;
    partial *idle = make(self, 5, "hello"), *busy = make(self, 5, "hell");
    int64_t end_s = idle->facts.expires_s > busy->facts.expires_s ? idle->facts.expires_s : busy->facts.expires_s;
    assert_int_equal(partial_begin(busy, false), SWIN2SR_OK);
    partial_set_expire(&self->set, end_s - HOUR_S);
    assert_int_equal(self->set.count, 2);
    partial_set_expire(&self->set, end_s);
    assert_int_equal(self->set.count, 1);
    assert_int_equal(self->spool.used_bytes, 4);
    partial_end(busy);
    partial_set_expire(&self->set, end_s);
    assert_int_equal(self->set.count, 0);
}

static void a_whole_upload_is_read_after_its_removal(void **state) {
    fixture *self = *state;
    partial *upload = make(self, 5, "hello");
    store_file file = {.owner = NULL};
    char text[8] = "";
    swin2sr_status status = SWIN2SR_INTERNAL;
    assert_int_equal(partial_open_whole(upload, &file), SWIN2SR_OK);
    partial_remove(upload);
    assert_int_equal(file.bytes, 5);
    store_commit(&file, note_status, &status);
    assert_int_equal(status, SWIN2SR_OK);
    int fd = store_open(&file, O_RDONLY);
    assert_int_equal(read(fd, text, sizeof text), 5);
    assert_string_equal(text, "hello");
    close(fd);
    store_remove(&file);
}

static void uploads_take_only_their_share(void **state) {
    fixture *self = *state;
    store_file request = {.owner = NULL};
    self->spool.budget_bytes = 20;
    partial *upload = make(self, 20, "12345678");
    assert_true(partial_set_has_room(&self->set, 2));
    assert_false(partial_set_has_room(&self->set, 3));
    assert_false(partial_set_has_room(&self->set, UINT64_MAX));
    for (int is_checked = 0; is_checked < 2; is_checked++) {
        assert_int_equal(partial_begin(upload, is_checked), SWIN2SR_OK);
        assert_int_equal(partial_append(upload, "123", 3), SWIN2SR_BUSY);
        partial_end(upload);
    }
    assert_int_equal(store_create(&self->spool, &request), SWIN2SR_OK);
    assert_int_equal(store_append(&request, "123456789012", 12), SWIN2SR_OK); /* the rest is for other requests */
    assert_false(partial_set_has_room(&self->set, 1));
    store_remove(&request);
}

static void uploads_of_a_client_are_counted(void **state) {
    fixture *self = *state;
    make(self, 1, "");
    make(self, 1, "1");
    partial *owned = make(self, 1, "");
    strcpy(owned->facts.owner, "key");
    uint64_t bytes = 0;
    assert_int_equal(partial_set_count_of(&self->set, "", "192.0.2.1", &bytes), 2);
    assert_int_equal(bytes, 2);
    assert_int_equal(partial_set_count_of(&self->set, "", "192.0.2.10", &bytes), 0);
    assert_int_equal(bytes, 0);
    assert_int_equal(partial_set_count_of(&self->set, "key", "192.0.2.10", &bytes), 1);
    assert_int_equal(partial_set_count_of(&self->set, "yek", "192.0.2.1", &bytes), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(bytes_come_in_several_requests),
        TEST(a_request_that_breaks_off_before_the_record_leaves_nothing),
        TEST(an_upload_that_nobody_knows_is_removed),
        TEST(bytes_with_a_checksum_count_from_the_commit_on),
        TEST(a_failed_commit_takes_its_bytes_back),
        TEST(a_new_process_goes_on),
        TEST(what_cannot_go_on_is_removed),
        TEST(uploads_expire_unless_a_request_has_them),
        TEST(a_whole_upload_is_read_after_its_removal),
        TEST(uploads_take_only_their_share),
        TEST(uploads_of_a_client_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
