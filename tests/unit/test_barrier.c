#include "support/skip.h"
#include "sync/barrier.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Each case in a child, as registration and seccomp cannot be undone. */
static int in_child(int (*body)(void))
{
    int status = -1;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        _exit(body());
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int heavy_without_init(void) { return barrier_heavy(); }

static int heavy_after_init(void) { return barrier_init() == 0 && barrier_heavy() ? 0 : 1; }

/* As a container's seccomp profile may: membarrier(2) fails with EPERM. */
static int heavy_when_forbidden(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        return 77;
    return barrier_init() == -EPERM && !barrier_heavy() ? 0 : 1;
}

static void test_heavy_barrier_says_no_when_it_was_not_registered(void **state)
{
    (void)state;
    assert_int_equal(in_child(heavy_without_init), 0);
}

static void test_heavy_barrier_works_after_init(void **state)
{
    (void)state;
    assert_int_equal(in_child(heavy_after_init), 0);
}

static void test_forbidden_membarrier_is_reported(void **state)
{
    (void)state;
    int code = in_child(heavy_when_forbidden);

    if (code == 77)
        skip_because("no seccomp filter may be installed here");
    assert_int_equal(code, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heavy_barrier_says_no_when_it_was_not_registered),
        cmocka_unit_test(test_heavy_barrier_works_after_init),
        cmocka_unit_test(test_forbidden_membarrier_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
