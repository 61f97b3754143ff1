/* SPDX-License-Identifier: Apache-2.0
 * store/partial.h - uploads that come in several requests, kept in the folder uploads/ of --data.
 *
 *   ID.part   the bytes received; its size is the offset at which the upload continues
 *   ID.info   its record in JSON, written by the first commit, and by the last one, which adds the checksum
 *
 * An upload whose record is written survives the end of the process, however it ends; after a commit its bytes also
 * survive a loss of power. The bytes count against the budget of the spool (store/store.h), of which all uploads
 * together take at most one part in LIMIT_UPLOADS_SHARE.
 * All calls are made on the loop's thread. What waits for the disk is done on the I/O thread. */
#pragma once

#include "config/limits.h"
#include "store/checksum.h"
#include "store/data.h"
#include "store/io.h"
#include "store/store.h"

#define PARTIAL_ID_BYTES 33 /* 32 lower-case hex digits and a zero */

typedef struct partial_set partial_set;
typedef struct partial partial;

/* The contents of its record. */
typedef struct partial_facts {
    uint64_t length_bytes;                      /* of the whole upload */
    int64_t expires_s;                          /* since 1970 */
    char owner[LIMIT_OWNER_BYTES];              /* of http_request */
    char client[LIMIT_ADDRESS_BYTES];           /* the address of the client that made it */
    char metadata[LIMIT_UPLOAD_METADATA_BYTES]; /* Upload-Metadata as it was sent */
} partial_facts;

struct partial {
    io_task commit; /* the first field */
    partial_set *owner;
    char id[PARTIAL_ID_BYTES];
    partial_facts facts;
    uint64_t offset_bytes;           /* that have come and count */
    uint64_t kept_bytes;             /* of these, those of the last commit */
    char sha256[CHECKSUM_HEX_BYTES]; /* of the whole upload, from its last commit; "": not known */
    bool is_recorded;
    bool is_committing;
    void *writer; /* the request that sends bytes, for the owner of the requests; NULL: none */

    int fd;           /* of ID.part between partial_begin and partial_end; else -1 */
    store_file chunk; /* bytes whose checksum has not been checked yet */
    store_done on_done;
    void *context;
    swin2sr_status outcome;
    partial *next;
};

struct partial_set {
    int folder;              /* uploads/; 0: there is none, and no call but partial_set_close is allowed */
    const data_folder *data; /* that it is in */
    store *spool;
    io_thread *io;
    event_loop *loop;
    uint64_t lifetime_s;
    partial *first;
    size_t count;
    uint64_t bytes; /* of all uploads, which count in spool->used_bytes too */
    loop_timer sweep;
    uint64_t damaged_count; /* set aside since the start */
    store whole;            /* the owner of files that partial_open_whole gives out */
};

/* Find the uploads of an earlier process in the folder, and remove those that have expired and those without a record.
 * All pointers and the folder are borrowed; self is not moved afterwards.  errors _IO, _NOMEM. */
SWIN2SR_MUST_CHECK swin2sr_status partial_set_open(partial_set *self, const data_folder *data, store *spool,
                                                   io_thread *io, event_loop *loop, uint64_t lifetime_s);
void partial_set_close(partial_set *self); /* after io_stop; the files stay. Not opened is fine. */

/* Remove uploads that have expired at this time, except those that a request writes to. */
void partial_set_expire(partial_set *self, int64_t now_s);

/* The number of uploads of this owner or, without an owner, of this address.
 * ret_bytes  Their bytes, those that have not come yet included. */
size_t partial_set_count_of(const partial_set *self, const char *owner, const char *client, uint64_t *ret_bytes);

/* The most bytes that partial_set_count_of may find of one client. */
static inline uint64_t partial_set_client_bytes_max(const partial_set *self) {
    return self->spool->budget_bytes / LIMIT_UPLOADS_SHARE / LIMIT_UPLOADS_CLIENT_SHARE;
}

/* true: uploads may take this many more bytes. */
bool partial_set_has_room(const partial_set *self, uint64_t more_bytes);

/* NULL: there is none with this id and a record. */
partial *partial_find(const partial_set *self, const char *id);

/* A new upload without bytes, ready for partial_append. It gets its record with its first commit; partial_end before
 * that removes it.
 * facts       expires_s is ignored: an upload lives for lifetime_s.
 * is_checked  As of partial_begin.
 * errors      _IO, _NOMEM. */
SWIN2SR_MUST_CHECK swin2sr_status partial_create(partial_set *self, const partial_facts *facts, bool is_checked,
                                                 partial **ret_upload);

/* Get ready for partial_append.
 * is_checked  The bytes count only after a commit, and partial_end before that forgets them.
 * errors      _IO. */
SWIN2SR_MUST_CHECK swin2sr_status partial_begin(partial *self, bool is_checked);

/* errors  _TOO_LARGE (more than the whole upload), _BUSY (no room), _IO (the disk is full, but for its reserve). The
 *         bytes of earlier calls stay. */
SWIN2SR_MUST_CHECK swin2sr_status partial_append(partial *self, const void *data, size_t size);

/* Put the bytes and the record on the disk, end, and call on_done, which may remove the upload. After a failure the
 * upload has the bytes of the last commit, because the system may have lost later ones; an upload without a record has
 * been removed. on_done may be called before this returns. */
void partial_commit(partial *self, store_done on_done, void *context);

/* on_done is no longer wanted. If this commit writes the record, the upload is removed: no client knows its id. */
void partial_leave(partial *self);

/* This request sends no more bytes. An upload without a record is removed, and self is freed. */
void partial_end(partial *self);

/* Remove the files and free self. Not while it is committing. */
void partial_remove(partial *self);

/* Move the files of a damaged upload to quarantine/, and free self. Only where partial_is_whole. */
void partial_set_aside(partial *self);

static inline bool partial_is_whole(const partial *self) {
    return self->offset_bytes == self->facts.length_bytes && !self->is_committing && self->fd < 0;
}

/* A whole upload as a file to read, which outlives the upload.  errors _IO. */
SWIN2SR_MUST_CHECK swin2sr_status partial_open_whole(partial *self, store_file *ret_file);
