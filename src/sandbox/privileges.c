#include <errno.h>
#include <linux/keyctl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

void sandbox_privileges(void)
{
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
}

int privileges_drop(const struct options *o, struct error *err)
{
    struct rlimit none = {0};
    if (geteuid() == 0 && !o->allow_root)
        return error_set(err, -EPERM,
                         "tallyd needs no privileges and refuses to run as root; use another user (User=, runAsUser, "
                         "setpriv --reuid), or give --allow-root");
    if (o->allow_core)
        return 0;
    /* The limit alone would not do: with a pipe in core_pattern the kernel ignores it (core(5)). */
    if (prctl(PR_SET_DUMPABLE, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
        return error_set(err, -errno, "cannot turn core dumps off (%s); --allow-core goes without", strerror(errno));
    return 0;
}
