#include "app/policy_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/app.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "policy/access.h"
#include "policy/bots.h"
#include "policy/tokens.h"

#define FILE_BYTES_MAX (1024 * 1024) /* 10 000 rules of a hundred bytes */

static int tokens_read(struct policy *p, char *text, struct error *err)
{
    int result = tokens_create(&p->tokens, text, err);
    secret_wipe(text, FILE_BYTES_MAX);
    free(text);
    return result;
}

static int access_read(struct policy *p, char *text, struct error *err) { return access_create(&p->access, text, err); }
static int bots_read(struct policy *p, char *text, struct error *err) { return bots_create(&p->bots, text, err); }

/* read() takes the text over. */
static const struct policy_file {
    int (*read)(struct policy *p, char *text, struct error *err);
    const char *unit; /* of what it holds */
} files[POLICY_PARTS] = {
    [POLICY_TOKENS] = {tokens_read, "tokens"},
    [POLICY_ACCESS] = {access_read, "rules"},
    [POLICY_BOTS] = {bots_read, "words"},
};

static const char *path_of(const struct options *o, enum policy_part part)
{
    return *(const char *const *)((const char *)o + option_at(policy_file_option(part))->offset);
}

static int file_load(struct policy *p, const struct options *o, enum policy_part part, struct error *err)
{
    struct error why;
    char *text;
    const char *path = path_of(o, part);
    int result = file_read(path, FILE_BYTES_MAX, &text, &why);
    if (result != 0)
        return error_set(err, result, "--%s: %s", policy_file_name(part), why.text);
    result = files[part].read(p, text, &why);
    return result == 0 ? 0 : error_set(err, result, "--%s '%s': %s", policy_file_name(part), path, why.text);
}

static void file_report(const struct policy *p, enum policy_part part)
{
    LOG_INFO("policy_read", log_str("file", policy_file_name(part)), log_num(files[part].unit, policy_count(p, part)));
}

static int filters_load(struct policy *p, const char *list, struct error *err)
{
    int filters = policy_filters_parse(list);
    p->filters = filters < 0 ? 0 : (unsigned)filters;
    return filters >= 0
               ? 0
               : error_set(err, filters, "--filter '%s' is not prefetch, gpc or dnt, with commas between", list);
}

int policy_load(struct policy **out, const struct options *o, struct error *err)
{
    *out = NULL;
    if (!*o->token_file && !*o->access_file && !*o->bots_file && !*o->filter)
        return 0;
    struct policy *p = calloc(1, sizeof(*p));
    if (!p)
        return error_set(err, -ENOMEM, "no memory for a policy");
    int result = filters_load(p, o->filter, err);
    for (int part = 0; part < POLICY_PARTS && result == 0; part++)
        result = *path_of(o, part) ? file_load(p, o, part, err) : 0;
    if (result == 0)
        *out = p;
    else
        policy_destroy(p);
    return result;
}

/* ---- watching ---- */

/* 0 or -errno. A change of owner or mode counts, since it may be what was refused. */
static int file_look(const char *path, struct file_stamp *now)
{
    struct stat st;
    memset(now, 0, sizeof(*now)); /* compared as bytes */
    if (stat(path, &st) != 0)
        return -errno;
    now->device = st.st_dev;
    now->inode = st.st_ino; /* Kubernetes swaps a symbolic link: then it is another file */
    now->bytes = st.st_size;
    now->changed = st.st_ctim;
    return 0;
}

/* What is in force is not what the file says, from now on or still; each thing that is wrong is said once. */
static void watch_fails(struct policy_watch *w, const struct error *why)
{
    if (strcmp(w->wrong.text, why->text) != 0)
        LOG_ERROR("policy_kept", log_str("error", why->text), log_str("effect", "what was read before stays in force"));
    w->wrong = *why;
    if (stat_read(&w->stale_since_ms) == 0)
        store_relaxed_u64(&w->stale_since_ms, clock_mono_ms()); /* partner: policy_stale_us() */
}

static void watch_settles(struct policy_watch *w)
{
    w->wrong.text[0] = '\0';
    store_relaxed_u64(&w->stale_since_ms, 0);
}

/* Is it to be read? Also again and again while it could not be: what was in the way may have gone without a trace. */
static bool watch_look(struct policy_watch *w, const char *path, enum policy_part part)
{
    struct file_stamp now;
    struct error why;
    int failed = file_look(path, &now);
    if (failed) {
        error_set(&why, failed, "--%s: cannot look at '%s': %s", policy_file_name(part), path, strerror(-failed));
        watch_fails(w, &why);
        return false;
    }
    bool changed = memcmp(&now, &w->seen, sizeof(now)) != 0;
    w->seen = now;
    return changed || w->wrong.text[0];
}

int policy_start(struct app *a, struct error *err)
{
    for (int part = 0; part < POLICY_PARTS; part++)
        file_look(path_of(a->options, part), &a->policy_watch[part].seen);
    int result = policy_load(&a->policy, a->options, err);
    if (result != 0)
        return result;
    for (int part = 0; part < POLICY_PARTS; part++)
        if (*path_of(a->options, part))
            file_report(a->policy, part);
    api_publish(a->api, a->policy);
    return 0;
}

void policy_stop(struct app *a)
{
    policy_destroy(a->policy_before);
    policy_destroy(a->policy);
}

/* Reads each file by itself that changed or is asked for; how many came whole. */
static unsigned files_take(struct app *a, struct policy *next, bool asked)
{
    unsigned taken = 0;
    for (int part = 0; part < POLICY_PARTS; part++) {
        struct policy_watch *w = &a->policy_watch[part];
        struct error why;
        if (!*path_of(a->options, part) || !(watch_look(w, path_of(a->options, part), part) || asked))
            continue;
        if (file_load(next, a->options, part, &why) != 0) {
            watch_fails(w, &why);
            continue;
        }
        watch_settles(w);
        file_report(next, part);
        taken++;
    }
    return taken;
}

static void policy_replace(struct app *a, struct policy *next)
{
    next->filters = a->policy->filters;
    for (int part = 0; part < POLICY_PARTS; part++)
        if (policy_count(next, part) == 0)
            policy_hand_over(a->policy, next, part);
    a->policy_before = a->policy;
    a->policy = next;
    api_publish(a->api, next);
    for (uint32_t i = 0; i < a->workers_count; i++)
        worker_wake(a->workers[i]);
}

void policy_tick(struct app *a, bool asked)
{
    a->policy_asked |= asked;
    if (!a->policy || !api_published(a->api))
        return; /* there are no files, or a worker may still look at the one before */
    policy_destroy(a->policy_before);
    a->policy_before = NULL;
    struct policy *next = calloc(1, sizeof(*next));
    if (!next)
        return; /* with the next tick, then */
    if (files_take(a, next, a->policy_asked) > 0)
        policy_replace(a, next);
    else
        policy_destroy(next);
    a->policy_asked = false;
}
