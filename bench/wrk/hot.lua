-- One hot page, and p99.9 beside what wrk prints: wrk -s bench/wrk/hot.lua http://127.0.0.1:8080
wrk.path = "/v1/hit/blog/page-00000000000000"

function done(summary, latency)
    print(string.format("p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms; not 2xx/3xx: %d", latency:percentile(50) / 1e3,
        latency:percentile(99) / 1e3, latency:percentile(99.9) / 1e3, summary.errors.status))
end
