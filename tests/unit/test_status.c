#include "admin/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "support/fake_sources.h"

static json_t *json_of(struct fake *fake, void (*print)(const struct sources *s, struct buf *out))
{
    struct buf out = {0};
    json_error_t error;
    print(&fake->sources, &out);
    json_t *json = json_loadb(out.data, out.bytes, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(json);
    buf_fini(&out);
    return json;
}

static json_int_t number_at(json_t *json, const char *object, const char *name)
{
    return json_integer_value(json_object_get(json_object_get(json, object), name));
}

static void test_status_is_json_and_its_books_balance(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    fake_hit(fake, 0, "blog/a", 7);
    fake_hit(fake, 1, "blog/b", 1);
    fake->books = (struct flusher_books){.stored = 4, .in_flight = 1};
    json_t *json = json_of(fake, status_print);
    assert_string_equal(json_string_value(json_object_get(json, "state")), "ready");
    assert_string_equal(json_string_value(json_object_get(json, "engine")), "fake");
    assert_int_equal(number_at(json, "books", "accepted"), 8);
    assert_int_equal(number_at(json, "books", "pending"), 3);
    assert_int_equal(number_at(json, "books", "imbalance"), 0);
    assert_int_equal(number_at(json, "keys", "counted"), 2);
    assert_int_equal(json_array_size(json_object_get(json, "workers")), 2);
    assert_true(json_is_null(json_object_get(json, "redis")));
    json_decref(json);
    fake_stop(fake);
}

static void test_config_names_values_and_origins_and_masks_secrets(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    fake->options.texts[OPTION_INDEX_redis_password] = (struct option_text){.text = "hunter2", .source = SOURCE_ENV};
    fake->options.texts[OPTION_INDEX_config] = (struct option_text){.text = "/a \"b\"\\c", .source = SOURCE_FLAG};
    json_t *json = json_of(fake, status_print_config);
    json_t *password = json_object_get(json, "redis-password");
    assert_string_equal(json_string_value(json_object_get(password, "value")), "(set)");
    assert_string_equal(json_string_value(json_object_get(password, "from")), "TALLYD_REDIS_PASSWORD");
    json_t *config = json_object_get(json, "config");
    assert_string_equal(json_string_value(json_object_get(config, "value")), "/a \"b\"\\c");
    json_t *listen = json_object_get(json, "listen");
    assert_string_equal(json_string_value(json_object_get(listen, "from")), "default");
    assert_null(json_object_get(json, "help"));
    json_decref(json);
    fake_stop(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_is_json_and_its_books_balance),
        cmocka_unit_test(test_config_names_values_and_origins_and_masks_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
