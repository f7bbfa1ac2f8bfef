#include "redis/transport_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redis/transport_tcp.h"

#define LOOK_MS 1000 /* between looks at the files */
#define HOST_FLAGS (X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)

struct tls {
    struct tls_files *files; /* owned */
    struct transport tcp;
    uint64_t look_ms; /* no look at the files before, unless somebody connects */
};

struct stream {
    struct tls *tls;
    struct stream *tcp; /* owned */
    SSL *ssl;           /* owned */
    bool begun;         /* the TCP connection is there, the handshake runs on it */
    bool connected;
    bool heard; /* a byte of what the server says, not of the handshake */
    short want; /* what SSL waits for, in poll(2)'s words */
    char host[256],
        name[256]; /* of which the certificate must be for one; `name` empty: SSL itself looks at the host */
    char reason[256];
};

/* ---- why ---- */

static int is_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static void reason_from_queue(char *out, size_t bytes)
{
    unsigned long error = ERR_peek_last_error();
    const char *text = ERR_reason_error_string(error);

    if (ERR_GET_LIB(error) == ERR_LIB_SSL &&
        (ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER || ERR_GET_REASON(error) == SSL_R_UNEXPECTED_MESSAGE))
        snprintf(out, bytes, "the server does not talk TLS on this port (%s)", text);
    else
        snprintf(out, bytes, "TLS: %s", text ? text : "the connection was closed");
}

/* What SSL_get_error() said, as -errno; `want` and `reason` follow from it. */
static int stream_result(struct stream *s, int returned)
{
    switch (SSL_get_error(s->ssl, returned)) {
    case SSL_ERROR_WANT_READ: s->want = POLLIN; return -EAGAIN;
    case SSL_ERROR_WANT_WRITE: s->want = POLLOUT; return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN: return 0;
    case SSL_ERROR_SYSCALL:
        if (errno)
            return -errno;
        snprintf(s->reason, sizeof(s->reason), "TLS: the connection was closed");
        return -ECONNRESET;
    default: break;
    }
    long verified = SSL_get_verify_result(s->ssl);
    if (verified != X509_V_OK)
        snprintf(s->reason, sizeof(s->reason), "the server's certificate was refused: %s",
                 X509_verify_cert_error_string(verified));
    else
        reason_from_queue(s->reason, sizeof(s->reason));
    return -EPROTO;
}

/* ---- the stream ---- */

static void tls_close(struct stream *s)
{
    if (s->connected)
        SSL_shutdown(s->ssl); /* one attempt: the peer may be gone */
    /* A server of TLS 1.3 refuses our certificate when for us the handshake is over. */
    if (s->begun && !s->heard)
        tls_files_doubt(s->tls->files, false);
    SSL_free(s->ssl);
    s->tls->tcp.ops->close(s->tcp);
    free(s);
}

/* As SNI; what SSL_set_tlsext_host_name() expands to, without its cast that drops a const. */
static bool send_name(struct stream *s, const char *host)
{
    void *name = (void *)(uintptr_t)host;

    return SSL_ctrl(s->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name) == 1;
}

static int stream_expect(struct stream *s, const char *host)
{
    if (is_address(host))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s->ssl), host) == 1 ? 0 : -EINVAL;
    SSL_set_hostflags(s->ssl, HOST_FLAGS);
    return SSL_set1_host(s->ssl, host) == 1 && send_name(s, host) ? 0 : -EINVAL;
}

/* SSL would ask for all names that it is given; one of two is for us to look at, before the first byte is sent. */
static void tls_accept_name(struct stream *s, const char *name)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(s->ssl);

    X509_VERIFY_PARAM_set1_host(param, NULL, 0);
    X509_VERIFY_PARAM_set1_ip(param, NULL, 0);
    snprintf(s->name, sizeof(s->name), "%s", name);
    if (!is_address(name))
        send_name(s, name);
}

static bool certificate_names(X509 *certificate, const char *host)
{
    if (is_address(host))
        return X509_check_ip_asc(certificate, host, 0) == 1;
    return X509_check_host(certificate, host, 0, HOST_FLAGS, NULL) == 1;
}

static bool stream_meets_whom_it_should(struct stream *s)
{
    if (!s->name[0])
        return true;
    X509 *certificate = SSL_get1_peer_certificate(s->ssl);
    bool fits = certificate && (certificate_names(certificate, s->host) || certificate_names(certificate, s->name));
    X509_free(certificate);
    if (!fits)
        snprintf(s->reason, sizeof(s->reason),
                 "the server's certificate was refused: it is neither for %.64s nor for %.64s", s->host, s->name);
    return fits;
}

