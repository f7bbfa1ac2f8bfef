#include "app/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static sigset_t signals_set(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

int signals_open(struct error *err)
{
    sigset_t set = signals_set();
    int result = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (result != 0)
        return error_set(err, -result, "cannot block signals: %s", strerror(result));
    /* A peer that is gone is an error of send(2), not the end of the process. */
    signal(SIGPIPE, SIG_IGN);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd >= 0 ? fd : error_set(err, -errno, "cannot open a signalfd: %s", strerror(errno));
}

int signals_wait(int fd, int wait_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    struct signalfd_siginfo info;
    if (poll(&poll_fd, 1, wait_ms) <= 0 || read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return 0;
    return (int)info.ssi_signo;
}

void signals_close(int fd)
{
    sigset_t set = signals_set();
    close(fd);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
