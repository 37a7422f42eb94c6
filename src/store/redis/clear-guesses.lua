-- An administrator unlocks a person.
-- KEYS  1 guesses of the person  2 events  3 seq  4 history
-- ARGV  1 extension  2 actor  3 longest that a counter at a host lives, ms
-- Reply cleared
-- The waits at single hosts are not known here: those begun before this moment count no more.
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'cleared', text(time()))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
notice({ events = KEYS[2], seq = KEYS[3], history = KEYS[4] }, 'unlocked', { now = time(), actor = ARGV[2], guest = ARGV[1] })
return { 'cleared' }
