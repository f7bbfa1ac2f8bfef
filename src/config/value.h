#pragma once
/* Durations, sizes, counts and addresses as people write them.
 *
 * Thread: pure functions.
 * Errors: all that parse return 0, -EINVAL when the text is not such a value, or -ERANGE when it is too large for the
 * type. The output is untouched then. Text is taken whole, without blanks or trailing bytes. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct address {
    struct sockaddr_storage socket;
};

int value_parse_count(const char *text, uint64_t *out);
int value_parse_duration(const char *text, uint64_t *out_us);                 /* 200us 5ms 1s 2m 1h. 0 needs no unit */
int value_parse_size(const char *text, uint64_t *out_bytes);                  /* 512 64k 10M 1G, powers of 1024 */
int value_parse_bool(const char *text, bool *out);                            /* true false yes no on off 1 0 */
int value_parse_choice(const char *text, const char *choices, uint32_t *out); /* index in "a|b|c" */
/* Reads "127.0.0.1:80" or "[::1]:80". Only numbers are taken, so that starting never waits for DNS. */
int value_parse_address(const char *text, struct address *out);

/* Writes the shortest text that value_parse_duration() reads back. */
#define VALUE_TEXT_BYTES 64
void value_format_duration(uint64_t us, char out[VALUE_TEXT_BYTES]);
void value_format_size(uint64_t bytes, char out[VALUE_TEXT_BYTES]);
void value_format_address(const struct sockaddr_storage *socket, char out[VALUE_TEXT_BYTES]);
uint16_t address_port(const struct sockaddr_storage *socket);
void address_set_port(struct sockaddr_storage *socket, uint16_t port);
