#include "redis/sigv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The keys of AWS's own examples; they open nothing. */
static const struct sigv4_keys example = {"AKIAIOSFODNN7"
                                          "EXAMPLE",
                                          "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};

static char *presigned(const struct sigv4_keys *keys, const struct sigv4_request *r)
{
    static char text[2048];
    struct buf out = {0};
    assert_int_equal(sigv4_presign(&out, keys, r), 0);
    assert_true(out.bytes < sizeof(text));
    memcpy(text, out.data, out.bytes);
    text[out.bytes] = 0;
    buf_fini(&out);
    return text;
}

/* Amazon S3 API reference, "Authenticating Requests: Using Query Parameters", its example of a presigned GET. */
static void test_the_published_example_gets_the_published_signature(void **state)
{
    (void)state;
    const struct sigv4_request r = {
        .host = "examplebucket.s3.amazonaws.com",
        .path = "/test.txt",
        .query = "",
        .service = "s3",
        .region = "us-east-1",
        .payload_sha256 = "UNSIGNED-PAYLOAD",
        .expires_s = 86400,
        .wall_s = 1369353600, /* 2013-05-24T00:00:00Z */
    };
    assert_string_equal(presigned(&example, &r),
                        "examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
                        "&X-Amz-Credential=AKIAIOSFODNN7"
                        "EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

static struct sigv4_request memorydb(void)
{
    return (struct sigv4_request){
        .host = "counters",
        .path = "/",
        .query = "Action=connect&User=tallyd",
        .service = "memorydb",
        .region = "eu-central-1",
        .payload_sha256 = SIGV4_EMPTY_SHA256,
        .expires_s = 900,
        .wall_s = 1763689200,
    };
}

static void test_a_memorydb_token_has_its_parameters_in_canonical_order(void **state)
{
    (void)state;
    struct sigv4_keys keys = example;
    struct sigv4_request r = memorydb();
    keys.session_token = "a/b+c==";
    const char *text = presigned(&keys, &r), *order[] = {"counters/?Action=connect",
                                                         "&User=tallyd",
                                                         "&X-Amz-Algorithm=",
                                                         "&X-Amz-Credential=",
                                                         "&X-Amz-Date=",
                                                         "&X-Amz-Expires=900",
                                                         "&X-Amz-Security-Token=a%2Fb%2Bc%3D%3D",
                                                         "&X-Amz-SignedHeaders=host",
                                                         "&X-Amz-Signature="};
    for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
        text = strstr(text, order[i]);
        if (!text)
            fail_msg("%s is missing, or out of order", order[i]);
    }
}

static void test_every_part_of_the_request_is_signed(void **state)
{
    (void)state;
    struct sigv4_keys keys = example;
    struct sigv4_request changed[] = {memorydb(), memorydb(), memorydb(), memorydb(), memorydb(), memorydb()};
    changed[1].host = "other";
    changed[2].query = "Action=connect&User=admin";
    changed[3].region = "eu-central-2";
    changed[4].service = "elasticache";
    changed[5].wall_s++;
    char signatures[7][65];
    for (int i = 0; i < 7; i++) {
        keys.secret_access_key = i == 6 ? "another" : example.secret_access_key;
        const char *text = presigned(&keys, &changed[i % 6]);
        memcpy(signatures[i], strstr(text, "Signature=") + strlen("Signature="), 64);
        signatures[i][64] = 0;
        for (int j = 0; j < i; j++)
            assert_string_not_equal(signatures[i], signatures[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_published_example_gets_the_published_signature),
        cmocka_unit_test(test_a_memorydb_token_has_its_parameters_in_canonical_order),
        cmocka_unit_test(test_every_part_of_the_request_is_signed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
