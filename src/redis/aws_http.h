#pragma once
/* One question by HTTP or HTTPS, to whoever gives AWS keys.
 *
 * Thread: the caller's, which waits for the answer, at most AWS_FETCH_TIMEOUT_MS.
 * HTTPS is TLS 1.2 with forward secrecy and authenticated encryption, or 1.3. The certificate must name the host in its
 * subjectAltName (RFC 9525), as its subject proves nothing. Trusted are the authorities of libcurl and of OpenSSL
 * (SSL_CERT_FILE, SSL_CERT_DIR). No redirect is followed. No proxy is asked on the way to an endpoint in clear text. */

#include "base/buf.h"
#include "base/error.h"

#define AWS_AUTHORIZATION_BYTES_MAX 8192

/* Asks by POST when `form` is given. `authorization` may be NULL. Returns 0 with the body of a 200, -EACCES for another
 * status, -EHOSTUNREACH or -ENOMEM. */
int aws_http_fetch(const char *url, const char *form, const char *authorization, struct buf *body, struct error *err);
