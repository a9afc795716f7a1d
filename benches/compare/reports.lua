-- What wrk sends: reports of updates, on the license keys of a file with one check per line as `target<TAB>license key`. Each
-- run is reported as downloading, installing and ended, one after the other. Arguments: the file, and a pause as in load.lua.

local sites = {}
local current = 0
local step = 3
local run
local stages = { "downloading", "installing", "ended" }

local function uuid()
    return (string.gsub("xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx", "x", function()
        return string.format("%x", math.random(0, 15))
    end))
end

function init(arguments)
    math.randomseed(os.time() * 1000 + math.floor(os.clock() * 1e6) % 1000)
    for line in io.lines(arguments[1]) do
        local target, key = line:match("^(.-)\t(.*)$")
        sites[#sites + 1] = { product = target:match("product=([^&]+)"), from = target:match("[?&]version=([^&]+)"), key = key }
    end
end

function request()
    step = step + 1
    if step > #stages then
        step = 1
        current = current % #sites + 1
        run = uuid()
    end
    local site = sites[current]
    local outcome = stages[step] == "ended" and ', "outcome": "succeeded"' or ""
    local body = string.format('{"run": "%s", "installation": "%s", "product": "%s", "component": "standalone", '
        .. '"from_version": "%s", "to_version": "%s", "stage": "%s"%s}', run, run, site.product, site.from, site.from,
        stages[step], outcome)
    return wrk.format("POST", "/api/v1/reports",
        { ["Authorization"] = "License " .. site.key, ["Content-Type"] = "application/json" }, body)
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format("RESULT %d %d %d %d\n", summary.requests,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        latency:percentile(50), latency:percentile(99)))
end
