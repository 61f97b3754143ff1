/* SPDX-License-Identifier: Apache-2.0
 * config/limits.h - every limit of the server. Nothing that a client sends can exceed them.
 * Those ending in _MAX are the upper bounds of settings, whose defaults are in config/config.c. */
#pragma once

/* connections and requests */
#define LIMIT_CONNECTIONS_MAX 65536   /* fewer if the limit on open files is lower */
#define LIMIT_LISTEN 8                /* addresses of --listen, and of --metrics-listen */
#define LIMIT_LISTENERS 32            /* sockets for them: a name may have several addresses */
#define LIMIT_LISTEN_BYTES 1024u      /* all addresses as text, terminator included */
#define LIMIT_SOCKET_PATH_BYTES 108u  /* of a Unix socket, terminator included */
#define LIMIT_ACCEPT_RETRY_MS 100     /* after a connection could not be accepted for lack of descriptors or memory */
#define LIMIT_CONNECTION_BYTES 32768u /* memory of one connection: request line, header, send buffer */
#define LIMIT_HEADER_BYTES 30720u     /* of these, for the header of the request; the rest is for that of the answer */
#define LIMIT_QUERY_PARAMETERS 100    /* of a request */
#define LIMIT_DISCARD_BYTES (256u << 20) /* body read and discarded so that a refusal reaches the client */
#define LIMIT_REQUEST_ID_BYTES 65u       /* a client's X-Request-Id, terminator included */
#define LIMIT_OWNER_BYTES 48u            /* id of an API key, terminator included */
#define LIMIT_TRACE_BYTES 56u            /* a client's traceparent, terminator included */
#define LIMIT_ADDRESS_BYTES 46u          /* a client's address as text, terminator included */
#define LIMIT_FORWARDED_BYTES 2048u      /* read from the end of X-Forwarded-For, terminator included */
#define LIMIT_KEY_METRICS 100            /* keys with metrics of their own; the others share one label */
#define LIMIT_PROXIES 32                 /* networks of --trusted-proxies */
#define LIMIT_RATE_MAX 1000000           /* --rate */
#define LIMIT_RATE_SETS 1024             /* sets of 8 addresses whose rate is counted */
#define LIMIT_HEADER_COUNT 100           /* header fields of a request */
#define LIMIT_BODY_MAX_MIB 65536         /* --max-body-mib */
#define LIMIT_SPOOL_BYTES (4ull << 30)   /* uploads and results of all requests together */
#define LIMIT_SPOOL_SHARE 2              /* uploads of one address take at most one part in so many of that */
#define LIMIT_RESERVE_SHARE 4            /* --disk-reserve-mib is at most one part in so many of a disk */
#define LIMIT_RESERVE_MAX_MIB 1048576    /* --disk-reserve-mib */
#define LIMIT_STORAGE_RETRY_S 60         /* Retry-After where a disk is full */
#define LIMIT_ID_MAX 4294967294u         /* of a user or a group; the next number stands for none */
#define LIMIT_CONFIG_BYTES 65536         /* the INI file */
#define LIMIT_RATE_WINDOW_S 20           /* over which the rate of a body is measured */
#define LIMIT_UPLOAD_RATE_MAX 1000000000 /* what the flag may say */
#define LIMIT_KEEP_ALIVE_S 5      /* between TCP keep-alive probes to a client that has closed its sending side */
#define LIMIT_KEEP_ALIVE_PROBES 3 /* without an answer, until such a client counts as gone */
#define LIMIT_ROUTES 40           /* rows in the table of routes */
#define LIMIT_PATH_PART_BYTES 65u /* a part of a path that stands for an id, terminator included */
#define LIMIT_ACCEPT_ENCODING_BYTES 256u /* read from the end of Accept-Encoding, terminator included */
#define LIMIT_ALLOW_BYTES 64u            /* methods in an Allow header, terminator included */

#define LIMIT_PROBLEM_KINDS 64    /* kinds of problems that are counted */
#define LIMIT_JOBS_EXAMINED 10000 /* newest jobs of which /v1/status counts the failed ones */

