-- Zipf (exponent 1) over N pages: wrk -s bench/wrk/zipf.lua http://127.0.0.1:8080 -- 10000
local draws, at = {}, 0
local DRAWS = 65536

local function rank(sums, sample)
    local low, high = 1, #sums
    while low < high do
        local middle = math.floor((low + high) / 2)
        if sums[middle] < sample then low = middle + 1 else high = middle end
    end
    return low - 1
end

function init(args)
    local sums, sum = {}, 0
    for i = 1, tonumber(args[1]) or 10000 do
        sum = sum + 1 / i
        sums[i] = sum
    end
    math.randomseed(1)
    for i = 1, DRAWS do
        draws[i] = wrk.format("GET", string.format("/v1/hit/blog/page-%014d", rank(sums, math.random() * sum)))
    end
end

function request()
    at = at % DRAWS + 1
    return draws[at]
end
