#!/bin/sh
# Fits model number TASK_ARRAY_INDEX. Two models need much memory, two have an input, and one meets a busy service once.
echo "fitting model $TASK_ARRAY_INDEX"
case $TASK_ARRAY_INDEX in
  4 | 9) exec dd if=/dev/zero of=/dev/null bs=150M count=40 status=none ;;
  7 | 17) cat "input-$TASK_ARRAY_INDEX.csv" ;;
  12) test "$SPAWN_ATTEMPT" -gt 1 || { echo 'service busy' >&2; exit 75; } ;;
esac
