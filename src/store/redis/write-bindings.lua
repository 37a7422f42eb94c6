-- Replaces the bindings of one AOR if nobody else wrote since, and tells the other nodes.
-- KEYS  1 ct:<aor>  2 contact index  3 contact stream  4 contact seq  5 when which phone was last seen
-- ARGV  1 aor  2 version expected  3 new value, JSON {version, bindings}  4 latest expiry, ms since 1970 ('0' = no bindings)
--       5 how long an empty set is remembered, ms
-- Reply written|conflict, version now stored
local CONTACTS, INDEX, STREAM, SEQ, SEEN = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
-- Who has not been seen for 400 days is forgotten.
local STREAM_LENGTH, SWEEP, FORGOTTEN_AFTER = 10000, 20, 34560000000
local now = time()

-- Nothing stored: all bindings have lapsed, whatever version the writer remembers.
local stored = redis.call('GET', CONTACTS)
local ok, set = pcall(cjson.decode, stored or '')
if ok and type(set) == 'table' and tonumber(set.version) and text(set.version) ~= ARGV[2] then
  return { 'conflict', text(set.version) }
end

-- An empty set stays a while with its version, so that a writer who knew the old bindings does not bring them back.
local expiry = tonumber(ARGV[4])
if expiry <= now then expiry = now + tonumber(ARGV[5]) end
redis.call('SET', CONTACTS, ARGV[3], 'PXAT', text(expiry))
redis.call('ZADD', INDEX, text(expiry), ARGV[1])

-- The keys lapse by themselves; the index is cleared a little by every writer.
for _, aor in ipairs(redis.call('ZRANGEBYSCORE', INDEX, '-inf', text(now), 'LIMIT', 0, SWEEP)) do
  redis.call('ZREM', INDEX, aor)
end

redis.call('ZADD', SEEN, text(now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', SEEN, '-inf', text(now - FORGOTTEN_AFTER))

redis.call('XADD', STREAM, 'MAXLEN', '~', STREAM_LENGTH, '*',
  'n', advance(SEQ), 'aor', ARGV[1], 'set', ARGV[3])
return { 'written', text(tonumber(ARGV[2]) + 1) }
