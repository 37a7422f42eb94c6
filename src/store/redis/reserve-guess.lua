-- Reserves one guess on three counters at once, before the slow hash, or says how long to wait. All or none.
-- KEYS  1 guesses of the extension  2 of the host  3 of the source: HASH {n, until}
-- ARGV  per counter: free guesses, base wait ms, longest wait ms, window ms, hard limit ('0' = none)
-- Reply reserved
--       wait, ms, counter 1–3    (the longest of them)
--       locked, counter
local now = time()

local function limits(i)
  local at = (i - 1) * 5
  return {
    free = tonumber(ARGV[at + 1]), base = tonumber(ARGV[at + 2]), longest = tonumber(ARGV[at + 3]),
    window = tonumber(ARGV[at + 4]), hard = tonumber(ARGV[at + 5]),
  }
end

local counts, wait, waiting = {}, 0, 0
for i, key in ipairs(KEYS) do
  local hard = limits(i).hard
  local stored = redis.call('HMGET', key, 'n', 'until')
  counts[i] = tonumber(stored[1] or '0') or 0
  if hard > 0 and counts[i] >= hard then return { 'locked', text(i) } end
  local left = (tonumber(stored[2] or '0') or 0) - now
  if left > wait then wait, waiting = left, i end
end
if waiting > 0 then return { 'wait', text(wait), text(waiting) } end

for i, key in ipairs(KEYS) do
  local limit, n, due = limits(i), counts[i] + 1, 0
  if n >= limit.free then due = math.min(limit.base * 2 ^ (n - limit.free), limit.longest) end
  redis.call('HSET', key, 'n', text(n), 'until', text(due > 0 and now + due or 0))
  if limit.hard > 0 and n >= limit.hard then
    redis.call('PERSIST', key)
  else
    redis.call('PEXPIRE', key, text(math.max(limit.window, due)))
  end
end
return { 'reserved' }
