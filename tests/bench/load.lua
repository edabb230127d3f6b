-- What wrk sends, and how it reports. wrk -s load.lua URL -- read TOKEN PATHS | post TOKEN PATH | sign_in NAME PASSWORD
--
-- read: GET of a random one of the paths in the file PATHS. post: new posts to PATH, each with a title of its own.
-- sign_in: the same person again and again. Prints one line of JSON.

local BODY = "A post of the usual length: somebody has seen something, says what it was and what to do about it, and asks the "
  .. "others what they think. It has two or three sentences, no more, since it was written on a telephone on the way "
  .. "home, and the answers below it are what most people come for."

local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

local kinds = {}

function kinds.read(token, file)
  local requests = {}
  for path in io.lines(file) do
    requests[#requests + 1] = wrk.format("GET", path, { Authorization = token ~= "-" and "Bearer " .. token or nil })
  end
  return function()
    return requests[math.random(#requests)]
  end
end

function kinds.post(token, path)
  local headers = { Authorization = "Bearer " .. token, ["Content-Type"] = "application/json" }
  local body = '{"title":"A title that tells what it is about ########","body":"' .. BODY .. '"}'
  local text = wrk.format("POST", path, headers, body)
  local from, to = text:find("########", 1, true)
  local before, after, count = text:sub(1, from - 1), text:sub(to + 1), number * 10000000
  return function()
    count = count + 1
    return before .. string.format("%08d", count) .. after
  end
end

function kinds.sign_in(name, password)
  local body = string.format('{"name":"%s","password":"%s","device":"a telephone"}', name, password)
  local text = wrk.format("POST", "/api/v1/sessions", { ["Content-Type"] = "application/json" }, body)
  return function()
    return text
  end
end

function init(args)
  math.randomseed(20261121 + number)
  request = kinds[args[1]](args[2], args[3])
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"answers":%d,"seconds":%.6f,"refused":%d,"broken":%d,"median_us":%.1f}\n', summary.requests,
    summary.duration / 1000000, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50)))
end
