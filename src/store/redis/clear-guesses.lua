-- An administrator unlocks a person.
-- KEYS  1 guesses of the person  2 events  3 seq  4 history
-- ARGV  1 extension  2 actor
-- Reply cleared
redis.call('DEL', KEYS[1])
notice({ events = KEYS[2], seq = KEYS[3], history = KEYS[4] }, 'unlocked', { now = time(), actor = ARGV[2], guest = ARGV[1] })
return { 'cleared' }
