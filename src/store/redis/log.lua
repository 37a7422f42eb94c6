-- Prepended to the scripts that change something or need the time.

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

-- Writes an entry, and finds it again by host and by guest. Trimming is trim-log's, which knows who has read what.
local function append(log, fields, about)
  local id = redis.call('XADD', log.events, '*', unpack(fields))
  if about.host and about.host ~= '' then redis.call('ZADD', log.history, 0, 'h\0' .. about.host .. '\0' .. id) end
  if about.guest and about.guest ~= '' then redis.call('ZADD', log.history, 0, 'g\0' .. about.guest .. '\0' .. id) end
end

-- Logs what administrators should know and no association shows.
local function notice(log, name, about)
  append(log, {
    'seq', advance(log.seq), 'kind', 'notice', 'at', text(about.now), 'actor', about.actor, 'reason', name,
    'host', about.host or '', 'guest', about.guest or '',
  }, about)
end
