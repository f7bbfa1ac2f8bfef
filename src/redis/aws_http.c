#include "redis/aws_http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "redis/aws_keys.h"
#include "redis/tls_rules.h"

#define ANSWER_BYTES_MAX (64 * 1024)

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    struct buf *body = ctx;
    buf_append(body, data, size * count);
    return body->failed ? 0 : size * count;
}

static char *url_host(const char *text)
{
    char *host = NULL;
    CURLU *url = curl_url();
    if (url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK)
        curl_url_get(url, CURLUPART_HOST, &host, 0);
    curl_url_cleanup(url);
    return host;
}

/* IPv6 stands in brackets. */
static bool expect_host(X509_VERIFY_PARAM *param, char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    size_t bytes = strlen(host);
    if (host[0] == '[' && host[bytes - 1] == ']') {
        host[bytes - 1] = '\0';
        return X509_VERIFY_PARAM_set1_ip_asc(param, host + 1) == 1;
    }
    if (inet_pton(AF_INET, host, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
    return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

/* Beside libcurl's own check, which takes the subject's name when there is no other (RFC 2818). */
static CURLcode on_context(CURL *curl, void *context, void *url)
{
    (void)curl;
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);
    char *host = url_host(url);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    bool good = host && expect_host(param, host) && tls_trust_system(context);
    curl_free(host);
    return good ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

/* false: this libcurl cannot promise it. */
static bool demand_tls(CURL *curl, const char *url)
{
    return curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_CIPHER_LIST, TLS12_SUITES) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, on_context) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, url) == CURLE_OK;
}

int aws_http_fetch(const char *url, const char *form, const char *authorization, struct buf *body, struct error *err)
{
    char header[AWS_AUTHORIZATION_BYTES_MAX + 32], why[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = NULL;
    long status = 0;
    CURL *curl = curl_easy_init();
    if (!curl)
        return error_set(err, -ENOMEM, "no memory for an HTTP request");
    if (authorization) {
        snprintf(header, sizeof(header), "Authorization: %s", authorization);
        headers = curl_slist_append(NULL, header);
    }
    body->bytes_max = ANSWER_BYTES_MAX;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (form)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, form);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)AWS_FETCH_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    if (strncmp(url, "http://", 7) == 0) /* near, and a proxy is not: it would get the token */
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    bool safe = strncmp(url, "http://", 7) == 0 || demand_tls(curl, url);
    CURLcode result = safe ? curl_easy_perform(curl) : CURLE_NOT_BUILT_IN;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    explicit_bzero(header, sizeof(header));
    if (result != CURLE_OK)
        return error_set(err, -EHOSTUNREACH, "%s", *why ? why : curl_easy_strerror(result));
    return status == 200 ? 0 : error_set(err, -EACCES, "it answered %ld", status);
}
