#include "config/value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

/* Largest first, so that formatting takes the first that divides. */
static const struct unit durations[] = {
    {"h", UINT64_C(3600000000)}, {"m", UINT64_C(60000000)}, {"s", 1000000}, {"ms", 1000}, {"us", 1}, {NULL, 0},
};
static const struct unit sizes[] = {
    {"G", UINT64_C(1) << 30}, {"M", UINT64_C(1) << 20}, {"k", UINT64_C(1) << 10}, {"", 1}, {NULL, 0},
};

/* Digits at the start of `text`; strtoull would take blanks, signs and an overflowing text as well. */
static int digits_parse(const char **text, uint64_t *out)
{
    uint64_t value = 0;
    const char *at = *text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
            return -ERANGE;
    }
    if (at == *text)
        return -EINVAL;
    *text = at;
    *out = value;
    return 0;
}

static int scaled_parse(const char *text, const struct unit *units, uint64_t *out)
{
    uint64_t value;
    int result = digits_parse(&text, &value);
    if (result != 0)
        return result;
    for (; units->name != NULL; units++) {
        if (strcmp(text, units->name) == 0)
            break;
    }
    bool unitless_zero = *text == '\0' && value == 0; /* nothing is nothing in any unit */
    if (!units->name && !unitless_zero)
        return -EINVAL;
    if (__builtin_mul_overflow(value, units->factor, &value))
        return -ERANGE;
    *out = value;
    return 0;
}

static void scaled_format(uint64_t value, const struct unit *units, char out[VALUE_TEXT_BYTES])
{
    while (units[1].name != NULL && (value == 0 || value % units->factor != 0))
        units++;
    snprintf(out, VALUE_TEXT_BYTES, "%" PRIu64 "%s", value / units->factor, units->name);
}

int value_parse_count(const char *text, uint64_t *out)
{
    uint64_t value;
    int result = digits_parse(&text, &value);
    if (result != 0 || *text != '\0')
        return result != 0 ? result : -EINVAL;
    *out = value;
    return 0;
}

int value_parse_duration(const char *text, uint64_t *out_us) { return scaled_parse(text, durations, out_us); }
int value_parse_size(const char *text, uint64_t *out_bytes) { return scaled_parse(text, sizes, out_bytes); }
void value_format_duration(uint64_t us, char out[VALUE_TEXT_BYTES]) { scaled_format(us, durations, out); }
void value_format_size(uint64_t bytes, char out[VALUE_TEXT_BYTES]) { scaled_format(bytes, sizes, out); }

int value_parse_choice(const char *text, const char *choices, uint32_t *out)
{
    size_t bytes = strlen(text);
    uint32_t index = 0;
    for (const char *at = choices;; index++) {
        size_t span = strcspn(at, "|");
        if (span == bytes && memcmp(at, text, bytes) == 0) {
            *out = index;
            return 0;
        }
        if (at[span] == '\0')
            return -EINVAL;
        at += span + 1;
    }
}

int value_parse_bool(const char *text, bool *out)
{
    uint32_t index;
    if (value_parse_choice(text, "false|true|no|yes|off|on|0|1", &index) != 0)
        return -EINVAL;
    *out = index % 2 == 1;
    return 0;
}

int value_parse_address(const char *text, struct address *out)
{
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN];
    uint64_t port;
    if (colon == NULL || value_parse_count(colon + 1, &port) != 0 || port > UINT16_MAX)
        return -EINVAL;
    size_t bytes = (size_t)(colon - text);
    bool v6 = bytes >= 2 && text[0] == '[' && text[bytes - 1] == ']';
    if (v6) {
        text++;
        bytes -= 2;
    }
    if (bytes >= sizeof(host))
        return -EINVAL;
    memcpy(host, text, bytes);
    host[bytes] = '\0';

    struct address address = {0};
    struct sockaddr_in *in4 = (struct sockaddr_in *)&address.socket;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address.socket;
    if (inet_pton(v6 ? AF_INET6 : AF_INET, host, v6 ? (void *)&in6->sin6_addr : (void *)&in4->sin_addr) != 1)
        return -EINVAL;
    address.socket.ss_family = v6 ? AF_INET6 : AF_INET;
    address_set_port(&address.socket, (uint16_t)port);
    *out = address;
    return 0;
}

void value_format_address(const struct sockaddr_storage *socket, char out[VALUE_TEXT_BYTES])
{
    char host[INET6_ADDRSTRLEN] = "?";
    bool v6 = socket->ss_family == AF_INET6;
    const void *at = v6 ? (const void *)&((const struct sockaddr_in6 *)socket)->sin6_addr
                        : (const void *)&((const struct sockaddr_in *)socket)->sin_addr;
    inet_ntop(socket->ss_family, at, host, sizeof(host));
    snprintf(out, VALUE_TEXT_BYTES, v6 ? "[%s]:%u" : "%s:%u", host, address_port(socket));
}

/* Both families keep the port at the same place (ip(7), ipv6(7)). */
_Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port), "one place");

uint16_t address_port(const struct sockaddr_storage *socket)
{
    return ntohs(((const struct sockaddr_in *)socket)->sin_port);
}

void address_set_port(struct sockaddr_storage *socket, uint16_t port)
{
    ((struct sockaddr_in *)socket)->sin_port = htons(port);
}
