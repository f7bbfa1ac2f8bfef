#pragma once
/* What every TLS connection of ours obeys, to the store and to AWS.
 *
 * Thread: any. */

#include <openssl/ssl.h>
#include <stdbool.h>

/* Forward secrecy and authenticated encryption: no CBC, no key exchange by RSA. TLS 1.3 has no others. */
#define TLS12_SUITES "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"

/* Trusts the system's authorities. SSL_CTX_set_default_verify_paths() would list their folder as well, which the
 * sandbox refuses. Returns false when there is no memory. */
static inline bool tls_trust_system(SSL_CTX *context)
{
    return SSL_CTX_set_default_verify_file(context) == 1 && SSL_CTX_set_default_verify_dir(context) == 1;
}
