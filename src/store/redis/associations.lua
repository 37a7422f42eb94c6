-- Prepended to associate, end, extend, take-back and claim-due, which declare the same first seven keys.
-- A record that cannot be read counts as none: the next login at that host writes it anew.
local RECORDS, GUESTS, DEADLINES, SITES = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local LOG = { events = KEYS[5], seq = KEYS[6], history = KEYS[7] }

-- What a reply says of an association: host, guest, site, gen, at, dl, idle.
local function facts(record)
  return { record.host, record.g, record.site, record.gen, record.at, record.dl, record.idle }
end

-- A whole number as these scripts write it, and as the nodes read it.
local function isWhole(value)
  return type(value) == 'string' and #value <= 15 and value:find('^%d+$') ~= nil
end

local function read(host)
  local raw = redis.call('HGET', RECORDS, host)
  if not raw then return nil end
  local ok, record = pcall(cjson.decode, raw)
  if not ok or type(record) ~= 'table' or type(record.g) ~= 'string' or record.g == '' then return nil end
  if type(record.site) ~= 'string' then return nil end
  if not (isWhole(record.gen) and isWhole(record.at) and isWhole(record.dl)) then return nil end
  record.host = host
  -- Written before there were idle limits.
  if not (isWhole(record.cap) and isWhole(record.idle)) then record.cap, record.idle = record.dl, '0' end
  if type(record.told) ~= 'table' then record.told = nil end
  if type(record.n) ~= 'string' then record.n = nil end
  return record
end

local function write(record)
  redis.call('HSET', RECORDS, record.host, cjson.encode({
    g = record.g, gen = record.gen, at = record.at, dl = record.dl, site = record.site,
    cap = record.cap, idle = record.idle, told = record.told, undo = record.undo, n = record.n,
  }))
  if record.dl ~= '0' then redis.call('ZADD', DEADLINES, record.dl, record.host) end
end

local function overdue(record, now)
  return record.dl ~= '0' and tonumber(record.dl) <= now
end

-- The earlier of the fixed deadline and the end of idleness counted from now; '0' is never.
local function deadline(cap, idle, now)
  if idle == '0' then return cap end
  local idles = now + tonumber(idle)
  if cap == '0' or idles < tonumber(cap) then return text(idles) end
  return cap
end

local function event(kind, reason, actor, record, extra)
  append(LOG, {
    'seq', extra.seq, 'kind', kind, 'at', text(extra.now), 'actor', actor, 'reason', reason,
    'host', record.host, 'guest', record.g, 'site', record.site, 'gen', record.gen,
    'since', record.at, 'dl', record.dl, 'idle', record.idle, 'prev', extra.previous or '',
    'n', record.n or '',
  }, { host = record.host, guest = record.g })
end

-- Removes both directions, the deadline and the count, and logs it.
local function finish(record, reason, actor, now)
  redis.call('HDEL', RECORDS, record.host)
  redis.call('HDEL', GUESTS, record.g)
  redis.call('ZREM', DEADLINES, record.host)
  if redis.call('HINCRBY', SITES, record.site, -1) <= 0 then redis.call('HDEL', SITES, record.site) end
  event('end', reason, actor, record, { seq = advance(LOG.seq), now = now })
end

-- Writes both directions, the deadline and the count, and logs it. The log position becomes the generation.
local function begin(record, reason, actor, extra)
  record.gen = advance(LOG.seq)
  write(record)
  redis.call('HSET', GUESTS, record.g, record.host)
  redis.call('HINCRBY', SITES, record.site, 1)
  event('start', reason, actor, record, { seq = record.gen, now = extra.now, previous = extra.previous })
end

-- The association at a host; one that is overdue is ended first, so the log is in the right order.
local function live(host, now)
  local record = read(host)
  if record and overdue(record, now) then
    finish(record, 'expired', 'ttl', now)
    return nil
  end
  return record
end

local function liveOf(guest, now)
  local host = redis.call('HGET', GUESTS, guest)
  local record = host and live(host, now)
  if record and record.g == guest then return record end
  return nil
end

-- Reply of an operation done before. The key is written again so that WAIT covers the operation on this connection.
local function replayed(opKey, ttl, now)
  local stored = redis.call('GET', opKey)
  if not stored then return nil end
  redis.call('PEXPIRE', opKey, ttl)
  return { 'replay', text(now), unpack(cjson.decode(stored)) }
end

-- Nothing is done for a caller who has given up, as after a freeze.
local function late(lastMoment, now)
  return lastMoment ~= '0' and now > tonumber(lastMoment)
end

-- Keeps and returns the reply: outcome, log position at which it is true, then the facts given.
local function reply(outcome, list, op)
  local body = { outcome, redis.call('GET', LOG.seq) or '0' }
  for _, value in ipairs(list) do body[#body + 1] = value end
  redis.call('SET', op.key, cjson.encode(body), 'PX', op.ttl)
  return { 'new', text(op.now), unpack(body) }
end
