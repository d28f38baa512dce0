const LETTERS = ['a', 'b', 'c'] as const;

/** Zones of a region where any label is one: `local-a` to `local-c`, and as clouds write them `us-east-1a` to `us-east-1c`. */
export function zonesOf(region: string): readonly string[] {
  const stem = /\d$/.test(region) ? region : `${region}-`;
  return LETTERS.map((letter) => `${stem}${letter}`);
}

/** The region that a zone is in, if its name tells. */
export function regionOf(zone: string): string | undefined {
  const region = zone.replace(/-?[a-c]$/, '');
  return zonesOf(region).includes(zone) ? region : undefined;
}
