import { dialectHelp } from '../dialect-help.ts';
import { OPTION_TEXTS } from '../option-texts.ts';
import { DESCRIPTION } from './description.ts';
import type { Session } from './session.ts';

/** The same as `scontrol --help`. */
export function printHelp(session: Session): void {
  session.print(dialectHelp(DESCRIPTION, false, OPTION_TEXTS));
}
