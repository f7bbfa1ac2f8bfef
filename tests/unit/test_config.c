#include "config/config.h"

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

static char directory[] = "/tmp/test_config.XXXXXX";

static int directory_make(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int directory_remove(void **state)
{
    (void)state;
    return rmdir(directory);
}

static void path_in_directory(char *out, size_t bytes, const char *name)
{
    snprintf(out, bytes, "%s/%s", directory, name);
}

static void file_make(const char *path, const char *text, size_t bytes)
{
    FILE *stream = fopen(path, "we");
    assert_non_null(stream);
    assert_int_equal(fwrite(text, 1, bytes, stream), bytes);
    fclose(stream);
}

static void test_lines_are_cut_into_name_and_value(void **state)
{
    (void)state;
    char text[] = "# a comment\n\n  listen =  1.2.3.4:80 \t# public\nprefix=a#b\r\nempty =\nlast = x = y";
    char *rest = text;
    struct config_line line = {0};
    assert_int_equal(config_next(&rest, &line), CONFIG_LINE);
    assert_string_equal(line.name, "listen");
    assert_string_equal(line.value, "1.2.3.4:80");
    assert_int_equal(line.number, 3);
    assert_int_equal(config_next(&rest, &line), CONFIG_LINE);
    assert_string_equal(line.name, "prefix");
    assert_string_equal(line.value, "a#b");
    assert_int_equal(config_next(&rest, &line), CONFIG_LINE);
    assert_string_equal(line.name, "empty");
    assert_string_equal(line.value, "");
    assert_int_equal(config_next(&rest, &line), CONFIG_LINE);
    assert_string_equal(line.name, "last");
    assert_string_equal(line.value, "x = y");
    assert_int_equal(line.number, 6);
    assert_int_equal(config_next(&rest, &line), CONFIG_END);
    assert_int_equal(config_next(&rest, &line), CONFIG_END);
}

static void test_a_line_without_name_or_equals_is_named_by_its_number(void **state)
{
    (void)state;
    static const char *const bad[] = {"a = 1\nlisten 80\n", "a = 1\n = 80\n", "a = 1\n=\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        char text[64];
        char *rest = strcpy(text, bad[i]);
        struct config_line line = {0};
        assert_int_equal(config_next(&rest, &line), CONFIG_LINE);
        assert_int_equal(config_next(&rest, &line), CONFIG_BAD);
        assert_int_equal(line.number, 2);
    }
}

static void test_a_file_is_read_whole(void **state)
{
    (void)state;
    char path[64], *text;
    struct error err;
    path_in_directory(path, sizeof(path), "whole");
    file_make(path, "four", 4);
    assert_int_equal(file_read(path, 4, &text, &err), 0);
    assert_string_equal(text, "four");
    free(text);
    unlink(path);
}

static void test_a_file_that_is_too_large_is_refused(void **state)
{
    (void)state;
    char path[64], *text = NULL;
    struct error err;
    path_in_directory(path, sizeof(path), "large");
    file_make(path, "fiver", 5);
    assert_int_equal(file_read(path, 4, &text, &err), -EFBIG);
    assert_non_null(strstr(err.text, path));
    assert_null(text);
    unlink(path);
}

static void test_a_file_with_a_nul_is_refused_and_not_cut_there(void **state)
{
    (void)state;
    char path[64], *text = NULL;
    struct error err;
    path_in_directory(path, sizeof(path), "nul");
    file_make(path, "a\0b", 3);
    assert_int_equal(file_read(path, 16, &text, &err), -EILSEQ);
    assert_non_null(strstr(err.text, path));
    assert_null(text);
    unlink(path);
}

static void test_a_file_that_cannot_be_read_is_named_with_the_reason(void **state)
{
    (void)state;
    char path[64], *text = NULL;
    struct error err;
    path_in_directory(path, sizeof(path), "missing");
    assert_int_equal(file_read(path, 4, &text, &err), -ENOENT);
    assert_non_null(strstr(err.text, path));
    assert_non_null(strstr(err.text, strerror(ENOENT)));
    assert_int_equal(file_read(directory, 4, &text, &err), -EISDIR);
    assert_null(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_are_cut_into_name_and_value),
        cmocka_unit_test(test_a_line_without_name_or_equals_is_named_by_its_number),
        cmocka_unit_test(test_a_file_is_read_whole),
        cmocka_unit_test(test_a_file_that_is_too_large_is_refused),
        cmocka_unit_test(test_a_file_with_a_nul_is_refused_and_not_cut_there),
        cmocka_unit_test(test_a_file_that_cannot_be_read_is_named_with_the_reason),
    };
    return cmocka_run_group_tests(tests, directory_make, directory_remove);
}
