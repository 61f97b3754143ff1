/* SPDX-License-Identifier: Apache-2.0
 * queue/nats.c - hints by NATS JetStream (stage 3 of 9, dispatch).
 * In: ids.  Out: ids, on the loop. Two threads wait for the servers of NATS: one stores hints and tells news, the other
 * makes the stream, takes hints and shows that this process is at work on them. A pull subscription may fall silent
 * when its connection was lost, so it is made anew after each reconnection and whenever it was silent for long. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "config/limits.h"
#include "queue/nats_api.h"
#include "queue/queue.h"

#define STREAM "SWIN2SR"
#define SUBJECT "swin2sr.jobs"
#define NEWS_SUBJECT "swin2sr.news"
#define CONSUMER "nodes"
#define RING 4096 /* commands, and notices, that wait */
#define HELD 64   /* hints that are not settled */
#define SERVERS 16
#define REPLY_BYTES 256
#define FETCH_MS 300       /* so long a hint may be settled late */
#define CALL_MS 3000       /* of each other call */
#define PAUSE_MS 500       /* after a call that failed */
#define SILENT_US 30000000 /* after which a subscription is made anew */
#define ALL_PENDING 100000
#define SECOND_NS 1000000000LL
#define NO_STREAM 10059 /* of JetStream's errors */

typedef enum note_kind {
    NOTE_PUT = 0,
    NOTE_TELL,
    NOTE_SETTLE,
    NOTE_HINT,
    NOTE_LOST,
    NOTE_NEWS
} note_kind;

typedef struct note {
    note_kind kind;
    uint32_t number; /* the attempt, millionths, or whether the hint is over */
    char id[LIMIT_JOB_ID_BYTES];
} note;

typedef struct ring {
    note *notes; /* [RING] */
    size_t first, count;
} ring;

/* The message itself is not kept, because it would refer to a subscription that may have been made anew since. */
typedef struct held_hint {
    char reply[REPLY_BYTES]; /* the subject of its acknowledgements; "": free */
    uint64_t shown_us;
    char id[LIMIT_JOB_ID_BYTES];
} held_hint;

struct queue {
    nats_api nats;
    queue_settings settings;
    char *servers; /* a copy, cut into names */
    const char *names[SERVERS];
    int name_count;
    pthread_t putter, taker;
    int threads; /* running */
    loop_watch watch;

    pthread_mutex_t lock; /* guards all up to is_ending */
    pthread_cond_t put_wake, take_wake;
    ring puts, settles, notices;
    size_t wanted;
    bool is_ending;

    atomic_bool is_working, is_reconnected;
    natsConnection *connection; /* set once, before is_working */
    jsCtx *js;
    natsSubscription *news;

    /* of the taker */
    natsSubscription *hints;
    uint64_t heard_us;
    held_hint held[HELD];
};

/* ---- rings; the caller has the lock ---- */

static bool push(ring *self, note_kind kind, const char *id, uint32_t number) {
    if (self->count == RING || strlen(id) >= LIMIT_JOB_ID_BYTES)
        return false;
    note *added = &self->notes[(self->first + self->count++) % RING];
    *added = (note){.kind = kind, .number = number};
    strcpy(added->id, id);
    return true;
}

static bool pop(ring *self, note *ret_note) {
    if (self->count == 0)
        return false;
    *ret_note = self->notes[self->first];
    self->first = (self->first + 1) % RING;
    self->count--;
    return true;
}

/* From any thread.  false: there was no room. */
static bool notify(queue *self, note_kind kind, const char *id, uint32_t number) {
    pthread_mutex_lock(&self->lock);
    bool is_pushed = push(&self->notices, kind, id, number);
    pthread_mutex_unlock(&self->lock);
    eventfd_write(self->watch.fd, 1);
    return is_pushed;
}

static bool wait_ms(queue *self, pthread_cond_t *wake, int ms) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)ms * 1000000;
    until.tv_sec += until.tv_nsec / SECOND_NS;
    until.tv_nsec %= SECOND_NS;
    return pthread_cond_timedwait(wake, &self->lock, &until) == 0;
}

