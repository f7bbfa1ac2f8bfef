/* What writing counts to Redis costs without tallyd: bare INCRBY commands, as many under way as WINDOW says.
 *
 * WINDOW 1 is one INCR per hit (a round trip each); 512 is a pipeline that never lets Redis wait. Commands are made
 * beforehand, replies are only counted: nothing can be faster on one connection. Prints seconds as JSON.
 * Usage: incr PORT KEYS WINDOW    The keys are KEYS different ones, each once. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define COMMAND_BYTES_MAX 96

static void die(const char *what)
{
    fprintf(stderr, "incr: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int redis_connect(const char *port)
{
    const int one = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

/* All commands in one text; ends[i] is where the i-th ends. */
static char *commands_make(size_t keys, size_t *ends)
{
    char *text = malloc(keys * COMMAND_BYTES_MAX);
    size_t at = 0;
    for (size_t i = 0; text && i < keys; i++) {
        char key[40];
        int bytes = snprintf(key, sizeof(key), "tally:blog/page-%014zu", i);
        at += (size_t)sprintf(text + at, "*3\r\n$6\r\nINCRBY\r\n$%d\r\n%s\r\n$1\r\n1\r\n", bytes, key);
        ends[i] = at;
    }
    return text;
}

/* Waits for replies; how many ended in what came. An error reply ends the program. */
static size_t replies_count(int fd)
{
    char in[65536];
    size_t count = 0;
    ssize_t n = read(fd, in, sizeof(in));
    if (n <= 0)
        die("read");
    if (in[0] == '-' || memmem(in, (size_t)n, "\n-", 2))
        die("Redis refused a command");
    for (const char *at = in; (at = memchr(at, '\n', (size_t)(in + n - at))); at++)
        count++;
    return count;
}

static void all_write(int fd, const char *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = write(fd, data, bytes);
        if (n < 0)
            die("write");
        data += n;
        bytes -= (size_t)n;
    }
}

int main(int argc, char **argv)
{
    size_t keys = argc == 4 ? strtoul(argv[2], NULL, 10) : 0, window = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    if (keys == 0 || window == 0) {
        fprintf(stderr, "usage: incr PORT KEYS WINDOW\n");
        return 64;
    }
    size_t *ends = calloc(keys, sizeof(*ends));
    char *text = ends ? commands_make(keys, ends) : NULL;
    if (!text)
        die("memory");
    int fd = redis_connect(argv[1]);
    double began = now_s();
    for (size_t sent = 0, answered = 0; answered < keys;) {
        size_t until = answered + window < keys ? answered + window : keys;
        if ((until - sent) * 2 >= window || until == keys) { /* by halves of the window: fewer, larger writes */
            size_t from = sent ? ends[sent - 1] : 0;
            all_write(fd, text + from, ends[until - 1] - from);
            sent = until;
        }
        answered += replies_count(fd);
    }
    printf("{\"keys\": %zu, \"seconds\": %.6f}\n", keys, now_s() - began);
    close(fd);
    free(text);
    free(ends);
}
