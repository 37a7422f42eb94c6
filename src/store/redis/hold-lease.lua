-- Prolongs or gives up a consumer's lease and saves how far it got, unless somebody else has the lease by now.
-- KEYS  1 lease  2 cursors
-- ARGV  1 token of the holder  2 length of the lease from now, ms ('0' = given up)  3 consumer  4 '<id> <seq>' ('' = not saved)
-- Reply kept|lost
local LEASE, CURSORS = KEYS[1], KEYS[2]
if redis.call('GET', LEASE) ~= ARGV[1] then return { 'lost' } end
if ARGV[4] ~= '' then redis.call('HSET', CURSORS, ARGV[3], ARGV[4]) end
if ARGV[2] == '0' then redis.call('DEL', LEASE) else redis.call('PEXPIRE', LEASE, ARGV[2]) end
return { 'kept' }