/* true: the queue is being closed. */
static bool pause_taker(queue *self) {
    pthread_mutex_lock(&self->lock);
    uint64_t until_us = swin2sr__clock_us() + PAUSE_MS * 1000;
    while (!self->is_ending && swin2sr__clock_us() < until_us)
        (void)wait_ms(self, &self->take_wake, PAUSE_MS);
    bool is_ending = self->is_ending;
    pthread_mutex_unlock(&self->lock);
    return is_ending;
}

/* ---- the thread that puts and tells ---- */

static bool put(queue *self, const note *what) {
    char message_id[LIMIT_JOB_ID_BYTES + 16];
    jsPubOptions options;
    jsErrCode error;
    jsPubAck *stored = NULL;
    if (!atomic_load(&self->is_working))
        return false;
    snprintf(message_id, sizeof message_id, "%s-%u", what->id, what->number);
    self->nats.jsPubOptions_Init(&options);
    options.MsgId = message_id;
    options.MaxWait = CALL_MS;
    natsStatus status =
        self->nats.js_Publish(&stored, self->js, SUBJECT, what->id, (int)strlen(what->id), &options, &error);
    self->nats.jsPubAck_Destroy(stored);
    return status == NATS_OK;
}

static void tell(queue *self, const note *what) {
    char text[LIMIT_JOB_ID_BYTES + 16];
    if (!atomic_load(&self->is_working))
        return;
    snprintf(text, sizeof text, "%s %u", what->id, what->number);
    (void)self->nats.natsConnection_PublishString(self->connection, NEWS_SUBJECT, text);
}

