/* TLS: the certificate and its key, TLS 1.2 and newer, HTTP/2 by ALPN. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include "gateway/gateway.h"

static SSL_CTX *refuse(SSL_CTX *context, arena_t *arena, const char *option, str_t file, const char *advice,
                       str_t *error)
{
    char reason[160];
    unsigned long code = ERR_peek_last_error();
    snprintf(reason, sizeof reason, "%s",
             ERR_reason_error_string(code) ? ERR_reason_error_string(code) : "not usable");
    *error = arena_printf(arena, "%s: %s cannot be used (%s). %s", option, file.at, reason, advice);
    ERR_clear_error();
    SSL_CTX_free(context);
    return NULL;
}

static bool readable(const char *option, str_t file, arena_t *arena, str_t *error)
{
    if (file.length == 0) {
        *error = arena_printf(arena, "gateway.listen_tls needs %s: name a PEM file there.", option);
        return false;
    }
    if (access(file.at, R_OK) == 0)
        return true;
    *error = arena_printf(arena, "%s: %s cannot be read: %s. Correct the path, or let this user read it.",
                          option, file.at, strerror(errno));
    return false;
}

static SSL_CTX *context_new(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL)
        panic("TLS cannot be set up");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context,
                        SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    h2o_ssl_register_alpn_protocols(context, h2o_http2_alpn_protocols);
    return context;
}

SSL_CTX *tls_open(str_t certificate, str_t key, arena_t *arena, str_t *error)
{
    if (!readable("gateway.tls_certificate", certificate, arena, error) ||
        !readable("gateway.tls_key", key, arena, error))
        return NULL;
    SSL_CTX *context = context_new();
    if (SSL_CTX_use_certificate_chain_file(context, certificate.at) != 1)
        return refuse(context, arena, "gateway.tls_certificate", certificate,
                      "It must be a PEM file of certificates.", error);
    if (SSL_CTX_use_PrivateKey_file(context, key.at, SSL_FILETYPE_PEM) != 1)
        return refuse(context, arena, "gateway.tls_key", key,
                      "It must be the certificate's private key, a PEM file without a password.", error);
    if (SSL_CTX_check_private_key(context) != 1)
        return refuse(context, arena, "gateway.tls_key", key, "It is not the key of the certificate.", error);
    return context;
}
