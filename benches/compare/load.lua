-- What wrk sends: the checks of a file, one per line as `target<TAB>license key`, one after the other. Arguments: the
-- file, and how many milliseconds a connection pauses before each request (0: as fast as it is answered).

local requests = {}
local current = 0
local pause = 0

function init(arguments)
    pause = tonumber(arguments[2])
    for line in io.lines(arguments[1]) do
        local target, key = line:match("^(.-)\t(.*)$")
        requests[#requests + 1] = wrk.format("GET", target, { ["Authorization"] = "License " .. key })
    end
    if pause > 0 then
        delay = function() return pause end
    end
end

function request()
    current = current % #requests + 1
    return requests[current]
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format("RESULT %d %d %d %d\n", summary.requests,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        latency:percentile(50), latency:percentile(99)))
end
