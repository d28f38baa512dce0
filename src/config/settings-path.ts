import { isAbsolute, join } from 'node:path';

/** `$XDG_CONFIG_HOME/spawn/config.json`, else `~/.config/spawn/config.json`. */
export function settingsPath(env: Readonly<Record<string, string | undefined>>): string {
  const { XDG_CONFIG_HOME: xdg, HOME: home } = env;
  const folder = xdg && isAbsolute(xdg) ? xdg : join(home && isAbsolute(home) ? home : '/', '.config');
  return join(folder, 'spawn', 'config.json');
}
