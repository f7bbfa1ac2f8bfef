#include "sandbox/sandbox_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

#define INT_MASK UINT64_C(0xffffffff) /* the kernel takes these arguments as int: the upper half is nobody's */
#define IS(index, value) SCMP_CMP64(index, SCMP_CMP_MASKED_EQ, INT_MASK, (uint64_t)(value))
#define HAS(index, mask, value) SCMP_CMP64(index, SCMP_CMP_MASKED_EQ, (uint64_t)(mask), (uint64_t)(value))
#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static int allow(scmp_filter_ctx ctx, int call, unsigned count, const struct scmp_arg_cmp *args)
{
    return call < 0 ? 0 : seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, call, count, args);
}

/* One of `values` as an argument. */
static int allow_values(scmp_filter_ctx ctx, int call, unsigned index, const uint64_t *values, size_t count)
{
    int failed = 0;
    for (size_t i = 0; i < count && !failed; i++)
        failed = allow(ctx, call, 1, (struct scmp_arg_cmp[]){IS(index, values[i])});
    return failed;
}

static int socket_allow(scmp_filter_ctx ctx, int family, int type, int protocol)
{
    const struct scmp_arg_cmp args[] = {
        IS(0, family), HAS(1, INT_MASK & ~(uint64_t)(SOCK_NONBLOCK | SOCK_CLOEXEC), type), IS(2, protocol)};
    return allow(ctx, SCMP_SYS(socket), COUNT(args), args);
}

/* TCP, and UDP for the resolver where names must be resolved; both by number 0, too, but MPTCP has its own. */
static int sockets_add(scmp_filter_ctx ctx, const struct options *o)
{
    static const int families[] = {AF_INET, AF_INET6};
    int failed = 0;
    for (size_t i = 0; *o->redis.host && i < COUNT(families) && !failed; i++) { /* without a store nobody is asked */
        failed = socket_allow(ctx, families[i], SOCK_STREAM, IPPROTO_TCP);
        if (!failed)
            failed = socket_allow(ctx, families[i], SOCK_STREAM, 0);
        if (!failed && sandbox_resolves_names(o))
            failed = socket_allow(ctx, families[i], SOCK_DGRAM, 0);
        if (!failed && sandbox_resolves_names(o))
            failed = socket_allow(ctx, families[i], SOCK_DGRAM, IPPROTO_UDP);
    }
    return failed;
}

/* The C library asks for these two families and goes on without: UNIX for nscd and systemd-resolved, netlink for the
 * addresses of this machine (getaddrinfo(3), AI_ADDRCONFIG; without them it asks for both kinds of addresses). It is
 * told what it knows from kernels that lack them. */
static int families_refuse(scmp_filter_ctx ctx)
{
    static const int families[] = {AF_UNIX, AF_NETLINK};
    int failed = 0;
    for (size_t i = 0; i < COUNT(families) && !failed; i++)
        failed = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1, IS(0, families[i]));
    return failed;
}

/* To an address that was connected to only: neither datagrams to anybody, nor TCP's fast open, which no rule for ports
 * sees. */
static int sends_add(scmp_filter_ctx ctx)
{
    const struct scmp_arg_cmp to_peer[] = {SCMP_CMP64(4, SCMP_CMP_EQ, 0, 0), HAS(3, MSG_FASTOPEN, 0)};
    int failed = allow(ctx, SCMP_SYS(sendto), COUNT(to_peer), to_peer);
    return failed ? failed : allow(ctx, SCMP_SYS(sendmmsg), 1, (struct scmp_arg_cmp[]){HAS(3, MSG_FASTOPEN, 0)});
}

/* No memory becomes code any more. */
static int memory_add(scmp_filter_ctx ctx)
{
    const struct scmp_arg_cmp no_code = HAS(2, PROT_EXEC, 0);
    int failed = allow(ctx, SCMP_SYS(mmap), 1, &no_code);
    return failed ? failed : allow(ctx, SCMP_SYS(mprotect), 1, &no_code);
}

/* libcurl resolves names in a thread of its own, for AWS keys: a thread, and neither a process nor a namespace. */
static int threads_add(scmp_filter_ctx ctx)
{
    const uint64_t thread = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;
    const uint64_t fresh =
        CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
    int failed = allow(ctx, SCMP_SYS(clone), 1, (struct scmp_arg_cmp[]){HAS(0, thread | fresh, thread)});
    return failed ? failed : allow(ctx, SCMP_SYS(socketpair), 1, (struct scmp_arg_cmp[]){IS(0, AF_UNIX)});
}

int sandbox_rules_add(scmp_filter_ctx ctx, const struct options *o)
{
    static const uint64_t ioctls[] = {FIONREAD, FIONBIO, TCGETS, SIOCGIFINDEX};
    static const uint64_t fcntls[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC};
    const uint64_t self[] = {(uint64_t)getpid()};
    int failed = sockets_add(ctx, o);
    if (!failed)
        failed = families_refuse(ctx);
    if (!failed)
        failed = sends_add(ctx);
    if (!failed)
        failed = memory_add(ctx);
    if (!failed) /* neither typing into a terminal (TIOCSTI), nor devices */
        failed = allow_values(ctx, SCMP_SYS(ioctl), 1, ioctls, COUNT(ioctls));
    if (!failed) /* no signals to others by F_SETOWN */
        failed = allow_values(ctx, SCMP_SYS(fcntl), 1, fcntls, COUNT(fcntls));
    if (!failed) /* abort() */
        failed = allow_values(ctx, SCMP_SYS(tgkill), 0, self, COUNT(self));
    return failed || !*o->redis_iam_cluster ? failed : threads_add(ctx);
}
