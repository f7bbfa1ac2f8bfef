#pragma once
/* The transport over TLS (OpenSSL) on the sockets of redis/transport_tcp.h. It is never less than TLS 1.2 and never
 * unverified.
 *
 * Thread: created by main. Its streams are the flusher's.
 * The chain is checked against `ca_file`, or the system's store. The name or IP address that was asked for is checked
 * against the certificate (RFC 9525), also when a cluster's map gave it. It is sent as SNI (RFC 6066 section 3). Where
 * the map, which came over a verified connection, has both an address and a name, a certificate for either will do. The
 * files are looked at before each connection and once a second, and follow what is there (redis/tls_files.h).
 *
 * Failure modes: when the handshake fails, the stream's reason says why in OpenSSL's words. A server that talks no TLS
 * is told apart. There is no fallback to plain text. Source: SSL_set1_host(3), SSL_get_verify_result(3),
 * X509_VERIFY_PARAM_set1_ip_asc(3). */

#include "base/error.h"
#include "redis/tls_files.h"
#include "redis/transport.h"

struct tls; /* what all streams share */

/* Returns 0, -ENOMEM, or -ENOENT, -EACCES, -EINVAL with the file that cannot be used and why. */
int tls_create(struct tls **out, const struct tls_config *config, struct error *err);
void tls_destroy(struct tls *t);
struct transport transport_tls(struct tls *t);
/* Looks at the files now and then, and returns what that brought, as tls_files_news() does. */
enum tls_news tls_tick(struct tls *t, uint64_t now_ms, struct error *err);
/* Has the files read anew before the next connection, whatever they look like. */
void tls_reread(struct tls *t);
