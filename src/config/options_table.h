#pragma once
/* Every option of tallyd, once. From this table come the fields of struct options, the parsing of flags,
 * environment and file, --help, --check, /configz and the table in README.md.
 *
 * OPTION(group, name, field, type, default, min, max, sources, argument, help)
 *   name      the flag without "--", and the key in a configuration file. The environment variable is
 *             derived from it, such as TALLYD_FLUSH_INTERVAL from "flush-interval"
 *   min, max  bounds of numbers in µs, bytes, or a count. Of strings max alone counts, in bytes: any may be empty
 *   sources   where it may be given
 *   argument  what --help shows. For ENUM it is also the list of what is allowed (the value is the index in it),
 *             and "N|auto" lets a COUNT be "auto" (0) */

#define SOURCE_FLAG 1u
#define SOURCE_ENV 2u
#define SOURCE_FILE 4u
#define SOURCE_ANY (SOURCE_FLAG | SOURCE_ENV | SOURCE_FILE)

#define US_PER_MS UINT64_C(1000)
#define US_PER_S UINT64_C(1000000)
#define US_PER_HOUR (3600 * US_PER_S)
#define KIB UINT64_C(1024)

/* clang-format off */
#define OPTIONS_TABLE(OPTION)                                                                                          \
    OPTION("Serving", "listen", listen, ADDRESS, "0.0.0.0:8080", 0, 0, SOURCE_ANY, "ADDR:PORT",                        \
           "public address, where hits are taken; port 0 takes a free one")                                            \
    OPTION("Serving", "admin", admin, ADDRESS, "127.0.0.1:9090", 0, 0, SOURCE_ANY, "ADDR:PORT",                        \
           "address of /metrics and health checks; never make it public")                                              \
    OPTION("Serving", "admin-hosts", admin_hosts, STRING, "", 0, 1000, SOURCE_ANY, "LIST",                             \
           "names by which the admin port may be asked, with commas between, besides localhost and addresses; others "  \
           "are answered 421, so that no web page reaches it by a name that it makes point here")                      \
    OPTION("Serving", "workers", workers, COUNT, "auto", 1, 1024, SOURCE_ANY, "N|auto",                                \
           "threads that serve; auto is one per CPU that this process may use (affinity and cgroup quota)")            \
    OPTION("Serving", "io", io, ENUM, "auto", 0, 0, SOURCE_ANY, "auto|uring|epoll",                                    \
           "I/O engine; auto takes io_uring where it works, else epoll, and says so")                                  \
    OPTION("Serving", "batch-wait", batch_wait_us, DURATION, "200us", 0, 10 * US_PER_MS, SOURCE_ANY, "TIME",           \
           "longest wait for more requests while busy, so that they are handled together; a lone request never waits; " \
           "0 turns it off")                                                                                           \
    OPTION("Serving", "defer-accept", defer_accept, ENUM, "off", 0, 0, SOURCE_ANY, "off|on",                           \
           "on: a connection is taken when its first bytes come, or after a second; cheaper where clients open one "   \
           "for each request; a drain lasts 1.5 s at least")                                                           \
    OPTION("Store", "redis", redis, REDIS_URL, "", 0, 0, SOURCE_ANY, "URL",                                            \
           "redis[s]://[user@]host[:port][/db]; rediss is TLS; without it counts live only in this process and its "          \
           "--state-dir")                                                                                              \
    OPTION("Store", "redis-mode", redis_mode, ENUM, "standalone", 0, 0, SOURCE_ANY, "standalone|cluster",              \
           "one server, or a cluster of which --redis names any node; MemoryDB is always a cluster")                   \
    OPTION("Store", "partitions", partitions, COUNT, "16", 1, 256, SOURCE_ANY, "N",                                    \
           "how many hash slots the keys of a cluster are spread over; fixed for a data set (see --repartition)")            \
    OPTION("Store", "redis-password-file", redis_password_file, FILE, "", 0, 0, SOURCE_ANY, "FILE",                    \
           "file with the password for Redis")                                                                         \
    OPTION("Store", "redis-password", redis_password, SECRET, "", 0, 512, SOURCE_ENV, "TEXT",                          \
           "the password itself, in the environment only: other users can read command lines")                         \
    OPTION("Store", "redis-auth", redis_auth, ENUM, "password", 0, 0, SOURCE_ANY, "password|iam",                      \
           "iam: MemoryDB's, with AWS keys from the environment, a web identity or the container's endpoint; the user " \
           "comes from the URL")                                                                                       \
    OPTION("Store", "redis-iam-cluster", redis_iam_cluster, STRING, "", 0, 64, SOURCE_ANY, "NAME",                     \
           "name of the MemoryDB cluster, for --redis-auth iam")                                                       \
    OPTION("Store", "redis-iam-region", redis_iam_region, STRING, "", 0, 32, SOURCE_ANY, "REGION",                     \
           "its region; without it AWS_REGION")                                                                        \
    OPTION("Store", "redis-ca", redis_ca, FILE, "", 0, 0, SOURCE_ANY, "FILE",                                          \
           "for rediss://: PEM file of the authorities to trust, instead of the system's; read again on SIGHUP, when it "  \
           "changes and after a failed handshake")                                                                      \
    OPTION("Store", "redis-cert", redis_cert, FILE, "", 0, 0, SOURCE_ANY, "FILE",                                      \
           "for rediss://: PEM file with a certificate of our own, where the server asks for one")                     \
    OPTION("Store", "redis-key", redis_key, FILE, "", 0, 0, SOURCE_ANY, "FILE",                                        \
           "its private key, when that is in another file")                                                            \
    OPTION("Store", "flush-interval", flush_interval_us, DURATION, "1s", 10 * US_PER_MS, US_PER_HOUR, SOURCE_ANY,      \
           "TIME", "how often counts go to Redis")                                                                     \
    OPTION("Store", "flush-interval-max", flush_interval_max_us, DURATION, "0", 0, US_PER_HOUR, SOURCE_ANY, "TIME",    \
           "so long a key with fewer than 16 hits may wait for more, which makes fewer commands; what a process without "\
           "--state-dir loses when it is killed, and how old a number is elsewhere, grows with it; 0: no key waits")    \
    OPTION("Store", "prefix", prefix, STRING, "tally:", 0, 64, SOURCE_ANY, "TEXT",                                     \
           "put before every key in Redis")                                                                            \
    OPTION("Store", "state-dir", state_dir, FOLDER, "", 0, 4000, SOURCE_ANY, "DIR",                                    \
           "keep counts in a file there, one directory for each process, so that a killed process loses nothing; best " \
           "on tmpfs")                                                                                                 \
    OPTION("Store", "replay-window", replay_window_us, DURATION, "60s", 0, US_PER_HOUR, SOURCE_ANY, "TIME",            \
           "what Redis acknowledged so long ago at most and then forgot (rollback) is stored again; 0 turns it off")   \
    OPTION("Store", "on-ledger-loss", on_ledger_loss, ENUM, "resume", 0, 0, SOURCE_ANY, "resume|replay|halt",          \
           "when Redis has lost all memory of this process: go on, store the replay window again, or stop storing")    \
    OPTION("Store", "top", top, STRING, "", 0, 4000, SOURCE_ANY, "LIST",                                               \
           "namespaces whose highest keys are kept, so that /v1/top/NAMESPACE shows them; at most 64, with commas "    \
           "between")                                                                                                  \
    OPTION("Access", "token-file", token_file, FILE, "", 0, 0, SOURCE_ANY, "FILE",                                     \
           "file of Bearer tokens for PUT and DELETE of counters, for lists of keys and the public dashboard, one a line with what it may "    \
           "do; without it nobody may; read again on SIGHUP and when it changes")                                                            \
    OPTION("Access", "access-file", access_file, FILE, "", 0, 0, SOURCE_ANY, "FILE",                                   \
           "which keys a namespace takes, and from which origins or with a token; lines of \"NAMESPACE origin URL\", "  \
           "\"NAMESPACE token\", \"NAMESPACE key KEY\"; read again likewise")                                          \
    OPTION("Access", "bots-file", bots_file, FILE, "", 0, 0, SOURCE_ANY, "FILE",                                       \
           "parts of the User-Agent, one a line, whose hits are not counted; read again likewise")                     \
    OPTION("Access", "filter", filter, STRING, "", 0, 64, SOURCE_ANY, "LIST",                                          \
           "hits not to count: prefetch (of a page that may never be looked at), gpc and dnt (of those who ask not to " \
           "be tracked), with commas between")                                                                         \
    OPTION("Access", "namespaces", namespaces, STRING, "", 0, 4000, SOURCE_ANY, "LIST",                                \
           "namespaces that exist, with commas between; hits of others are answered 403; without it any does")         \
    OPTION("Access", "rate-limit", rate_limit, COUNT, "0", 0, 1000000, SOURCE_ANY, "N",                                \
           "hits a second that one client address (IPv6: /64) may make at each worker; more are answered 429; 0: any " \
           "number")                                                                                                   \
    OPTION("Access", "rate-burst", rate_burst, COUNT, "20", 1, 1000000, SOURCE_ANY, "N",                               \
           "how many it may make at once")                                                                             \
    OPTION("Access", "trusted-proxies", trusted_proxies, STRING, "", 0, 2000, SOURCE_ANY, "LIST",                      \
           "addresses, or blocks such as 10.0.0.0/8, with commas between, of proxies whose X-Forwarded-For, or else "   \
           "Forwarded, says who the client is")                                                                                            \
    OPTION("Access", "proxy-protocol", proxy_protocol, ENUM, "off", 0, 0, SOURCE_ANY, "off|v2",                        \
           "v2: connections of --trusted-proxies begin with a PROXY protocol header, which says who the client is; "   \
           "all others must not")                                                                                      \
    OPTION("Limits", "max-keys", max_keys, COUNT, "1000000", 1, 1u << 28, SOURCE_ANY, "N",                             \
           "distinct keys that this process counts at a time; a hit on one more is answered 503")                                \
    OPTION("Limits", "max-keys-ns", max_keys_ns, COUNT, "auto", 1, 1u << 28, SOURCE_ANY, "N|auto",                     \
           "keys of one namespace that this process takes; one more is answered 503; auto is seven eighths of "        \
           "--max-keys")                                                                                               \
    OPTION("Limits", "key-idle", key_idle_us, DURATION, "10m", 0, 1000 * US_PER_HOUR, SOURCE_ANY, "TIME",              \
           "a key that nobody has hit for so long, and all of whose hits are stored, gives its room back; a tenth of " \
           "it is enough when three quarters of --max-keys are taken, but never less than --replay-window; 0: never; " \
           "without --redis nothing is forgotten")                                                                     \
    OPTION("Limits", "new-keys", new_keys, COUNT, "5000", 0, 1000000, SOURCE_ANY, "N",                                 \
           "new keys a second at each worker, a hundred seconds' worth at once; more are answered 429; 0: any number") \
    OPTION("Limits", "new-keys-client", new_keys_client, COUNT, "1000", 0, 1000000, SOURCE_ANY, "N",                   \
           "the same of one client address (IPv6: /64), where addresses are looked at: on epoll, or when another option needs them")       \
    OPTION("Limits", "reads", reads, COUNT, "20000", 0, 1000000, SOURCE_ANY, "N",                                      \
           "names a second that each worker asks the store for; reads beyond are answered 503 busy; 0: any number")    \
    OPTION("Limits", "reads-client", reads_client, COUNT, "5000", 0, 1000000, SOURCE_ANY, "N",                         \
           "the same of one client address, where addresses are looked at")                                            \
    OPTION("Limits", "max-conns", max_conns, COUNT, "auto", 1, 1000000, SOURCE_ANY, "N|auto",                          \
           "connections that one worker holds; when it is nearly full, the longest idle are closed for new ones; "     \
           "auto is 8192, or what the limit of open files allows")                                                     \
    OPTION("Limits", "max-conns-client", max_conns_client, COUNT, "auto", 1, 1000000, SOURCE_ANY, "N|auto",            \
           "connections of one client address (IPv6: /64; of a /48 four times as many) at each worker, but of "        \
           "--trusted-proxies; auto is a quarter of --max-conns once half of them are open (io_uring: "  \
           "from Linux 6.7 on)")                                                     \
    OPTION("Limits", "max-head-bytes", max_head_bytes, SIZE, "16k", 512, 1024 * KIB, SOURCE_ANY, "SIZE",               \
           "longest request head; longer is answered 431 (or 414 when already the request line is too long)")          \
    OPTION("Limits", "max-body-bytes", max_body_bytes, SIZE, "64k", 0, 16384 * KIB, SOURCE_ANY, "SIZE",                \
           "longest request body; longer is answered 413")                                                             \
    OPTION("Limits", "max-buffer-bytes", max_buffer_bytes, SIZE, "auto", 1024 * KIB, 1024 * 1024 * 1024 * KIB,         \
           SOURCE_ANY, "SIZE|auto",                                                                                    \
           "memory for partial requests and unread answers of all connections; at its end the longest idle give way "  \
           "and what needs more is answered 503; auto is a quarter of what this process may use (cgroup or machine)")  \
    OPTION("Limits", "head-timeout", head_timeout_us, DURATION, "10s", 100 * US_PER_MS, US_PER_HOUR, SOURCE_ANY,       \
           "TIME", "time for a request head, from its first byte")                                                     \
    OPTION("Limits", "body-timeout", body_timeout_us, DURATION, "10s", 100 * US_PER_MS, US_PER_HOUR, SOURCE_ANY,       \
           "TIME", "time for a request body")                                                                          \
    OPTION("Limits", "send-timeout", send_timeout_us, DURATION, "15s", 100 * US_PER_MS, US_PER_HOUR, SOURCE_ANY,       \
           "TIME", "time that a client may leave an answer unread")                                                    \
    OPTION("Limits", "idle-timeout", idle_timeout_us, DURATION, "75s", 100 * US_PER_MS, 24 * US_PER_HOUR, SOURCE_ANY,  \
           "TIME", "keep-alive; must exceed the idle time of a load balancer in front (often 60s)")                    \
    OPTION("Ending", "drain-delay", drain_delay_us, DURATION, "0s", 0, US_PER_HOUR, SOURCE_ANY, "TIME",                \
           "after SIGTERM: go on serving for so long, while /readyz already says no")                                  \
    OPTION("Ending", "drain-timeout", drain_timeout_us, DURATION, "25s", 100 * US_PER_MS, US_PER_HOUR, SOURCE_ANY,     \
           "TIME", "after SIGTERM: all must be answered and stored by then")                                           \
    OPTION("Logging", "log-level", log_level, ENUM, "info", 0, 0, SOURCE_ANY, "error|warn|info|debug",                 \
           "least severity that is written to standard error")                                                         \
    OPTION("Logging", "log-format", log_format, ENUM, "logfmt", 0, 0, SOURCE_ANY, "logfmt|json",                       \
           "form of a log line")                                                                                       \
    OPTION("Process", "sandbox", sandbox, ENUM, "auto", 0, 0, SOURCE_ANY, "auto|off",                                  \
           "once started, keep only the files and system calls that serving needs (Landlock, seccomp), where the kernel " \
           "has them")                                                                                                 \
    OPTION("Process", "allow-root", allow_root, BOOL, "false", 0, 0, SOURCE_ANY, "",                                   \
           "run as root, which is refused otherwise")                                                                  \
    OPTION("Process", "allow-core", allow_core, BOOL, "false", 0, 0, SOURCE_ANY, "",                                   \
           "let debuggers attach and core dumps be written, although passwords are in memory")                         \
    OPTION("Other", "config", config, FILE, "", 0, 0, SOURCE_FLAG | SOURCE_ENV, "FILE",                                \
           "read options from a file of lines \"name = value\"; # begins a comment")                                   \
    OPTION("Other", "import", import, STRING, "", 0, 4000, SOURCE_FLAG, "FILE",                                         \
           "set the counters of a CSV file in the store of --redis, and exit: ns,key,value, a table with such columns, "  \
           "keys of Abacus, or page views that GoatCounter exported; what it did is noted in FILE.progress, and the "    \
           "same command goes on")                                                                                     \
    OPTION("Other", "import-ns", import_ns, STRING, "", 0, 64, SOURCE_FLAG, "NAMESPACE",                                \
           "for --import of files that name no namespace")                                                             \
    OPTION("Other", "repartition", repartition, COUNT, "0", 0, 256, SOURCE_FLAG, "N",                                  \
           "move the data set of --prefix and --partitions to --repartition-to, cut into N partitions, and exit; "     \
           "processes may count into both meanwhile; the same command goes on, and moves what came since (see README)") \
    OPTION("Other", "repartition-to", repartition_to, STRING, "", 0, 64, SOURCE_FLAG, "TEXT",                           \
           "the prefix of the new data set, for --repartition")                                                        \
    OPTION("Other", "repartition-finish", repartition_finish, ENUM, "no", 0, 0, SOURCE_FLAG, "no|keep|remove",          \
           "when nothing was left to move, end it: nothing is moved any more, and the old counters are kept or removed") \
    OPTION("Other", "healthcheck", healthcheck, BOOL, "false", 0, 0, SOURCE_FLAG, "",                                  \
           "ask the tallyd whose --admin address this is whether it lives, and exit with 0 or 1")                      \
    OPTION("Other", "check", check, BOOL, "false", 0, 0, SOURCE_FLAG, "",                                              \
           "check all options, print the effective ones and exit")                                                     \
    OPTION("Other", "version", version, BOOL, "false", 0, 0, SOURCE_FLAG, "",                                          \
           "print the version and exit")                                                                               \
    OPTION("Other", "help", help, HELP, "", 0, 0, SOURCE_FLAG, "text|markdown|metrics",                                \
           "print this text, or the tables of options or of metrics as Markdown, and exit")
/* clang-format on */
