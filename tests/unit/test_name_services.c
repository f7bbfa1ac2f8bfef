#include "sandbox/name_services.h"
#include "support/skip.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static int load(const char *text)
{
    char path[] = "/tmp/nsswitch-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && dprintf(fd, "%s", text) > 0);
    close(fd);
    int loaded = name_services_load(path);
    unlink(path);
    return loaded;
}

static void test_services_of_the_line_hosts_are_there_before_a_name_is_asked_for(void **state)
{
    (void)state;
    if (!dlopen("libnss_hesiod.so.2", RTLD_NOW))
        skip_because("the C library has no libnss_hesiod.so.2");
    assert_int_equal(load("passwd: hesiod\nhosts:\tfiles hesiod [!UNAVAIL=return] dns # hesiod\n"), 1);
    assert_non_null(dlopen("libnss_hesiod.so.2", RTLD_NOW | RTLD_NOLOAD));
}

static void test_what_is_not_installed_or_no_name_is_passed_over(void **state)
{
    (void)state;
    assert_int_equal(load("hosts: files nosuchservice ../../evil /etc/x [NOTFOUND=return continue] dns\n"), 0);
    assert_int_equal(load("passwd: files\n"), 0);
    assert_int_equal(name_services_load("/nonexistent"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_services_of_the_line_hosts_are_there_before_a_name_is_asked_for),
        cmocka_unit_test(test_what_is_not_installed_or_no_name_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
