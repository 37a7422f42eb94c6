-- Prepended to the scripts that change something or need the time.

-- Bound of the change log. A reader that falls behind it sees a gap in `seq` and loads the state again.
local LOG_LENGTH = 100000

-- Lua's own number format is exact below 10^14 only.
local function text(number)
  return string.format('%.0f', number)
end

-- Redis' clock in ms since 1970: all nodes share it.
local function time()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end

-- Takes the next position of the log; exactly one append with this position follows in the same script.
local function advance(seqKey)
  return text(redis.call('INCR', seqKey))
end

local function append(eventsKey, fields)
  redis.call('XADD', eventsKey, 'MAXLEN', '~', LOG_LENGTH, '*', unpack(fields))
end
