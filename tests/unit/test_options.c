#include "config/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static struct options options;
static struct error err;
static char file_path[] = "/tmp/test_options.XXXXXX";

static int setup(void **state)
{
    (void)state;
    int fd = mkstemp(file_path);
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
    (void)state;
    options_fini(&options);
    return unlink(file_path);
}

static void file_fill(const char *text)
{
    FILE *stream = fopen(file_path, "we");
    assert_non_null(stream);
    fputs(text, stream);
    fclose(stream);
}

static const char *const no_environment[] = {NULL};

/* `line`: the command line behind the program's name, cut at blanks. */
static int load_with(const char *line, const char *const *environment)
{
    static char text[512];
    const char *arguments[16] = {"tallyd"};
    char *rest = strcpy(text, line), *word;
    int count = 1;
    while ((word = strsep(&rest, " ")) && *word)
        arguments[count++] = word;
    options_fini(&options);
    memset(&err, 0, sizeof(err));
    return options_load(&options, count, arguments, environment, &err);
}

static int load(const char *line) { return load_with(line, no_environment); }

static void assert_refused(const char *line, const char *sentence)
{
    assert_int_equal(load(line), -EINVAL);
    assert_string_equal(err.text, sentence);
}

static const char *origin_of(enum option_index index)
{
    static char text[128];
    struct buf origin = {0};
    option_origin(&options, index, &origin);
    snprintf(text, sizeof(text), "%.*s", (int)origin.bytes, origin.data);
    buf_fini(&origin);
    return text;
}

static void test_defaults_hold_when_nothing_is_given(void **state)
{
    (void)state;
    assert_int_equal(load(""), 0);
    assert_int_equal(address_port(&options.listen.socket), 8080);
    assert_int_equal(address_port(&options.admin.socket), 9090);
    assert_int_equal(options.workers, 0);
    assert_int_equal(options.batch_wait_us, 200);
    assert_int_equal(options.flush_interval_us, 1000000);
    assert_int_equal(options.drain_timeout_us, 25000000);
    assert_int_equal(options.idle_timeout_us, 75000000);
    assert_int_equal(options.max_body_bytes, 65536);
    assert_string_equal(options.prefix, "tally:");
    assert_string_equal(options.redis.host, "");
    assert_int_equal(options.log_level, 2);
    assert_string_equal(origin_of(OPTION_INDEX_listen), "default");
}

static void test_every_default_is_accepted_as_a_flag(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option *option = option_at(i);
        char line[256];
        if (!(option->sources & SOURCE_FLAG) || option->type == OPTION_HELP || option->type == OPTION_FILE ||
            option->type == OPTION_REDIS_URL)
            continue;
        snprintf(line, sizeof(line), "--%s=%s", option->name, option->fallback);
        assert_int_equal(load(line), 0);
    }
}

static void test_a_flag_takes_its_value_behind_a_blank_or_an_equals_sign(void **state)
{
    (void)state;
    assert_int_equal(load("--workers 3 --prefix=a=b: --io uring"), 0);
    assert_int_equal(options.workers, 3);
    assert_string_equal(options.prefix, "a=b:");
    assert_int_equal(options.io, OPTION_IO_URING);
    assert_int_equal(load("--prefix="), 0);
    assert_string_equal(options.prefix, "");
    assert_int_equal(load("--workers 3 --workers auto"), 0); /* the last one counts */
    assert_int_equal(options.workers, 0);
}

