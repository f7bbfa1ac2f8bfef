#include "app/healthcheck.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "config/value.h"

#define TIMEOUT_MS 2000L

/* Whoever listens on all addresses is found on the loopback one. */
static struct sockaddr_storage reachable(const struct sockaddr_storage *admin)
{
    struct sockaddr_storage a = *admin;
    struct sockaddr_in *v4 = (struct sockaddr_in *)&a;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a;
    if (a.ss_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_ANY))
        v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (a.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
        v6->sin6_addr = in6addr_loopback;
    return a;
}

int healthcheck(const struct sockaddr_storage *admin)
{
    struct sockaddr_storage to = reachable(admin);
    char address[VALUE_TEXT_BYTES], url[VALUE_TEXT_BYTES + 16];
    value_format_address(&to, address);
    snprintf(url, sizeof(url), "http://%s/livez", address);

    CURL *curl = curl_easy_init();
    if (!curl)
        return 1;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    CURLcode result = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    if (result != CURLE_OK)
        fprintf(stderr, "tallyd: %s: %s\n", url, curl_easy_strerror(result));
    return result == CURLE_OK ? 0 : 1;
}
