#include "http/parser.h"
#include "http/scan.h"

/* A chunked body is read by a table: state x class of byte -> state. All of RFC 9112 section 7.1 is in it, blanks
 * around ';' and '=' included; what is not in the table is refused. Only runs of data bypass it. */
enum state {
    REFUSED, /* zero: what the table does not name */
    SIZE_FIRST,
    SIZE,
    SIZE_LF,
    EXT_BLANK, /* behind a size or value: only ';' may follow */
    EXT_NAME_FIRST,
    EXT_NAME,
    EXT_NAME_BLANK,
    EXT_VALUE_FIRST,
    EXT_VALUE,
    EXT_QUOTED,
    EXT_QUOTED_PAIR,
    EXT_QUOTED_END,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_FIRST,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    END_LF,
    COMPLETE,
    LENGTH, /* Content-Length: no table */
    STATES,
};

enum class {
    CLASS_OTHER, /* controls */
    CLASS_HEX,
    CLASS_TOKEN, /* and not hex */
    CLASS_BLANK,
    CLASS_TEXT, /* may be in a value, and is none of the others */
    CLASS_SEMICOLON,
    CLASS_EQUALS,
    CLASS_QUOTE,
    CLASS_BACKSLASH,
    CLASS_COLON,
    CLASS_CR,
    CLASS_LF,
    CLASSES,
};

enum { SIZE_DIGITS_MAX = 16 };

/* Any byte of a quoted string or field value, but those that the row names itself. */
#define TEXT_TO(state)                                                                                                 \
    [CLASS_HEX] = (state), [CLASS_TOKEN] = (state), [CLASS_BLANK] = (state), [CLASS_TEXT] = (state),                   \
    [CLASS_SEMICOLON] = (state), [CLASS_EQUALS] = (state), [CLASS_COLON] = (state)

static const uint8_t next_state[STATES][CLASSES] = {
    [SIZE_FIRST] = {[CLASS_HEX] = SIZE},
    [SIZE] = {[CLASS_HEX] = SIZE, [CLASS_BLANK] = EXT_BLANK, [CLASS_SEMICOLON] = EXT_NAME_FIRST, [CLASS_CR] = SIZE_LF},
    [SIZE_LF] = {[CLASS_LF] = DATA},
    [EXT_BLANK] = {[CLASS_BLANK] = EXT_BLANK, [CLASS_SEMICOLON] = EXT_NAME_FIRST},
    [EXT_NAME_FIRST] = {[CLASS_BLANK] = EXT_NAME_FIRST, [CLASS_HEX] = EXT_NAME, [CLASS_TOKEN] = EXT_NAME},
    [EXT_NAME] = {[CLASS_HEX] = EXT_NAME,
                  [CLASS_TOKEN] = EXT_NAME,
                  [CLASS_BLANK] = EXT_NAME_BLANK,
                  [CLASS_SEMICOLON] = EXT_NAME_FIRST,
                  [CLASS_EQUALS] = EXT_VALUE_FIRST,
                  [CLASS_CR] = SIZE_LF},
    [EXT_NAME_BLANK] =
        {[CLASS_BLANK] = EXT_NAME_BLANK, [CLASS_SEMICOLON] = EXT_NAME_FIRST, [CLASS_EQUALS] = EXT_VALUE_FIRST},
    [EXT_VALUE_FIRST] = {[CLASS_BLANK] = EXT_VALUE_FIRST,
                         [CLASS_HEX] = EXT_VALUE,
                         [CLASS_TOKEN] = EXT_VALUE,
                         [CLASS_QUOTE] = EXT_QUOTED},
    [EXT_VALUE] = {[CLASS_HEX] = EXT_VALUE,
                   [CLASS_TOKEN] = EXT_VALUE,
                   [CLASS_BLANK] = EXT_BLANK,
                   [CLASS_SEMICOLON] = EXT_NAME_FIRST,
                   [CLASS_CR] = SIZE_LF},
    [EXT_QUOTED] = {TEXT_TO(EXT_QUOTED), [CLASS_QUOTE] = EXT_QUOTED_END, [CLASS_BACKSLASH] = EXT_QUOTED_PAIR},
    [EXT_QUOTED_PAIR] = {TEXT_TO(EXT_QUOTED), [CLASS_QUOTE] = EXT_QUOTED, [CLASS_BACKSLASH] = EXT_QUOTED},
    [EXT_QUOTED_END] = {[CLASS_BLANK] = EXT_BLANK, [CLASS_SEMICOLON] = EXT_NAME_FIRST, [CLASS_CR] = SIZE_LF},
    [DATA_CR] = {[CLASS_CR] = DATA_LF},
    [DATA_LF] = {[CLASS_LF] = SIZE_FIRST},
    [TRAILER_FIRST] = {[CLASS_HEX] = TRAILER_NAME, [CLASS_TOKEN] = TRAILER_NAME, [CLASS_CR] = END_LF},
    [TRAILER_NAME] = {[CLASS_HEX] = TRAILER_NAME, [CLASS_TOKEN] = TRAILER_NAME, [CLASS_COLON] = TRAILER_VALUE},
    [TRAILER_VALUE] = {TEXT_TO(TRAILER_VALUE), [CLASS_QUOTE] = TRAILER_VALUE, [CLASS_BACKSLASH] = TRAILER_VALUE,
                       [CLASS_CR] = TRAILER_LF},
    [TRAILER_LF] = {[CLASS_LF] = TRAILER_FIRST},
    [END_LF] = {[CLASS_LF] = COMPLETE},
};

