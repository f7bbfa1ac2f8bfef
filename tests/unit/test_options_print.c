#include "config/options_print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

static const char *const no_environment[] = {NULL};

/* As a string; free() it. */
static char *text_of(struct buf *out)
{
    buf_append(out, "", 1);
    assert_false(out->failed);
    return out->data;
}

static void test_help_names_every_option_within_80_columns(void **state)
{
    (void)state;
    struct buf out = {0};
    options_print_help(&out);
    char *text = text_of(&out);
    for (unsigned i = 0; i < OPTIONS; i++) {
        char name[OPTION_ENV_BYTES + 4];
        const struct option *option = option_at(i);
        if (option->sources & SOURCE_FLAG)
            snprintf(name, sizeof(name), "\n  --%s", option->name);
        else
            option_env_name(option, name);
        assert_non_null(strstr(text, name));
    }
    for (char *line = text; *line; line += strcspn(line, "\n") + 1) {
        size_t columns = strcspn(line, "\n");
        assert_true(columns <= 80);
        assert_true(columns == 0 || line[columns - 1] != ' ');
    }
    free(text);
}

static void test_each_row_of_the_table_has_four_cells(void **state)
{
    (void)state;
    struct buf out = {0};
    options_print_markdown(&out);
    char *text = text_of(&out);
    unsigned rows = 0;
    for (char *line = text; *line; line += strcspn(line, "\n") + 1, rows++) {
        unsigned bars = 0;
        for (char *at = line; *at != '\n'; at++)
            bars += *at == '|' && (at == line || at[-1] != '\\');
        assert_int_equal(bars, 5);
    }
    assert_int_equal(rows, OPTIONS + 2);
    assert_non_null(strstr(text, "| `--workers N\\|auto` | `TALLYD_WORKERS` | `auto` |"));
    free(text);
}

/* What --check prints for the first, as the configuration file of the second. */
static void check_reads_back(const char *prefix)
{
    char path[] = "/tmp/test_options_print.XXXXXX", config[64];
    struct buf first = {0}, second = {0};
    struct options options;
    struct error err;
    const char *const arguments[] = {"tallyd", "--workers=3", "--prefix", prefix, "--flush-interval", "250ms"};
    assert_int_equal(options_load(&options, 6, arguments, no_environment, &err), 0);
    options_print_effective(&options, &first);
    options_fini(&options);

    int fd = mkstemp(path);
    assert_int_equal(write(fd, first.data, first.bytes), first.bytes);
    close(fd);
    snprintf(config, sizeof(config), "--config=%s", path);
    const char *const again[] = {"tallyd", config};
    assert_int_equal(options_load(&options, 2, again, no_environment, &err), 0);
    assert_int_equal(options.workers, 3);
    assert_string_equal(options.prefix, prefix);
    assert_int_equal(options.flush_interval_us, 250000);
    options_print_effective(&options, &second);
    assert_non_null(strstr(text_of(&second), "workers = 3  # /tmp/test_options_print."));
    options_fini(&options);
    buf_fini(&first);
    buf_fini(&second);
    unlink(path);
}

static void test_what_is_effective_is_a_file_that_gives_the_same(void **state)
{
    (void)state;
    check_reads_back("a#b");
    check_reads_back("#b");
    check_reads_back("");
}

static void test_what_is_effective_hides_secrets(void **state)
{
    (void)state;
    struct buf out = {0};
    struct options options;
    struct error err;
    const char *const arguments[] = {"tallyd"}, *const environment[] = {"TALLYD_REDIS_PASSWORD=hunter2", NULL};
    assert_int_equal(options_load(&options, 1, arguments, environment, &err), 0);
    options_print_effective(&options, &out);
    char *text = text_of(&out);
    assert_null(strstr(text, "hunter2"));
    assert_non_null(strstr(text, "# redis-password = (set)  # TALLYD_REDIS_PASSWORD\n"));
    options_fini(&options);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help_names_every_option_within_80_columns),
        cmocka_unit_test(test_each_row_of_the_table_has_four_cells),
        cmocka_unit_test(test_what_is_effective_is_a_file_that_gives_the_same),
        cmocka_unit_test(test_what_is_effective_hides_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
