-- Entries of the change log, newest first: all, those of a host, of a guest, or (not all of them may fit) of both.
-- KEYS  1 events  2 history
-- ARGV  1 host ('' = any)  2 guest ('' = any)  3 oldest, 4 newest: ms since 1970, 13 digits each
--       5 '<ms>-<n>' of the entry after which to go on ('' = from the newest)  6 most entries
-- Reply '1' = there are more, id of the last entry looked at ('' = none), {{id, {field, value…}}…}
local EVENTS, HISTORY = KEYS[1], KEYS[2]
local oldest, newest, cursor, most = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local cursorMs, cursorN = string.match(cursor, '^(%d+)%-(%d+)$')
-- Both have 13 digits. What lies after the period asked for is no place to go on from.
if cursorMs and cursorMs > newest then cursorMs = nil end

local function listAll()
  local last = cursorMs and '(' .. cursor or newest
  local entries = redis.call('XREVRANGE', EVENTS, last, oldest, 'COUNT', most + 1)
  local hasMore = #entries > most
  entries[most + 1] = nil
  return entries, hasMore
end

local function ids(prefix, range, count)
  local found = redis.call('ZREVRANGEBYLEX', HISTORY, range[1], range[2], 'LIMIT', 0, count)
  for i, member in ipairs(found) do found[i] = string.sub(member, #prefix + 1) end
  return found
end

-- All of one millisecond. Within it the text order of ids is not their order: 9 comes after 10.
local function idsOf(prefix, ms)
  return ids(prefix, { '(' .. prefix .. ms .. '.', '[' .. prefix .. ms .. '-' }, -1)
end

local function msOf(id) return string.match(id, '^%d+') end
local function numberOf(id) return tonumber(string.match(id, '%d+$')) end

local function isNewer(a, b)
  if msOf(a) ~= msOf(b) then return msOf(a) > msOf(b) end
  return numberOf(a) > numberOf(b)
end

local function findIds(prefix)
  local found, last = {}, '(' .. prefix .. text(tonumber(newest) + 1)
  if cursorMs then
    last = '(' .. prefix .. cursorMs
    for _, id in ipairs(cursorMs >= oldest and idsOf(prefix, cursorMs) or {}) do
      if numberOf(id) < tonumber(cursorN) then found[#found + 1] = id end
    end
  end
  local older = ids(prefix, { last, '[' .. prefix .. oldest }, most + 1)
  local lastMs = older[most + 1] and msOf(older[most + 1])
  for _, id in ipairs(older) do
    if msOf(id) ~= lastMs then found[#found + 1] = id end
  end
  for _, id in ipairs(lastMs and idsOf(prefix, lastMs) or {}) do found[#found + 1] = id end
  table.sort(found, isNewer)
  return found
end

local function listOf(prefix)
  local found, entries = findIds(prefix), {}
  for i = 1, math.min(#found, most) do
    local entry = redis.call('XRANGE', EVENTS, found[i], found[i])[1]
    entries[i] = entry or { found[i], {} }
  end
  return entries, #found > most
end

local function size(prefix)
  return redis.call('ZLEXCOUNT', HISTORY, '[' .. prefix .. oldest, '(' .. prefix .. text(tonumber(newest) + 1))
end

local prefixes = {}
if ARGV[1] ~= '' then prefixes[#prefixes + 1] = 'h\0' .. ARGV[1] .. '\0' end
if ARGV[2] ~= '' then prefixes[#prefixes + 1] = 'g\0' .. ARGV[2] .. '\0' end
if prefixes[2] and size(prefixes[2]) < size(prefixes[1]) then prefixes[1] = prefixes[2] end

local entries, hasMore
if prefixes[1] then entries, hasMore = listOf(prefixes[1]) else entries, hasMore = listAll() end
local lastEntry = entries[#entries]
return { hasMore and '1' or '0', lastEntry and lastEntry[1] or '', entries }
