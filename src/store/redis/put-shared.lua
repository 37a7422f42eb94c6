-- Puts or removes a shared entry and tells the other nodes, in one order with the contacts.
-- KEYS  1 shared entries, HASH name -> "<n> <expiry> <JSON>"  2 names by expiry  3 contact stream  4 contact seq
-- ARGV  1 name  2 JSON value ('' = remove)  3 how long it lasts, ms  4 most entries  5 how long a removal is remembered, ms
-- Reply written|none|full, contact seq now
local ENTRIES, INDEX, STREAM, SEQ = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local STREAM_LENGTH, SWEEP = 10000, 20
local name, value = ARGV[1], ARGV[2]
local now = time()

-- Fields do not lapse by themselves: each writer clears a few more than it adds.
for _, old in ipairs(redis.call('ZRANGEBYSCORE', INDEX, '-inf', text(now), 'LIMIT', 0, SWEEP)) do
  redis.call('ZREM', INDEX, old)
  redis.call('HDEL', ENTRIES, old)
end

local isKnown = redis.call('HEXISTS', ENTRIES, name) == 1
if value == '' and not isKnown then return { 'none', redis.call('GET', SEQ) or '0' } end
if not isKnown and redis.call('HLEN', ENTRIES) >= tonumber(ARGV[4]) then
  return { 'full', redis.call('GET', SEQ) or '0' }
end

-- What is removed stays a while without its value, so that who reads the entries in pages meanwhile learns of it.
local n = advance(SEQ)
local expiry = text(now + tonumber(value == '' and ARGV[5] or ARGV[3]))
redis.call('HSET', ENTRIES, name, n .. ' ' .. expiry .. ' ' .. value)
redis.call('ZADD', INDEX, expiry, name)

-- With the last entry all of it lapses, also when nobody writes any more.
local last = text(tonumber(redis.call('ZREVRANGE', INDEX, 0, 0, 'WITHSCORES')[2]))
redis.call('PEXPIREAT', ENTRIES, last)
redis.call('PEXPIREAT', INDEX, last)

redis.call('XADD', STREAM, 'MAXLEN', '~', STREAM_LENGTH, '*', 'n', n, 'name', name, 'at', expiry, 'value', value)
return { 'written', n }
