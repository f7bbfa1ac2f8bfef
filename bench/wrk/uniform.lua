-- Uniform over N pages: wrk -s bench/wrk/uniform.lua http://127.0.0.1:8080 -- 1000000
local pages = 1000000

function init(args)
    pages = tonumber(args[1]) or pages
    math.randomseed(1)
end

function request()
    return wrk.format("GET", string.format("/v1/hit/blog/page-%014d", math.random(0, pages - 1)))
end
