/** Numbers of the jobs that were submitted together. */
export function jobsOf({ first, count }: { readonly first: number; readonly count: number }): readonly number[] {
  return Array.from({ length: count }, (_, at) => first + at);
}
