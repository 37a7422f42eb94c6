-- The sessions of an account, those that have ended left out and forgotten.
-- KEYS  1 sessions of the account, see keep-session.lua
-- ARGV  1 start of the names of sessions
-- Reply { hash, JSON, ms it has left } of each, the oldest first
local found = {}
for _, hash in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local json = redis.call('GET', ARGV[1] .. hash)
  if json then
    found[#found + 1] = { hash, json, string.format('%.0f', redis.call('PTTL', ARGV[1] .. hash)) }
  else
    redis.call('ZREM', KEYS[1], hash)
  end
end
return found
