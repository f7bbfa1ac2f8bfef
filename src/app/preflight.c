#include "app/preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/policy.h"
#include "app/file_guard.h"
#include "app/policy_files.h"
#include "app/secret.h"
#include "app/value.h"
#include "io/engine.h"
#include "redis/transport_tls.h"

static int password_try(const struct options *o, struct error *err)
{
    char password[SECRET_BYTES_MAX + 1];
    struct error why;
    if (*o->redis_password_file == '\0')
        return 0;
    int result = secret_read(o->redis_password_file, password, &why);
    secret_wipe(password, sizeof password);
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

static int state_try(const struct options *o, struct error *err)
{
    if (*o->state_dir == '\0')
        return 0;
    int fd = open(o->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, -errno, "cannot open --state-dir %s: %s; it must be a directory", o->state_dir,
                         strerror(errno));
    int result = faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) == 0 ? 0 : -errno;
    close(fd);
    return result == 0 ? 0
                       : error_set(err, result, "cannot write to --state-dir %s: %s", o->state_dir, strerror(-result));
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

static int engine_try(const struct options *o, struct error *err)
{
    return o->io == OPTION_IO_URING ? engine_probe_uring(err) : 0;
}

int preflight(const struct options *o, struct error *err)
{
    static int (*const tries[])(const struct options *, struct error *) = {
        file_guard_options, engine_try, state_try, password_try, tls_try, policy_try,
    };
    int result = 0;
    for (size_t i = 0; i < sizeof tries / sizeof *tries && result == 0; i++)
        result = tries[i](o, err);
    if (result == 0)
        result = address_try("listen", &o->listen, err);
    return result != 0 ? result : address_try("admin", &o->admin, err);
}
