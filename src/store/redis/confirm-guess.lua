-- The guess was right: the person starts anew, everywhere and at this host; the host and the source get back this one guess only, because
-- somebody who guesses there must not profit from a colleague's login.
-- KEYS  1 guesses of the person  2 of the person at this host  3 of the host  4 of the source, see reserve-guess.lua
-- Reply confirmed
local by = table.concat(KEYS, ' ')
-- Not when an administrator unlocked the person: that is for other hosts to know.
redis.call('HDEL', KEYS[1], 'n', 'until', 'ends', 'by', 'total', 'at')
redis.call('DEL', KEYS[2])
for i = 3, 4 do
  local stored = redis.call('HMGET', KEYS[i], 'n', 'by')
  local n = tonumber(stored[1] or '0') or 0
  if n <= 1 then
    redis.call('DEL', KEYS[i])
  else
    redis.call('HSET', KEYS[i], 'n', text(n - 1))
    -- The wait this guess began ends with it: any before was over, or the guess had not been reserved. One that
    -- another guess has begun since goes on.
    if stored[2] == by then redis.call('HSET', KEYS[i], 'until', '0', 'by', '') end
  end
end
return { 'confirmed' }
