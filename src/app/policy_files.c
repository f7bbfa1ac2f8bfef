#include "app/policy_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/app.h"
#include "app/config.h"
#include "base/log.h"

#define FILE_BYTES_MAX (256 * 1024)

static int tokens_read(struct policy *p, char *text, struct error *err)
{
    int result = tokens_create(&p->tokens, text, err);
    secret_wipe(text, FILE_BYTES_MAX);
    free(text);
    return result;
}

static int access_read(struct policy *p, char *text, struct error *err) { return access_create(&p->access, text, err); }
static int bots_read(struct policy *p, char *text, struct error *err) { return bots_create(&p->bots, text, err); }

/* Each takes the text over. */
static const struct policy_file {
    enum option_index option;
    int (*read)(struct policy *p, char *text, struct error *err);
} files[POLICY_FILES] = {
    {OPTION_INDEX_token_file, tokens_read},
    {OPTION_INDEX_access_file, access_read},
    {OPTION_INDEX_bots_file, bots_read},
};

static const char *path_of(const struct options *o, const struct policy_file *file)
{
    return *(const char *const *)((const char *)o + option_at(file->option)->offset);
}

static int file_load(struct policy *p, const struct policy_file *file, const char *path, struct error *err)
{
    struct error why;
    char *text;
    const char *name = option_at(file->option)->name;
    int result = file_read(path, FILE_BYTES_MAX, &text, &why);
    if (result != 0)
        return error_set(err, result, "--%s: %s", name, why.text);
    result = file->read(p, text, &why);
    return result == 0 ? 0 : error_set(err, result, "--%s '%s': %s", name, path, why.text);
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
    struct policy *p = calloc(1, sizeof *p);
    if (!p)
        return error_set(err, -ENOMEM, "no memory for a policy");
    int result = filters_load(p, o->filter, err);
    for (int i = 0; i < POLICY_FILES && result == 0; i++) {
        const char *path = path_of(o, &files[i]);
        result = *path ? file_load(p, &files[i], path, err) : 0;
    }
    if (result == 0)
        *out = p;
    else
        policy_destroy(p);
    return result;
}

/* Kubernetes swaps a symbolic link: then it is another file. */
static bool file_changed(const char *path, struct file_stamp *seen)
{
    struct stat st;
    if (*path == '\0' || stat(path, &st) != 0) /* gone for a moment: it is being replaced */
        return false;
    struct file_stamp now = {st.st_ino, st.st_size, st.st_mtim};
    bool changed = memcmp(&now, seen, sizeof now) != 0;
    *seen = now;
    return changed;
}

static bool files_changed(struct app *a)
{
    bool changed = false;
    for (int i = 0; i < POLICY_FILES; i++)
        changed |= file_changed(path_of(a->options, &files[i]), &a->policy_seen[i]);
    return changed;
}

int policy_start(struct app *a, struct error *err)
{
    files_changed(a);
    int result = policy_load(&a->policy, a->options, err);
    if (result == 0)
        api_publish(a->api, a->policy);
    return result;
}

void policy_stop(struct app *a)
{
    policy_destroy(a->policy_before);
    policy_destroy(a->policy);
}

void policy_tick(struct app *a, bool asked)
{
    struct policy *next;
    struct error err;
    a->policy_asked |= asked;
    if (!api_published(a->api))
        return; /* a worker may still look at the one before */
    policy_destroy(a->policy_before);
    a->policy_before = NULL;
    bool changed = files_changed(a);
    if (!changed && !a->policy_asked)
        return;
    a->policy_asked = false;
    if (policy_load(&next, a->options, &err) != 0) {
        LOG_ERROR("policy_kept", log_str("error", err.text), log_str("effect", "the one before stays in force"));
        return;
    }
    a->policy_before = a->policy;
    a->policy = next;
    api_publish(a->api, next);
    for (uint32_t i = 0; i < a->workers_count; i++)
        worker_wake(a->workers[i]);
    if (next)
        LOG_INFO("policy_read");
}
