#pragma once
/* What answers each path. api/api.c chooses, and each has a file of its own.
 *
 * Thread: the worker's. */

#include "request/api_worker.h"

enum handler_result route_hit(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                              struct slice path);
enum handler_result route_hits(struct api_worker *aw, const struct http_request *r, struct reply *reply);
enum handler_result route_counter(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                  struct slice path);
/* PUT and DELETE. Only with a policy that has tokens. */
enum handler_result route_counter_write(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                        struct slice path);
enum handler_result route_stream(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                 struct slice path);
enum handler_result route_keys(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                               struct slice path);
/* GET /v1/namespaces, on both ports. */
enum handler_result route_namespaces(struct api_worker *aw, const struct http_request *r, struct reply *reply);
enum handler_result route_export(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                 struct slice path);
/* GET /v1/top/{ns}, on both ports. */
enum handler_result route_top(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                              struct slice ns);
struct keys_query; /* forms/keys_query.h */
enum handler_result keys_delete(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                const struct keys_query *q);
enum handler_result route_counters(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                   struct slice ns);
