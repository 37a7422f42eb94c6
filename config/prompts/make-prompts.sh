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

# One prompt: spoken, trimmed to the speech, brought to -20 dBFS RMS with no peak above -3 dBFS,
# 30 ms of silence before and 60 ms after.
make_prompt() {
  local id=$1 text=$2 gain stretch=1.05
  # Letters one by one are hard to tell apart: slower.
  [[ $id != letter-* ]] || stretch=1.4
  flite -voice "$voice" --setf duration_stretch="$stretch" -t "$text" -o "$work/spoken.wav"
  sox -D "$work/spoken.wav" -r 16000 -c 1 -b 16 "$work/trimmed.wav" rate -v highpass 90 \
    silence 1 0.01 0.3% reverse silence 1 0.01 0.3% fade t 0.02 reverse fade t 0.005
  gain=$(sox "$work/trimmed.wav" -n stats 2>&1 | awk '
    /^RMS lev dB/ { rms = $4 }
    /^Pk lev dB/ { peak = $4 }
    END { g = -20 - rms; if (peak + g > -3) g = -3 - peak; printf "%.2f", g }')
  sox -D "$work/trimmed.wav" --bits 16 --comment "" "$out/$id.wav" gain "$gain" pad 0.03 0.06
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
    gain -17 fade t 0.01 "$seconds" 0.01 pad 0.03 0.07
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
