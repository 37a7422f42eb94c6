-- Everything a node needs to know, at one moment. Read-only.
-- Keys of contacts must be declared, so the caller passes the AORs it knows of; when there are others, it asks again.
-- KEYS  1 records  2 directory  3 events  4 seq  5 contact stream  6 contact seq  7 contact index  8… ct:<aor>
-- ARGV  the AORs of KEYS 8…, in their order
-- Reply again, {aor…}
--       ok, now, seq, last event id, contact seq, last contact id, {host, record…}, {entry, json…}, {aor, json…}
local now = time()

local known = {}
for _, aor in ipairs(ARGV) do known[aor] = true end
local aors = redis.call('ZRANGEBYSCORE', KEYS[7], '(' .. text(now), '+inf')
for _, aor in ipairs(aors) do
  if not known[aor] then return { 'again', aors } end
end

local function lastId(stream)
  local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)
  return last[1] and last[1][1] or '0-0'
end

local contacts = {}
for i, aor in ipairs(ARGV) do
  local stored = redis.call('GET', KEYS[7 + i])
  if stored then
    contacts[#contacts + 1] = aor
    contacts[#contacts + 1] = stored
  end
end

return {
  'ok', text(now), redis.call('GET', KEYS[4]) or '0', lastId(KEYS[3]), redis.call('GET', KEYS[6]) or '0', lastId(KEYS[5]),
  redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2]), contacts,
}
