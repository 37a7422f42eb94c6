-- Puts one order and logs it; the same operation again puts nothing.
-- KEYS  1 events  2 seq  3 history  4-8 orders  9 id that the operation was given, where there is one
-- ARGV  1 actor  2-9 order (order-book)  10 ms the operation is remembered ('' = there is none)
-- Reply written, id, revision; or changed|full
local LOG = { events = KEYS[1], seq = KEYS[2], history = KEYS[3] }
local book, order = orderBook(4), orderIn(2)

local made = ARGV[10] ~= '' and redis.call('GET', KEYS[9])
local known = made and redis.call('ZSCORE', book.revisions, made)
if known then return { 'written', made, text(tonumber(known)) } end

local refused = orderRefusal(book, order)
if refused then return { refused } end
local id, revision = putOrder(LOG, book, order, { now = time(), actor = ARGV[1] })
if ARGV[10] ~= '' then redis.call('SET', KEYS[9], id, 'PX', ARGV[10]) end
return { 'written', id, revision }
