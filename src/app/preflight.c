#include "app/preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/engine_choice.h"
#include "app/policy_files.h"
#include "config/file_guard.h"
#include "config/secret.h"
#include "config/value.h"
#include "policy/policy.h"
#include "redis/transport_tls.h"

static int password_try(const struct options *o, struct error *err)
{
    char password[SECRET_BYTES_MAX + 1];
    struct error why;
    if (*o->redis_password_file == '\0')
        return 0;
    int result = secret_read(o->redis_password_file, password, &why);
    secret_wipe(password, sizeof(password));
    return result == 0 ? 0 : error_set(err, result, "--redis-password-file: %s", why.text);
}

static int policy_try(const struct options *o, struct error *err)
{
    struct policy *policy = NULL;
    int result = policy_load(&policy, o, err);
    policy_destroy(policy);
    return result;
}

static int tls_try(const struct options *o, struct error *err)
{
    struct tls *tls = NULL;
    if (!o->redis.tls)
        return 0;
    int result = tls_create(&tls, &(struct tls_config){o->redis_ca, o->redis_cert, o->redis_key, file_guard}, err);
    if (result == 0)
        tls_destroy(tls);
    return result;
}

/* A file that is gone again: rights alone say nothing of a file system that takes none, as /proc. */
static int write_try(int folder)
{
    char name[32];
    snprintf(name, sizeof(name), ".tallyd-check-%d", getpid());
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    close(fd);
    unlinkat(folder, name, 0);
    return 0;
}

static int state_try(const struct options *o, struct error *err)
{
    if (*o->state_dir == '\0')
        return 0;
    int fd = open(o->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, -errno, "cannot open --state-dir %s: %s; it must be a directory", o->state_dir,
                         strerror(errno));
    int result = write_try(fd);
    close(fd);
    return result == 0 ? 0
                       : error_set(err, result, "cannot write in --state-dir %s: %s; it must be writable for this user",
                                   o->state_dir, strerror(-result));
}

/* Bound without listening: beside a tallyd that serves there, a listener would get connections of its. */
static int address_try(const char *option, const struct address *address, struct error *err)
{
    const struct sockaddr_storage *to = &address->socket;
    socklen_t bytes = to->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    int fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = fd < 0 || bind(fd, (const struct sockaddr *)to, bytes) < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    if (failed == 0 || failed == EADDRINUSE)
        return 0;
    char text[VALUE_TEXT_BYTES];
    value_format_address(to, text);
    return error_set(err, -failed, "--%s: cannot listen on %s: %s", option, text, strerror(failed));
}

/* The engine, and descriptors for as many connections as were asked for. */
static int conns_try(const struct options *o, struct error *err)
{
    struct app *a = calloc(1, sizeof(*a));
    if (!a)
        return error_set(err, -ENOMEM, "no memory");
    a->options = o;
    workers_count(a);
    int result = engine_choose(a, err);
    if (result == 0)
        result = descriptors_fit(a, err);
    free(a);
    return result;
}

int preflight(const struct options *o, struct error *err)
{
    static int (*const tries[])(const struct options *, struct error *) = {
        file_guard_options, conns_try, state_try, password_try, tls_try, policy_try,
    };
    int result = 0;
    for (size_t i = 0; i < sizeof(tries) / sizeof(*tries) && result == 0; i++)
        result = tries[i](o, err);
    if (result == 0)
        result = address_try("listen", &o->listen, err);
    return result != 0 ? result : address_try("admin", &o->admin, err);
}
