#pragma once
/* What the api counts. Each worker has such a struct. Only that worker writes it, and any thread reads it (stat_read).
 * admin/balance.h says what readers may conclude from them while hits come in. */

#include <stdint.h>

#include "policy/reason.h"

/* What became of a PUT or DELETE. It is the label `result` of seeds_total. */
enum api_write { API_WRITE_DONE, API_WRITE_REFUSED, API_WRITE_IN_DOUBT, API_WRITE_KINDS };

#define API_RESPONSE_CLASSES 6 /* the index is status / 100, and 0 is not used */
#define API_BAD_REASONS_MAX 48

/* A reason token of the http layer (static text) and how often it came. */
struct api_bad_reason {
    const char *token; /* published with store_release_ptr(). NULL in the first one that is unused */
    uint64_t count;
};

struct api_stats {
    uint64_t hits_accepted; /* sum of n */
    uint64_t streams_open;  /* a gauge */
    uint64_t streams_opened, streams_refused, stream_events;
    uint64_t reads_busy; /* questions that were not asked of the store, because their budget was used up */
    uint64_t hits_refused[API_REFUSAL_KINDS];
    uint64_t responses[API_RESPONSE_CLASSES];
    uint64_t writes[API_WRITE_KINDS];
    uint64_t keys_listed, exports,
        exports_cut; /* names that were shown, answers that were begun, and those that were cut short */
    struct api_bad_reason bad_requests[API_BAD_REASONS_MAX]; /* those that could not be read */
};
