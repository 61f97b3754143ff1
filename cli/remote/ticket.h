/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/ticket.h - what is known of an image that a service has or is being sent, for the next run.
 * In: a name made from the service, the bytes of the image, the options and the name of the output.  Out: the ids of the
 * upload and the job, in $XDG_STATE_HOME/swin2sr/remote/NAME, else ~/.local/state/swin2sr/remote/NAME.
 * The file is locked while it is open, so that two runs do not send one image twice. Where no file can be made, all
 * works except that a later run begins anew. An id is as good as a key, so the file is private. */
#pragma once

#include "address.h"

#define TICKET_DAYS 30

typedef struct ticket {
    char path[4096];
    int fd; /* locked; -1: there is no file */
    char upload[ADDRESS_ID_BYTES];
    char job[ADDRESS_ID_BYTES]; /* "": none */
} ticket;

/* Open and lock. Waits, with a note, while another program holds the lock.
 * ret_ticket  The caller's (ticket_close).
 * errors      _CANCELLED (a signal arrived). */
swin2sr_status ticket_open(const char *name, bool is_quiet, ticket *ret_ticket, swin2sr_error *reterr);

/* Remove tickets that nobody has written for TICKET_DAYS: a run that never came left them, and services forget their ids
 * earlier. Those that are locked are in use and stay. A failure is ignored. */
void tickets_sweep(void);

/* Write the ids down. A failure is ignored. */
void ticket_write(const ticket *self);

/* Remove the file where the ticket has no ids, and unlock. */
void ticket_close(ticket *self);
