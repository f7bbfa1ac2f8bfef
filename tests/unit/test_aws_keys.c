/* Where AWS keys come from, and what is believed of the answers, by an HTTP server of this process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "redis/aws_keys.h"

#define REGION "eu-central-1"
#define TOKEN "t0ken/+="

/* One question, one answer. */
struct server {
    int fd;
    pthread_t thread;
    const char *status, *body;
    char url[64], asked[4096];
};

static bool is_whole(const char *request)
{
    const char *body = strstr(request, "\r\n\r\n"), *length = strcasestr(request, "Content-Length: ");

    return body && (!length || strlen(body + 4) >= strtoul(length + 16, NULL, 10));
}

static void *serve(void *ctx)
{
    struct server *s = ctx;
    char head[256];
    size_t bytes = 0;
    int fd = accept(s->fd, NULL, NULL);

    for (ssize_t n = 1; n > 0 && !is_whole(s->asked) && bytes < sizeof(s->asked) - 1; bytes += (size_t)n)
        n = recv(fd, s->asked + bytes, sizeof(s->asked) - 1 - bytes, 0);
    snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", s->status,
             strlen(s->body));
    send(fd, head, strlen(head), MSG_NOSIGNAL);
    send(fd, s->body, strlen(s->body), MSG_NOSIGNAL);
    close(fd);
    return NULL;
}

static void server_start(struct server *s, const char *status, const char *body)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(a);

    *s = (struct server){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .status = status, .body = body};
    assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(s->fd, 1), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &bytes), 0);
    snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u/keys", ntohs(a.sin_port));
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_join(struct server *s)
{
    pthread_join(s->thread, NULL);
    close(s->fd);
}

/* ---- the environment and files ---- */

static int clean_environment(void **state)
{
    static const char *const names[] = {"AWS_ACCESS_KEY_ID",
                                        "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN",
                                        "AWS_WEB_IDENTITY_TOKEN_FILE",
                                        "AWS_ROLE_ARN",
                                        "AWS_ENDPOINT_URL_STS",
                                        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                                        "http_proxy"};
    (void)state;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unsetenv(names[i]);
    return 0;
}

static void token_file(char path[32], const char *text)
{
    strcpy(path, "/tmp/aws-token-XXXXXX");
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* Nothing usable: `out` stays, and the sentence names the source and holds `why`, never a secret. */
static void assert_no_keys(const char *source, const char *why)
{
    struct aws_keys keys = {.access_key_id = "untouched"};
    struct error err = {""};

    assert_true(aws_keys_fetch(&keys, REGION, &err) < 0);
    assert_string_equal(keys.access_key_id, "untouched");
    if (!strstr(err.text, source) || !strstr(err.text, why))
        fail_msg("not '%s … %s': %s", source, why, err.text);
    assert_null(strstr(err.text, TOKEN));
    assert_null(strstr(err.text, "s3cret"));
}

static void test_keys_of_the_environment_live_for_ever_and_come_first(void **state)
{
    struct aws_keys keys;
    struct error err;
    (void)state;

    setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "s3cret", 1);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/never-asked", 1);
    assert_int_equal(aws_keys_fetch(&keys, REGION, &err), 0);
    assert_string_equal(keys.access_key_id, "AKID");
    assert_string_equal(keys.secret_access_key, "s3cret");
    assert_string_equal(keys.session_token, "");
    assert_true(keys.expires_s == INT64_MAX);
    setenv("AWS_SESSION_TOKEN", "session", 1);
    assert_int_equal(aws_keys_fetch(&keys, REGION, &err), 0);
    assert_string_equal(keys.session_token, "session");
    aws_keys_wipe(&keys);
    assert_int_equal(keys.secret_access_key[0], 0);
}

