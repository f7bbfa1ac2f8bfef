#include "base/escape.h"

#include "base/utf8.h"

#define REPLACEMENT SLICE("\xef\xbf\xbd")

/* U+FFFE and U+FFFF are no characters of XML. */
static bool char_is_xml(struct slice c)
{
    unsigned char first = (unsigned char)c.at[0];
    return first >= 0x20 && first != 0x7f && !(c.bytes == 3 && first == 0xef && memcmp(c.at, "\xef\xbf\xbe", 3) >= 0);
}

struct slice escape_xml_take(struct slice *text)
{
    size_t bytes = utf8_char_bytes(*text);
    struct slice c = {text->at, bytes};
    if (bytes == 0 || !char_is_xml(c))
        c = REPLACEMENT;
    bytes += bytes == 0;
    text->at += bytes;
    text->bytes -= bytes;
    return c;
}

void escape_xml(struct buf *out, struct slice text)
{
    while (text.bytes > 0) {
        struct slice c = escape_xml_take(&text);
        if (c.bytes == 1 && strchr("&<>\"'", c.at[0]))
            buf_printf(out, "&#%d;", c.at[0]);
        else
            buf_append_slice(out, c);
    }
}

void escape_label(struct buf *out, struct slice text)
{
    while (text.bytes > 0) {
        bool end = *text.at == '\n';
        struct slice c = escape_xml_take(&text);
        if (end)
            buf_append(out, "\\n", 2);
        else if (c.bytes == 1 && strchr("\\\"", c.at[0]))
            buf_printf(out, "\\%c", c.at[0]);
        else
            buf_append_slice(out, c);
    }
}
