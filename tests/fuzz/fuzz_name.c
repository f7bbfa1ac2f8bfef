/* Names from request paths against any bytes, beside a second way of reading them: split at the first '/', decode each
 * part once, check each part by its rule. Both must agree on the verdict and on every byte, and a name that was
 * accepted must be the same name however it is spelt. */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "tally/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { PLAIN_BYTES_MAX = 4096 };

struct plain {
    unsigned char text[PLAIN_BYTES_MAX];
    size_t bytes;
    bool broken; /* an escape was */
};

static void plain_decode(struct plain *out, const char *at, size_t bytes)
{
    *out = (struct plain){.bytes = 0};
    for (size_t i = 0; i < bytes; i++) {
        char digits[3] = {0}, *end = digits;
        if (at[i] != '%') {
            out->text[out->bytes++] = (unsigned char)at[i];
            continue;
        }
        if (i + 2 < bytes)
            memcpy(digits, at + i + 1, 2);
        out->broken |= strspn(digits, "0123456789abcdefABCDEF") != 2;
        out->text[out->bytes++] = (unsigned char)strtoul(digits, &end, 16);
        i += 2;
    }
}

static bool plain_is_ns(const struct plain *ns)
{
    for (size_t i = 0; i < ns->bytes; i++)
        if (!ns->text[i] || !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-", ns->text[i]))
            return false;
    return ns->bytes >= 1 && ns->bytes <= 64;
}

static bool plain_is_key(const struct plain *key)
{
    for (size_t i = 0; i < key->bytes; i++)
        if (key->text[i] < 0x20 || key->text[i] == 0x7f || key->text[i] == '{' || key->text[i] == '}')
            return false;
    return key->bytes >= 1 && key->bytes <= 256;
}

/* Every byte as %XX must mean the same name. */
static void check_spelt_out(struct slice name)
{
    struct slice ns = name_ns(name), key = name_key(name), again;
    char spelt[3 * NAME_BYTES_MAX + 1], scratch[NAME_BYTES_MAX];
    size_t at = 0;

    for (size_t i = 0; i < name.bytes; i++)
        at += i == ns.bytes ? (size_t)snprintf(spelt + at, sizeof(spelt) - at, "/")
                            : (size_t)snprintf(spelt + at, sizeof(spelt) - at, i % 2 ? "%%%02x" : "%%%02X",
                                               (unsigned char)name.at[i]);
    assert(name_from_path((struct slice){spelt, at}, scratch, &again) == NAME_OK && slice_equals(again, name));
    assert(name_from_parts(ns, key, scratch, &again) == NAME_OK && slice_equals(again, name));
    assert(name_check_ns(ns) == NAME_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct plain ns, key;
    char scratch[NAME_BYTES_MAX];
    struct slice raw = {(const char *)data, bytes}, name;

    if (bytes > PLAIN_BYTES_MAX)
        return 0;
    const char *slash = bytes ? memchr(raw.at, '/', bytes) : NULL;
    size_t ns_bytes = slash ? (size_t)(slash - raw.at) : bytes;
    plain_decode(&ns, raw.at, ns_bytes);
    plain_decode(&key, slash ? slash + 1 : raw.at, slash ? bytes - ns_bytes - 1 : 0);
    bool good = slash && !ns.broken && !key.broken && plain_is_ns(&ns) && plain_is_key(&key);

    enum name_error error = name_from_path(raw, scratch, &name);
    assert((error == NAME_OK) == good);
    assert(name_error_text(error));
    if (!good)
        return 0;
    assert(name_ns(name).bytes == ns.bytes && memcmp(name_ns(name).at, ns.text, ns.bytes) == 0);
    assert(name_key(name).bytes == key.bytes && memcmp(name_key(name).at, key.text, key.bytes) == 0);
    check_spelt_out(name);
    return 0;
}
