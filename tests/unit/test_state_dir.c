#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tally/state_dir.h"

static char dir[64];

static int dir_make(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/test_state_dir.XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int dir_remove(void **state)
{
    char command[96];
    (void)state;

    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

static struct state_dir *opened(void)
{
    struct state_dir *d = NULL;
    struct error err;

    if (state_dir_open(&d, dir, &err) != 0)
        fail_msg("%s", err.text);
    return d;
}

static bool exists(const char *name)
{
    char path[128];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return stat(path, &st) == 0;
}

/* A file of `bytes`, `text` at its end. */
static void commit(struct state_dir *d, uint64_t bytes, const char *text)
{
    const struct state_disk *disk = state_dir_disk(d);
    void *base;

    assert_int_equal(disk->create(disk->ctx, bytes, &base), 0);
    uint64_t at = bytes - strlen(text);
    assert_int_equal(disk->allocate(disk->ctx, at, strlen(text)), 0);
    memcpy((char *)base + at, text, strlen(text));
    assert_int_equal(disk->commit(disk->ctx), 0);
}

static void test_a_file_is_found_by_the_next_process_holes_and_all(void **state)
{
    (void)state;
    const uint64_t bytes = 64u << 20;
    struct state_dir *d = opened();
    assert_int_equal(state_dir_disk(d)->old_bytes(state_dir_disk(d)->ctx), -ENOENT);
    commit(d, bytes, "the end");
    assert_int_equal(state_dir_disk(d)->sync(state_dir_disk(d)->ctx), 0);
    state_dir_close(d);

    d = opened();
    const struct state_disk *disk = state_dir_disk(d);
    assert_int_equal(disk->old_bytes(disk->ctx), bytes);
    char *copy = calloc(1, bytes);
    assert_int_equal(disk->old_read(disk->ctx, copy, bytes), 0);
    assert_memory_equal(copy + bytes - 7, "the end", 7);
    free(copy);
    copy = calloc(1, 100);
    assert_int_equal(disk->old_read(disk->ctx, copy, 100), 0);
    free(copy);
    state_dir_close(d);
}

static void test_what_is_not_committed_disappears(void **state)
{
    (void)state;
    struct state_dir *d = opened();
    const struct state_disk *disk = state_dir_disk(d);
    void *base;
    commit(d, 4096, "old");
    disk->close(disk->ctx);
    state_dir_close(d);
    d = opened();
    disk = state_dir_disk(d);
    assert_int_equal(disk->create(disk->ctx, 8192, &base), 0);
    assert_true(exists("tallyd.state.new"));
    state_dir_close(d);
    assert_false(exists("tallyd.state.new"));
    d = opened();
    assert_int_equal(state_dir_disk(d)->old_bytes(state_dir_disk(d)->ctx), 4096);
    state_dir_close(d);
}

static void test_a_file_set_aside_keeps_its_name_until_the_new_one_takes_it(void **state)
{
    (void)state;
    char name[64];
    struct state_dir *d = opened();
    commit(d, 4096, "old");
    state_dir_close(d);
    d = opened();
    const struct state_disk *disk = state_dir_disk(d);
    assert_int_equal(disk->set_aside(disk->ctx, name, sizeof(name)), 0);
    assert_true(exists(name));
    assert_true(exists("tallyd.state"));
    commit(d, 8192, "new");
    assert_true(exists(name));
    assert_int_equal(disk->old_bytes(disk->ctx), 8192);
    state_dir_close(d);
}

static void test_a_directory_in_its_place_is_set_aside(void **state)
{
    (void)state;
    char path[128], name[64];
    snprintf(path, sizeof(path), "%s/tallyd.state", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    struct state_dir *d = opened();
    const struct state_disk *disk = state_dir_disk(d);
    assert_int_equal(disk->old_bytes(disk->ctx), -EISDIR);
    assert_int_equal(disk->set_aside(disk->ctx, name, sizeof(name)), 0);
    commit(d, 4096, "new");
    assert_int_equal(disk->old_bytes(disk->ctx), 4096);
    state_dir_close(d);
}

/* What a second process gets: 0 or the error, as an exit status. */
static int open_in_child(char *text, size_t bytes)
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct state_dir *d;
        struct error err = {""};
        int failed = state_dir_open(&d, dir, &err);
        (void)!write(ends[1], err.text, strlen(err.text) + 1);
        _exit(-failed);
    }
    close(ends[1]);
    ssize_t n = read(ends[0], text, bytes - 1);
    text[n > 0 ? n : 0] = '\0';
    close(ends[0]);
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

static void test_a_second_process_is_kept_out_and_told_by_whom(void **state)
{
    (void)state;
    char text[512], pid[24];
    struct state_dir *d = opened();
    snprintf(pid, sizeof(pid), "process %d", (int)getpid());
    assert_int_equal(open_in_child(text, sizeof(text)), EBUSY);
    assert_non_null(strstr(text, pid));
    state_dir_close(d);
    assert_int_equal(open_in_child(text, sizeof(text)), 0);
}

static void test_a_path_that_is_no_directory_is_said(void **state)
{
    (void)state;
    struct state_dir *d = NULL;
    struct error err;
    assert_int_equal(state_dir_open(&d, "/nowhere/at/all", &err), -ENOENT);
    assert_non_null(strstr(err.text, "/nowhere/at/all"));
    assert_int_equal(state_dir_open(&d, "/etc/passwd", &err), -ENOTDIR);
    assert_null(d);
}

static void test_a_lock_that_is_a_link_is_not_followed(void **state)
{
    (void)state;
    char path[128];
    struct state_dir *d = NULL;
    struct error err;
    snprintf(path, sizeof(path), "%s/tallyd.lock", dir);
    assert_int_equal(symlink("/tmp/elsewhere", path), 0);
    assert_int_equal(state_dir_open(&d, dir, &err), -ELOOP);
}

static void test_a_running_kernel_has_a_boot_id(void **state)
{
    (void)state;
    char id[40], again[40];
    state_boot_id(id, sizeof(id));
    state_boot_id(again, sizeof(again));
    assert_int_equal(strlen(id), 36);
    assert_string_equal(id, again);
}

int main(void)
{
#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, dir_make, dir_remove)
    const struct CMUnitTest tests[] = {
        IN_DIR(test_a_file_is_found_by_the_next_process_holes_and_all),
        IN_DIR(test_what_is_not_committed_disappears),
        IN_DIR(test_a_file_set_aside_keeps_its_name_until_the_new_one_takes_it),
        IN_DIR(test_a_directory_in_its_place_is_set_aside),
        IN_DIR(test_a_second_process_is_kept_out_and_told_by_whom),
        IN_DIR(test_a_path_that_is_no_directory_is_said),
        IN_DIR(test_a_lock_that_is_a_link_is_not_followed),
        cmocka_unit_test(test_a_running_kernel_has_a_boot_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
