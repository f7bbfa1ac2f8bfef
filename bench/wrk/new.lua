-- Every hit a page never seen before; threads have ranges of their own: wrk -s bench/wrk/new.lua http://127.0.0.1:8080
local threads, page = 0, 0

function setup(thread)
    thread:set("first", threads * 1000000000)
    threads = threads + 1
end

function request()
    page = page + 1
    return wrk.format("GET", string.format("/v1/hit/blog/page-%014d", first + page))
end