static void test_flag_wins_over_environment_over_file_over_default(void **state)
{
    (void)state;
    char config[64];
    const char *const environment[] = {"TALLYD_MAX_KEYS=21", "TALLYD_MAX_CONNS=22", config, NULL};
    snprintf(config, sizeof(config), "TALLYD_CONFIG=%s", file_path);
    file_fill("max-keys = 11\nmax-conns = 12\nworkers = 13 # three more\n");
    assert_int_equal(load_with("--max-keys 31", environment), 0);
    assert_int_equal(options.max_keys, 31);
    assert_string_equal(origin_of(OPTION_INDEX_max_keys), "--max-keys");
    assert_int_equal(options.max_conns, 22);
    assert_string_equal(origin_of(OPTION_INDEX_max_conns), "TALLYD_MAX_CONNS");
    assert_int_equal(options.workers, 13);
    char place[64];
    snprintf(place, sizeof(place), "%s:3", file_path);
    assert_string_equal(origin_of(OPTION_INDEX_workers), place);
    assert_int_equal(options.batch_wait_us, 200);
}

static void test_variables_of_kubernetes_services_are_none_of_ours(void **state)
{
    (void)state;
    const char *const environment[] = {"TALLYD_PORT=tcp://10.0.0.1:80", "TALLYD_SERVICE_HOST=10.0.0.1",
                                       "TALLYD_LISTEN_X=1", "XTALLYD_LISTEN=1", NULL};
    assert_int_equal(load_with("", environment), 0);
    assert_string_equal(origin_of(OPTION_INDEX_listen), "default");
}

static void test_a_bad_value_names_option_origin_value_and_what_is_allowed(void **state)
{
    (void)state;
    assert_refused("--workers many", "--workers: 'many' is not a whole number from 1 to 1024, or auto");
    assert_refused("--flush-interval 1",
                   "--flush-interval: '1' is not a time: a number with us, ms, s, m or h, from 10ms to 1h");
    assert_refused("--io kqueue", "--io: 'kqueue' is not one of auto|uring|epoll");

    const char *const environment[] = {"TALLYD_WORKERS=0", NULL};
    assert_int_equal(load_with("", environment), -EINVAL);
    assert_string_equal(err.text, "TALLYD_WORKERS: '0' is not a whole number from 1 to 1024, or auto");

    char line[64], sentence[128];
    file_fill("\n\nadmin = here\n");
    snprintf(line, sizeof(line), "--config %s", file_path);
    snprintf(sentence, sizeof(sentence),
             "%s:3: admin: 'here' is not ADDR:PORT with a numeric address, like 0.0.0.0:8080 or [::1]:8080", file_path);
    assert_refused(line, sentence);
}

static void test_an_unknown_option_suggests_the_nearest(void **state)
{
    (void)state;
    assert_refused("--flush-intervall 1s", "unknown option --flush-intervall; did you mean --flush-interval?");
    assert_refused("--lsiten=x", "unknown option --lsiten; did you mean --listen?");
    assert_refused("--quantum-flux 1", "unknown option --quantum-flux; see tallyd --help");
    assert_refused("stray", "unexpected argument 'stray'; options look like --name value");
    assert_refused("-", "unexpected argument '-'; options look like --name value");
    assert_refused("-x", "unknown option -x; see tallyd --help");
    assert_refused("-v", "unknown option -v; did you mean --version?");
    assert_refused("-V", "unknown option -V; did you mean --version?");
    assert_refused("-c /etc/tallyd.conf", "unknown option -c; did you mean --config?");
    assert_refused("-t", "unknown option -t; did you mean --check?");
    assert_refused("-listen :80", "unknown option -listen; did you mean --listen?");
    assert_refused("--listen", "--listen needs a value: --listen ADDR:PORT");
}

static void test_a_wrong_line_of_the_file_is_named_by_its_number(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } rows[] = {
        {"# fine\nlistn = 1\n", "%s:2: unknown option 'listn'; did you mean 'listen'?"},
        {"workers = 1\nworkers two\n", "%s:2: not 'name = value'"},
        {"workers = 1\nprefix = a:\nworkers = 2\n", "%s:3: 'workers' is given twice, first in line 1"},
        {"config = /etc/other\n", "%s:1: 'config' cannot stand in a file; give it on the command line"},
        {"redis-password = x\n", "%s:1: 'redis-password' cannot stand in a file; give it in the environment"},
        {"help = text\n", "%s:1: 'help' cannot stand in a file; give it on the command line"},
    };
    char line[64], sentence[128];
    snprintf(line, sizeof(line), "--config=%s", file_path);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        file_fill(rows[i].text);
        snprintf(sentence, sizeof(sentence), rows[i].sentence, file_path);
        assert_refused(line, sentence);
    }
}

