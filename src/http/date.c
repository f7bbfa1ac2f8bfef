#include "http/response.h"

#include <time.h>

static void digits_put(char *at, int width, int value)
{
    for (int i = width - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
}

/* By hand, because strftime() follows the locale. */
void http_date_format(int64_t wall_ms, char out[HTTP_DATE_BYTES + 1])
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    memcpy(out, "---, -- --- ---- --:--:-- GMT", HTTP_DATE_BYTES + 1);
    memcpy(out, days + 3 * tm.tm_wday, 3);
    digits_put(out + 5, 2, tm.tm_mday);
    memcpy(out + 8, months + 3 * tm.tm_mon, 3);
    digits_put(out + 12, 4, tm.tm_year + 1900);
    digits_put(out + 17, 2, tm.tm_hour);
    digits_put(out + 20, 2, tm.tm_min);
    digits_put(out + 23, 2, tm.tm_sec);
}
