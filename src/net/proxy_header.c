#include "net/proxy_header.h"

#include <netinet/in.h>
#include <string.h>

enum { SIGNATURE_BYTES = 12, FIXED_BYTES = 16, VERSION_LOCAL = 0x20, VERSION_PROXY = 0x21, TCP4 = 0x11, TCP6 = 0x21 };

static const char signature[SIGNATURE_BYTES] = "\r\n\r\n\0\r\nQUIT\n";

/* The addresses begin with the client's: 4 bytes of each and the ports, or 16. */
static bool client_read(uint8_t family, const char *at, size_t bytes, struct ip *client)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_storage address = {0};
    if (family == TCP4 && bytes >= 12) {
        memcpy(&v4.sin_addr, at, sizeof(v4.sin_addr));
        memcpy(&address, &v4, sizeof(v4));
    } else if (family == TCP6 && bytes >= 36) {
        memcpy(&v6.sin6_addr, at, sizeof(v6.sin6_addr));
        memcpy(&address, &v6, sizeof(v6));
    } else {
        return family != TCP4 && family != TCP6;
    }
    return ip_from_socket(&address, client);
}

enum proxy_result proxy_header_read(struct slice in, size_t *bytes, struct ip *client)
{
    size_t seen = in.bytes < SIGNATURE_BYTES ? in.bytes : SIGNATURE_BYTES;
    if (memcmp(in.at, signature, seen) != 0)
        return PROXY_BAD;
    if (in.bytes < FIXED_BYTES)
        return PROXY_MORE;
    uint8_t command = (uint8_t)in.at[12], family = (uint8_t)in.at[13];
    size_t rest = (size_t)((uint8_t)in.at[14] << 8 | (uint8_t)in.at[15]);
    if ((command != VERSION_LOCAL && command != VERSION_PROXY) || rest > PROXY_HEADER_BYTES_MAX - FIXED_BYTES)
        return PROXY_BAD;
    if (in.bytes < FIXED_BYTES + rest)
        return PROXY_MORE;
    *bytes = FIXED_BYTES + rest;
    if (command == VERSION_PROXY && !client_read(family, in.at + FIXED_BYTES, rest, client))
        return PROXY_BAD;
    return PROXY_DONE;
}
