-- Keeps a session, and with its account that it is there. Of an account with too many the oldest end.
-- KEYS  1 session  2 sessions of the account: ZSET hash by when it was begun, ms
-- ARGV  1 hash  2 JSON  3 ms it lives  4 ms any session of the account may live  5 most of an account
--       6 start of the names of sessions
-- Reply kept
local INDEX, hash = KEYS[2], ARGV[1]
for _, other in ipairs(redis.call('ZRANGE', INDEX, 0, -1)) do
  if redis.call('EXISTS', ARGV[6] .. other) == 0 then redis.call('ZREM', INDEX, other) end
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('ZADD', INDEX, text(time()), hash)
local excess = redis.call('ZCARD', INDEX) - tonumber(ARGV[5])
if excess > 0 then
  for _, other in ipairs(redis.call('ZRANGE', INDEX, 0, excess - 1)) do redis.call('DEL', ARGV[6] .. other) end
  redis.call('ZREMRANGEBYRANK', INDEX, 0, excess - 1)
end
redis.call('PEXPIRE', INDEX, ARGV[4])
return { 'kept' }
