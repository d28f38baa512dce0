/**
 * A line for the shell that runs another one and, when that succeeds, checks that files are there and copies them. They appear in their
 * directory all at once; a file that is missing makes it fail.
 * @param command for the shell
 * @param patterns paths, relative to the directory of the command or absolute, in which `*`, `?` and `[…]` stand for names
 * @param to the directory, absolute; what was there is replaced
 */
export function collectingCommand(command: string, patterns: readonly string[], to: string): string {
  // In lines of its own: a comment or a here-document may end the command.
  return `(
${command}
) || exit
to=${quoted(to)}
draft=$to.draft-$SPAWN_FENCE
rm -rf -- "$draft" && mkdir -p -- "$draft" || exit
for path in ${patterns.map(withNames).join(' ')}; do
  if [ ! -e "$path" ]; then
    echo "spawn: expected the result $path, found none" >&2
    rm -rf -- "$draft"
    exit 1
  fi
  folder=$draft/$(dirname -- "$path") && mkdir -p -- "$folder" && cp -Rp -- "$path" "$folder/" || exit
done
rm -rf -- "$to" && mv -- "$draft" "$to"`;
}

/** As one word of the shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Everything but what stands for names is taken as it is. */
function withNames(pattern: string): string {
  return pattern.replace(/[^*?[\]]+/g, quoted);
}
