-- Ends what is past its deadline. Any node, any time, any number of times: each expiry is logged once.
-- KEYS  1 records  2 guests  3 deadlines  4 site counts  5 events  6 seq  7 history
-- ARGV  1 most hosts to look at  2 actor
-- Reply number ended, next deadline ('0' = none), now
local now = time()
local ended = 0
for _, host in ipairs(redis.call('ZRANGEBYSCORE', DEADLINES, '-inf', text(now), 'LIMIT', 0, ARGV[1])) do
  local record = read(host)
  if record and overdue(record, now) then
    finish(record, 'expired', ARGV[2], now)
    ended = ended + 1
  elseif record and record.dl ~= '0' then
    redis.call('ZADD', DEADLINES, record.dl, host)
  else
    redis.call('ZREM', DEADLINES, host)
  end
end
local first = redis.call('ZRANGEBYSCORE', DEADLINES, '-inf', '(+inf', 'WITHSCORES', 'LIMIT', 0, 1)
return { text(ended), first[2] and text(tonumber(first[2])) or '0', text(now) }
