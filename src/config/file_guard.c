#include "config/file_guard.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Kubernetes gives an emptyDir 0777, and what injects secrets (Vault's agent, say) writes into one: only the containers
 * that mount it see it. */
static bool is_volume(const char *folder, const struct stat *st)
{
    char parent[PATH_MAX + 4];
    struct stat above;
    snprintf(parent, sizeof(parent), "%s/..", folder);
    return st->st_uid == 0 && stat(parent, &above) == 0 && above.st_dev != st->st_dev;
}

static int folder_guard(const char *path, struct error *err)
{
    char copy[PATH_MAX];
    struct stat st;
    if (strlen(path) >= sizeof(copy))
        return 0;
    const char *folder = dirname(strcpy(copy, path));
    if (stat(folder, &st) != 0 || !(st.st_mode & S_IWOTH) || st.st_mode & S_ISVTX || is_volume(folder, &st))
        return 0;
    return error_set(err, -EPERM,
                     "'%s' lies in a folder that everybody may write to (mode %04o); take that away (chmod o-w)", path,
                     st.st_mode & 07777);
}

int file_guard(const char *path, const struct stat *st, struct error *err)
{
    char real[PATH_MAX];
    if (S_ISREG(st->st_mode) && st->st_mode & S_IWOTH)
        return error_set(err, -EPERM, "everybody may write to '%s' (mode %04o); take that away (chmod o-w)", path,
                         st->st_mode & 07777);
    int failed = folder_guard(path, err);
    return failed || !realpath(path, real) ? failed : folder_guard(real, err);
}

static const char *path_of(const struct options *o, enum option_index index)
{
    const struct option *option = option_at(index);
    return option->type == OPTION_FILE ? *(const char *const *)((const char *)o + option->offset) : "";
}

int file_guard_options(const struct options *o, struct error *err)
{
    struct error why;
    for (unsigned i = 0; i < OPTIONS; i++) {
        const char *path = path_of(o, (enum option_index)i);
        struct stat st;
        int failed = *path && stat(path, &st) == 0 ? file_guard(path, &st, &why) : 0;
        if (failed)
            return error_set(err, failed, "--%s: %s", option_at((enum option_index)i)->name, why.text);
    }
    return 0;
}

bool file_guard_leaks(const struct options *o, enum option_index index)
{
    bool secret = index == OPTION_INDEX_token_file || index == OPTION_INDEX_redis_password_file ||
                  index == OPTION_INDEX_redis_key;
    const char *path = path_of(o, index);
    struct stat st;
    return secret && *path && stat(path, &st) == 0 && st.st_mode & S_IROTH;
}
