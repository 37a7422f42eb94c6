-- Prepended to associate, end, take-back and claim-due, which declare the same first six keys.
-- A record that cannot be read counts as none: the next login at that host writes it anew.
local RECORDS, GUESTS, DEADLINES, SITES, EVENTS, SEQ = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]

-- What a reply says of an association: host, guest, site, gen, at, dl.
local function facts(record)
  return { record.host, record.g, record.site, record.gen, record.at, record.dl }
end

local function read(host)
  local raw = redis.call('HGET', RECORDS, host)
  if not raw then return nil end
  local ok, record = pcall(cjson.decode, raw)
  if not ok or type(record) ~= 'table' or type(record.g) ~= 'string' or type(record.site) ~= 'string' then return nil end
  if not (tonumber(record.gen) and tonumber(record.at) and tonumber(record.dl)) then return nil end
  record.host = host
  return record
end

local function overdue(record, now)
  return record.dl ~= '0' and tonumber(record.dl) <= now
end

local function event(kind, reason, actor, record, extra)
  append(EVENTS, {
    'seq', extra.seq, 'kind', kind, 'at', text(extra.now), 'actor', actor, 'reason', reason,
    'host', record.host, 'guest', record.g, 'site', record.site, 'gen', record.gen,
    'since', record.at, 'dl', record.dl, 'prev', extra.previous or '',
  })
end

-- Removes both directions, the deadline and the count, and logs it.
local function finish(record, reason, actor, now)
  redis.call('HDEL', RECORDS, record.host)
  redis.call('HDEL', GUESTS, record.g)
  redis.call('ZREM', DEADLINES, record.host)
  if redis.call('HINCRBY', SITES, record.site, -1) <= 0 then redis.call('HDEL', SITES, record.site) end
  event('end', reason, actor, record, { seq = advance(SEQ), now = now })
end

-- Writes both directions, the deadline and the count, and logs it. The log position becomes the generation.
local function begin(record, reason, actor, extra)
  record.gen = advance(SEQ)
  redis.call('HSET', RECORDS, record.host, cjson.encode({
    g = record.g, gen = record.gen, at = record.at, dl = record.dl, site = record.site,
  }))
  redis.call('HSET', GUESTS, record.g, record.host)
  if record.dl ~= '0' then redis.call('ZADD', DEADLINES, record.dl, record.host) end
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

-- Keeps and returns the reply: outcome, log position at which it is true, then the facts given.
local function reply(outcome, list, op)
  local body = { outcome, redis.call('GET', SEQ) or '0' }
  for _, value in ipairs(list) do body[#body + 1] = value end
  redis.call('SET', op.key, cjson.encode(body), 'PX', op.ttl)
  return { 'new', text(op.now), unpack(body) }
end
