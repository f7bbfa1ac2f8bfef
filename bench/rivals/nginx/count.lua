-- Counts hits in a shared dictionary of nginx and adds them to Redis each second.
-- A batch that Redis did not answer stays counted. A worker that ends leaves what it had.
local redis = require("nginx.redis")
local hits, sums = ngx.shared.hits, ngx.shared.sums
local KEYS_A_PIPELINE = 2000
local PREFIX = #"/v1/hit/" + 1

local count = {}

function count.hit()
    hits:incr(ngx.var.uri, 1, 0)
end

local function send(client, keys, from, to)
    local taken = {}
    client:init_pipeline(to - from + 1)
    for i = from, to do
        local n = hits:get(keys[i]) or 0
        taken[i] = n
        client:incrby("tally:" .. keys[i]:sub(PREFIX):gsub("/", ":", 1), n)
    end
    local answers, why = client:commit_pipeline()
    if not answers then
        return ngx.log(ngx.ERR, why)
    end
    for i = from, to do
        if type(answers[i - from + 1]) == "number" then
            sums:incr("stored", taken[i], 0)
            if hits:incr(keys[i], -taken[i]) == 0 then
                hits:delete(keys[i]) -- nothing comes in between, as there is one worker and no yield
            end
        end
    end
end

local function flush(premature, port)
    local keys = hits:get_keys(0)
    if premature or #keys == 0 then
        return
    end
    local client = redis:new()
    local ok, why = client:connect("127.0.0.1", port)
    if not ok then
        return ngx.log(ngx.ERR, why)
    end
    for from = 1, #keys, KEYS_A_PIPELINE do
        send(client, keys, from, math.min(from + KEYS_A_PIPELINE - 1, #keys))
    end
    client:set_keepalive(60000, 1)
end

function count.start(port)
    assert(ngx.timer.every(1, flush, port))
end

function count.stored()
    ngx.print(("%d"):format(sums:get("stored") or 0))
end

return count
