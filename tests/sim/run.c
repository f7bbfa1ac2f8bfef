/* Runs seeds on all CPUs and says which broke a law.
 *
 *   run --seeds 100000 [--first 1] [--jobs N] [--until-failure]
 *   run --seed 17            one seed, with every event
 *
 * Exit: 0 no violation, 1 violations, 64 usage. A worker that dies (an assert, a signal, 60 s without an end) is a
 * violation of the seed it was at. */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/sim.h"

#define JOBS_MAX 64
#define FAILURES_MAX 20
#define SEED_SECONDS_MAX 60
#define PROGRESS_S 5

struct failure {
    uint64_t seed;
    char text[400];
};

/* Shared by all processes of the run. */
struct board {
    _Atomic uint64_t next, done, steps, failures_count;
    _Atomic bool stop;
    uint64_t last;
#define BOARD_MET(name, text) _Atomic uint64_t name;
    SIM_MET(BOARD_MET)
#undef BOARD_MET
    _Atomic uint64_t at[JOBS_MAX]; /* the seed that each worker is at */
    struct failure failures[FAILURES_MAX];
};

struct options {
    uint64_t seed, seeds, first, jobs;
    bool until_failure;
};

static void board_fail(struct board *b, uint64_t seed, const char *text)
{
    uint64_t i = atomic_fetch_add(&b->failures_count, 1);

    if (i >= FAILURES_MAX)
        return;
    fprintf(stderr, "seed %" PRIu64 ": %s\n", seed, text);
    b->failures[i].seed = seed;
    snprintf(b->failures[i].text, sizeof(b->failures[i].text), "%s", text);
}

/* ---- a worker ---- */

static void work(struct board *b, uint64_t number, bool until_failure)
{
    struct sim *s = calloc(1, sizeof(*s));

    while (s && !atomic_load(&b->stop)) {
        uint64_t seed = atomic_fetch_add(&b->next, 1);
        if (seed > b->last)
            break;
        atomic_store(&b->at[number], seed);
        alarm(SEED_SECONDS_MAX);
        if (!sim_run(s, seed, NULL)) {
            board_fail(b, seed, s->failure);
            if (until_failure)
                atomic_store(&b->stop, true);
        }
        atomic_fetch_add(&b->done, 1);
        atomic_fetch_add(&b->steps, s->steps);
#define BOARD_MET(name, text) atomic_fetch_add(&b->name, s->met.name);
        SIM_MET(BOARD_MET)
#undef BOARD_MET
    }
    if (s)
        sim_fini(s);
    free(s);
}

static pid_t worker_start(struct board *b, uint64_t number, bool until_failure)
{
    pid_t pid = fork();

    if (pid)
        return pid;
    work(b, number, until_failure);
    exit(0);
}

/* ---- all of them ---- */

static double seconds_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void progress(const struct board *b, uint64_t seeds, double since)
{
    double spent = seconds_now() - since, rate = (double)b->done / spent;

    fprintf(stderr, "sim: %" PRIu64 " of %" PRIu64 " seeds, %.0f a second, %.0f s to go, %" PRIu64 " violations\n",
            b->done, seeds, rate, rate > 0 ? (double)(seeds - b->done) / rate : 0, b->failures_count);
}

static void worker_ended(struct board *b, uint64_t number, int status, bool until_failure)
{
    char text[64];

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    snprintf(text, sizeof(text), "died: %s",
             WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exit without a reason");
    board_fail(b, b->at[number], text);
    atomic_fetch_add(&b->done, 1);
    if (until_failure)
        atomic_store(&b->stop, true);
}

static void await_all(struct board *b, const struct options *o, pid_t pids[], double since)
{
    uint64_t running = o->jobs;
    double told = since;
    int status;

    while (running) {
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid == 0) {
            usleep(10000);
            if (seconds_now() - told < PROGRESS_S)
                continue;
            told = seconds_now();
            progress(b, o->seeds, since);
            continue;
        }
        uint64_t number = 0;
        while (number < o->jobs && pids[number] != pid)
            number++;
        if (number == o->jobs)
            continue;
        worker_ended(b, number, status, o->until_failure);
        bool again = status != 0 && !b->stop && b->failures_count < FAILURES_MAX;
        if (again)
            pids[number] = worker_start(b, number, o->until_failure);
        else
            running--;
    }
}

static int run_many(const struct options *o)
{
    struct board *b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[JOBS_MAX];
    double since = seconds_now();

    if (b == MAP_FAILED)
        return 1;
    b->next = o->first;
    b->last = o->first + o->seeds - 1;
    for (uint64_t i = 0; i < o->jobs; i++)
        pids[i] = worker_start(b, i, o->until_failure);
    await_all(b, o, pids, since);
    double spent = seconds_now() - since;
    printf("sim: met");
#define BOARD_MET(name, text) printf(" · %" PRIu64 " " text, b->name);
    SIM_MET(BOARD_MET)
#undef BOARD_MET
    printf("\n");
    for (uint64_t i = 0; i < b->failures_count && i < FAILURES_MAX; i++)
        printf("seed %" PRIu64 ": %s\n", b->failures[i].seed, b->failures[i].text);
    printf("sim: %" PRIu64 " seeds (%" PRIu64 " to %" PRIu64 "), %" PRIu64 " events, %" PRIu64
           " violations, %.1f s, %.0f seeds a second\n",
           b->done, o->first, o->first + b->done - 1, b->steps, b->failures_count, spent, (double)b->done / spent);
    return b->failures_count ? 1 : 0;
}

static int run_one(uint64_t seed)
{
    struct sim *s = calloc(1, sizeof(*s));

    if (!s)
        return 1;
    bool fine = sim_run(s, seed, stdout);
    printf("seed %" PRIu64 ": %s\n", seed, fine ? "no violation" : s->failure);
    sim_fini(s);
    free(s);
    return fine ? 0 : 1;
}

/* ---- options ---- */

static bool take_number(const char *name, const char *text, const char *option, uint64_t *out)
{
    char *end;

    if (strcmp(name, option) != 0 || !text)
        return false;
    *out = strtoull(text, &end, 10);
    return end != text && *end == '\0';
}

static bool options_parse(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = argv[i + 1];
        if (strcmp(argv[i], "--until-failure") == 0)
            o->until_failure = true;
        else if (take_number(argv[i], value, "--seed", &o->seed) || take_number(argv[i], value, "--seeds", &o->seeds) ||
                 take_number(argv[i], value, "--first", &o->first) || take_number(argv[i], value, "--jobs", &o->jobs))
            i++;
        else
            return false;
    }
    return o->seeds && o->jobs && o->jobs <= JOBS_MAX;
}

int main(int argc, char **argv)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    struct options o = {.seeds = 10000, .first = 1, .jobs = cpus > 0 && cpus <= JOBS_MAX ? (uint64_t)cpus : 1};

    if (!options_parse(&o, argc, argv)) {
        fprintf(stderr, "usage: run [--seeds N] [--first N] [--jobs N] [--until-failure] | --seed N\n");
        return 64;
    }
    /* A world's large buffers are to come from what the last one left. */
    mallopt(M_MMAP_THRESHOLD, 1 << 26);
    mallopt(M_TRIM_THRESHOLD, 1 << 28);
    return o.seed ? run_one(o.seed) : run_many(&o);
}
