#include "app/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/clock.h"
#include "fake_sources.h"

static char *page_of(struct fake *fake)
{
    struct buf out = {0};
    metrics_print(&fake->sources, &out);
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
        assert_true(strchr(" {", line[strlen(family)]));
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
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_non_null(strstr(page, lines[i]));
    free(page);
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
    char *page = page_of(fake);
    metrics_print_markdown(&out);
    buf_append(&out, "", 1);
    unsigned metrics = 0, rows = 0;
    for (char *line = page; *line; line += strcspn(line, "\n") + 1) {
        char family[80], row[96];
        if (sscanf(line, "# TYPE %79s", family) != 1)
            continue;
        snprintf(row, sizeof row, "\n| `%s` |", family);
        assert_non_null(strstr(out.data, row));
        metrics++;
    }
    for (char *line = out.data; *line; line += strcspn(line, "\n") + 1)
        rows++;
    assert_int_equal(rows, metrics + 2);
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
        cmocka_unit_test(test_without_a_redis_nothing_is_said_of_one),
        cmocka_unit_test(test_reasons_are_summed_whatever_order_the_workers_met_them_in),
        cmocka_unit_test(test_every_metric_of_the_page_is_in_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
