#include "app/csv_import.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/app.h"
#include "app/csv_file.h"
#include "base/clock.h"

#define WRITE_DEADLINE_MS 5000
#define PROGRESS_FORMAT "tallyd import 1 %016" PRIx64 " %020" PRIu64 "\n"
#define PROGRESS_BYTES 54

/* Rows from `done` to `asked` are under way, each in the slot of its number. */
struct import {
    struct app app;
    struct csv_file *file;                    /* owned */
    struct question *slots[IMPORT_UNDER_WAY]; /* owned; NULL: not under way */
    bool stored[IMPORT_UNDER_WAY];
    uint64_t asked, done;
    uint64_t moved_ms; /* when a row was stored last */
    char progress[4096 + 16];
    int progress_fd;
};

/* ---- how far it came ---- */

static int progress_read(struct import *im, struct error *err)
{
    char text[PROGRESS_BYTES + 1] = {0};
    uint64_t identity;
    ssize_t bytes = pread(im->progress_fd, text, PROGRESS_BYTES, 0);
    if (bytes == 0)
        return 0;
    if (bytes != PROGRESS_BYTES ||
        sscanf(text, "tallyd import 1 %16" SCNx64 " %20" SCNu64, &identity, &im->done) != 2 ||
        identity != csv_file_identity(im->file))
        return error_set(err, -EINVAL, "%s is of another file: remove it to begin anew", im->progress);
    return 0;
}

static int progress_open(struct import *im, const char *path, struct error *err)
{
    snprintf(im->progress, sizeof(im->progress), "%s.progress", path);
    im->progress_fd = open(im->progress, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (im->progress_fd < 0)
        return error_set(err, -errno, "%s, where the import says how far it came: %s", im->progress, strerror(errno));
    return progress_read(im, err);
}

/* One write of always the same length: a kill leaves the old number or the new one. */
static void progress_write(struct import *im)
{
    char text[PROGRESS_BYTES + 1];
    snprintf(text, sizeof(text), PROGRESS_FORMAT, csv_file_identity(im->file), im->done);
    (void)!pwrite(im->progress_fd, text, PROGRESS_BYTES, 0);
}

/* ---- writes ---- */

static bool ask(struct import *im, struct question *question)
{
    question->deadline_ms = clock_mono_ms() + WRITE_DEADLINE_MS;
    return mailbox_ask(flusher_mailbox(im->app.flusher), question);
}

/* 1; 0: no row is left; -errno. */
static int row_ask(struct import *im, struct error *err)
{
    struct csv_row row;
    int read = csv_file_next(im->file, &row, err);
    if (read <= 0)
        return read;
    struct question *question = calloc(1, sizeof(*question) + sizeof(question->results[0]));
    if (!question)
        return error_set(err, -ENOMEM, "no memory for a write");
    *question = (struct question){.kind = ASK_SET, .count = 1};
    question->results[0].name_bytes = row.name_bytes;
    question->results[0].stored = row.value;
    memcpy(question->results[0].name, row.name, row.name_bytes);
    question->owner = (void *)(uintptr_t)(im->asked % IMPORT_UNDER_WAY);
    im->slots[im->asked % IMPORT_UNDER_WAY] = question;
    im->stored[im->asked++ % IMPORT_UNDER_WAY] = false;
    return ask(im, question) ? 1 : error_set(err, -EBUSY, "the flusher takes no more writes");
}

static void rows_done(struct import *im)
{
    uint64_t before = im->done;
    while (im->done < im->asked && im->stored[im->done % IMPORT_UNDER_WAY])
        im->done++;
    if (im->done > before)
        progress_write(im);
}

/* A write that was not done, or is in doubt, is asked for again: it is the same. */
static int answers_take(struct import *im, struct error *err)
{
    struct question *question;
    while (mailbox_answer(flusher_mailbox(im->app.flusher), 0, &question)) {
        uintptr_t slot = (uintptr_t)question->owner;
        if (question->results[0].state != ANSWER_FOUND) {
            if (clock_mono_ms() - im->moved_ms > IMPORT_PATIENCE_MS)
                return error_set(err, -ETIMEDOUT, "the store takes no write; the same command goes on later");
            if (!ask(im, question))
                return error_set(err, -EBUSY, "the flusher takes no more writes");
            continue;
        }
        free(question);
        im->slots[slot] = NULL;
        im->stored[slot] = true;
        im->moved_ms = clock_mono_ms();
    }
    rows_done(im);
    return 0;
}

static int rows_skip(struct import *im, struct error *err)
{
    struct csv_row row;
    for (; im->asked < im->done; im->asked++) {
        int read = csv_file_next(im->file, &row, err);
        if (read <= 0)
            return read < 0 ? read : error_set(err, -EINVAL, "%s says more rows than there are", im->progress);
    }
    return 0;
}

static int rows_import(struct import *im, struct error *err)
{
    int read = 1, failed = rows_skip(im, err);
    im->moved_ms = clock_mono_ms();
    while (!failed && (read > 0 || im->done < im->asked)) {
        while (read > 0 && im->asked - im->done < IMPORT_UNDER_WAY)
            read = row_ask(im, err);
        if (read < 0)
            return read;
        if (im->done < im->asked) {
            while (sem_wait(&im->app.import_woken) < 0 && errno == EINTR)
                ;
            failed = answers_take(im, err);
        }
    }
    return failed;
}

/* ---- all of it ---- */

static int report(const struct import *im)
{
    struct csv_skipped skipped;
    csv_skipped(im->file, &skipped);
    printf("imported %" PRIu64 " counters, skipped %" PRIu64 " lines\n", im->done, skipped.rows);
    if (skipped.rows > 0)
        fprintf(stderr, "tallyd: line %" PRIu64 " is the first that was skipped: %s\n", skipped.first_line,
                skipped.first_why);
    return skipped.rows > 0 ? APP_LEFT_BEHIND : APP_DRAINED;
}

static int import_failed(const struct error *err, int code)
{
    fprintf(stderr, "tallyd: %s\n", err->text);
    return code;
}

static int import_with(struct import *im, const struct options *options)
{
    struct error err;
    struct csv_file_config config = {options->import, options->import_ns, (uint32_t)options->max_keys};
    if (csv_file_open(&im->file, &config, &err) < 0 || progress_open(im, options->import, &err) < 0)
        return import_failed(&err, APP_CANNOT_RUN);
    if (app_start(&im->app, options, &err) != 0)
        return import_failed(&err, APP_CANNOT_RUN);
    int failed = rows_import(im, &err), code = failed ? import_failed(&err, APP_LEFT_BEHIND) : report(im);
    app_stop(&im->app);
    if (!failed)
        unlink(im->progress);
    return code;
}

int csv_import_run(const struct options *options)
{
    struct options mine = *options; /* the state directory is the daemon's */
    struct import *im = calloc(1, sizeof(*im));
    if (!im)
        return APP_CANNOT_RUN;
    mine.state_dir = "";
    im->progress_fd = -1;
    int code = import_with(im, &mine);
    if (im->progress_fd >= 0)
        close(im->progress_fd);
    for (uint32_t i = 0; i < IMPORT_UNDER_WAY; i++)
        free(im->slots[i]);
    csv_file_close(im->file);
    free(im);
    return code;
}
