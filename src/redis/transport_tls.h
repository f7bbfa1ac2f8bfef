#pragma once
/* The transport over TLS (OpenSSL) on the sockets of transport_tcp: never less than TLS 1.2, never unverified.
 *
 * Thread: created by main; its streams are the flusher's.
 * The chain is checked against `ca_file`, or the system's store; the name (or IP address) that was asked for
 * against the certificate (RFC 9525), also when a cluster's map gave it; it is sent as SNI (RFC 6066 section 3). Where
 * the map, which came over a verified connection, has both an address and a name, a certificate for either will do.
 * The files are looked at before each connection and once a second, and follow what is there (tls_files.h).
 * Failure modes: the handshake fails, and the stream's reason says why in OpenSSL's words; a server that talks
 * no TLS is told apart. There is no fallback to plain text.
 * Source: SSL_set1_host(3), SSL_get_verify_result(3), X509_VERIFY_PARAM_set1_ip_asc(3). */

#include "base/error.h"
#include "redis/tls_files.h"
#include "redis/transport.h"

struct tls; /* what all streams share */

/* 0; -ENOENT, -EACCES, -EINVAL with the file that cannot be used and why, or -ENOMEM. */
int tls_create(struct tls **out, const struct tls_config *config, struct error *err);
void tls_destroy(struct tls *t);
struct transport transport_tls(struct tls *t);
/* Looks at the files now and then, and tells what that brought: as tls_files_news(). */
enum tls_news tls_tick(struct tls *t, uint64_t now_ms, struct error *err);
/* Read the files anew before the next connection, whatever they look like. */
void tls_reread(struct tls *t);