static void test_a_key_that_is_too_long_is_refused_not_cut(void **state)
{
    char longest[132];
    struct aws_keys keys;
    struct error err;
    (void)state;

    memset(longest, 'k', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    setenv("AWS_ACCESS_KEY_ID", longest, 1);
    setenv("AWS_SECRET_ACCESS_KEY", "s3cret", 1);
    assert_int_equal(aws_keys_fetch(&keys, REGION, &err), 0);
    assert_string_equal(keys.access_key_id, longest);
    char longer[133];
    snprintf(longer, sizeof(longer), "%sk", longest);
    setenv("AWS_ACCESS_KEY_ID", longer, 1);
    assert_no_keys("the environment", "a key is too long");
}

static void test_without_any_source_the_sentence_names_all(void **state)
{
    (void)state;
    assert_no_keys("no AWS keys", "AWS_WEB_IDENTITY_TOKEN_FILE");
}

static void assert_keys_of_the_session(const struct aws_keys *keys)
{
    assert_string_equal(keys->access_key_id, "AKID");
    assert_string_equal(keys->secret_access_key, "s3cret");
    assert_string_equal(keys->session_token, "session");
    assert_int_equal(keys->expires_s, 1795233600);
}

/* ---- the container's endpoint ---- */

static void test_the_containers_endpoint_is_asked_with_the_token_of_the_file(void **state)
{
    struct aws_keys keys;
    struct error err;
    struct server s;
    char path[32];
    (void)state;

    server_start(&s, "200 OK",
                 "{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s3cret\",\"Token\":\"session\","
                 "\"Expiration\":\"2026-11-21T04:00:00.123Z\",\"More\":[1]}");
    token_file(path, TOKEN "\nsecond line\n");
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", s.url, 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path, 1);
    assert_int_equal(aws_keys_fetch(&keys, REGION, &err), 0);
    server_join(&s);
    unlink(path);
    assert_memory_equal(s.asked, "GET /keys ", 10);
    assert_non_null(strstr(s.asked, "Authorization: " TOKEN "\r\n"));
    assert_keys_of_the_session(&keys);
}

static void test_answers_of_the_endpoint_without_whole_keys_are_refused(void **state)
{
    static const char *const bodies[] = {
        "",
        "s3cret",
        "[]",
        "{\"AccessKeyId\":\"AKID\",\"Token\":\"s3cret\"}",
        "{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s3cret\"}",
        "{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s3cret\",\"Token\":\"t\",\"Expiration\":\"tomorrow\"}",
        "{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s3cret\",\"Token\":\"t\"",
    };
    (void)state;

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct server s;
        server_start(&s, "200 OK", bodies[i]);
        setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", s.url, 1);
        setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", TOKEN, 1);
        assert_no_keys("the container's endpoint", "its answer has no keys that can be used");
        server_join(&s);
        assert_non_null(strstr(s.asked, "Authorization: " TOKEN "\r\n"));
    }
}

static void test_an_answer_without_end_is_cut_off(void **state)
{
    static char body[70 * 1024];
    struct server s;
    (void)state;

    memset(body, ' ', sizeof(body) - 1);
    server_start(&s, "200 OK", body);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", s.url, 1);
    assert_no_keys("the container's endpoint", "");
    server_join(&s);
}

static void test_a_refusal_is_told_with_its_status_and_not_its_words(void **state)
{
    struct server s;
    (void)state;

    server_start(&s, "403 Forbidden", "s3cret");
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", s.url, 1);
    assert_no_keys("the container's endpoint", "it answered 403");
    server_join(&s);
}

static void test_a_token_goes_in_clear_text_to_this_machine_only(void **state)
{
    static const char *const elsewhere[] = {"http://keys.example/x",    "http://127.0.0.1.example/x",
                                            "ftp://127.0.0.1/x",        "http://127.0.0.10/x",
                                            "http://169.254.170.200/x", "file:///etc/passwd"};
    (void)state;

    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", TOKEN, 1);
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
        setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", elsewhere[i], 1);
        assert_no_keys("the container's endpoint", "neither https nor of this machine");
    }
    /* Trusted ones, at which nobody listens: it is the connection that fails. */
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "https://127.0.0.1:1/x", 1);
    assert_no_keys("the container's endpoint", "onnect");
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost:1/x", 1);
    assert_no_keys("the container's endpoint", "onnect");
}

/* ---- web identity ---- */

#define STS(id, secret, token, expires)                                                                                \
    "<AssumeRoleWithWebIdentityResponse><Credentials>" id secret token expires "</Credentials></Assume>"
#define STS_ID "<AccessKeyId>AKID</AccessKeyId>"
#define STS_SECRET "<SecretAccessKey>s3cret</SecretAccessKey>"
#define STS_TOKEN "<SessionToken>session</SessionToken>"
#define STS_EXPIRES "<Expiration>2026-11-21T04:00:00Z</Expiration>"

