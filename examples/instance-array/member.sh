#!/bin/sh
# A member of the array. Each takes blocks of draws from the queue until none is left; the leader, that of rank 0, fills the queue before and adds
# up after. What `blocks` gets is written under another name first, so that who reads a block reads all of it.
set -eu
blocks=40 draws=50000 tab=$(printf '\t')
# Without it the instance would wait for its TTL when a line below fails.
trap 'spored complete --status failed' EXIT

# Random numbers that depend on the seed alone (Park and Miller, 1988).
draw() {
  awk -v seed="$1" -v draws="$draws" '
    function random() { state = state * 48271 % 2147483647; return state / 2147483647 }
    BEGIN { state = seed * 7368787; for (i = 0; i < draws; i++) hits += random() ^ 2 + random() ^ 2 < 1; print hits }'
}

work() {
  while line=$(spored queue take blocks --wait 2s) && [ -n "$line" ]; do
    block=${line#*"$tab"}
    echo "$(draw "$block") $SPAWN_INSTANCE_NAME" >"block.$SPAWN_INSTANCE_NAME"
    mv "block.$SPAWN_INSTANCE_NAME" "blocks/$block"
    spored queue done blocks "${line%%"$tab"*}"
  done
}

if [ "$RANK" = 0 ]; then seq "$blocks" | spored queue push blocks -; fi
spored wait-peers
work
if [ "$RANK" = 0 ]; then
  # When a member dies before it says done, another gets its block; so the leader asks until all are there.
  while [ "$(find blocks -type f | wc -l)" -lt "$blocks" ]; do work; done
  cat blocks/* | awk -v draws="$draws" '
    { hits += $1; if (!seen[$2]++) members++ }
    END { printf "pi is about %.5f, from %d blocks of %d members\n", 4 * hits / (NR * draws), NR, members }' | tee result.txt
fi
trap - EXIT
spored complete
