-- Keeps the record of an emergency call until some time after its callback time, and logs each stage of it once.
-- KEYS  1 records  2 stages  3 ends  4 events  5 seq  6 history
-- ARGV  1 id  2 stage  3 record, JSON  4 end of the callback time, ms since 1970  5 actor  6 host or ''  7 guest or ''
--       8 most records kept  9 ms that a record is remembered after its end
-- Reply noted|known, or over: nothing was done
local RECORDS, STAGES, ENDS = KEYS[1], KEYS[2], KEYS[3]
local LOG = { events = KEYS[4], seq = KEYS[5], history = KEYS[6] }
local SWEEP = 20
local id, stage, host, guest = ARGV[1], ARGV[2], ARGV[6], ARGV[7]
local now = time()
local forgotten = now - tonumber(ARGV[9])

local function forget(ids)
  for _, old in ipairs(ids) do
    redis.call('HDEL', RECORDS, old)
    redis.call('HDEL', STAGES, old)
    redis.call('ZREM', ENDS, old)
  end
end

forget(redis.call('ZRANGEBYSCORE', ENDS, '-inf', text(forgotten), 'LIMIT', 0, SWEEP))
if tonumber(ARGV[4]) <= forgotten then return { 'over' } end

local stages = redis.call('HGET', STAGES, id)
if stages and string.find(',' .. stages .. ',', ',' .. stage .. ',', 1, true) then return { 'known' } end

if not stages then
  -- There is always room for the newest.
  local excess = redis.call('ZCARD', ENDS) + 1 - tonumber(ARGV[8])
  if excess > 0 then forget(redis.call('ZRANGE', ENDS, 0, math.min(excess, SWEEP) - 1)) end
  redis.call('HSET', RECORDS, id, ARGV[3])
  redis.call('ZADD', ENDS, ARGV[4], id)
end
redis.call('HSET', STAGES, id, stages and stages .. ',' .. stage or stage)
append(LOG, {
  'seq', advance(LOG.seq), 'kind', 'emergency', 'at', text(now), 'actor', ARGV[5], 'stage', stage,
  'host', host, 'guest', guest, 'record', redis.call('HGET', RECORDS, id) or ARGV[3],
}, { host = host, guest = guest })
return { 'noted' }