static void use_web_identity(struct server *s, char path[32], const char *body)
{
    server_start(s, "200 OK", body);
    token_file(path, TOKEN "\n");
    setenv("AWS_ENDPOINT_URL_STS", s->url, 1);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path, 1);
    setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/a&b", 1);
}

static void test_a_web_identity_is_posted_with_every_byte_escaped(void **state)
{
    struct aws_keys keys;
    struct error err;
    struct server s;
    char path[32];
    (void)state;

    use_web_identity(&s, path, STS(STS_ID, STS_SECRET, STS_TOKEN, STS_EXPIRES));
    assert_int_equal(aws_keys_fetch(&keys, REGION, &err), 0);
    server_join(&s);
    unlink(path);
    assert_memory_equal(s.asked, "POST /keys ", 11);
    assert_non_null(strstr(s.asked, "\r\n\r\nAction=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=tallyd"
                                    "&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa%26b&WebIdentityToken=t0ken%2F%2B%3D"));
    assert_keys_of_the_session(&keys);
}

static void test_answers_of_sts_without_whole_keys_are_refused(void **state)
{
    static const char *const bodies[] = {
        "",
        STS("", STS_SECRET, STS_TOKEN, STS_EXPIRES),
        STS(STS_ID, "", STS_TOKEN, STS_EXPIRES),
        STS(STS_ID, STS_SECRET, "", STS_EXPIRES),
        STS(STS_ID, STS_SECRET, STS_TOKEN, ""),
        STS(STS_ID, STS_SECRET, STS_TOKEN, "<Expiration>soon</Expiration>"),
        STS(STS_ID, STS_SECRET, STS_TOKEN, "<Expiration>2026-11-21T04:00:00Z"), /* cut */
    };
    (void)state;

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct server s;
        char path[32];
        use_web_identity(&s, path, bodies[i]);
        assert_no_keys("STS (web identity)", "its answer has no keys that can be used");
        server_join(&s);
        unlink(path);
    }
}

static void test_a_token_file_must_be_there_and_hold_a_token(void **state)
{
    char path[32];
    (void)state;

    setenv("AWS_ROLE_ARN", "a", 1);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent", 1);
    assert_no_keys("STS (web identity)", "cannot open the token file /nonexistent");
    token_file(path, "\n");
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path, 1);
    assert_no_keys("STS (web identity)", "is empty");
    unlink(path);
}

#define TEST(name) cmocka_unit_test_setup(name, clean_environment)

static void test_a_token_goes_to_https_or_to_this_machine_and_never_to_a_user_at_a_host(void **state)
{
    (void)state;
    static const char *const good[] = {"https://sts.eu-central-1.amazonaws.com/", "http://127.0.0.1:80/x",
                                       "http://169.254.170.2/v2", "http://[fd00:ec2::23]/", "http://LOCALHOST/"};
    static const char *const bad[] = {"http://127.0.0.1:80@evil.example/",
                                      "http://127.0.0.1@evil/",
                                      "http://evil.example/",
                                      "https://user:secret@sts.example/",
                                      "http://127.0.0.1.evil/",
                                      "file:///etc/passwd",
                                      "http://169.254.169.254/",
                                      "",
                                      "http://",
                                      "ftp://127.0.0.1/"};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_true(aws_keys_url_trusted(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(aws_keys_url_trusted(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_keys_of_the_environment_live_for_ever_and_come_first),
        TEST(test_a_key_that_is_too_long_is_refused_not_cut),
        TEST(test_without_any_source_the_sentence_names_all),
        TEST(test_the_containers_endpoint_is_asked_with_the_token_of_the_file),
        TEST(test_answers_of_the_endpoint_without_whole_keys_are_refused),
        TEST(test_an_answer_without_end_is_cut_off),
        TEST(test_a_refusal_is_told_with_its_status_and_not_its_words),
        TEST(test_a_token_goes_in_clear_text_to_this_machine_only),
        TEST(test_a_web_identity_is_posted_with_every_byte_escaped),
        TEST(test_answers_of_sts_without_whole_keys_are_refused),
        TEST(test_a_token_goes_to_https_or_to_this_machine_and_never_to_a_user_at_a_host),
        TEST(test_a_token_file_must_be_there_and_hold_a_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