static void *run_putter(void *context) {
    queue *self = context;
    note what;
    pthread_mutex_lock(&self->lock);
    while (!self->is_ending) {
        if (!pop(&self->puts, &what)) {
            pthread_cond_wait(&self->put_wake, &self->lock);
            continue;
        }
        pthread_mutex_unlock(&self->lock);
        if (what.kind == NOTE_TELL)
            tell(self, &what);
        else if (!put(self, &what))
            (void)notify(self, NOTE_LOST, what.id, 0); /* without room, a sweep finds the job */
        pthread_mutex_lock(&self->lock);
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

/* ---- the thread that takes: connection, stream and subscription ---- */

static void on_reconnected(natsConnection *connection, void *context) {
    atomic_store(&((queue *)context)->is_reconnected, true);
}

/* "ID MILLIONTHS" */
static void on_news(natsConnection *connection, natsSubscription *subscription, natsMsg *message, void *context) {
    queue *self = context;
    char text[LIMIT_JOB_ID_BYTES + 16], id[LIMIT_JOB_ID_BYTES];
    unsigned int number;
    int length = self->nats.natsMsg_GetDataLength(message);
    if (length > 0 && length < (int)sizeof text) {
        memcpy(text, self->nats.natsMsg_GetData(message), (size_t)length);
        text[length] = '\0';
        if (sscanf(text, "%47s %u", id, &number) == 2)
            (void)notify(self, NOTE_NEWS, id, number);
    }
    self->nats.natsMsg_Destroy(message);
}

static bool connect_once(queue *self) {
    const nats_api *nats = &self->nats;
    natsOptions *options = NULL;
    natsStatus status = nats->natsOptions_Create(&options);
    if (status == NATS_OK)
        status = nats->natsOptions_SetServers(options, self->names, self->name_count);
    if (status == NATS_OK)
        status = nats->natsOptions_SetName(options, self->settings.name);
    if (status == NATS_OK) {
        nats->natsOptions_SetTimeout(options, CALL_MS);
        nats->natsOptions_SetMaxReconnect(options, -1);
        nats->natsOptions_SetReconnectWait(options, PAUSE_MS);
        nats->natsOptions_SetPingInterval(options, CALL_MS);
        nats->natsOptions_SetMaxPingsOut(options, 2);
        nats->natsOptions_SetReconnectedCB(options, on_reconnected, self);
        status = nats->natsConnection_Connect(&self->connection, options);
    }
    nats->natsOptions_Destroy(options);
    if (status == NATS_OK)
        status = nats->natsConnection_JetStream(&self->js, self->connection, NULL);
    if (status == NATS_OK)
        status = nats->natsConnection_Subscribe(&self->news, self->connection, NEWS_SUBJECT, on_news, self);
    if (status == NATS_OK)
        return true;
    nats->jsCtx_Destroy(self->js);
    nats->natsConnection_Destroy(self->connection);
    self->js = NULL;
    self->connection = NULL;
    return false;
}

/* Each of these calls may be made by several servers at once, and more than once. */
static bool make_stream(queue *self, jsOptions *options) {
    const nats_api *nats = &self->nats;
    const char *subject = SUBJECT;
    jsErrCode error = 0;
    jsStreamInfo *info = NULL;
    jsStreamConfig config;
    natsStatus status = nats->js_GetStreamInfo(&info, self->js, STREAM, options, &error);
    if (status != NATS_OK && (status == NATS_NOT_FOUND || error == NO_STREAM)) {
        nats->jsStreamConfig_Init(&config);
        config.Name = STREAM;
        config.Subjects = &subject;
        config.SubjectsLen = 1;
        config.Retention = js_WorkQueuePolicy;
        config.Storage = js_FileStorage;
        config.Replicas = self->settings.replicas;
        config.Duplicates = 120 * SECOND_NS;
        status = nats->js_AddStream(&info, self->js, &config, options, &error);
    }
    nats->jsStreamInfo_Destroy(info);
    return status == NATS_OK;
}

static bool make_consumer(queue *self, jsOptions *options) {
    const nats_api *nats = &self->nats;
    jsErrCode error;
    jsConsumerInfo *info = NULL;
    jsConsumerConfig config;
    nats->jsConsumerConfig_Init(&config);
    config.Durable = CONSUMER;
    config.AckPolicy = js_AckExplicit;
    config.AckWait = (int64_t)self->settings.wait_us * 1000;
    config.MaxDeliver = LIMIT_JOB_ATTEMPTS * 4;
    config.MaxAckPending = ALL_PENDING;
    natsStatus status = nats->js_AddConsumer(&info, self->js, STREAM, &config, options, &error);
    nats->jsConsumerInfo_Destroy(info);
    return status == NATS_OK;
}

static void unsubscribe(queue *self) {
    self->nats.natsSubscription_Destroy(self->hints);
    self->hints = NULL;
}

static bool subscribe(queue *self) {
    jsOptions options;
    jsSubOptions bound;
    jsErrCode error;
    self->nats.jsOptions_Init(&options);
    options.Wait = CALL_MS;
    self->nats.jsSubOptions_Init(&bound);
    bound.Stream = STREAM;
    bound.Consumer = CONSUMER;
    atomic_store(&self->is_reconnected, false);
    if (!make_stream(self, &options) || !make_consumer(self, &options))
        return false;
    if (self->nats.js_PullSubscribe(&self->hints, self->js, SUBJECT, CONSUMER, &options, &bound, &error) != NATS_OK) {
        self->hints = NULL;
        return false;
    }
    self->heard_us = swin2sr__clock_us();
    return true;
}

/* ---- hints that are held ---- */

static void let_go(queue *self, held_hint *hint, bool is_over) {
    (void)self->nats.natsConnection_PublishString(self->connection, hint->reply, is_over ? "+ACK" : "-NAK");
    hint->reply[0] = '\0';
}

static void settle_all(queue *self) {
    note what;
    for (;;) {
        pthread_mutex_lock(&self->lock);
        bool has_one = pop(&self->settles, &what);
        pthread_mutex_unlock(&self->lock);
        if (!has_one)
            return;
        for (held_hint *each = self->held; each < self->held + HELD; each++)
            if (each->reply[0] && strcmp(each->id, what.id) == 0)
                let_go(self, each, what.number);
    }
}

static size_t show_work(queue *self) {
    uint64_t now_us = swin2sr__clock_us();
    size_t count = 0;
    for (held_hint *each = self->held; each < self->held + HELD; each++) {
        count += each->reply[0] != '\0';
        if (!each->reply[0] || now_us - each->shown_us < self->settings.wait_us / 3)
            continue;
        (void)self->nats.natsConnection_PublishString(self->connection, each->reply, "+WPI");
        each->shown_us = now_us;
    }
    return count;
}

/* A message that is not a hint of ours is delivered again to others, and given up in the end. */
static void hold(queue *self, natsMsg *message) {
    held_hint *place = self->held;
    while (place < self->held + HELD && place->reply[0])
        place++;
    const char *reply = self->nats.natsMsg_GetReply(message);
    int length = self->nats.natsMsg_GetDataLength(message);
    bool is_hint = place < self->held + HELD && reply && strlen(reply) < REPLY_BYTES && length > 0 &&
                   length < (int)LIMIT_JOB_ID_BYTES;
    if (is_hint) {
        *place = (held_hint){.shown_us = swin2sr__clock_us()};
        strcpy(place->reply, reply);
        memcpy(place->id, self->nats.natsMsg_GetData(message), (size_t)length);
    }
    self->nats.natsMsg_Destroy(message);
    if (is_hint && !notify(self, NOTE_HINT, place->id, 0))
        let_go(self, place, false);
}

/* ---- the thread that takes: hints ---- */

static void fetch(queue *self, size_t wanted) {
    natsMsgList list = {NULL, 0};
    jsErrCode error = 0;
    natsStatus status = self->nats.natsSubscription_Fetch(&list, self->hints, (int)wanted, FETCH_MS, &error);
    if (status == NATS_OK && list.Count > 0) {
        self->heard_us = swin2sr__clock_us();
        pthread_mutex_lock(&self->lock);
        self->wanted -= self->wanted < (size_t)list.Count ? self->wanted : (size_t)list.Count;
        pthread_mutex_unlock(&self->lock);
        for (int i = 0; i < list.Count; i++) {
            hold(self, list.Msgs[i]);
            list.Msgs[i] = NULL;
        }
    }
    self->nats.natsMsgList_Destroy(&list);
    if (status != NATS_OK && status != NATS_TIMEOUT) {
        unsubscribe(self);
        (void)pause_taker(self);
    }
}

/* How many hints to fetch, after waiting for somebody to want one. */
static size_t wait_for_want(queue *self, size_t held, bool *ret_is_ending) {
    pthread_mutex_lock(&self->lock);
    if (!self->is_ending && self->wanted == 0 && self->settles.count == 0)
        (void)wait_ms(self, &self->take_wake, FETCH_MS);
    size_t wanted = self->wanted < HELD - held ? self->wanted : HELD - held;
    *ret_is_ending = self->is_ending;
    pthread_mutex_unlock(&self->lock);
    return wanted;
}

static void *run_taker(void *context) {
    queue *self = context;
    bool is_ending = false;
    while (!connect_once(self))
        if (pause_taker(self))
            return NULL;
    while (!is_ending) {
        bool is_connected = self->nats.natsConnection_Status(self->connection) == NATS_CONN_STATUS_CONNECTED;
        bool is_silent = swin2sr__clock_us() - self->heard_us > SILENT_US;
        if (self->hints && (atomic_load(&self->is_reconnected) || is_silent))
            unsubscribe(self);
        bool is_ready = is_connected && (self->hints || subscribe(self));
        atomic_store(&self->is_working, is_ready);
        settle_all(self);
        size_t held = show_work(self);
        if (!is_ready) {
            is_ending = pause_taker(self);
            continue;
        }
        size_t wanted = wait_for_want(self, held, &is_ending);
        if (!is_ending && wanted > 0)
            fetch(self, wanted);
    }
    settle_all(self);
    for (held_hint *each = self->held; each < self->held + HELD; each++)
        if (each->reply[0])
            let_go(self, each, false);
    return NULL;
}

/* ---- on the loop ---- */

static void on_ready(void *context, uint32_t events) {
    queue *self = context;
    const queue_events *to = &self->settings.events;
    eventfd_t count;
    note what;
    eventfd_read(self->watch.fd, &count);
    for (;;) {
        pthread_mutex_lock(&self->lock);
        bool has_one = pop(&self->notices, &what);
        pthread_mutex_unlock(&self->lock);
        if (!has_one)
            return;
        if (what.kind == NOTE_HINT)
            to->on_hint(to->context, what.id);
        else if (what.kind == NOTE_LOST)
            to->on_lost(to->context, what.id);
        else
            to->on_news(to->context, what.id, what.number);
    }
}

bool queue_is_working(const queue *self) {
    return self && atomic_load(&self->is_working);
}

static bool send(queue *self, ring *to, pthread_cond_t *wake, note_kind kind, const char *id, uint32_t number) {
    pthread_mutex_lock(&self->lock);
    bool is_pushed = push(to, kind, id, number);
    pthread_cond_signal(wake);
    pthread_mutex_unlock(&self->lock);
    return is_pushed;
}

void queue_put(queue *self, const char *id, uint32_t attempt) {
    if (!send(self, &self->puts, &self->put_wake, NOTE_PUT, id, attempt))
        (void)notify(self, NOTE_LOST, id, 0);
}

void queue_want(queue *self, size_t count) {
    pthread_mutex_lock(&self->lock);
    self->wanted = count;
    pthread_cond_signal(&self->take_wake);
    pthread_mutex_unlock(&self->lock);
}

void queue_settle(queue *self, const char *id, bool is_over) {
    (void)send(self, &self->settles, &self->take_wake, NOTE_SETTLE, id, is_over);
}

void queue_tell(queue *self, const char *id, uint32_t millionths) {
    (void)send(self, &self->puts, &self->put_wake, NOTE_TELL, id, millionths);
}

/* ---- opening and closing ---- */

/* Cut the list into names. */
static bool take_servers(queue *self) {
    char *rest = self->servers;
    for (char *name; (name = strtok_r(rest, ", ", &rest));) {
        if (self->name_count == SERVERS || (strncmp(name, "nats://", 7) != 0 && strncmp(name, "tls://", 6) != 0))
            return false;
        self->names[self->name_count++] = name;
    }
    return self->name_count > 0;
}

static bool make_rings(queue *self) {
    ring *rings[] = {&self->puts, &self->settles, &self->notices};
    bool is_good = true;
    for (size_t i = 0; i < 3; i++) {
        rings[i]->notes = calloc(RING, sizeof(note));
        is_good &= rings[i]->notes != NULL;
    }
    return is_good;
}

static void init_locks(queue *self) {
    pthread_condattr_t monotonic;
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&self->put_wake, NULL);
    pthread_cond_init(&self->take_wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static bool start(queue *self) {
    self->watch = (loop_watch){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .on_ready = on_ready, .context = self};
    if (self->watch.fd < 0 || !loop_watch_add(self->settings.loop, &self->watch, EPOLLIN))
        return false;
    self->threads += pthread_create(&self->putter, NULL, run_putter, self) == 0;
    self->threads += self->threads == 1 && pthread_create(&self->taker, NULL, run_taker, self) == 0;
    return self->threads == 2;
}

swin2sr_status queue_open(const queue_settings *settings, queue **ret_queue, swin2sr_error *reterr) {
    queue *self = calloc(1, sizeof *self);
    if (!self)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
    self->settings = *settings;
    self->watch.fd = -1;
    init_locks(self);
    self->servers = strdup(settings->servers);
    swin2sr_status status = self->servers && make_rings(self) ? SWIN2SR_OK : SWIN2SR_NOMEM;
    if (status == SWIN2SR_OK)
        status = nats_api_load(&self->nats, reterr);
    if (status == SWIN2SR_OK && !take_servers(self))
        status = swin2sr__error_set(reterr, SWIN2SR_INVALID, "--nats %s: must be 1..%d of nats://HOST:PORT, by commas",
                                    settings->servers, SERVERS);
    if (status == SWIN2SR_OK && !start(self))
        status = swin2sr__error_set(reterr, SWIN2SR_NOMEM, "--nats: no thread or descriptor: %s", strerror(errno));
    if (status == SWIN2SR_OK)
        *ret_queue = self;
    else
        queue_close(self);
    return status;
}

static void disconnect(queue *self) {
    if (!self->connection)
        return;
    self->nats.natsSubscription_Destroy(self->hints);
    self->nats.natsConnection_Close(self->connection); /* no more calls of on_news */
    self->nats.natsSubscription_Destroy(self->news);
    self->nats.jsCtx_Destroy(self->js);
    self->nats.natsConnection_Destroy(self->connection);
}

void queue_close(queue *self) {
    if (!self)
        return;
    pthread_mutex_lock(&self->lock);
    self->is_ending = true;
    pthread_cond_signal(&self->put_wake);
    pthread_cond_signal(&self->take_wake);
    pthread_mutex_unlock(&self->lock);
    if (self->threads > 0)
        pthread_join(self->putter, NULL);
    if (self->threads > 1)
        pthread_join(self->taker, NULL);
    disconnect(self);
    if (self->watch.fd >= 0) {
        loop_watch_remove(self->settings.loop, &self->watch);
        close(self->watch.fd);
    }
    free(self->puts.notes);
    free(self->settles.notes);
    free(self->notices.notes);
    free(self->servers);
    free(self);
}
