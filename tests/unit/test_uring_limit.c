#include "io/uring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int engine_make(void **state)
{
    struct engine_config config = {.conns_max = 1, .recv_buffers = 2, .recv_buffer_bytes = 64};
    struct engine *e = NULL;
    struct error err;
    if (engine_probe_uring(&err) != 0)
        return printf("skip: %s\n", err.text) < 0; /* tests skip themselves */
    int r = uring_create(&e, &config, -1, &err);
    *state = e;
    return r;
}

static int engine_unmake(void **state)
{
    if (*state)
        uring_destroy(*state);
    return 0;
}

static struct uring *uring_made(void **state)
{
    if (!*state)
        skip();
    return uring_of(*state);
}

/* What the kernel says to the request that `sqe` holds. */
static int answer(struct uring *u)
{
    struct io_uring_cqe *cqe;
    assert_int_equal(io_uring_submit_and_wait(&u->ring, 1), 1);
    assert_int_equal(io_uring_wait_cqe(&u->ring, &cqe), 0);
    int res = cqe->res;
    io_uring_cqe_seen(&u->ring, cqe);
    return res;
}

static void test_operations_that_the_engine_does_not_need_are_refused(void **state)
{
    struct uring *u = uring_made(state);
    io_uring_prep_openat(io_uring_get_sqe(&u->ring), AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
    assert_int_equal(answer(u), -EACCES);
    io_uring_prep_nop(io_uring_get_sqe(&u->ring));
    assert_int_equal(answer(u), -EACCES);
    io_uring_prep_connect(io_uring_get_sqe(&u->ring), 0, NULL, 0);
    assert_int_equal(answer(u), -EACCES);
}

static void test_flags_that_the_engine_does_not_need_are_refused(void **state)
{
    struct uring *u = uring_made(state);
    struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
    char byte;
    io_uring_prep_read(sqe, -1, &byte, 1, 0);
    sqe->flags |= IOSQE_ASYNC;
    assert_int_equal(answer(u), -EACCES);
}

static void test_an_operation_of_the_engine_gets_through(void **state)
{
    struct uring *u = uring_made(state);
    char byte;
    io_uring_prep_read(io_uring_get_sqe(&u->ring), -1, &byte, 1, 0);
    assert_int_equal(answer(u), -EBADF);
}

static void test_a_limited_ring_registers_no_buffers_and_no_eventfd(void **state)
{
    struct uring *u = uring_made(state);
    char memory[64];
    struct iovec buffer = {memory, sizeof(memory)};
    assert_int_equal(io_uring_register_buffers(&u->ring, &buffer, 1), -EACCES);
    assert_int_equal(io_uring_register_eventfd(&u->ring, 0), -EACCES);
}

int main(void)
{
#define ON_A_RING(test) cmocka_unit_test_setup_teardown(test, engine_make, engine_unmake)
    const struct CMUnitTest tests[] = {
        ON_A_RING(test_operations_that_the_engine_does_not_need_are_refused),
        ON_A_RING(test_flags_that_the_engine_does_not_need_are_refused),
        ON_A_RING(test_an_operation_of_the_engine_gets_through),
        ON_A_RING(test_a_limited_ring_registers_no_buffers_and_no_eventfd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