static int tls_open(void *ctx, const char *host, uint16_t port, struct stream **out)
{
    struct tls *t = ctx;
    struct stream *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->tls = t;
    tls_files_look(t->files);
    snprintf(s->host, sizeof(s->host), "%s", host);
    s->ssl = SSL_new(tls_files_context(t->files));
    int failed = s->ssl ? stream_expect(s, host) : -ENOMEM;
    if (!failed)
        failed = t->tcp.ops->open(t->tcp.ctx, host, port, &s->tcp);
    if (failed) {
        SSL_free(s->ssl);
        free(s);
        return failed;
    }
    *out = s;
    return 0;
}

static int handshake_step(struct stream *s)
{
    short events;

    if (!s->begun) {
        if (SSL_set_fd(s->ssl, s->tls->tcp.ops->pollable(s->tcp, 0, &events)) != 1)
            return -ENOMEM;
        s->begun = true;
        snprintf(s->reason, sizeof(s->reason), "no answer to the TLS handshake: does this port talk plain text?");
    }
    ERR_clear_error();
    errno = 0;
    int returned = SSL_connect(s->ssl);
    if (returned == 1) {
        if (!stream_meets_whom_it_should(s))
            return -EPROTO;
        s->connected = true;
        s->reason[0] = '\0';
        return 0;
    }
    int failed = stream_result(s, returned);
    return failed == -EAGAIN ? -EINPROGRESS : failed ? failed : -ECONNRESET;
}

static int tls_status(struct stream *s)
{
    if (s->connected)
        return 0;
    int failed = s->begun ? 0 : s->tls->tcp.ops->status(s->tcp);
    return failed ? failed : handshake_step(s);
}

static ssize_t tls_try_send(struct stream *s, const void *data, size_t bytes)
{
    size_t sent;

    ERR_clear_error();
    errno = 0;
    if (SSL_write_ex(s->ssl, data, bytes, &sent) == 1)
        return (ssize_t)sent;
    int failed = stream_result(s, 0);
    return failed ? failed : -ECONNRESET;
}

static ssize_t tls_try_recv(struct stream *s, void *out, size_t bytes)
{
    size_t received;

    ERR_clear_error();
    errno = 0;
    if (SSL_read_ex(s->ssl, out, bytes, &received) == 1) {
        s->heard = true;
        return (ssize_t)received;
    }
    return stream_result(s, 0);
}

static int tls_pollable(const struct stream *s, int sending, short *events)
{
    int fd = s->tls->tcp.ops->pollable(s->tcp, sending, events);

    if (s->begun && !s->connected)
        *events = s->want;
    else if (s->connected) /* what SSL has decrypted already does not show on the socket: do not sleep on it */
        *events = (short)(POLLIN | (sending || SSL_pending(s->ssl) ? POLLOUT : 0));
    return fd;
}

static const char *tls_reason(const struct stream *s) { return s->reason; }

static const struct transport_ops tls_ops = {
    .open = tls_open,
    .accept_name = tls_accept_name,
    .status = tls_status,
    .try_send = tls_try_send,
    .try_recv = tls_try_recv,
    .pollable = tls_pollable,
    .reason = tls_reason,
    .close = tls_close,
};

struct transport transport_tls(struct tls *t) { return (struct transport){.ops = &tls_ops, .ctx = t}; }

/* ---- what they share ---- */

void tls_reread(struct tls *t)
{
    tls_files_doubt(t->files, true);
    t->look_ms = 0;
}

enum tls_news tls_tick(struct tls *t, uint64_t now_ms, struct error *err)
{
    if (now_ms >= t->look_ms) {
        t->look_ms = now_ms + LOOK_MS;
        tls_files_look(t->files);
    }
    return tls_files_news(t->files, err);
}

int tls_create(struct tls **out, const struct tls_config *config, struct error *err)
{
    struct tls *t = calloc(1, sizeof(*t));

    if (!t)
        return error_set(err, -ENOMEM, "no memory for TLS");
    t->tcp = transport_tcp();
    int failed = tls_files_create(&t->files, config, err);
    if (failed)
        free(t);
    else
        *out = t;
    return failed;
}

void tls_destroy(struct tls *t)
{
    if (!t)
        return;
    tls_files_destroy(t->files);
    free(t);
}
