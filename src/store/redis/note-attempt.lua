-- Notes a try to deliver to a webhook, and forgets the oldest.
-- KEYS  1 attempts of the webhook: LIST of JSON, newest first
-- ARGV  1 JSON  2 most kept  3 ms they are kept after the last
-- Reply noted
redis.call('LPUSH', KEYS[1], ARGV[1])
redis.call('LTRIM', KEYS[1], 0, tonumber(ARGV[2]) - 1)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return { 'noted' }
