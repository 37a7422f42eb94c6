-- Prepended to take-lease and trim-log.

-- ms since 1970 and the number within it, of a stream id.
local function parts(id)
  local ms, n = string.match(id, '^(%d+)%-(%d+)$')
  return tonumber(ms), tonumber(n)
end

local function isAfter(a, b)
  local aMs, aN = parts(a)
  local bMs, bN = parts(b)
  return aMs > bMs or (aMs == bMs and aN > bN)
end

-- Place of a consumer in the log: stream id and `seq` of the last entry it took; nil when it never ran.
local function cursorOf(cursors, consumer)
  return string.match(redis.call('HGET', cursors, consumer) or '', '^(%d+%-%d+) (%d+)$')
end

local function newestOf(events)
  return redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
end
