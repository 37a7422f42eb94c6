-- Puts and removes directory entries in one step and logs one event; with an order or a notice, one more each.
-- KEYS  1 directory  2 directory version  3 events  4 seq  5 history  6-10 orders  11 when which phone was last seen
-- ARGV  1 '' = in any case, 'ifEmpty', or the version it must still have  2 actor  3 names changed, JSON ('' = many)
--       4 notice or ''  5 extension and  6 host the notice is about  7-14 order (order-book)  15 number of entries to
--       put  then name, json for each; then the names to remove
-- Reply written|exists|conflict|orderChanged|ordersFull, version; id and revision of the order
local DIRECTORY, VERSION = KEYS[1], KEYS[2]
local LOG = { events = KEYS[3], seq = KEYS[4], history = KEYS[5] }
local condition, actor, now = ARGV[1], ARGV[2], time()

local version = redis.call('GET', VERSION) or '0'
if condition == 'ifEmpty' then
  if redis.call('HEXISTS', DIRECTORY, 'company') == 1 then return { 'exists', version } end
elseif condition ~= '' and condition ~= version then
  return { 'conflict', version }
end

local book, order = orderBook(6), orderIn(7)
local refused = order and orderRefusal(book, order)
if refused then return { refused == 'full' and 'ordersFull' or 'orderChanged', version } end

local firstRemoved = 16 + 2 * tonumber(ARGV[15])
for i = 16, firstRemoved - 2, 2 do
  local isNew = redis.call('HSET', DIRECTORY, ARGV[i], ARGV[i + 1]) == 1
  -- When another phone of this id was seen, long ago, is nothing of this one.
  local host = isNew and string.match(ARGV[i], '^host:(.+)$')
  if host then redis.call('ZREM', KEYS[11], host) end
end
for i = firstRemoved, #ARGV do redis.call('HDEL', DIRECTORY, ARGV[i]) end

local seq = advance(LOG.seq)
append(LOG, { 'seq', seq, 'kind', 'directory', 'at', text(now), 'actor', actor, 'names', ARGV[3] }, {})
redis.call('SET', VERSION, seq)
local written = { 'written', seq }
if order then written[3], written[4] = putOrder(LOG, book, order, { now = now, actor = actor }) end
if ARGV[4] ~= '' then notice(LOG, ARGV[4], { now = now, actor = actor, guest = ARGV[5], host = ARGV[6] }) end
return written
