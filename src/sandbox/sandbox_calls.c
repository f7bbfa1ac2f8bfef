/* The filter that the process puts on itself once all threads run. What only starting needs is gone by then: executing,
 * listening, creating rings. A call that nobody expected fails with EPERM; what only an intruder asks for kills. */

#include <errno.h>
#include <seccomp.h>

#include "sandbox/sandbox.h"
#include "sandbox/sandbox_rules.h"

static const int allowed[] = {
    /* memory, threads, signals; sandbox_rules.c has those that depend on their arguments */
    SCMP_SYS(brk),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(futex),
    SCMP_SYS(getpid),
    SCMP_SYS(getrandom),
    SCMP_SYS(gettid),
    SCMP_SYS(madvise),
    SCMP_SYS(membarrier),
    SCMP_SYS(mremap),
    SCMP_SYS(munmap),
    SCMP_SYS(restart_syscall),
#if defined(__SANITIZE_ADDRESS__)
    SCMP_SYS(sigaltstack), /* AddressSanitizer's threads give theirs back at their end */
#endif
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    /* clocks, where the vDSO does not answer */
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(gettimeofday),
    /* engines and waiting */
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(io_uring_register),
    /* files: the log, secrets read again, growth of the state file and its way to the medium */
    SCMP_SYS(close),
    SCMP_SYS(fallocate),
    SCMP_SYS(fstat),
    SCMP_SYS(fsync),
    SCMP_SYS(lseek),
    SCMP_SYS(msync),
    SCMP_SYS(newfstatat),
    SCMP_SYS(openat),
    SCMP_SYS(pread64),
    SCMP_SYS(read),
    SCMP_SYS(readlink), /* realpath(3): in which folder does a secret lie? */
    SCMP_SYS(readlinkat),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    /* sockets: accepting, and the way to the store with its resolver */
    SCMP_SYS(accept4),
    SCMP_SYS(connect),
    SCMP_SYS(getpeername),
    SCMP_SYS(getsockname),
    SCMP_SYS(getsockopt),
    SCMP_SYS(recvfrom),
    SCMP_SYS(setsockopt),
    SCMP_SYS(shutdown),
};

/* libcurl resolves names in a thread of its own, for AWS keys. */
static const int allowed_with_iam[] = {
    SCMP_SYS(eventfd2), SCMP_SYS(rseq), SCMP_SYS(sched_getaffinity), SCMP_SYS(set_robust_list), SCMP_SYS(uname),
};

static const int deadly[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(bpf),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(mount),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(setuid),
    SCMP_SYS(chroot),
    SCMP_SYS(listen),
};

/* A call that this architecture does not have (a negative number) needs no rule. */
static int rules_add(scmp_filter_ctx ctx, uint32_t action, const int *calls, size_t count)
{
    int failed = 0;
    for (size_t i = 0; i < count && !failed; i++)
        failed = calls[i] < 0 ? 0 : seccomp_rule_add(ctx, action, calls[i], 0);
    return failed;
}

#define RULES_ADD(ctx, action, calls) rules_add(ctx, action, calls, sizeof(calls) / sizeof(*calls))

static int filter_fill(scmp_filter_ctx ctx, const struct options *o)
{
    const int enter[] = {SCMP_SYS(io_uring_enter)}, clone3[] = {SCMP_SYS(clone3)};
    int failed = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
    if (!failed) /* a tree instead of a list; Linux ≥ 5.11 keeps a bitmap of what is always allowed besides */
        failed = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (!failed)
        failed = RULES_ADD(ctx, SCMP_ACT_ALLOW, enter);
    if (!failed)
        failed = RULES_ADD(ctx, SCMP_ACT_ALLOW, allowed);
    if (!failed && *o->redis_iam_cluster)
        failed = RULES_ADD(ctx, SCMP_ACT_ALLOW, allowed_with_iam);
    if (!failed)
        failed = RULES_ADD(ctx, SCMP_ACT_KILL_PROCESS, deadly);
    if (!failed) /* libc takes clone, then */
        failed = RULES_ADD(ctx, SCMP_ACT_ERRNO(ENOSYS), clone3);
    return failed ? failed : sandbox_rules_add(ctx, o);
}

int sandbox_calls(const struct options *o)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!ctx)
        return -ENOMEM;
    int failed = filter_fill(ctx, o);
    if (!failed)
        failed = seccomp_load(ctx);
    seccomp_release(ctx);
    return failed;
}
