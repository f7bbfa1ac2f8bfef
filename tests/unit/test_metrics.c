#include "admin/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/clock.h"
#include "support/fake_sources.h"

static char *page_of(struct fake *fake)
{
    struct buf out = {0};
    metrics_print(&fake->sources, false, &out);
    buf_append(&out, "", 1);
    assert_false(out.failed);
    return out.data;
}

static void test_every_sample_follows_its_own_head(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    char *page = page_of(fake), family[80] = "";
    for (char *line = page; *line; line += strcspn(line, "\n") + 1) {
        if (sscanf(line, "# TYPE %79s", family) == 1 || line[0] == '#')
            continue;
        assert_int_equal(strncmp(line, family, strlen(family)), 0);
        assert_true(strchr(" {_", line[strlen(family)]));
    }
    free(page);
    fake_stop(fake);
}

static void test_an_idle_process_has_no_slow_flush(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    fake->flusher_stats.flush_duration_us = 1500;
    fake->flusher_stats.last_flush_ms = clock_mono_ms() - 3600 * 1000;
    char *page = page_of(fake);
    assert_non_null(strstr(page, "\ntallyd_flush_duration_seconds 0.000000\n"));
    free(page);
    fake_stop(fake);
}

static void test_values_come_from_where_the_table_says(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    fake_hit(fake, 0, "blog/a", 7);
    fake->books = (struct flusher_books){.stored = 4, .in_flight = 1};
    fake->stats[0].hits_refused[API_REFUSED_KEY_LIMIT] = 2;
    fake->stats[1].hits_refused[API_REFUSED_KEY_LIMIT] = 3;
    fake->stats[1].responses[4] = 9;
    fake->flusher_stats.flush_duration_us = 1500;
    fake->flusher_stats.last_flush_ms = clock_mono_ms();
    fake->worker_stats[1].conns_open = 6;
    char *page = page_of(fake);
    static const char *const lines[] = {
        "\ntallyd_hits_stored_total 4\n",
        "\ntallyd_hits_in_flight 1\n",
        "\ntallyd_hits_pending 2\n",
        "\ntallyd_books_imbalance 0\n",
        "\ntallyd_hits_refused_total{reason=\"key_limit\"} 5\n",
        "\ntallyd_http_responses_total{class=\"4xx\"} 9\n",
        "\ntallyd_connections{worker=\"0\"} 0\n",
        "\ntallyd_connections{worker=\"1\"} 6\n",
        "\ntallyd_flush_duration_seconds 0.001500\n",
        "\ntallyd_flush_lag_seconds 0.000000\n",
        "\ntallyd_flush_interval_seconds 1.000000\n",
        "\ntallyd_io_engine_info{engine=\"fake\"} 1\n",
        "\ntallyd_ready 1\n",
        "\ntallyd_draining 0\n",
        "\ntallyd_keys 1\n",
    };
    assert_int_equal(strncmp(page, "# HELP tallyd_hits_accepted_total ", 34), 0);
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        assert_non_null(strstr(page, lines[i]));
    free(page);
    fake_stop(fake);
}

