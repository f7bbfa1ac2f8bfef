/* Landlock: files by the folder that they lie in, since Kubernetes and editors replace a file instead of writing to it.
 * The calls have no wrappers in the C library; Debian 12's headers end before the TCP ports. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

#define ABI_REFER 2
#define ABI_TRUNCATE 3
#define ABI_TCP 4
#define ABI_IOCTL_DEV 5
#define ABI_SCOPES 6
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_IOCTL_DEV (UINT64_C(1) << 15)
#define NET_BIND_TCP UINT64_C(1)
#define NET_CONNECT_TCP UINT64_C(2)
#define RULE_NET_PORT 2
#define SCOPE_ABSTRACT_UNIX_SOCKET UINT64_C(1)
#define SCOPE_SIGNAL UINT64_C(2)
#define DNS_PORT 53

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_ALL_FIRST (LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1) /* every right of the first ABI */
#define FS_STATE                                                                                                       \
    (FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE |          \
     LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE)

/* As in newer <linux/landlock.h>. */
struct ruleset_attr {
    uint64_t handled_access_fs, handled_access_net, scoped;
};
struct net_port_attr {
    uint64_t allowed_access, port;
};

struct ruleset {
    int fd;
    struct ruleset_attr handled;
};

/* A path that is not there needs no rule. */
static void path_allow(const struct ruleset *r, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access & r->handled.handled_access_fs};
    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return;
    syscall(SYS_landlock_add_rule, r->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(rule.parent_fd);
}

/* The folder that holds `file`, and that of what it links to. */
static void folder_allow(const struct ruleset *r, const char *file)
{
    char real[PATH_MAX], given[PATH_MAX];
    if (!file || *file == '\0' || strlen(file) >= sizeof(given))
        return;
    path_allow(r, dirname(strcpy(given, file)), FS_READ);
    if (realpath(file, real))
        path_allow(r, dirname(real), FS_READ);
}

static void files_allow(const struct ruleset *r, const struct options *o)
{
    /* Resolving names and verifying certificates: their configuration, what it links to, and libraries of libc's. */
    static const char *const system[] = {"/etc", "/run/systemd/resolve", "/usr/lib",
                                         "/lib", "/usr/share",           "/usr/local"};
    for (size_t i = 0; i < sizeof(system) / sizeof(*system); i++)
        path_allow(r, system[i], FS_READ);
    /* glibc asks it when a thread gives memory back (malloc/arena.c, check_may_shrink_heap). */
    path_allow(r, "/proc/sys/vm/overcommit_memory", LANDLOCK_ACCESS_FS_READ_FILE);
    for (unsigned i = 0; i < OPTIONS; i++) {
        if (option_at(i)->type == OPTION_FILE)
            folder_allow(r, o->texts[i].text);
    }
    folder_allow(r, getenv("SSL_CERT_FILE")); /* what OpenSSL trusts instead of the system's */
    if (getenv("SSL_CERT_DIR"))
        path_allow(r, getenv("SSL_CERT_DIR"), FS_READ);
    folder_allow(r, getenv("AWS_WEB_IDENTITY_TOKEN_FILE"));
    folder_allow(r, getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"));
    if (*o->state_dir)
        path_allow(r, o->state_dir, FS_STATE);
}

static void port_allow(const struct ruleset *r, uint64_t access, uint16_t port)
{
    struct net_port_attr rule = {.allowed_access = access & r->handled.handled_access_net, .port = port};
    if (rule.allowed_access)
        syscall(SYS_landlock_add_rule, r->fd, RULE_NET_PORT, &rule, 0);
}

/* Only ports that are known: nodes of a cluster and the givers of AWS keys are learnt later, port 0 is the kernel's
 * choice. */
static uint64_t net_handled(const struct options *o)
{
    bool bound = address_port(&o->listen.socket) && address_port(&o->admin.socket);
    bool connected = o->redis_mode == OPTION_REDIS_STANDALONE && !*o->redis_iam_cluster;
    return (bound ? NET_BIND_TCP : 0) | (connected ? NET_CONNECT_TCP : 0);
}

static void ports_allow(const struct ruleset *r, const struct options *o)
{
    port_allow(r, NET_BIND_TCP, address_port(&o->listen.socket));
    port_allow(r, NET_BIND_TCP, address_port(&o->admin.socket));
    if (*o->redis.host)
        port_allow(r, NET_CONNECT_TCP, o->redis.port);
    if (sandbox_resolves_names(o))
        port_allow(r, NET_CONNECT_TCP, DNS_PORT); /* long answers come by TCP */
}

bool sandbox_resolves_names(const struct options *o)
{
    unsigned char address[sizeof(struct in6_addr)];
    const char *host = o->redis.host;
    if (*host == '\0')
        return false;
    bool literal = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    return !literal || o->redis_mode == OPTION_REDIS_CLUSTER || *o->redis_iam_cluster; /* others are learnt later */
}

int sandbox_files(const struct options *o)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 0)
        return -errno;
    struct ruleset r = {.handled = {.handled_access_fs = FS_ALL_FIRST}};
    if (abi >= ABI_REFER)
        r.handled.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= ABI_TRUNCATE)
        r.handled.handled_access_fs |= FS_TRUNCATE;
    if (abi >= ABI_TCP)
        r.handled.handled_access_net = net_handled(o);
    if (abi >= ABI_IOCTL_DEV)
        r.handled.handled_access_fs |= FS_IOCTL_DEV;
    if (abi >= ABI_SCOPES)
        r.handled.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
    /* A kernel takes a longer structure as long as what it does not know is zero. */
    size_t bytes = abi >= ABI_TCP ? sizeof(r.handled) : sizeof(r.handled.handled_access_fs);
    if (abi >= ABI_TCP && abi < ABI_SCOPES)
        bytes = offsetof(struct ruleset_attr, scoped);
    r.fd = (int)syscall(SYS_landlock_create_ruleset, &r.handled, bytes, 0);
    if (r.fd < 0)
        return -errno;
    files_allow(&r, o);
    ports_allow(&r, o);
    int failed = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_landlock_restrict_self, r.fd, 0) < 0;
    int result = failed ? -errno : 0;
    close(r.fd);
    return result;
}
