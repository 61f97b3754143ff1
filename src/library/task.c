/* SPDX-License-Identifier: Apache-2.0
 * library/task.c - the table of tasks and of the networks that suit each, best first.
 * A network suits a task by the kind of damage it was trained on, whatever its scale. A network that restores without
 * enlarging suits only the task that asks for that. */
#include <string.h>

#include "library/library.h"

#define MAX_RANKED 8

typedef struct task_row {
    const char *task;
    const char *models[MAX_RANKED]; /* best first, NULL after the last */
} task_row;

/* `photo` and `fast` were trained on JPEG, `clean` and the classical ones were not. docs/models.md shows the
 * difference. */
static const task_row TASKS[] = {
    {LIBRARY_TASK_AUTO, {NULL}},
    /* noise, blur, compression of unknown kinds */
    {"photo", {"realworld-x4", "compressed-x4", "photo", "fast", "classical-x4", "classical-x2", "lightweight-x2"}},
    /* sharp, undamaged pictures; these networks would enlarge damage with the picture */
    {"clean", {"classical-x4", "classical-x2", "clean", "lightweight-x2", "fast"}},
    /* strong JPEG: blocks and ringing */
    {"compressed", {"compressed-x4", "realworld-x4", "photo", "fast", "classical-x4"}},
    /* removes JPEG damage without enlarging */
    {"jpeg", {"jpeg"}},
    /* the smallest networks */
    {"fast", {"fast", "lightweight-x2"}},
};

#define TASKS_COUNT (sizeof(TASKS) / sizeof(TASKS[0]))

const char *library_task_name(size_t index) {
    return index < TASKS_COUNT ? TASKS[index].task : NULL;
}

const char *library_task_find(const char *text) {
    for (size_t i = 0; i < TASKS_COUNT; i++)
        if (strcmp(TASKS[i].task, text) == 0)
            return TASKS[i].task;
    return NULL;
}

int32_t library_task_rank(const char *task, const char *model_name) {
    for (size_t i = 0; i < TASKS_COUNT; i++)
        for (int32_t rank = 0; strcmp(TASKS[i].task, task) == 0 && rank < MAX_RANKED; rank++)
            if (TASKS[i].models[rank] && strcmp(TASKS[i].models[rank], model_name) == 0)
                return rank;
    return -1;
}

const char *library_task_of(const char *model_name) {
    const char *best = NULL;
    int32_t best_rank = MAX_RANKED;
    for (size_t i = 0; i < TASKS_COUNT; i++) {
        int32_t rank = library_task_rank(TASKS[i].task, model_name);
        if (rank >= 0 && rank < best_rank) {
            best = TASKS[i].task;
            best_rank = rank;
        }
    }
    return best;
}

void library_choice_consider(library_choice *best, const char *task, const char *model_name) {
    int32_t rank = library_task_rank(task, model_name);
    if (rank >= 0 && (!best->name || rank < best->rank))
        *best = (library_choice){model_name, rank};
}