static void test_buckets_are_cumulative_and_summed_over_the_workers(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    histogram_add(&fake->worker_stats[0].request_time, 40, 5);
    histogram_add(&fake->worker_stats[1].request_time, 70, 2);
    histogram_add(&fake->worker_stats[1].request_time, 20000000, 1);
    histogram_add(&fake->flusher_stats.flush_time, 1500, 1);
    char *page = page_of(fake);
    static const char *const lines[] = {
        "\n# TYPE tallyd_request_seconds histogram\ntallyd_request_seconds_bucket{le=\"5e-05\"} 5\n",
        "\ntallyd_request_seconds_bucket{le=\"0.0001\"} 7\n",
        "\ntallyd_request_seconds_bucket{le=\"10.0\"} 7\ntallyd_request_seconds_bucket{le=\"+Inf\"} 8\n",
        "\ntallyd_request_seconds_sum 20.000340\ntallyd_request_seconds_count 8\n",
        "\ntallyd_flush_seconds_sum 0.001500\ntallyd_flush_seconds_count 1\n",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        assert_non_null(strstr(page, lines[i]));
    free(page);
    fake_stop(fake);
}

static void test_what_the_system_does_not_say_is_left_out(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    char *page = page_of(fake);
    assert_non_null(strstr(page, "\ntallyd_memory_limit_bytes 1048576\n"));
    assert_non_null(strstr(page, "\nprocess_max_fds 64\n"));
    assert_non_null(strstr(page, "\nprocess_cpu_seconds_total "));
    assert_null(strstr(page, "process_resident_memory_bytes"));
    assert_null(strstr(page, "process_open_fds"));
    free(page);
    fake->process.memory_limit = UINT64_MAX;
    page = page_of(fake);
    assert_null(strstr(page, "memory_limit_bytes"));
    free(page);
    fake_stop(fake);
}

static void test_open_metrics_names_a_counter_without_its_suffix(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    struct buf out = {0};
    metrics_print(&fake->sources, true, &out);
    buf_append(&out, "", 1);
    assert_non_null(strstr(out.data, "\n# TYPE tallyd_hits_stored counter\ntallyd_hits_stored_total 0\n"));
    assert_non_null(strstr(out.data, "\n# TYPE process_cpu_seconds counter\nprocess_cpu_seconds_total "));
    assert_non_null(strstr(out.data, "\n# TYPE tallyd_keys gauge\ntallyd_keys 0\n"));
    assert_string_equal(out.data + out.bytes - strlen("\n# EOF\n") - 1, "\n# EOF\n");
    buf_fini(&out);
    fake_stop(fake);
}

static void test_without_a_redis_nothing_is_said_of_one(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    char *page = page_of(fake);
    assert_null(strstr(page, "tallyd_redis_"));
    assert_non_null(strstr(page, "\ntallyd_ready 1\n")); /* the last ones are there */
    free(page);
    strcpy(fake->options.redis.host, "redis");
    page = page_of(fake);
    assert_non_null(strstr(page, "\ntallyd_redis_connected 0\n"));
    assert_non_null(strstr(page, "\ntallyd_redis_node_connected{"));
    free(page);
    fake_stop(fake);
}

static void test_reasons_are_summed_whatever_order_the_workers_met_them_in(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    char *page = page_of(fake);
    assert_non_null(strstr(page, "\ntallyd_http_bad_requests_total{reason=\"other\"} 0\n"));
    free(page);
    fake->stats[0].bad_requests[0] = (struct api_bad_reason){"bare_lf", 2};
    fake->stats[0].bad_requests[1] = (struct api_bad_reason){"no_host", 1};
    fake->stats[1].bad_requests[0] = (struct api_bad_reason){"no_host", 4};
    page = page_of(fake);
    assert_non_null(strstr(page, "\ntallyd_http_bad_requests_total{reason=\"bare_lf\"} 2\n"));
    assert_non_null(strstr(page, "\ntallyd_http_bad_requests_total{reason=\"no_host\"} 5\n"));
    assert_null(strstr(page, "reason=\"other\""));
    free(page);
    fake_stop(fake);
}

static void test_every_metric_of_the_page_is_in_the_table(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    struct buf out = {0};
    strcpy(fake->options.redis.host, "redis"); /* else some do not apply */
    process_figures_open(&fake->process, 1);
    char *page = page_of(fake);
    metrics_print_markdown(&out);
    buf_append(&out, "", 1);
    unsigned metrics = 0, rows = 0;
    for (char *line = page; *line; line += strcspn(line, "\n") + 1) {
        char family[80], row[96];
        if (sscanf(line, "# TYPE %79s", family) != 1)
            continue;
        snprintf(row, sizeof(row), "\n| `%s` |", family);
        assert_non_null(strstr(out.data, row));
        metrics++;
    }
    for (char *line = out.data; *line; line += strcspn(line, "\n") + 1)
        rows++;
    assert_in_range(metrics + 2, rows - 1, rows); /* Linux before 6.2 does not say how many files are open */
    process_figures_close(&fake->process);
    buf_fini(&out);
    free(page);
    fake_stop(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_sample_follows_its_own_head),
        cmocka_unit_test(test_an_idle_process_has_no_slow_flush),
        cmocka_unit_test(test_values_come_from_where_the_table_says),
        cmocka_unit_test(test_buckets_are_cumulative_and_summed_over_the_workers),
        cmocka_unit_test(test_what_the_system_does_not_say_is_left_out),
        cmocka_unit_test(test_open_metrics_names_a_counter_without_its_suffix),
        cmocka_unit_test(test_without_a_redis_nothing_is_said_of_one),
        cmocka_unit_test(test_reasons_are_summed_whatever_order_the_workers_met_them_in),
        cmocka_unit_test(test_every_metric_of_the_page_is_in_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
