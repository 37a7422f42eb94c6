#!/usr/bin/env bash
# Speaks the prompts of one language: LANGUAGE.tsv -> LANGUAGE/<id>.wav (16 kHz, mono, 16 bit).
#
#   config/prompts/make-prompts.sh [language] [output folder]     default: en-GB, the folder beside this script
#
# Each line of the table: the prompt's id, a tab, what it says; `(300 ms)` is silence of that length, `(997 Hz 400 ms)`
# a tone.
# Needs flite and sox (apt-get install flite sox). The same versions give the same bytes: no dither, no comments.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
language=${1:-en-GB}
table="$here/$language.tsv"
out=${2:-"$here/$language"}
voice=awb # the only British voice in Debian made from recordings and free to pass on; see NOTICE

for tool in flite sox; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: apt-get install flite sox" >&2; exit 1; }
done
[ -r "$table" ] || { echo "there is no $table" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"

# One prompt: spoken, trimmed to the speech, brought to -22 dBFS RMS without its pauses (what has few of them would else
# sound softer), which leaves no peak above -2 dBFS; 30 ms of silence before, and after it what follows what it says:
# 60 ms after a word, 120 ms after a comma, 200 ms after a sentence, as the voice itself pauses.
make_prompt() {
  local id=$1 text=$2 gain after=0.06 stretch=1.05
  # Slower: letters one by one are hard to tell apart, and the end of "hours" is hard to hear.
  case $id in letter-*) stretch=1.4 ;; hours) stretch=1.25 ;; esac
  case $text in *.) after=0.2 ;; *,) after=0.12 ;; esac
  flite -voice "$voice" --setf duration_stretch="$stretch" -t "$text" -o "$work/spoken.wav"
  sox -D "$work/spoken.wav" -r 16000 -c 1 -b 16 "$work/trimmed.wav" rate -v highpass 90 \
    silence 1 0.01 0.3% reverse silence 1 0.01 0.3% fade t 0.02 reverse fade t 0.005
  gain=$(sox "$work/trimmed.wav" -n silence 1 0.01 1.5% -1 0.02 1.5% stats 2>&1 | awk '
    /^RMS lev dB/ { rms = $4 }
    /^Pk lev dB/ { peak = $4 }
    END { g = -22 - rms; if (peak + g > -2) g = -2 - peak; printf "%.2f", g }')
  sox -D "$work/trimmed.wav" --bits 16 --comment "" "$out/$id.wav" gain "$gain" pad 0.03 "$after"
}

# Silence as a prompt: between the words of something that is spelled.
make_pause() {
  local id=$1 ms=$2
  sox -D -n -r 16000 -c 1 -b 16 --comment "" "$out/$id.wav" trim 0 "$(awk "BEGIN { print $ms / 1000 }")"
}

# A tone at the level of the speech.
make_tone() {
  local id=$1 hz=$2 ms=$3 seconds
  seconds=$(awk "BEGIN { print $ms / 1000 }")
  sox -D -n -r 16000 -c 1 -b 16 --comment "" "$out/$id.wav" synth "$seconds" sine "$hz" \
    gain -19 fade t 0.01 "$seconds" 0.01 pad 0.03 0.07
}

count=0
while IFS=$'\t' read -r id text; do
  [ -n "$id" ] || continue
  if [[ $text =~ ^\(([0-9]+)\ ms\)$ ]]; then
    make_pause "$id" "${BASH_REMATCH[1]}"
  elif [[ $text =~ ^\(([0-9]+)\ Hz\ ([0-9]+)\ ms\)$ ]]; then
    make_tone "$id" "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
  else
    make_prompt "$id" "$text"
  fi
  count=$((count + 1))
done <"$table"
echo "$count prompts in $out"
