/* What an intruder gets from inside: each probe is a process of its own that puts the sandbox on itself, as the program
 * does for a store by name, tries one thing, and says what came of it. All are printed as a table. */

#include "sandbox/sandbox.h"
#include "support/skip.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/capabilities.h"

enum { REFUSED = -1, KILLED = -2, ALLOWED = -3 }; /* any errno; a signal; no error */

static char folder[] = "/tmp/sandbox-XXXXXX", state[64], outside[64];

static long call_socket(int family, int type, int protocol) { return socket(family, type, protocol); }

static long call_connect(uint32_t host, uint16_t port, int type)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(host)};
    int fd = socket(AF_INET, type, 0);
    long result = fd < 0 ? -1 : connect(fd, (struct sockaddr *)&to, sizeof(to));
    return result < 0 && errno == ECONNREFUSED ? 0 : result; /* nobody listens, but one may ask */
}

static long call_sendto(int type, int flags)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type, 0);
    return fd < 0 ? -1 : sendto(fd, "x", 1, flags, (struct sockaddr *)&to, sizeof(to));
}

static long call_bind(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 ? -1 : bind(fd, (struct sockaddr *)&any, sizeof(any));
}

static long call_map(int protection)
{
    return mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static long call_protect(int protection)
{
    void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(at, 4096, protection);
}

static long call_in_state(int flags)
{
    char path[96];
    snprintf(path, sizeof(path), "%s/new", state);
    return open(path, flags, 0600);
}

/* NAME, EXPECTED, what is tried */
#define PROBES(P)                                                                                                      \
    P("a TCP socket, IPv4", ALLOWED, call_socket(AF_INET, SOCK_STREAM, 0))                                             \
    P("a TCP socket, IPv6", ALLOWED, call_socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP))                   \
    P("a UDP socket for the resolver", ALLOWED, call_socket(AF_INET, SOCK_DGRAM, 0))                                   \
    P("MPTCP", REFUSED, call_socket(AF_INET, SOCK_STREAM, 262))                                                        \
    P("SCTP", REFUSED, call_socket(AF_INET, SOCK_STREAM, 132))                                                         \
    P("SCTP, one to many", REFUSED, call_socket(AF_INET, SOCK_SEQPACKET, 132))                                         \
    P("SMC over IPv4", REFUSED, call_socket(AF_INET, SOCK_STREAM, 256))                                                \
    P("UDP-Lite", REFUSED, call_socket(AF_INET, SOCK_DGRAM, 136))                                                      \
    P("ICMP", REFUSED, call_socket(AF_INET, SOCK_DGRAM, 1))                                                            \
    P("raw IP", REFUSED, call_socket(AF_INET, SOCK_RAW, 255))                                                          \
    P("raw IPv6", REFUSED, call_socket(AF_INET6, SOCK_RAW, 255))                                                       \
    P("DCCP", REFUSED, call_socket(AF_INET, SOCK_DCCP, 33))                                                            \
    P("a UNIX stream", REFUSED, call_socket(AF_UNIX, SOCK_STREAM, 0))                                                  \
    P("a UNIX datagram", REFUSED, call_socket(AF_UNIX, SOCK_DGRAM, 0))                                                 \
    P("VSOCK", REFUSED, call_socket(AF_VSOCK, SOCK_STREAM, 0))                                                         \
    P("netlink route", REFUSED, call_socket(AF_NETLINK, SOCK_RAW, 0))                                                  \
    P("netlink netfilter", REFUSED, call_socket(AF_NETLINK, SOCK_RAW, 12))                                             \
    P("packets", REFUSED, call_socket(AF_PACKET, SOCK_RAW, 0))                                                         \
    P("the kernel's crypto", REFUSED, call_socket(AF_ALG, SOCK_SEQPACKET, 0))                                          \
    P("XDP", REFUSED, call_socket(44, SOCK_RAW, 0))                                                                    \
    P("Bluetooth", REFUSED, call_socket(AF_BLUETOOTH, SOCK_RAW, 1))                                                    \
    P("KCM", REFUSED, call_socket(AF_KCM, SOCK_DGRAM, 0))                                                              \
    P("TIPC", REFUSED, call_socket(AF_TIPC, SOCK_STREAM, 0))                                                           \
    P("RDS", REFUSED, call_socket(AF_RDS, SOCK_SEQPACKET, 0))                                                          \
    P("a pair of UNIX sockets", REFUSED, socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){0, 0}))                          \
    P("connecting to the store's port", ALLOWED, call_connect(INADDR_LOOPBACK, 7, SOCK_STREAM))                        \
    P("connecting to port 22", REFUSED, call_connect(INADDR_LOOPBACK, 22, SOCK_STREAM))                                \
    P("connecting to the metadata service", REFUSED, call_connect(0xa9fea9fe, 80, SOCK_STREAM))                        \
    P("a datagram to anybody", REFUSED, call_sendto(SOCK_DGRAM, 0))                                                    \
    P("TCP's fast open", REFUSED, call_sendto(SOCK_STREAM, MSG_FASTOPEN))                                              \
    P("binding a port", REFUSED, call_bind())                                                                          \
    P("listening", KILLED, listen(0, 1))                                                                               \
    P("executing", KILLED, execl("/bin/true", "true", NULL))                                                           \
    P("executing a descriptor", KILLED, syscall(SYS_execveat, AT_FDCWD, "/bin/true", NULL, NULL, 0))                   \
    P("a process", REFUSED, syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0))                                                   \
    P("a process by clone3", REFUSED, syscall(SYS_clone3, NULL, 0))                                                    \
    P("a namespace", KILLED, unshare(CLONE_NEWUSER))                                                                   \
    P("another's namespace", KILLED, setns(0, 0))                                                                      \
    P("memory that is code", REFUSED, call_map(PROT_READ | PROT_EXEC))                                                 \
    P("memory that becomes code", REFUSED, call_protect(PROT_READ | PROT_EXEC))                                        \
    P("memory without code", ALLOWED, call_map(PROT_READ | PROT_WRITE))                                                \
    P("a file in memory", REFUSED, syscall(SYS_memfd_create, "x", 0))                                                  \
    P("secret memory", REFUSED, syscall(447, 0))                                                                       \
    P("tracing", KILLED, syscall(SYS_ptrace, 0, 0, 0, 0))                                                              \
    P("reading another's memory", KILLED, syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0))               \
    P("a descriptor of another", REFUSED, syscall(438, 0, 0, 0))                                                       \
    P("a descriptor for a process", REFUSED, syscall(434, getppid(), 0))                                               \
    P("a signal to another", REFUSED, kill(getppid(), 0))                                                              \
    P("a signal to another's thread", REFUSED, syscall(SYS_tgkill, getppid(), getppid(), 0))                           \
    P("a signal by a descriptor's owner", REFUSED, fcntl(0, F_SETOWN, getppid()))                                      \
    P("a BPF program", KILLED, syscall(SYS_bpf, 0, NULL, 0))                                                           \
    P("a ring", REFUSED, syscall(SYS_io_uring_setup, 8, NULL))                                                         \
    P("asynchronous I/O", REFUSED, syscall(SYS_io_setup, 1, NULL))                                                     \
    P("user faults", REFUSED, syscall(SYS_userfaultfd, 0))                                                             \
    P("counters of the processor", REFUSED, syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0))                          \
    P("the kernel's log", REFUSED, syscall(SYS_syslog, 3, NULL, 0))                                                    \
    P("a module", KILLED, syscall(SYS_finit_module, 0, "", 0))                                                         \
    P("mounting", KILLED, syscall(SYS_mount, "none", "/", NULL, 0, NULL))                                              \
    P("mounting by fsopen", REFUSED, syscall(430, "tmpfs", 0))                                                         \
    P("another root", KILLED, syscall(SYS_chroot, "/"))                                                                \
    P("the root's turn", REFUSED, syscall(SYS_pivot_root, "/", "/"))                                                   \
    P("another user", KILLED, syscall(SYS_setuid, 0))                                                                  \
    P("capabilities back", REFUSED, syscall(SYS_capset, NULL, NULL))                                                   \
    P("a process's attributes", REFUSED, prctl(PR_SET_DUMPABLE, 1))                                                    \
    P("a key of the keyring", REFUSED, syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0))        \
    P("adding a key", REFUSED, syscall(SYS_add_key, "user", "x", "x", 1, KEY_SPEC_PROCESS_KEYRING))                    \
    P("the clock", REFUSED, syscall(SYS_clock_settime, 0, &(struct timespec){.tv_sec = 1}))                            \
    P("the host's name", REFUSED, sethostname("x", 1))                                                                 \
    P("restarting the machine", REFUSED, syscall(SYS_reboot, 0, 0, 0, NULL))                                           \
    P("a limit of its own", REFUSED, syscall(SYS_prlimit64, 0, 7, NULL, NULL))                                         \
    P("typing into the terminal", REFUSED, ioctl(0, TIOCSTI, "x"))                                                     \
    P("reading /etc/hosts", ALLOWED, open("/etc/hosts", O_RDONLY))                                                     \
    P("writing into /etc", REFUSED, open("/etc/hosts", O_WRONLY))                                                      \
    P("reading /proc", REFUSED, open("/proc/self/environ", O_RDONLY))                                                  \
    P("reading /dev", REFUSED, open("/dev/kmsg", O_RDONLY))                                                            \
    P("reading a file of others", REFUSED, open(outside, O_RDONLY))                                                    \
    P("the folder of programs", REFUSED, open("/usr/bin", O_RDONLY | O_DIRECTORY))                                     \
    P("a new file in the state directory", ALLOWED, call_in_state(O_CREAT | O_RDWR))                                   \
    P("removing a file of others", REFUSED, syscall(SYS_unlinkat, AT_FDCWD, outside, 0))                               \
    P("a mode", REFUSED, chmod(outside, 0777))                                                                         \
    P("a link", REFUSED, symlink("/etc/shadow", "/tmp/x"))

