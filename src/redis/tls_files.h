#pragma once
/* What TLS needs of files (an authority, a certificate of our own, its key), in an SSL_CTX that follows them.
 *
 * Thread: created by main, then the flusher's.
 * They are read again in three cases:
 *   - They look otherwise than last time, by inode, size or time of change. Kubernetes swaps a link, certbot renames.
 *   - tls_files_doubt() was called, because a handshake failed and not every change shows.
 *   - Somebody asks.
 * A connection that is up keeps the context that it was made with.
 *
 * Failure modes: files that cannot be read, are no PEM, do not fit together (a key of another certificate, as between
 * two copies) or may not be believed change nothing. What was read before stays in force, the files are tried again at
 * each look, and each reason is told once. */

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"

struct tls_config {
    const char *ca_file;   /* PEM, or empty for the system's store */
    const char *cert_file; /* PEM chain of our own, or empty */
    const char *key_file;  /* PEM, or empty when it is in cert_file */
    /* May a file be believed? Returns 0, or -errno with a sentence. When NULL all may. */
    int (*guard)(const char *path, const struct stat *st, struct error *err);
};

enum tls_news {
    TLS_SAME,
    TLS_READ, /* other files than before are in force, or somebody had asked */
    TLS_KEPT, /* they cannot be used, so those before stay in force */
};

struct tls_files;

/* Returns 0, -ENOMEM, or -EINVAL, -ENOENT, -EACCES, -EPERM with a sentence that names option and file. */
int tls_files_create(struct tls_files **out, const struct tls_config *config, struct error *err);
void tls_files_destroy(struct tls_files *f);
SSL_CTX *tls_files_context(const struct tls_files *f);
/* Looks at them, and reads them if they have to be. */
void tls_files_look(struct tls_files *f);
/* The next look reads them whatever they look like. With `asked` that is news. */
void tls_files_doubt(struct tls_files *f, bool asked);
/* What the looks since the last call brought. With TLS_KEPT `err` says why. */
enum tls_news tls_files_news(struct tls_files *f, struct error *err);
