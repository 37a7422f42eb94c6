-- The guess was right: the extension starts anew; the host and the source get back this one guess only, because
-- somebody who guesses there must not profit from a colleague's login.
-- KEYS  1 guesses of the extension  2 of the host  3 of the source: HASH {n, until}
-- ARGV  1 free guesses of the host  2 free guesses of the source
-- Reply confirmed
redis.call('DEL', KEYS[1])
for i = 2, 3 do
  local n = tonumber(redis.call('HGET', KEYS[i], 'n') or '0') or 0
  if n <= 1 then
    redis.call('DEL', KEYS[i])
  else
    redis.call('HSET', KEYS[i], 'n', text(n - 1))
    -- A wait that is only due to this guess ends with it; one that others have earned goes on.
    if n - 1 < tonumber(ARGV[i - 1]) then redis.call('HSET', KEYS[i], 'until', '0') end
  end
end
return { 'confirmed' }
