#include "forms/badge.h"

#include "base/escape.h"
#include "base/utf8.h"
#include "forms/color.h"

#define HEIGHT 20
#define PADDING 6
#define FONT_SIZE 11
#define EM 1000 /* widths are in thousandths of the font's size */
#define WIDTH_OTHER 640
#define WIDTH_WIDE EM

/* Advance widths of Verdana from space to '~'. DejaVu Sans, which stands in for it elsewhere, is much the same. */
static const uint16_t widths[] = {
    352,  394, 459, 818, 636, 1076, 727, 269, 454, 454, 636, 818, 364, 454, 364, 454, /* space to / */
    636,  636, 636, 636, 636, 636,  636, 636, 636, 636, 454, 454, 818, 818, 818, 545, /* 0 to ? */
    1000, 684, 686, 698, 771, 632,  575, 775, 751, 421, 455, 693, 557, 843, 748, 787, /* @ to O */
    603,  787, 695, 684, 616, 732,  684, 989, 685, 615, 685, 454, 454, 454, 818, 636, /* P to _ */
    636,  601, 623, 521, 623, 596,  352, 623, 633, 274, 344, 592, 274, 973, 633, 607, /* ` to o */
    623,  623, 427, 521, 394, 633,  592, 818, 592, 592, 525, 635, 454, 635, 818,      /* p to ~ */
};

static uint32_t code_point(struct slice c)
{
    static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = (unsigned char)c.at[0] & masks[c.bytes];
    for (size_t i = 1; i < c.bytes; i++)
        code = code << 6 | ((unsigned char)c.at[i] & 0x3f);
    return code;
}

/* Combining marks stand over the letter before; East Asian scripts and pictures fill a square (UAX 11). */
static unsigned char_width(struct slice c)
{
    uint32_t code = code_point(c);
    if (code - ' ' < sizeof(widths) / sizeof(*widths))
        return widths[code - ' '];
    if ((code >= 0x300 && code < 0x370) || (code >= 0xfe00 && code < 0xfe10) || code == 0x200d)
        return 0;
    bool wide = (code >= 0x1100 && code < 0x1160) || (code >= 0x2e80 && code < 0xd7a4) ||
                (code >= 0xf900 && code < 0xfb00) || (code >= 0xff00 && code < 0xff61) || code >= 0x1f000;
    return wide ? WIDTH_WIDE : WIDTH_OTHER;
}

/* In pixels. The image says how long its text is, so that another font is fitted to it. */
static unsigned text_width(struct slice text)
{
    unsigned width = 0;
    while (text.bytes > 0)
        width += char_width(escape_xml_take(&text));
    return (width * FONT_SIZE + EM / 2) / EM;
}

bool badge_label_valid(struct slice label)
{
    if (label.bytes > BADGE_LABEL_BYTES_MAX)
        return false;
    while (label.bytes > 0) {
        size_t bytes = utf8_char_bytes(label);
        if (bytes == 0 || (unsigned char)label.at[0] < ' ' || label.at[0] == 0x7f)
            return false;
        label = (struct slice){label.at + bytes, label.bytes - bytes};
    }
    return true;
}

/* Its width; 0 of an empty text. */
static unsigned half_width(struct slice text) { return text.bytes > 0 ? text_width(text) + 2 * PADDING : 0; }

static void half_append(struct buf *out, unsigned left, uint32_t color, struct slice text)
{
    unsigned width = half_width(text);
    if (width == 0)
        return;
    buf_printf(out,
               "<path fill=\"#%06x\" d=\"M%u 0h%uv%dH%uz\"/><text xml:space=\"preserve\" fill=\"%s\" x=\"%u\" y=\"14\" "
               "textLength=\"%u\">",
               color, left, width, HEIGHT, left, color_is_light(color) ? "#1c1917" : "#fff", left + PADDING,
               width - 2 * PADDING);
    escape_xml(out, text);
    buf_append_slice(out, SLICE("</text>"));
}

void badge_append(struct buf *out, const struct badge *b)
{
    unsigned left = half_width(b->label), right = half_width(b->value);
    buf_printf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%d\" role=\"img\"><title>",
               left + right, HEIGHT);
    escape_xml(out, b->label);
    buf_append(out, ": ", b->label.bytes > 0 ? 2 : 0);
    escape_xml(out, b->value);
    buf_printf(out, "</title><g font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"%d\">", FONT_SIZE);
    half_append(out, 0, b->label_color, b->label);
    half_append(out, left, b->color, b->value);
    buf_append_slice(out, SLICE("</g></svg>\n"));
}
