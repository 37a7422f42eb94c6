-- Ends every session of an account.
-- KEYS  1 sessions of the account, see keep-session.lua
-- ARGV  1 start of the names of sessions
-- Reply dropped
for _, hash in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do redis.call('DEL', ARGV[1] .. hash) end
redis.call('DEL', KEYS[1])
return { 'dropped' }
