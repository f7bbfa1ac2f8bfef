#include "api/badge.h"

#include "base/escape.h"

#define HEIGHT 20
#define PADDING 6
#define COLOR_NAME_BYTES_MAX 20

static bool is_hex(char c) { return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }
static bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

static bool all_are(struct slice s, bool (*is)(char))
{
    for (size_t i = 0; i < s.bytes; i++)
        if (!is(s.at[i]))
            return false;
    return true;
}

static bool color_is_hex(struct slice color)
{
    return (color.bytes == 3 || color.bytes == 6) && all_are(color, is_hex);
}

bool badge_color_valid(struct slice color)
{
    return color_is_hex(color) || (color.bytes > 0 && color.bytes <= COLOR_NAME_BYTES_MAX && all_are(color, is_letter));
}

/* About how wide a character is at 11 px in a sans-serif; textLength then makes the text exactly as wide as the sum,
 * whatever font there is. */
static unsigned char_width(struct slice c)
{
    if (c.bytes > 1)
        return c.bytes == 2 ? 7 : 11; /* Latin, Greek, Cyrillic; the wide scripts */
    if (strchr("ijl|.,:;'!", c.at[0]))
        return 4;
    if (strchr("mwMW@%", c.at[0]))
        return 10;
    return c.at[0] >= 'A' && c.at[0] <= 'Z' ? 8 : 7;
}

static unsigned text_width(struct slice text)
{
    unsigned width = 0;
    while (text.bytes > 0)
        width += char_width(escape_xml_take(&text));
    return width;
}

static void color_append(struct buf *out, struct slice color)
{
    buf_append(out, "#", color_is_hex(color));
    buf_append_slice(out, color);
}

static void half_append(struct buf *out, unsigned left, unsigned width, struct slice color, struct slice text)
{
    buf_printf(out, "<path d=\"M%u 0h%uv%dH%uz\" fill=\"", left, width, HEIGHT, left);
    color_append(out, color);
    buf_printf(out, "\"/><text x=\"%u\" y=\"14\" textLength=\"%u\">", left + PADDING, width - 2 * PADDING);
    escape_xml(out, text);
    buf_append_slice(out, SLICE("</text>"));
}

void badge_append(struct buf *out, const struct badge *b)
{
    unsigned left = text_width(b->label) + 2 * PADDING, right = text_width(b->value) + 2 * PADDING;
    buf_printf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%d\" role=\"img\"><title>",
               left + right, HEIGHT);
    escape_xml(out, b->label);
    buf_append_slice(out, SLICE(": "));
    escape_xml(out, b->value);
    buf_append_slice(out, SLICE("</title><g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" "
                                "font-size=\"11\">"));
    half_append(out, 0, left, b->label_color, b->label);
    half_append(out, left, right, b->color, b->value);
    buf_append_slice(out, SLICE("</g></svg>\n"));
}
