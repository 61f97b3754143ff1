/* SPDX-License-Identifier: Apache-2.0
 * store/share.c - how much of a store each client holds.
 * In: files and the addresses of their clients.  Out: a share for each client that has files, and its bytes. */
#include <stdlib.h>
#include <string.h>

#include "store/store.h"

bool store_share_join(store_file *file, const char *client) {
    store *owner = file->owner;
    store_share *share = owner->shares;
    while (share && strcmp(share->client, client) != 0)
        share = share->next;
    if (!share) {
        share = calloc(1, sizeof *share);
        if (!share)
            return false;
        strcpy(share->client, client);
        share->next = owner->shares;
        owner->shares = share;
    }
    share->file_count++;
    share->bytes += file->bytes;
    file->share = share;
    return true;
}

void store_share_leave(store_file *file) {
    store_share *share = file->share, **link = &file->owner->shares;
    file->share = NULL;
    if (!share)
        return;
    share->bytes -= file->bytes;
    if (--share->file_count > 0)
        return;
    while (*link != share)
        link = &(*link)->next;
    *link = share->next;
    free(share);
}