/* jobs that are kept */
#define LIMIT_NODE_BYTES 17u   /* --node, terminator included */
#define LIMIT_JOB_ID_BYTES 48u /* node, dash, 26 characters, terminator included */
#define LIMIT_PEER_BYTES 32u   /* node, dash, 8 hex digits of a process of a cluster, terminator included */
#define LIMIT_LEASE_MAX_S 3600 /* --lease-s */
#define LIMIT_PEERS 1024       /* processes of a cluster that a node watches at a time */
#define LIMIT_LOOKS 256        /* jobs that are read from a shared store at a time, for requests */
#define LIMIT_SWEEP_LOOKS 16   /* the same, for the sweep */
#define LIMIT_TOKEN_BYTES 33u  /* 32 hex digits, terminator included */
#define LIMIT_ETAG_BYTES 35u   /* 32 hex digits in quotes, terminator included */
#define LIMIT_JOBS_MAX 100000  /* --jobs */
#define LIMIT_JOBS_KEPT 200000 /* unfinished and finished */
#define LIMIT_KEY_SHARE 2      /* the jobs of one API key take at most one part in so many of that and of --jobs-mib */
#define LIMIT_JOBS_SHARE 2     /* without --jobs-mib, kept jobs take at most one part in so many of the disk */
#define LIMIT_JOBS_MAX_MIB 1073741824       /* --jobs-mib */
#define LIMIT_JOB_ATTEMPTS 6                /* workers that may begin a job, over all starts of the server */
#define LIMIT_EXPIRED_HOURS 24              /* how long an expired job is answered with 410, before 404 */
#define LIMIT_PROOF_S 60                    /* a result that was compared with its checksum is not compared again */
#define LIMIT_QUARANTINE_FILES 100          /* damaged files that are set aside ... */
#define LIMIT_QUARANTINE_BYTES (1ull << 30) /* ... and their bytes; the oldest go first */
#define LIMIT_JOBS_LISTED 100               /* jobs in one answer */
#define LIMIT_PREFER_WAIT_S 300             /* the longest `Prefer: wait` */
#define LIMIT_PREVIEW_PX 2048               /* longer side of the preview of a larger result */
#define LIMIT_IDEMPOTENCY_BYTES 129         /* an Idempotency-Key, terminator included */
#define LIMIT_SAVE_NAME_BYTES 300u          /* of the name that a client gives a result in its query */
#define LIMIT_RESULT_NAME_BYTES 80u         /* the name of a result, terminator included */
#define LIMIT_RESULT_MODE 0644              /* of a result and its preview; the folder decides who reaches them */

/* webhooks */
#define LIMIT_WEBHOOK_BYTES 256u          /* a URL, terminator included */
#define LIMIT_WEBHOOK_SECRETS 4           /* lines of --webhook-secret */
#define LIMIT_WEBHOOK_SECRET_BYTES 64u    /* of one, decoded ... */
#define LIMIT_WEBHOOK_SECRET_MIN_BYTES 24 /* ... and at least */
#define LIMIT_WEBHOOK_ROUND 32            /* sent at the same time */
#define LIMIT_WEBHOOK_CONNECT_S 5         /* to connect */
#define LIMIT_WEBHOOK_S 10                /* until the answer, in one try */
#define LIMIT_WEBHOOK_ANSWER_BYTES 65536  /* of the answer, which is not read further */
#define LIMIT_WEBHOOK_TRIES 8             /* and then it is given up */
#define LIMIT_WEBHOOK_DELAY_MS \
    5000                          /* the longest wait after the first try; four times as long after each further one */
#define LIMIT_WEBHOOK_TICK_MS 250 /* between looks for those that are due */

/* resumable uploads */
#define LIMIT_UPLOADS 1000               /* kept at a time, finished or not */
#define LIMIT_UPLOADS_PER_CLIENT 100     /* per API key or, without keys, per client address */
#define LIMIT_UPLOADS_SHARE 2            /* they may take one part in this many of the space for uploads and results */
#define LIMIT_UPLOADS_CLIENT_SHARE 2     /* those of one client may take one part in this many of that */
#define LIMIT_UPLOAD_HOURS_MAX 8760      /* --upload-hours */
#define LIMIT_UPLOAD_METADATA_BYTES 1024 /* Upload-Metadata, terminator included */
#define LIMIT_UPLOAD_METADATA_COUNT 16   /* keys of it */
#define LIMIT_UPLOAD_RECORD_BYTES 8192   /* the record of one upload */

