# The shell that runs a scenario: run-lines is given its lines on descriptor 9, its work directory as $W and a directory for notes as $T.
cd "$W" || exit 1
export LC_ALL=C

# Submits and prints the id alone; ids are noted in their order, for the normaliser and the clean-up.
sb() {
  local out status
  out=$(sbatch --parsable "$@")
  status=$?
  if [ -n "$out" ]; then
    printf '%s\n' "$out" | tail -n 1 >>"$T/ids"
    printf '%s\n' "$out"
  fi
  return $status
}
pause() { sleep 0.1; }
# w ID STATE: waits until every row of a job shows one state.
w() {
  local i
  for i in $(seq 200); do
    [ "$(squeue -h -t all -j "$1" -o %T 2>/dev/null | sort -u | tr '\n' ' ')" = "$2 " ] && return 0
    pause
  done
  echo "(waited in vain: $1 $2, found $(squeue -h -t all -j "$1" -o '%i %T %r' 2>&1 | tr '\n' ' '))"
  return 1
}
# u PATTERN COMMAND: waits until what a command prints matches.
u() {
  local i
  for i in $(seq 200); do
    eval "$2" 2>&1 | grep -qE -- "$1" && return 0
    pause
  done
  echo "(waited in vain: $2: $1, found $(eval "$2" 2>&1 | tail -n 3))"
  return 1
}
# none COMMAND: waits until a command prints nothing.
none() {
  local i
  for i in $(seq 200); do
    [ -z "$(eval "$1" 2>&1)" ] && return 0
    pause
  done
  echo "(waited in vain for nothing: $1, found $(eval "$1" 2>&1 | tail -n 3))"
  return 1
}
# sr ID STATE: waits until history knows the end of a job, and its name: Slurm's database is told of it some seconds later.
sr() { u "^$2" "sacct -n -X -P -j $1 -o State,JobName | grep -v allocation"; }
# f FILE…: waits until files are there and not empty.
f() {
  local file i
  for file; do
    i=0
    until [ -s "$file" ]; do
      i=$((i + 1))
      [ $i -gt 200 ] && { echo "(waited in vain for $file)"; return 1; }
      pause
    done
  done
}
cat >t.sh <<'X'
#!/bin/sh
#SBATCH -o /dev/null
exit 0
X
: >"$T/ids"

run_lines() {
  local line rc
  while IFS= read -r line <&9; do
    case $line in
    '') continue ;;
    'q '*)
      eval "${line#q }" >/dev/null 2>&1 </dev/null 9<&-
      continue
      ;;
    esac
    printf '$ %s\n' "$line"
    eval "$line" >"$T/out" 2>"$T/err" </dev/null 9<&-
    rc=$?
    head -c 20000 "$T/out"
    if [ -s "$T/out" ] && [ -n "$(tail -c 1 "$T/out")" ]; then echo '<no newline at the end>'; fi
    sed 's/^/! /' "$T/err"
    if [ $rc != 0 ]; then echo "rc=$rc"; fi
  done
}
run_lines
if [ -s "$T/ids" ]; then scancel $(sort -u "$T/ids") >/dev/null 2>&1 9<&-; fi
