-- Puts and removes directory entries in one step and logs one event.
-- KEYS  1 directory  2 events  3 seq
-- ARGV  1 'ifEmpty' or ''  2 actor  3 number of entries to put  then name, json for each; then the names to remove
-- Reply written|exists, seq
local DIRECTORY, EVENTS, SEQ = KEYS[1], KEYS[2], KEYS[3]
if ARGV[1] == 'ifEmpty' and redis.call('HEXISTS', DIRECTORY, 'company') == 1 then
  return { 'exists', redis.call('GET', SEQ) or '0' }
end

local firstRemoved = 4 + 2 * tonumber(ARGV[3])
for i = 4, firstRemoved - 2, 2 do redis.call('HSET', DIRECTORY, ARGV[i], ARGV[i + 1]) end
for i = firstRemoved, #ARGV do redis.call('HDEL', DIRECTORY, ARGV[i]) end

local seq = advance(SEQ)
append(EVENTS, { 'seq', seq, 'kind', 'directory', 'at', text(time()), 'actor', ARGV[2] })
return { 'written', seq }
