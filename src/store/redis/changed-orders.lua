-- Orders changed after a revision, the first changed first.
-- KEYS  1 orders  2 order revisions
-- ARGV  1 revision  2 most orders
-- Reply number of all orders, then id, '<revision> <JSON>' of each
local ids = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf', 'LIMIT', 0, ARGV[2])
local reply = { tostring(redis.call('ZCARD', KEYS[2])) }
for _, id in ipairs(ids) do
  reply[#reply + 1] = id
  reply[#reply + 1] = redis.call('HGET', KEYS[1], id) or ''
end
return reply
