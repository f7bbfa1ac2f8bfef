-- 16 requests at a time: wrk -s bench/wrk/pipeline.lua http://127.0.0.1:8080
local batch

function init()
    local requests = {}
    for i = 1, 16 do
        requests[i] = wrk.format("GET", "/v1/hit/blog/page-00000000000000")
    end
    batch = table.concat(requests)
end

function request()
    return batch
end
