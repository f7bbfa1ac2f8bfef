#include "app/policy_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/app.h"
#include "app/config.h"
#include "base/log.h"

#define FILE_BYTES_MAX (256 * 1024)

static int tokens_load(struct policy *p, const char *path, struct error *err)
{
    struct error why;
    char *text;
    if (*path == '\0')
        return 0;
    int result = file_read(path, FILE_BYTES_MAX, &text, err);
    if (result != 0)
        return result;
    result = tokens_create(&p->tokens, text, &why);
    secret_wipe(text, FILE_BYTES_MAX);
    free(text);
    return result == 0 ? 0 : error_set(err, result, "--token-file '%s': %s", path, why.text);
}

int policy_load(struct policy **out, const struct options *o, struct error *err)
{
    *out = NULL;
    if (*o->token_file == '\0')
        return 0;
    struct policy *p = calloc(1, sizeof *p);
    if (!p)
        return error_set(err, -ENOMEM, "no memory for a policy");
    int result = tokens_load(p, o->token_file, err);
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

int policy_start(struct app *a, struct error *err)
{
    file_changed(a->options->token_file, &a->token_file_seen);
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
    bool changed = file_changed(a->options->token_file, &a->token_file_seen);
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
