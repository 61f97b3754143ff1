/* SPDX-License-Identifier: Apache-2.0
 * pool/promise.c - places in the queue kept for senders that were told when to come back.
 * In: refusals.  Out: who goes first. A bounded table, looked through from end to end. */
#include "pool/promise.h"

#include "config/limits.h"

static void remove_row(promise_table *self, size_t row) {
    self->rows[row] = self->rows[--self->count];
}

void promise_expire(promise_table *self, uint64_t now_us) {
    for (size_t row = self->count; row-- > 0;)
        if (self->rows[row].end_us < now_us)
            remove_row(self, row);
}

/* The row of the due place that has waited longest; count: there is none. */
static size_t find_due(const promise_table *self, uint64_t sender, uint64_t now_us) {
    size_t found = self->count;
    for (size_t row = 0; row < self->count; row++) {
        const promise *one = &self->rows[row];
        bool is_due = one->sender == sender && one->due_us <= now_us && one->end_us >= now_us;
        if (is_due && (found == self->count || one->due_us < self->rows[found].due_us))
            found = row;
    }
    return found;
}

bool promise_is_due(const promise_table *self, uint64_t sender, uint64_t now_us) {
    return find_due(self, sender, now_us) < self->count;
}

void promise_use(promise_table *self, uint64_t sender, uint64_t now_us) {
    size_t row = find_due(self, sender, now_us);
    if (row < self->count)
        remove_row(self, row);
}

/* Every place adds one to the seconds around it: a step up where it begins to count, a step down behind. */
uint32_t promise_find_gap(const promise_table *self, uint64_t now_us, uint32_t from_s, uint32_t to_s, uint64_t width_us,
                          size_t allowed) {
    int steps[LIMIT_RETRY_AFTER_S + 2] = {0};
    const int64_t second = 1000000, width = (int64_t)width_us, last = LIMIT_RETRY_AFTER_S;
    for (size_t row = 0; row < self->count; row++) {
        int64_t due = (int64_t)self->rows[row].due_us - (int64_t)now_us;
        if (due + width < 0)
            continue;
        int64_t first_s = due - width > 0 ? (due - width + second - 1) / second : 0, last_s = (due + width) / second;
        if (first_s > last_s || first_s > last)
            continue;
        steps[first_s]++;
        steps[last_s < last ? last_s + 1 : last + 1]--;
    }
    int around = 0;
    for (uint32_t s = 0; s < to_s && s <= LIMIT_RETRY_AFTER_S; s++) {
        around += steps[s];
        if (s >= from_s && around < (int)allowed)
            return s;
    }
    return to_s;
}

bool promise_add(promise_table *self, const promise *one) {
    size_t of_sender = 0;
    for (size_t row = 0; row < self->count; row++)
        of_sender += self->rows[row].sender == one->sender;
    if (self->count == PROMISES_MAX || of_sender >= PROMISES_PER_SENDER)
        return false;
    self->rows[self->count++] = *one;
    return true;
}
