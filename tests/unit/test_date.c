#include "http/response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void assert_date(int64_t wall_ms, const char *text)
{
    char out[HTTP_DATE_BYTES + 1];
    http_date_format(wall_ms, out);
    assert_string_equal(out, text);
}

static void test_dates_have_the_fixed_form_of_rfc_9110(void **state)
{
    (void)state;
    assert_date(784111777000, "Sun, 06 Nov 1994 08:49:37 GMT"); /* RFC 9110 section 5.6.7 */
    assert_date(0, "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_date(1709164800000, "Thu, 29 Feb 2024 00:00:00 GMT");
    assert_date(1735689599000, "Tue, 31 Dec 2024 23:59:59 GMT");
    assert_date(4102444800000, "Fri, 01 Jan 2100 00:00:00 GMT");
    assert_date(253402300799000, "Fri, 31 Dec 9999 23:59:59 GMT");
}

static void test_a_date_is_cut_to_whole_seconds(void **state)
{
    (void)state;
    assert_date(784111777999, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_date(784111778000, "Sun, 06 Nov 1994 08:49:38 GMT");
}

static void test_every_month_and_weekday_has_its_name(void **state)
{
    (void)state;
    static const char *months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    static const char *days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    char out[HTTP_DATE_BYTES + 1], wanted[64];
    int day = 0;

    for (int month = 0; month < 12; month++) {
        for (int mday = 1; mday <= lengths[month]; mday++, day++) {
            http_date_format((int64_t)day * 86400000, out);
            snprintf(wanted, sizeof(wanted), "%s, %02d %s 1970 00:00:00 GMT", days[day % 7], mday, months[month]);
            assert_string_equal(out, wanted);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates_have_the_fixed_form_of_rfc_9110),
        cmocka_unit_test(test_a_date_is_cut_to_whole_seconds),
        cmocka_unit_test(test_every_month_and_weekday_has_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