static void test_a_secret_is_taken_from_the_environment_only_and_never_shown(void **state)
{
    (void)state;
    const char *const environment[] = {"TALLYD_REDIS_PASSWORD=hunter2", NULL};
    assert_int_equal(load("--redis-password hunter2"), -EINVAL);
    assert_null(strstr(err.text, "hunter2"));
    assert_int_equal(load("--redis-password=hunter2"), -EINVAL);
    assert_null(strstr(err.text, "hunter2"));
    assert_int_equal(load_with("", environment), 0);
    assert_string_equal(options.redis_password, "hunter2");
    assert_string_equal(option_shown(&options, OPTION_INDEX_redis_password), "(set)");
    assert_int_equal(load(""), 0);
    assert_string_equal(option_shown(&options, OPTION_INDEX_redis_password), "(not set)");
}

static void test_options_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    const char *const environment[] = {"TALLYD_REDIS_PASSWORD=hunter2", NULL};
    char line[80];
    snprintf(line, sizeof(line), "--redis-password-file %s", file_path);
    assert_int_equal(load_with(line, environment), -EINVAL);
    assert_int_equal(load("--drain-delay 25s"), -EINVAL);
    assert_int_equal(load("--drain-delay 24s"), 0);
    assert_int_equal(load("--listen 127.0.0.1:9090"), -EINVAL);
    assert_int_equal(load("--listen 127.0.0.1:0 --admin 127.0.0.1:0"), 0); /* two free ports */
}

static void test_help_needs_nothing_else_to_be_right(void **state)
{
    (void)state;
    const char *const environment[] = {"TALLYD_WORKERS=none", "TALLYD_CONFIG=/nonexistent", NULL};
    assert_int_equal(load_with("--help", environment), 0);
    assert_string_equal(options.help, "text");
    assert_int_equal(load_with("-h", environment), 0);
    assert_string_equal(options.help, "text");
    assert_int_equal(load_with("--help=markdown --workers none", environment), 0);
    assert_string_equal(options.help, "markdown");
    assert_int_equal(load_with("--version", environment), 0);
    assert_true(options.version);
    assert_int_equal(load("--help=backwards"), -EINVAL);
    assert_int_equal(load("--check"), 0);
    assert_true(options.check);
}

static void test_the_environment_name_is_derived(void **state)
{
    (void)state;
    char name[OPTION_ENV_BYTES];
    option_env_name(option_at(OPTION_INDEX_flush_interval_us), name);
    assert_string_equal(name, "TALLYD_FLUSH_INTERVAL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_hold_when_nothing_is_given),
        cmocka_unit_test(test_every_default_is_accepted_as_a_flag),
        cmocka_unit_test(test_a_flag_takes_its_value_behind_a_blank_or_an_equals_sign),
        cmocka_unit_test(test_flag_wins_over_environment_over_file_over_default),
        cmocka_unit_test(test_variables_of_kubernetes_services_are_none_of_ours),
        cmocka_unit_test(test_a_bad_value_names_option_origin_value_and_what_is_allowed),
        cmocka_unit_test(test_an_unknown_option_suggests_the_nearest),
        cmocka_unit_test(test_a_wrong_line_of_the_file_is_named_by_its_number),
        cmocka_unit_test(test_a_secret_is_taken_from_the_environment_only_and_never_shown),
        cmocka_unit_test(test_options_that_contradict_each_other_are_refused),
        cmocka_unit_test(test_help_needs_nothing_else_to_be_right),
        cmocka_unit_test(test_the_environment_name_is_derived),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
