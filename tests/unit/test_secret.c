#include "config/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static char path[] = "/tmp/test_secret.XXXXXX";

static int file_make(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int file_remove(void **state)
{
    (void)state;
    return unlink(path);
}

static void file_fill(const char *text)
{
    FILE *stream = fopen(path, "we");
    assert_non_null(stream);
    fputs(text, stream);
    fclose(stream);
}

static void test_the_line_end_is_no_part_of_a_secret(void **state)
{
    (void)state;
    static const char *const files[] = {"se cret", "se cret\n", "se cret\r\n", "se cret\nsecond line\n"};
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        char secret[SECRET_BYTES_MAX + 1] = "left from before, and longer";
        struct error err;
        file_fill(files[i]);
        assert_int_equal(secret_read(path, secret, &err), 0);
        assert_string_equal(secret, "se cret");
    }
}

static void test_an_empty_file_is_no_secret(void **state)
{
    (void)state;
    static const char *const files[] = {"", "\n", "\nhidden\n"};
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        char secret[SECRET_BYTES_MAX + 1] = "untouched";
        struct error err;
        file_fill(files[i]);
        assert_int_equal(secret_read(path, secret, &err), -EINVAL);
        assert_string_equal(secret, "untouched");
        assert_non_null(strstr(err.text, path));
        assert_null(strstr(err.text, "hidden"));
    }
}

static void test_a_missing_file_is_named(void **state)
{
    (void)state;
    char secret[SECRET_BYTES_MAX + 1];
    struct error err;
    assert_int_equal(secret_read("/nonexistent/secret", secret, &err), -ENOENT);
    assert_non_null(strstr(err.text, "/nonexistent/secret"));
}

static void test_a_wiped_secret_is_gone(void **state)
{
    (void)state;
    char secret[] = "se cret", zero[sizeof(secret)] = {0};
    secret_wipe(secret, sizeof(secret));
    assert_memory_equal(secret, zero, sizeof(secret));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_line_end_is_no_part_of_a_secret),
        cmocka_unit_test(test_an_empty_file_is_no_secret),
        cmocka_unit_test(test_a_missing_file_is_named),
        cmocka_unit_test(test_a_wiped_secret_is_gone),
    };
    return cmocka_run_group_tests(tests, file_make, file_remove);
}
