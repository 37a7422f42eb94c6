-- Puts and removes directory entries in one step and logs one event; with a notice, a second.
-- KEYS  1 directory  2 directory version  3 events  4 seq  5 history
-- ARGV  1 '' = in any case, 'ifEmpty', or the version it must still have  2 actor  3 names changed, JSON ('' = many)
--       4 notice or ''  5 extension and  6 host the notice is about  7 number of entries to put  then name, json for
--       each; then the names to remove
-- Reply written|exists|conflict, version
local DIRECTORY, VERSION = KEYS[1], KEYS[2]
local LOG = { events = KEYS[3], seq = KEYS[4], history = KEYS[5] }
local condition, actor, now = ARGV[1], ARGV[2], time()

local version = redis.call('GET', VERSION) or '0'
if condition == 'ifEmpty' then
  if redis.call('HEXISTS', DIRECTORY, 'company') == 1 then return { 'exists', version } end
elseif condition ~= '' and condition ~= version then
  return { 'conflict', version }
end

local firstRemoved = 8 + 2 * tonumber(ARGV[7])
for i = 8, firstRemoved - 2, 2 do redis.call('HSET', DIRECTORY, ARGV[i], ARGV[i + 1]) end
for i = firstRemoved, #ARGV do redis.call('HDEL', DIRECTORY, ARGV[i]) end

local seq = advance(LOG.seq)
append(LOG, { 'seq', seq, 'kind', 'directory', 'at', text(now), 'actor', actor, 'names', ARGV[3] }, {})
redis.call('SET', VERSION, seq)
if ARGV[4] ~= '' then notice(LOG, ARGV[4], { now = now, actor = actor, guest = ARGV[5], host = ARGV[6] }) end
return { 'written', seq }
