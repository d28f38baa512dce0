/** @param ref a number, an array id or a name; tasks where the route takes them */
export function jobPath(ref: string): string {
  return `/v1/jobs/${encodeURIComponent(ref)}`;
}

/** A query with its question mark; nothing where nothing is asked. What has several values is there several times. */
export function search(query: object): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined) given.append(name, String(each));
    }
  }
  return given.size === 0 ? '' : `?${given}`;
}