static enum class class_of(char c) {
    switch (c){
        case '\r' : return CLASS_CR; case '\n' : return CLASS_LF; case ' ' : case '\t' : return CLASS_BLANK;
        case ';' : return CLASS_SEMICOLON;
        case '=' : return CLASS_EQUALS;
        case '"' : return CLASS_QUOTE;
        case '\\' : return CLASS_BACKSLASH;
        case ':' : return CLASS_COLON;
        default : break;
    }
if (byte_is(c, BYTE_HEX)) return CLASS_HEX;
if (byte_is(c, BYTE_TOKEN))
    return CLASS_TOKEN;
return byte_is(c, BYTE_VALUE) ? CLASS_TEXT : CLASS_OTHER;
}

static const char *refusal_reason(enum state from)
{
    switch (from) {
    case SIZE_FIRST:
    case SIZE: return "chunk_size";
    case DATA_CR:
    case DATA_LF: return "chunk_end";
    case TRAILER_FIRST:
    case TRAILER_NAME:
    case TRAILER_VALUE: return "trailer";
    case SIZE_LF:
    case TRAILER_LF:
    case END_LF: return "bare_cr";
    default: return "chunk_ext";
    }
}

static bool body_refuse(struct http_body *b, int status, const char *reason)
{
    b->state = REFUSED;
    b->status = status;
    b->reason = reason;
    return false;
}

static bool size_digit(struct http_body *b, char c)
{
    if (b->digits++ == SIZE_DIGITS_MAX)
        return body_refuse(b, 400, "chunk_size");
    b->left = b->left << 4 | byte_hex_value(c);
    return true;
}

/* The size line is complete. */
static bool chunk_begin(struct http_body *b)
{
    b->digits = 0;
    if (b->left == 0)
        b->state = TRAILER_FIRST;
    else if (b->left > b->limits->body_bytes_max - b->decoded)
        return body_refuse(b, 413, "body_bytes");
    return true;
}

static bool is_overhead(enum state state)
{
    return (state >= EXT_BLANK && state <= EXT_QUOTED_END) || (state >= TRAILER_NAME && state <= TRAILER_LF);
}

/* One byte of the framing; false when it is refused. */
static bool frame_step(struct http_body *b, char c)
{
    enum state from = b->state, to = next_state[from][class_of(c)];

    if (to == REFUSED)
        return body_refuse(b, 400, c == '\n' ? "bare_lf" : refusal_reason(from));
    b->state = to;
    if (is_overhead(to) && b->overhead++ == b->limits->chunk_ext_bytes_max)
        return body_refuse(b, 400, "chunk_overhead");
    if (to == SIZE)
        return size_digit(b, c);
    return to != DATA || chunk_begin(b);
}

static void data_take(struct http_body *b, struct slice *in, struct slice *out)
{
    size_t bytes = in->bytes < b->left ? in->bytes : (size_t)b->left;

    *out = (struct slice){in->at, bytes};
    *in = (struct slice){in->at + bytes, in->bytes - bytes};
    b->left -= bytes;
    b->decoded += bytes;
    if (b->left == 0)
        b->state = b->state == LENGTH ? COMPLETE : DATA_CR;
}

void http_body_init(struct http_body *b, const struct http_limits *limits, const struct http_request *r)
{
    *b = (struct http_body){.limits = limits, .left = r->content_length, .state = COMPLETE};
    if (r->chunked)
        b->state = SIZE_FIRST;
    else if (r->content_length > 0)
        b->state = LENGTH;
}

enum http_result http_body_feed(struct http_body *b, struct slice *in, struct slice *out)
{
    *out = (struct slice){in->at, 0};
    while (in->bytes > 0 && b->state != COMPLETE && b->state != REFUSED) {
        if (b->state == DATA || b->state == LENGTH) {
            data_take(b, in, out);
            break;
        }
        if (frame_step(b, *in->at)) {
            in->at++;
            in->bytes--;
        }
    }
    if (b->state == REFUSED)
        return HTTP_BAD;
    return b->state == COMPLETE ? HTTP_DONE : HTTP_MORE;
}
