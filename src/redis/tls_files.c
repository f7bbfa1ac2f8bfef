#include "redis/tls_files.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "redis/tls_rules.h"

enum file { FILE_CA, FILE_CERT, FILE_KEY, FILES };

static const char *const options[FILES] = {"--redis-ca", "--redis-cert", "--redis-key"};

/* What tells one state of a file from another; compared as bytes. */
struct stamp {
    dev_t device;
    ino_t inode;
    off_t bytes;
    struct timespec changed;
};

struct tls_files {
    struct tls_config config;
    SSL_CTX *context; /* owned */
    struct stamp seen[FILES];
    bool doubted, asked;
    enum tls_news news;
    struct error why; /* they cannot be used, since the last look; empty: they are in force */
};

/* Empty: there is none. */
static const char *path_of(const struct tls_config *config, enum file file)
{
    switch (file) {
    case FILE_CA: return config->ca_file;
    case FILE_CERT: return config->cert_file;
    case FILE_KEY:
    case FILES: break;
    }
    return *config->cert_file ? config->key_file : "";
}

/* ---- reading ---- */

static int refused(struct error *err, enum file file, const char *path)
{
    unsigned long first = ERR_peek_error(), last = ERR_peek_last_error();
    const char *text = ERR_reason_error_string(last);

    /* OpenSSL 3 keeps errno apart: its library number is ERR_LIB_SYS, and the reason is errno itself. */
    if (ERR_SYSTEM_ERROR(first))
        text = strerror(ERR_GET_REASON(first));
    else if (ERR_GET_LIB(first) == ERR_LIB_PEM && ERR_GET_REASON(first) == PEM_R_BAD_PASSWORD_READ)
        text = "it is encrypted, and there is no passphrase to give";
    return error_set(err, -EINVAL, "%s %s cannot be used: %s", options[file], path, text ? text : "not a PEM file");
}

/* Nobody is there to type one, and the flusher would wait for it at the terminal. */
static int no_passphrase(char *out, int bytes, int writing, void *ctx)
{
    (void)out, (void)bytes, (void)writing, (void)ctx;
    return -1;
}

static int context_load(SSL_CTX *context, const struct tls_config *config, struct error *err)
{
    const char *key = *config->key_file ? config->key_file : config->cert_file;

    ERR_clear_error();
    if (*config->ca_file ? SSL_CTX_load_verify_file(context, config->ca_file) != 1 : !tls_trust_system(context))
        return refused(err, FILE_CA, *config->ca_file ? config->ca_file : "of the system");
    if (*config->cert_file && SSL_CTX_use_certificate_chain_file(context, config->cert_file) != 1)
        return refused(err, FILE_CERT, config->cert_file);
    if (*config->cert_file && SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        return refused(err, FILE_KEY, key);
    return 0;
}

static int context_create(SSL_CTX **out, const struct tls_config *config, struct error *err)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (!context)
        return error_set(err, -ENOMEM, "no memory for TLS");
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, TLS12_SUITES);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    /* A write that was cut short is repeated from wherever its bytes are by then. */
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    int failed = context_load(context, config, err);
    if (failed)
        SSL_CTX_free(context);
    else
        *out = context;
    return failed;
}

/* ---- looking ---- */

static int file_stamp(const struct tls_config *config, enum file file, struct stamp *out, struct error *err)
{
    const char *path = path_of(config, file);
    struct stat st;

    memset(out, 0, sizeof(*out));
    if (!*path)
        return 0;
    if (stat(path, &st) < 0)
        return error_set(err, -errno, "%s %s cannot be used: %s", options[file], path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return error_set(err, -EINVAL, "%s %s cannot be used: it is no regular file", options[file], path);
    *out = (struct stamp){.device = st.st_dev, .inode = st.st_ino, .bytes = st.st_size};
    out->changed = st.st_ctim;
    struct error why;
    int failed = config->guard ? config->guard(path, &st, &why) : 0;
    return failed ? error_set(err, failed, "%s: %s", options[file], why.text) : 0;
}

static int files_stamp(const struct tls_files *f, struct stamp out[FILES], struct error *err)
{
    int failed = 0;

    for (enum file file = FILE_CA; file < FILES && !failed; file++)
        failed = file_stamp(&f->config, file, &out[file], err);
    return failed;
}

static void files_keep(struct tls_files *f, const struct error *why)
{
    if (strcmp(f->why.text, why->text) != 0)
        f->news = TLS_KEPT;
    f->why = *why;
}

static void files_take(struct tls_files *f, SSL_CTX *context, const struct stamp now[FILES], bool news)
{
    SSL_CTX_free(f->context);
    f->context = context;
    memcpy(f->seen, now, sizeof(f->seen));
    f->news = news || f->why.text[0] ? TLS_READ : f->news;
    f->why.text[0] = '\0';
    f->doubted = false;
    f->asked = false;
}

void tls_files_look(struct tls_files *f)
{
    struct stamp now[FILES];
    struct error why;
    SSL_CTX *context;
    int failed = files_stamp(f, now, &why); /* before they are read: what changes meanwhile is seen the next time */
    bool changed = !failed && memcmp(now, f->seen, sizeof(now)) != 0;

    if (!failed && !changed && !f->doubted && !f->asked && !f->why.text[0])
        return;
    if (!failed)
        failed = context_create(&context, &f->config, &why);
    if (failed)
        files_keep(f, &why);
    else
        files_take(f, context, now, changed || f->asked);
}

void tls_files_doubt(struct tls_files *f, bool asked)
{
    f->doubted = true;
    f->asked |= asked;
}

enum tls_news tls_files_news(struct tls_files *f, struct error *err)
{
    enum tls_news news = f->news;

    if (news == TLS_KEPT)
        *err = f->why;
    f->news = TLS_SAME;
    return news;
}

/* ---- life ---- */

SSL_CTX *tls_files_context(const struct tls_files *f) { return f->context; }

int tls_files_create(struct tls_files **out, const struct tls_config *config, struct error *err)
{
    struct tls_files *f = calloc(1, sizeof(*f));

    if (!f)
        return error_set(err, -ENOMEM, "no memory for TLS");
    f->config = *config;
    int failed = files_stamp(f, f->seen, err);
    if (!failed)
        failed = context_create(&f->context, config, err);
    if (failed)
        free(f);
    else
        *out = f;
    return failed;
}

void tls_files_destroy(struct tls_files *f)
{
    SSL_CTX_free(f->context);
    free(f);
}
