#include "tally/state_origin.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STARTED_FIELD 22 /* the name of the program ends the second one, and may hold anything */

static uint64_t started_in(const char *stat)
{
    unsigned long long started = 0;
    const char *at = strrchr(stat, ')');

    for (int field = 2; at && field < STARTED_FIELD; field++) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    return at && sscanf(at, "%llu", &started) == 1 ? started : 0;
}

/* 0: it cannot be seen. */
static uint64_t started_of(uint64_t pid)
{
    char path[40], text[1024];

    snprintf(path, sizeof(path), "/proc/%llu/stat", (unsigned long long)pid);
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
    text[n] = '\0';
    if (f)
        fclose(f);
    return started_in(text);
}

static uint64_t pid_namespace(void)
{
    struct stat st;

    return stat("/proc/self/ns/pid", &st) < 0 ? 0 : st.st_ino;
}

void state_origin_make(struct state_origin *out, const struct stat *file)
{
    uint64_t pid = (uint64_t)getpid();

    *out = (struct state_origin){.inode = file->st_ino,
                                 .device = file->st_dev,
                                 .pid_namespace = pid_namespace(),
                                 .pid = pid,
                                 .started = started_of(pid)};
}

bool state_origin_lives(const struct state_origin *o)
{
    uint64_t started = started_of(o->pid);

    if (started)
        return started == o->started;
    /* /proc may hide the processes of others (hidepid); what cannot be asked for is taken to run. */
    return kill((pid_t)o->pid, 0) == 0 || errno != ESRCH;
}

bool state_origin_has_twin(const struct state_origin *o, const struct stat *file)
{
    uint64_t here = pid_namespace();

    if (file->st_ino == o->inode && file->st_dev == o->device)
        return false;
    if (here && here == o->pid_namespace && o->pid)
        return state_origin_lives(o);
    return file->st_ino != o->inode;
}
