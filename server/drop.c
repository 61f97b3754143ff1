/* SPDX-License-Identifier: Apache-2.0
 * drop.c - from root to an ordinary user, for containers whose folders the engine has made as root.
 * In: --user and --data.  Out: a process of that user, which cannot become root again, and whose folders belong to it.
 * A folder that belongs to the user already is left alone, with all that is in it. Otherwise, what is in it is given to
 * the user too, as after a backup was restored by root. Symbolic links are not followed. */
#include "drop.h"

#include <errno.h>
#include <fts.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096

/* Say why it failed, by errno. Where a capability is missing, say how to start without it. */
static swin2sr_status explain(const server_config *config, const char *what) {
    uint32_t uid = config->user.uid, gid = config->user.gid;
    const char *data = config->data ? config->data : "/app";
    if (errno != EPERM) {
        fprintf(stderr, "swin2sr-server: %s: cannot be given to --user %u:%u: %s\n", what, uid, gid, strerror(errno));
        return SWIN2SR_INVALID;
    }
    fprintf(stderr,
            "swin2sr-server: --user %u:%u: %s: %s. Root needs the capabilities CHOWN, SETUID and SETGID to become that "
            "user; a container with --cap-drop=all does not have them. Make the folders first, and start as the user:\n"
            "    mkdir -p uploads outputs && sudo chown %u:%u uploads outputs\n"
            "    docker run -d --name swin2sr-prod --restart unless-stopped --cap-drop=all --user %u:%u "
            "-p 127.0.0.1:8080:8080 -v \"$(pwd)/uploads:%s/uploads\" -v \"$(pwd)/outputs:%s/outputs\" "
            "swin2sr-cloud:" SWIN2SR_VERSION "\n",
            uid, gid, what, strerror(errno), uid, gid, uid, gid, data, data);
    return SWIN2SR_INVALID;
}

/* ---- folders ---- */

/* A folder is given away after what is in it, so that a walk that was broken off begins again. */
static bool give_all(char *path, const server_user *user) {
    char *const paths[] = {path, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    bool is_given = walk;
    for (FTSENT *at; is_given && (errno = 0, at = fts_read(walk));) {
        bool is_fault = at->fts_info == FTS_DNR || at->fts_info == FTS_ERR || at->fts_info == FTS_NS;
        if (is_fault)
            errno = at->fts_errno;
        is_given = !is_fault && (at->fts_info == FTS_D || lchown(at->fts_accpath, user->uid, user->gid) == 0);
    }
    int error = errno;
    if (walk)
        fts_close(walk);
    errno = error;
    return is_given && error == 0;
}

/* is_made: a folder that does not exist is made. */
static swin2sr_status give(const server_config *config, const char *name, bool is_made) {
    const server_user *user = &config->user;
    char path[PATH_BYTES];
    struct stat info;
    int length = snprintf(path, sizeof path, "%s/%s", config->data, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        errno = ENAMETOOLONG;
        return explain(config, config->data);
    }
    if (is_made && mkdir(path, 0755) != 0 && errno != EEXIST)
        return explain(config, path);
    if (stat(path, &info) != 0)
        return is_made ? explain(config, path) : SWIN2SR_OK;
    bool is_theirs = info.st_uid == user->uid && info.st_gid == user->gid;
    return is_theirs || give_all(path, user) ? SWIN2SR_OK : explain(config, path);
}

static swin2sr_status give_folders(const server_config *config) {
    swin2sr_status status =
        mkdir(config->data, 0755) == 0 || errno == EEXIST ? SWIN2SR_OK : explain(config, config->data);
    if (status == SWIN2SR_OK)
        status = give(config, "uploads", true);
    if (status == SWIN2SR_OK)
        status = give(config, "outputs", true);
    return status == SWIN2SR_OK ? give(config, "quarantine", false) : status;
}

/* ---- the user ---- */

/* All three user ids change, and with them all capabilities are gone. Without the second prctl, a process that has
 * changed its user may not open /proc/self/fd, by which unnamed files get their names. */
static bool become(const server_user *user) {
    return setgroups(0, NULL) == 0 && setresgid(user->gid, user->gid, user->gid) == 0 &&
           setresuid(user->uid, user->uid, user->uid) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 && setuid(0) != 0;
}

swin2sr_status drop_root(const server_config *config) {
    if (!config->user.uid || geteuid() != 0)
        return SWIN2SR_OK;
    if (config->data && give_folders(config) != SWIN2SR_OK)
        return SWIN2SR_INVALID;
    return become(&config->user) ? SWIN2SR_OK : explain(config, "cannot become this user");
}
