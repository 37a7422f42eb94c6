-- Everything a node needs to know but the directory, which may be large, at one moment. Read-only.
-- Keys of contacts must be declared, so the caller passes the AORs it knows of; when there are others, it asks again.
-- KEYS  1 records  2 events  3 seq  4 contact stream  5 contact seq  6 contact index  7 emergencies  8 seen  9… ct:<aor>
-- ARGV  the AORs of KEYS 9…, in their order
-- Reply again, {aor…}
--       ok, now, seq, last event id, contact seq, last contact id, {host, record…}, {aor, json…}, {id, json…}, {aor, last seen…}
local now = time()

local known = {}
for _, aor in ipairs(ARGV) do known[aor] = true end
local aors = redis.call('ZRANGEBYSCORE', KEYS[6], '(' .. text(now), '+inf')
for _, aor in ipairs(aors) do
  if not known[aor] then return { 'again', aors } end
end

local function lastId(stream)
  local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)
  return last[1] and last[1][1] or '0-0'
end

local contacts = {}
for i, aor in ipairs(ARGV) do
  local stored = redis.call('GET', KEYS[8 + i])
  if stored then
    contacts[#contacts + 1] = aor
    contacts[#contacts + 1] = stored
  end
end

return {
  'ok', text(now), redis.call('GET', KEYS[3]) or '0', lastId(KEYS[2]), redis.call('GET', KEYS[5]) or '0', lastId(KEYS[4]),
  redis.call('HGETALL', KEYS[1]), contacts, redis.call('HGETALL', KEYS[7]),
  redis.call('ZRANGE', KEYS[8], 0, -1, 'WITHSCORES'),
}