/* the S3 store */
#define LIMIT_S3_PREFIX_BYTES 130          /* of all keys, terminator included */
#define LIMIT_S3_KEY_BYTES 256             /* of one, without the prefix, terminator included */
#define LIMIT_S3_REGION_BYTES 33           /* terminator included */
#define LIMIT_S3_KMS_KEY_BYTES 257         /* terminator included */
#define LIMIT_S3_CREDENTIALS_BYTES 16384   /* of the file, terminator included */
#define LIMIT_S3_CONNECTIONS 16            /* that stay open for the next requests */
#define LIMIT_S3_REQUEST_MIN_S 10          /* of one request in a cluster, however short its lease is */
#define LIMIT_S3_AWAY_S 2                  /* the same, after a request that the store did not answer */
#define LIMIT_S3_REQUEST_S 60              /* of one request, all its attempts together ... */
#define LIMIT_S3_SLOWEST_BYTES 65536       /* ... and a second more for so many bytes that move */
#define LIMIT_S3_CONNECT_S 5               /* to connect, in one attempt */
#define LIMIT_S3_STALL_S 20                /* without a byte, until an attempt ends */
#define LIMIT_S3_DELAY_FIRST_MS 100        /* the longest wait after the first attempt, doubling ... */
#define LIMIT_S3_DELAY_MAX_MS 5000         /* ... up to this */
#define LIMIT_S3_CHECK_MS 3000             /* of S3_ONCE_CHECK: longer than a small object takes to be written */
#define LIMIT_S3_PART_BYTES (16ull << 20)  /* files over this are put in parts of this size ... */
#define LIMIT_S3_PART_MIN_BYTES (5u << 20) /* ... which no store takes smaller than this, but for the last one ... */
#define LIMIT_S3_PARTS 10000               /* ... and which are at most so many, the limit of AWS */
#define LIMIT_S3_PAGE_KEYS 500             /* of a list, read at a time */
#define LIMIT_S3_LIST_BYTES (2u << 20)     /* of such a page */
#define LIMIT_S3_ANSWER_BYTES 65536        /* of every other answer in XML */

/* multipart/form-data */
#define LIMIT_BOUNDARY_BYTES 70     /* RFC 2046 */
#define LIMIT_PART_LINE_BYTES 8192  /* one header line of a part: it may give a long file name twice */
#define LIMIT_PART_HEADER_LINES 16  /* header lines of a part */
#define LIMIT_PARTS 96              /* parts of a body: 64 files (ipc/bundle.h), and options */
#define LIMIT_FILE_NAME_BYTES 768   /* of a file that is sent, read from its part, terminator included */
#define LIMIT_FIELD_NAME_BYTES 64   /* name of a part, terminator included */
#define LIMIT_FIELD_VALUE_BYTES 256 /* value of an option, terminator included */

/* work */
#define LIMIT_TRIED_BYTES 32u              /* names of the plans that were tried, terminator included */
#define LIMIT_SIDE_PX 65535                /* of an image that is read; the workers have the same limit */
#define LIMIT_OVERSIZE_PX 1024             /* longer sides are oversize, and what they are reduced to */
#define LIMIT_TILE_PX 512                  /* side of the tiles of `oversize=tile` ... */
#define LIMIT_SMALL_TILE_PX 256            /* ... and of those that are tried when a plan took too much memory */
#define LIMIT_MEMORY_MIN_MIB 64            /* what the flag may say ... */
#define LIMIT_MEMORY_MAX_MIB 1048576       /* ... and at most */
#define LIMIT_OUT_PIXELS 800000000ull      /* of the output */
#define LIMIT_ANIMATION_PIXELS 1000000000u /* of all frames of an animation together */
#define LIMIT_FRAMES_MAX 100000            /* --max-frames */
#define LIMIT_QUEUE_MAX 10000              /* --queue */
#define LIMIT_WAIT_MAX_S 86400             /* every setting in seconds */
#define LIMIT_ATTEMPTS 2                   /* workers that may die while working on one job */
#define LIMIT_RETRY_AFTER_S 300            /* the longest Retry-After */

