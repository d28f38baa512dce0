/** Minutes by which the local time of this machine is ahead of UTC at a moment. */
export function localZone(epochMs: number): number {
  return -new Date(epochMs).getTimezoneOffset();
}