struct probe {
    const char *name;
    int expected;
};

static const struct probe probes[] = {
#define PROBE_ROW(name, expected, tried) {name, expected},
    PROBES(PROBE_ROW)};
#define PROBES_COUNT (sizeof(probes) / sizeof(*probes))

static long probe_try(size_t wanted)
{
    size_t at = 0;
#define PROBE_TRY(name, expected, tried)                                                                               \
    if (at++ == wanted)                                                                                                \
        return (long)(tried);
    PROBES(PROBE_TRY)
    return 0;
}

static void sandbox_enter(void)
{
    const char *const none[] = {NULL};
    char state_flag[96];
    snprintf(state_flag, sizeof(state_flag), "--state-dir=%s", state);
    const char *const argv[] = {"tallyd",       "--redis=redis://localhost:7", state_flag, "--listen=127.0.0.1:18080",
                                "--allow-root", "--admin=127.0.0.1:18081"};
    static struct options o;
    struct error err;
    if (options_load(&o, 6, argv, none, &err) != 0 || privileges_drop(&o, &err) != 0)
        _exit(100);
    sandbox_privileges();
    if (capabilities_drop() != 0 || sandbox_files(&o) != 0 || sandbox_calls(&o) != 0)
        _exit(101);
}

/* ALLOWED, the errno, or KILLED. */
static int probe_run(size_t index)
{
    pid_t child = fork();
    int status;
    assert_true(child >= 0);
    if (child == 0) {
        sandbox_enter();
        errno = 0;
        _exit(probe_try(index) >= 0 ? 0 : errno);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        return KILLED;
    assert_true(WEXITSTATUS(status) < 100 || WEXITSTATUS(status) > 101);
    return WEXITSTATUS(status) == 0 ? ALLOWED : WEXITSTATUS(status);
}

static bool probe_fits(const struct probe *p, int seen)
{
    return p->expected == REFUSED ? seen > 0 : seen == p->expected;
}

static void file_make(const char *path)
{
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void test_what_the_sandbox_says_is_what_it_does(void **unused)
{
    (void)unused;
    unsigned wrong = 0;
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1 /* the version */) < 4)
        skip_because("this kernel has no Landlock with ports: half of the table would be another");
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip_because("the sanitizer's runtime makes calls of its own");
#endif
    assert_non_null(mkdtemp(folder));
    snprintf(state, sizeof(state), "%s/state", folder);
    snprintf(outside, sizeof(outside), "%s/outside", folder);
    assert_int_equal(mkdir(state, 0700), 0);
    file_make(outside);
    assert_true(PROBES_COUNT >= 60);
    for (size_t i = 0; i < PROBES_COUNT; i++) {
        int seen = probe_run(i);
        bool fits = probe_fits(&probes[i], seen);
        printf("  %-36s %s%s\n", probes[i].name,
               seen == KILLED    ? "killed"
               : seen == ALLOWED ? "allowed"
                                 : strerror(seen),
               fits ? "" : "   <- WRONG");
        wrong += !fits;
    }
    char made[96];
    snprintf(made, sizeof(made), "%s/new", state);
    unlink(made);
    rmdir(state);
    unlink(outside);
    rmdir(folder);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_the_sandbox_says_is_what_it_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