/* Levels of degrading: a level begins when one of its quantities has passed the first number for a while, and ends when
 * all have been beyond the second for a while. The gap keeps it from following every image. Free memory: below both the
 * percentage and the MiB, so that neither a small container is always short nor a large machine early. Workers that all
 * have their largest image take four fifths of the memory, which is not yet a shortage. */
#define LIMIT_FAST_FREE_PERCENT \
    { 17, 20 }
#define LIMIT_FAST_FREE_MIB \
    { 1280, 1536 }
#define LIMIT_SHRINK_FREE_PERCENT \
    { 15, 20 }
#define LIMIT_SHRINK_FREE_MIB \
    { 1024, 1536 }
#define LIMIT_REFUSE_FREE_PERCENT \
    { 5, 10 } /* about what one more upload may take of a small container */
#define LIMIT_REFUSE_FREE_MIB \
    { 256, 512 }
#define LIMIT_FAST_STALLED_PERCENT \
    { 5, 2 }
#define LIMIT_SHRINK_STALLED_PERCENT \
    { 10, 3 } /* of the last second; without a shortage it is far below one */
#define LIMIT_REFUSE_STALLED_PERCENT \
    { 40, 15 }
#define LIMIT_FAST_QUEUE_PERCENT \
    { 15, 8 } /* the predicted wait, of --deadline-s; with 300 s: 45 seconds */
#define LIMIT_SHRINK_QUEUE_PERCENT \
    { 20, 10 } /* with 300 s: a minute */
#define LIMIT_REFUSE_QUEUE_PERCENT \
    { 80, 60 }                     /* too little of the time is left for the image itself */
#define LIMIT_DEGRADE_BEGIN_MS 500 /* five samples: not for one burst */
#define LIMIT_DEGRADE_END_MS 5000  /* the next images show first whether it is really over */

/* workers */
#define LIMIT_MODELS 16                 /* networks served by one server */
#define LIMIT_WORKERS 64                /* of all pools together */
#define LIMIT_THREADS 256               /* per worker */
#define LIMIT_DEVICES 8                 /* GPUs, each with a worker in each pool */
#define LIMIT_DEVICE_NAME_BYTES 12u     /* "vulkan:15", terminator included */
#define LIMIT_DEVICE_LOSSES 3           /* ends of a GPU's worker, after which the GPU is set aside, if they come ... */
#define LIMIT_DEVICE_WINDOW_S 60        /* ... within this time, or without a finished job between them */
#define LIMIT_DEVICE_ASIDE_S 600        /* until a GPU that was set aside is tried again */
#define LIMIT_DEVICE_FIND_S 20          /* until the GPUs of this machine are known */
#define LIMIT_RECYCLE_MAX 1000000       /* --recycle */
#define LIMIT_SAMPLE_MS 100             /* from one look at the memory of the workers to the next */
#define LIMIT_GROWTH_BYTES (3ull << 30) /* by which a worker may grow for one image; less where memory is short */
#define LIMIT_START_S 120               /* until READY */
#define LIMIT_CANCEL_S 10               /* until a worker answers for a cancelled job */
#define LIMIT_OVERDUE_S 2               /* until a worker has answered for a job whose time has passed */
#define LIMIT_FAULT_BYTES 240           /* why a worker did not start, terminator included */
#define LIMIT_MESSAGES 1024             /* read from one worker in a row; its socket holds fewer */
#define LIMIT_RESPAWN_FIRST_MS 100      /* back-off after a death, doubling ... */
#define LIMIT_RESPAWN_LAST_MS 1000      /* ... up to this */

/* logs */
#define LIMIT_LOG_LINE_BYTES 4096  /* PIPE_BUF: a pipe takes such a line whole or not at all */
#define LIMIT_LOG_FORMAT_BYTES 160 /* the format of one event's fields */
